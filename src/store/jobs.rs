//! The last good values of each job, and what is known of it besides.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Params, Row, named_params, params};

use super::columns::Columns;
use super::{Sighting, StoredEvent, StoredJob, to_millis};
use crate::event::{Change, Event};
use crate::failure::{ErrorKind, Failure};
use crate::job::{Acknowledgement, Fingerprint, Job, JobKey, Status};
use crate::progress::{Look, Progress, is_gap};
use crate::pull_request::PullRequest;

/// How much later than the last one that is stored a poll has to be to be worth a write.
const WORTH_A_WRITE: SignedDuration = SignedDuration::from_secs(10);

/// What is known of jobs; a condition follows.
const SELECT: &str = "
    SELECT project, job, status, repository, branch, model, pull_request, created_at, archived_at,
        fetched_at, changed_at, started_at, finished_at, finished_by, fingerprint, kind, message
    FROM jobs
    LEFT JOIN acknowledgements USING (base_url, project, job)
    LEFT JOIN errors USING (base_url, project, job)
    WHERE base_url = ?1 ";

pub(super) fn all(connection: &Connection, base_url: &str) -> rusqlite::Result<Vec<StoredJob>> {
    select(connection, "", [base_url])
}

fn select(
    connection: &Connection,
    condition: &str,
    parameters: impl Params,
) -> rusqlite::Result<Vec<StoredJob>> {
    let mut statement = connection.prepare(&format!("{SELECT}{condition}"))?;
    let rows = statement.query_map(parameters, |row| Ok(from_row(row)))?;
    // A row that says what it may not is passed over.
    rows.filter_map(Result::transpose).collect()
}

fn one(
    connection: &Connection,
    base_url: &str,
    key: &JobKey,
) -> rusqlite::Result<Option<StoredJob>> {
    let query = format!("{SELECT}AND project = ?2 AND job = ?3");
    let mut statement = connection.prepare_cached(&query)?;
    let found = statement.query_row(params![base_url, &*key.project, &*key.id], |row| {
        Ok(from_row(row))
    });
    Ok(found.optional()?.flatten())
}

/// A row as it was written, by us or by somebody else.
fn from_row(row: &Row) -> Option<StoredJob> {
    // In the order of `SELECT`.
    let mut columns = Columns::new(row);
    let key = columns.key();
    let job = Job {
        status: columns.text().map(|word| Status::from_api(&word)),
        repository: columns.text(),
        branch: columns.text(),
        model: columns.text(),
        pull_request: columns.text().map(PullRequest::new),
        created_at: columns.time(),
        archived_at: columns.time(),
    };
    Some(StoredJob {
        key: key?,
        job,
        fetched_at: columns.time()?,
        changed_at: columns.time(),
        progress: Progress {
            started_at: columns.time(),
            finished_at: columns.time(),
            finished_by: columns.time(),
        },
        acknowledged: columns.text().map(Fingerprint::from_text),
        error: error(&mut columns),
    })
}

fn error(columns: &mut Columns) -> Option<Failure> {
    let kind = ErrorKind::named(&columns.text()?)?;
    Some(Failure::new(kind, columns.text()?))
}

/// Stores what a poll found, and returns what changed. What another run has seen later stays.
pub(super) fn record(
    connection: &Connection,
    base_url: &str,
    sighting: &Sighting,
) -> rusqlite::Result<Vec<StoredEvent>> {
    let before = one(connection, base_url, &sighting.key)?;
    // What a clock has stored that was ahead is no later.
    let now = Timestamp::now();
    let is_older = |before: &StoredJob| {
        before.fetched_at > sighting.at && before.fetched_at <= now.max(sighting.at)
    };
    if before.as_ref().is_some_and(is_older) {
        return Ok(Vec::new());
    }
    let (at, job, is_late) = (sighting.at, &sighting.job, sighting.is_late);
    let changes = before
        .as_ref()
        .map(|before| Change::between(&before.job, job));
    let changes = changes.unwrap_or_default();
    let known = before.as_ref().map(|before| before.progress);
    let look = Look {
        at,
        job,
        before: before
            .as_ref()
            .map(|before| (&before.job, before.fetched_at)),
    };
    let progress = Progress::after(known, look);
    let changed_at = match &before {
        _ if !changes.is_empty() => Some(at),
        before => before.as_ref().and_then(|before| before.changed_at),
    };
    put(connection, base_url, sighting, progress, changed_at)?;
    // A job can have failed before any poll has seen it.
    if before.as_ref().is_none_or(|before| before.error.is_some()) {
        forget_error(connection, base_url, &sighting.key)?;
    }
    let seen = before
        .as_ref()
        .and_then(|before| before.acknowledged.as_ref());
    if seen.is_some_and(|seen| *seen != Fingerprint::from(job)) {
        take_back(connection, base_url, &sighting.key)?;
    }
    let seen_at = before.map(|before| before.fetched_at);
    let since = seen_at.filter(|seen| is_late && is_gap(*seen, at));
    let event = |change: Change| StoredEvent {
        ran: progress.ran().filter(|_| change.ends_work()),
        event: Event {
            at,
            since,
            key: sighting.key.clone(),
            change,
        },
    };
    Ok(changes.into_iter().map(event).collect())
}

fn put(
    connection: &Connection,
    base_url: &str,
    sighting: &Sighting,
    progress: Progress,
    changed_at: Option<Timestamp>,
) -> rusqlite::Result<()> {
    let job = &sighting.job;
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO jobs (base_url, project, job, status, repository, branch, model,
            pull_request, created_at, archived_at, fetched_at, changed_at, started_at, finished_at,
            finished_by)
        VALUES (:base_url, :project, :job, :status, :repository, :branch, :model,
            :pull_request, :created_at, :archived_at, :fetched_at, :changed_at, :started_at,
            :finished_at, :finished_by)",
    )?;
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
        ":started_at": progress.started_at.map(to_millis),
        ":finished_at": progress.finished_at.map(to_millis),
        ":finished_by": progress.finished_by.map(to_millis),
    })?;
    Ok(())
}

pub(super) fn touch(
    connection: &Connection,
    base_url: &str,
    key: &JobKey,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE jobs SET fetched_at = ?4
        WHERE base_url = ?1 AND project = ?2 AND job = ?3
            AND (fetched_at <= ?5 OR fetched_at > ?6)",
    )?;
    let worth = at.checked_sub(WORTH_A_WRITE).unwrap_or(Timestamp::MIN);
    let (at, worth) = (to_millis(at), to_millis(worth));
    // What a clock has stored that was ahead is no later.
    let now = to_millis(Timestamp::now()).max(at);
    statement.execute(params![base_url, &*key.project, &*key.id, at, worth, now])?;
    Ok(())
}

/// Stores why polls of a job fail.
pub(super) fn put_error(
    connection: &Connection,
    base_url: &str,
    key: &JobKey,
    failure: &Failure,
) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare_cached("INSERT OR REPLACE INTO errors VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let kind = failure.kind.as_str();
    statement.execute(params![
        base_url,
        &*key.project,
        &*key.id,
        kind,
        failure.message
    ])?;
    Ok(())
}

/// Why the last polls of jobs failed, also of those that no poll has seen.
pub(super) fn errors(
    connection: &Connection,
    base_url: &str,
) -> rusqlite::Result<HashMap<JobKey, Failure>> {
    let mut statement =
        connection.prepare("SELECT project, job, kind, message FROM errors WHERE base_url = ?1")?;
    let rows = statement.query_map([base_url], |row| {
        let mut columns = Columns::new(row);
        let key = columns.key();
        Ok(key.zip(error(&mut columns)))
    })?;
    rows.filter_map(Result::transpose).collect()
}

fn forget_error(connection: &Connection, base_url: &str, key: &JobKey) -> rusqlite::Result<()> {
    let mut statement = connection
        .prepare_cached("DELETE FROM errors WHERE base_url = ?1 AND project = ?2 AND job = ?3")?;
    statement.execute(params![base_url, &*key.project, &*key.id])?;
    Ok(())
}

/// Stores that the user has acknowledged a job, or has taken that back. Where the job has become
/// another meanwhile, it stays as it is.
pub(super) fn acknowledge(
    connection: &Connection,
    base_url: &str,
    acknowledgement: &Acknowledgement,
) -> rusqlite::Result<()> {
    let Acknowledgement { key, seen } = acknowledgement;
    let Some(seen) = seen else {
        return take_back(connection, base_url, key);
    };
    let now = one(connection, base_url, key)?;
    if now.is_some_and(|now| Fingerprint::from(&now.job) != *seen) {
        return Ok(());
    }
    let mut statement = connection
        .prepare_cached("INSERT OR REPLACE INTO acknowledgements VALUES (?1, ?2, ?3, ?4)")?;
    statement.execute(params![base_url, &*key.project, &*key.id, seen.as_str()])?;
    Ok(())
}

fn take_back(connection: &Connection, base_url: &str, key: &JobKey) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "DELETE FROM acknowledgements WHERE base_url = ?1 AND project = ?2 AND job = ?3",
    )?;
    statement.execute(params![base_url, &*key.project, &*key.id])?;
    Ok(())
}

pub(super) fn acknowledged(
    connection: &Connection,
    base_url: &str,
) -> rusqlite::Result<HashMap<JobKey, Fingerprint>> {
    let mut statement = connection
        .prepare("SELECT project, job, fingerprint FROM acknowledgements WHERE base_url = ?1")?;
    let rows = statement.query_map([base_url], |row| {
        let mut columns = Columns::new(row);
        let key = columns.key();
        Ok(key.zip(columns.text().map(Fingerprint::from_text)))
    })?;
    rows.filter_map(Result::transpose).collect()
}
