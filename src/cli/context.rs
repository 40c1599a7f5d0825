//! The global flags, and what they lead to: the config, its jobs, colours.

use std::io::{self, Write};
use std::path::PathBuf;

use super::error::CommandError;
use super::select::SelectError;
use super::{GlobalArgs, output};
use crate::actions::Actions;
use crate::board::Watched;
use crate::config::{self, Config, ConfigError};
use crate::poll::into_watched_jobs;
use crate::poll::schedule::Start;
use crate::session::memory::SessionMemory;
use crate::session::{LoadedConfig, PollSession};
use crate::store::{self, Teller};
use crate::view::theme::Theme;

/// The argument of every verb.
#[derive(Debug)]
pub struct Context {
    pub global: GlobalArgs,
}

impl Context {
    /// Where the config is, whether or not it exists.
    pub fn config_path(&self) -> Result<PathBuf, ConfigError> {
        config::path(self.global.config.as_deref())
    }

    pub async fn load(&self) -> Result<LoadedConfig, CommandError> {
        if self.global.demo {
            return Ok(LoadedConfig::load_demo().await?);
        }
        Ok(LoadedConfig::load(self.config_path()?)?)
    }

    /// Starts to poll the watched jobs that `choose` returns.
    pub async fn poll(
        &self,
        start: Start,
        choose: impl FnOnce(Vec<Watched>) -> Result<Vec<Watched>, SelectError>,
    ) -> Result<PollSession, CommandError> {
        let loaded = self.load().await?;
        let tell = |problem: Option<String>| {
            let Some(problem) = problem else { return };
            // If stderr is closed, what polls find is printed all the same.
            let _ = writeln!(io::stderr(), "mintwatch: {problem}");
        };
        let mut memory = self.remember(&loaded, Box::new(tell));
        let mut session = loaded.require_key().await?;
        session.watch_only(choose)?;
        let is_whole = session.is_whole;
        let of_poller = memory.as_mut().and_then(|memory| memory.for_verb(is_whole));
        let mut polls = session.start(start, of_poller)?;
        polls.memory = memory;
        Ok(polls)
    }

    /// Opens the store; `None` where there is to be none.
    pub fn remember(&self, loaded: &LoadedConfig, teller: Teller) -> Option<SessionMemory> {
        (!self.global.no_store)
            .then(|| SessionMemory::open(&loaded.config, &loaded.path, teller))
            .flatten()
    }

    /// The file of the store; `None` where there is to be none.
    pub fn store_path(&self, config: &Config) -> Option<PathBuf> {
        (!self.global.no_store)
            .then(|| store::path(config))
            .flatten()
    }

    /// Polls each of the jobs that `choose` returns once.
    pub async fn poll_once(
        &self,
        choose: impl FnOnce(Vec<Watched>) -> Result<Vec<Watched>, SelectError>,
    ) -> Result<PollSession, CommandError> {
        let mut session = self.poll(Start::Once, choose).await?;
        session.poller.first_round().await;
        Ok(session)
    }

    /// The actions on the config file, and its jobs; `in_demo` is the error with `--demo`.
    pub fn actions(&self, in_demo: &str) -> Result<(Actions, Vec<Watched>), CommandError> {
        if self.global.demo {
            return Err(CommandError::usage(in_demo));
        }
        let LoadedConfig {
            mut config, path, ..
        } = LoadedConfig::load(self.config_path()?)?;
        let watched = into_watched_jobs(&mut config);
        let store = self.store_path(&config);
        Ok((Actions::new(config, path, store), watched))
    }

    pub fn theme(&self, is_terminal: bool) -> Theme {
        output::theme(self.global.color, is_terminal)
    }
}
