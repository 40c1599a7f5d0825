//! The config as a file: where it is, how it is read, and the one to start from.
//!
//! This file must not know what a config says.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::error::ConfigError;
use super::location::line_number;
use crate::private_file;

/// A config that documents every setting and leaves each at its default.
pub const EXAMPLE: &str = include_str!("../../config.example.toml");

/// The largest config that is read: a wrong path must not fill the memory.
const MAX_BYTES: u64 = 16 << 20;

/// Where the config file is: `flag`, else `$MINTWATCH_CONFIG`, else the user's config folder.
pub fn path(flag: Option<&Path>) -> Result<PathBuf, ConfigError> {
    let dirs = ProjectDirs::from("", "", "mintwatch");
    let folder = dirs.as_ref().map(ProjectDirs::config_dir);
    find(flag, |name| std::env::var_os(name), folder).ok_or(ConfigError::NoHome)
}

/// [`path`] with the environment, and the folder that the platform has for configs, as arguments.
fn find(
    flag: Option<&Path>,
    env: impl Fn(&str) -> Option<OsString>,
    folder: Option<&Path>,
) -> Option<PathBuf> {
    let set = |name| {
        env(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    flag.map(Path::to_owned)
        .or_else(|| set("MINTWATCH_CONFIG"))
        .or_else(|| {
            set("XDG_CONFIG_HOME")
                .filter(|folder| folder.is_absolute())
                .map(|folder| folder.join("mintwatch/config.toml"))
        })
        .or_else(|| folder.map(|folder| folder.join("config.toml")))
}

/// The text of the config at `path`.
pub fn read(path: &Path) -> Result<String, ConfigError> {
    let bytes = read_bytes(path).map_err(|error| ConfigError::unreadable(path, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let (valid, _) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        ConfigError::NotUtf8 {
            path: path.to_owned(),
            line: line_number(&String::from_utf8_lossy(valid), valid.len()),
        }
    })
}

fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    private_file::open_read(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("it is larger than 16 MiB"));
    }
    Ok(bytes)
}

/// Writes [`EXAMPLE`] to `path`, with the folders above it, for its owner only. A file that already
/// exists stays as it is.
pub fn init(path: &Path) -> Result<(), ConfigError> {
    private_file::create_folder(private_file::folder_of(path))
        .map_err(|error| ConfigError::unwritable(path, error.to_string()))?;
    private_file::create_new(path, EXAMPLE).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => ConfigError::Exists {
            path: path.to_owned(),
        },
        _ => ConfigError::unwritable(path, error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn find_table() {
        let platform = Some(Path::new("/home/a/.config/mintwatch"));
        for (flag, own, xdg, folder, want) in [
            (Some("x.toml"), "/own", "/xdg", platform, Some("x.toml")),
            (None, "/own", "/xdg", platform, Some("/own")),
            (None, "own.toml", "", platform, Some("own.toml")),
            (
                None,
                "",
                "/xdg",
                platform,
                Some("/xdg/mintwatch/config.toml"),
            ),
            (None, "", "/xdg", None, Some("/xdg/mintwatch/config.toml")),
            (
                None,
                "",
                "not/absolute",
                platform,
                Some("/home/a/.config/mintwatch/config.toml"),
            ),
            (
                None,
                "",
                "",
                platform,
                Some("/home/a/.config/mintwatch/config.toml"),
            ),
            (None, "", "", None, None),
        ] {
            let env = |name: &str| match name {
                "MINTWATCH_CONFIG" => Some(own.into()),
                "XDG_CONFIG_HOME" => Some(xdg.into()),
                _ => None,
            };
            let found = find(flag.map(Path::new), env, folder);
            assert_eq!(found, want.map(PathBuf::from), "{flag:?} {own} {xdg}");
        }
        assert_eq!(
            find(None, |_| None, platform),
            Some("/home/a/.config/mintwatch/config.toml".into())
        );
    }

    #[test]
    fn a_file_that_cannot_be_read_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let shown = path.display();

        assert_eq!(
            read(&path).unwrap_err().to_string(),
            format!(
                "no config at {shown}: `mintwatch init` writes one to start from, \
                 `mintwatch --demo` shows the dashboard without one"
            )
        );
        fs::write(&path, b"a = 1\nb = \"\xff\"\n").unwrap();
        assert_eq!(
            read(&path).unwrap_err().to_string(),
            format!("cannot read the config {shown}: line 2 is not UTF-8 text")
        );
        fs::File::create(&path)
            .unwrap()
            .set_len(MAX_BYTES + 1)
            .unwrap();
        assert_eq!(
            read(&path).unwrap_err().to_string(),
            format!("cannot read the config {shown}: it is larger than 16 MiB")
        );
        let error = read(folder.path()).unwrap_err().to_string();
        let want = format!("cannot read the config {}: ", folder.path().display());
        assert!(error.starts_with(&want), "{error}");
    }

    #[test]
    fn init_writes_once_and_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/mintwatch/config.toml");
        init(&path).unwrap();
        assert_eq!(read(&path).unwrap(), EXAMPLE);
        for (path, want) in [(&*path, 0o600), (path.parent().unwrap(), 0o700)] {
            let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, want, "{}", path.display());
        }

        fs::write(&path, "poll = {}").unwrap();
        assert_eq!(
            init(&path).unwrap_err().to_string(),
            format!("{} already exists: nothing was written", path.display())
        );
        assert_eq!(read(&path).unwrap(), "poll = {}");
        let below_a_file = path.join("config.toml");
        let error = init(&below_a_file).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("cannot write {}: ", below_a_file.display())),
            "{error}"
        );
    }
}
