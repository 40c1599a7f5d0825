//! The views: which rows a tab shows. One table; the tabs and the number keys both read it.

use crate::board::{Counts, Row};
use crate::job::Status;

/// A tab of the dashboard.
#[derive(Debug)]
pub struct View {
    /// What the config calls it.
    pub name: &'static str,
    /// Its name on the screen.
    pub title: &'static str,
    /// How many rows it has.
    pub count: fn(&Counts) -> usize,
    /// Whether it shows this row.
    pub shows: fn(&Row) -> bool,
    /// What to say when it has no rows.
    pub empty: &'static str,
}

/// All views, in the order of their number keys.
pub const VIEWS: [View; 6] = [
    View {
        name: "all",
        title: "All",
        count: |counts| counts.total,
        shows: |_| true,
        empty: "No jobs are watched yet.",
    },
    View {
        name: "needs-you",
        title: "Needs you",
        count: |counts| counts.needs_you,
        shows: Row::needs_you,
        empty: "Nothing needs you now.",
    },
    View {
        name: "active",
        title: "Active",
        count: |counts| counts.active,
        shows: |row| row.status() == Some(&Status::Active),
        empty: "No job is active.",
    },
    View {
        name: "completed",
        title: "Completed",
        count: |counts| counts.completed,
        shows: |row| row.status() == Some(&Status::Completed),
        empty: "No job has completed.",
    },
    View {
        name: "failed",
        title: "Failed",
        count: |counts| counts.failed,
        shows: |row| row.status() == Some(&Status::Failed),
        empty: "No job has failed.",
    },
    View {
        name: "archived",
        title: "Archived",
        count: |counts| counts.archived,
        shows: |row| row.status() == Some(&Status::Archived),
        empty: "No job is archived.",
    },
];
