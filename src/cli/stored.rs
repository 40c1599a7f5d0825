//! What earlier runs have left, for the verbs that ask nobody: no network, and no key.
//!
//! This file must not know what is shown of it.

use super::context::Context;
use super::error::CommandError;
use crate::board::{Board, Watched};
use crate::config::Config;
use crate::poll::into_watched_jobs;
use crate::session::LoadedConfig;
use crate::session::memory;
use crate::store::{Database, OpenError, PATIENCE, StoreOptions};

/// An open store, and the config that names it.
#[derive(Debug)]
pub struct Stored {
    /// To be read only.
    pub database: Database,
    pub options: StoreOptions,
    /// The config; its jobs are in `watched`.
    pub config: Config,
    /// The jobs in the order of the config.
    pub watched: Vec<Watched>,
}

impl Stored {
    pub fn open(context: &Context) -> Result<Self, CommandError> {
        refuse_demo(context)?;
        refuse(
            context.global.no_store,
            "with --no-store there is nothing to read: leave it out",
        )?;
        let LoadedConfig {
            mut config, path, ..
        } = LoadedConfig::load(context.config_path()?)?;
        let options = memory::options(&config, &path).ok_or_else(|| no_store(&config))?;
        let database = Database::open_read_only(&options.path, &options.base_url, PATIENCE)?;
        Ok(Self {
            database: database.of_config(&options.config),
            options,
            watched: into_watched_jobs(&mut config),
            config,
        })
    }

    /// What is known of `watched`.
    pub fn board(&self, watched: Vec<Watched>) -> Result<Board, CommandError> {
        let jobs = self.check(self.database.jobs())?;
        let errors = self.check(self.database.errors())?;
        let seen_at = self.check(self.database.seen_at())?;
        Ok(Board::offline(watched, jobs, errors, seen_at))
    }

    /// What was read of the store, or in words why it could not be.
    pub fn check<T>(&self, read: rusqlite::Result<T>) -> Result<T, CommandError> {
        let unusable = |error| OpenError::from_sqlite(&self.options.path, &error);
        Ok(read.map_err(unusable)?)
    }
}

/// The error where the jobs are those of the demo.
pub fn refuse_demo(context: &Context) -> Result<(), CommandError> {
    let message = "the demo keeps what it stores for itself: leave --demo out to read your own";
    refuse(context.global.demo, message)
}

fn refuse(is_given: bool, message: &str) -> Result<(), CommandError> {
    if is_given {
        return Err(CommandError::usage(message));
    }
    Ok(())
}

fn no_store(config: &Config) -> CommandError {
    CommandError::failed(if config.store.enabled {
        "nothing is stored: there is no home folder for it"
    } else {
        "nothing is stored: [store] of the config has `enabled = false`"
    })
}
