//! Jobs as JSON. The keys are a contract with scripts: they may be added, never changed.

use std::io::{self, Write};

use jiff::{Timestamp, Unit};
use serde::Serialize;

use crate::board::{Counts, Project, Row};
use crate::failure::Failure;
use crate::job::Status;
use crate::pull_request::PullRequest;

/// One object with `rows` and their counts.
pub fn print_rows(rows: &[&Row], out: &mut dyn Write) -> io::Result<()> {
    let listing = Listing {
        jobs: rows.iter().map(|row| JobEntry::new(row)).collect(),
        counts: Counts::new(rows.iter().copied()),
    };
    serde_json::to_writer(&mut *out, &listing)?;
    writeln!(out)
}

/// One object, as in the `jobs` of [`print_rows`].
pub fn print_job(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &JobEntry::new(row))?;
    writeln!(out)
}

#[derive(Serialize)]
struct Listing<'a> {
    jobs: Vec<JobEntry<'a>>,
    counts: Counts,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JobEntry<'a> {
    project: ProjectEntry<'a>,
    id: &'a str,
    label: Option<&'a str>,
    tags: &'a [String],
    status: Option<&'a str>,
    repository: Option<&'a str>,
    branch: Option<&'a str>,
    model: Option<&'a str>,
    pr_link: Option<&'a str>,
    created_at: Option<Timestamp>,
    archived_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    needs_you: bool,
    acknowledged: bool,
    fetched_at: Option<Timestamp>,
    error: Option<&'a Failure>,
}

#[derive(Debug, Serialize)]
pub struct ProjectEntry<'a> {
    id: &'a str,
    name: Option<&'a str>,
}

impl<'a> ProjectEntry<'a> {
    /// A project of which only the id is known.
    pub fn unnamed(id: &'a str) -> Self {
        Self { id, name: None }
    }

    /// What a person calls it.
    pub fn title(&self) -> &'a str {
        self.name.unwrap_or(self.id)
    }

    pub fn new(project: &'a Project) -> Self {
        Self {
            id: &project.id,
            name: project.name.as_deref(),
        }
    }
}

impl<'a> JobEntry<'a> {
    fn new(row: &'a Row) -> Self {
        let watched = &row.watched;
        let job = row.job.as_ref();
        Self {
            project: ProjectEntry::new(&watched.project),
            id: &watched.key.id,
            label: watched.label.as_deref(),
            tags: &watched.tags,
            status: row.status().map(Status::as_str),
            repository: job.and_then(|job| job.repository.as_deref()),
            branch: job.and_then(|job| job.branch.as_deref()),
            model: job.and_then(|job| job.model.as_deref()),
            pr_link: row.pull_request().map(PullRequest::as_str),
            created_at: job.and_then(|job| job.created_at),
            archived_at: job.and_then(|job| job.archived_at),
            // Of a job that no poll of this run has seen, an earlier one may have known it.
            finished_at: row
                .progress
                .filter(|_| job.is_some())
                .and_then(|progress| progress.finished_at)
                .map(rounded),
            needs_you: row.needs_you(),
            acknowledged: row.is_acknowledged(),
            fetched_at: row.fetched_at.map(rounded),
            error: row.error.as_ref(),
        }
    }
}

/// To the second: a finer time of a poll says nothing.
pub(super) fn rounded(at: Timestamp) -> Timestamp {
    at.round(Unit::Second).unwrap_or(at)
}
