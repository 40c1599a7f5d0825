//! The store's own thread: nobody else waits for the disk.
//!
//! What polls found is stored together as it comes; that a poll found nothing new, at most once a
//! minute, and at the end. This file must not know SQL.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Database, OpenError, Sighting, StoredJob};
use crate::job::JobKey;

/// How often it is stored at most that polls found nothing new.
const TOUCH_INTERVAL: Duration = Duration::from_mins(1);
/// How soon a change is tried again that could not be stored.
const RETRY: Duration = Duration::from_secs(5);
/// More changes than this, that cannot be stored, push the oldest out.
const MAX_UNSTORED: usize = 50_000;

#[derive(Debug)]
enum Request {
    Record(Box<Sighting>),
    /// There are touched jobs again.
    Touched,
}

/// The jobs whose polls found what was known: thousands a minute, so that they wake nobody.
type TouchedJobs = Arc<Mutex<HashMap<JobKey, Timestamp>>>;

/// Stores what it is told, behind the back of whoever tells it.
#[derive(Clone, Debug)]
pub struct Recorder {
    requests: Sender<Request>,
    touched: TouchedJobs,
}

impl Recorder {
    /// A poll found something new.
    pub fn record(&self, sighting: Sighting) {
        // A thread that has ended is of no importance: nothing that is stored is needed to poll.
        let _ = self.requests.send(Request::Record(Box::new(sighting)));
    }

    /// A poll found what was known.
    pub fn touch(&self, key: JobKey, at: Timestamp) {
        let mut touched = lock(&self.touched);
        if touched.is_empty() {
            let _ = self.requests.send(Request::Touched);
        }
        touched.insert(key, at);
    }
}

/// Which store to open, and how.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    pub path: PathBuf,
    /// Whose jobs.
    pub base_url: String,
    /// How long events are kept.
    pub keep: Duration,
}

/// What an earlier run has left.
#[derive(Debug)]
pub struct Found {
    pub jobs: Vec<StoredJob>,
    /// Where a file was moved that was no database any more.
    pub moved_to: Option<PathBuf>,
}

/// The thread. It ends when every [`Recorder`] is gone and all is stored.
#[derive(Debug)]
pub struct StoreThread(JoinHandle<()>);

/// What an earlier run has left, as soon as it has been read, once.
pub type Finding = Receiver<Result<Found, OpenError>>;

impl StoreThread {
    pub fn start(options: StoreOptions) -> io::Result<(Self, Recorder, Finding)> {
        let (requests, received) = mpsc::channel();
        let (tell, found) = mpsc::channel();
        let touched = TouchedJobs::default();
        let recorder = Recorder {
            requests,
            touched: Arc::clone(&touched),
        };
        let work = move || match open(&options) {
            Ok((database, opened)) => {
                let _ = tell.send(Ok(opened));
                Worker::new(database, touched).run(&received);
            }
            Err(error) => drop(tell.send(Err(error))),
        };
        let builder = thread::Builder::new().name(String::from("store"));
        let thread = builder.spawn(work)?;
        Ok((Self(thread), recorder, found))
    }

    /// Waits until all is stored, but not for long: a locked file must not keep the program.
    pub fn wait(self, limit: Duration) {
        let start = Instant::now();
        while !self.0.is_finished() && start.elapsed() < limit {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn open(options: &StoreOptions) -> Result<(Database, Found), OpenError> {
    let (mut database, opened) = Database::open(&options.path, &options.base_url)?;
    let unusable = |error: rusqlite::Error| OpenError::Unusable {
        path: options.path.clone(),
        why: error.to_string(),
    };
    let jobs = database.jobs().map_err(unusable)?;
    let limit = Timestamp::now().checked_sub(options.keep);
    if let Err(error) = database.prune_events(limit.unwrap_or(Timestamp::MIN)) {
        tracing::warn!(%error, "cannot forget old events");
    }
    let found = Found {
        jobs,
        moved_to: opened.moved_to,
    };
    Ok((database, found))
}

struct Worker {
    database: Database,
    unstored: Vec<Sighting>,
    touched: TouchedJobs,
    /// When to store what has come, and when what was touched.
    record_at: Option<Instant>,
    touch_at: Option<Instant>,
}

impl Worker {
    fn new(database: Database, touched: TouchedJobs) -> Self {
        Self {
            database,
            unstored: Vec::new(),
            touched,
            record_at: None,
            touch_at: None,
        }
    }

    fn run(mut self, requests: &Receiver<Request>) {
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
        match self.record_at.into_iter().chain(self.touch_at).min() {
            Some(due) => requests.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => Ok(requests.recv()?),
        }
    }

    fn take(&mut self, request: Request) {
        let now = Instant::now();
        match request {
            Request::Record(sighting) => {
                let mut touched = lock(&self.touched);
                // A touch is told at once, and can be of a later poll.
                if touched
                    .get(&sighting.key)
                    .is_some_and(|at| *at <= sighting.at)
                {
                    touched.remove(&sighting.key);
                }
                drop(touched);
                if self.unstored.len() == MAX_UNSTORED {
                    self.unstored.remove(0);
                }
                self.unstored.push(*sighting);
                self.record_at.get_or_insert(now);
            }
            Request::Touched => {
                self.touch_at.get_or_insert(now + TOUCH_INTERVAL);
            }
        }
    }

    fn store_due(&mut self, now: Instant) {
        if self.record_at.is_some_and(|at| at <= now) {
            self.record(now);
        }
        if self.touch_at.is_some_and(|at| at <= now) {
            self.touch(now);
        }
    }

    /// What cannot be stored is kept, and tried again.
    fn record(&mut self, now: Instant) {
        self.record_at = match self.database.record(&self.unstored) {
            Ok(_) => {
                self.unstored.clear();
                None
            }
            Err(error) => {
                tracing::warn!(%error, "cannot store what polls found");
                Some(now + RETRY)
            }
        };
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
    }

    fn store_all(&mut self) {
        let now = Instant::now();
        if !self.unstored.is_empty() {
            self.record(now);
        }
        self.touch(now);
    }
}

/// What a thread that has panicked has left is whole: a map of times.
fn lock(touched: &TouchedJobs) -> MutexGuard<'_, HashMap<JobKey, Timestamp>> {
    touched.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Job, Status};

    #[test]
    fn all_that_was_told_is_stored_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let open = || Database::open(&path, "https://api.test").unwrap().0;
        let options = StoreOptions {
            path: path.clone(),
            base_url: "https://api.test".into(),
            keep: Duration::from_hours(24 * 36_500),
        };
        let (thread, recorder, finding) = StoreThread::start(options).unwrap();
        let found = finding.recv().unwrap().unwrap();
        assert!(found.jobs.is_empty());
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        for (second, status) in [(1, Status::Active), (2, Status::Failed)] {
            recorder.record(Sighting {
                key: JobKey::new("p", "a"),
                at: at(second),
                job: Job {
                    status: Some(status),
                    ..Job::default()
                },
                is_first: false,
            });
        }
        recorder.touch(JobKey::new("p", "a"), at(30));
        drop(recorder);
        thread.wait(Duration::from_secs(30));
        let database = open();
        assert_eq!(database.events(at(0)).unwrap().len(), 1);
        assert_eq!(database.jobs().unwrap()[0].fetched_at, at(30));
    }
}
