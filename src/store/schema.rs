//! The tables, and how older ones become these.
//!
//! Steps only add. A store that a newer mintwatch has written is left alone.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, ffi};

use super::PATIENCE;

/// Each step makes the next version of the schema; the first makes version 1.
const STEPS: &[&str] = &[
    "
    CREATE TABLE jobs (
        base_url TEXT NOT NULL,
        project TEXT NOT NULL,
        job TEXT NOT NULL,
        status TEXT,
        repository TEXT,
        branch TEXT,
        model TEXT,
        pull_request TEXT,
        created_at INTEGER,
        archived_at INTEGER,
        fetched_at INTEGER NOT NULL,
        changed_at INTEGER,
        finished_at INTEGER,
        PRIMARY KEY (base_url, project, job)
    ) WITHOUT ROWID;
    CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        since INTEGER,
        base_url TEXT NOT NULL,
        project TEXT NOT NULL,
        job TEXT NOT NULL,
        kind TEXT NOT NULL,
        before TEXT,
        after TEXT
    );
    CREATE INDEX events_at ON events (base_url, at);
",
    "
    ALTER TABLE jobs ADD COLUMN started_at INTEGER;
    ALTER TABLE jobs ADD COLUMN finished_by INTEGER;
    UPDATE jobs SET finished_by = coalesce(finished_at, changed_at, fetched_at)
        WHERE status IN ('completed', 'failed', 'archived');
    ALTER TABLE events ADD COLUMN ran INTEGER;
    CREATE TABLE errors (
        base_url TEXT NOT NULL,
        project TEXT NOT NULL,
        job TEXT NOT NULL,
        kind TEXT NOT NULL,
        message TEXT NOT NULL,
        PRIMARY KEY (base_url, project, job)
    ) WITHOUT ROWID;
    CREATE TABLE acknowledgements (
        base_url TEXT NOT NULL,
        project TEXT NOT NULL,
        job TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        PRIMARY KEY (base_url, project, job)
    ) WITHOUT ROWID;
    CREATE TABLE marks (
        config TEXT NOT NULL,
        base_url TEXT NOT NULL,
        seen_at INTEGER NOT NULL,
        PRIMARY KEY (config, base_url)
    ) WITHOUT ROWID;
    CREATE TABLE watched (
        config TEXT NOT NULL,
        base_url TEXT NOT NULL,
        project TEXT NOT NULL,
        job TEXT NOT NULL,
        PRIMARY KEY (config, base_url, project, job)
    ) WITHOUT ROWID;
    CREATE TABLE writes (
        base_url TEXT NOT NULL,
        project TEXT NOT NULL,
        at INTEGER NOT NULL
    );
",
];

#[derive(Debug)]
pub(super) enum Fault {
    Newer(i64),
    /// It has tables that we did not make.
    Foreign,
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newer(version) => write!(f, "it has schema {version}"),
            Self::Foreign => write!(f, "it is the database of another program"),
            Self::Sqlite(error) => error.fmt(f),
        }
    }
}

/// Whether the file is no database, or one that is damaged.
pub(super) fn is_corrupt(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// Whether another process keeps the file for itself.
pub(super) fn is_locked(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    /// And to read, where the system refuses more.
    Write,
}

impl Access {
    fn flags(self) -> OpenFlags {
        let access = match self {
            Self::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Self::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
        access | OpenFlags::SQLITE_OPEN_NO_MUTEX
    }
}

/// Opens the file at `path`, which is there, with the newest schema.
pub(super) fn open(path: &Path, access: Access) -> Result<Connection, Fault> {
    let (mut connection, version) = connect(path, access, PATIENCE)?;
    if version == 0 {
        // Only before there is a table: later it would be written each time.
        connection.pragma_update(None, "auto_vacuum", "FULL")?;
    }
    // State folders lie on network homes, where a write-ahead log cannot be shared.
    connection.pragma_update_and_check(None, "journal_mode", "TRUNCATE", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // In KiB where negative: the file is read once and then seldom.
    connection.pragma_update(None, "cache_size", -256)?;
    if version < newest() {
        migrate(&mut connection)?;
    }
    Ok(connection)
}

/// Opens the file at `path`, which is there and stays as it is; `None` where its schema is an older one.
/// What a crash has left half done is taken back all the same, before anything is read.
pub(super) fn open_read_only(path: &Path, patience: Duration) -> Result<Option<Connection>, Fault> {
    let (connection, version) = connect(path, Access::Write, patience)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok((version == newest()).then_some(connection))
}

/// A connection to the file at `path`, which is there, and the version of its schema. Another process
/// may keep it locked for as long as `patience`.
pub(super) fn connect(
    path: &Path,
    access: Access,
    patience: Duration,
) -> Result<(Connection, i64), Fault> {
    let mut connection = Connection::open_with_flags(path, access.flags())?;
    connection.busy_timeout(patience)?;
    // Nothing that the file says may run code of ours.
    connection.pragma_update(None, "trusted_schema", false)?;
    let version = version(&mut connection)?;
    Ok((connection, version))
}

/// The version of the schema, in a file that nobody else has made.
fn version(connection: &mut Connection) -> Result<i64, Fault> {
    // At once: another run may be making the tables.
    let transaction = connection.transaction()?;
    let version = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > newest() || version < 0 {
        return Err(Fault::Newer(version));
    }
    if is_foreign(&transaction, version)? {
        return Err(Fault::Foreign);
    }
    Ok(version)
}

fn is_foreign(connection: &Connection, version: i64) -> rusqlite::Result<bool> {
    if version == 0 {
        let has_tables = "SELECT EXISTS (SELECT 1 FROM sqlite_schema)";
        return connection.query_row(has_tables, [], |row| row.get(0));
    }
    // Ours has neither: what others add could run for ever.
    let has_code = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type IN ('view', 'trigger'))";
    if connection.query_row(has_code, [], |row| row.get(0))? {
        return Ok(true);
    }
    match connection.prepare("SELECT jobs.fetched_at, events.kind FROM jobs, events") {
        Ok(_) => Ok(false),
        // No such table, or no such column.
        Err(rusqlite::Error::SqlInputError { .. }) => Ok(true),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Looks at the whole file; what is damaged in it is an error for which [`is_corrupt`] holds.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<()> {
    let found: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    let code = ffi::Error::new(ffi::SQLITE_CORRUPT);
    Err(rusqlite::Error::SqliteFailure(code, Some(found)))
}

fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another run may have been first.
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(version).unwrap_or(0);
    for step in STEPS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", newest())?;
    transaction.commit()
}
