//! The config file: where it is, what it may say, and what is wrong with it.
//!
//! The text becomes private raw types (`raw`, by way of `fast` where it has the common form), which
//! become checked settings (`check`), so that nothing behind this module sees an odd id or an
//! interval of zero. Every fault in the text is shown in one format, with its line and a caret
//! (`error`). This module must not know the network, the screen, or how a key is read from its
//! source.

use std::path::Path;

mod check;
pub mod edit;
mod error;
mod fast;
mod file;
pub mod ids;
mod raw;
mod redact;
mod settings;
mod ui;
pub mod watch;
mod write;

pub use error::{ConfigError, Place};
pub use file::{EXAMPLE, init, path};
pub(crate) use raw::nearest;
pub(crate) use redact::redact_keys;
pub use settings::{
    Ascii, Config, JobConfig, KeySetting, KeySource, LocatedList, Palette, PollSettings,
    ProjectConfig, UiSettings, Written,
};
pub use write::edit_file;

impl Config {
    /// The settings in the file at `path`.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&file::read(path)?, path)
    }

    /// The settings in `text`, the contents of the file at `path`: errors name it, and a key file
    /// with a relative path is looked for beside it. An empty text means every default.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        raw::parse(text)
            .and_then(|raw| check::config(raw, text, path))
            .map_err(|fault| ConfigError::invalid(path, text, &fault))
    }
}

#[cfg(test)]
mod tests;
