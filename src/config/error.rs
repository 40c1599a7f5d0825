//! What can be wrong with a config, in words.
//!
//! This file must not know which settings there are.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::location::SourceLocation;
use crate::text;

/// Why there is no config. Its `Display` is meant for people; its first line says it all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("no home folder is known: name the config file with `--config FILE`")]
    NoHome,
    #[error(
        "no config at {}: `mintwatch init` writes one to start from, `mintwatch --demo` shows the \
         dashboard without one",
        shown(.path)
    )]
    Missing { path: PathBuf },
    #[error("cannot read the config {}: {reason}", shown(.path))]
    Unreadable { path: PathBuf, reason: String },
    /// `line` is the first that is not text.
    #[error("cannot read the config {}: line {line} is not UTF-8 text", shown(.path))]
    NotUtf8 { path: PathBuf, line: usize },
    /// The text does not say what a config may say.
    #[error("{location}: {message}\n{}", .location.excerpt)]
    Invalid {
        location: Box<SourceLocation>,
        message: String,
    },
    /// A starter config was asked for where a file is already.
    #[error("{} already exists: nothing was written", shown(.path))]
    Exists { path: PathBuf },
    #[error("cannot write {}: {reason}", shown(.path))]
    Unwritable { path: PathBuf, reason: String },
}

impl ConfigError {
    /// As it is printed, in lines of at most `width` cells.
    pub fn wrapped(&self, width: usize) -> Vec<String> {
        let whole = self.to_string();
        let message = whole.lines().next().unwrap_or_default();
        let mut lines: Vec<String> = text::wrap(message, width)
            .into_iter()
            .map(str::to_owned)
            .collect();
        if let Self::Invalid { location, .. } = self {
            lines.extend(location.excerpt.wrapped(width));
        }
        lines
    }

    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            ErrorKind::NotFound => Self::Missing { path },
            _ => Self::Unreadable {
                path,
                reason: error.to_string(),
            },
        }
    }

    pub(super) fn unwritable(path: &Path, reason: impl Into<String>) -> Self {
        Self::Unwritable {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}

/// `path` as it is safe to show.
pub(super) fn shown(path: &Path) -> String {
    text::clean(&path.to_string_lossy())
}

/// So many letters are enough of a beginning to guess the rest from.
const MIN_BEGINNING: usize = 3;

/// The one of `known` that `name` may be a slip of: in a few letters, in their case, or by having
/// typed its beginning only.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let near_enough = (wanted.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|known| {
            let own = known.to_lowercase();
            let begins = wanted.chars().count() >= MIN_BEGINNING && own.starts_with(&wanted);
            let distance = strsim::osa_distance(&wanted, &own);
            (if begins { distance.min(1) } else { distance }, known)
        })
        .filter(|(distance, _)| *distance <= near_enough)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
