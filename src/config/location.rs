//! Where something stands in a config, and how that is shown: the line, with a caret under it.
//!
//! This file must not know which settings there are.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::error::{ConfigError, nearest, shown};
use super::excerpt::Excerpt;
use super::redact;

/// In cells.
const MAX_MESSAGE: usize = 400;

/// The text of a config, and the file that it is from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

/// Something wrong at some bytes of the text. The message is not cleaned yet.
pub(super) struct Diagnostic {
    pub(super) span: Range<usize>,
    pub(super) message: String,
}

impl Diagnostic {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
        }
    }

    pub(super) fn into_error(self, source: Source) -> ConfigError {
        SourceLocation::new(self.span, source).error(&self.message)
    }
}

/// Where in a config something stands, so that whoever knows what it means can say what is wrong
/// with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceLocation {
    /// While the text is parsed, only this is known.
    span: Range<usize>,
    path: PathBuf,
    /// From 1, as the column, which counts characters.
    line: usize,
    column: usize,
    pub(super) excerpt: Excerpt,
}

impl SourceLocation {
    pub(super) fn unresolved(span: Range<usize>) -> Self {
        Self {
            span,
            ..Self::default()
        }
    }

    pub(super) fn new(span: Range<usize>, Source { path, text }: Source) -> Self {
        // There is nothing after the last line break to show.
        let last = text.strip_suffix('\n').unwrap_or(text).len();
        let start = text.floor_char_boundary(span.start.min(last));
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = text.floor_char_boundary(span.end.clamp(start, line_end));
        let line = line_number(text, start);
        Self {
            span,
            path: path.to_owned(),
            line,
            column: text[line_start..start].chars().count() + 1,
            excerpt: Excerpt::new(
                line,
                &text[line_start..line_end],
                start - line_start..end - line_start,
            ),
        }
    }

    /// Finds the line and what is shown of it.
    pub(super) fn resolve(&mut self, source: Source) {
        *self = Self::new(self.span.clone(), source);
    }

    pub fn line(&self) -> usize {
        self.line
    }

    pub fn error(&self, message: &str) -> ConfigError {
        ConfigError::Invalid {
            location: Box::new(self.clone()),
            message: redact::excerpt(message, MAX_MESSAGE),
        }
    }
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", shown(&self.path), self.line, self.column)
    }
}

/// A value and where it is written. Two are equal that say the same, wherever they do.
#[derive(Clone, Debug, Default)]
pub struct Located<T> {
    pub value: T,
    pub location: SourceLocation,
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Located<T> {}

impl From<&str> for Located<String> {
    fn from(value: &str) -> Self {
        Spanned::new(0..0, value.to_owned()).into()
    }
}

impl<T> From<Spanned<T>> for Located<T> {
    fn from(spanned: Spanned<T>) -> Self {
        Self {
            location: SourceLocation::unresolved(spanned.span()),
            value: spanned.into_inner(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self::from)
    }
}

impl<T> Located<Vec<Located<T>>> {
    pub(super) fn locate_all(&mut self, source: Source) {
        self.location.resolve(source);
        for item in &mut self.value {
            item.location.resolve(source);
        }
    }
}

impl Located<String> {
    /// The error that `name`, which is written here, is the name of no `kind`.
    pub fn unknown(
        &self,
        kind: &str,
        name: &str,
        known: impl Iterator<Item = &'static str> + Clone,
    ) -> ConfigError {
        let suggestion = match nearest(name, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "expected one of `{}`",
                known.collect::<Vec<_>>().join("`, `")
            ),
        };
        self.location
            .error(&format!("unknown {kind} `{name}`: {suggestion}"))
    }
}

/// The line of the byte `at` of `text`, from 1.
pub(super) fn line_number(text: &str, at: usize) -> usize {
    let before = text.bytes().take(at);
    before.filter(|byte| *byte == b'\n').count() + 1
}
