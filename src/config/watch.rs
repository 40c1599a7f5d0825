//! Tells when a file, as the config or the store, changes, however an editor writes it and wherever its path leads by
//! then.
//!
//! The system tells of changes in the folders that were looked at, and of nothing that comes to stand
//! in their place; so a look at the file itself tells when there is another. This file must not know
//! what is done about a change.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use crate::private_file::folder_of;

/// Which file it is and since when it has its text: another one where either has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl Identity {
    /// Of the file that `path` leads to; `None` while there is none. This is one `stat`.
    pub fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Self {
            device: found.dev(),
            inode: found.ino(),
            bytes: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
        })
    }
}

/// Watches while it lives.
pub struct FileWatch {
    path: PathBuf,
    identity: Option<Identity>,
    changed: Arc<dyn Fn() + Send + Sync>,
    /// `None` where the system cannot tell of changes: looking at the file remains.
    watcher: Option<RecommendedWatcher>,
}

impl FileWatch {
    /// Calls `changed` after each change of the file at `path`, from a thread of its own. `known` is
    /// the file as it was last read: the first [`look`](Self::look) tells whether it is another.
    pub fn new(
        path: &Path,
        known: Option<Identity>,
        changed: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let mut watch = Self {
            path: path.to_owned(),
            identity: known,
            changed: Arc::new(changed),
            watcher: None,
        };
        watch.renew();
        watch
    }

    /// Whether the file is another than at the last look; where it is, what is watched follows it.
    pub fn look(&mut self) -> bool {
        let found = Identity::of(&self.path);
        if found == self.identity {
            return false;
        }
        self.identity = found;
        self.renew();
        true
    }

    fn renew(&mut self) {
        // The old one first: there may be no more than one to have.
        self.watcher = None;
        let changed = Arc::clone(&self.changed);
        self.watcher = watcher(&self.path, move || changed())
            .inspect_err(|error| tracing::warn!(%error, "cannot watch a file"))
            .ok();
    }
}

/// Editors replace files rather than write into them, so the folder is watched; and behind a
/// symbolic link, the folder of the real file too.
fn watcher(path: &Path, changed: impl Fn() + Send + 'static) -> notify::Result<RecommendedWatcher> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
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
    Ok(watcher)
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
        let watch = FileWatch::new(path, Identity::of(path), move || {
            let _ = told.send(());
        });
        (watch, changes)
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

    /// A look finds what was put at `path`, and from then on a change there is told.
    fn is_followed(watch: &mut FileWatch, changes: &mpsc::Receiver<()>, path: &Path) {
        assert!(watch.look());
        assert!(!watch.look());
        while changes.try_recv().is_ok() {}
        fs::write(path, "changed").unwrap();
        changes.recv_timeout(PATIENT).unwrap();
        assert!(watch.look());
    }

    #[test]
    fn a_folder_that_is_replaced_is_followed() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("mintwatch");
        let path = folder.join("config.toml");
        fs::create_dir(&folder).unwrap();
        fs::write(&path, "old").unwrap();
        let (mut watch, changes) = watched(&path);
        fs::rename(&folder, home.path().join("away")).unwrap();
        assert!(watch.look(), "it is gone");
        fs::create_dir(&folder).unwrap();
        fs::write(&path, "new").unwrap();
        is_followed(&mut watch, &changes, &path);
    }

    #[test]
    fn a_folder_behind_another_link_is_followed() {
        let home = tempfile::tempdir().unwrap();
        let [link, old, new] = ["link", "old", "new"].map(|name| home.path().join(name));
        for folder in [&old, &new] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("config.toml"), "text").unwrap();
        }
        symlink(&old, &link).unwrap();
        let path = link.join("config.toml");
        let (mut watch, changes) = watched(&path);
        fs::remove_file(&link).unwrap();
        symlink(&new, &link).unwrap();
        is_followed(&mut watch, &changes, &new.join("config.toml"));
    }

    #[test]
    fn a_link_that_is_retargeted_is_followed() {
        let home = tempfile::tempdir().unwrap();
        let [link, old, new] = ["config.toml", "old/a", "new/b"].map(|name| home.path().join(name));
        for file in [&old, &new] {
            fs::create_dir(folder_of(file)).unwrap();
            fs::write(file, "text").unwrap();
        }
        symlink(&old, &link).unwrap();
        let (mut watch, changes) = watched(&link);
        fs::remove_file(&link).unwrap();
        symlink(&new, &link).unwrap();
        is_followed(&mut watch, &changes, &new);
    }
}
