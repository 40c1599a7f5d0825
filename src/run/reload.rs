//! Keeps the dashboard in step with the config file: a change shows at once, and a broken file is
//! said while the last good one stays.
//!
//! It must not know how jobs are polled or drawn.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;

use super::errands::{Shared, locked};
use super::source::resolve_keys;
use crate::config::Config;
use crate::config::watch::{FileWatch, watch};
use crate::poll::PollerHandle;
use crate::poll::schedule::Start;
use crate::poll::{self, PollerConfig};
use crate::tui::Notice;
use crate::tui::preferences::Preferences;
use crate::view::plural;

/// An editor writes in steps: what comes within this time is one change.
const SETTLE: Duration = Duration::from_millis(100);

/// What keeps the dashboard in step with its config file.
pub(super) struct Reload {
    pub(super) path: PathBuf,
    pub(super) config: Shared,
    pub(super) handle: PollerHandle,
    pub(super) notices: mpsc::UnboundedSender<Notice>,
}

impl Reload {
    /// Starts on the current runtime; it ends when the dashboard no longer takes notices.
    pub(super) fn start(self) {
        let (told, changes) = mpsc::channel(1);
        let watch = watch(&self.path, move || {
            // A change that waits to be read covers this one too.
            let _ = told.try_send(());
        });
        match watch {
            Ok(watch) => drop(tokio::spawn(self.run(watch, changes))),
            Err(error) => {
                tracing::warn!(%error, "cannot watch the config");
                let text = "the config cannot be watched: start again after changing it";
                let _ = self.notices.send(Notice::bad(text));
            }
        }
    }

    async fn run(mut self, _watch: FileWatch, mut changes: mpsc::Receiver<()>) {
        let read = |path: &PathBuf| std::fs::read(path).ok();
        let mut before = read(&self.path);
        while changes.recv().await.is_some() && !self.notices.is_closed() {
            tokio::time::sleep(SETTLE).await;
            let _ = changes.try_recv();
            let text = read(&self.path);
            if text == before {
                // Touched, or its mode changed.
                continue;
            }
            before = text;
            match Config::load(&self.path) {
                Ok(config) => self.take(config).await,
                Err(error) => self.refuse(&error.to_string()),
            }
        }
    }

    async fn take(&mut self, mut config: Config) {
        let preferences = match Preferences::new(&config) {
            Ok(preferences) => Some(Box::new(preferences)),
            Err(error) => return self.refuse(&error.to_string()),
        };
        let watched = poll::into_watched_jobs(&mut config);
        let jobs = watched.len();
        if config == *locked(&self.config) {
            self.handle.watch(watched);
        } else {
            let keys = resolve_keys(&config).await;
            let setup = PollerConfig::new(&config, keys, Start::Spread);
            self.handle.restart(watched, setup);
            *locked(&self.config) = config;
        }
        let jobs_word = plural("job", jobs);
        let text = format!("the config has changed: {jobs} {jobs_word}");
        let _ = self.notices.send(Notice {
            preferences,
            ..Notice::good(text)
        });
    }

    fn refuse(&self, error: &str) {
        let first = error.lines().next().unwrap_or_default();
        let _ = self
            .notices
            .send(Notice::bad(format!("{first}; the last good config stays")));
    }
}
