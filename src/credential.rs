//! The source of a key or a token: an environment variable, a file that only its owner can read, or what a
//! command prints.
//!
//! No error holds any part of what was read. This file must not know what a key or a token looks like.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use directories::BaseDirs;
use secrecy::zeroize::Zeroizing;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::config::{KeySource, redact_keys};
use crate::environment::Environment;
use crate::text;

/// How long to read on after a command ended, since a helper that it left may hold its pipes.
const AFTERMATH: Duration = Duration::from_millis(200);
/// The most bytes that are read of a file, and kept of what a command prints.
const MAX_BYTES: usize = 4 << 10;
/// The most cells that are shown of what a failed command says.
const MAX_SAID: usize = 200;

/// What a source gave: not checked yet, and zeroed when it is dropped.
pub(crate) type Bytes = Zeroizing<Vec<u8>>;

/// Why a source could not be read, and what to do. `what` is such as "key". Safe to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceProblem {
    #[error("no such file: put the {what} there, then run `chmod 600 {path}`")]
    NoFile { what: &'static str, path: String },
    #[error("not a plain file: the {0} file holds the {0} and nothing else")]
    NotAFile(&'static str),
    /// `path` is quoted for a shell.
    #[error("refused, since others have access to it (mode {mode:04o}): run `chmod 600 {path}`")]
    Exposed { mode: u32, path: String },
    #[error("larger than 4 KiB: the {0} file holds the {0} and nothing else")]
    TooLarge(&'static str),
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
    #[error("ended, since it gave no {what} within {limit:?}: does it wait to be unlocked?")]
    TimedOut { what: &'static str, limit: Duration },
}

/// Reads `source`, for which a command has `limit` and sees `environment`. A variable that is not set is
/// empty. `what` is what to call the contents.
pub(crate) async fn read(
    source: &KeySource,
    what: &'static str,
    environment: &Environment,
    limit: Duration,
) -> Result<Bytes, SourceProblem> {
    match source {
        KeySource::Env(name) => Ok(from_env(name)),
        KeySource::File(path) => from_file(path, what).await,
        KeySource::Command(argv) => from_command(argv, what, environment, limit).await,
    }
}

/// Empty where it is not set.
pub(crate) fn from_env(name: &str) -> Bytes {
    let value = std::env::var_os(name).unwrap_or_default();
    Zeroizing::new(value.into_encoded_bytes())
}

/// Off the runtime's thread: a home folder on a network may take its time.
async fn from_file(path: &Path, what: &'static str) -> Result<Bytes, SourceProblem> {
    let home = BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
    let path = expand_home(path, home.as_deref())?;
    tokio::task::spawn_blocking(move || read_file(&path, what))
        .await
        .unwrap_or_else(|error| Err(SourceProblem::Unreadable(error.to_string())))
}

fn expand_home(path: &Path, home: Option<&Path>) -> Result<PathBuf, SourceProblem> {
    match path.strip_prefix("~") {
        Ok(rest) => Ok(home.ok_or(SourceProblem::NoHome)?.join(rest)),
        Err(_) => Ok(path.to_owned()),
    }
}

fn read_file(path: &Path, what: &'static str) -> Result<Bytes, SourceProblem> {
    let unreadable = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => SourceProblem::NoFile {
            what,
            path: quoted(path),
        },
        _ => SourceProblem::Unreadable(error.to_string()),
    };
    // Asked before it is opened, since opening a pipe may wait for ever.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(SourceProblem::NotAFile(what));
    }
    let file = File::open(path).map_err(unreadable)?;
    refuse_exposed(&file.metadata().map_err(unreadable)?, path)?;

    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * MAX_BYTES));
    file.take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() > MAX_BYTES {
        return Err(SourceProblem::TooLarge(what));
    }
    Ok(bytes)
}

/// `opened` is what was opened, not what the path leads to by now.
fn refuse_exposed(opened: &Metadata, path: &Path) -> Result<(), SourceProblem> {
    let mode = opened.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        let path = quoted(path);
        return Err(SourceProblem::Exposed { mode, path });
    }
    Ok(())
}

/// `path` so that it can be pasted into a shell.
fn quoted(path: &Path) -> String {
    text::clean(&shell_words::quote(&path.to_string_lossy()))
}

async fn from_command(
    argv: &[String],
    what: &'static str,
    environment: &Environment,
    limit: Duration,
) -> Result<Bytes, SourceProblem> {
    let mut child = start(argv, environment)?;
    let [mut stdout, mut stderr] = [(); 2].map(|()| Zeroizing::new(Vec::new()));
    let finished = finish(&mut child, &mut stdout, &mut stderr);
    let Ok(status) = timeout(limit, finished).await else {
        // Dropping it would kill it too, but this says so; the runtime reaps it.
        let _ = child.start_kill();
        return Err(SourceProblem::TimedOut { what, limit });
    };
    let status = status.map_err(|error| SourceProblem::NotRun(error.to_string()))?;
    if !status.success() {
        return Err(SourceProblem::Failed(why_it_failed(status, &stderr)));
    }
    let line = stdout.split(|byte| *byte == b'\n').next();
    Ok(Zeroizing::new(line.unwrap_or(&stdout).to_vec()))
}

fn start(argv: &[String], environment: &Environment) -> Result<Child, SourceProblem> {
    let (program, arguments) = argv.split_first().ok_or(SourceProblem::NoProgram)?;
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
            ErrorKind::NotFound => SourceProblem::NoProgram,
            _ => SourceProblem::NotRun(error.to_string()),
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
    use super::*;

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
            Err(SourceProblem::NoHome)
        );
    }

    #[test]
    fn what_a_command_says_is_cut() {
        let why = why_it_failed(ExitStatus::default(), "x".repeat(3_000).as_bytes());
        let (_, said) = why.split_once(": ").unwrap();
        assert_eq!(text::width(said), MAX_SAID);
    }
}
