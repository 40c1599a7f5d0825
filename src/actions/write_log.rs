//! How many writes each project has had this hour, over all runs of the program.
//!
//! The API takes 100 an hour from a project and does not say how many are left, so they are counted
//! here: a line for each, with its time and its project, in the state folder. It is a help, not a
//! gate: a count that cannot be read is told as unknown. This file must not know how a write is made.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use directories::ProjectDirs;
use jiff::Timestamp;

use crate::job::ProjectId;
use crate::private_file;

/// What the API counts over.
const HOUR: Duration = Duration::from_hours(1);
/// Above this size, lines of hours gone by are dropped.
const MAX_BYTES: u64 = 64 * 1024;
/// How long another run may hold the file: a write that has been made is not kept waiting for long.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone, Debug)]
pub struct WriteLog {
    path: PathBuf,
}

impl WriteLog {
    /// The user's own, below `$XDG_STATE_HOME` or the platform's folder; `None` without a home.
    pub fn open_default() -> Option<Self> {
        let dirs = ProjectDirs::from("", "", "mintwatch")?;
        let folder = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir());
        Some(Self::in_folder(folder))
    }

    /// Those counted in `folder`, which need not exist.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            path: folder.join("writes"),
        }
    }

    /// How many writes `project` has had in the hour before `now`; `None` where that is not known.
    pub fn this_hour(&self, project: &ProjectId, now: Timestamp) -> Option<usize> {
        match self.read() {
            Ok(text) => {
                let own = recent(&text, now).filter(|(_, of)| **project == **of);
                Some(own.count())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(0),
            Err(_) => None,
        }
    }

    pub fn count(&self, project: &ProjectId, now: Timestamp) -> io::Result<()> {
        let mut file = self.open()?;
        if !private_file::lock_within(&file, PATIENCE)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if file.metadata()?.len() > MAX_BYTES {
            self.drop_old_lines(&file, now)?;
        }
        // One short write to a file opened for appending: whole lines, whoever else writes.
        file.write_all(format!("{now} {project}\n").as_bytes())
    }

    /// Whether writes can be counted: makes the folder and the file where they are missing.
    pub fn check(&self) -> io::Result<()> {
        self.open().map(drop)
    }

    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    fn read(&self) -> io::Result<String> {
        let mut text = String::new();
        let file = private_file::open_read(&self.path)?;
        file.take(2 * MAX_BYTES).read_to_string(&mut text)?;
        Ok(text)
    }

    fn open(&self) -> io::Result<File> {
        private_file::create_folder(self.folder())?;
        private_file::open_append(&self.path)
    }

    fn drop_old_lines(&self, file: &File, now: Timestamp) -> io::Result<()> {
        let text = self.read()?;
        let kept = recent(&text, now).map(|(at, of)| format!("{at} {of}\n"));
        let kept = kept.collect::<Vec<_>>().concat();
        file.set_len(0)?;
        let mut file = file;
        file.write_all(kept.as_bytes())
    }
}

/// The writes of the hour before `now`; lines that say something else, and those of a clock that was
/// ahead, are passed over.
fn recent(text: &str, now: Timestamp) -> impl Iterator<Item = (Timestamp, &str)> {
    let writes = text.lines().filter_map(|line| {
        let (at, project) = line.split_once(' ')?;
        Some((at.parse::<Timestamp>().ok()?, project))
    });
    let since = now.checked_sub(HOUR).unwrap_or(Timestamp::MIN);
    writes.filter(move |(at, _)| *at > since && *at <= now)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    #[test]
    fn only_this_hour_and_this_project_count() {
        let folder = tempfile::tempdir().unwrap();
        let writes = WriteLog::in_folder(&folder.path().join("new"));
        assert_eq!(writes.this_hour(&"p".into(), at(0)), Some(0));
        for (project, second) in [("p", 0), ("p", 10), ("other", 20), ("p", 3_000)] {
            writes.count(&project.into(), at(second)).unwrap();
        }
        assert_eq!(writes.this_hour(&"p".into(), at(3_000)), Some(3));
        assert_eq!(writes.this_hour(&"p".into(), at(3_605)), Some(2));
        assert_eq!(writes.this_hour(&"other".into(), at(3_605)), Some(1));
        assert_eq!(writes.this_hour(&"p".into(), at(9_000)), Some(0));
    }

    #[test]
    fn a_write_of_a_clock_that_was_ahead_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let log = WriteLog::in_folder(folder.path());
        log.count(&"p".into(), at(86_400)).unwrap();
        log.count(&"p".into(), at(0)).unwrap();
        assert_eq!(log.this_hour(&"p".into(), at(1)), Some(1));
    }

    #[test]
    fn old_lines_go_and_odd_lines_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let writes = WriteLog::in_folder(folder.path());
        fs::write(&writes.path, "nonsense\n".repeat(10_000)).unwrap();
        writes.count(&"p".into(), at(0)).unwrap();
        assert_eq!(writes.this_hour(&"p".into(), at(1)), Some(1));
        assert!(fs::metadata(&writes.path).unwrap().len() < 100);
    }
}
