//! What changed, oldest first.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::columns::Columns;
use super::{StoredEvent, to_millis};
use crate::event::{Change, Event};
use crate::job::{JobKey, Status};
use crate::pull_request::PullRequest;

/// More events than this push the oldest out.
const MAX_EVENTS: i64 = 50_000;

/// What a change is called in the file.
const STATUS: &str = "status";
const PULL_REQUEST: &str = "pull_request";

pub(super) fn insert(
    connection: &Connection,
    base_url: &str,
    stored: &StoredEvent,
) -> rusqlite::Result<()> {
    let event = &stored.event;
    let (kind, before, after) = match &event.change {
        Change::Status { from, to } => {
            let word = |status: &Option<Status>| status.as_ref().map(Status::to_string);
            (STATUS, word(from), word(to))
        }
        Change::PullRequest(link) => (PULL_REQUEST, None, Some(link.as_str().to_owned())),
    };
    let mut statement = connection.prepare_cached(
        "INSERT INTO events (at, since, base_url, project, job, kind, before, after, ran)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let JobKey { project, id } = &event.key;
    let (at, since) = (to_millis(event.at), event.since.map(to_millis));
    let ran = stored
        .ran
        .and_then(|ran| i64::try_from(ran.as_millis()).ok());
    statement.insert(params![
        at, since, base_url, &**project, &**id, kind, before, after, ran
    ])?;
    Ok(())
}

/// The newest `most` of those at or after `since`, oldest first, without those of jobs that only other
/// configs list.
pub(super) fn newest(
    connection: &Connection,
    base_url: &str,
    config: &str,
    since: Timestamp,
    most: usize,
) -> rusqlite::Result<Vec<StoredEvent>> {
    let mut statement = connection.prepare(
        "SELECT at, since, project, job, kind, before, after, ran FROM events
        WHERE base_url = ?1 AND at >= ?2 AND (
            (project, job) IN
                (SELECT project, job FROM watched WHERE config = ?4 AND base_url = ?1)
            OR (project, job) NOT IN (SELECT project, job FROM watched WHERE base_url = ?1))
        ORDER BY id DESC LIMIT ?3",
    )?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let parameters = params![base_url, to_millis(since), most, config];
    let rows = statement.query_map(parameters, |row| Ok(from_row(row)))?;
    // A row that says what it may not is passed over.
    let events: rusqlite::Result<Vec<_>> = rows.filter_map(Result::transpose).collect();
    events.map(|mut events| {
        events.reverse();
        events
    })
}

/// A row as it was written, by us or by somebody else.
fn from_row(row: &Row) -> Option<StoredEvent> {
    // In the order of the query.
    let mut columns = Columns::new(row);
    let (at, since, key) = (columns.time(), columns.time(), columns.key());
    let (kind, before, after) = (columns.text()?, columns.text(), columns.text());
    let status = |word: Option<String>| word.map(|word| Status::from_api(&word));
    let change = match &*kind {
        STATUS => Change::Status {
            from: status(before),
            to: status(after),
        },
        PULL_REQUEST => Change::PullRequest(PullRequest::new(after?)),
        _ => return None,
    };
    let ran = columns.number().and_then(|ran| u64::try_from(ran).ok());
    Some(StoredEvent {
        event: Event {
            at: at?,
            since,
            key: key?,
            change,
        },
        ran: ran.map(Duration::from_millis),
    })
}

pub(super) fn prune(connection: &Connection, limit: Timestamp) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM events WHERE at < ?1", [to_millis(limit)])?;
    let too_many = "DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?1";
    connection.execute(too_many, [MAX_EVENTS])?;
    Ok(())
}
