//! The checked settings: plain data, with text already cleaned.
//!
//! This file must not know where the settings were written.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use jiff::fmt::friendly::SpanParser;
use serde::{Deserialize, Deserializer};

use super::github::GithubConfig;
use super::raw::parsed;
use super::ui::{KeySetting, UiConfig};
use crate::base_url::BaseUrl;
use crate::job::{JobId, ProjectId};
use crate::{text, time};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub base_url: BaseUrl,
    /// Where the API key comes from, for projects that name no source of their own.
    pub key: KeySource,
    pub poll: PollConfig,
    pub github: GithubConfig,
    pub store: StoreConfig,
    pub ui: UiConfig,
    /// The actions that have other keys than by default, in the order of the file.
    pub keys: Vec<KeySetting>,
    /// The projects in the order of the file, each id once.
    pub projects: Vec<ProjectConfig>,
}

impl Config {
    /// The environment variables that hold keys or tokens: no child of ours may see them.
    pub fn key_variables(&self) -> Vec<&str> {
        let own = self
            .projects
            .iter()
            .filter_map(|project| project.key.as_ref());
        let keys = own.chain([&self.key]).filter_map(KeySource::variable);
        keys.chain(self.github.token_variables()).collect()
    }
}

/// How often to poll, and how much at once.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct PollConfig {
    #[serde(deserialize_with = "duration")]
    pub active: Duration,
    /// The interval of a job that completed or failed.
    #[serde(deserialize_with = "duration")]
    pub finished: Duration,
    /// How long to wait for a reply.
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    /// The most polls in flight.
    #[serde(deserialize_with = "concurrency")]
    pub concurrency: usize,
}

impl Default for PollConfig {
    fn default() -> Self {
        Self {
            active: Duration::from_secs(10),
            finished: Duration::from_mins(5),
            timeout: Duration::from_secs(20),
            concurrency: 32,
        }
    }
}

/// The intervals and the timeout that make sense: neither a busy loop nor longer than a day.
const DURATIONS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);
const CONCURRENCY: RangeInclusive<usize> = 1..=256;

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parsed(deserializer, |text: String| {
        let duration = SpanParser::new()
            .parse_unsigned_duration(&text)
            .map_err(|_| "not a duration such as `10s` or `1m 30s`")?;
        let in_range = Some(duration).filter(|duration| DURATIONS.contains(duration));
        in_range.ok_or("expected a duration from `100ms` to `24h`")
    })
}

fn concurrency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    parsed(deserializer, |number: i64| {
        let number = usize::try_from(number).ok();
        let in_range = number.filter(|number| CONCURRENCY.contains(number));
        in_range.ok_or("expected a number from 1 to 256")
    })
}

/// What is remembered between runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct StoreConfig {
    pub enabled: bool,
    /// The file; `None` is the one in the state folder. It may begin with `~`.
    #[serde(deserialize_with = "store_path")]
    pub path: Option<PathBuf>,
    /// How long events are kept.
    #[serde(deserialize_with = "long_duration")]
    pub keep: Duration,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            path: None,
            keep: Duration::from_hours(90 * 24),
        }
    }
}

fn store_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    parsed(deserializer, |path: String| match path.as_str() {
        "" => Err("the path of the store is empty"),
        path => Ok(Some(PathBuf::from(path))),
    })
}

/// How long something can be kept.
const KEPT: RangeInclusive<Duration> = Duration::from_hours(1)..=Duration::from_hours(24 * 3_660);

fn long_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parsed(deserializer, |text: String| {
        let duration = time::parse_long_duration(&text);
        let duration = duration.ok_or("not a duration such as `90d` or `12h`")?;
        let in_range = Some(duration).filter(|duration| KEPT.contains(duration));
        in_range.ok_or("expected a duration from `1h` to `3660d`")
    })
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectConfig {
    pub id: ProjectId,
    pub name: Option<String>,
    /// Where its key comes from, if not from [`Config::key`].
    pub key: Option<KeySource>,
    /// Its jobs in the order of the file, each id once.
    pub jobs: Vec<JobConfig>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobConfig {
    pub id: JobId,
    pub label: Option<String>,
    pub tags: Vec<String>,
}

/// Where an API key comes from. Its `Display` is how the screen names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeySource {
    /// The name of an environment variable.
    Env(String),
    /// A leading `~/` is the home folder.
    File(PathBuf),
    /// What this program prints: its name and its arguments, at least the name.
    Command(Vec<String>),
}

impl Default for KeySource {
    fn default() -> Self {
        Self::Env("MINTLIFY_API_KEY".to_owned())
    }
}

impl KeySource {
    /// The environment variable that holds the key, where one does.
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Env(name) => Some(name),
            Self::File(_) | Self::Command(_) => None,
        }
    }

    pub fn is_command(&self) -> bool {
        matches!(self, Self::Command(_))
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "${name}"),
            Self::File(path) => f.write_str(&text::clean(&path.to_string_lossy())),
            Self::Command(argv) => {
                let program = argv.first().map(String::as_str).unwrap_or_default();
                write!(f, "command {}", text::clean(program))
            }
        }
    }
}
