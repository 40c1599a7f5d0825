//! The checked settings: plain data, with text already cleaned.
//!
//! This file must not know TOML or where the settings were written.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::error::Place;
use crate::base_url::BaseUrl;
use crate::text;

/// Everything that the config file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the API answers.
    pub base_url: BaseUrl,
    /// Where the API key comes from, for projects that name no source of their own.
    pub key: KeySource,
    /// How often to poll.
    pub poll: PollSettings,
    /// How the dashboard looks.
    pub ui: UiSettings,
    /// The actions that have other keys than by default, in the order of the file.
    pub keys: Vec<KeySetting>,
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

/// How the dashboard looks. What the columns and the views are called, only the dashboard knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UiSettings {
    /// The columns from left to right; `None` for all, in the order that the dashboard has them.
    pub columns: Option<LocatedList>,
    /// The column to sort by at first; after a minus the order is turned round.
    pub sort: Written,
    /// The view at first.
    pub view: Written,
    /// The colours.
    pub theme: Palette,
    /// Whether only ASCII is drawn.
    pub ascii: Ascii,
    /// Whether the mouse is used.
    pub mouse: bool,
    /// Whether the terminal's title tells the counts.
    pub title: bool,
}

impl Default for UiSettings {
    fn default() -> Self {
        Self {
            columns: None,
            sort: "status".into(),
            view: "all".into(),
            theme: Palette::Terminal,
            ascii: Ascii::Auto,
            mouse: false,
            title: true,
        }
    }
}

/// Which colours the dashboard uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    /// The terminal's own.
    Terminal,
    /// None.
    Plain,
}

/// Whether only ASCII is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ascii {
    /// Where the locale is not UTF-8.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// An action and the keys that it has in place of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetting {
    /// The name of the action.
    pub action: Written,
    /// Its keys; none takes them away.
    pub keys: LocatedList,
}

/// Names, and where their list stands. Two are equal that say the same, wherever they do.
#[derive(Clone, Debug, Default)]
pub struct LocatedList {
    /// What is written.
    pub names: Vec<Written>,
    /// Where.
    pub place: Place,
}

impl PartialEq for LocatedList {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names
    }
}

impl Eq for LocatedList {}

/// A name that the config does not know the meaning of, and where it stands. Two are equal that
/// say the same, wherever they do.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// What is written.
    pub text: String,
    /// Where.
    pub place: Place,
}

impl From<&str> for Written {
    fn from(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            place: Place::default(),
        }
    }
}

impl PartialEq for Written {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Written {}

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

impl KeySource {
    /// The environment variable that holds the key, where one does.
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Env(name) => Some(name),
            Self::File(_) | Self::Command(_) => None,
        }
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
