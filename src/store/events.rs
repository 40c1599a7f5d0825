//! What changed, oldest first.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{StoredEvent, from_millis, to_millis};
use crate::event::{Change, Event};
use crate::job::{JobKey, Status};
use crate::pull_request::PullRequest;
use crate::text;

/// More events than this push the oldest out.
const MAX_EVENTS: i64 = 50_000;

/// What a change is called in the file.
const STATUS: &str = "status";
const PULL_REQUEST: &str = "pull_request";

pub(super) fn insert(
    connection: &Connection,
    base_url: &str,
    event: &Event,
    since: Option<Timestamp>,
) -> rusqlite::Result<i64> {
    let (kind, before, after) = match &event.change {
        Change::Status { from, to } => {
            let word = |status: &Option<Status>| status.as_ref().map(Status::to_string);
            (STATUS, word(from), word(to))
        }
        Change::PullRequest(link) => (PULL_REQUEST, None, Some(link.as_str().to_owned())),
    };
    let mut statement = connection.prepare_cached(
        "INSERT INTO events (at, since, base_url, project, job, kind, before, after)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let JobKey { project, id } = &event.key;
    let (at, since) = (to_millis(event.at), since.map(to_millis));
    statement.insert(params![
        at, since, base_url, &**project, &**id, kind, before, after
    ])
}

pub(super) fn since(
    connection: &Connection,
    base_url: &str,
    since: Timestamp,
) -> rusqlite::Result<Vec<StoredEvent>> {
    let mut statement = connection.prepare(
        "SELECT id, at, since, project, job, kind, before, after FROM events
        WHERE base_url = ?1 AND at >= ?2 ORDER BY id",
    )?;
    let rows = statement.query_map(params![base_url, to_millis(since)], |row| Ok(from_row(row)))?;
    // A row that says what it may not is passed over.
    rows.filter_map(Result::transpose).collect()
}

/// A row as it was written, by us or by somebody else.
fn from_row(row: &Row) -> Option<StoredEvent> {
    let text = |name| {
        let text: Option<String> = row.get(name).ok()?;
        text.map(|text| text::clean(&text))
    };
    let id = |name| row.get::<_, String>(name).ok();
    let status = |name| text(name).map(|word| Status::from_api(&word));
    let change = match &*id("kind")? {
        STATUS => Change::Status {
            from: status("before"),
            to: status("after"),
        },
        PULL_REQUEST => Change::PullRequest(PullRequest::new(text("after")?)),
        _ => return None,
    };
    let since: Option<i64> = row.get("since").ok()?;
    Some(StoredEvent {
        id: row.get("id").ok()?,
        event: Event {
            at: from_millis(row.get("at").ok()?)?,
            key: JobKey::new(id("project")?, id("job")?),
            change,
        },
        since: since.and_then(from_millis),
    })
}

pub(super) fn prune(connection: &Connection, limit: Timestamp) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM events WHERE at < ?1", [to_millis(limit)])?;
    let too_many = "DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?1";
    connection.execute(too_many, [MAX_EVENTS])?;
    Ok(())
}
