//! What every verb is given: the global flags, and what follows from them.

use std::path::PathBuf;

use super::error::CommandError;
use super::select::SelectError;
use super::{GlobalArgs, output};
use crate::actions::{Actions, WriteLog};
use crate::board::Watched;
use crate::config::{self, ConfigError};
use crate::poll::into_watched_jobs;
use crate::poll::schedule::Start;
use crate::session::{LoadedConfig, PollSession};
use crate::view::theme::Theme;

/// The global flags.
#[derive(Debug)]
pub struct Context {
    pub global: GlobalArgs,
}

impl Context {
    /// Where the config is, whether or not it exists.
    pub fn config_path(&self) -> Result<PathBuf, ConfigError> {
        config::path(self.global.config.as_deref())
    }

    /// The config that the command line names, or the demo's.
    pub async fn load(&self) -> Result<LoadedConfig, CommandError> {
        if self.global.demo {
            return Ok(LoadedConfig::load_demo().await?);
        }
        Ok(LoadedConfig::load(self.config_path()?)?)
    }

    /// Starts to poll what `choose` takes of the watched jobs.
    pub async fn poll(
        &self,
        start: Start,
        choose: impl FnOnce(Vec<Watched>) -> Result<Vec<Watched>, SelectError>,
    ) -> Result<PollSession, CommandError> {
        let mut session = self.load().await?.require_key().await?;
        session.watched = choose(session.watched)?;
        Ok(session.start(start)?)
    }

    /// Acts on the config file, and the jobs that it lists; `in_demo` says why the demo has no use
    /// for this verb.
    pub fn actions(&self, in_demo: &str) -> Result<(Actions, Vec<Watched>), CommandError> {
        if self.global.demo {
            return Err(CommandError::usage(in_demo));
        }
        let LoadedConfig {
            mut config, path, ..
        } = LoadedConfig::load(self.config_path()?)?;
        let watched = into_watched_jobs(&mut config);
        Ok((
            Actions::new(config, path, WriteLog::open_default()),
            watched,
        ))
    }

    /// Colours and glyphs for an output that is a terminal or not.
    pub fn theme(&self, is_terminal: bool) -> Theme {
        output::theme(self.global.color, is_terminal)
    }
}
