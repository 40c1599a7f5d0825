//! What can be wrong with a config, in words, with the line and a caret under the place.
//!
//! A config may have been pasted from anywhere, so all that is shown of it is cleaned, cut to a
//! window, and without keys. This file must not know which settings there are.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::redact::redact_keys;
use crate::text;

/// The most characters of a line that are shown; a longer one becomes a window around the place.
const WINDOW: usize = 100;
/// The characters of such a window that come before the place.
const LEAD: usize = 40;
/// The most cells of a message.
const MAX_MESSAGE: usize = 400;

/// Why there is no config. Its `Display` is meant for people; its first line says it all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no home folder to look in.
    #[error("no home folder is known: name the config file with `--config FILE`")]
    NoHome,
    /// There is no such file.
    #[error(
        "no config at {}: `mintwatch init` writes one to start from, `mintwatch --demo` shows the \
         dashboard without one",
        shown(.path)
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read the config {}: {reason}", shown(.path))]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What stands in the way.
        reason: String,
    },
    /// The file is not text.
    #[error("cannot read the config {}: line {line} is not UTF-8 text", shown(.path))]
    NotUtf8 {
        /// Which file.
        path: PathBuf,
        /// The first line that is not text.
        line: usize,
    },
    /// The text does not say what a config may say.
    #[error("{}:{line}:{column}: {message}\n{excerpt}", shown(.path))]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The character in that line, from 1.
        column: usize,
        /// What is wrong.
        message: String,
        /// The line and the caret, as they are printed.
        excerpt: String,
    },
    /// A starter config was asked for where a file is already.
    #[error("{} is there already: nothing was written", shown(.path))]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// The starter config cannot be written.
    #[error("cannot write {}: {reason}", shown(.path))]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// What stands in the way.
        reason: String,
    },
}

/// Something wrong at a place in the text.
pub(super) struct Fault {
    /// The place, in bytes.
    pub(super) span: Range<usize>,
    /// What is wrong there; not yet cleaned.
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
        }
    }
}

/// Where in a config something stands, so that whoever knows what it means can say what is wrong
/// with it.
#[derive(Clone, Debug, Default)]
pub struct Place {
    path: PathBuf,
    line: usize,
    column: usize,
    excerpt: String,
}

impl Place {
    /// The bytes `span` of `text`, the contents of the file at `path`.
    pub(super) fn new(path: &Path, text: &str, span: &Range<usize>) -> Self {
        let start = on_a_line(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = boundary(text, span.end.clamp(start, line_end));
        let line = line_number(text, start);
        Self {
            path: path.to_owned(),
            line,
            column: text[line_start..start].chars().count() + 1,
            excerpt: excerpt(
                line,
                &text[line_start..line_end],
                start - line_start..end - line_start,
            ),
        }
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// What is wrong with what stands here.
    pub fn fault(&self, message: &str) -> ConfigError {
        ConfigError::Invalid {
            path: self.path.clone(),
            line: self.line,
            column: self.column,
            message: one_line(message),
            excerpt: self.excerpt.clone(),
        }
    }
}

impl ConfigError {
    /// `fault` in `text`, the contents of the file at `path`.
    pub(super) fn invalid(path: &Path, text: &str, fault: &Fault) -> Self {
        Place::new(path, text, &fault.span).fault(&fault.message)
    }
}

/// The line of the byte `at` of `text`, from 1.
pub(super) fn line_number(text: &str, at: usize) -> usize {
    let before = text.bytes().take(at);
    before.filter(|byte| *byte == b'\n').count() + 1
}

/// `path` as it is safe to show.
pub(super) fn shown(path: &Path) -> String {
    text::clean(&path.to_string_lossy())
}

/// The byte `at`, moved back from the nothing after the last line.
fn on_a_line(text: &str, at: usize) -> usize {
    let last = text.strip_suffix('\n').unwrap_or(text);
    boundary(text, at.min(last.len()))
}

/// The byte `at`, moved to where its character starts.
fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn one_line(message: &str) -> String {
    text::truncate(&text::clean(&redact_keys(message)), MAX_MESSAGE, "…").into_owned()
}

/// `line` behind its number, and carets under the bytes `marked` of it.
fn excerpt(number: usize, line: &str, marked: Range<usize>) -> String {
    let line = redact_keys(line);
    let window = window(&line, marked.start);
    let marked = marked.start..marked.end.clamp(marked.start, window.end);
    let before = piece(&line[window.start..marked.start]);
    let under = piece(&line[marked.clone()]);
    let after = piece(&line[marked.end..window.end]);
    let [cut_before, cut_after] =
        [window.start > 0, window.end < line.len()].map(|cut| if cut { "…" } else { "" });

    let indent = text::width(cut_before) + text::width(&before);
    let carets = "^".repeat(text::width(&under).max(1));
    let gutter = number.to_string().len();
    let mut shown = format!("{:gutter$} |\n", "");
    let code = format!("{number} | {cut_before}{before}{under}{after}{cut_after}");
    let _ = writeln!(shown, "{}", code.trim_end());
    let _ = write!(shown, "{:gutter$} | {:indent$}{carets}", "", "");
    shown
}

/// The bytes of `line` to show so that the byte `at` is among them.
fn window(line: &str, at: usize) -> Range<usize> {
    let offset = |nth: usize| {
        line.char_indices()
            .nth(nth)
            .map_or(line.len(), |(at, _)| at)
    };
    if offset(WINDOW) == line.len() {
        return 0..line.len();
    }
    let first = line[..at].chars().count().saturating_sub(LEAD);
    offset(first)..offset(first + WINDOW)
}

/// `raw` cleaned, but with a space where white space stood at its ends: pieces are put together.
fn piece(raw: &str) -> String {
    let mut piece = text::clean(raw);
    if raw.ends_with(char::is_whitespace) {
        piece.push(' ');
    }
    if raw.starts_with(char::is_whitespace) && piece != " " {
        piece.insert(0, ' ');
    }
    piece
}
