//! Follows the config file: a change is applied at once, and a broken file is reported while the
//! last good one stays.
//!
//! It must not know how jobs are polled, or who is told.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::resolve_keys;
use crate::actions::Actions;
use crate::config::watch::{FileWatch, watch};
use crate::config::{Config, ConfigError};
use crate::poll::schedule::Start;
use crate::poll::{self, PollerConfig, PollerHandle};

/// An editor writes in steps: what comes within this time is one change.
const SETTLE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub enum Reloaded {
    /// It is in force, with so many jobs; they are no longer in `config`.
    Applied {
        jobs: usize,
        config: Box<Config>,
        /// Whether it was changed by an action of this program, which tells of it by itself.
        is_own: bool,
    },
    /// It cannot be read, or says what it may not; the last good one stays.
    Refused(ConfigError),
    /// Changes cannot be noticed.
    NotWatched,
}

/// Follows the config that `actions` act on.
pub struct Reload {
    pub actions: Actions,
    pub poller: PollerHandle,
    /// Checks what only the face knows the meaning of, before anything is applied.
    pub check: fn(&Config) -> Result<(), ConfigError>,
    /// Takes what became of each change; returns whether anybody is left to tell.
    pub notify: Box<dyn Fn(Reloaded) -> bool + Send + Sync>,
}

impl Reload {
    /// Starts on the current runtime, once the caller's own task waits, as after its first frame; it
    /// ends when nobody is left to tell.
    pub fn start(self) {
        tokio::spawn(async move {
            let (notify, changes) = mpsc::channel(1);
            let watch = watch(self.actions.path(), move || {
                // A change that waits to be read covers this one too.
                let _ = notify.try_send(());
            });
            match watch {
                Ok(watch) => self.run(watch, changes).await,
                Err(error) => {
                    tracing::warn!(%error, "cannot watch the config");
                    (self.notify)(Reloaded::NotWatched);
                }
            }
        });
    }

    async fn run(self, _watch: FileWatch, mut changes: mpsc::Receiver<()>) {
        let mut before = self.read().await;
        while changes.recv().await.is_some() {
            tokio::time::sleep(SETTLE).await;
            let _ = changes.try_recv();
            let text = self.read().await;
            if text == before {
                // Touched, or its mode changed.
                continue;
            }
            before = text;
            let is_own = before
                .as_ref()
                .is_some_and(|text| self.actions.has_written(text));
            let reloaded = match self.load().await {
                Ok(config) => self.apply(config, is_own).await,
                Err(error) => Reloaded::Refused(error),
            };
            if !(self.notify)(reloaded) {
                return;
            }
        }
    }

    /// The bytes of the config; `None` while it cannot be read.
    async fn read(&self) -> Option<Vec<u8>> {
        let path = self.actions.path().to_owned();
        let read = spawn_blocking(move || std::fs::read(path).ok());
        read.await.ok().flatten()
    }

    async fn load(&self) -> Result<Config, ConfigError> {
        let path = self.actions.path().to_owned();
        let load = spawn_blocking(move || Config::load(&path)).await;
        load.unwrap_or_else(|error| {
            Err(ConfigError::Unreadable {
                path: self.actions.path().to_owned(),
                reason: error.to_string(),
            })
        })
    }

    async fn apply(&self, mut config: Config, is_own: bool) -> Reloaded {
        if let Err(error) = (self.check)(&config) {
            return Reloaded::Refused(error);
        }
        let watched = poll::into_watched_jobs(&mut config);
        let jobs = watched.len();
        if config == *self.actions.config() {
            self.poller.watch(watched);
        } else {
            let (keys, environment) = resolve_keys(&config).await;
            let poller_config = PollerConfig::new(&config, keys, environment, Start::Spread);
            self.poller.restart(watched, poller_config);
            *self.actions.config() = config.clone();
        }
        Reloaded::Applied {
            jobs,
            config: Box::new(config),
            is_own,
        }
    }
}
