//! What there is of a store, and whether runs can use it, told without changing anything.
//!
//! This file must not know who is told, or how to fix it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use rustix::fs::{Access, access};

use super::schema::{self, Fault, is_corrupt};
use super::{PATIENCE, file_system};
use crate::private_file;

/// What was found at the path of a store.
#[derive(Debug)]
pub struct Checked {
    pub state: StoreState,
    /// The network file system that it is on, or will be on, if that is known to be one.
    pub network: Option<&'static str>,
}

#[derive(Debug)]
pub enum StoreState {
    /// The next run that remembers makes it.
    Missing,
    Sound {
        bytes: u64,
        jobs: u64,
        events: u64,
    },
    /// A run has ended in the middle of a change, which the next one takes back.
    Interrupted,
    /// Of this schema.
    Newer(i64),
    Damaged(String),
    /// Another process kept it for longer than a run waits.
    Locked,
    /// The file, or a folder, that cannot be written.
    Unwritable {
        path: PathBuf,
        error: io::Error,
    },
    Unreadable(String),
}

/// Looks at the store at `path`, which need not exist.
pub fn check(path: &Path) -> Checked {
    check_within(path, PATIENCE)
}

fn check_within(path: &Path, patience: Duration) -> Checked {
    let network = nearest_folder(path).and_then(file_system::network);
    let state = check_access(path).and_then(|size| match size {
        Some(bytes) => read(path, bytes, patience).map_err(StoreState::from),
        None => Ok(StoreState::Missing),
    });
    let state = state.unwrap_or_else(|problem| problem);
    Checked { state, network }
}

/// The size of the file, if it is there, where both it and its folder can be written.
fn check_access(path: &Path) -> Result<Option<u64>, StoreState> {
    let unwritable = |path: &Path, error| StoreState::Unwritable {
        path: path.to_owned(),
        error,
    };
    if let Some(folder) = nearest_folder(path) {
        check_folder(folder).map_err(|error| unwritable(folder, error))?;
    }
    let size = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(found) if found.is_file() => {
            let writable = access(path, Access::READ_OK | Access::WRITE_OK);
            writable.map_err(io::Error::from).map(|()| found.len())
        }
        Ok(_) => Err(io::Error::other("it is not a regular file")),
        Err(error) => Err(error),
    };
    size.map(Some).map_err(|error| unwritable(path, error))
}

/// The file needs a journal beside it.
fn check_folder(folder: &Path) -> io::Result<()> {
    if !fs::metadata(folder)?.is_dir() {
        return Err(io::Error::other("it is not a folder"));
    }
    Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// The folder of `path`, or what there is on the way to it.
fn nearest_folder(path: &Path) -> Option<&Path> {
    let folders = private_file::folder_of(path).ancestors();
    folders.map(named).find(|folder| {
        let error = fs::metadata(folder).err().map(|error| error.kind());
        let missing = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
        error.is_none_or(|error| !missing.contains(&error))
    })
}

/// A relative path ends in the folder that the program runs in.
fn named(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() {
        return Path::new(".");
    }
    folder
}

/// Reads the file at `path` as one that may not be changed.
fn read(path: &Path, bytes: u64, patience: Duration) -> Result<StoreState, Fault> {
    let (connection, version) = schema::connect(path, schema::Access::Read, patience)?;
    let found: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    if found != "ok" {
        return Ok(StoreState::Damaged(found));
    }
    // Before its first run has made the tables there are none.
    let count = |table| match version {
        0 => Ok(0),
        _ => count(&connection, table),
    };
    Ok(StoreState::Sound {
        bytes,
        jobs: count("jobs")?,
        events: count("events")?,
    })
}

fn count(connection: &Connection, table: &str) -> rusqlite::Result<u64> {
    let count = format!("SELECT count(*) FROM {table}");
    let rows = connection.query_row(&count, [], |row| row.get(0));
    rows.map(|rows: u32| rows.into())
}

impl From<Fault> for StoreState {
    fn from(fault: Fault) -> Self {
        let error = match fault {
            Fault::Newer(version) => return Self::Newer(version),
            Fault::Foreign => return Self::Unreadable(fault.to_string()),
            Fault::Sqlite(error) => error,
        };
        match error.sqlite_error_code() {
            _ if is_corrupt(&error) => Self::Damaged(error.to_string()),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            // It would have to be written to be read.
            Some(ErrorCode::ReadOnly) => Self::Interrupted,
            _ => Self::Unreadable(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::store::Database;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("store.db")
        }

        fn database(&self) -> Connection {
            drop(Database::open(&self.path(), "https://api.test").unwrap());
            Connection::open(self.path()).unwrap()
        }

        /// What is found, which changes nothing: neither the files nor what is in them.
        fn check(&self) -> StoreState {
            let before = self.files();
            let checked = check_within(&self.path(), Duration::ZERO);
            assert_eq!(self.files(), before);
            checked.state
        }

        fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
            let entries = fs::read_dir(self.0.path()).unwrap();
            let paths = entries.map(|entry| entry.unwrap().path());
            paths
                .map(|path| (path.clone(), fs::read(path).unwrap_or_default()))
                .collect()
        }
    }

    #[test]
    fn a_sound_store_says_what_it_holds() {
        let folder = Folder::new();
        folder
            .database()
            .execute_batch(
                "INSERT INTO jobs (base_url, project, job, fetched_at)
                     VALUES ('s', 'p', 'a', 1), ('s', 'p', 'b', 1);
                 INSERT INTO events (base_url, at, project, job, kind)
                     VALUES ('s', 1, 'p', 'a', 'status');",
            )
            .unwrap();
        let size = fs::metadata(folder.path()).unwrap().len();
        let state = folder.check();
        assert!(
            matches!(state, StoreState::Sound { bytes, jobs: 2, events: 1 } if bytes == size),
            "{state:?}"
        );
    }

    #[test]
    fn one_that_is_missing_or_empty_is_left_so() {
        let folder = Folder::new();
        assert!(matches!(folder.check(), StoreState::Missing));
        let below = folder.path().with_file_name("new/folder/store.db");
        assert!(matches!(check(&below).state, StoreState::Missing));
        assert!(!below.parent().unwrap().exists());
        fs::write(folder.path(), "").unwrap();
        let state = folder.check();
        assert!(
            matches!(
                state,
                StoreState::Sound {
                    bytes: 0,
                    jobs: 0,
                    events: 0
                }
            ),
            "{state:?}"
        );
    }

    #[test]
    fn an_older_one_is_not_migrated_and_a_newer_one_is_named() {
        let folder = Folder::new();
        let database = folder.database();
        database.pragma_update(None, "user_version", 1).unwrap();
        assert!(matches!(folder.check(), StoreState::Sound { .. }));
        database.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(folder.check(), StoreState::Newer(99)));
    }

    #[test]
    fn a_damaged_one_is_not_moved() {
        let folder = Folder::new();
        fs::write(folder.path(), "not a database ".repeat(1_000)).unwrap();
        assert!(matches!(folder.check(), StoreState::Damaged(_)));
        fs::remove_file(folder.path()).unwrap();
        drop(folder.database());
        let mut bytes = fs::read(folder.path()).unwrap();
        let page = bytes.len() - 4_096;
        bytes[page..].fill(0xff);
        fs::write(folder.path(), bytes).unwrap();
        let state = folder.check();
        assert!(matches!(state, StoreState::Damaged(_)), "{state:?}");
    }

    #[test]
    fn one_that_another_process_keeps_is_not_waited_for_endlessly() {
        let folder = Folder::new();
        let other = folder.database();
        other.execute_batch("BEGIN EXCLUSIVE").unwrap();
        assert!(matches!(folder.check(), StoreState::Locked));
    }

    /// As a killed process leaves it: the journal with the old page, and the file with a new one.
    #[test]
    fn a_change_that_was_interrupted_is_not_taken_back_here() {
        let folder = Folder::new();
        let database = folder.database();
        database
            .execute_batch(
                "PRAGMA cache_size = 1; PRAGMA journal_mode = TRUNCATE; BEGIN;
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000)
                 INSERT INTO writes SELECT 's', 'a project with a long name', i FROM n;",
            )
            .unwrap();
        let killed = Folder::new();
        for (path, bytes) in folder.files() {
            fs::write(killed.0.path().join(path.file_name().unwrap()), bytes).unwrap();
        }
        let state = killed.check();
        assert!(matches!(state, StoreState::Interrupted), "{state:?}");
    }

    #[test]
    fn what_is_no_file_and_what_is_no_folder_cannot_be_written() {
        let folder = Folder::new();
        fs::create_dir(folder.path()).unwrap();
        let at = |path: &Path| match check(path).state {
            StoreState::Unwritable { path, error } => (path, error.to_string()),
            other => panic!("{other:?}"),
        };
        let why = String::from("it is not a regular file");
        assert_eq!(at(&folder.path()), (folder.path(), why));
        let file = folder.path().with_file_name("file");
        fs::write(&file, "").unwrap();
        let want = (file.clone(), String::from("it is not a folder"));
        assert_eq!(at(&file.join("folder/store.db")), want);
    }
}
