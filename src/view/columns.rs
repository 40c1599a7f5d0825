//! The table of columns: title, width, text, order and look of each, in one entry a column.
//!
//! The dashboard's header, widths, cells and sort, and the table that `list` prints, all read
//! [`COLUMNS`], so that they cannot disagree. This file must not know where a column is drawn.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;

use crate::board::{Freshness, Row};
use crate::failure::ErrorKind;
use crate::job::Status;
use crate::time::{age, until};
use crate::view::theme::{Glyphs, Role};

/// What the text of a cell depends on, beside its row.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The present.
    pub now: Timestamp,
    /// The marks in use.
    pub glyphs: &'static Glyphs,
}

/// One column.
#[derive(Debug)]
pub struct Column {
    /// What the config calls it.
    pub name: &'static str,
    /// Its header.
    pub title: &'static str,
    /// The least cells that it is worth showing in.
    pub min: u16,
    /// The most cells that it makes use of.
    pub max: u16,
    /// When it leaves as the pane narrows: lower goes first; `None` stays to the end.
    pub leaves: Option<u8>,
    /// What a cell says.
    pub text: for<'a> fn(&'a Row, &Context) -> Cow<'a, str>,
    /// How rows sort by it.
    pub compare: fn(&Row, &Row) -> Ordering,
    /// How a cell looks while its row is fresh.
    pub role: fn(&Row) -> Role,
    /// Whether it tells why a row is not fresh, and so keeps its look then.
    pub tells_why: bool,
}

/// Where the status stands in [`COLUMNS`].
pub const STATUS: usize = 0;
/// Where the job's name stands in [`COLUMNS`]; no table is without it.
pub const JOB: usize = 1;
/// Where the pull request stands in [`COLUMNS`].
pub const PULL_REQUEST: usize = 4;

/// All columns, from left to right where the config does not say otherwise.
pub const COLUMNS: [Column; 8] = [
    Column {
        name: "status",
        title: "STATUS",
        min: 11,
        max: 12,
        leaves: None,
        text: |row, context| Cow::Owned(status_text(row, context.glyphs)),
        compare: |a, b| attention(a).cmp(&attention(b)),
        role: |row| status_role(row.status()),
        tells_why: false,
    },
    Column {
        name: "job",
        title: "JOB",
        min: 16,
        max: 44,
        leaves: None,
        text: |row, _| Cow::Borrowed(row.watched.title()),
        compare: |a, b| by_name(a.watched.title(), b.watched.title()),
        role: |_| Role::Plain,
        tells_why: false,
    },
    Column {
        name: "project",
        title: "PROJECT",
        min: 8,
        max: 14,
        leaves: Some(3),
        text: |row, _| Cow::Borrowed(row.watched.project.title()),
        compare: |a, b| by_name(a.watched.project.title(), b.watched.project.title()),
        role: |_| Role::Plain,
        tells_why: false,
    },
    Column {
        name: "branch",
        title: "BRANCH",
        min: 14,
        max: 40,
        leaves: Some(4),
        text: |row, context| or_none(branch(row), context),
        compare: |a, b| present_first(branch(a), branch(b), by_name),
        role: |_| Role::Plain,
        tells_why: false,
    },
    Column {
        name: "pr",
        title: "PR",
        min: 5,
        max: 8,
        leaves: None,
        text: |row, context| match row.pull_request() {
            Some(pull_request) => Cow::Owned(pull_request.short()),
            None => Cow::Borrowed(context.glyphs.none),
        },
        compare: |a, b| {
            let number = |row: &Row| row.pull_request().map(|link| link.number().unwrap_or(0));
            present_first(number(a), number(b), |a, b| a.cmp(&b))
        },
        role: |row| {
            if row.pull_request().is_some() {
                Role::Strong
            } else {
                Role::Muted
            }
        },
        tells_why: false,
    },
    Column {
        name: "model",
        title: "MODEL",
        min: 7,
        max: 16,
        leaves: Some(1),
        text: |row, context| or_none(model(row), context),
        compare: |a, b| present_first(model(a), model(b), by_name),
        role: |_| Role::Plain,
        tells_why: false,
    },
    Column {
        name: "age",
        title: "AGE",
        min: 4,
        max: 4,
        leaves: Some(2),
        text: |row, context| match created_at(row) {
            Some(created_at) => Cow::Owned(age(created_at, context.now)),
            None => Cow::Borrowed(context.glyphs.none),
        },
        // Youngest first.
        compare: |a, b| present_first(created_at(a), created_at(b), |a, b| b.cmp(&a)),
        role: |_| Role::Plain,
        tells_why: false,
    },
    Column {
        name: "seen",
        title: "SEEN",
        min: 17,
        max: 34,
        leaves: Some(5),
        text: |row, context| Cow::Owned(seen_text(row, context)),
        // Longest unseen first.
        compare: |a, b| a.fetched_at.cmp(&b.fetched_at),
        role: |row| {
            if row.error.is_some() {
                Role::Bad
            } else {
                Role::Muted
            }
        },
        tells_why: true,
    },
];

/// The mark of a status.
pub fn status_glyph(status: Option<&Status>, glyphs: &Glyphs) -> &'static str {
    match status {
        Some(Status::Active) => glyphs.active,
        Some(Status::Completed) => glyphs.completed,
        Some(Status::Failed) => glyphs.failed,
        Some(Status::Archived) => glyphs.archived,
        Some(Status::Other(_)) | None => glyphs.other,
    }
}

/// The look of a status.
pub fn status_role(status: Option<&Status>) -> Role {
    match status {
        Some(Status::Active) => Role::Active,
        Some(Status::Completed) => Role::Good,
        Some(Status::Failed) => Role::Bad,
        Some(Status::Archived) | None => Role::Muted,
        Some(Status::Other(_)) => Role::Plain,
    }
}

/// A fault in the fewest words.
pub fn reason(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Auth => "no valid key",
        ErrorKind::Forbidden => "not allowed",
        ErrorKind::NotFound => "not found",
        ErrorKind::RateLimited => "rate limited",
        ErrorKind::Server => "server error",
        ErrorKind::Network => "no connection",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Protocol => "odd reply",
    }
}

fn status_text(row: &Row, glyphs: &Glyphs) -> String {
    let word = match (row.status(), &row.job) {
        (Some(status), _) => status.as_str(),
        (None, Some(_)) => "unknown",
        (None, None) => "not seen",
    };
    format!("{} {word}", status_glyph(row.status(), glyphs))
}

/// Empty while the row is fresh; else since when it was not seen, and why.
fn seen_text(row: &Row, context: &Context) -> String {
    let seen = row.fetched_at.map(|at| age(at, context.now));
    match (row.freshness(context.now), &row.error) {
        (Freshness::Fresh, _) | (Freshness::NeverSeen, None) => String::new(),
        (_, None) => seen.unwrap_or_default(),
        (_, Some(error)) => {
            let seen = seen.unwrap_or_else(|| context.glyphs.none.to_owned());
            let why = reason(error.kind);
            match error.retry_at.filter(|at| *at > context.now) {
                Some(at) => format!("{seen:<4}{why}, again in {}", until(at, context.now)),
                None => format!("{seen:<4}{why}"),
            }
        }
    }
}

/// What needs the user first comes first; within that, what is still at work.
fn attention(row: &Row) -> u8 {
    match row.status() {
        Some(Status::Failed) => 0,
        _ if row.needs_you() => 1,
        Some(Status::Active) => 2,
        Some(Status::Other(_)) => 3,
        None => 4,
        Some(Status::Completed) => 5,
        Some(Status::Archived) => 6,
    }
}

fn branch(row: &Row) -> Option<&str> {
    row.job.as_ref()?.branch.as_deref()
}

fn model(row: &Row) -> Option<&str> {
    row.job.as_ref()?.model.as_deref()
}

fn created_at(row: &Row) -> Option<Timestamp> {
    row.job.as_ref()?.created_at
}

fn or_none<'a>(text: Option<&'a str>, context: &Context) -> Cow<'a, str> {
    Cow::Borrowed(text.unwrap_or(context.glyphs.none))
}

/// Alphabetical, upper and lower case alike, without allocating.
fn by_name(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        let (a, b) = (a.bytes(), b.bytes());
        return a
            .map(|c| c.to_ascii_lowercase())
            .cmp(b.map(|c| c.to_ascii_lowercase()));
    }
    let a = a.chars().flat_map(char::to_lowercase);
    a.cmp(b.chars().flat_map(char::to_lowercase))
}

/// Rows that have the value before those that do not.
fn present_first<T>(
    a: Option<T>,
    b: Option<T>,
    compare: impl FnOnce(T, T) -> Ordering,
) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare(a, b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

/// The columns of a table `width` cells wide and how wide each is, with `gap` cells between two;
/// `chosen` are those that it is to have, by their places in [`COLUMNS`].
///
/// Columns leave by their priority until what remains fits its least widths; the status is then cut
/// to its mark. What is left over widens the columns up to their most, all alike.
pub fn fit(chosen: &[usize], width: u16, gap: u16) -> Vec<(usize, u16)> {
    let mut shown: Vec<(usize, u16)> = chosen
        .iter()
        .filter_map(|at| Some((*at, COLUMNS.get(*at)?.min)))
        .collect();
    while needed(&shown, gap) > width {
        let first_to_leave = shown
            .iter()
            .enumerate()
            .filter_map(|(place, (at, _))| Some((COLUMNS[*at].leaves?, place)))
            .min();
        match first_to_leave {
            Some((_, place)) => drop(shown.remove(place)),
            None => break,
        }
    }
    let all_stay = shown.iter().all(|(at, _)| COLUMNS[*at].leaves.is_none());
    if all_stay && width < NARROW {
        squeeze(&mut shown, width, gap);
        return shown;
    }
    widen(&mut shown, width, gap);
    shown
}

/// Below this, the job's title needs the cells of the status word.
const NARROW: u16 = 46;
/// Below this, the job's title needs the cells of the pull request.
const LEAST_TITLE: u16 = 6;

/// What remains in the narrowest panes: the status mark, the pull request, and the rest for the job.
fn squeeze(shown: &mut Vec<(usize, u16)>, width: u16, gap: u16) {
    for (at, cells) in shown.iter_mut() {
        *cells = match *at {
            JOB => 0,
            STATUS => width.min(1),
            at => COLUMNS[at].min,
        };
    }
    if width.saturating_sub(needed(shown, gap)) < LEAST_TITLE {
        shown.retain(|(at, _)| *at != PULL_REQUEST);
    }
    let rest = width.saturating_sub(needed(shown, gap));
    for (_, cells) in shown.iter_mut().filter(|(at, _)| *at == JOB) {
        *cells = rest;
    }
}

fn needed(shown: &[(usize, u16)], gap: u16) -> u16 {
    let gaps = gap * u16::try_from(shown.len().saturating_sub(1)).unwrap_or(0);
    shown.iter().map(|(_, width)| width).sum::<u16>() + gaps
}

/// Hands out the cells that are left, one each in turn; the last column, which is mostly empty,
/// gets what the others have no use for.
fn widen(shown: &mut [(usize, u16)], width: u16, gap: u16) {
    let mut spare = width.saturating_sub(needed(shown, gap));
    let last = COLUMNS.len() - 1;
    for turn in [|at, last| at != last, |at, last| at == last] {
        while spare > 0 {
            let before = spare;
            for (_, width) in shown
                .iter_mut()
                .filter(|(at, width)| turn(*at, last) && *width < COLUMNS[*at].max)
            {
                *width += u16::from(spare > 0);
                spare = spare.saturating_sub(1);
            }
            if spare == before {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

    fn titles(width: u16) -> Vec<&'static str> {
        fit(&ALL, width, 1)
            .iter()
            .map(|(at, _)| COLUMNS[*at].title)
            .collect()
    }

    #[test]
    fn the_named_columns_are_where_they_are_said_to_be() {
        assert_eq!(COLUMNS[STATUS].title, "STATUS");
        assert_eq!(COLUMNS[JOB].title, "JOB");
        assert_eq!(COLUMNS[PULL_REQUEST].title, "PR");
    }

    #[test]
    fn columns_leave_by_priority() {
        for (width, gone) in [
            (200, vec![]),
            (85, vec!["MODEL"]),
            (77, vec!["MODEL", "AGE"]),
            (70, vec!["MODEL", "AGE", "PROJECT"]),
            (60, vec!["MODEL", "AGE", "PROJECT", "BRANCH"]),
            (40, vec!["MODEL", "AGE", "PROJECT", "BRANCH", "SEEN"]),
        ] {
            let want: Vec<_> = COLUMNS
                .iter()
                .map(|c| c.title)
                .filter(|title| !gone.contains(title))
                .collect();
            assert_eq!(titles(width), want, "{width}");
        }
    }

    #[test]
    fn at_any_width_what_is_shown_fits() {
        for width in 0..400 {
            let shown = fit(&ALL, width, 1);
            assert!(needed(&shown, 1) <= width.max(2), "{width}: {shown:?}");
        }
        assert_eq!(titles(30), ["STATUS", "JOB", "PR"]);
    }

    #[test]
    fn chosen_columns_keep_their_order_and_fit_too() {
        for (chosen, width, want) in [
            (&[JOB][..], 200, &[(JOB, 44)][..]),
            (&[JOB], 10, &[(JOB, 10)]),
            (&[JOB], 0, &[(JOB, 0)]),
            (&[PULL_REQUEST, JOB], 20, &[(PULL_REQUEST, 5), (JOB, 14)]),
            (&[PULL_REQUEST, JOB, STATUS], 9, &[(JOB, 7), (STATUS, 1)]),
            (&[6, JOB, STATUS], 33, &[(6, 4), (JOB, 16), (STATUS, 11)]),
            (&[6, JOB, STATUS], 32, &[(JOB, 30), (STATUS, 1)]),
        ] {
            assert_eq!(fit(chosen, width, 1), want, "{chosen:?} in {width}");
        }
        let turned: Vec<usize> = ALL.into_iter().rev().collect();
        for width in 2..400 {
            let shown = fit(&turned, width, 1);
            assert!(needed(&shown, 1) <= width, "{width}: {shown:?}");
            assert!(shown.is_sorted_by(|a, b| a.0 > b.0), "{shown:?}");
        }
    }
}
