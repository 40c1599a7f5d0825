//! The last good values of each job.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::{Sighting, StoredJob, from_millis, to_millis};
use crate::event::{Change, Event};
use crate::job::{Job, JobKey, Status};
use crate::pull_request::PullRequest;
use crate::text;

const COLUMNS: &str = "project, job, status, repository, branch, model, pull_request, created_at,
    archived_at, fetched_at, changed_at, finished_at";

pub(super) fn all(connection: &Connection, base_url: &str) -> rusqlite::Result<Vec<StoredJob>> {
    let query = format!("SELECT {COLUMNS} FROM jobs WHERE base_url = ?1");
    let mut statement = connection.prepare(&query)?;
    let rows = statement.query_map([base_url], |row| Ok(from_row(row)))?;
    // A row that says what it may not is passed over.
    rows.filter_map(Result::transpose).collect()
}

fn one(
    connection: &Connection,
    base_url: &str,
    key: &JobKey,
) -> rusqlite::Result<Option<StoredJob>> {
    let query =
        format!("SELECT {COLUMNS} FROM jobs WHERE base_url = ?1 AND project = ?2 AND job = ?3");
    let mut statement = connection.prepare_cached(&query)?;
    let found = statement.query_row(params![base_url, &*key.project, &*key.id], |row| {
        Ok(from_row(row))
    });
    Ok(found.optional()?.flatten())
}

/// A row as it was written, by us or by somebody else.
fn from_row(row: &Row) -> Option<StoredJob> {
    let text = |name| {
        let text: Option<String> = row.get(name).ok()?;
        text.map(|text| text::clean(&text))
    };
    let time = |name| {
        let millis: Option<i64> = row.get(name).ok()?;
        millis.and_then(from_millis)
    };
    let id = |name| row.get::<_, String>(name).ok();
    Some(StoredJob {
        key: JobKey::new(id("project")?, id("job")?),
        job: Job {
            status: text("status").map(|word| Status::from_api(&word)),
            repository: text("repository"),
            branch: text("branch"),
            model: text("model"),
            pull_request: text("pull_request").map(PullRequest::new),
            created_at: time("created_at"),
            archived_at: time("archived_at"),
        },
        fetched_at: time("fetched_at")?,
        changed_at: time("changed_at"),
        finished_at: time("finished_at"),
    })
}

/// Stores what a poll found, and returns what changed, each with since when it can have. What another
/// run has seen later stays.
pub(super) fn record(
    connection: &Connection,
    base_url: &str,
    sighting: &Sighting,
) -> rusqlite::Result<Vec<(Event, Option<Timestamp>)>> {
    let before = one(connection, base_url, &sighting.key)?;
    let job = &sighting.job;
    if before
        .as_ref()
        .is_some_and(|before| before.fetched_at > sighting.at)
    {
        return Ok(Vec::new());
    }
    let changes = before
        .as_ref()
        .map(|before| Change::between(&before.job, job));
    let changes = changes.unwrap_or_default();
    put(
        connection,
        base_url,
        sighting,
        job,
        before.as_ref(),
        !changes.is_empty(),
    )?;
    let since = before
        .filter(|_| sighting.is_first)
        .map(|before| before.fetched_at);
    let event = |change| Event {
        at: sighting.at,
        key: sighting.key.clone(),
        change,
    };
    Ok(changes
        .into_iter()
        .map(|change| (event(change), since))
        .collect())
}

fn put(
    connection: &Connection,
    base_url: &str,
    sighting: &Sighting,
    job: &Job,
    before: Option<&StoredJob>,
    has_changed: bool,
) -> rusqlite::Result<()> {
    let changed_at = match before {
        _ if has_changed => Some(sighting.at),
        before => before.and_then(|before| before.changed_at),
    };
    let query = format!(
        "INSERT OR REPLACE INTO jobs (base_url, {COLUMNS}) VALUES (:base_url, :project, :job,
            :status, :repository, :branch, :model, :pull_request, :created_at, :archived_at,
            :fetched_at, :changed_at, :finished_at)"
    );
    let mut statement = connection.prepare_cached(&query)?;
    statement.execute(named_params! {
        ":base_url": base_url,
        ":project": &*sighting.key.project,
        ":job": &*sighting.key.id,
        ":status": job.status.as_ref().map(Status::as_str),
        ":repository": job.repository,
        ":branch": job.branch,
        ":model": job.model,
        ":pull_request": job.pull_request.as_ref().map(PullRequest::as_str),
        ":created_at": job.created_at.map(to_millis),
        ":archived_at": job.archived_at.map(to_millis),
        ":fetched_at": to_millis(sighting.at),
        ":changed_at": changed_at.map(to_millis),
        ":finished_at": finished_at(sighting.at, job, before).map(to_millis),
    })?;
    Ok(())
}

/// When the job was first seen finished, where it was seen at work before.
fn finished_at(at: Timestamp, job: &Job, before: Option<&StoredJob>) -> Option<Timestamp> {
    let is_finished = |job: &Job| job.status.as_ref().is_some_and(Status::is_finished);
    let before = before.filter(|_| is_finished(job))?;
    if is_finished(&before.job) {
        before.finished_at
    } else {
        Some(at)
    }
}

pub(super) fn touch(
    connection: &Connection,
    base_url: &str,
    key: &JobKey,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE jobs SET fetched_at = max(fetched_at, ?4)
        WHERE base_url = ?1 AND project = ?2 AND job = ?3",
    )?;
    statement.execute(params![base_url, &*key.project, &*key.id, to_millis(at)])?;
    Ok(())
}
