//! How many writes each project has had this hour, over all runs of the program.
//!
//! The API takes 100 an hour from a project and does not say how many are left, so they are counted
//! here. It is a help, not a gate. This file must not know how a write is made.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{Database, default_path, to_millis};
use crate::job::ProjectId;
use crate::private_file;

/// What the API counts over.
const HOUR: Duration = Duration::from_hours(1);
/// The file that counted writes before the store did, beside the user's own store.
const OLD_FILE: &str = "writes";
/// That file was kept below half of this.
const MAX_OLD_BYTES: u64 = 128 * 1024;

impl Database {
    /// Counts a write to `project`, and forgets those of hours gone by.
    pub fn count_write(&mut self, project: &ProjectId, at: Timestamp) -> rusqlite::Result<()> {
        let base_url = self.base_url.clone();
        let transaction = self.begin()?;
        forget(&transaction, at)?;
        insert(&transaction, &base_url, project, at)?;
        transaction.commit()
    }

    /// How many writes `project` has had in the hour before `now`.
    pub fn writes_this_hour(&self, project: &ProjectId, now: Timestamp) -> rusqlite::Result<usize> {
        let count = "SELECT count(*) FROM writes
            WHERE base_url = ?1 AND project = ?2 AND at > ?3 AND at <= ?4";
        let (since, now) = (to_millis(an_hour_before(now)), to_millis(now));
        let params = params![self.base_url, &**project, since, now];
        self.connection
            .query_row(count, params, |row| row.get(0))
            .map(|count: u32| count as usize)
    }

    /// Takes over, once, what an older mintwatch has counted in a file beside the user's own store.
    pub fn import_old_writes(&mut self, now: Timestamp) -> io::Result<()> {
        match old_file(&self.path, default_path().as_deref()) {
            Some(old) if old.exists() => self.import_writes(&old, now),
            _ => Ok(()),
        }
    }

    fn import_writes(&mut self, old: &Path, now: Timestamp) -> io::Result<()> {
        let base_url = self.base_url.clone();
        let transaction = self.begin().map_err(io::Error::other)?;
        let text = match read(old) {
            // Another run was first.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            text => text?,
        };
        for (at, project) in recent(&text, now) {
            insert(&transaction, &base_url, project, at).map_err(io::Error::other)?;
        }
        // Before another run can have the lock that this one has, or it would count them again.
        fs::remove_file(old)?;
        transaction.commit().map_err(io::Error::other)
    }
}

fn insert(
    connection: &Connection,
    base_url: &str,
    project: &str,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let insert = "INSERT INTO writes (base_url, project, at) VALUES (?1, ?2, ?3)";
    connection.execute(insert, params![base_url, project, to_millis(at)])?;
    Ok(())
}

/// Forgets the writes of hours gone by, and those of a clock that was far ahead.
fn forget(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let ahead = now.checked_add(HOUR).unwrap_or(Timestamp::MAX);
    let limits = [an_hour_before(now), ahead].map(to_millis);
    connection.execute("DELETE FROM writes WHERE at <= ?1 OR at > ?2", limits)?;
    Ok(())
}

fn an_hour_before(now: Timestamp) -> Timestamp {
    now.checked_sub(HOUR).unwrap_or(Timestamp::MIN)
}

/// The file beside `store`, if that is the user's `own`: beside another it is somebody else's.
fn old_file(store: &Path, own: Option<&Path>) -> Option<PathBuf> {
    (own == Some(store)).then(|| store.with_file_name(OLD_FILE))
}

fn read(old: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    let file = private_file::open_read(old)?;
    file.take(MAX_OLD_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The writes of the hour before `now`, each on a line with its time and its project; other lines are
/// passed over.
fn recent(text: &str, now: Timestamp) -> impl Iterator<Item = (Timestamp, &str)> {
    let writes = text.lines().filter_map(|line| {
        let (at, project) = line.split_once(' ')?;
        Some((at.parse::<Timestamp>().ok()?, project))
    });
    writes.filter(move |(at, _)| *at > an_hour_before(now) && *at <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "https://api.test";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn open(&self, base_url: &str) -> Database {
            let path = self.0.path().join("store.db");
            Database::open(&path, base_url).unwrap().0
        }
    }

    fn stored(database: &Database) -> usize {
        let count = |row: &rusqlite::Row| row.get::<_, u32>(0);
        let rows = database
            .connection
            .query_row("SELECT count(*) FROM writes", [], count);
        rows.unwrap() as usize
    }

    #[test]
    fn only_this_hour_and_this_project_of_this_server_count() {
        let folder = Folder::new();
        let mut writes = folder.open(SERVER);
        assert_eq!(writes.writes_this_hour(&"p".into(), at(0)), Ok(0));
        for (project, second) in [("p", 0), ("p", 10), ("other", 20), ("p", 3_000)] {
            writes.count_write(&project.into(), at(second)).unwrap();
        }
        for (project, second, want) in [
            ("p", 3_000, 3),
            ("p", 3_599, 3),
            ("p", 3_600, 2),
            ("other", 3_605, 1),
            ("p", 9_000, 0),
        ] {
            let count = writes.writes_this_hour(&project.into(), at(second));
            assert_eq!(count, Ok(want), "{project} at {second}");
        }
        let other = folder.open("https://other.test");
        assert_eq!(other.writes_this_hour(&"p".into(), at(3_000)), Ok(0));
    }

    #[test]
    fn a_write_of_a_clock_that_was_ahead_does_not_count_and_is_forgotten() {
        let folder = Folder::new();
        let mut writes = folder.open(SERVER);
        for second in [86_400, 60, 0] {
            writes.count_write(&"p".into(), at(second)).unwrap();
        }
        assert_eq!(writes.writes_this_hour(&"p".into(), at(1)), Ok(1));
        assert_eq!(stored(&writes), 2);
    }

    #[test]
    fn those_of_hours_gone_by_are_forgotten() {
        let folder = Folder::new();
        let mut writes = folder.open(SERVER);
        for second in [0, 1, 3_600] {
            writes.count_write(&"p".into(), at(second)).unwrap();
        }
        assert_eq!(stored(&writes), 2);
    }

    #[test]
    fn those_of_the_file_of_an_older_version_count_once() {
        let folder = Folder::new();
        let old = folder.0.path().join(OLD_FILE);
        let (hour, ahead) = (at(-3_600), at(60));
        let (one, other) = (at(-60), at(0));
        let text = format!(
            "nonsense\n{hour} p\n{ahead} p\n{one} p\n{other} p\n{other} other\n{other}\n\u{fffd}\n"
        );
        fs::write(&old, text).unwrap();
        let (mut first, mut second) = (folder.open(SERVER), folder.open(SERVER));
        first.import_writes(&old, at(0)).unwrap();
        assert!(!old.exists());
        second.import_writes(&old, at(0)).unwrap();
        assert_eq!(second.writes_this_hour(&"p".into(), at(0)), Ok(2));
        assert_eq!(second.writes_this_hour(&"other".into(), at(0)), Ok(1));
        assert_eq!(stored(&first), 3);
    }

    #[test]
    fn what_cannot_be_taken_over_is_left_alone() {
        let folder = Folder::new();
        let old = folder.0.path().join(OLD_FILE);
        fs::create_dir(&old).unwrap();
        let error = folder.open(SERVER).import_writes(&old, at(0)).unwrap_err();
        assert_eq!(error.to_string(), "it is not a regular file");
        assert!(old.exists());
    }

    #[test]
    fn only_beside_the_users_own_store_is_a_file_an_old_one_of_ours() {
        let own = Path::new("/state/store.db");
        let old = Some(PathBuf::from("/state/writes"));
        assert_eq!(old_file(own, Some(own)), old);
        assert_eq!(old_file(Path::new("/other/store.db"), Some(own)), None);
        assert_eq!(old_file(own, None), None);
    }
}
