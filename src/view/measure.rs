//! How wide the cells of a table are and what its rows have in common: worked out when the rows
//! change, so that drawing only looks it up.
//!
//! This file must not know how wide the table may be.

use jiff::Timestamp;

use super::columns::{ColumnId, Context, branch};
use crate::board::{Board, Row};
use crate::job::AGENT_BRANCHES;
use crate::text;
use crate::view::theme::Glyphs;

/// What is known of the rows of a table. The default is that of no rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    widths: Widths,
    /// What every branch begins with, up to a slash.
    branch_prefix: String,
    several_projects: bool,
    change_was_seen: bool,
}

impl Measure {
    pub fn of(rows: &[&Row], now: Timestamp, glyphs: &'static Glyphs) -> Self {
        let mut measure = Self::common(rows.iter().copied());
        let context = measure.context(now, glyphs);
        let widths = rows.iter().map(|row| Widths::of(row, &context));
        measure.widths = Widths::widest(widths);
        measure
    }

    /// What the rows have in common, without the widths.
    fn common<'a>(rows: impl Iterator<Item = &'a Row> + Clone) -> Self {
        let mut projects = rows.clone().map(|row| &row.watched.project);
        let first = projects.next();
        Self {
            widths: Widths::default(),
            branch_prefix: shared_prefix(rows.clone().filter_map(branch)).to_owned(),
            several_projects: projects.any(|project| first.is_some_and(|first| first != project)),
            change_was_seen: { rows }.any(|row| row.changed_at.is_some()),
        }
    }

    /// What the cells of these rows are written with.
    pub fn context(&self, now: Timestamp, glyphs: &'static Glyphs) -> Context<'_> {
        Context {
            now,
            glyphs,
            branch_prefix: &self.branch_prefix,
        }
    }

    /// The cells of the widest text in a column, up to the column's most.
    pub fn width(&self, id: ColumnId) -> u16 {
        self.widths.0[id.index()]
    }

    pub fn several_projects(&self) -> bool {
        self.several_projects
    }

    /// Whether a row was seen to change in this run.
    pub fn change_was_seen(&self) -> bool {
        self.change_was_seen
    }
}

/// The cells of a text in each column, up to the column's most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Widths([u16; ColumnId::COUNT]);

impl Widths {
    fn of(row: &Row, context: &Context) -> Self {
        let mut widths = Self::default();
        for (id, width) in ColumnId::all().zip(&mut widths.0) {
            let column = id.column();
            let cells = text::width(&(column.text)(row, context));
            *width =
                u16::try_from(cells).map_or(column.max_width, |cells| cells.min(column.max_width));
        }
        widths
    }

    fn widest(all: impl Iterator<Item = Self>) -> Self {
        all.fold(Self::default(), |mut widest, widths| {
            for (widest, width) in widest.0.iter_mut().zip(widths.0) {
                *widest = (*widest).max(width);
            }
            widest
        })
    }
}

/// Measures the rows of one board again and again, and of those only what has changed.
#[derive(Debug, Default)]
pub struct Measurer {
    measure: Measure,
    /// Of each row of the board, with the branch prefix of `measure`.
    rows: Vec<Widths>,
    /// The board's revision that `rows` is of.
    revision: u64,
}

impl Measurer {
    pub fn measure(&self) -> &Measure {
        &self.measure
    }

    /// Forgets all widths, since time alone has changed texts.
    pub fn forget(&mut self) {
        self.revision = 0;
    }

    /// Measures the `shown` rows of the board, by their places in it.
    pub fn update(
        &mut self,
        board: &Board,
        shown: &[usize],
        now: Timestamp,
        glyphs: &'static Glyphs,
    ) {
        let rows = board.rows();
        let shown_rows = shown.iter().filter_map(|at| rows.get(*at));
        let measure = Measure::common(shown_rows);
        if measure.branch_prefix != self.measure.branch_prefix {
            self.forget();
        }
        self.measure_changed(board, &measure.context(now, glyphs));
        let widths = shown.iter().filter_map(|at| self.rows.get(*at).copied());
        self.measure = Measure {
            widths: Widths::widest(widths),
            ..measure
        };
    }

    fn measure_changed(&mut self, board: &Board, context: &Context) {
        self.rows.resize(board.rows().len(), Widths::default());
        for (row, widths) in board.rows().iter().zip(&mut self.rows) {
            if row.revision > self.revision {
                *widths = Widths::of(row, context);
            }
        }
        self.revision = board.revision();
    }
}

/// The longest beginning that ends with a slash and that all `branches` share. A single branch shares
/// nothing, but the agent's own prefix tells nothing about it either.
fn shared_prefix<'a>(mut branches: impl Iterator<Item = &'a str>) -> &'a str {
    let Some(first) = branches.next() else {
        return "";
    };
    let mut prefix = through_last_slash(first);
    let mut is_single = true;
    for branch in branches {
        is_single = false;
        while !branch.starts_with(prefix) {
            prefix = through_last_slash(&prefix[..prefix.len() - 1]);
        }
    }
    match is_single {
        true if first.starts_with(AGENT_BRANCHES) => &first[..AGENT_BRANCHES.len()],
        true => "",
        false => prefix,
    }
}

fn through_last_slash(text: &str) -> &str {
    text.rfind('/').map_or("", |at| &text[..=at])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::board::{Project, Update, Watched};
    use crate::failure::{ErrorKind, Failure};
    use crate::job::{Job, JobKey, Status};
    use crate::view::theme::Theme;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    const JOBS: usize = 4;

    fn watched(order: &[usize]) -> Vec<Watched> {
        let project = |at: usize| Project {
            id: format!("project {}", at / 2).into(),
            name: None,
        };
        let watched = order.iter().map(|at| Watched {
            key: key(*at),
            project: Arc::new(project(*at)),
            label: (*at == 0).then(|| "a label".to_owned()),
            tags: Vec::new(),
        });
        watched.collect()
    }

    fn key(at: usize) -> JobKey {
        JobKey::new(format!("project {}", at / 2), format!("job_{at}"))
    }

    fn fetched(branch: &str) -> Update {
        let job = Job {
            status: Some(Status::Active),
            branch: Some(branch.into()),
            created_at: Some(NOW),
            ..Job::default()
        };
        Update::Fetched {
            job,
            fresh_for: Some(Duration::MAX),
        }
    }

    fn update() -> impl Strategy<Value = Update> {
        prop_oneof![
            4 => "(mintlify/)?(a/)?[a-z]{1,9}".prop_map(|branch| fetched(&branch)),
            1 => Just(()).prop_map(|()| Update::Failed(Failure::new(ErrorKind::Timeout, "late"))),
        ]
    }

    proptest! {
        #[test]
        fn measuring_what_changed_is_measuring_all(
            steps in prop::collection::vec((0..JOBS, update(), any::<bool>()), 1..20),
            shown in prop::sample::subsequence(vec![0, 1, 2, 3], 0..=JOBS),
        ) {
            let glyphs = Theme::new(false, false).glyphs();
            let mut board = Board::new(watched(&[0, 1, 2, 3]));
            let mut measurer = Measurer::default();
            for (at, update, reorder) in steps {
                board.apply(&key(at), update, NOW);
                if reorder {
                    board.set_watched(watched(&[3, 0, 2]));
                }
                let shown: Vec<usize> = shown.iter().copied().filter(|at| *at < board.rows().len()).collect();
                measurer.update(&board, &shown, NOW, glyphs);
                let rows: Vec<&Row> = shown.iter().map(|at| &board.rows()[*at]).collect();
                prop_assert_eq!(measurer.measure(), &Measure::of(&rows, NOW, glyphs));
            }
        }
    }

    #[test]
    fn shared_prefix_table() {
        for (branches, want) in [
            (&[][..], ""),
            (&["main"], ""),
            (&["mintlify/a"], "mintlify/"),
            (&["fix/a"], ""),
            (&["mintlify/a", "mintlify/b"], "mintlify/"),
            (&["mintlify/x/a", "mintlify/x/b", "mintlify/y"], "mintlify/"),
            (&["mintlify/a", "main"], ""),
            (&["a/b/c", "a/b/c"], "a/b/"),
            (&["/a", "b"], ""),
            (&["é/a", "ü/a"], ""),
        ] {
            let branches = branches.iter().copied();
            assert_eq!(
                shared_prefix(branches.clone()),
                want,
                "{:?}",
                branches.collect::<Vec<_>>()
            );
        }
    }
}
