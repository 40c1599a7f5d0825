//! What is remembered between runs, in a database file in the state folder.
//!
//! It holds the last good values of each job, what changed about them, and this hour's writes.
//! The transaction that changes what is stored of a job is the one that stores the event, so that of
//! several runs that see the same change one records it, once.
//!
//! Everything here waits for the disk. This file must not know the board, or who asks; what it reads
//! is text from outside, since others can write the file.

mod check;
mod columns;
mod events;
mod file_system;
mod jobs;
mod location;
mod marks;
mod schema;
mod summary;
mod thread;
mod writes;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::event::Event;
use crate::failure::Failure;
use crate::job::{Acknowledgement, Fingerprint, Job, JobKey};
use crate::private_file;
use crate::progress::Progress;
use schema::Access;

pub use check::{Checked, StoreState, check};
pub use location::{config_name, default_path, path};
pub use summary::Summary;
pub use thread::{Finding, Found, News, StoreHandle, StoreOptions, StoreThread, Teller};

/// How long another run may hold the file before a change is kept for later.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// What is known of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredJob {
    pub key: JobKey,
    /// As the last good reply told it, at `fetched_at`.
    pub job: Job,
    pub fetched_at: Timestamp,
    /// When a poll last found another status or pull request, if one has.
    pub changed_at: Option<Timestamp>,
    pub progress: Progress,
    /// What the user has acknowledged of it.
    pub acknowledged: Option<Fingerprint>,
    /// Why the last poll failed, if it did.
    pub error: Option<Failure>,
}

/// A change that was found by this or another run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    pub event: Event,
    /// How long the job had run, where it ended its work by this and that is known.
    pub ran: Option<Duration>,
}

/// What a good reply told.
#[derive(Clone, Debug)]
pub struct Sighting {
    pub key: JobKey,
    pub at: Timestamp,
    pub job: Job,
    /// Whether nothing had seen the job for long: what changed did so since the last look.
    pub is_late: bool,
}

/// What is stored together, all or nothing.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub sightings: Vec<Sighting>,
    /// Why polls fail.
    pub failures: HashMap<JobKey, Failure>,
    pub acknowledgements: Vec<Acknowledgement>,
    /// The user has seen what changed up to then.
    pub seen_at: Option<Timestamp>,
    /// The jobs that the config lists.
    pub watched: Option<HashSet<JobKey>>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.sightings.is_empty()
            && self.failures.is_empty()
            && self.acknowledgements.is_empty()
            && self.seen_at.is_none()
            && self.watched.is_none()
    }
}

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{path}: written by a newer mintwatch (schema {version})", path = path.display())]
    Newer { path: PathBuf, version: i64 },
    /// To be read only, so that it stays as it is.
    #[error("{path}: written by an older mintwatch; the dashboard and `mintwatch list` bring it up to date", path = path.display())]
    Older { path: PathBuf },
    #[error("{path}: nothing is stored yet; the dashboard and `mintwatch list` do that", path = path.display())]
    Missing { path: PathBuf },
    #[error("{path}: {why}", path = path.display())]
    Unusable { path: PathBuf, why: String },
    /// It can be another time.
    #[error("{path}: another process keeps it locked", path = path.display())]
    Locked { path: PathBuf },
}

impl OpenError {
    fn unusable(path: &Path, why: &impl fmt::Display) -> Self {
        let (path, why) = (path.to_owned(), why.to_string());
        Self::Unusable { path, why }
    }

    /// Why the store at `path` cannot be read or written.
    pub fn from_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        if schema::is_locked(error) {
            let path = path.to_owned();
            return Self::Locked { path };
        }
        Self::unusable(path, error)
    }

    fn from_fault(path: &Path, fault: &schema::Fault) -> Self {
        let path = path.to_owned();
        match fault {
            schema::Fault::Newer(version) => {
                let version = *version;
                Self::Newer { path, version }
            }
            schema::Fault::Foreign => Self::unusable(&path, fault),
            schema::Fault::Sqlite(error) => Self::from_sqlite(&path, error),
        }
    }
}

/// The open file. Of one server: jobs of two servers can have the same ids.
pub struct Database {
    connection: Connection,
    base_url: String,
    /// The path of the config whose marks and events these are.
    config: String,
    path: PathBuf,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// What opening did besides.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Where a file was moved that was no database any more.
    pub moved_to: Option<PathBuf>,
}

impl Database {
    /// Opens the store at `path`, and makes it where it is missing; one that cannot be written is
    /// opened to read. A file that is no database any more is moved aside.
    pub fn open(path: &Path, base_url: &str) -> Result<(Self, Opened), OpenError> {
        Self::open_with(path, base_url, schema::open)
    }

    /// The same where reading the file, as it was then, has shown that it is damaged: looks at all
    /// of it, since another run may have moved it aside by now.
    fn recover(path: &Path, base_url: &str) -> Result<(Self, Opened), OpenError> {
        Self::open_with(path, base_url, |path, access| {
            let connection = schema::open(path, access)?;
            schema::check(&connection)?;
            Ok(connection)
        })
    }

    fn open_with(
        path: &Path,
        base_url: &str,
        open: impl Fn(&Path, Access) -> Result<Connection, schema::Fault>,
    ) -> Result<(Self, Opened), OpenError> {
        let access = create(path).map_err(|error| OpenError::unusable(path, &error))?;
        let mut opened = Opened::default();
        let connection = match open(path, access) {
            Err(schema::Fault::Sqlite(error)) if schema::is_corrupt(&error) => {
                let moved_to = move_aside(path);
                opened.moved_to = Some(moved_to.map_err(|e| OpenError::unusable(path, &e))?);
                schema::open(path, Access::Write)
            }
            connection => connection,
        };
        let database = Self {
            connection: connection.map_err(|fault| OpenError::from_fault(path, &fault))?,
            base_url: base_url.to_owned(),
            config: String::new(),
            path: path.to_owned(),
        };
        Ok((database, opened))
    }

    /// Opens the store at `path` to read it as it is: nothing is made, brought up to date or moved.
    /// Another run may hold it for as long as `patience`.
    pub fn open_read_only(
        path: &Path,
        base_url: &str,
        patience: Duration,
    ) -> Result<Self, OpenError> {
        let path_of = || path.to_owned();
        private_file::check_regular(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => OpenError::Missing { path: path_of() },
            _ => OpenError::unusable(path, &error),
        })?;
        let opened = schema::open_read_only(path, patience);
        let connection = opened.map_err(|fault| OpenError::from_fault(path, &fault))?;
        Ok(Self {
            connection: connection.ok_or_else(|| OpenError::Older { path: path_of() })?,
            base_url: base_url.to_owned(),
            config: String::new(),
            path: path_of(),
        })
    }

    /// The same, as the config at this path has it: with marks, jobs and events of its own.
    #[must_use]
    pub fn of_config(mut self, config: &str) -> Self {
        config.clone_into(&mut self.config);
        self
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is stored of every job of this server.
    pub fn jobs(&self) -> rusqlite::Result<Vec<StoredJob>> {
        jobs::all(&self.connection, &self.base_url)
    }

    /// How many there are of each sort of the jobs that the config at this path has listed when it was
    /// last read.
    pub fn summary(&self) -> rusqlite::Result<Summary> {
        summary::read(&self.connection, &self.base_url, &self.config)
    }

    /// Stores what polls found, all or nothing, and returns the events that this made: none where
    /// another run has recorded the change already.
    #[cfg(test)]
    fn record(&mut self, sightings: Vec<Sighting>) -> rusqlite::Result<Vec<StoredEvent>> {
        self.store(&Batch {
            sightings,
            ..Batch::default()
        })
    }

    /// Stores all of `batch` or nothing, and returns the events that this made.
    pub fn store(&mut self, batch: &Batch) -> rusqlite::Result<Vec<StoredEvent>> {
        let (base_url, config) = (self.base_url.clone(), self.config.clone());
        let transaction = self.begin()?;
        let mut recorded = Vec::new();
        if let Some(jobs) = &batch.watched {
            marks::set_watched(&transaction, &base_url, &config, jobs)?;
        }
        for sighting in &batch.sightings {
            recorded.extend(jobs::record(&transaction, &base_url, sighting)?);
        }
        for event in &recorded {
            events::insert(&transaction, &base_url, event)?;
        }
        for (key, failure) in &batch.failures {
            jobs::put_error(&transaction, &base_url, key, failure)?;
        }
        for acknowledgement in &batch.acknowledgements {
            jobs::acknowledge(&transaction, &base_url, acknowledgement)?;
        }
        if let Some(at) = batch.seen_at {
            marks::mark_seen(&transaction, &base_url, &config, at)?;
        }
        transaction.commit()?;
        Ok(recorded)
    }

    /// Why the last polls of jobs failed, also of those that no poll has seen.
    pub fn errors(&self) -> rusqlite::Result<HashMap<JobKey, Failure>> {
        jobs::errors(&self.connection, &self.base_url)
    }

    /// What the user has acknowledged.
    pub fn acknowledged(&self) -> rusqlite::Result<HashMap<JobKey, Fingerprint>> {
        jobs::acknowledged(&self.connection, &self.base_url)
    }

    /// Up to when the user has seen what changed.
    pub fn seen_at(&self) -> rusqlite::Result<Option<Timestamp>> {
        marks::seen_at(&self.connection, &self.base_url, &self.config)
    }

    /// Changes whenever another connection than this one has changed the file.
    pub fn version(&self) -> rusqlite::Result<i64> {
        self.connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
    }

    /// Stores that polls found nothing new.
    pub fn touch(&mut self, jobs: &HashMap<JobKey, Timestamp>) -> rusqlite::Result<()> {
        let base_url = self.base_url.clone();
        let transaction = self.begin()?;
        for (key, at) in jobs {
            jobs::touch(&transaction, &base_url, key, *at)?;
        }
        transaction.commit()
    }

    /// What changed at or after `since`, oldest first; of more than `most` only the newest.
    pub fn events(&self, since: Timestamp, most: usize) -> rusqlite::Result<Vec<StoredEvent>> {
        events::newest(&self.connection, &self.base_url, &self.config, since, most)
    }

    /// Forgets events and jobs of before `limit`, and the oldest of too many events. What a config
    /// lists stays.
    pub fn prune(&mut self, limit: Timestamp) -> rusqlite::Result<()> {
        let transaction = self.begin()?;
        events::prune(&transaction, limit)?;
        marks::prune(&transaction, limit)?;
        transaction.commit()
    }

    /// Locked from its beginning: what is read in it is what is changed.
    fn begin(&mut self) -> rusqlite::Result<Transaction<'_>> {
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
    }
}

/// Makes the file at `path` where it is missing, with a mode of our own, before `SQLite` would. One
/// that others can read, and that cannot be closed to them, is only read.
fn create(path: &Path) -> io::Result<Access> {
    private_file::create_folder(path.parent().unwrap_or(Path::new(".")))?;
    match private_file::create_missing(path) {
        Ok(()) => Ok(Access::Write),
        Err(error) if is_refused(&error) && path.is_file() => Ok(Access::Read),
        Err(error) => Err(error),
    }
}

fn is_refused(error: &io::Error) -> bool {
    let kinds = [
        io::ErrorKind::PermissionDenied,
        io::ErrorKind::ReadOnlyFilesystem,
    ];
    kinds.contains(&error.kind())
}

/// Moves a file to a name of its own beside it.
fn move_aside(path: &Path) -> io::Result<PathBuf> {
    let mut name = path.to_owned().into_os_string();
    name.push(".corrupt");
    let aside = PathBuf::from(name);
    std::fs::rename(path, &aside)?;
    private_file::create_missing(path)?;
    Ok(aside)
}

/// Milliseconds since 1970, as the store has times.
fn to_millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A time from the store; one that there cannot be is none.
fn from_millis(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis).ok()
}

#[cfg(test)]
mod tests;
