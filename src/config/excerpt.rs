//! The line of a config that an error is about: behind its number, with carets under what is wrong.
//!
//! A config may have been pasted from anywhere, so all that is shown of it is cleaned, cut to a
//! window, and without keys. This file must not know what is wrong.

use std::fmt;
use std::ops::Range;

use super::redact::redact_keys;
use crate::text;

/// The most characters of a line that are shown; a longer one is cut on both sides.
const WINDOW: usize = 100;
/// How many of them come before the caret.
const LEAD: usize = 40;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// Of the line, from 1.
    number: usize,
    code: String,
    /// The cells of `code` that have carets under them.
    marked: Range<usize>,
}

impl Excerpt {
    /// `line`, the bytes `marked` of which are wrong.
    pub(super) fn new(number: usize, line: &str, marked: Range<usize>) -> Self {
        let line = redact_keys(line);
        let window = window(&line, marked.start);
        let marked = marked.start..marked.end.clamp(marked.start, window.end);
        let before = piece(&line[window.start..marked.start]);
        let under = piece(&line[marked.clone()]);
        let after = piece(&line[marked.end..window.end]);
        let [cut_before, cut_after] =
            [window.start > 0, window.end < line.len()].map(|cut| if cut { "…" } else { "" });
        let start = text::width(cut_before) + text::width(&before);
        let code = format!("{cut_before}{before}{under}{after}{cut_after}");
        Self {
            number,
            code: code.trim_end().to_owned(),
            marked: start..start + text::width(&under).max(1),
        }
    }

    /// In lines of at most `width` cells: where the code is broken, so are the carets under it.
    pub(super) fn wrapped(&self, width: usize) -> Vec<String> {
        let mut number = self.number.to_string();
        let gutter = number.len();
        // A caret may stand behind the last character.
        let room = width.saturating_sub(gutter + " | ^".len());
        let mut lines = vec![format!("{:gutter$} |", "")];
        let pieces = text::chop(&self.code, room);
        let count = pieces.len();
        let mut start = 0;
        for (nth, piece) in pieces.into_iter().enumerate() {
            let end = if nth + 1 == count {
                usize::MAX
            } else {
                start + text::width(piece)
            };
            let code = format!("{number:gutter$} | {piece}");
            lines.push(code.trim_end().to_owned());
            let carets = carets(&self.marked, start..end);
            lines.extend(carets.map(|carets| format!("{:gutter$} | {carets}", "")));
            number.clear();
            start = end;
        }
        lines
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.wrapped(usize::MAX).join("\n"))
    }
}

/// The carets under those of the `marked` cells that are in `piece`, if any are.
fn carets(marked: &Range<usize>, piece: Range<usize>) -> Option<String> {
    let (start, end) = (marked.start.max(piece.start), marked.end.min(piece.end));
    let indent = start - piece.start;
    (start < end).then(|| " ".repeat(indent) + &"^".repeat(end - start))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_carets_stay_under_what_they_mark_where_the_line_is_broken() {
        let line = "jobs = [\"job_01\", nonsense, \"日本語\"]";
        let start = line.find("nonsense").unwrap();
        let excerpt = Excerpt::new(12, line, start..start + "nonsense".len());
        for (width, want) in [
            (
                usize::MAX,
                &[
                    "   |",
                    "12 | jobs = [\"job_01\", nonsense, \"日本語\"]",
                    "   |                   ^^^^^^^^",
                ][..],
            ),
            (
                29,
                &[
                    "   |",
                    "12 | jobs = [\"job_01\", nonse",
                    "   |                   ^^^^^",
                    "   | nse, \"日本語\"]",
                    "   | ^^^",
                ],
            ),
        ] {
            assert_eq!(excerpt.wrapped(width), want, "{width}");
            assert!(
                excerpt
                    .wrapped(width)
                    .iter()
                    .all(|line| text::width(line) <= width)
            );
        }
    }

    #[test]
    fn a_caret_stands_behind_a_line_that_ends_too_early() {
        let excerpt = Excerpt::new(1, "", 0..0);
        assert_eq!(excerpt.to_string(), "  |\n1 |\n  | ^");
        let excerpt = Excerpt::new(1, "jobs = [", 8..8);
        assert_eq!(
            excerpt.wrapped(13),
            ["  |", "1 | jobs = [", "  |         ^"]
        );
    }

    #[test]
    fn no_width_is_too_small() {
        let excerpt = Excerpt::new(7, "jobs = nonsense", 7..15);
        for width in 0..30 {
            assert!(!excerpt.wrapped(width).is_empty());
        }
    }
}
