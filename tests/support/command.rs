//! The binary, run in a home folder and an environment of its own.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Stands for an API key; it may never be seen anywhere.
pub const CANARY: &str = "mint_canary_c41b9d7702";

pub fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_mintwatch")
}

/// How many writes are counted in the store at `path`.
pub fn counted_writes(path: &Path) -> usize {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let store = rusqlite::Connection::open_with_flags(path, flags).unwrap();
    let count = "SELECT count(*) FROM writes";
    let count: u32 = store.query_row(count, [], |row| row.get(0)).unwrap();
    count as usize
}

/// A home folder.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the config is looked for.
    pub fn config_path(&self) -> PathBuf {
        self.path().join("config/mintwatch/config.toml")
    }

    pub fn write_config(&self, text: &str) {
        let path = self.config_path();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// All that the binary gets as its environment; no key.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        vec![
            ("PATH", std::env::var("PATH").unwrap()),
            ("HOME", text(self.path())),
            ("XDG_CONFIG_HOME", text(&self.path().join("config"))),
            ("LANG", String::from("C.UTF-8")),
            ("TERM", String::from("xterm-256color")),
        ]
    }

    pub fn command(&self) -> std::process::Command {
        let mut command = std::process::Command::new(binary());
        command.env_clear().envs(self.environment());
        command
    }

    /// The same with a key in the variable that the default config names, to run to its end.
    pub fn run(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::from_std(self.command());
        command.env("MINTLIFY_API_KEY", CANARY).args(arguments);
        command.timeout(super::PATIENT);
        command
    }
}
