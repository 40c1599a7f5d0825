//! What `doctor` reports: each finding is judged from facts, and printed on one line.
//!
//! This file must not know how the facts are gathered.

pub mod github;

use std::io::{self, Write};

use super::super::output::paint;
use crate::board::Row;
use crate::cli::error::exit_of;
use crate::config::{Config, ConfigError, KeySource};
use crate::desktop::BrowserError;
use crate::exit::Exit;
use crate::key::KeyError;
use crate::store::{Checked, StoreState};
use crate::text;
use crate::view::plural;
use crate::view::theme::{Role, Theme};

/// The dashboard shows no table below these columns and lines.
const MIN_SIZE: (u16, u16) = (40, 5);

#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// [`Exit::Done`] if there is no problem.
    exit: Exit,
    topic: &'static str,
    message: String,
}

impl Finding {
    fn ok(topic: &'static str, message: impl Into<String>) -> Self {
        Self::problem(Exit::Done, topic, message)
    }

    fn problem(exit: Exit, topic: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            exit,
            topic,
            message,
        }
    }
}

/// A problem of the config comes before one of a key, and that before any other.
pub fn exit(findings: &[Finding]) -> Exit {
    let has = |exit: &Exit| findings.iter().any(|finding| finding.exit == *exit);
    let problems = [Exit::Usage, Exit::NoKey, Exit::Failed];
    problems.into_iter().find(has).unwrap_or(Exit::Done)
}

pub fn config(path: &str, config: Result<&Config, &ConfigError>) -> Finding {
    let topic = "config";
    let config = match config {
        Ok(config) => config,
        Err(error) => return Finding::problem(Exit::Usage, topic, error.to_string()),
    };
    let projects = config.projects.len();
    if projects == 0 {
        let message = format!("{path}: no projects: add one under [[projects]], with its jobs");
        return Finding::problem(Exit::Failed, topic, message);
    }
    let jobs: usize = config.projects.iter().map(|p| p.jobs.len()).sum();
    let (project, job) = (plural("project", projects), plural("job", jobs));
    Finding::ok(topic, format!("{path}: {projects} {project}, {jobs} {job}"))
}

/// `key` is whether the key begins as Mintlify's keys do.
pub fn key(source: &KeySource, key: Result<bool, &KeyError>) -> Finding {
    let problem = |message| Finding::problem(Exit::NoKey, "key", message);
    match key {
        Ok(true) => Finding::ok("key", format!("{source}: found")),
        Ok(false) => problem(format!(
            "{source}: it does not begin with mint_, as Mintlify's keys do: is it the right one?"
        )),
        Err(error) => problem(error.to_string()),
    }
}

/// `polled` is the one job of the project that was polled.
pub fn project(name: &str, polled: Option<&Row>) -> Finding {
    let topic = "project";
    let Some(row) = polled else {
        return Finding::ok(
            topic,
            format!("{name}: lists no jobs, so it was not polled"),
        );
    };
    let title = row.title();
    match &row.error {
        None => {
            let status = row.status_word();
            Finding::ok(topic, format!("{name}: answers; {title}: status {status}"))
        }
        Some(error) => {
            let message = format!("{name}, {title}: {}", error.message);
            Finding::problem(exit_of(error.kind), topic, message)
        }
    }
}

#[derive(Clone, Debug)]
pub struct Terminal {
    /// Whether standard input and output both are one.
    pub is_terminal: bool,
    /// `$TERM`.
    pub term: Option<String>,
    pub utf8: bool,
    /// Columns and lines.
    pub size: Option<(u16, u16)>,
    pub color: bool,
}

pub fn terminal(facts: &Terminal) -> Finding {
    let topic = "terminal";
    if !facts.is_terminal {
        let message = "none here; the dashboard needs one, the other verbs do not";
        return Finding::ok(topic, message);
    }
    let term = facts.term.as_deref().unwrap_or_default();
    if matches!(term, "" | "dumb") {
        let message = "TERM names none that can be drawn on: set it, for example to xterm-256color";
        return Finding::problem(Exit::Failed, topic, message);
    }
    let size = facts.size.map_or_else(String::new, |(columns, lines)| {
        format!(", {columns}x{lines}")
    });
    let (min_columns, min_lines) = MIN_SIZE;
    if let Some((columns, lines)) = facts.size
        && (columns < min_columns || lines < min_lines)
    {
        let message =
            format!("{term}{size}: too small, make it at least {min_columns}x{min_lines}");
        return Finding::problem(Exit::Failed, topic, message);
    }
    let color = if facts.color { "colours" } else { "no colours" };
    let charset = if facts.utf8 {
        "UTF-8"
    } else {
        "ASCII only; for more set LANG to a UTF-8 locale"
    };
    Finding::ok(topic, format!("{term}{size}, {color}, {charset}"))
}

#[derive(Clone, Debug)]
pub struct Clipboard {
    pub in_tmux: bool,
    /// tmux's `set-clipboard`; `None` where tmux does not answer.
    pub set_clipboard: Option<String>,
    pub over_ssh: bool,
}

pub fn clipboard(facts: &Clipboard) -> Finding {
    let ssh = if facts.over_ssh { " over SSH" } else { "" };
    let transport = match facts.set_clipboard.as_deref() {
        _ if !facts.in_tmux => format!("OSC 52{ssh}"),
        Some(value) if value != "off" => format!("tmux{ssh} (set-clipboard {value})"),
        refused => {
            let message = match refused {
                Some(_) => {
                    "tmux keeps it from programs: run `tmux set -s set-clipboard on`, and put that \
                     into ~/.tmux.conf"
                }
                None => {
                    "TMUX is set, but tmux does not answer: is it in the PATH, and does it still \
                     run?"
                }
            };
            return Finding::problem(Exit::Failed, "clipboard", message);
        }
    };
    let message = format!("{transport}, if the terminal allows programs to copy");
    Finding::ok("clipboard", message)
}

pub fn browser(browser: &Result<Option<String>, BrowserError>) -> Finding {
    let topic = "browser";
    match browser {
        Ok(Some(name)) => Finding::ok(topic, name.clone()),
        Ok(None) => Finding::ok(
            topic,
            "none here: links are shown, and sent to the terminal's clipboard; BROWSER can name one",
        ),
        Err(error) => Finding::problem(Exit::Failed, topic, error.to_string()),
    }
}

/// Why there is no store.
#[derive(Clone, Copy, Debug)]
pub enum NoStore {
    Flag,
    Config,
    NoHome,
}

/// `checked` is what was found, and at which path.
pub fn store(checked: Result<(&str, &Checked), NoStore>) -> Finding {
    let (path, checked) = match checked {
        Ok(found) => found,
        Err(reason) => return no_store(reason),
    };
    let (exit, mut message) = match store_problem(path, &checked.state) {
        Some(problem) => (Exit::Failed, problem),
        None => (Exit::Done, sound_store(path, &checked.state)),
    };
    if let Some(network) = checked.network {
        message.push_str("\non ");
        message.push_str(network);
        message.push_str(
            ", which its locks and its speed depend on; [store] path can name a file on a local disk",
        );
    }
    Finding::problem(exit, "store", message)
}

/// What a run without a store does not do.
const WITHOUT_STORE: &str = "nothing is remembered, and this hour's writes are not counted";

fn no_store(reason: NoStore) -> Finding {
    let topic = "store";
    match reason {
        NoStore::Flag => Finding::ok(topic, format!("--no-store: {WITHOUT_STORE}")),
        NoStore::Config => Finding::ok(topic, format!("enabled = false: {WITHOUT_STORE}")),
        NoStore::NoHome => {
            let message = format!(
                "no home folder, so that {WITHOUT_STORE}: set HOME, or name a file in [store] path"
            );
            Finding::problem(Exit::Failed, topic, message)
        }
    }
}

fn sound_store(path: &str, state: &StoreState) -> String {
    match state {
        StoreState::Sound {
            bytes,
            jobs,
            events,
        } => {
            let size = bytes.div_ceil(1024);
            let count = |word, count: u64| {
                let of = usize::try_from(count).unwrap_or(usize::MAX);
                format!("{count} {}", plural(word, of))
            };
            let (jobs, events) = (count("job", *jobs), count("event", *events));
            format!("{path}: {size} KiB, {jobs}, {events}")
        }
        StoreState::Interrupted => format!(
            "{path}: a run was killed while it stored something; the next one takes that back"
        ),
        _ => format!("{path}: not there yet; the first run makes it"),
    }
}

/// What keeps runs from using the store at `path`, and how to fix it.
fn store_problem(path: &str, state: &StoreState) -> Option<String> {
    Some(match state {
        StoreState::Missing | StoreState::Sound { .. } | StoreState::Interrupted => return None,
        StoreState::Newer(version) => format!(
            "{path}: written by a newer mintwatch (schema {version}), so that {WITHOUT_STORE}: update \
             this one, or name another file in [store] path"
        ),
        StoreState::Damaged(why) => format!(
            "{path}: damaged ({}): the next run moves it to {path}.corrupt, and begins a new one",
            text::clean(why)
        ),
        StoreState::Locked => format!(
            "{path}: another process has locked it for seconds: end that one, or nothing is stored"
        ),
        StoreState::Unwritable { path, error } => format!(
            "{}: cannot be written ({error}), so that {WITHOUT_STORE}: fix its mode, or name another \
             file in [store] path",
            text::clean(&path.to_string_lossy())
        ),
        StoreState::Unreadable(why) => format!(
            "{path}: cannot be read ({}), so that {WITHOUT_STORE}: move it away, or name another file \
             in [store] path",
            text::clean(why)
        ),
    })
}

pub fn print(findings: &[Finding], theme: Theme, out: &mut dyn Write) -> io::Result<()> {
    for finding in findings {
        let (mark, role) = match finding.exit {
            Exit::Done => ("ok", Role::Good),
            _ => ("!!", Role::Bad),
        };
        let mark = paint(theme, theme.mark(role), mark);
        let mut lines = finding.message.lines();
        let first = theme.printable(lines.next().unwrap_or_default());
        writeln!(out, "{mark}  {:<9}  {first}", finding.topic)?;
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
    fn store_table() {
        let sound = |jobs, events| StoreState::Sound {
            bytes: 20_481,
            jobs,
            events,
        };
        let unwritable = StoreState::Unwritable {
            path: "/s".into(),
            error: io::Error::other("Permission denied"),
        };
        for (state, want) in [
            (
                StoreState::Missing,
                "ok  store      /s/store.db: not there yet; the first run makes it",
            ),
            (
                sound(2, 1),
                "ok  store      /s/store.db: 21 KiB, 2 jobs, 1 event",
            ),
            (
                StoreState::Interrupted,
                "ok  store      /s/store.db: a run was killed",
            ),
            (
                StoreState::Newer(9),
                "!!  store      /s/store.db: written by a newer mintwatch (schema 9), so",
            ),
            (
                StoreState::Damaged("a\u{1b}[31mb".into()),
                "!!  store      /s/store.db: damaged (a[31mb): the next run moves it to /s/store.db.corrupt,",
            ),
            (
                StoreState::Locked,
                "!!  store      /s/store.db: another process has locked it",
            ),
            (
                unwritable,
                "!!  store      /s: cannot be written (Permission denied), so that nothing is remembered, \
                 and this hour's writes are not counted: fix its mode, or name",
            ),
            (
                StoreState::Unreadable("no".into()),
                "!!  store      /s/store.db: cannot be read (no), so",
            ),
        ] {
            let checked = Checked {
                state,
                network: None,
            };
            let line = line(&store(Ok(("/s/store.db", &checked))));
            assert!(line.starts_with(want), "{line}");
        }
    }

    #[test]
    fn without_a_store_it_is_told_why() {
        for (reason, want) in [
            (
                NoStore::Flag,
                "ok  store      --no-store: nothing is remembered",
            ),
            (
                NoStore::Config,
                "ok  store      enabled = false: nothing is remembered",
            ),
            (
                NoStore::NoHome,
                "!!  store      no home folder, so that nothing is remembered",
            ),
        ] {
            let line = line(&store(Err(reason)));
            assert!(line.starts_with(want), "{line}");
        }
    }

    #[test]
    fn a_network_file_system_is_named_and_no_problem() {
        let checked = Checked {
            state: StoreState::Missing,
            network: Some("NFS"),
        };
        assert_eq!(
            line(&store(Ok(("/s/store.db", &checked)))),
            "ok  store      /s/store.db: not there yet; the first run makes it\n               \
             on NFS, which its locks and its speed depend on; [store] path can name a file on a \
             local disk\n"
        );
    }

    #[test]
    fn the_worst_problem_decides_the_exit_code() {
        let ok = || Finding::ok("x", "");
        let problem = |exit| Finding::problem(exit, "x", "");
        for (findings, want) in [
            (vec![], Exit::Done),
            (vec![ok()], Exit::Done),
            (vec![ok(), problem(Exit::Failed)], Exit::Failed),
            (
                vec![problem(Exit::NoKey), problem(Exit::Failed)],
                Exit::NoKey,
            ),
            (
                vec![problem(Exit::NoKey), problem(Exit::Usage)],
                Exit::Usage,
            ),
        ] {
            assert_eq!(exit(&findings), want, "{findings:?}");
        }
    }

    #[test]
    fn further_lines_are_indented() {
        let finding = Finding::problem(Exit::Usage, "config", "one\ntwo");
        assert_eq!(line(&finding), "!!  config     one\n               two\n");
    }
}
