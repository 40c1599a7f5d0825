//! Where the store is.

use std::path::{Path, PathBuf};

use directories::{BaseDirs, ProjectDirs};

use crate::config::Config;

/// The file that `config` names; `None` where it wants no store, or there is no home folder for it.
pub fn path(config: &Config) -> Option<PathBuf> {
    let store = Some(&config.store).filter(|store| store.enabled)?;
    let Some(path) = &store.path else {
        return default_path();
    };
    match path.strip_prefix("~") {
        Ok(rest) => Some(BaseDirs::new()?.home_dir().join(rest)),
        Err(_) => Some(path.clone()),
    }
}

/// What the store calls the config at `path`: as it is found again from any folder.
pub fn config_name(path: &Path) -> String {
    // A file that is still to be written has its folder.
    let folder = || path.parent()?.canonicalize().ok();
    let in_folder = || Some(folder()?.join(path.file_name()?));
    let found = path.canonicalize().ok().or_else(in_folder);
    found
        .as_deref()
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}

/// The user's own store, below `$XDG_STATE_HOME` or the platform's folder; `None` without a home.
pub fn default_path() -> Option<PathBuf> {
    let dirs = ProjectDirs::from("", "", "mintwatch")?;
    let folder = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir());
    Some(folder.join("store.db"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_table() {
        let home = BaseDirs::new().unwrap().home_dir().to_owned();
        for (store, want) in [
            ("", default_path()),
            ("enabled = false", None),
            ("enabled = false\npath = \"/a/b\"", None),
            ("path = \"/a/b\"", Some("/a/b".into())),
            ("path = \"~/a/b\"", Some(home.join("a/b"))),
            ("path = \"~a/b\"", Some("~a/b".into())),
        ] {
            let config = Config::parse(&format!("[store]\n{store}\n"), Path::new("c")).unwrap();
            assert_eq!(path(&config), want, "{store}");
        }
    }
}
