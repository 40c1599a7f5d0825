//! A poller for tests: from the text of a config to what it is started with.

use std::path::Path;

use mintwatch::board::{Board, Row, Watched};
use mintwatch::config::{Config, KeySource};
use mintwatch::environment::Environment;
use mintwatch::job::JobKey;
use mintwatch::key::{ApiKey, KeyError};
use mintwatch::poll::Poller;
use mintwatch::poll::schedule::Start;
use mintwatch::poll::{self, KeySlot, PollerConfig};

/// Everything that `config` lists; each distinct key source has the key that `key` gives for it.
pub fn setup(
    config: &str,
    key: impl Fn(&KeySource) -> Result<ApiKey, KeyError>,
) -> (Vec<Watched>, PollerConfig) {
    let mut config = Config::parse(config, Path::new("config.toml")).unwrap();
    let slot = |source| KeySlot {
        key: key(&source),
        source,
    };
    let keys = poll::key_sources(&config).into_iter().map(slot).collect();
    let watched = poll::into_watched_jobs(&mut config);
    (
        watched,
        PollerConfig::new(&config, keys, Environment::default(), Start::AtOnce),
    )
}

/// A key that the fake server takes.
pub fn any_key() -> ApiKey {
    ApiKey::parse("mint_test_key").unwrap()
}

/// Starts a poller of `config` with a key for every project.
pub fn start(config: &str) -> Poller {
    start_with(config, |_| Ok(any_key()))
}

/// Starts a poller of `config` with the keys that `key` gives.
pub fn start_with(config: &str, key: impl Fn(&KeySource) -> Result<ApiKey, KeyError>) -> Poller {
    let (watched, setup) = setup(config, key);
    Poller::start(watched, setup).unwrap()
}

/// The row of `project/job` as it stands.
pub fn row(board: &Board, project: &str, job: &str) -> Row {
    board.row(&JobKey::new(project, job)).unwrap().clone()
}
