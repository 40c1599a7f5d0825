//! The table of views: which rows each tab of the dashboard shows. The tabs, the number keys and the
//! names that the config may use are all read from it.

use crate::board::{Counts, Row};
use crate::job::Status;

#[derive(Debug)]
pub struct View {
    /// What the config calls it.
    pub name: &'static str,
    pub title: &'static str,
    pub count: fn(&Counts) -> usize,
    pub shows: fn(&Row) -> bool,
    /// What to say when it has no rows.
    pub empty: &'static str,
    /// Whether its tab is there only while it has rows.
    pub is_occasional: bool,
}

/// A view, by its place in the table of views. The default is the first, which shows every row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ViewId(usize);

impl ViewId {
    /// The view that shows every row.
    pub const EVERYTHING: Self = Self::nth(0);
    /// The view of what would need the user, had they not acknowledged it.
    pub const ACKNOWLEDGED: Self = Self::nth(6);

    /// The `n`th view, from 0.
    ///
    /// # Panics
    ///
    /// Where there is no such view. In a constant, as in the table of keys, it does not compile.
    pub const fn nth(n: usize) -> Self {
        assert!(n < VIEWS.len());
        Self(n)
    }

    /// All views, in the order of their tabs and number keys.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + Clone {
        (0..VIEWS.len()).map(Self)
    }

    /// The view that the config calls `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|id| id.view().name == name)
    }

    pub fn view(self) -> &'static View {
        &VIEWS[self.0]
    }

    /// The view after this one; after the last comes the first.
    #[must_use]
    pub fn next(self) -> Self {
        Self((self.0 + 1) % VIEWS.len())
    }

    /// The view before this one; before the first comes the last.
    #[must_use]
    pub fn previous(self) -> Self {
        Self((self.0 + VIEWS.len() - 1) % VIEWS.len())
    }
}

const VIEWS: &[View] = &[
    View {
        name: "all",
        title: "All",
        count: |counts| counts.total,
        shows: |_| true,
        empty: "No jobs are watched yet.",
        is_occasional: false,
    },
    View {
        name: "needs-you",
        title: "Needs you",
        count: |counts| counts.needs_you,
        shows: Row::needs_you,
        empty: "Nothing needs you now.",
        is_occasional: false,
    },
    View {
        name: "active",
        title: "Active",
        count: |counts| counts.active,
        shows: |row| row.status() == Some(&Status::Active),
        empty: "No job is active.",
        is_occasional: false,
    },
    View {
        name: "completed",
        title: "Completed",
        count: |counts| counts.completed,
        shows: |row| row.status() == Some(&Status::Completed),
        empty: "No job has completed.",
        is_occasional: false,
    },
    View {
        name: "failed",
        title: "Failed",
        count: |counts| counts.failed,
        shows: |row| row.status() == Some(&Status::Failed),
        empty: "No job has failed.",
        is_occasional: false,
    },
    View {
        name: "archived",
        title: "Archived",
        count: |counts| counts.archived,
        shows: |row| row.status() == Some(&Status::Archived),
        empty: "No job is archived.",
        is_occasional: false,
    },
    View {
        name: "acknowledged",
        title: "Acknowledged",
        count: |counts| counts.acknowledged,
        shows: Row::is_acknowledged,
        empty: "No job is acknowledged.",
        is_occasional: true,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_follow_each_other_round_the_end() {
        for (id, next) in ViewId::all().zip(ViewId::all().skip(1).chain([ViewId::EVERYTHING])) {
            assert_eq!((id.next(), next.previous()), (next, id));
            assert_eq!(ViewId::named(id.view().name), Some(id));
        }
    }
}
