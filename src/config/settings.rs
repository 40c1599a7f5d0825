//! The checked settings: plain data, with text already cleaned.
//!
//! This file must not know TOML or where the settings were written.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::text;

/// Everything that the config file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the API answers: https, or plain http to this machine; no user, query or fragment.
    pub base_url: Url,
    /// Where the API key comes from, for projects that name no source of their own.
    pub key: KeySource,
    /// How often to poll.
    pub poll: PollSettings,
    /// The projects in the order of the file, each id once.
    pub projects: Vec<ProjectConfig>,
}

/// How often to poll, and how much at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollSettings {
    /// The interval of a job that is active.
    pub active: Duration,
    /// The interval of a job that completed or failed.
    pub finished: Duration,
    /// How long to wait for a reply.
    pub timeout: Duration,
    /// The most polls in flight.
    pub concurrency: usize,
}

impl Default for PollSettings {
    fn default() -> Self {
        Self {
            active: Duration::from_secs(10),
            finished: Duration::from_mins(5),
            timeout: Duration::from_secs(20),
            concurrency: 32,
        }
    }
}

/// A project and the jobs to watch in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectConfig {
    /// Its id, as the API wants it.
    pub id: Arc<str>,
    /// What a person calls it.
    pub name: Option<String>,
    /// Where its key comes from, if not from [`Config::key`].
    pub key: Option<KeySource>,
    /// Its jobs in the order of the file, each id once.
    pub jobs: Vec<JobConfig>,
}

/// A job to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobConfig {
    /// Its id, as the API wants it.
    pub id: Arc<str>,
    /// What a person calls it.
    pub label: Option<String>,
    /// Words to filter by.
    pub tags: Vec<String>,
}

/// Where an API key comes from. Its `Display` is how the screen names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeySource {
    /// The environment variable of this name.
    Env(String),
    /// The file at this path; a leading `~/` is the home folder.
    File(PathBuf),
    /// What this program prints: its name and its arguments, at least the name.
    Command(Vec<String>),
}

impl Default for KeySource {
    fn default() -> Self {
        Self::Env("MINTLIFY_API_KEY".to_owned())
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
