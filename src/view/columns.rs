//! The table of columns: one entry holds all that there is to know of a column.
//!
//! The dashboard's header, widths, cells, sort and clicks, the table that `list` prints and the
//! names that the config may use are all read from it, so that they cannot disagree. This file must
//! not know where a column is drawn.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;

use crate::board::{Freshness, Row};
use crate::job::Status;
use crate::text::{self, Cut};
use crate::time::{age, next_change, next_countdown, until};
use crate::view::theme::{Glyphs, Role};

/// What the text of a cell depends on besides its row.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub now: Timestamp,
    pub glyphs: &'static Glyphs,
    /// What all branches begin with, and so tells none from another.
    pub branch_prefix: &'a str,
}

#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// What the config calls it.
    pub name: &'static str,
    pub title: &'static str,
    /// The letter of its title that chooses it to sort by.
    pub letter: char,
    /// In cells, as every width: with fewer it is not worth showing.
    pub min_width: u16,
    /// It has no use for more.
    pub max_width: u16,
    pub narrow: Narrow,
    /// Whether it gets what the others leave.
    pub elastic: bool,
    /// When it takes no cell at all.
    pub absent: Absent,
    /// Where a text is cut that is too wide.
    pub cut: Cut,
    pub text: for<'a> fn(&'a Row, &Context) -> Cow<'a, str>,
    /// What of its text has the colour of its role.
    pub colored: Colored,
    /// When the text of a row that does not change will next read differently, such as an age.
    pub next_change: fn(&Row, Timestamp) -> Option<Timestamp>,
    pub compare: fn(&Row, &Row) -> Ordering,
    /// The role of a cell while its row is fresh; see [`Column::cell_role`].
    pub role: fn(&Row) -> Role,
    /// Whether it says why a row is not fresh, and so keeps its role then.
    pub explains_staleness: bool,
    /// Whether a click on a cell opens the pull request.
    pub opens_pull_request: bool,
}

/// What becomes of a column when there is no room for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Narrow {
    /// It leaves; of several, the one with the lowest number first.
    Leaves(u8),
    /// It leaves after all of those, once the filling column has no room for a title.
    LeavesLast,
    /// It shrinks to its first character, which has to say enough.
    Shrinks,
    /// It fills what the others leave of the narrowest panes. No table is without this column.
    Fills,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    Never,
    WhileEmpty,
    /// All rows would say the same.
    InOneProject,
    UntilAChangeWasSeen,
    /// Where the column of this name is there, which tells more.
    Beside(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colored {
    Nothing,
    /// The first character, which is a mark.
    Mark,
}

impl Column {
    /// The role of a cell: values that are not fresh lose theirs, except for those that say why.
    pub fn cell_role(&self, row: &Row, now: Timestamp) -> Role {
        if self.explains_staleness || row.freshness(now) == Freshness::Fresh {
            (self.role)(row)
        } else {
            Role::Muted
        }
    }

    pub fn is_required(&self) -> bool {
        self.narrow == Narrow::Fills
    }
}

/// A column, by its place in the table of columns. The default is the leftmost one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColumnId(usize);

impl ColumnId {
    /// All columns, from left to right where the config does not say otherwise.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + Clone {
        (0..COLUMNS.len()).map(Self)
    }

    /// The column that the config calls `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|id| id.column().name == name)
    }

    pub fn column(self) -> &'static Column {
        &COLUMNS[self.0]
    }

    /// How many there are.
    pub(super) const COUNT: usize = COLUMNS.len();

    /// Its place among [`Self::all`].
    pub(super) fn index(self) -> usize {
        self.0
    }
}

/// What most columns are like: never changing by themselves, in plain text, and nothing to click on.
const PLAIN: Column = Column {
    name: "",
    title: "",
    letter: ' ',
    min_width: 0,
    max_width: 0,
    narrow: Narrow::LeavesLast,
    elastic: false,
    absent: Absent::Never,
    cut: Cut::End,
    text: |_, _| Cow::Borrowed(""),
    colored: Colored::Nothing,
    next_change: |_, _| None,
    compare: |_, _| Ordering::Equal,
    role: |_| Role::Plain,
    explains_staleness: false,
    opens_pull_request: false,
};

const COLUMNS: &[Column] = &[
    Column {
        name: "status",
        title: "STATUS",
        letter: 's',
        min_width: 11,
        max_width: 12,
        narrow: Narrow::Shrinks,
        text: |row, context| Cow::Owned(status_text(row, context.glyphs)),
        colored: Colored::Mark,
        compare: |a, b| attention(a).cmp(&attention(b)),
        role: |row| status_role(row.status()),
        ..PLAIN
    },
    Column {
        name: "job",
        title: "JOB",
        letter: 'j',
        min_width: 16,
        max_width: 60,
        narrow: Narrow::Fills,
        elastic: true,
        text: |row, _| Cow::Borrowed(row.title()),
        compare: |a, b| by_name(a.title(), b.title()),
        ..PLAIN
    },
    Column {
        name: "project",
        title: "PROJECT",
        letter: 'p',
        min_width: 8,
        max_width: 20,
        narrow: Narrow::Leaves(1),
        absent: Absent::InOneProject,
        cut: Cut::Middle,
        text: |row, _| Cow::Borrowed(row.watched.project.title()),
        compare: |a, b| by_name(a.watched.project.title(), b.watched.project.title()),
        ..PLAIN
    },
    Column {
        name: "branch",
        title: "BRANCH",
        letter: 'b',
        min_width: 12,
        max_width: 60,
        narrow: Narrow::Leaves(4),
        elastic: true,
        // Its end tells branches apart.
        cut: Cut::Start,
        text: |row, context| or_none(own_branch(row, context), context),
        compare: |a, b| present_first(branch(a), branch(b), by_name),
        ..PLAIN
    },
    Column {
        name: "pr",
        title: "PR",
        letter: 'r',
        min_width: 5,
        max_width: 8,
        narrow: Narrow::LeavesLast,
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
        opens_pull_request: true,
        ..PLAIN
    },
    Column {
        name: "model",
        title: "MODEL",
        letter: 'm',
        min_width: 6,
        max_width: 20,
        narrow: Narrow::Leaves(2),
        elastic: true,
        text: |row, context| or_none(model(row), context),
        compare: |a, b| present_first(model(a), model(b), by_name),
        ..PLAIN
    },
    Column {
        name: "age",
        title: "AGE",
        letter: 'a',
        min_width: 4,
        max_width: 4,
        narrow: Narrow::Leaves(3),
        absent: Absent::Beside("since"),
        text: |row, context| match created_at(row) {
            Some(created_at) => Cow::Owned(age(created_at, context.now)),
            None => Cow::Borrowed(context.glyphs.none),
        },
        next_change: |row, now| Some(next_change(created_at(row)?, now)),
        // Youngest first.
        compare: |a, b| present_first(created_at(a), created_at(b), |a, b| b.cmp(&a)),
        ..PLAIN
    },
    Column {
        name: "since",
        title: "SINCE",
        letter: 'i',
        min_width: 5,
        max_width: 6,
        narrow: Narrow::Leaves(3),
        absent: Absent::UntilAChangeWasSeen,
        text: |row, context| since_text(row, context),
        next_change: |row, now| Some(next_change(since_at_most(row)?, now)),
        // Latest change first.
        compare: |a, b| present_first(since_at_most(a), since_at_most(b), |a, b| b.cmp(&a)),
        ..PLAIN
    },
    Column {
        name: "seen",
        title: "SEEN",
        letter: 'e',
        min_width: 12,
        max_width: 37,
        narrow: Narrow::Leaves(5),
        absent: Absent::WhileEmpty,
        text: |row, context| Cow::Owned(seen_text(row, context)),
        next_change: seen_next_change,
        // Longest unseen first.
        compare: |a, b| a.fetched_at.cmp(&b.fetched_at),
        role: |row| {
            if row.error.is_some() {
                Role::Bad
            } else {
                Role::Muted
            }
        },
        explains_staleness: true,
        ..PLAIN
    },
];

/// How long the row has been as it is; of a job that was so when first seen, no more than its age is
/// known.
fn since_text<'a>(row: &Row, context: &Context) -> Cow<'a, str> {
    let Some(at) = since_at_most(row) else {
        return Cow::Borrowed(context.glyphs.none);
    };
    let age = age(at, context.now);
    Cow::Owned(match row.since() {
        None if !age.starts_with('<') => format!("{}{age}", context.glyphs.at_most),
        _ => age,
    })
}

/// Since when the row has been as it is, at the earliest.
fn since_at_most(row: &Row) -> Option<Timestamp> {
    row.since().or_else(|| created_at(row))
}

pub fn status_glyph(status: Option<&Status>, glyphs: &Glyphs) -> &'static str {
    match status {
        Some(Status::Active) => glyphs.active,
        Some(Status::Completed) => glyphs.completed,
        Some(Status::Failed) => glyphs.failed,
        Some(Status::Archived) => glyphs.archived,
        Some(Status::Other(_)) | None => glyphs.other,
    }
}

pub fn status_role(status: Option<&Status>) -> Role {
    match status {
        Some(Status::Active) => Role::Active,
        Some(Status::Completed) => Role::Good,
        Some(Status::Failed) => Role::Bad,
        Some(Status::Archived) | None => Role::Muted,
        Some(Status::Other(_)) => Role::Plain,
    }
}

fn status_text(row: &Row, glyphs: &Glyphs) -> String {
    let glyph = status_glyph(row.status(), glyphs);
    format!("{glyph} {}", row.status_word())
}

/// Empty while the row is fresh; else since when it was not seen, and why.
fn seen_text(row: &Row, context: &Context) -> String {
    let seen = row.fetched_at.map(|at| age(at, context.now));
    match (row.freshness(context.now), &row.error) {
        (Freshness::Fresh, _) | (Freshness::NeverSeen, None) => String::new(),
        (_, None) => seen.unwrap_or_default(),
        (_, Some(error)) => {
            let seen = seen.unwrap_or_else(|| context.glyphs.none.to_owned());
            let why = error.kind.reason();
            match error.retry_at.filter(|at| *at > context.now) {
                Some(at) => format!("{seen:<4}{why}, again in {}", until(at, context.now)),
                None => format!("{seen:<4}{why}"),
            }
        }
    }
}

fn seen_next_change(row: &Row, now: Timestamp) -> Option<Timestamp> {
    let seen = row.fetched_at.map(|at| next_change(at, now));
    let retry_at = row.error.as_ref().and_then(|error| error.retry_at);
    let retry = retry_at
        .filter(|at| *at > now)
        .map(|at| next_countdown(at, now));
    match row.freshness(now) {
        Freshness::Fresh => None,
        Freshness::Stale | Freshness::Restored | Freshness::NeverSeen => {
            seen.into_iter().chain(retry).min()
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

pub(super) fn branch(row: &Row) -> Option<&str> {
    row.job.as_ref()?.branch.as_deref()
}

/// The branch without what all branches begin with.
fn own_branch<'a>(row: &'a Row, context: &Context) -> Option<&'a str> {
    Some(text::without_prefix(branch(row)?, context.branch_prefix))
}

pub(super) fn model(row: &Row) -> Option<&str> {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::board::{Board, Project, Update, Watched};
    use crate::job::{Job, JobKey};
    use crate::view::measure::Measure;
    use crate::view::theme::Theme;

    #[test]
    fn every_column_has_a_name_a_title_and_room_of_its_own() {
        for (at, column) in COLUMNS.iter().enumerate() {
            assert_eq!(ColumnId::named(column.name), Some(ColumnId(at)));
            let title = u16::try_from(column.title.len()).unwrap();
            assert!(title > 0 && title <= column.max_width, "{column:?}");
            assert!(column.min_width <= column.max_width, "{column:?}");
            assert!(
                column.title.to_lowercase().contains(column.letter),
                "{column:?}"
            );
            let others = COLUMNS.iter().filter(|other| other.letter == column.letter);
            assert_eq!(others.count(), 1, "{column:?}");
        }
        assert_eq!(ColumnId::named("money"), None);
    }

    #[test]
    fn since_text_table() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let theme = Theme::new(false, false);
        let measure = Measure::default();
        let context = measure.context(at(9_000), theme.glyphs());
        let project = Arc::new(Project {
            id: "p".into(),
            name: None,
        });
        for (first, second, want) in [
            (None, None, "–"),
            (Some(Status::Active), None, "2h"),
            (Some(Status::Completed), None, "≤2h"),
            (Some(Status::Active), Some(Status::Completed), "5m"),
            (Some(Status::Archived), None, "10m"),
        ] {
            let watched = Watched {
                key: JobKey::new("p", "job"),
                project: Arc::clone(&project),
                label: None,
                tags: Vec::new(),
            };
            let mut board = Board::new([watched]);
            for (status, seconds) in [(first, 8_000), (second, 8_700)] {
                let job = status.map(|status| Job {
                    status: Some(status),
                    created_at: Some(at(1_000)),
                    archived_at: Some(at(8_400)),
                    ..Job::default()
                });
                let update = job.map(|job| Update::Fetched {
                    job,
                    fresh_for: None,
                });
                update.map(|update| board.apply(&JobKey::new("p", "job"), update, at(seconds)));
            }
            assert_eq!(since_text(&board.rows()[0], &context), want);
        }
    }

    #[test]
    fn one_column_is_in_every_table() {
        let required = ColumnId::all().filter(|id| id.column().is_required());
        assert_eq!(required.count(), 1);
    }
}
