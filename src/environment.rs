//! The environment of the programs that we start: this process's, without any API key.
//!
//! Keys are dropped when the value is made, so that nothing that holds it can leak one. This file must
//! not know which programs are started.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use crate::secret;

/// Every Mintlify key begins with this.
const KEY_PREFIX: &[u8] = b"mint_";

/// The default is empty.
#[derive(Clone, Default)]
pub struct Environment {
    vars: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// [`Self::new`] with the variables of this process.
    pub fn from_process(key_names: &[impl AsRef<str>]) -> Self {
        Self::new(std::env::vars_os(), key_names)
    }

    /// The variables `vars`, without `key_names`, and without any other that holds one of their values
    /// or begins as a Mintlify key does.
    pub fn new(
        vars: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>,
        key_names: &[impl AsRef<str>],
    ) -> Self {
        let vars = vars.into_iter();
        let mut vars: BTreeMap<OsString, OsString> = vars
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let named = key_names.iter().map(|name| OsStr::new(name.as_ref()));
        let keys: Vec<_> = named.filter_map(|name| vars.remove(name)).collect();
        vars.retain(|_, value| !begins_as_key(value));
        let mut environment = Self { vars };
        for key in keys {
            let key = Zeroizing::new(key.into_encoded_bytes());
            environment.remove_key(key.trim_ascii());
        }
        environment
    }

    /// Without the variables that hold `key`, which no variable of the config's holds.
    #[must_use]
    pub fn without(mut self, key: &SecretString) -> Self {
        self.remove_key(key.expose_secret().as_bytes());
        self
    }

    fn remove_key(&mut self, key: &[u8]) {
        self.vars
            .retain(|_, value| !secret::holds(value.as_encoded_bytes(), key));
    }

    /// The value of variable `name`, unless it is unset or empty.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        let value = self.vars.get(OsStr::new(name))?;
        (!value.is_empty()).then(|| value.to_string_lossy())
    }

    /// Whether the user is connected over SSH.
    pub fn is_remote(&self) -> bool {
        self.any(&["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"])
    }

    pub fn in_tmux(&self) -> bool {
        self.text("TMUX").is_some()
    }

    /// Whether the user would see the window of a program started here.
    pub(crate) fn has_desktop(&self) -> bool {
        // WSL shows windows on its host, and macOS needs no display variable.
        let display = cfg!(target_os = "macos")
            || self.any(&["WAYLAND_DISPLAY", "DISPLAY", "WSL_DISTRO_NAME"]);
        display && !self.is_remote()
    }

    /// Replaces the environment of `command`, except for the variables that were set on it.
    pub(crate) fn apply(&self, command: &mut Command) {
        let own: Vec<(OsString, OsString)> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        command.env_clear().envs(&self.vars).envs(own);
    }

    /// [`Self::apply`], and cuts `command` off from the input, output and signals of our terminal.
    pub(crate) fn detach(&self, command: &mut Command) {
        self.apply(command);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
    }

    /// Whether the program `name` exists: a path, or a name in the `PATH`.
    pub(crate) fn has_program(&self, name: &OsStr) -> bool {
        if Path::new(name).components().count() > 1 {
            return Path::new(name).is_file();
        }
        let folders = self.vars.get(OsStr::new("PATH"));
        folders.is_some_and(|folders| {
            std::env::split_paths(folders).any(|folder| folder.join(name).is_file())
        })
    }

    fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.text(name).is_some())
    }
}

impl fmt::Debug for Environment {
    /// Names only: the values may be other programs' secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.vars.keys()).finish()
    }
}

fn begins_as_key(value: &OsStr) -> bool {
    value
        .as_encoded_bytes()
        .trim_ascii_start()
        .starts_with(KEY_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_NAMES: &[&str] = &[];

    #[test]
    fn keys_are_dropped_by_name_and_by_value() {
        let vars = [
            ("ACME_KEY", "canary"),
            ("COPY", " canary\n"),
            ("OTHER", "mint_canary"),
            ("QUOTED", " \nmint_canary"),
            ("PATH", "/opt/mint_tools/bin"),
            ("ACME_KEY_FILE", "kept"),
        ];
        let environment = Environment::new(vars, &["ACME_KEY"]);
        assert_eq!(
            environment.vars.into_keys().collect::<Vec<_>>(),
            ["ACME_KEY_FILE", "PATH"]
        );
    }

    #[test]
    fn a_copy_of_a_key_is_dropped_wherever_the_key_comes_from() {
        let vars = [
            ("ACME_KEY", "canary_of_acme\n"),
            ("HEADER", "Bearer canary_of_acme"),
            ("URL", "https://x/?key=canary%5Fof_a_file"),
            ("PART", "canary_of"),
            ("EMPTY", ""),
        ];
        let environment = Environment::new(vars, &["ACME_KEY", "UNSET"]);
        let environment = environment.without(&"canary_of_a_file".into());
        assert_eq!(
            environment.vars.into_keys().collect::<Vec<_>>(),
            ["EMPTY", "PART"]
        );
    }

    #[test]
    fn an_empty_key_variable_drops_nothing_else() {
        let vars = [("ACME_KEY", " "), ("EMPTY", ""), ("PATH", "/bin")];
        let environment = Environment::new(vars, &["ACME_KEY"]);
        assert_eq!(environment.vars.len(), 2);
    }

    #[test]
    fn the_process_environment_is_filtered_too() {
        assert!(Environment::from_process(NO_NAMES).text("PATH").is_some());
        assert_eq!(Environment::from_process(&["PATH"]).text("PATH"), None);
    }

    #[test]
    fn a_command_keeps_the_variables_that_it_sets() {
        let mut command = Command::new("x");
        // In WSL, the link travels to PowerShell in such a variable.
        command.env("TARGET", "own").env_remove("GONE");
        Environment::new([("TARGET", "ours"), ("KEPT", "ours")], NO_NAMES).detach(&mut command);
        let seen: Vec<_> = command.get_envs().collect();
        let want = [("KEPT", "ours"), ("TARGET", "own")];
        assert_eq!(
            seen,
            want.map(|(name, value)| (OsStr::new(name), Some(OsStr::new(value))))
        );
    }

    #[test]
    fn debug_shows_no_value() {
        let environment = Environment::new([("GITHUB_TOKEN", "canary")], NO_NAMES);
        assert_eq!(format!("{environment:?}"), r#"{"GITHUB_TOKEN"}"#);
    }

    #[test]
    fn desktop_table() {
        let anywhere = cfg!(target_os = "macos");
        for (names, want) in [
            (&[][..], anywhere),
            (&["DISPLAY"], true),
            (&["WAYLAND_DISPLAY"], true),
            (&["WSL_DISTRO_NAME"], true),
            (&["DISPLAY", "SSH_CONNECTION"], false),
            (&["WAYLAND_DISPLAY", "SSH_TTY"], false),
            (&["DISPLAY", "SSH_CLIENT"], false),
            (&["TMUX", "TERM"], anywhere),
        ] {
            let environment = Environment::new(names.iter().map(|name| (*name, "x")), NO_NAMES);
            assert_eq!(environment.has_desktop(), want, "{names:?}");
        }
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let environment = Environment::new([("DISPLAY", ""), ("BROWSER", "")], NO_NAMES);
        assert_eq!(environment.text("BROWSER"), None);
        assert_eq!(environment.has_desktop(), cfg!(target_os = "macos"));
    }
}
