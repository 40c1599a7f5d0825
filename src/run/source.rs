//! What is watched and with which keys, from the config file or from the demo.
//!
//! This file must not know the verbs or the screen.

use std::path::{Path, PathBuf};

use anyhow::Context;
use futures_util::future::join_all;

use crate::board::Watched;
use crate::cli::GlobalArgs;
use crate::config::{self, Config, KeySource};
use crate::demo::{self, DemoServer};
use crate::desktop::Environment;
use crate::key::{self, ApiKey, KeyError};
use crate::poll::schedule::Start;
use crate::poll::{self, KeySlot, PollerConfig};

/// How the demo's config says where its key comes from; the key itself is handed over directly.
const DEMO_KEY: &str = "env = \"MINTWATCH_DEMO_KEY\"";

/// There is no key, or it was refused; in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoKey(pub(super) String);

/// What the config says, before any key is looked for.
pub(super) struct Settings {
    pub(super) config: Config,
    /// Where the config is; the demo's is in no file.
    pub(super) path: Option<PathBuf>,
    /// The simulated API, served as long as this lives.
    demo: Option<DemoServer>,
}

impl Settings {
    pub(super) async fn of(global: &GlobalArgs) -> anyhow::Result<Self> {
        if global.demo {
            return Self::demo().await;
        }
        let path = config::path(global.config.as_deref())?;
        Ok(Self {
            config: Config::load(&path)?,
            path: Some(path),
            demo: None,
        })
    }

    async fn demo() -> anyhow::Result<Self> {
        let server = DemoServer::start(demo::Options::default())
            .await
            .context("cannot start the demo server")?;
        let config = Config::parse(
            &server.config_toml(DEMO_KEY),
            Path::new("the demo's config"),
        )?;
        Ok(Self {
            config,
            path: None,
            demo: Some(server),
        })
    }

    /// Looks for the keys; it is an error if none of them can be had.
    pub(super) async fn with_a_key(self) -> anyhow::Result<Source> {
        let source = self.with_keys().await;
        let missing: Vec<String> = source
            .keys
            .iter()
            .filter_map(|slot| slot.key.as_ref().err())
            .map(ToString::to_string)
            .collect();
        if !source.keys.is_empty() && missing.len() == source.keys.len() {
            return Err(NoKey(format!("no API key: {}", missing.join("; "))).into());
        }
        Ok(source)
    }

    /// Looks for the keys; whether there are any is not judged here.
    pub(super) async fn with_keys(self) -> Source {
        let keys = match &self.demo {
            Some(server) => vec![KeySlot {
                key: ApiKey::parse(server.key()).map_err(|problem| KeyError {
                    origin: self.config.key.clone(),
                    problem,
                }),
                source: self.config.key.clone(),
            }],
            None => resolve_keys(&self.config).await,
        };
        Source {
            config: self.config,
            keys,
            path: self.path,
            demo: self.demo,
        }
    }

    /// The jobs, in the order of the config; they are taken out of it, since there may be many.
    pub(super) fn into_watched_jobs(&mut self) -> Vec<Watched> {
        poll::into_watched_jobs(&mut self.config)
    }
}

/// What is watched and with which keys.
pub(super) struct Source {
    pub(super) config: Config,
    pub(super) keys: Vec<KeySlot>,
    pub(super) path: Option<PathBuf>,
    /// The simulated API, served as long as this lives.
    pub(super) demo: Option<DemoServer>,
}

impl Source {
    /// The source that the command line names; it is an error if none of its keys can be had.
    pub(super) async fn of(global: &GlobalArgs) -> anyhow::Result<Self> {
        Settings::of(global).await?.with_a_key().await
    }

    /// The jobs, in the order of the config; they are taken out of it, since there may be many.
    pub(super) fn into_watched_jobs(&mut self) -> Vec<Watched> {
        poll::into_watched_jobs(&mut self.config)
    }

    /// What a program that we start may see: no key.
    pub(super) fn environment(&self) -> Environment {
        Environment::from_process(&key_variables(&self.config))
    }

    /// How to poll.
    pub(super) fn setup(self, start: Start) -> PollerConfig {
        PollerConfig::new(&self.config, self.keys, start)
    }
}

/// Resolves each distinct key once, all at the same time.
pub(super) async fn resolve_keys(config: &Config) -> Vec<KeySlot> {
    let slots = poll::key_sources(config).into_iter().map(|source| async {
        let key = key::resolve(&source).await;
        KeySlot { source, key }
    });
    join_all(slots).await
}

/// The variables that hold keys: no child of ours may see them.
pub(super) fn key_variables(config: &Config) -> Vec<String> {
    let own = config
        .projects
        .iter()
        .filter_map(|project| project.key.as_ref());
    own.chain([&config.key])
        .filter_map(|source| match source {
            KeySource::Env(name) => Some(name.clone()),
            KeySource::File(_) | KeySource::Command(_) => None,
        })
        .collect()
}
