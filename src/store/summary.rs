//! How many of a config's jobs there are of each sort, counted as fast as the file can be read.
//!
//! A status line asks for this every few seconds. The tables are read side by side, in the order of
//! their keys, and no more of a job than is counted: at thousands of jobs, looking each of them up in
//! the other tables, and copying what is only compared, take longer than all the rest. This file must not know how it is shown.

use std::cmp::Ordering;

use jiff::Timestamp;
use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;
use rusqlite::{Connection, Row, Rows};

use super::from_millis;
use crate::failure::ErrorKind;
use crate::job::{Fingerprint, Job, Status, needs_you};
use crate::pull_request::PullRequest;
use crate::text::clean;

/// How many of a config's jobs there are of each sort.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub needs_you: usize,
    pub active: usize,
    pub completed: usize,
    pub failed: usize,
    pub archived: usize,
    /// Jobs whose last poll failed.
    pub errors: usize,
    /// When that of the active jobs was seen that was not seen for longest; polls of none of them fail.
    oldest_active: Option<Timestamp>,
    /// When any job was seen last.
    newest: Option<Timestamp>,
}

impl Summary {
    /// As of when it is: that of the oldest of the values that still change, else of the newest of all.
    pub fn seen_at(&self) -> Option<Timestamp> {
        self.oldest_active.or(self.newest)
    }

    fn add(&mut self, job: &Glance, is_failing: bool, acknowledged: Option<&str>) {
        match job.status {
            Some(Status::Active) => self.active += 1,
            Some(Status::Completed) => self.completed += 1,
            Some(Status::Failed) => self.failed += 1,
            Some(Status::Archived) => self.archived += 1,
            Some(Status::Other(_)) | None => {}
        }
        if needs_you(job.status.as_ref(), job.pull_request.is_some()) {
            let is_acknowledged =
                acknowledged.is_some_and(|seen| job.fingerprint().as_str() == seen);
            self.needs_you += usize::from(!is_acknowledged);
        }
        self.newest = self.newest.max(Some(job.fetched_at));
        if job.status == Some(Status::Active) && !is_failing {
            let oldest = self.oldest_active.unwrap_or(job.fetched_at);
            self.oldest_active = Some(oldest.min(job.fetched_at));
        }
    }
}

/// What is counted of a job.
struct Glance<'a> {
    status: Option<Status>,
    /// As it stands in the file.
    pull_request: Option<&'a str>,
    fetched_at: Timestamp,
}

impl<'a> Glance<'a> {
    fn from_row(row: &'a Row) -> Option<Self> {
        Some(Self {
            status: text(row, 2).map(Status::from_api),
            pull_request: text(row, 3),
            fetched_at: from_millis(row.get(4).ok()?)?,
        })
    }

    fn fingerprint(&self) -> Fingerprint {
        let link = self.pull_request.map(clean);
        Fingerprint::from(&Job {
            status: self.status.clone(),
            pull_request: link.map(PullRequest::new),
            ..Job::default()
        })
    }
}

/// Of the jobs that the config at this path has listed when it was last read.
pub(super) fn read(
    connection: &Connection,
    base_url: &str,
    config: &str,
) -> rusqlite::Result<Summary> {
    // So that all is of one moment, and the file is waited for once.
    let _at_once = connection.unchecked_transaction()?;
    let by_key = |columns: &str| {
        let query = format!("SELECT project, job{columns} WHERE base_url = ?1");
        connection.prepare(&format!("{query} ORDER BY project, job"))
    };
    let mut watched = connection.prepare(
        "SELECT project, job FROM watched WHERE base_url = ?1 AND config = ?2 ORDER BY project, job",
    )?;
    let mut watched = watched.query([base_url, config])?;
    let mut jobs = by_key(", status, pull_request, fetched_at FROM jobs")?;
    let mut jobs = Table::new(jobs.query([base_url])?)?;
    let mut errors = by_key(", kind FROM errors")?;
    let mut errors = Table::new(errors.query([base_url])?)?;
    let mut acknowledged = by_key(", fingerprint FROM acknowledgements")?;
    let mut acknowledged = Table::new(acknowledged.query([base_url])?)?;
    let mut summary = Summary::default();
    while let Some(row) = watched.next()? {
        let Some(key) = key(row) else { continue };
        let error = errors.find(key)?.and_then(|row| text(row, 2));
        let is_failing = error.and_then(ErrorKind::named).is_some();
        summary.errors += usize::from(is_failing);
        if let Some(job) = jobs.find(key)?.and_then(Glance::from_row) {
            let seen = acknowledged.find(key)?.and_then(|row| text(row, 2));
            summary.add(&job, is_failing, seen);
        }
    }
    Ok(summary)
}

/// Rows in the order of their keys, which come first.
struct Table<'a>(Rows<'a>);

impl<'a> Table<'a> {
    fn new(mut rows: Rows<'a>) -> rusqlite::Result<Self> {
        rows.advance()?;
        Ok(Self(rows))
    }

    /// The row of `wanted`. Keys have to be asked for in their order.
    fn find(&mut self, wanted: (&str, &str)) -> rusqlite::Result<Option<&Row<'a>>> {
        // A key that is none comes before all others.
        while let Some(order) = self.0.get().map(|row| key(row).cmp(&Some(wanted))) {
            match order {
                Ordering::Less => self.0.advance()?,
                Ordering::Equal => return Ok(self.0.get()),
                Ordering::Greater => break,
            }
        }
        Ok(None)
    }
}

fn key<'a>(row: &'a Row) -> Option<(&'a str, &'a str)> {
    Some((text(row, 0)?, text(row, 1)?))
}

fn text<'a>(row: &'a Row, column: usize) -> Option<&'a str> {
    row.get_ref(column).ok()?.as_str().ok()
}
