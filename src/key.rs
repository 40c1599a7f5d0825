//! The API key: where it comes from, and a value that never shows itself.
//!
//! No text in this file, no error and no `Debug`, holds any part of a key. This file must not know
//! the network or the screen, or how a source is read.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::base_url::KEYS_PAGE;
use crate::config::KeySource;
use crate::credential::{self, SourceProblem};
use crate::environment::Environment;

/// How long a key command may take: long enough to unlock a password manager by hand.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
const MAX_KEY: usize = 512;

/// An API key. Its `Debug` is redacted; only the API client reads it.
#[derive(Clone, Debug)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// The key in `text`, with white space around it, unless it cannot be an admin API key.
    pub fn parse(text: &str) -> Result<Self, KeyProblem> {
        let key = text.trim();
        if key.is_empty() {
            Err(KeyProblem::Empty)
        } else if key.len() > MAX_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            Err(KeyProblem::NotAKey)
        } else if key.starts_with("mint_dsc_") {
            Err(KeyProblem::AssistantKey)
        } else if key.starts_with("mint_us_") {
            Err(KeyProblem::IndexKey)
        } else {
            Ok(Self(key.into()))
        }
    }

    fn parse_bytes(bytes: &[u8]) -> Result<Self, KeyProblem> {
        Self::parse(std::str::from_utf8(bytes).map_err(|_| KeyProblem::NotAKey)?)
    }

    pub fn has_usual_prefix(&self) -> bool {
        self.expose().starts_with("mint_")
    }

    /// The key itself, still hidden, for the `Authorization` header and nothing else.
    pub(crate) fn secret(&self) -> &SecretString {
        &self.0
    }

    fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for ApiKey {
    /// For telling a new key from an old one of the same user; nobody can time it.
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

/// Why there is no key: its source, and what to do. One line, safe to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {problem}")]
pub struct KeyError {
    pub origin: KeySource,
    pub problem: KeyProblem,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    #[error("no key in it; make an admin API key at {KEYS_PAGE}")]
    Empty,
    #[error(
        "not an API key, which is one word of at most {MAX_KEY} ASCII characters; make an admin API key at {KEYS_PAGE}"
    )]
    NotAKey,
    #[error(
        "an assistant key (mint_dsc_) cannot read agent jobs; make an admin API key at {KEYS_PAGE}"
    )]
    AssistantKey,
    #[error("an index key (mint_us_) cannot read agent jobs; make an admin API key at {KEYS_PAGE}")]
    IndexKey,
    #[error(
        "not set: put a key there with `export {0}=mint_...`; make an admin API key at {KEYS_PAGE}"
    )]
    NotSet(String),
    #[error(transparent)]
    Source(#[from] SourceProblem),
}

/// A key command sees `environment`.
pub async fn resolve(source: &KeySource, environment: &Environment) -> Result<ApiKey, KeyError> {
    resolve_within(source, environment, COMMAND_LIMIT).await
}

async fn resolve_within(
    source: &KeySource,
    environment: &Environment,
    limit: Duration,
) -> Result<ApiKey, KeyError> {
    let key = match credential::read(source, "key", environment, limit).await {
        Ok(bytes) => ApiKey::parse_bytes(&bytes),
        Err(problem) => Err(problem.into()),
    };
    key.map_err(|problem| KeyError {
        origin: source.clone(),
        problem: match (source, problem) {
            (KeySource::Env(name), KeyProblem::Empty) => KeyProblem::NotSet(name.clone()),
            (_, problem) => problem,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    const KEY: &str = "mint_canary42";
    const PAGE: &str = "https://app.mintlify.com/settings/organization/api-keys";

    #[test]
    fn parse_table() {
        let long = format!("mint_{}", "x".repeat(507));
        for (text, want) in [
            (KEY, KEY),
            ("  mint_a-B.9\r\n", "mint_a-B.9"),
            (&long, &*long),
        ] {
            assert_eq!(ApiKey::parse(text).unwrap().expose(), want);
        }

        let not_a_key = format!(
            "not an API key, which is one word of at most 512 ASCII characters; make an admin API \
             key at {PAGE}"
        );
        for (text, want) in [
            (
                " \n",
                format!("no key in it; make an admin API key at {PAGE}"),
            ),
            ("Bearer mint_canary", not_a_key.clone()),
            ("mint_canary\nmint_canary", not_a_key.clone()),
            ("mint_canary\u{1b}", not_a_key.clone()),
            ("mint_canaryé", not_a_key.clone()),
            (&format!("{long}x"), not_a_key),
            (
                "mint_dsc_canary",
                format!(
                    "an assistant key (mint_dsc_) cannot read agent jobs; make an admin API key at \
                     {PAGE}"
                ),
            ),
            (
                "mint_us_canary",
                format!(
                    "an index key (mint_us_) cannot read agent jobs; make an admin API key at {PAGE}"
                ),
            ),
        ] {
            assert_eq!(
                ApiKey::parse(text).unwrap_err().to_string(),
                want,
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let shown = format!("{:?}", ApiKey::parse(KEY).unwrap());
        assert!(!shown.contains("canary"), "{shown}");
    }

    #[test]
    fn sources_have_names() {
        for (source, want) in [
            (KeySource::default(), "$MINTLIFY_API_KEY"),
            (
                KeySource::File("~/.config/mintwatch/key".into()),
                "~/.config/mintwatch/key",
            ),
            (KeySource::File("a\u{1b}\nb".into()), "a b"),
            (command(&["op", "read", "op://work"]), "command op"),
        ] {
            assert_eq!(source.to_string(), want);
        }
    }

    fn command(argv: &[&str]) -> KeySource {
        KeySource::Command(argv.iter().map(|arg| (*arg).to_owned()).collect())
    }

    fn wait_for(source: &KeySource, limit: Duration) -> Result<String, String> {
        let environment = Environment::from_process(&[] as &[&str]);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime
            .block_on(resolve_within(source, &environment, limit))
            .map(|key| key.expose().to_owned())
            .map_err(|error| error.to_string())
    }

    fn get(source: &KeySource) -> Result<String, String> {
        wait_for(source, COMMAND_LIMIT)
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = get(&KeySource::Env("MINTWATCH_TEST_NEVER_SET".into())).unwrap_err();
        assert_eq!(
            error,
            format!(
                "$MINTWATCH_TEST_NEVER_SET: not set: put a key there with `export \
                 MINTWATCH_TEST_NEVER_SET=mint_...`; make an admin API key at {PAGE}"
            )
        );
    }

    #[cfg(unix)]
    #[test]
    fn key_file_table() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a key");
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        let shown = path.display();
        let huge = "x".repeat(4 * 1024 + 1);
        let key_line = format!("{KEY}\n");
        let refused = |mode: &str| {
            format!(
                "refused, since others have access to it (mode {mode}): run `chmod 600 '{shown}'`"
            )
        };
        for (content, mode, want) in [
            (key_line.as_bytes(), 0o600, Ok(KEY)),
            (key_line.as_bytes(), 0o400, Ok(KEY)),
            (key_line.as_bytes(), 0o640, Err(refused("0640"))),
            (key_line.as_bytes(), 0o604, Err(refused("0604"))),
            (key_line.as_bytes(), 0o620, Err(refused("0620"))),
            (key_line.as_bytes(), 0o601, Err(refused("0601"))),
            (b"", 0o600, Err(KeyProblem::Empty.to_string())),
            (
                b"mint_canary\xff",
                0o600,
                Err(KeyProblem::NotAKey.to_string()),
            ),
            (
                huge.as_bytes(),
                0o600,
                Err(SourceProblem::TooLarge("key").to_string()),
            ),
        ] {
            let _ = fs::remove_file(&path);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let said = |origin: &Path, want: &Result<&str, String>| match want {
                Ok(key) => Ok((*key).to_owned()),
                Err(problem) => Err(format!("{}: {problem}", origin.display())),
            };
            assert_eq!(get(&KeySource::File(path.clone())), said(&path, &want));
            // The mode of a link is 0777; what counts is the file behind it.
            let through_link = get(&KeySource::File(link.clone()));
            let want = want.map_err(|problem| {
                problem.replace(&format!("'{shown}'"), &link.display().to_string())
            });
            assert_eq!(through_link, said(&link, &want));
        }
    }

    #[test]
    fn what_is_no_file_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("key");
        let no_file = |path: &str| SourceProblem::NoFile {
            what: "key",
            path: path.to_owned(),
        };
        for (path, problem) in [
            (folder.path(), SourceProblem::NotAFile("key")),
            (&missing, no_file(&missing.display().to_string())),
        ] {
            let want = format!("{}: {problem}", path.display());
            assert_eq!(get(&KeySource::File(path.into())), Err(want));
        }
        assert_eq!(
            no_file("/a/key").to_string(),
            "no such file: put the key there, then run `chmod 600 /a/key`"
        );
    }

    #[cfg(unix)]
    #[test]
    fn command_table() {
        let sh = |script: &str| command(&["sh", "-c", script]);
        let long = format!("echo {KEY}; yes | head -c 300000; yes | head -c 300000 >&2");
        for (source, want) in [
            (command(&["echo", KEY]), Ok(KEY)),
            // No shell, no `~`, no variables.
            (command(&["echo", "~/$HOME;`id`"]), Ok("~/$HOME;`id`")),
            (sh("echo mint_canary42; echo more; echo noise >&2"), Ok(KEY)),
            (sh(&long), Ok(KEY)),
            // Nothing to read from, so that it cannot eat what is typed into the dashboard.
            (sh("cat; echo mint_canary42"), Ok(KEY)),
            // A helper that stays behind holds the pipes, not the key.
            (sh("sleep 40 & echo mint_canary42"), Ok(KEY)),
            (
                sh(
                    "echo mint_canary42; echo >&2; echo '\u{1b}[31mnot  signed in: mint_canary42' >&2; echo x >&2; exit 3",
                ),
                Err("command sh: failed with exit code 3: [31mnot signed in: mint_********"),
            ),
            (
                sh("exit 1"),
                Err("command sh: failed with exit code 1, and said nothing"),
            ),
            (
                sh("kill -9 $$"),
                Err("command sh: was ended by a signal: 9 (SIGKILL), and said nothing"),
            ),
            (
                command(&["/no/such/program"]),
                Err("command /no/such/program: no such program: is it installed, and in the PATH?"),
            ),
            (
                sh("echo; echo mint_canary42"),
                Err(&format!("command sh: {}", KeyProblem::Empty)),
            ),
            (
                sh("echo mint_dsc_canary"),
                Err(&format!("command sh: {}", KeyProblem::AssistantKey)),
            ),
            (
                sh("printf 'mint_canary\\377'"),
                Err(&format!("command sh: {}", KeyProblem::NotAKey)),
            ),
        ] {
            let want = want.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(get(&source), want, "{source:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_takes_too_long_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("pid");
        let script = format!("echo $$ > {}; exec sleep 600", pid_file.display());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let script = command(&["sh", "-c", &script]);
        let mut limit = Duration::from_millis(100);
        runtime.block_on(async {
            // A slow machine may end it before it wrote its id: then it gets longer.
            let pid = loop {
                let error = resolve_within(&script, &Environment::default(), limit).await.unwrap_err().to_string();
                let want = format!("command sh: ended, since it gave no key within {limit:?}: does it wait to be unlocked?");
                assert_eq!(error, want);
                let pid = fs::read_to_string(&pid_file).unwrap_or_default();
                if let Some(pid) = pid.trim().parse().ok().and_then(rustix::process::Pid::from_raw) {
                    break pid;
                }
                limit *= 2;
            };
            // It is gone once its id leads to nothing: it was ended, and reaped.
            while rustix::process::test_kill_process(pid).is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }
}
