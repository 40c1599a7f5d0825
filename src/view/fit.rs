//! Which columns a table of a given width shows, and how wide each is.
//!
//! This file must not know what is in a cell, but for how wide that is.

use super::columns::{Absent, ColumnId, Narrow};
use super::measure::Measure;

/// Below this width, the filling column needs the cells of those that can shrink.
const NARROW: u16 = 46;
/// With fewer cells than this, a title needs those of the column that leaves last.
const LEAST_TITLE: u16 = 6;

/// The columns of a table `width` cells wide and how wide each is, with `gap` cells between two;
/// `chosen` are those that it is to have, and `measure` is of its rows. The one that they are sorted
/// by is not left out because it tells little.
///
/// A column wants as many cells as its widest text, and its title beside the arrow of the order.
/// Columns leave by their priority until what remains fits its least widths; those that can shrink
/// then do. What is left over widens the columns up to what they want, the elastic ones last.
pub fn fit(
    chosen: &[ColumnId],
    sorted_by: ColumnId,
    measure: &Measure,
    width: u16,
    gap: u16,
) -> Vec<(ColumnId, u16)> {
    let with_least = |id: &ColumnId| (*id, least(*id, measure));
    let is_there = |id: &&ColumnId| **id == sorted_by || !is_absent(**id, chosen, measure);
    let mut shown: Vec<_> = chosen.iter().filter(is_there).map(with_least).collect();
    while needed(&shown, gap) > width {
        let priorities = shown.iter().enumerate();
        let first_to_leave = priorities
            .filter_map(|(at, (id, _))| Some((priority(*id)?, at)))
            .min();
        match first_to_leave {
            Some((_, at)) => drop(shown.remove(at)),
            None => break,
        }
    }
    let all_stay = shown.iter().all(|(id, _)| priority(*id).is_none());
    if all_stay && width < NARROW {
        squeeze(&mut shown, measure, width, gap);
    } else {
        for elastic in [false, true] {
            widen(&mut shown, measure, elastic, width, gap);
        }
    }
    shown
}

fn is_absent(id: ColumnId, chosen: &[ColumnId], measure: &Measure) -> bool {
    match id.column().absent {
        Absent::Never => false,
        Absent::WhileEmpty => measure.width(id) == 0,
        Absent::InOneProject => !measure.several_projects(),
        Absent::Beside(name) => {
            let mut others = chosen.iter().filter(|other| other.column().name == name);
            others.any(|other| !is_absent(*other, chosen, measure))
        }
        Absent::UntilAChangeWasSeen => !measure.change_was_seen(),
    }
}

/// The cells that a column has a use for.
fn wanted(id: ColumnId, measure: &Measure) -> u16 {
    let column = id.column();
    let title = u16::try_from(column.title.len()).unwrap_or(u16::MAX);
    let with_arrow = title.saturating_add(1);
    measure.width(id).max(with_arrow).min(column.max_width)
}

fn least(id: ColumnId, measure: &Measure) -> u16 {
    id.column().min_width.min(wanted(id, measure))
}

/// When a column leaves, lower first; `None` for those that stay while the others can leave.
fn priority(id: ColumnId) -> Option<u8> {
    match id.column().narrow {
        Narrow::Leaves(priority) => Some(priority),
        Narrow::LeavesLast | Narrow::Shrinks | Narrow::Fills => None,
    }
}

fn squeeze(shown: &mut Vec<(ColumnId, u16)>, measure: &Measure, width: u16, gap: u16) {
    for (id, cells) in shown.iter_mut() {
        *cells = match id.column().narrow {
            Narrow::Fills => 0,
            Narrow::Shrinks => width.min(1),
            Narrow::Leaves(_) | Narrow::LeavesLast => wanted(*id, measure),
        };
    }
    if width.saturating_sub(needed(shown, gap)) < LEAST_TITLE {
        shown.retain(|(id, _)| id.column().narrow != Narrow::LeavesLast);
    }
    let rest = width.saturating_sub(needed(shown, gap));
    let filling = shown
        .iter_mut()
        .filter(|(id, _)| id.column().narrow == Narrow::Fills);
    filling.for_each(|(_, cells)| *cells = rest);
}

fn needed(shown: &[(ColumnId, u16)], gap: u16) -> u16 {
    let gaps = gap * u16::try_from(shown.len().saturating_sub(1)).unwrap_or(0);
    shown.iter().map(|(_, width)| width).sum::<u16>() + gaps
}

/// Hands out the cells that are left to the columns of one kind, one each in turn.
fn widen(shown: &mut [(ColumnId, u16)], measure: &Measure, elastic: bool, width: u16, gap: u16) {
    let mut spare = width.saturating_sub(needed(shown, gap));
    while spare > 0 {
        let before = spare;
        let growing = |(id, width): &&mut (ColumnId, u16)| {
            id.column().elastic == elastic && *width < wanted(*id, measure)
        };
        for (_, width) in shown.iter_mut().filter(growing) {
            *width += u16::from(spare > 0);
            spare = spare.saturating_sub(1);
        }
        if spare == before {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::board::{Board, Project, Update, Watched};
    use crate::failure::{ErrorKind, Failure};
    use crate::job::{Job, JobKey, Status};
    use crate::pull_request::PullRequest;
    use crate::view::theme::Theme;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn all() -> Vec<ColumnId> {
        ColumnId::all().collect()
    }

    fn by_status() -> ColumnId {
        ColumnId::default()
    }

    fn named(name: &str) -> ColumnId {
        ColumnId::named(name).unwrap()
    }

    /// Ordinary jobs in so many projects; the first one fails where `failing`.
    fn measure(projects: usize, failing: bool) -> Measure {
        let mut board = board(projects);
        if failing {
            let failure = Failure::new(ErrorKind::RateLimited, "too many");
            let key = board.rows()[0].key().clone();
            board.apply(&key, Update::Failed(failure), NOW);
        }
        measured(&board)
    }

    fn measured(board: &Board) -> Measure {
        let rows: Vec<_> = board.rows().iter().collect();
        Measure::of(&rows, NOW, Theme::new(false, false).glyphs())
    }

    fn fetched(job: Job) -> Update {
        Update::Fetched {
            job,
            fresh_for: None,
        }
    }

    fn board(projects: usize) -> Board {
        let watched = |at: usize| Watched {
            key: JobKey::new(format!("project {}", at % projects), format!("job_{at}")),
            project: Arc::new(Project {
                id: format!("project {}", at % projects).into(),
                name: None,
            }),
            label: Some(format!("Document the retry policy {at}")),
            tags: Vec::new(),
        };
        let mut board = Board::new((0..24).map(watched));
        let keys: Vec<JobKey> = board.rows().iter().map(|row| row.key().clone()).collect();
        for (at, key) in keys.iter().enumerate() {
            let job = Job {
                status: Some(Status::Completed),
                branch: Some(format!("mintlify/document-the-retry-policy-{at}")),
                model: Some("sonnet".into()),
                pull_request: Some(PullRequest::new(format!("https://x.test/a/b/pull/{at}"))),
                created_at: Some(NOW),
                ..Job::default()
            };
            board.apply(key, fetched(job), NOW);
        }
        board
    }

    fn names(measure: &Measure, width: u16) -> Vec<&'static str> {
        let shown = fit(&all(), by_status(), measure, width, 1).into_iter();
        shown.map(|(id, _)| id.column().name).collect()
    }

    #[test]
    fn at_80_columns_all_that_was_asked_for_is_there() {
        let want = ["status", "job", "branch", "pr", "model", "age"];
        assert_eq!(names(&measure(1, false), 77), want);
        let want = ["status", "job", "project", "branch", "pr", "model", "age"];
        assert_eq!(names(&measure(3, false), 77), want);
        let want = ["status", "job", "branch", "pr", "model", "age", "seen"];
        assert_eq!(names(&measure(3, true), 77), want);
    }

    #[test]
    fn since_takes_the_place_of_age_once_a_change_was_seen() {
        let mut board = board(1);
        let before = measured(&board);
        let key = board.rows()[0].key().clone();
        board.apply(&key, fetched(Job::default()), NOW);
        let after = measured(&board);
        for (measure, sorted_by, want) in [
            (&before, "status", ["age"].as_slice()),
            (&before, "since", &["age", "since"]),
            (&after, "status", &["since"]),
            (&after, "age", &["age", "since"]),
        ] {
            let shown = fit(&all(), named(sorted_by), measure, 77, 1);
            let names = shown.iter().map(|(id, _)| id.column().name);
            let names: Vec<_> = names
                .filter(|name| ["age", "since"].contains(name))
                .collect();
            assert_eq!(names, want, "sorted by {sorted_by}");
        }
        // Who has chosen the age alone keeps it.
        let shown = fit(&[named("job"), named("age")], by_status(), &after, 77, 1);
        assert_eq!(shown.len(), 2);
    }

    #[test]
    fn columns_leave_by_priority() {
        let measure = measure(3, true);
        for (width, gone) in [
            (200, &[][..]),
            (78, &["project"]),
            (69, &["project", "model"]),
            (62, &["project", "model", "age"]),
            (57, &["project", "model", "age", "branch"]),
            (44, &["project", "model", "age", "branch", "seen"]),
        ] {
            let want: Vec<_> = ColumnId::all()
                .map(|id| id.column().name)
                .filter(|name| *name != "since" && !gone.contains(name))
                .collect();
            assert_eq!(names(&measure, width), want, "{width}");
        }
    }

    #[test]
    fn a_column_is_as_wide_as_what_it_shows_and_the_elastic_ones_get_the_rest() {
        let measure = measure(1, false);
        let width = |total, name| {
            let shown = fit(&all(), by_status(), &measure, total, 1);
            shown
                .iter()
                .find(|(id, _)| *id == named(name))
                .map(|(_, width)| usize::from(*width))
                .unwrap()
        };
        for total in [77, 120, 200] {
            assert_eq!(width(total, "status"), "✓ completed".chars().count());
            assert_eq!(width(total, "pr"), "#23".len());
            assert_eq!(width(total, "model"), "sonnet".len());
            assert_eq!(width(total, "age"), 4);
        }
        assert_eq!(
            width(77, "job") + width(77, "branch"),
            77 - 11 - 3 - 6 - 4 - 5
        );
        assert_eq!(width(200, "job"), "Document the retry policy 23".len());
        assert_eq!(width(200, "branch"), "document-the-retry-policy-23".len());
    }

    #[test]
    fn at_any_width_what_is_shown_fits() {
        for measure in [Measure::default(), measure(1, false), measure(3, true)] {
            for width in 0..400 {
                let shown = fit(&all(), by_status(), &measure, width, 1);
                assert!(needed(&shown, 1) <= width.max(2), "{width}: {shown:?}");
            }
        }
        assert_eq!(names(&measure(3, true), 30), ["status", "job", "pr"]);
    }

    #[test]
    fn chosen_columns_keep_their_order_and_fit_too() {
        let measure = measure(3, true);
        let reversed: Vec<ColumnId> = ColumnId::all().rev().collect();
        for width in 2..400 {
            let shown = fit(&reversed, by_status(), &measure, width, 1);
            assert!(needed(&shown, 1) <= width, "{width}: {shown:?}");
            let places = shown
                .iter()
                .map(|(id, _)| reversed.iter().position(|known| known == id));
            assert!(places.is_sorted(), "{shown:?}");
        }
        for (chosen, width, want) in [
            (&["job"][..], 200, &[("job", 28)][..]),
            (&["job"], 10, &[("job", 10)]),
            (&["job"], 0, &[("job", 0)]),
            (&["pr", "job", "status"], 9, &[("job", 7), ("status", 1)]),
            (
                &["age", "job", "status"],
                33,
                &[("age", 4), ("job", 16), ("status", 11)],
            ),
            (&["age", "job", "status"], 32, &[("job", 30), ("status", 1)]),
        ] {
            let ids: Vec<ColumnId> = chosen.iter().map(|name| named(name)).collect();
            let shown = fit(&ids, by_status(), &measure, width, 1);
            let shown: Vec<_> = shown.iter().map(|(id, w)| (id.column().name, *w)).collect();
            assert_eq!(shown, want, "{chosen:?} in {width}");
        }
    }
}
