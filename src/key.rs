//! The API key: where it comes from, and a value that never shows itself.
//!
//! No text in this file, no error and no `Debug`, holds any part of a key. This file must not know
//! the network or the screen.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use directories::BaseDirs;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::base_url::KEYS_PAGE;
use crate::config::{KeySource, redact_keys};
use crate::environment::Environment;
use crate::text;

/// How long a key command may take: long enough to unlock a password manager by hand.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
/// How long to read on after a key command ended, since a helper that it left may hold its pipes.
const AFTERMATH: Duration = Duration::from_millis(200);
/// The most bytes that are read of a key file, and kept of what a command prints.
const MAX_BYTES: usize = 4 << 10;
const MAX_KEY: usize = 512;
/// The most cells that are shown of what a failed command says.
const MAX_SAID: usize = 200;

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
    #[error("no such file: put the key there, then run `chmod 600 {0}`")]
    NoFile(String),
    #[error("not a plain file: the key file holds the key and nothing else")]
    NotAFile,
    /// `path` is quoted for a shell.
    #[error("refused, since others have access to it (mode {mode:04o}): run `chmod 600 {path}`")]
    Exposed { mode: u32, path: String },
    #[error("larger than 4 KiB: the key file holds the key and nothing else")]
    TooLarge,
    #[error("no home folder is known, so give the full path instead of `~/`")]
    NoHome,
    #[error("cannot be read: {0}")]
    Unreadable(String),
    #[error("no such program: is it installed, and in the PATH?")]
    NoProgram,
    #[error("cannot be run: {0}")]
    NotRun(String),
    #[error("{0}")]
    Failed(String),
    #[error("ended, since it gave no key within {0:?}: does it wait to be unlocked?")]
    TimedOut(Duration),
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
    let key = match source {
        KeySource::Env(name) => from_env(name, std::env::var_os(name)),
        KeySource::File(path) => from_file(path).await,
        KeySource::Command(argv) => from_command(argv, environment, limit).await,
    };
    key.map_err(|problem| KeyError {
        origin: source.clone(),
        problem,
    })
}

fn from_env(name: &str, value: Option<OsString>) -> Result<ApiKey, KeyProblem> {
    let value = Zeroizing::new(value.unwrap_or_default().into_encoded_bytes());
    match ApiKey::parse_bytes(&value) {
        Err(KeyProblem::Empty) => Err(KeyProblem::NotSet(name.to_owned())),
        key => key,
    }
}

/// Off the runtime's thread: a home folder on a network may take its time.
async fn from_file(path: &Path) -> Result<ApiKey, KeyProblem> {
    let home = BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
    let path = expand_home(path, home.as_deref())?;
    tokio::task::spawn_blocking(move || read_file(&path))
        .await
        .unwrap_or_else(|error| Err(KeyProblem::Unreadable(error.to_string())))
}

fn expand_home(path: &Path, home: Option<&Path>) -> Result<PathBuf, KeyProblem> {
    match path.strip_prefix("~") {
        Ok(rest) => Ok(home.ok_or(KeyProblem::NoHome)?.join(rest)),
        Err(_) => Ok(path.to_owned()),
    }
}

fn read_file(path: &Path) -> Result<ApiKey, KeyProblem> {
    let unreadable = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => KeyProblem::NoFile(quoted(path)),
        _ => KeyProblem::Unreadable(error.to_string()),
    };
    // Asked before it is opened, since opening a pipe may wait for ever.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(KeyProblem::NotAFile);
    }
    let file = File::open(path).map_err(unreadable)?;
    refuse_exposed(&file.metadata().map_err(unreadable)?, path)?;

    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * MAX_BYTES));
    file.take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() > MAX_BYTES {
        return Err(KeyProblem::TooLarge);
    }
    ApiKey::parse_bytes(&bytes)
}

/// `opened` is what was opened, not what the path leads to by now.
fn refuse_exposed(opened: &Metadata, path: &Path) -> Result<(), KeyProblem> {
    let mode = opened.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        let path = quoted(path);
        return Err(KeyProblem::Exposed { mode, path });
    }
    Ok(())
}

/// `path` so that it can be pasted into a shell.
fn quoted(path: &Path) -> String {
    text::clean(&shell_words::quote(&path.to_string_lossy()))
}

async fn from_command(
    argv: &[String],
    environment: &Environment,
    limit: Duration,
) -> Result<ApiKey, KeyProblem> {
    let mut child = start(argv, environment)?;
    let [mut stdout, mut stderr] = [(); 2].map(|()| Zeroizing::new(Vec::new()));
    let finished = finish(&mut child, &mut stdout, &mut stderr);
    let Ok(status) = timeout(limit, finished).await else {
        // Dropping it would kill it too, but this says so; the runtime reaps it.
        let _ = child.start_kill();
        return Err(KeyProblem::TimedOut(limit));
    };
    let status = status.map_err(|error| KeyProblem::NotRun(error.to_string()))?;
    if !status.success() {
        return Err(KeyProblem::Failed(why_it_failed(status, &stderr)));
    }
    ApiKey::parse_bytes(
        stdout
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or(&stdout),
    )
}

fn start(argv: &[String], environment: &Environment) -> Result<Child, KeyProblem> {
    let (program, arguments) = argv.split_first().ok_or(KeyProblem::NoProgram)?;
    let mut command = Command::new(program);
    environment.apply(command.as_std_mut());
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => KeyProblem::NoProgram,
            _ => KeyProblem::NotRun(error.to_string()),
        })
}

/// Waits for the end of `child`, and keeps the beginning of what it prints.
async fn finish(
    child: &mut Child,
    stdout: &mut Vec<u8>,
    stderr: &mut Vec<u8>,
) -> io::Result<ExitStatus> {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let mut both = pin!(async { tokio::join!(keep(out, stdout), keep(err, stderr)) });
    tokio::select! {
        _ = &mut both => child.wait().await,
        status = child.wait() => {
            let _ = timeout(AFTERMATH, both).await;
            status
        }
    }
}

/// Keeps the beginning of what comes through `pipe` and reads the rest away, so that its writer is
/// not held up. A pipe that breaks ends like one that is closed: the exit code tells.
async fn keep(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    kept.reserve(2 * MAX_BYTES);
    let _ = (&mut pipe).take(MAX_BYTES as u64).read_to_end(kept).await;
    let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
}

/// With the first line that says something, as it is safe to show.
fn why_it_failed(status: ExitStatus, stderr: &[u8]) -> String {
    let how = match status.code() {
        Some(code) => format!("failed with exit code {code}"),
        None => format!("was ended by a {status}"),
    };
    let said = redact_keys(&String::from_utf8_lossy(stderr));
    match said.lines().map(text::clean).find(|line| !line.is_empty()) {
        Some(line) => format!("{how}: {}", text::truncate(&line, MAX_SAID, "…")),
        None => format!("{how}, and said nothing"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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

    #[test]
    fn env_table() {
        let not_set = |name: &str| Err(KeyProblem::NotSet(name.into()));
        for (value, want) in [
            (None, not_set("ACME")),
            (Some(" "), not_set("ACME")),
            (Some("a b"), Err(KeyProblem::NotAKey)),
            (Some(KEY), Ok(KEY.to_owned())),
        ] {
            let key = from_env("ACME", value.map(OsString::from));
            assert_eq!(key.map(|key| key.expose().to_owned()), want);
        }
    }

    #[test]
    fn home_table() {
        for (path, want) in [
            ("~/key", Ok("/home/a/key")),
            ("~", Ok("/home/a")),
            ("/etc/~/key", Ok("/etc/~/key")),
            ("~a/key", Ok("~a/key")),
        ] {
            let expanded = expand_home(Path::new(path), Some(Path::new("/home/a")));
            assert_eq!(expanded, want.map(PathBuf::from));
        }
        assert_eq!(
            expand_home(Path::new("~/key"), None),
            Err(KeyProblem::NoHome)
        );
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
        let huge = "x".repeat(MAX_BYTES + 1);
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
                Err(KeyProblem::TooLarge.to_string()),
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
        for (path, problem) in [
            (folder.path(), KeyProblem::NotAFile),
            (&missing, KeyProblem::NoFile(missing.display().to_string())),
        ] {
            let want = format!("{}: {problem}", path.display());
            assert_eq!(get(&KeySource::File(path.into())), Err(want));
        }
        assert_eq!(
            KeyProblem::NoFile("/a/key".into()).to_string(),
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
        let why = why_it_failed(ExitStatus::default(), "x".repeat(3_000).as_bytes());
        let (_, said) = why.split_once(": ").unwrap();
        assert_eq!(text::width(said), MAX_SAID);
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
