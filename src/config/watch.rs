//! Tells when the config file changes, however an editor writes it.
//!
//! It must not know what is done about a change.

use std::ffi::OsString;
use std::path::Path;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use crate::private_file::folder_of;

/// Watches while it lives.
#[derive(Debug)]
pub struct FileWatch {
    _watcher: RecommendedWatcher,
}

/// Calls `changed` after each change of the file at `path`, from a thread of its own.
///
/// Editors replace files rather than write into them, so the folder is watched; and behind a
/// symbolic link, the folder of the real file too.
pub fn watch(path: &Path, changed: impl Fn() + Send + 'static) -> notify::Result<FileWatch> {
    let real = path.canonicalize()?;
    let files = [path, &*real];
    let names: Vec<OsString> = files
        .iter()
        .filter_map(|file| file.file_name())
        .map(Into::into)
        .collect();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if event.is_ok_and(|event| concerns(&event, &names)) {
            changed();
        }
    })?;
    let mut folders = files.map(folder_of).to_vec();
    folders.dedup();
    for folder in folders {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    Ok(FileWatch { _watcher: watcher })
}

/// Whether the event is a change of a file with one of these names; that somebody reads it is none.
fn concerns(event: &Event, names: &[OsString]) -> bool {
    let mut changed = event.paths.iter().filter_map(|path| path.file_name());
    !event.kind.is_access() && changed.any(|name| names.iter().any(|ours| ours == name))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    const PATIENT: Duration = Duration::from_secs(30);

    fn watched(path: &Path) -> (FileWatch, mpsc::Receiver<()>) {
        let (told, changes) = mpsc::channel();
        let watch = watch(path, move || {
            let _ = told.send(());
        });
        (watch.unwrap(), changes)
    }

    #[test]
    fn writing_and_replacing_are_told_and_other_files_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "").unwrap();
        let (_watch, changes) = watched(&path);
        fs::write(folder.path().join("other"), "x").unwrap();
        fs::read(&path).unwrap();
        fs::write(folder.path().join("new"), "x").unwrap();
        assert!(changes.try_recv().is_err());
        fs::write(&path, "x").unwrap();
        changes.recv_timeout(PATIENT).unwrap();
        while changes.try_recv().is_ok() {}
        fs::rename(folder.path().join("new"), &path).unwrap();
        changes.recv_timeout(PATIENT).unwrap();
    }

    #[test]
    fn a_change_behind_a_link_is_told() {
        let (folder, real) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (path, file) = (
            folder.path().join("config.toml"),
            real.path().join("mintwatch.toml"),
        );
        fs::write(&file, "").unwrap();
        symlink(&file, &path).unwrap();
        let (_watch, changes) = watched(&path);
        fs::write(&file, "x").unwrap();
        changes.recv_timeout(PATIENT).unwrap();
    }
}
