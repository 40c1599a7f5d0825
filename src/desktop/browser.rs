//! Starting a browser: which program, with what arguments, detached from our terminal.
//!
//! No shell is involved: a URL is always (part of) one argument, unless `$BROWSER` itself runs a shell
//! with `%s` inside its script. This file must not know what the link is for or how the outcome is
//! shown.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use crate::environment::Environment;
use crate::link::Link;
use crate::text;

/// A program that fails within this time opened nothing, so the next one is tried. One that fails
/// later may have shown the page already.
const EARLY_FAILURE: Duration = Duration::from_secs(5);
/// The most cells for the list of programs in an error.
const TRIED_WIDTH: usize = 60;

/// Why no browser was started. Safe to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrowserError {
    #[error("no browser started: $BROWSER names no program, or a quote in it is not closed")]
    Setting,
    #[error(
        "no browser started ({tried}: {reason}); set BROWSER to the command of one that is installed"
    )]
    NotStarted {
        tried: String,
        /// Of the last that was tried.
        reason: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The name of the program that was started.
    Browser(String),
    /// There is none that the user could see (over SSH, or without a display): copy and show the link
    /// instead.
    NoBrowser,
}

#[derive(Clone, Debug)]
pub struct Opener {
    environment: Environment,
}

impl Opener {
    /// `environment` names the browsers, and is what they see.
    pub fn new(environment: Environment) -> Self {
        Self { environment }
    }

    /// Starts the first browser that can be, and returns without waiting for it.
    pub fn open(&self, link: &Link) -> Result<Opened, BrowserError> {
        let mut commands = self.commands(link.as_str())?;
        if commands.is_empty() {
            return Ok(Opened::NoBrowser);
        }
        for command in &mut commands {
            self.environment.detach(command);
        }
        launch(commands).map(Opened::Browser)
    }

    /// The name of the program that would open a link; `None` where [`Self::open`] finds none.
    pub fn browser(&self) -> Result<Option<String>, BrowserError> {
        let commands = self.commands("https://example.com/")?;
        let is_installed = |c: &&Command| self.environment.has_program(c.get_program());
        let installed = commands.iter().find(is_installed);
        if installed.is_none() && !commands.is_empty() {
            let tried: Vec<String> = commands.iter().map(program_name).collect();
            return Err(not_started(&tried, reason(&io::ErrorKind::NotFound.into())));
        }
        Ok(installed.map(program_name))
    }

    /// The commands that would open `url`, best first.
    fn commands(&self, url: &str) -> Result<Vec<Command>, BrowserError> {
        let setting = self.environment.text("BROWSER").unwrap_or_default();
        let candidates: Vec<&str> = setting
            .split(':')
            .filter(|candidate| !candidate.trim().is_empty())
            .collect();
        if !candidates.is_empty() {
            return parse_candidates(&candidates, url);
        }
        if self.environment.has_desktop() {
            return Ok(open::commands(url));
        }
        Ok(Vec::new())
    }
}

/// Skips the candidates that cannot be parsed.
fn parse_candidates(candidates: &[&str], url: &str) -> Result<Vec<Command>, BrowserError> {
    let commands: Vec<Command> = candidates
        .iter()
        .filter_map(|candidate| arguments(candidate, url))
        .filter_map(|words| {
            let (program, rest) = words.split_first()?;
            let mut command = Command::new(program);
            command.args(rest);
            Some(command)
        })
        .collect();
    if commands.is_empty() {
        return Err(BrowserError::Setting);
    }
    Ok(commands)
}

/// The words of one candidate of `$BROWSER`: `%s` is the URL, which is appended where no word has a
/// `%s`, and `%%` is a percent sign. `None` where a quote is not closed.
fn arguments(candidate: &str, url: &str) -> Option<Vec<String>> {
    let mut words = shell_words::split(candidate).ok()?;
    let mut placed = false;
    for word in words.iter_mut().skip(1) {
        let pieces: Vec<String> = word
            .split("%%")
            .map(|piece| {
                placed |= piece.contains("%s");
                piece.replace("%s", url)
            })
            .collect();
        *word = pieces.join("%");
    }
    if !placed && !words.is_empty() {
        words.push(url.to_owned());
    }
    Some(words)
}

/// Starts the first of `commands` that can be started, and returns its name.
fn launch(commands: Vec<Command>) -> Result<String, BrowserError> {
    let names: Vec<String> = commands.iter().map(program_name).collect();
    let failed = |reason| not_started(&names, reason);
    let (report, started) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("browser".into())
        .spawn(move || run(commands, &report))
        .map_err(|error| failed(reason(&error)))?;
    match started.recv() {
        Ok(outcome) => outcome.map_err(failed),
        Err(_) => Err(failed("its thread ended".into())),
    }
}

fn not_started(tried: &[String], reason: String) -> BrowserError {
    BrowserError::NotStarted {
        tried: text::truncate(&tried.join(", "), TRIED_WIDTH, "…").into_owned(),
        reason,
    }
}

/// Starts one command after another until one does not fail early, and waits for each, so that no
/// zombie is left. Reports the first that started, or why none did.
fn run(commands: Vec<Command>, report: &SyncSender<Result<String, String>>) {
    let mut last = String::new();
    for mut command in commands {
        let started_at = Instant::now();
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                last = reason(&error);
                continue;
            }
        };
        let name = program_name(&command);
        // Only the first report is read.
        let _ = report.try_send(Ok(name.clone()));
        match child.wait() {
            Ok(status) if !status.success() => tracing::warn!("{name} ended with {status}"),
            _ => return,
        }
        if started_at.elapsed() > EARLY_FAILURE {
            return;
        }
    }
    let _ = report.try_send(Err(last));
}

fn program_name(command: &Command) -> String {
    let program = command.get_program();
    let file = Path::new(program).file_name();
    text::clean(&file.map_or_else(|| program.to_string_lossy(), OsStr::to_string_lossy))
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "not found".into(),
        kind => kind.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://example.com/a%20b?c=1&d";

    #[test]
    fn arguments_table() {
        let words = |words: &[&str]| Some(words.iter().map(ToString::to_string).collect());
        for (candidate, want) in [
            ("firefox", words(&["firefox", URL])),
            (
                " firefox  --new-tab ",
                words(&["firefox", "--new-tab", URL]),
            ),
            ("firefox %s", words(&["firefox", URL])),
            ("firefox %s --quiet", words(&["firefox", URL, "--quiet"])),
            (
                "chrome --app=%s",
                words(&["chrome", &format!("--app={URL}")]),
            ),
            (
                "tee '<%s> <%s>'",
                words(&["tee", &format!("<{URL}> <{URL}>")]),
            ),
            ("x 100%% %s", words(&["x", "100%", URL])),
            ("x %%s", words(&["x", "%s", URL])),
            ("x %%%s", words(&["x", &format!("%{URL}")])),
            ("x %%%%s", words(&["x", "%%s", URL])),
            ("x %d %", words(&["x", "%d", "%", URL])),
            (
                "'/opt/my browser/run' 'two words' \"%s\"",
                words(&["/opt/my browser/run", "two words", URL]),
            ),
            (
                "x '$(id)' ; | &",
                words(&["x", "$(id)", ";", "|", "&", URL]),
            ),
            ("%s", words(&["%s", URL])),
            ("#comment", words(&[])),
            ("x 'open", None),
            ("x \"open", None),
        ] {
            assert_eq!(arguments(candidate, URL), want, "{candidate}");
        }
    }

    /// The programs that a `$BROWSER` of `setting` and the variables `set` lead to.
    fn programs(setting: &str, set: &[&str]) -> Result<Vec<String>, BrowserError> {
        let vars = set.iter().map(|name| (*name, "x"));
        let vars = vars.chain([("BROWSER", setting)]);
        let opener = Opener::new(Environment::new(vars, &[] as &[&str]));
        let commands = opener.commands(URL)?;
        Ok(commands.iter().map(program_name).collect())
    }

    #[test]
    fn browser_setting_table() {
        for (setting, want) in [
            ("firefox", Ok(vec!["firefox"])),
            (
                "/usr/bin/firefox:w3m -o x=y:lynx",
                Ok(vec!["firefox", "w3m", "lynx"]),
            ),
            (":firefox::", Ok(vec!["firefox"])),
            ("'broken:lynx", Ok(vec!["lynx"])),
            ("'broken", Err(BrowserError::Setting)),
            ("# nothing", Err(BrowserError::Setting)),
            ("", Ok(vec![])),
            (" : :", Ok(vec![])),
        ] {
            // Over SSH, so that only $BROWSER counts on any system.
            let got = programs(setting, &["SSH_TTY", "DISPLAY"]);
            let want = want.map(|names| names.into_iter().map(String::from).collect());
            assert_eq!(got, want, "{setting}");
        }
    }

    #[test]
    fn without_a_setting_the_desktop_decides() {
        let names = programs("", &["DISPLAY"]).unwrap();
        assert!(!names.is_empty());
        assert_eq!(programs(":", &["DISPLAY"]).unwrap(), names);
    }

    #[test]
    fn the_browser_is_the_first_that_is_installed() {
        for (setting, want) in [
            ("nowhere:sh", Ok(Some("sh".into()))),
            ("/bin/sh -x:lynx", Ok(Some("sh".into()))),
            ("", Ok(None)),
            (
                "nowhere:/no/where",
                Err("no browser started (nowhere, where: not found); set BROWSER to the command of \
                     one that is installed"
                    .to_owned()),
            ),
        ] {
            let vars = [("SSH_TTY", "x"), ("BROWSER", setting), ("PATH", "/usr/bin:/bin")];
            let opener = Opener::new(Environment::new(vars, &[] as &[&str]));
            let browser = opener.browser().map_err(|error| error.to_string());
            assert_eq!(browser, want, "{setting}");
        }
    }

    #[test]
    fn without_a_browser_nothing_is_started() {
        let vars = [("SSH_CONNECTION", "x"), ("DISPLAY", ":0")];
        let opener = Opener::new(Environment::new(vars, &[] as &[&str]));
        let link = Link::parse(URL).unwrap();
        assert_eq!(opener.open(&link), Ok(Opened::NoBrowser));
    }
}
