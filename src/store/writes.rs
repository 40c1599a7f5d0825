//! The writes to the API, of this hour: it takes 100 an hour from a project, and does not say how many
//! are left.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::to_millis;

/// What the API counts over.
const HOUR: Duration = Duration::from_hours(1);

fn hour_before(now: Timestamp) -> i64 {
    to_millis(now.checked_sub(HOUR).unwrap_or(Timestamp::MIN))
}

/// Counts a write, and forgets those of hours gone by.
pub(super) fn count(
    connection: &Connection,
    base_url: &str,
    project: &str,
    at: Timestamp,
) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM writes WHERE at <= ?1", [hour_before(at)])?;
    connection.execute(
        "INSERT INTO writes (base_url, project, at) VALUES (?1, ?2, ?3)",
        params![base_url, project, to_millis(at)],
    )?;
    Ok(())
}

/// A write of a clock that was ahead does not count.
pub(super) fn this_hour(
    connection: &Connection,
    base_url: &str,
    project: &str,
    now: Timestamp,
) -> rusqlite::Result<usize> {
    let count: i64 = connection.query_row(
        "SELECT count(*) FROM writes
        WHERE base_url = ?1 AND project = ?2 AND at > ?3 AND at <= ?4",
        params![base_url, project, hour_before(now), to_millis(now)],
        |row| row.get(0),
    )?;
    Ok(usize::try_from(count).unwrap_or(0))
}
