//! What a run works with: its config, its keys and a poller, from a file or from the demo.
//!
//! The dashboard and the verbs share it. It must not know either of them.

pub mod memory;
pub mod reload;

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::Context;
use futures_util::future::join_all;

use self::memory::SessionMemory;
use crate::board::Watched;
use crate::config::watch::Identity;
use crate::config::{Config, ConfigError, KeySource};
use crate::demo::Demo;
use crate::environment::Environment;
use crate::job::{JobId, JobKey};
use crate::key;
use crate::poll::schedule::Start;
use crate::poll::{self, KeySlot, Memory, Poller, PollerConfig};

/// A config, before any key is looked for.
pub struct LoadedConfig {
    pub config: Config,
    pub path: PathBuf,
    /// The file that the config was read from.
    identity: Option<Identity>,
    /// The simulated API that the config names, served as long as this lives.
    demo: Option<Demo>,
}

impl LoadedConfig {
    pub fn load(path: PathBuf) -> Result<Self, ConfigError> {
        // Before it is read: a change that comes between is one to tell of.
        let identity = Identity::of(&path);
        Ok(Self {
            config: Config::load(&path)?,
            path,
            identity,
            demo: None,
        })
    }

    /// The demo's own config, with the demo server behind it.
    pub async fn load_demo() -> anyhow::Result<Self> {
        let demo = Demo::start().await?;
        let loaded = Self::load(demo.config_path().to_owned())?;
        Ok(Self {
            demo: Some(demo),
            ..loaded
        })
    }

    /// Resolves the keys; whether there are any is not judged here.
    pub async fn resolve_keys(mut self) -> Session {
        let watched = poll::into_watched_jobs(&mut self.config);
        let (keys, environment) = resolve_keys(&self.config).await;
        Session {
            keys,
            environment,
            watched,
            other_jobs: HashSet::new(),
            is_whole: true,
            config: self.config,
            path: self.path,
            identity: self.identity,
            demo: self.demo,
        }
    }

    /// Resolves the keys; it is an error if none of them can be had.
    pub async fn require_key(self) -> Result<Session, NoKeys> {
        let session = self.resolve_keys().await;
        let errors = session
            .keys
            .iter()
            .filter_map(|slot| slot.key.as_ref().err());
        let missing: Vec<String> = errors.map(ToString::to_string).collect();
        if missing.is_empty() || missing.len() < session.keys.len() {
            return Ok(session);
        }
        Err(NoKeys(missing.join("; ")))
    }
}

/// None of the keys that the config names can be had.
#[derive(Debug, thiserror::Error)]
#[error("no API key: {0}")]
pub struct NoKeys(String);

/// A config with its keys, ready to poll.
pub struct Session {
    /// The config; its jobs are in `watched`.
    pub config: Config,
    /// The jobs in the order of the config.
    pub watched: Vec<Watched>,
    /// The config's jobs where not all are watched in this run.
    other_jobs: HashSet<JobId>,
    /// Whether all of them are.
    pub is_whole: bool,
    pub keys: Vec<KeySlot>,
    /// What a program that we start may see: no key.
    pub environment: Environment,
    pub path: PathBuf,
    /// The file that the config was read from.
    pub identity: Option<Identity>,
    demo: Option<Demo>,
}

impl Session {
    pub fn is_demo(&self) -> bool {
        self.demo.is_some()
    }

    /// Watches only those of the jobs that `choose` returns.
    pub fn watch_only<E>(
        &mut self,
        choose: impl FnOnce(Vec<Watched>) -> Result<Vec<Watched>, E>,
    ) -> Result<(), E> {
        let all: HashSet<JobKey> = self.watched.iter().map(|job| job.key.clone()).collect();
        self.watched = choose(std::mem::take(&mut self.watched))?;
        let chosen: HashSet<&JobKey> = self.watched.iter().map(|job| &job.key).collect();
        self.is_whole = all.len() == chosen.len();
        self.other_jobs = all.into_iter().map(|key| key.id).collect();
        Ok(())
    }

    /// Starts to poll the watched jobs, and remembers what polls find with `memory`. It is an error if
    /// the system gives no thread for it.
    pub fn start(self, start: Start, memory: Option<Memory>) -> anyhow::Result<PollSession> {
        let environment = self.environment;
        let config = PollerConfig {
            other_jobs: self.other_jobs,
            memory,
            ..PollerConfig::new(&self.config, self.keys, environment.clone(), start)
        };
        let poller = Poller::start(self.watched, config).context("cannot start polling")?;
        Ok(PollSession {
            poller,
            environment,
            memory: None,
            _demo: self.demo,
        })
    }
}

/// Polls under way.
pub struct PollSession {
    pub poller: Poller,
    pub environment: Environment,
    /// After the poller, which stores in it to the end.
    pub memory: Option<SessionMemory>,
    /// Last, with the folder that the memory is in.
    _demo: Option<Demo>,
}

/// Resolves each distinct key once, and makes what a program that we start may see: no key. The commands
/// run last, all at the same time, so that they do not see what was read before.
pub async fn resolve_keys(config: &Config) -> (Vec<KeySlot>, Environment) {
    let sources = poll::key_sources(config).into_iter();
    let (commands, others): (Vec<_>, Vec<_>) = sources.partition(KeySource::is_command);
    let environment = Environment::from_process(&config.key_variables());
    let mut keys = resolve_all(others, &environment).await;
    let environment = without(environment, &keys);
    keys.extend(resolve_all(commands, &environment).await);
    let environment = without(environment, &keys);
    (keys, environment)
}

async fn resolve_all(sources: Vec<KeySource>, environment: &Environment) -> Vec<KeySlot> {
    let slots = sources.into_iter().map(|source| async {
        let key = key::resolve(&source, environment).await;
        KeySlot { source, key }
    });
    join_all(slots).await
}

fn without(environment: Environment, keys: &[KeySlot]) -> Environment {
    let known = keys.iter().filter_map(|slot| slot.key.as_ref().ok());
    known.fold(environment, |rest, key| rest.without(key.secret()))
}
