//! The store's own thread: nobody else waits for the disk.
//!
//! What polls found is stored together as it comes; that a poll found nothing new, at most once a
//! minute, and at the end. An event is given back once it is stored, so that nothing is told that a
//! crash could lose. This file must not know SQL.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{OpenError, Sighting, StoredEvent, StoredJob};
use crate::event::Event;
use crate::failure::Failure;
use crate::job::{Acknowledgement, Fingerprint, JobKey};

mod worker;

use worker::Worker;

/// What the store tells.
#[derive(Debug)]
pub enum News {
    /// These events are stored, or cannot be.
    Recorded(Vec<Event>),
    /// The file had to be opened again: what was stored in it may be gone.
    Reopened,
    /// Another run has stored what the user did.
    Marks {
        acknowledged: HashMap<JobKey, Fingerprint>,
        seen_at: Option<Timestamp>,
    },
}

/// Takes what a person is to be told of the store; `None` where nothing is wrong with it any more.
pub type Teller = Box<dyn Fn(Option<String>) + Send>;
type Listener = Box<dyn Fn(News) + Send>;
type HistoryReader = Box<dyn FnOnce(Vec<StoredEvent>) + Send>;

enum Request {
    Record(Box<Sighting>, Vec<Event>),
    Fail(JobKey, Failure),
    /// There are touched jobs again.
    Touched,
    Watch(HashSet<JobKey>),
    Acknowledge(Vec<Acknowledgement>),
    MarkSeen(Timestamp),
    /// Tell this one from now on.
    Listen(Listener),
    /// Give the newest events, so many.
    History(usize, HistoryReader),
    /// The file has changed, perhaps by this thread.
    Changed,
}

/// The jobs whose polls found what was known: thousands a minute, so that they wake nobody.
type TouchedJobs = Arc<Mutex<HashMap<JobKey, Timestamp>>>;

/// Has things stored, behind the back of whoever tells them.
#[derive(Clone)]
pub struct StoreHandle {
    requests: Arc<Sender<Request>>,
    touched: TouchedJobs,
}

impl fmt::Debug for StoreHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreHandle").finish_non_exhaustive()
    }
}

impl StoreHandle {
    /// A poll found something new, which made these events.
    pub fn record(&self, sighting: Sighting, events: Vec<Event>) {
        self.ask(Request::Record(Box::new(sighting), events));
    }

    /// A poll found what was known.
    pub fn touch(&self, key: JobKey, at: Timestamp) {
        let mut touched = lock(&self.touched);
        if touched.is_empty() {
            self.ask(Request::Touched);
        }
        touched.insert(key, at);
    }

    /// Polls of this job fail, in another way than before.
    pub fn fail(&self, key: JobKey, failure: Failure) {
        self.ask(Request::Fail(key, failure));
    }

    /// The config lists these jobs and no others.
    pub fn watch(&self, jobs: HashSet<JobKey>) {
        self.ask(Request::Watch(jobs));
    }

    pub fn acknowledge(&self, acknowledgements: Vec<Acknowledgement>) {
        self.ask(Request::Acknowledge(acknowledgements));
    }

    /// The user has seen what changed up to `at`.
    pub fn mark_seen(&self, at: Timestamp) {
        self.ask(Request::MarkSeen(at));
    }

    /// Has `listener` told from now on, on the store's thread.
    pub fn listen(&self, listener: impl Fn(News) + Send + 'static) {
        self.ask(Request::Listen(Box::new(listener)));
    }

    /// Gives `reader` the newest events, so many, oldest first, on the store's thread.
    pub fn read_history(
        &self,
        most: usize,
        reader: impl FnOnce(Vec<StoredEvent>) + Send + 'static,
    ) {
        self.ask(Request::History(most, Box::new(reader)));
    }

    fn ask(&self, request: Request) {
        // A thread that has ended is of no importance: nothing that is stored is needed to poll.
        let _ = self.requests.send(request);
    }
}

/// Which store to open, and how.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    pub path: PathBuf,
    /// Whose jobs.
    pub base_url: String,
    /// The path of the config that lists them.
    pub config: String,
    /// How long events are kept, and jobs that no config lists.
    pub keep: Duration,
}

/// What an earlier run has left.
#[derive(Debug, Default)]
pub struct Found {
    pub jobs: Vec<StoredJob>,
    /// Up to when the user has seen what changed.
    pub seen_at: Option<Timestamp>,
}

/// The thread. It ends when every [`StoreHandle`] is gone and all is stored.
#[derive(Debug)]
pub struct StoreThread(JoinHandle<()>);

/// What an earlier run has left, as soon as it has been read, once; it ends where nothing can be had.
pub type Finding = Receiver<Found>;

impl StoreThread {
    /// What is wrong with the store is told to `teller`.
    pub fn start(
        options: StoreOptions,
        teller: Teller,
    ) -> io::Result<(Self, StoreHandle, Finding)> {
        let (requests, received) = mpsc::channel();
        let (found, finding) = mpsc::channel();
        let handle = StoreHandle {
            requests: Arc::new(requests),
            touched: TouchedJobs::default(),
        };
        let touched = Arc::clone(&handle.touched);
        // Weak, so that the thread ends with the last handle.
        let changes = Arc::downgrade(&handle.requests);
        let work = move || {
            let mut worker = Worker::new(options, touched, teller, found);
            match worker.open() {
                // It may be let go of.
                Ok(()) | Err(OpenError::Locked { .. }) => {
                    worker.watch(changes);
                    worker.run(&received);
                }
                Err(error) => worker.run_without_store(&error, &received),
            }
        };
        let builder = thread::Builder::new().name(String::from("store"));
        let thread = builder.spawn(work)?;
        Ok((Self(thread), handle, finding))
    }

    /// Waits until all is stored, but not for long: a locked file must not keep the program.
    pub fn wait(&self, limit: Duration) {
        let start = Instant::now();
        while !self.0.is_finished() && start.elapsed() < limit {
            thread::sleep(Duration::from_millis(1));
        }
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
    use crate::store::Database;

    fn options(path: &std::path::Path) -> StoreOptions {
        StoreOptions {
            path: path.to_owned(),
            base_url: "https://api.test".into(),
            config: "/config.toml".into(),
            keep: Duration::from_hours(24 * 36_500),
        }
    }

    #[test]
    fn all_that_was_told_is_stored_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let open = || Database::open(&path, "https://api.test").unwrap().0;
        let teller = Box::new(|problem| panic!("{problem:?}"));
        let (thread, recorder, finding) = StoreThread::start(options(&path), teller).unwrap();
        let found = finding.recv().unwrap();
        assert!(found.jobs.is_empty());
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        for (second, status) in [(1, Status::Active), (2, Status::Failed)] {
            let sighting = Sighting {
                key: JobKey::new("p", "a"),
                at: at(second),
                job: Job {
                    status: Some(status),
                    ..Job::default()
                },
                is_late: false,
            };
            recorder.record(sighting, Vec::new());
        }
        recorder.touch(JobKey::new("p", "a"), at(30));
        drop(recorder);
        thread.wait(Duration::from_secs(30));
        let database = open();
        assert_eq!(database.events(at(0), 9).unwrap().len(), 1);
        assert_eq!(database.jobs().unwrap()[0].fetched_at, at(30));
    }
}
