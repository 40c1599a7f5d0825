//! What `doctor` finds, one line each: the facts, judged.
//!
//! This file must not know how the facts were found out.

use std::io::{self, Write};

use super::super::output::paint;
use crate::board::Row;
use crate::config::{Config, ConfigError, KeySource};
use crate::desktop::BrowserError;
use crate::exit::Exit;
use crate::key::KeyError;
use crate::view::plural;
use crate::view::theme::{Role, Theme};

/// Below these columns and lines the dashboard shows no table.
const LEAST_SIZE: (u16, u16) = (40, 5);

/// What sort of thing is wrong; a later one is told before an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Anything that is none of the others.
    Other,
    /// A key is missing, refused, or of the wrong kind.
    Key,
    /// The config is missing or broken.
    Config,
}

/// One line of the report.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    trouble: Option<Trouble>,
    topic: &'static str,
    said: String,
}

impl Finding {
    fn well(topic: &'static str, said: impl Into<String>) -> Self {
        Self {
            trouble: None,
            topic,
            said: said.into(),
        }
    }

    fn bad(trouble: Trouble, topic: &'static str, said: impl Into<String>) -> Self {
        Self {
            trouble: Some(trouble),
            topic,
            said: said.into(),
        }
    }
}

/// The worst that `findings` tell of decides.
pub fn exit(findings: &[Finding]) -> Exit {
    match worst(findings) {
        None => Exit::Done,
        Some(Trouble::Other) => Exit::Failed,
        Some(Trouble::Key) => Exit::NoKey,
        Some(Trouble::Config) => Exit::Usage,
    }
}

fn worst(findings: &[Finding]) -> Option<Trouble> {
    findings.iter().filter_map(|found| found.trouble).max()
}

/// The config; `place` says where it is.
pub fn config(place: &str, config: Result<&Config, &ConfigError>) -> Finding {
    match config {
        Err(error) => Finding::bad(Trouble::Config, "config", error.to_string()),
        Ok(config) if config.projects.is_empty() => Finding::bad(
            Trouble::Other,
            "config",
            format!("{place}: no projects: put one there, under [[projects]], with its jobs"),
        ),
        Ok(config) => {
            let (projects, jobs) = (
                config.projects.len(),
                config.projects.iter().map(|p| p.jobs.len()).sum::<usize>(),
            );
            let said = format!(
                "{place}: {projects} {}, {jobs} {}",
                plural("project", projects),
                plural("job", jobs)
            );
            Finding::well("config", said)
        }
    }
}

/// A key from `source`: whether it begins as Mintlify's keys do, or why there is none.
pub fn key(source: &KeySource, key: Result<bool, &KeyError>) -> Finding {
    match key {
        Ok(true) => Finding::well("key", format!("{source}: there is one")),
        Ok(false) => Finding::bad(
            Trouble::Key,
            "key",
            format!(
                "{source}: it does not begin with mint_, as Mintlify's keys do: is it the right one?"
            ),
        ),
        Err(why) => Finding::bad(Trouble::Key, "key", why.to_string()),
    }
}

/// A project, by the one job of it that was polled.
pub fn project(name: &str, polled: Option<&Row>) -> Finding {
    let Some(row) = polled else {
        let said = format!("{name}: no jobs are listed, so that it was not asked");
        return Finding::well("project", said);
    };
    let title = row.watched.title();
    match &row.error {
        None => {
            let status = row.status().map_or("in a state unknown", |s| s.as_str());
            Finding::well("project", format!("{name}: answers; {title} is {status}"))
        }
        Some(error) => {
            let trouble = if error.kind.blames_key() {
                Trouble::Key
            } else {
                Trouble::Other
            };
            Finding::bad(
                trouble,
                "project",
                format!("{name}, {title}: {}", error.message),
            )
        }
    }
}

/// What there is to know of the terminal.
#[derive(Clone, Debug)]
pub struct Terminal {
    /// Whether the input and the output both are one.
    pub is_terminal: bool,
    /// `$TERM`.
    pub term: Option<String>,
    /// Whether the locale is UTF-8.
    pub utf8: bool,
    /// Columns and lines.
    pub size: Option<(u16, u16)>,
    /// Whether colours are used.
    pub color: bool,
}

/// The terminal.
pub fn terminal(facts: &Terminal) -> Finding {
    let bad = |said: String| Finding::bad(Trouble::Other, "terminal", said);
    if !facts.is_terminal {
        let said = "none here; the dashboard needs one, the other verbs do not";
        return Finding::well("terminal", said);
    }
    let term = facts.term.as_deref().unwrap_or_default();
    if matches!(term, "" | "dumb") {
        let said = "TERM names none that can be drawn on: set it, for example to xterm-256color";
        return bad(String::from(said));
    }
    let size = facts.size.map_or_else(String::new, |(columns, lines)| {
        format!(", {columns}x{lines}")
    });
    let color = if facts.color { "colours" } else { "no colours" };
    if let Some((columns, lines)) = facts.size
        && (columns < LEAST_SIZE.0 || lines < LEAST_SIZE.1)
    {
        let (least_columns, least_lines) = LEAST_SIZE;
        return bad(format!(
            "{term}{size}: too small, make it at least {least_columns}x{least_lines}"
        ));
    }
    if facts.utf8 {
        Finding::well("terminal", format!("{term}{size}, {color}, UTF-8"))
    } else {
        Finding::well(
            "terminal",
            format!("{term}{size}, {color}, ASCII only; for more set LANG to a UTF-8 locale"),
        )
    }
}

/// What there is to know of the way to the clipboard.
#[derive(Clone, Debug)]
pub struct Clipboard {
    /// Whether tmux is in between.
    pub in_tmux: bool,
    /// What tmux's `set-clipboard` is set to, where tmux says so.
    pub set_clipboard: Option<String>,
    /// Whether SSH is in between.
    pub over_ssh: bool,
}

/// The clipboard.
pub fn clipboard(facts: &Clipboard) -> Finding {
    let topic = "clipboard";
    let ssh = if facts.over_ssh { " over SSH" } else { "" };
    if !facts.in_tmux {
        let said = format!("OSC 52{ssh}, if the terminal allows programs to copy");
        return Finding::well(topic, said);
    }
    match facts.set_clipboard.as_deref() {
        Some("off") => Finding::bad(
            Trouble::Other,
            topic,
            "tmux keeps it from programs: run `tmux set -s set-clipboard on`, and put that into \
             ~/.tmux.conf",
        ),
        Some(value) => Finding::well(
            topic,
            format!("tmux{ssh} (set-clipboard {value}), if the terminal allows programs to copy"),
        ),
        None => Finding::bad(
            Trouble::Other,
            topic,
            "TMUX is set, but tmux does not answer: is it in the PATH, and does it still run?",
        ),
    }
}

/// The browser that would be started.
pub fn browser(found: &Result<Option<String>, BrowserError>) -> Finding {
    match found {
        Ok(Some(name)) => Finding::well("browser", name.clone()),
        Ok(None) => Finding::well(
            "browser",
            "none here: links are copied and shown instead; BROWSER can name one",
        ),
        Err(error) => Finding::bad(Trouble::Other, "browser", error.to_string()),
    }
}

/// The folder that writes are counted in, as `place`; `None` where there is no home for one.
pub fn state(counted: Option<(&str, Result<(), &io::Error>)>) -> Finding {
    match counted {
        Some((place, Ok(()))) => Finding::well("state", format!("{place}: can be written")),
        Some((place, Err(error))) => Finding::bad(
            Trouble::Other,
            "state",
            format!(
                "{place}: cannot be written ({error}), so that this hour's writes are not \
                 counted: mend its mode, or set XDG_STATE_HOME to another folder"
            ),
        ),
        None => Finding::bad(
            Trouble::Other,
            "state",
            "no home folder, so that this hour's writes are not counted: set HOME",
        ),
    }
}

/// Prints one line for each of `findings`.
pub fn print(findings: &[Finding], theme: Theme, out: &mut dyn Write) -> io::Result<()> {
    for found in findings {
        let (mark, role) = match found.trouble {
            None => ("ok", Role::Good),
            Some(_) => ("!!", Role::Bad),
        };
        let mark = paint(theme, role, mark);
        let mut lines = found.said.lines();
        let first = theme.printable(lines.next().unwrap_or_default());
        writeln!(out, "{mark}  {:<9}  {first}", found.topic)?;
        for line in lines {
            writeln!(out, "{:15}{}", "", theme.printable(line))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(finding: &Finding) -> String {
        let mut out = Vec::new();
        let finding = std::slice::from_ref(finding);
        print(finding, Theme::new(false, false), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn terminal_table() {
        let good = Terminal {
            is_terminal: true,
            term: Some("xterm".into()),
            utf8: true,
            size: Some((120, 40)),
            color: true,
        };
        let change = |change: fn(&mut Terminal)| {
            let mut facts = good.clone();
            change(&mut facts);
            facts
        };
        for (facts, want) in [
            (
                good.clone(),
                "ok  terminal   xterm, 120x40, colours, UTF-8\n",
            ),
            (
                change(|f| f.color = false),
                "ok  terminal   xterm, 120x40, no colours, UTF-8\n",
            ),
            (
                change(|f| f.utf8 = false),
                "ok  terminal   xterm, 120x40, colours, ASCII only; for more set LANG to a UTF-8 locale\n",
            ),
            (
                change(|f| f.size = Some((30, 40))),
                "!!  terminal   xterm, 30x40: too small, make it at least 40x5\n",
            ),
            (
                change(|f| f.term = Some("dumb".into())),
                "!!  terminal   TERM names none that can be drawn on: set it, for example to xterm-256color\n",
            ),
            (
                change(|f| f.is_terminal = false),
                "ok  terminal   none here; the dashboard needs one, the other verbs do not\n",
            ),
        ] {
            assert_eq!(line(&terminal(&facts)), want);
        }
    }

    #[test]
    fn clipboard_table() {
        for (in_tmux, set_clipboard, over_ssh, want) in [
            (false, None, false, "ok  clipboard  OSC 52, if"),
            (false, None, true, "ok  clipboard  OSC 52 over SSH, if"),
            (
                true,
                Some("on"),
                false,
                "ok  clipboard  tmux (set-clipboard on)",
            ),
            (true, Some("off"), false, "!!  clipboard  tmux keeps it"),
            (true, None, false, "!!  clipboard  TMUX is set, but"),
        ] {
            let facts = Clipboard {
                in_tmux,
                set_clipboard: set_clipboard.map(String::from),
                over_ssh,
            };
            let line = line(&clipboard(&facts));
            assert!(line.starts_with(want), "{line}");
        }
    }

    #[test]
    fn the_worst_trouble_decides() {
        let well = || Finding::well("x", "");
        let bad = |trouble| Finding::bad(trouble, "x", "");
        for (findings, want) in [
            (vec![], None),
            (vec![well()], None),
            (vec![well(), bad(Trouble::Other)], Some(Trouble::Other)),
            (
                vec![bad(Trouble::Key), bad(Trouble::Other)],
                Some(Trouble::Key),
            ),
            (
                vec![bad(Trouble::Key), bad(Trouble::Config)],
                Some(Trouble::Config),
            ),
        ] {
            assert_eq!(worst(&findings), want, "{findings:?}");
        }
    }

    #[test]
    fn lines_that_follow_stand_below_the_first() {
        let finding = Finding::bad(Trouble::Config, "config", "one\ntwo");
        assert_eq!(line(&finding), "!!  config     one\n               two\n");
    }
}
