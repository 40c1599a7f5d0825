//! Files that only their owner may read, in folders that only their owner may enter; and changing a
//! file so that it is the old one or the new one at any moment.
//!
//! Everything here waits for the disk. This file must not know what the files hold.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// The end of the name of a file that is not complete yet.
const UNFINISHED: &str = ".tmp";
/// How often to look whether a lock is free.
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// Creates `folder` and those above it, where they are missing.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Writes a new file. Fails where there is one already.
pub fn create_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Makes an empty file where there is none, and closes it to others where they could read it. One
/// that is there is not opened: closing it again would end the locks that this process has on it
/// (<https://www.sqlite.org/howtocorrupt.html>).
pub fn create_missing(path: &Path) -> io::Result<()> {
    match check_regular(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match create_new(path, "") {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            created => created,
        },
        Err(error) => Err(error),
        Ok(()) if fs::metadata(path)?.mode() & 0o077 != 0 => {
            fs::set_permissions(path, Permissions::from_mode(0o600))
        }
        Ok(()) => Ok(()),
    }
}

/// Opens a file to read.
pub fn open_read(path: &Path) -> io::Result<File> {
    check_regular(path)?;
    File::open(path)
}

/// Opens a file to write at its end, creates it where it is missing, and closes it to others where
/// they could read it.
pub fn open_append(path: &Path) -> io::Result<File> {
    match check_regular(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let file = options.create(true).append(true).mode(0o600).open(path)?;
    if file.metadata()?.mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Locks `file` against other processes. Waits for `limit` at most; false where another holds it
/// longer.
pub fn lock_within(file: &File, limit: Duration) -> io::Result<bool> {
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if start.elapsed() < limit => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Refuses what may have no end, or keep whoever opens it waiting for ever: devices and pipes.
pub fn check_regular(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.is_file() {
        return Ok(());
    }
    Err(io::Error::other("it is not a regular file"))
}

/// Replaces the file at `path`, which may be missing, by one that only its owner may read.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    write_beside(path, text, None, File::sync_all)
}

/// Replaces the text of the file at `path`, which keeps its mode and its owner.
pub fn replace_text(path: &Path, text: &str) -> io::Result<()> {
    write_beside(path, text, Some(&fs::metadata(path)?), File::sync_all)
}

/// `sync` has the system put a file on the disk: only a test has another one than
/// [`File::sync_all`].
fn write_beside(
    path: &Path,
    text: &str,
    old: Option<&Metadata>,
    sync: impl Fn(&File) -> io::Result<()>,
) -> io::Result<()> {
    let mut prefix = hidden_name(path);
    prefix.push(".");
    let mut file = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(UNFINISHED)
        .tempfile_in(folder_of(path))?;
    file.write_all(text.as_bytes())?;
    if let Some(old) = old {
        copy_owner_and_mode(old, file.as_file())?;
    }
    sync(file.as_file())?;
    file.persist(path).map_err(|error| error.error)?;
    // The new text is in place. Where a folder cannot be synced, that is all that can be done.
    let _ = File::open(folder_of(path)).and_then(|folder| sync(&folder));
    Ok(())
}

fn copy_owner_and_mode(old: &Metadata, file: &File) -> io::Result<()> {
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
        // Only an administrator may give a file away; for all others it stays their own.
        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
    // After the owner, since a change of the owner takes bits of the mode away.
    file.set_permissions(old.permissions())
}

/// Clears away what a killed process left of a file beside `path`. Only for who holds a lock on
/// writing it: then no other is being written.
pub fn remove_unfinished(path: &Path) {
    let Ok(entries) = fs::read_dir(folder_of(path)) else {
        return;
    };
    let prefix = hidden_name(path);
    for entry in entries.flatten() {
        if is_unfinished(&entry.file_name(), &prefix) {
            // The next change tries again.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_unfinished(name: &OsStr, prefix: &OsStr) -> bool {
    let rest = name
        .as_encoded_bytes()
        .strip_prefix(prefix.as_encoded_bytes());
    let middle = rest.and_then(|rest| rest.strip_suffix(UNFINISHED.as_bytes()));
    // A dot and the six characters of a temporary name.
    middle.is_some_and(|middle| middle.len() == 7 && middle.starts_with(b"."))
}

/// The beginning of the names of files beside `path` that belong to it.
pub fn hidden_name(path: &Path) -> OsString {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name
}

/// The folder that `path` is in, as it can be opened.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::ErrorKind;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn pipes_and_devices_are_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for path in [&*pipe, Path::new("/dev/zero"), folder.path()] {
            for error in [open_read(path).unwrap_err(), open_append(path).unwrap_err()] {
                assert_eq!(error.to_string(), "it is not a regular file");
            }
        }
    }

    #[test]
    fn what_others_could_read_is_closed_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        open_append(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        create_missing(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_missing_file_is_made_and_one_that_is_there_keeps_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        create_missing(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::write(&path, "text").unwrap();
        create_missing(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "text");
        assert!(create_missing(folder.path()).is_err());
    }

    #[test]
    fn a_lock_that_another_holds_is_not_waited_for_longer_than_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let (own, other) = (open_append(&path).unwrap(), open_append(&path).unwrap());
        assert!(lock_within(&other, Duration::ZERO).unwrap());
        assert!(!lock_within(&own, Duration::from_millis(1)).unwrap());
        drop(other);
        assert!(lock_within(&own, Duration::ZERO).unwrap());
    }

    #[test]
    fn files_and_folders_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/file");
        create_folder(folder_of(&path)).unwrap();
        create_new(&path, "new").unwrap();
        assert_eq!([mode(&path), mode(folder_of(&path))], [0o600, 0o700]);
        let error = create_new(&path, "other").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);

        let log = path.with_file_name("log");
        for line in ["a\n", "b\n"] {
            open_append(&log)
                .unwrap()
                .write_all(line.as_bytes())
                .unwrap();
        }
        assert_eq!(fs::read_to_string(&log).unwrap(), "a\nb\n");
        assert_eq!(mode(&log), 0o600);
    }

    #[test]
    fn a_private_replacement_takes_no_mode_over_and_a_new_text_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        replace_text(&path, "new").unwrap();
        assert_eq!(
            (fs::read_to_string(&path).unwrap(), mode(&path)),
            ("new".into(), 0o644)
        );
        replace(&path, "newer").unwrap();
        assert_eq!(
            (fs::read_to_string(&path).unwrap(), mode(&path)),
            ("newer".into(), 0o600)
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_new_text_is_on_the_disk_before_it_is_in_place_and_its_name_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        // What was synced, and what was in place then.
        let synced = RefCell::new(Vec::new());
        let sync = |file: &File| {
            let found = file.metadata()?;
            let what = if found.is_dir() { "folder" } else { "file" };
            let in_place = fs::read_to_string(&path)?;
            synced.borrow_mut().push((what, found.ino(), in_place));
            Ok(())
        };
        write_beside(&path, "new", None, sync).unwrap();
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
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        let broken = |_: &File| Err(io::Error::from(ErrorKind::StorageFull));
        let written = write_beside(&path, "new", None, broken);
        assert_eq!(written.unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
