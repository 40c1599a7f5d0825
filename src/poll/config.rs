//! What the poller is started with, made from the config.
//!
//! This file must not know how polls are made.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::schedule::{KeyIndex, Limits, Start};
use crate::base_url::BaseUrl;
use crate::board::{Project, Restore, Watched};
use crate::config::{Config, JobConfig, KeySource, ProjectConfig};
use crate::environment::Environment;
use crate::job::{JobId, JobKey, ProjectId};
use crate::key::{ApiKey, KeyError};
use crate::store::{Found, StoreHandle};

/// One of the run's keys: where it comes from, and the key or why there is none.
#[derive(Clone, Debug)]
pub struct KeySlot {
    /// Where it comes from.
    pub source: KeySource,
    pub key: Result<ApiKey, KeyError>,
}

/// What to poll, and how.
#[derive(Debug)]
pub struct PollerConfig {
    /// Where the API is.
    pub base_url: BaseUrl,
    /// The longest that one poll may take.
    pub timeout: Duration,
    /// Intervals and concurrency.
    pub limits: Limits,
    /// How the first polls are started.
    pub start: Start,
    /// The distinct keys.
    pub keys: Vec<KeySlot>,
    /// Which key each project uses, by project id.
    pub key_of: HashMap<ProjectId, KeyIndex>,
    /// What a key command sees when a lost key is looked for.
    pub environment: Environment,
    /// The config's jobs where not all are polled: a reply must not be about another of them either.
    pub other_jobs: HashSet<JobId>,
    /// Whether [`Self::keys`] are those of before, so that the poller's own may be newer.
    pub keys_stay: bool,
    /// Who stores what polls find, and what earlier runs have stored.
    pub memory: Option<Memory>,
}

/// What the poller remembers with.
#[derive(Debug)]
pub struct Memory {
    pub store: StoreHandle,
    /// What earlier runs have left, as far as it is known.
    pub found: Found,
    /// What of that is taken.
    pub restore: Restore,
    /// Whether all jobs of the config are watched.
    pub is_whole: bool,
}

impl PollerConfig {
    /// How to poll the jobs of `config` with `keys`, which come from its [`key_sources`].
    pub fn new(
        config: &Config,
        keys: Vec<KeySlot>,
        environment: Environment,
        start: Start,
    ) -> Self {
        let key_of = config.projects.iter().filter_map(|project| {
            let source = key_source(config, project);
            let slot = keys.iter().position(|slot| &slot.source == source)?;
            Some((project.id.clone(), slot))
        });
        let poll = &config.poll;
        Self {
            key_of: key_of.collect(),
            base_url: config.base_url.clone(),
            timeout: poll.timeout,
            limits: Limits {
                active: poll.active,
                finished: poll.finished,
                concurrency: poll.concurrency,
            },
            start,
            keys,
            environment,
            other_jobs: HashSet::new(),
            keys_stay: false,
            memory: None,
        }
    }
}

/// The distinct places that the keys of `config` come from.
pub fn key_sources(config: &Config) -> Vec<KeySource> {
    let mut sources: Vec<KeySource> = Vec::new();
    for project in &config.projects {
        let source = key_source(config, project);
        if !sources.contains(source) {
            sources.push(source.clone());
        }
    }
    sources
}

/// The jobs of `config` in its order. They are taken out of it, since there may be thousands.
pub fn into_watched_jobs(config: &mut Config) -> Vec<Watched> {
    config.projects.iter_mut().flat_map(take_jobs).collect()
}

fn take_jobs(config: &mut ProjectConfig) -> impl Iterator<Item = Watched> {
    let project = Arc::new(Project::from(&*config));
    let watched = move |job: JobConfig| Watched {
        key: JobKey::new(project.id.clone(), job.id),
        project: Arc::clone(&project),
        label: job.label,
        tags: job.tags,
    };
    std::mem::take(&mut config.jobs).into_iter().map(watched)
}

/// Where the key of `project` comes from.
pub fn key_source<'a>(config: &'a Config, project: &'a ProjectConfig) -> &'a KeySource {
    project.key.as_ref().unwrap_or(&config.key)
}
