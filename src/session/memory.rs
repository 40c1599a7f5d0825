//! What a run remembers, and what it knows from earlier ones.
//!
//! This file must not know what is shown of it.

use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::board::Restore;
use crate::config::Config;
use crate::poll::{Memory, PollerHandle};
use crate::store::{self, Finding, StoreHandle, StoreOptions, StoreThread, Teller};

/// How long the first frame waits for what earlier runs have stored.
const BEFORE_FIRST_FRAME: Duration = Duration::from_millis(2);
/// How long polls wait for it that are about to be printed.
const BEFORE_POLLS: Duration = Duration::from_secs(2);
/// How long the end waits for what is to be stored.
const AT_THE_END: Duration = Duration::from_millis(1_500);

/// An open store, or one that is being opened. Dropped, it waits until all is stored: whatever stores
/// in it has to be dropped before.
pub struct SessionMemory {
    thread: StoreThread,
    store: Option<StoreHandle>,
    finding: Option<Finding>,
}

impl SessionMemory {
    /// Opens the store that `config` names, which was read from `path`; `None` where it has none.
    /// What is wrong with it is told to `teller`.
    pub fn open(config: &Config, path: &Path, teller: Teller) -> Option<Self> {
        // Without a thread there is no store; nothing needs one.
        let (thread, store, finding) = StoreThread::start(options(config, path)?, teller).ok()?;
        Some(Self {
            thread,
            store: Some(store),
            finding: Some(finding),
        })
    }

    /// What the dashboard remembers with, with what is known by the first frame.
    pub fn for_dashboard(&mut self) -> Option<Memory> {
        let memory = self.memory(BEFORE_FIRST_FRAME, Restore::Values)?;
        Some(Memory {
            is_whole: true,
            ..memory
        })
    }

    /// What a verb remembers with; `is_whole` where it watches all jobs of the config.
    pub fn for_verb(&mut self, is_whole: bool) -> Option<Memory> {
        let memory = self.memory(BEFORE_POLLS, Restore::Facts)?;
        Some(Memory { is_whole, ..memory })
    }

    fn memory(&mut self, wait: Duration, restore: Restore) -> Option<Memory> {
        let finding = self.finding.take();
        let found = finding
            .as_ref()
            .and_then(|finding| finding.recv_timeout(wait).ok());
        self.finding = finding.filter(|_| found.is_none());
        Some(Memory {
            store: self.store.take()?,
            found: found.unwrap_or_default(),
            restore,
            is_whole: false,
        })
    }

    /// Has what is known later shown as soon as it is.
    pub fn restore_late(&mut self, poller: PollerHandle) {
        let Some(finding) = self.finding.take() else {
            return;
        };
        let restore = move || {
            if let Ok(found) = finding.recv() {
                poller.restore(found);
            }
        };
        // Without a thread the board fills as the replies come.
        let _ = thread::Builder::new()
            .name(String::from("restore"))
            .spawn(restore);
    }
}

impl Drop for SessionMemory {
    fn drop(&mut self) {
        self.store = None;
        self.thread.wait(AT_THE_END);
    }
}

/// Which store `config` names, which was read from `path`; `None` where it has none.
pub fn options(config: &Config, path: &Path) -> Option<StoreOptions> {
    Some(StoreOptions {
        path: store::path(config)?,
        base_url: config.base_url.to_string(),
        config: store::config_name(path),
        keep: config.store.keep,
    })
}
