//! Which columns a table of a given width shows, and how wide each is.
//!
//! This file must not know what is in a cell.

use super::columns::{ColumnId, Narrow};

/// Below this width, the filling column needs the cells of those that can shrink.
const NARROW: u16 = 46;
/// With fewer cells than this, a title needs those of the column that leaves last.
const LEAST_TITLE: u16 = 6;

/// The columns of a table `width` cells wide and how wide each is, with `gap` cells between two;
/// `chosen` are those that it is to have.
///
/// Columns leave by their priority until what remains fits its least widths; those that can shrink
/// then do. What is left over widens the columns up to their most, all alike.
pub fn fit(chosen: &[ColumnId], width: u16, gap: u16) -> Vec<(ColumnId, u16)> {
    let with_min_width = |id: &ColumnId| (*id, id.column().min_width);
    let mut shown: Vec<(ColumnId, u16)> = chosen.iter().map(with_min_width).collect();
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
        squeeze(&mut shown, width, gap);
    } else {
        widen(&mut shown, width, gap);
    }
    shown
}

/// When a column leaves, lower first; `None` for those that stay while the others can leave.
fn priority(id: ColumnId) -> Option<u8> {
    match id.column().narrow {
        Narrow::Leaves(priority) => Some(priority),
        Narrow::LeavesLast | Narrow::Shrinks | Narrow::Fills => None,
    }
}

fn squeeze(shown: &mut Vec<(ColumnId, u16)>, width: u16, gap: u16) {
    for (id, cells) in shown.iter_mut() {
        *cells = match id.column().narrow {
            Narrow::Fills => 0,
            Narrow::Shrinks => width.min(1),
            Narrow::Leaves(_) | Narrow::LeavesLast => id.column().min_width,
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

/// Hands out the cells that are left, one each in turn.
fn widen(shown: &mut [(ColumnId, u16)], width: u16, gap: u16) {
    let mut spare = width.saturating_sub(needed(shown, gap));
    for last in [false, true] {
        while spare > 0 {
            let before = spare;
            let growing = |(id, width): &&mut (ColumnId, u16)| {
                let column = id.column();
                column.widens_last == last && *width < column.max_width
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<ColumnId> {
        ColumnId::all().collect()
    }

    fn named(name: &str) -> ColumnId {
        ColumnId::named(name).unwrap()
    }

    fn titles(width: u16) -> Vec<&'static str> {
        fit(&all(), width, 1)
            .iter()
            .map(|(id, _)| id.column().title)
            .collect()
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
            let want: Vec<_> = ColumnId::all()
                .map(|id| id.column().title)
                .filter(|title| !gone.contains(title))
                .collect();
            assert_eq!(titles(width), want, "{width}");
        }
    }

    #[test]
    fn at_any_width_what_is_shown_fits() {
        for width in 0..400 {
            let shown = fit(&all(), width, 1);
            assert!(needed(&shown, 1) <= width.max(2), "{width}: {shown:?}");
        }
        assert_eq!(titles(30), ["STATUS", "JOB", "PR"]);
    }

    #[test]
    fn chosen_columns_keep_their_order_and_fit_too() {
        for (chosen, width, want) in [
            (&["job"][..], 200, &[("job", 44)][..]),
            (&["job"], 10, &[("job", 10)]),
            (&["job"], 0, &[("job", 0)]),
            (&["pr", "job"], 20, &[("pr", 5), ("job", 14)]),
            (&["pr", "job", "status"], 9, &[("job", 7), ("status", 1)]),
            (
                &["age", "job", "status"],
                33,
                &[("age", 4), ("job", 16), ("status", 11)],
            ),
            (&["age", "job", "status"], 32, &[("job", 30), ("status", 1)]),
        ] {
            let ids: Vec<ColumnId> = chosen.iter().map(|name| named(name)).collect();
            let shown = fit(&ids, width, 1);
            let shown: Vec<_> = shown.iter().map(|(id, w)| (id.column().name, *w)).collect();
            assert_eq!(shown, want, "{chosen:?} in {width}");
        }
        let reversed: Vec<ColumnId> = ColumnId::all().rev().collect();
        for width in 2..400 {
            let shown = fit(&reversed, width, 1);
            assert!(needed(&shown, 1) <= width, "{width}: {shown:?}");
            let places = shown
                .iter()
                .map(|(id, _)| reversed.iter().position(|known| known == id));
            assert!(places.is_sorted(), "{shown:?}");
        }
    }
}
