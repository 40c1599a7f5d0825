//! How many rows there are of each sort.
//!
//! This file must not know where rows are kept.

use super::Row;
use crate::job::Status;

/// How many rows there are of each sort; `list --json` prints it as it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    pub total: usize,
    pub active: usize,
    pub completed: usize,
    pub failed: usize,
    pub archived: usize,
    /// Rows with a status that the contract does not list.
    pub other: usize,
    /// Rows without a status: the API gave none, or they were never seen.
    pub unknown: usize,
    pub needs_you: usize,
    /// Rows that would need the user, had they not acknowledged them.
    pub acknowledged: usize,
    /// Rows whose last change the user has not said to have seen.
    #[serde(skip)]
    pub new: usize,
    /// Rows whose last poll failed.
    pub errors: usize,
}

impl Counts {
    pub fn new<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let mut counts = Self::default();
        for row in rows {
            counts.add(row);
        }
        counts
    }

    pub(super) fn add(&mut self, row: &Row) {
        self.total += 1;
        *self.by_status(row.status()) += 1;
        self.needs_you += usize::from(row.needs_you());
        self.acknowledged += usize::from(row.is_acknowledged());
        self.new += usize::from(row.is_new);
        self.errors += usize::from(row.error.is_some());
    }

    pub(super) fn remove(&mut self, row: &Row) {
        self.total -= 1;
        *self.by_status(row.status()) -= 1;
        self.needs_you -= usize::from(row.needs_you());
        self.acknowledged -= usize::from(row.is_acknowledged());
        self.new -= usize::from(row.is_new);
        self.errors -= usize::from(row.error.is_some());
    }

    fn by_status(&mut self, status: Option<&Status>) -> &mut usize {
        match status {
            Some(Status::Active) => &mut self.active,
            Some(Status::Completed) => &mut self.completed,
            Some(Status::Failed) => &mut self.failed,
            Some(Status::Archived) => &mut self.archived,
            Some(Status::Other(_)) => &mut self.other,
            None => &mut self.unknown,
        }
    }
}
