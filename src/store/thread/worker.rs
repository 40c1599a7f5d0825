//! What the store's thread does with what it is told: it gathers, stores what is due, tries again
//! what could not be stored, and tells its listener.
//!
//! This file must not know who tells it, or SQL.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Weak;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::ErrorCode;

use super::{
    Found, HistoryReader, Listener, News, Request, StoreOptions, Teller, TouchedJobs, lock,
};
use crate::config::watch::{FileWatch, Identity};
use crate::event::Event;
use crate::job::{Fingerprint, JobKey};
use crate::store::schema::{is_corrupt, is_locked};
use crate::store::{Batch, Database, OpenError};

/// How often it is stored at most that polls found nothing new.
const TOUCH_INTERVAL: Duration = Duration::from_mins(1);
/// How long what nobody waits for may gather, to be stored together.
const GATHER: Duration = Duration::from_millis(250);
/// How soon a change is tried again that could not be stored.
const RETRY: Duration = Duration::from_secs(5);
/// No version of the file.
const UNKNOWN: i64 = -1;
/// More changes than this, that cannot be stored, push the oldest out.
const MAX_UNSTORED: usize = 50_000;

/// Whether somebody waits for it to be stored: then it is told to them, or is what they did.
fn is_awaited(request: &Request) -> bool {
    match request {
        Request::Record(_, events) => !events.is_empty(),
        Request::Acknowledge(_) | Request::MarkSeen(_) => true,
        _ => false,
    }
}

fn tell(listener: Option<&Listener>, news: News) {
    let is_nothing = matches!(&news, News::Recorded(events) if events.is_empty());
    if let Some(listener) = listener.filter(|_| !is_nothing) {
        listener(news);
    }
}

/// Why something could not be stored.
#[derive(Debug, thiserror::Error)]
enum StoreError {
    #[error("{0}; what is new is not stored as long as that lasts")]
    Open(#[from] OpenError),
    #[error("{path}: {error}; what is new is not stored as long as that lasts", path = .path.display())]
    Sqlite {
        path: PathBuf,
        error: rusqlite::Error,
    },
}

impl StoreError {
    /// That passes.
    fn is_locked(&self) -> bool {
        match self {
            Self::Open(error) => matches!(error, OpenError::Locked { .. }),
            Self::Sqlite { error, .. } => is_locked(error),
        }
    }
}

pub(super) struct Worker {
    /// `None` while it cannot be opened.
    database: Option<Database>,
    /// Where it has to be opened again before anything can be stored.
    fault: Option<Fault>,
    /// Takes what an earlier run has left, when that has been read.
    finding: Option<Sender<Found>>,
    options: StoreOptions,
    listener: Option<Listener>,
    teller: Teller,
    unstored: Batch,
    /// Whether it is known which jobs the config lists.
    is_watching: bool,
    /// Who waits for the newest events, and for how many.
    readers: Vec<(usize, HistoryReader)>,
    /// The events of [`Self::unstored`] that have not been given back yet.
    events: Vec<Event>,
    touched: TouchedJobs,
    /// When to store what has come, and when what was touched.
    store_at: Option<Instant>,
    touch_at: Option<Instant>,
    /// Whether what is to be stored then could not be stored before.
    is_failing: bool,
    /// Whether it was told that nothing can be stored now.
    has_problem: bool,
    /// That of the file as last read.
    version: i64,
    /// Acts by living.
    watch: Option<FileWatch>,
}

/// What is wrong with an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Damaged,
    /// It cannot be written, or another one stands in its place by now.
    Unwritable,
}

impl Fault {
    fn of(error: &rusqlite::Error) -> Option<Self> {
        match error.sqlite_error_code()? {
            _ if is_corrupt(error) => Some(Self::Damaged),
            ErrorCode::ReadOnly | ErrorCode::CannotOpen => Some(Self::Unwritable),
            _ => None,
        }
    }
}

impl Worker {
    pub(super) fn new(
        options: StoreOptions,
        touched: TouchedJobs,
        teller: Teller,
        finding: Sender<Found>,
    ) -> Self {
        Self {
            database: None,
            fault: None,
            finding: Some(finding),
            options,
            listener: None,
            teller,
            unstored: Batch::default(),
            is_watching: false,
            readers: Vec::new(),
            events: Vec::new(),
            touched,
            store_at: None,
            touch_at: None,
            is_failing: false,
            has_problem: false,
            version: 0,
            watch: None,
        }
    }

    /// Opens the store, and gives what an earlier run has left. Where this fails, it is tried again
    /// with what is to be stored.
    pub(super) fn open(&mut self) -> Result<(), OpenError> {
        let opened = self.open_and_read();
        let Ok((database, found)) = opened else {
            self.store_at = Some(Instant::now() + RETRY);
            self.is_failing = true;
            return opened.map(drop);
        };
        self.version = database.version().unwrap_or_default();
        self.database = Some(database);
        let is_another = self.fault.take().is_some();
        if is_another {
            tell(self.listener.as_ref(), News::Reopened);
        }
        if let Some((finding, found)) = self.finding.take().zip(found) {
            // Whoever waited for it may have left.
            let _ = finding.send(found);
            self.prune();
        }
        Ok(())
    }

    /// What an earlier run has left is only read until it has been given.
    fn open_and_read(&mut self) -> Result<(Database, Option<Found>), OpenError> {
        let StoreOptions { path, base_url, .. } = &self.options;
        let (mut database, mut opened) = match self.fault {
            Some(Fault::Damaged) => Database::recover(path, base_url)?,
            _ => Database::open(path, base_url)?,
        };
        database = database.of_config(&self.options.config);
        let read = |database: &Database| self.finding.as_ref().map(|_| read(database)).transpose();
        let mut found = read(&database);
        if found.as_ref().is_err_and(is_corrupt) {
            drop(database);
            (database, opened) = Database::recover(path, base_url)?;
            database = database.of_config(&self.options.config);
            found = read(&database);
        }
        if let Some(path) = opened.moved_to {
            let path = path.display();
            (self.teller)(Some(format!(
                "the store could not be read: it is {path} now, and a new one begins"
            )));
        }
        let found = found.map_err(|error| OpenError::from_sqlite(path, &error))?;
        Ok((database, found))
    }

    /// Forgets what is older than is to be kept.
    fn prune(&mut self) {
        let limit = Timestamp::now().checked_sub(self.options.keep);
        let limit = limit.unwrap_or(Timestamp::MIN);
        let pruned = self.database.as_mut().map(|open| open.prune(limit));
        if let Some(Err(error)) = pruned {
            tracing::warn!(%error, "cannot forget what is old");
            self.fault = Fault::of(&error);
        }
    }

    /// Gives back what comes: there is nothing to store it in.
    pub(super) fn run_without_store(mut self, error: &OpenError, requests: &Receiver<Request>) {
        (self.teller)(Some(format!("{error}; nothing is remembered in this run")));
        // Nothing will be found.
        self.finding = None;
        for request in requests {
            match request {
                Request::Listen(new) => self.listener = Some(new),
                Request::Record(_, events) => {
                    tell(self.listener.as_ref(), News::Recorded(events));
                }
                Request::History(_, reader) => reader(Vec::new()),
                _ => {}
            }
        }
    }

    /// Has changes of the file told to `requests`, as long as there are others to tell it something.
    pub(super) fn watch(&mut self, requests: Weak<Sender<Request>>) {
        let path = self.options.path.clone();
        let watch = FileWatch::new(&path, Identity::of(&path), move || {
            if let Some(requests) = requests.upgrade() {
                let _ = requests.send(Request::Changed);
            }
        });
        self.watch = Some(watch);
    }

    pub(super) fn run(mut self, requests: &Receiver<Request>) {
        loop {
            match self.receive(requests) {
                Ok(request) => {
                    self.take(request);
                    // What has come together is stored together.
                    for request in requests.try_iter() {
                        self.take(request);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.store_due(Instant::now());
        }
        self.store_all();
    }

    fn receive(&self, requests: &Receiver<Request>) -> Result<Request, RecvTimeoutError> {
        match self.store_at.into_iter().chain(self.touch_at).min() {
            Some(due) => requests.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => Ok(requests.recv()?),
        }
    }

    fn take(&mut self, request: Request) {
        let now = Instant::now();
        match request {
            Request::Listen(listener) => self.listener = Some(listener),
            Request::Touched => {
                self.touch_at.get_or_insert(now + TOUCH_INTERVAL);
            }
            Request::History(most, reader) => {
                self.readers.push((most, reader));
                self.give_history();
            }
            Request::Changed => self.read_marks(),
            request => {
                self.store_soon(now, is_awaited(&request));
                self.gather(request);
                self.give_history();
            }
        }
    }

    /// Whose events they are is known once it is known which jobs the config lists.
    fn give_history(&mut self) {
        if !self.is_watching || self.readers.is_empty() {
            return;
        }
        if !self.is_failing {
            self.store(Instant::now());
        }
        let Some(database) = &self.database else {
            return;
        };
        for (most, reader) in self.readers.drain(..) {
            let events = database.events(Timestamp::MIN, most);
            reader(events.unwrap_or_default());
        }
    }

    fn store_soon(&mut self, now: Instant, is_awaited: bool) {
        // What cannot be stored is not tried more often for what comes meanwhile.
        if self.is_failing {
            return;
        }
        let wait = if is_awaited { Duration::ZERO } else { GATHER };
        let due = self.store_at.unwrap_or(now + wait);
        self.store_at = Some(due.min(now + wait));
    }

    fn gather(&mut self, request: Request) {
        let unstored = &mut self.unstored;
        match request {
            Request::Record(sighting, events) => {
                self.events.extend(events);
                unstored.failures.remove(&sighting.key);
                // What was acknowledged before the job changed is not what it becomes after.
                let seen = Fingerprint::from(&sighting.job);
                unstored.acknowledgements.retain(|before| {
                    before.key != sighting.key || before.seen.as_ref().is_none_or(|it| *it == seen)
                });
                let mut touched = lock(&self.touched);
                // A touch is told at once, and can be of a later poll.
                let is_touched = touched.get(&sighting.key);
                if is_touched.is_some_and(|at| *at <= sighting.at) {
                    touched.remove(&sighting.key);
                }
                drop(touched);
                if unstored.sightings.len() == MAX_UNSTORED {
                    unstored.sightings.remove(0);
                }
                unstored.sightings.push(*sighting);
            }
            Request::Fail(key, failure) => drop(unstored.failures.insert(key, failure)),
            Request::Acknowledge(acknowledgements) => {
                unstored.acknowledgements.extend(acknowledgements);
            }
            Request::MarkSeen(at) => unstored.seen_at = unstored.seen_at.max(Some(at)),
            Request::Watch(jobs) => {
                unstored.watched = Some(jobs);
                self.is_watching = true;
            }
            Request::Listen(_) | Request::Touched | Request::History(..) | Request::Changed => {}
        }
    }

    fn store_due(&mut self, now: Instant) {
        if self.store_at.is_some_and(|at| at <= now) {
            self.store(now);
        }
        // Also of what cannot be stored yet.
        self.give_back();
        if self.touch_at.is_some_and(|at| at <= now) {
            self.touch(now);
        }
    }

    /// What cannot be stored is kept, and tried again.
    fn store(&mut self, now: Instant) {
        let stored = self.try_to_store();
        let was_failing = std::mem::replace(&mut self.is_failing, stored.is_err());
        self.store_at = match stored {
            Ok(()) => {
                let stored = std::mem::take(&mut self.unstored);
                if !stored.acknowledgements.is_empty() {
                    // What was read before may still be on its way, and is told once more.
                    self.version = UNKNOWN;
                }
                if std::mem::take(&mut self.has_problem) {
                    (self.teller)(None);
                }
                self.read_marks();
                if was_failing {
                    self.give_history();
                }
                None
            }
            Err(error) => {
                tracing::warn!(%error, "cannot store what is new");
                self.tell_problem(&error);
                Some(now + RETRY)
            }
        };
    }

    fn try_to_store(&mut self) -> Result<(), StoreError> {
        self.reopen()?;
        let database = self.database.as_mut();
        let stored = database.map(|open| open.store(&self.unstored).map(drop));
        self.check(stored.unwrap_or(Ok(())))
    }

    fn try_to_touch(&mut self, touched: &HashMap<JobKey, Timestamp>) -> Result<(), StoreError> {
        self.reopen()?;
        let stored = self.database.as_mut().map(|open| open.touch(touched));
        self.check(stored.unwrap_or(Ok(())))
    }

    /// Opens the file again where that has to be.
    fn reopen(&mut self) -> Result<(), OpenError> {
        if self.database.is_none() || self.fault.is_some() {
            self.database = None;
            self.open()?;
        }
        Ok(())
    }

    fn check(&mut self, stored: rusqlite::Result<()>) -> Result<(), StoreError> {
        stored.map_err(|error| {
            self.fault = Fault::of(&error);
            let path = self.options.path.clone();
            StoreError::Sqlite { path, error }
        })
    }

    fn give_back(&mut self) {
        let events = std::mem::take(&mut self.events);
        tell(self.listener.as_ref(), News::Recorded(events));
    }

    /// Once, and not that another run keeps the file locked.
    fn tell_problem(&mut self, error: &StoreError) {
        if !self.has_problem && !error.is_locked() {
            self.has_problem = true;
            (self.teller)(Some(error.to_string()));
        }
    }

    fn touch(&mut self, now: Instant) {
        self.touch_at = None;
        if !self.unstored.is_empty() {
            // A later date beside older values would hide that they have changed.
            self.touch_at = Some(now + RETRY);
            return;
        }
        let touched = std::mem::take(&mut *lock(&self.touched));
        if touched.is_empty() {
            return;
        }
        if let Err(error) = self.try_to_touch(&touched) {
            tracing::warn!(%error, "cannot store when jobs were polled");
            self.tell_problem(&error);
            let mut newer = lock(&self.touched);
            for (key, at) in touched {
                newer.entry(key).or_insert(at);
            }
            self.touch_at = Some(now + TOUCH_INTERVAL);
        }
        self.read_marks();
    }

    /// Tells what the user did in another run, where one has changed the file. What is still to be
    /// stored here comes after it.
    fn read_marks(&mut self) {
        let Some(database) = &self.database else {
            return;
        };
        let Ok(version) = database.version() else {
            return;
        };
        if version == self.version || !self.unstored.is_empty() {
            return;
        }
        self.version = version;
        let marks = (database.acknowledged(), database.seen_at());
        if let (Ok(acknowledged), Ok(seen_at)) = marks {
            let news = News::Marks {
                acknowledged,
                seen_at,
            };
            tell(self.listener.as_ref(), news);
        }
    }

    fn store_all(&mut self) {
        let now = Instant::now();
        if !self.unstored.is_empty() {
            self.store(now);
        }
        self.give_back();
        self.touch(now);
    }
}

fn read(database: &Database) -> rusqlite::Result<Found> {
    Ok(Found {
        jobs: database.jobs()?,
        seen_at: database.seen_at()?,
    })
}

#[cfg(test)]
mod tests;
