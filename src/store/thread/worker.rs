//! What the store's thread does with what it is told: it gathers, stores what is due, tries again
//! what could not be stored, and tells its listener.
//!
//! This file must not know who tells it, or SQL.

use std::sync::Weak;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Found, Listener, News, Request, StoreOptions, Teller, TouchedJobs, lock};
use crate::config::watch::{FileWatch, Identity};
use crate::event::Event;
use crate::store::{Batch, Database, OpenError};

/// How often it is stored at most that polls found nothing new.
const TOUCH_INTERVAL: Duration = Duration::from_mins(1);
/// How long what nobody waits for may gather, to be stored together.
const GATHER: Duration = Duration::from_millis(250);
/// How soon a change is tried again that could not be stored.
const RETRY: Duration = Duration::from_secs(5);
/// More changes than this, that cannot be stored, push the oldest out.
const MAX_UNSTORED: usize = 50_000;

pub(super) fn open(
    options: &StoreOptions,
    teller: &Teller,
) -> Result<(Database, Found), OpenError> {
    let (database, opened) = Database::open(&options.path, &options.base_url)?;
    if let Some(path) = opened.moved_to {
        let path = path.display();
        teller(format!(
            "the store could not be read: it is {path} now, and a new one begins"
        ));
    }
    let unusable = |error: rusqlite::Error| OpenError::Unusable {
        path: options.path.clone(),
        why: error.to_string(),
    };
    let found = Found {
        jobs: database.jobs().map_err(unusable)?,
        seen_at: database.seen_at().map_err(unusable)?,
    };
    Ok((database, found))
}

/// Forgets what is older than `keep`.
pub(super) fn prune(database: &mut Database, keep: Duration) {
    let limit = Timestamp::now().checked_sub(keep);
    if let Err(error) = database.prune(limit.unwrap_or(Timestamp::MIN)) {
        tracing::warn!(%error, "cannot forget what is old");
    }
}

/// Gives back what comes: there is nothing to store it in.
pub(super) fn run_without_store(requests: &Receiver<Request>) {
    let mut listener = None;
    for request in requests {
        match request {
            Request::Listen(new) => listener = Some(new),
            Request::Record(_, events) => tell(listener.as_ref(), News::Recorded(events)),
            Request::History(_, reader) => reader(Vec::new()),
            _ => {}
        }
    }
}

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

pub(super) struct Worker {
    database: Database,
    options: StoreOptions,
    listener: Option<Listener>,
    teller: Teller,
    unstored: Batch,
    /// The events of [`Self::unstored`] that have not been given back yet.
    events: Vec<Event>,
    touched: TouchedJobs,
    /// When to store what has come, and when what was touched.
    store_at: Option<Instant>,
    touch_at: Option<Instant>,
    /// Whether it was told that nothing can be stored now.
    has_problem: bool,
    /// That of the file as last read.
    version: i64,
    /// Acts by living.
    watch: Option<FileWatch>,
}

impl Worker {
    pub(super) fn new(
        database: Database,
        options: StoreOptions,
        touched: TouchedJobs,
        teller: Teller,
    ) -> Self {
        Self {
            version: database.version().unwrap_or_default(),
            database,
            options,
            listener: None,
            teller,
            unstored: Batch::default(),
            events: Vec::new(),
            touched,
            store_at: None,
            touch_at: None,
            has_problem: false,
            watch: None,
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
                // With what has come before it.
                self.store_due(now);
                let events = self.database.events(Timestamp::MIN, most);
                reader(events.unwrap_or_default());
            }
            Request::Changed => self.read_marks(),
            request => {
                let wait = if is_awaited(&request) {
                    Duration::ZERO
                } else {
                    GATHER
                };
                let due = self.store_at.unwrap_or(now + wait);
                self.store_at = Some(due.min(now + wait));
                self.gather(request);
            }
        }
    }

    fn gather(&mut self, request: Request) {
        let unstored = &mut self.unstored;
        match request {
            Request::Record(sighting, events) => {
                self.events.extend(events);
                unstored.failures.remove(&sighting.key);
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
                unstored.watched = Some((self.options.config.clone(), jobs));
            }
            Request::Listen(_) | Request::Touched | Request::History(..) | Request::Changed => {}
        }
    }

    fn store_due(&mut self, now: Instant) {
        if self.store_at.is_some_and(|at| at <= now) {
            self.store(now);
        }
        if self.touch_at.is_some_and(|at| at <= now) {
            self.touch(now);
        }
    }

    /// What cannot be stored is kept, and tried again. Its events are given back all the same.
    fn store(&mut self, now: Instant) {
        self.store_at = match self.database.store(&self.unstored) {
            Ok(_) => {
                self.unstored = Batch::default();
                self.has_problem = false;
                None
            }
            Err(error) => {
                tracing::warn!(%error, "cannot store what is new");
                self.tell_problem(&error);
                Some(now + RETRY)
            }
        };
        let events = std::mem::take(&mut self.events);
        tell(self.listener.as_ref(), News::Recorded(events));
    }

    /// Once, and not that another run keeps the file locked: that passes.
    fn tell_problem(&mut self, error: &rusqlite::Error) {
        let is_locked = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy);
        if self.has_problem || is_locked {
            return;
        }
        self.has_problem = true;
        let path = self.options.path.display();
        (self.teller)(format!(
            "{path}: {error}; what is new is kept in memory until it can be stored"
        ));
    }

    fn touch(&mut self, now: Instant) {
        self.touch_at = None;
        let touched: Vec<_> = lock(&self.touched).drain().collect();
        if touched.is_empty() {
            return;
        }
        if let Err(error) = self.database.touch(&touched) {
            tracing::warn!(%error, "cannot store when jobs were polled");
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
        let Ok(version) = self.database.version() else {
            return;
        };
        if version == std::mem::replace(&mut self.version, version) || !self.unstored.is_empty() {
            return;
        }
        let marks = (self.database.acknowledged(), self.database.seen_at());
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
        self.touch(now);
    }
}
