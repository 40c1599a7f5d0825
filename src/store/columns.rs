//! Reads a row column by column, in the order of its query: that is much faster than by their names.
//!
//! Others can write the file, so that what is read is text from outside: it is cleaned, and what has
//! the wrong type is missing.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::{FromSql, ValueRef};

use super::from_millis;
use crate::job::JobKey;
use crate::text;

pub(super) struct Columns<'a> {
    row: &'a Row<'a>,
    next: usize,
}

impl<'a> Columns<'a> {
    pub(super) fn new(row: &'a Row<'a>) -> Self {
        Self { row, next: 0 }
    }

    fn value(&mut self) -> Option<ValueRef<'a>> {
        self.next += 1;
        self.row.get_ref(self.next - 1).ok()
    }

    fn raw_text(&mut self) -> Option<&'a str> {
        self.value()?.as_str().ok()
    }

    pub(super) fn text(&mut self) -> Option<String> {
        self.raw_text().map(text::clean)
    }

    /// Ids are as the config has them: one that is not safe to show is none of ours.
    pub(super) fn key(&mut self) -> Option<JobKey> {
        let (project, job) = (self.raw_text(), self.raw_text());
        let safe = |id: Option<&'a str>| id.filter(|id| text::clean(id) == *id);
        Some(JobKey::new(safe(project)?, safe(job)?))
    }

    pub(super) fn number(&mut self) -> Option<i64> {
        i64::column_result(self.value()?).ok()
    }

    /// A time that there cannot be is none.
    pub(super) fn time(&mut self) -> Option<Timestamp> {
        from_millis(self.number()?)
    }
}
