//! What belongs to no single job: up to when the user has seen what changed, and which jobs each
//! config lists.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::columns::Columns;
use super::to_millis;
use crate::job::JobKey;

pub(super) fn seen_at(
    connection: &Connection,
    base_url: &str,
    config: &str,
) -> rusqlite::Result<Option<Timestamp>> {
    let query = "SELECT seen_at FROM marks WHERE base_url = ?1 AND config = ?2";
    let parameters = [base_url, config];
    let found = connection.query_row(query, parameters, |row| Ok(Columns::new(row).time()));
    Ok(found.optional()?.flatten())
}

/// The mark of the user, whatever a clock has made of the one before.
pub(super) fn mark_seen(
    connection: &Connection,
    base_url: &str,
    config: &str,
    at: Timestamp,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO marks (config, base_url, seen_at) VALUES (?1, ?2, ?3)
        ON CONFLICT DO UPDATE SET seen_at = excluded.seen_at",
        params![config, base_url, to_millis(at)],
    )?;
    Ok(())
}

/// The jobs that the config at this path has listed when it was last read.
pub(super) fn watched(
    connection: &Connection,
    base_url: &str,
    config: &str,
) -> rusqlite::Result<HashSet<JobKey>> {
    let mut statement = connection
        .prepare("SELECT project, job FROM watched WHERE base_url = ?1 AND config = ?2")?;
    let rows = statement.query_map([base_url, config], |row| Ok(Columns::new(row).key()))?;
    rows.filter_map(Result::transpose).collect()
}

/// Has the config at this path list these jobs and no others.
pub(super) fn set_watched(
    connection: &Connection,
    base_url: &str,
    config: &str,
    jobs: &HashSet<JobKey>,
) -> rusqlite::Result<()> {
    let listed = watched(connection, base_url, config)?;
    let mut remove = connection.prepare_cached(
        "DELETE FROM watched
        WHERE config = ?1 AND base_url = ?2 AND project = ?3 AND job = ?4",
    )?;
    for JobKey { project, id } in listed.difference(jobs) {
        remove.execute(params![config, base_url, &**project, &**id])?;
    }
    let mut add = connection.prepare_cached("INSERT INTO watched VALUES (?1, ?2, ?3, ?4)")?;
    for JobKey { project, id } in jobs.difference(&listed) {
        add.execute(params![config, base_url, &**project, &**id])?;
    }
    Ok(())
}

/// Forgets jobs that no config lists and that nobody has seen since `limit`, with all that is known
/// of them but their events.
pub(super) fn prune(connection: &Connection, limit: Timestamp) -> rusqlite::Result<()> {
    connection.execute(
        "DELETE FROM jobs WHERE fetched_at < ?1 AND (base_url, project, job) NOT IN
            (SELECT base_url, project, job FROM watched)",
        [to_millis(limit)],
    )?;
    let of_nobody = "(base_url, project, job) NOT IN (SELECT base_url, project, job FROM jobs
        UNION ALL SELECT base_url, project, job FROM watched)";
    connection.execute_batch(&format!(
        "DELETE FROM acknowledgements WHERE {of_nobody}; DELETE FROM errors WHERE {of_nobody};"
    ))
}
