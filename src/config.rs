//! The config file: where it is, what it may say, and what is wrong with it.
//!
//! The text becomes private raw types (`raw`, by way of `fast` where it has the common form), which
//! become checked settings (`check`), so that nothing behind this module sees an invalid id or an
//! interval of zero. Every error in the text is shown in one format, with its line and a caret
//! (`location`, `excerpt`). This module must not know the network, the screen, or how a key is read from its
//! source.

use std::path::Path;

use location::Source;

mod check;
pub mod edit;
mod error;
mod excerpt;
mod fast;
mod file;
mod github;
mod head;
pub mod ids;
mod location;
mod raw;
mod redact;
mod settings;
mod ui;
pub mod watch;
mod write;

pub use error::ConfigError;
pub(crate) use error::nearest;
pub use file::{EXAMPLE, init, path, read};
pub use github::{GithubConfig, GithubHost, TOKEN_VARIABLES};
pub use location::{Located, SourceLocation};
pub(crate) use redact::redact_keys;
pub use settings::{Config, JobConfig, KeySource, PollConfig, ProjectConfig};
pub use ui::{Ascii, KeySetting, Palette, UiConfig};
pub use write::edit_file;

impl Config {
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&read(path)?, path)
    }

    /// The settings in the file at `path`, without its projects: these can be thousands, and are neither
    /// read nor checked where they have the common form.
    pub fn load_settings(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&head::without_projects(&read(path)?), path)
    }

    /// The settings in `text`, the contents of the file at `path`: errors name it, and a key file
    /// with a relative path is looked for beside it. An empty text means every default.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let source = Source { path, text };
        raw::parse(text)
            .and_then(|raw| check::config(raw, source))
            .map_err(|diagnostic| diagnostic.into_error(source))
    }
}

#[cfg(test)]
mod tests;
