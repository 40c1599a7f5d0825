//! Changing the config so that no other change of it is lost: a lock, then a new file in its place.
//!
//! This file must not know what a config says.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{ConfigError, shown};
use super::file;
use crate::private_file;

/// For another change, which takes milliseconds unless it hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Replaces the text of the file at `path` by what `edit` makes of it, under a lock that every such
/// change takes; `None` leaves it. Returns whether it was written. A symlink, the mode and the owner
/// stay. This waits for the disk, and up to ten seconds for another change.
pub fn edit_file<E: From<ConfigError>>(
    path: &Path,
    edit: impl FnOnce(&str) -> Result<Option<String>, E>,
) -> Result<bool, E> {
    let target = Target::new(path)?;
    let _lock = target.lock()?;
    let old = file::read(path)?;
    match edit(&old)?.filter(|new| *new != old) {
        Some(new) => Ok(target.replace(&new).map(|()| true)?),
        None => Ok(false),
    }
}

struct Target<'a> {
    /// Its path as a person knows it.
    path: &'a Path,
    /// Where it really is: what a symlink points to.
    real: PathBuf,
}

impl<'a> Target<'a> {
    fn new(path: &'a Path) -> Result<Self, ConfigError> {
        let unreadable = |error| ConfigError::unreadable(path, &error);
        let real = fs::canonicalize(path).map_err(unreadable)?;
        let target = Self { path, real };
        target.check()?;
        Ok(target)
    }

    /// A rename could replace a file that nobody may write, or that is none: whoever made it so
    /// had a reason.
    fn check(&self) -> Result<(), ConfigError> {
        let found =
            fs::metadata(&self.real).map_err(|error| ConfigError::unreadable(self.path, &error))?;
        if !found.is_file() {
            return Err(ConfigError::unwritable(
                self.path,
                "it is not a regular file",
            ));
        }
        if found.nlink() > 1 {
            let advice = "it has another name too (a hard link), which a change would cut off from \
                          it: remove one of the two, or make it a symbolic link (ln -s)";
            return Err(ConfigError::unwritable(self.path, advice));
        }
        let opened = OpenOptions::new().write(true).open(&self.real);
        let denied = matches!(&opened, Err(error) if error.kind() == ErrorKind::PermissionDenied);
        if found.permissions().readonly() || denied {
            let advice = "it is read-only: edit it where it comes from, or give yourself the \
                          right to write it (chmod u+w)";
            return Err(ConfigError::unwritable(self.path, advice));
        }
        opened.map(drop).map_err(|error| self.failed(&error))
    }

    /// Waits until no other change is under way. The lock goes with the file that is returned; its
    /// name stays, since whoever waits for it has it open.
    fn lock(&self) -> Result<File, ConfigError> {
        let mut name = private_file::hidden_name(&self.real);
        name.push(".lock");
        let file = private_file::open_append(&self.real.with_file_name(name))
            .map_err(|error| self.failed(&error))?;
        if private_file::lock_within(&file, PATIENCE).map_err(|error| self.failed(&error))? {
            return Ok(file);
        }
        let advice = "another mintwatch has been changing it for 10 seconds; see whether one hangs \
                      or is stopped, and try again";
        Err(ConfigError::unwritable(self.path, advice))
    }

    fn replace(&self, text: &str) -> Result<(), ConfigError> {
        private_file::remove_unfinished(&self.real);
        private_file::replace_text(&self.real, text).map_err(|error| self.failed(&error))
    }

    /// `error` in words that say what to do.
    fn failed(&self, error: &io::Error) -> ConfigError {
        let reason = match error.kind() {
            ErrorKind::PermissionDenied => format!(
                "mintwatch writes a new file beside it first, and may not do so in {}: give \
                 yourself the right to write that folder (chmod u+w)",
                shown(private_file::folder_of(&self.real))
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
        ConfigError::unwritable(self.path, reason)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

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
        let target = Target::new(&path).unwrap();
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
