//! What a run remembers, and what it knows from earlier ones.
//!
//! This file must not know what is shown of it.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use directories::BaseDirs;

use crate::config::Config;
use crate::poll::{Memory, PollerHandle};
use crate::store::{
    self, Finding, Found, OpenError, Recorder, StoreOptions, StoreThread, StoredJob,
};

/// How long the first frame waits for what earlier runs have stored.
const BEFORE_FIRST_FRAME: Duration = Duration::from_millis(2);
/// How long the end waits for what is to be stored.
const AT_THE_END: Duration = Duration::from_secs(2);

/// An open store, or one that is being opened.
pub struct SessionMemory {
    thread: StoreThread,
    recorder: Option<Recorder>,
    finding: Option<Finding>,
}

impl SessionMemory {
    /// Opens the store that `config` names; `None` where it has none.
    pub fn open(config: &Config) -> Option<Self> {
        let store = Some(&config.store).filter(|store| store.enabled)?;
        let options = StoreOptions {
            path: path(store.path.clone())?,
            base_url: config.base_url.to_string(),
            keep: store.keep,
        };
        // Without a thread there is no store; nothing needs one.
        let (thread, recorder, finding) = StoreThread::start(options).ok()?;
        Some(Self {
            thread,
            recorder: Some(recorder),
            finding: Some(finding),
        })
    }

    /// What the poller remembers with, with what is known by the first frame, and what is to be said
    /// of it.
    pub fn for_poller(&mut self) -> (Option<Memory>, Option<String>) {
        let finding = self.finding.take();
        let found = finding.as_ref().and_then(|finding| {
            let found = finding.recv_timeout(BEFORE_FIRST_FRAME);
            found.ok()
        });
        self.finding = finding.filter(|_| found.is_none());
        let (stored, problem) = found.map_or_else(Default::default, split);
        let recorder = self.recorder.take();
        (
            recorder.map(|recorder| Memory { recorder, stored }),
            problem,
        )
    }

    /// Has what is known later shown as soon as it is, and tells what is to be said of it.
    pub fn restore_late(
        &mut self,
        poller: PollerHandle,
        tell: impl FnOnce(String) + Send + 'static,
    ) {
        let Some(finding) = self.finding.take() else {
            return;
        };
        let restore = move || {
            let Ok(found) = finding.recv() else { return };
            let (stored, problem) = split(found);
            poller.restore(stored);
            if let Some(problem) = problem {
                tell(problem);
            }
        };
        // Without a thread the board fills as the replies come.
        let _ = thread::Builder::new()
            .name(String::from("restore"))
            .spawn(restore);
    }

    /// Waits until all is stored; the poller has ended before.
    pub fn close(self) {
        self.thread.wait(AT_THE_END);
    }
}

/// The jobs that were stored, and what is wrong with the store.
fn split(found: Result<Found, OpenError>) -> (Vec<StoredJob>, Option<String>) {
    match found {
        Ok(Found { jobs, moved_to }) => {
            let moved = moved_to.map(|path| {
                let path = path.display();
                format!("the store could not be read: it is {path} now, and a new one begins")
            });
            (jobs, moved)
        }
        Err(error) => (Vec::new(), Some(error.to_string())),
    }
}

fn path(configured: Option<PathBuf>) -> Option<PathBuf> {
    let Some(path) = configured else {
        return store::default_path();
    };
    match path.strip_prefix("~") {
        Ok(rest) => Some(BaseDirs::new()?.home_dir().join(rest)),
        Err(_) => Some(path),
    }
}
