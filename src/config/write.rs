//! Changing a file so that it is the old one or the new one at any moment, and no other change is
//! lost: a lock, a file beside it, a rename.
//!
//! This file must not know what a config says.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::error::{ConfigError, shown};
use super::file;

/// How long another change may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often to look whether it is over.
const PAUSE: Duration = Duration::from_millis(5);
/// The end of the name of a file that is not complete yet.
const UNFINISHED: &str = ".tmp";

/// Replaces the text of the file at `path` by what `edit` makes of it, under a lock that every such
/// change takes; `None` leaves it. Returns whether it was written. A symlink, the mode and the owner
/// stay. This waits for the disk, and up to ten seconds for another change.
pub fn edit_file<E: From<ConfigError>>(
    path: &Path,
    edit: impl FnOnce(&str) -> Result<Option<String>, E>,
) -> Result<bool, E> {
    let target = Target::of(path)?;
    let _lock = target.lock()?;
    let old = file::read(path)?;
    match edit(&old)?.filter(|new| *new != old) {
        Some(new) => Ok(target.replace(&new).map(|()| true)?),
        None => Ok(false),
    }
}

/// The file that is changed.
struct Target<'a> {
    /// Its path as a person knows it.
    path: &'a Path,
    /// Where it really is: what a symlink points to.
    real: PathBuf,
    folder: PathBuf,
    /// The beginning of the names of the files that are written beside it.
    prefix: OsString,
}

impl<'a> Target<'a> {
    fn of(path: &'a Path) -> Result<Self, ConfigError> {
        let real = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
        let (Some(folder), Some(name)) = (real.parent(), real.file_name()) else {
            return Err(unwritable(path, "it is a folder"));
        };
        let mut prefix = OsString::from(".");
        prefix.push(name);
        let target = Self {
            path,
            folder: folder.to_owned(),
            prefix,
            real: real.clone(),
        };
        target.check()?;
        Ok(target)
    }

    /// A rename could replace a file that nobody may write, or that is none: whoever made it so
    /// had a reason.
    fn check(&self) -> Result<(), ConfigError> {
        let found = self.metadata()?;
        if !found.is_file() {
            return Err(unwritable(self.path, "it is not a regular file"));
        }
        let opened = OpenOptions::new().write(true).open(&self.real);
        let denied = matches!(&opened, Err(error) if error.kind() == ErrorKind::PermissionDenied);
        if found.permissions().readonly() || denied {
            let advice = "it is read-only: edit it where it comes from, or give yourself the \
                          right to write it (chmod u+w)";
            return Err(unwritable(self.path, advice));
        }
        opened.map(drop).map_err(|error| self.failed(&error))
    }

    fn metadata(&self) -> Result<Metadata, ConfigError> {
        fs::metadata(&self.real).map_err(|error| unreadable(self.path, &error))
    }

    /// Waits until no other change is under way. The lock goes with the file that is returned; its
    /// name stays, since whoever waits for it has it open.
    fn lock(&self) -> Result<File, ConfigError> {
        let mut name = self.prefix.clone();
        name.push(".lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(self.folder.join(name))
            .map_err(|error| self.failed(&error))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let advice = "another mintwatch has been changing it for 10 seconds; see \
                                  whether one hangs or is stopped, and try again";
                    return Err(unwritable(self.path, advice));
                }
                Err(TryLockError::Error(error)) => return Err(self.failed(&error)),
            }
        }
    }

    fn replace(&self, text: &str) -> Result<(), ConfigError> {
        self.remove_unfinished();
        let old = self.metadata()?;
        self.write(text, &old, File::sync_all)
            .map_err(|error| self.failed(&error))
    }

    /// `sync` has the system put a file on the disk: only a test has another one than
    /// [`File::sync_all`].
    fn write(
        &self,
        text: &str,
        old: &Metadata,
        sync: impl Fn(&File) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut prefix = self.prefix.clone();
        prefix.push(".");
        let mut file = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(UNFINISHED)
            .tempfile_in(&self.folder)?;
        file.write_all(text.as_bytes())?;
        let own = file.as_file().metadata()?;
        if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
            // Only an administrator may give a file away; for all others it stays their own.
            let _ = fchown(file.as_file(), Some(old.uid()), Some(old.gid()));
        }
        // After the owner, since a change of the owner takes bits of the mode away.
        file.as_file().set_permissions(old.permissions())?;
        sync(file.as_file())?;
        file.persist(&self.real).map_err(|error| error.error)?;
        // The new text is in place. Where a folder cannot be synced, that is all that can be done.
        let _ = File::open(&self.folder).and_then(|folder| sync(&folder));
        Ok(())
    }

    /// Clears away what a killed process left: under the lock, no other is being written.
    fn remove_unfinished(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            if self.is_unfinished(&entry.file_name()) {
                // The next change tries again.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn is_unfinished(&self, name: &OsStr) -> bool {
        let name = name.as_encoded_bytes();
        let rest = name.strip_prefix(self.prefix.as_encoded_bytes());
        let middle = rest.and_then(|rest| rest.strip_suffix(UNFINISHED.as_bytes()));
        // A dot and the six characters of a temporary name.
        middle.is_some_and(|middle| middle.len() == 7 && middle.starts_with(b"."))
    }

    /// `error` in words that say what to do.
    fn failed(&self, error: &io::Error) -> ConfigError {
        let reason = match error.kind() {
            ErrorKind::PermissionDenied => format!(
                "mintwatch writes a new file beside it first, and may not do so in {}: give \
                 yourself the right to write that folder (chmod u+w)",
                shown(&self.folder)
            ),
            ErrorKind::ReadOnlyFilesystem => {
                "it is on a file system that is mounted read-only: edit it where it comes from"
                    .to_owned()
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                "the disk is full; nothing was changed: make room and try again".to_owned()
            }
            _ => error.to_string(),
        };
        unwritable(self.path, reason)
    }
}

fn unreadable(path: &Path, error: &io::Error) -> ConfigError {
    let path = path.to_owned();
    match error.kind() {
        ErrorKind::NotFound => ConfigError::Missing { path },
        _ => ConfigError::Unreadable {
            path,
            reason: error.to_string(),
        },
    }
}

fn unwritable(path: &Path, reason: impl Into<String>) -> ConfigError {
    ConfigError::Unwritable {
        path: path.to_owned(),
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn to(text: &str) -> impl FnOnce(&str) -> Result<Option<String>, ConfigError> {
        let text = text.to_owned();
        |_| Ok(Some(text))
    }

    fn files(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn the_symlink_and_the_mode_stay() {
        let folder = tempfile::tempdir().unwrap();
        let [link, real] = ["link/config.toml", "real/c.toml"].map(|name| folder.path().join(name));
        for path in [&link, &real] {
            fs::create_dir(path.parent().unwrap()).unwrap();
        }
        fs::write(&real, "old").unwrap();
        symlink("../real/c.toml", &link).unwrap();
        for wanted in [0o600, 0o640, 0o664] {
            fs::set_permissions(&real, fs::Permissions::from_mode(wanted)).unwrap();
            assert_eq!(edit_file(&link, to(&wanted.to_string())), Ok(true));
            assert_eq!(fs::read_to_string(&real).unwrap(), wanted.to_string());
            assert_eq!(mode(&real), wanted);
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(files(link.parent().unwrap()), ["config.toml"]);
        assert_eq!(files(real.parent().unwrap()), [".c.toml.lock", "c.toml"]);
        assert_eq!(mode(&real.with_file_name(".c.toml.lock")), 0o600);
    }

    #[test]
    fn the_new_text_is_on_the_disk_before_it_is_in_place_and_its_name_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "old").unwrap();
        let target = Target::of(&path).unwrap();
        // What was synced, and what was in place then.
        let synced = RefCell::new(Vec::new());
        let sync = |file: &File| {
            let found = file.metadata()?;
            let what = if found.is_dir() { "folder" } else { "file" };
            let in_place = fs::read_to_string(&path)?;
            synced.borrow_mut().push((what, found.ino(), in_place));
            Ok(())
        };
        target
            .write("new", &target.metadata().unwrap(), sync)
            .unwrap();
        let inode = |path: &Path| fs::metadata(path).unwrap().ino();
        let want = [
            ("file", inode(&path), String::from("old")),
            ("folder", inode(folder.path()), String::from("new")),
        ];
        assert_eq!(synced.take(), want);
    }

    #[test]
    fn a_disk_that_does_not_take_the_new_text_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "old").unwrap();
        let target = Target::of(&path).unwrap();
        let broken = |_: &File| Err(io::Error::from(ErrorKind::StorageFull));
        let written = target.write("new", &target.metadata().unwrap(), broken);
        assert_eq!(written.unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(files(folder.path()), ["config.toml"]);
    }

    #[test]
    fn nothing_is_written_when_nothing_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "old").unwrap();
        let inode = fs::metadata(&path).unwrap().ino();
        assert_eq!(edit_file(&path, |_| Ok::<_, ConfigError>(None)), Ok(false));
        assert_eq!(edit_file(&path, to("old")), Ok(false));
        let refused = ConfigError::NoHome;
        assert_eq!(edit_file(&path, |_| Err(refused.clone())), Err(refused));
        assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
        assert_eq!(files(folder.path()), [".config.toml.lock", "config.toml"]);
    }

    #[test]
    fn only_what_a_killed_change_left_is_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let others = [
            ".config.toml.tmp",
            ".config.toml.mine.tmp",
            ".other.toml.a1B2c3.tmp",
        ];
        for name in others
            .iter()
            .chain(&["config.toml", ".config.toml.a1B2c3.tmp"])
        {
            fs::write(folder.path().join(name), "old").unwrap();
        }
        assert_eq!(edit_file(&path, to("new")), Ok(true));
        let mut left = others.map(String::from).to_vec();
        left.extend([".config.toml.lock".into(), "config.toml".into()]);
        left.sort();
        assert_eq!(files(folder.path()), left);
    }

    #[test]
    fn what_stands_in_the_way_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let error = |path: &Path| edit_file(path, to("new")).unwrap_err().to_string();
        assert!(
            error(&path).starts_with("no config at "),
            "{}",
            error(&path)
        );
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        assert!(
            error(&path).contains(": it is read-only: "),
            "{}",
            error(&path)
        );
        let within = |path| error(path).contains("it is not a regular file");
        assert!(within(folder.path()), "{}", error(folder.path()));
        assert!(within(Path::new("/dev/null")));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(files(folder.path()), ["config.toml"]);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let target = Target::of(&path).unwrap();
        for (kind, want) in [
            (
                ErrorKind::StorageFull,
                "the disk is full; nothing was changed",
            ),
            (ErrorKind::PermissionDenied, "may not do so in "),
            (ErrorKind::ReadOnlyFilesystem, "mounted read-only"),
        ] {
            let said = target.failed(&kind.into()).to_string();
            assert!(said.contains(want), "{said}");
        }
    }
}
