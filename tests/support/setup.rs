//! A poller for tests: from the text of a config to what it is started with.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use mintwatch::board::{Board, Project, Row, Watched};
use mintwatch::config::{Config, JobConfig, KeySource, ProjectConfig};
use mintwatch::job::JobKey;
use mintwatch::key::ApiKey;
use mintwatch::poll::schedule::{Limits, Start};
use mintwatch::poll::{KeySlot, Poller, Setup};

/// A poller of everything that `config` lists; each distinct key source has the key that `key`
/// gives for it.
pub fn setup(config: &str, key: impl Fn(&KeySource) -> Result<ApiKey, String>) -> Setup {
    let config = Config::parse(config, Path::new("config.toml")).unwrap();
    let mut keys: Vec<KeySlot> = Vec::new();
    let mut key_of = HashMap::new();
    for project in &config.projects {
        let source = project.key.as_ref().unwrap_or(&config.key);
        let known = keys.iter().position(|slot| &slot.source == source);
        let slot = known.unwrap_or_else(|| {
            let (source, key) = (source.clone(), key(source));
            keys.push(KeySlot { source, key });
            keys.len() - 1
        });
        key_of.insert(Arc::clone(&project.id), slot);
    }
    Setup {
        base_url: config.base_url.clone(),
        timeout: config.poll.timeout,
        limits: Limits {
            active: config.poll.active,
            finished: config.poll.finished,
            concurrency: config.poll.concurrency,
        },
        start: Start::AtOnce,
        watched: config.projects.iter().flat_map(watched).collect(),
        keys,
        key_of,
    }
}

/// A key that the fake server takes.
pub fn any_key() -> ApiKey {
    ApiKey::parse("mint_test_key").unwrap()
}

/// Starts a poller of `config` with a key for every project.
pub fn start(config: &str) -> Poller {
    Poller::start(setup(config, |_| Ok(any_key())))
}

/// The row of `project/job` as it stands.
pub fn row(board: &Board, project: &str, job: &str) -> Row {
    board.row(&JobKey::new(project, job)).unwrap().clone()
}

fn watched(config: &ProjectConfig) -> Vec<Watched> {
    let project = Arc::new(Project {
        id: Arc::clone(&config.id),
        name: config.name.clone(),
    });
    let watched = |job: &JobConfig| Watched {
        key: JobKey::new(Arc::clone(&config.id), Arc::clone(&job.id)),
        project: Arc::clone(&project),
        label: job.label.clone(),
        tags: job.tags.clone(),
    };
    config.jobs.iter().map(watched).collect()
}
