//! Starting a browser: which program, with what arguments, and cut off from our terminal.
//!
//! No shell is involved: a URL is always (part of) one argument. A `$BROWSER` that itself runs a
//! shell and writes `%s` inside its script gives that up.
//!
//! This file must not know what the link is for or how the outcome is shown.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use super::Environment;
use crate::link::Link;
use crate::text;

/// A program that fails this soon opened nothing, so the next one is tried. One that fails later
/// may have shown the page already.
const EARLY: Duration = Duration::from_secs(5);
/// The most cells of an error that list the programs tried.
const TRIED_WIDTH: usize = 60;

/// Why no browser was started, in words that are safe to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrowserError {
    /// No candidate in `$BROWSER` could be read.
    #[error("no browser started: $BROWSER names no program, or a quote in it is not closed")]
    Setting,
    /// No program could be started.
    #[error(
        "no browser started ({tried}: {reason}); set BROWSER to the command of one that is installed"
    )]
    NotStarted {
        /// The programs that were tried.
        tried: String,
        /// What the system said of the last.
        reason: String,
    },
}

/// What became of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The program of this name was started with it.
    Browser(String),
    /// There is none that the person could see (over SSH, or without a display): copy the link and
    /// show it instead.
    NoBrowser,
}

/// Opens links in the person's browser.
#[derive(Clone, Debug)]
pub struct Opener {
    environment: Environment,
}

impl Opener {
    /// An opener whose browsers are named by, and see, `environment`.
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

    /// The program that would open a link; `None` where there is none that the person could see.
    pub fn browser(&self) -> Result<Option<String>, BrowserError> {
        let commands = self.commands("https://example.com/")?;
        let mut names = commands.iter();
        let there = names.find(|command| self.environment.has_program(command.get_program()));
        match there {
            Some(command) => Ok(Some(program_name(command))),
            None if commands.is_empty() => Ok(None),
            None => {
                let tried: Vec<String> = commands.iter().map(program_name).collect();
                Err(not_started(&tried, reason(&io::ErrorKind::NotFound.into())))
            }
        }
    }

    /// The commands that would open `url`, best first.
    fn commands(&self, url: &str) -> Result<Vec<Command>, BrowserError> {
        let setting = self.environment.text("BROWSER").unwrap_or_default();
        let candidates: Vec<&str> = setting
            .split(':')
            .filter(|candidate| !candidate.trim().is_empty())
            .collect();
        if !candidates.is_empty() {
            return chosen(&candidates, url);
        }
        if self.environment.has_desktop() {
            return Ok(open::commands(url));
        }
        Ok(Vec::new())
    }
}

/// The commands of the `candidates` that can be read.
fn chosen(candidates: &[&str], url: &str) -> Result<Vec<Command>, BrowserError> {
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

/// The words of one candidate of `$BROWSER`: `%s` is the URL, which comes last where no word says
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

/// Starts the first of `commands` that can be started; its name.
fn launch(commands: Vec<Command>) -> Result<String, BrowserError> {
    let names: Vec<String> = commands.iter().map(program_name).collect();
    let fault = |reason| not_started(&names, reason);
    let (report, started) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("browser".into())
        .spawn(move || run(commands, &report))
        .map_err(|error| fault(reason(&error)))?;
    match started.recv() {
        Ok(outcome) => outcome.map_err(fault),
        Err(_) => Err(fault("it ended at once".into())),
    }
}

fn not_started(tried: &[String], reason: String) -> BrowserError {
    BrowserError::NotStarted {
        tried: text::truncate(&tried.join(", "), TRIED_WIDTH, "…").into_owned(),
        reason,
    }
}

/// Starts one command after another until one does not fail early, and waits for it, so that no
/// zombie is left. The first start, or that there was none, is reported.
fn run(commands: Vec<Command>, report: &SyncSender<Result<String, String>>) {
    let mut last = String::new();
    for mut command in commands {
        let begun = Instant::now();
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                last = reason(&error);
                continue;
            }
        };
        let name = program_name(&command);
        // Nobody listens after the first report, and that is fine.
        let _ = report.try_send(Ok(name.clone()));
        match child.wait() {
            Ok(status) if !status.success() => tracing::warn!("{name} ended with {status}"),
            _ => return,
        }
        if begun.elapsed() > EARLY {
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
    fn the_browser_is_the_first_that_is_there() {
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
    fn without_a_browser_that_is_said() {
        let vars = [("SSH_CONNECTION", "x"), ("DISPLAY", ":0")];
        let opener = Opener::new(Environment::new(vars, &[] as &[&str]));
        let link = Link::parse(URL).unwrap();
        assert_eq!(opener.open(&link), Ok(Opened::NoBrowser));
    }
}
