//! `mintwatch watch`: prints a line for each event.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::pin::pin;

use clap::Args;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use serde::Serialize;
use tokio::sync::watch;

use super::context::Context;
use super::error::{CommandError, CommandResult};
use super::json::ProjectEntry;
use crate::board::{Board, Row};
use crate::event::{Change, Event};
use crate::exit::Exit;
use crate::job::Status;
use crate::poll::Poller;
use crate::poll::schedule::Start;
use crate::process;
use crate::pull_request::PullRequest;
use crate::view::theme::Theme;

#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  mintwatch watch                        a line for each change, until Ctrl-C
  mintwatch watch --json | jq --unbuffered -r 'select(.to == \"failed\") | .id'
  mintwatch watch --json | while read -r line; do notify-send \"$line\"; done

With --json, each line is one object. `event` is `status` (`from` and `to` say how it changed) or
`pull_request` (a link appeared or changed; `from` and `to` are null). `prLink` is the pull request
at that moment. When one reply brings both, `status` comes first. The first sight of a job is no
change. Errors of polls are printed on standard error, once each.

Exit codes: 130 Ctrl-C; 143 SIGTERM; 0 when the reader of the output has gone; 1 no jobs to watch;
2 usage or config; 4 no key, or all keys refused.")]
pub struct WatchArgs {
    /// Print one JSON object a line (NDJSON)
    #[arg(long)]
    pub json: bool,
}

impl WatchArgs {
    pub async fn execute(&self, context: &Context) -> CommandResult {
        let stop = process::interrupted();
        let mut session = context.poll(Start::Spread, Ok).await?;
        if session.poller.board().borrow().rows().is_empty() {
            let message = "no jobs to watch: the config lists none";
            return Err(CommandError::failed(message));
        }
        session.poller.watch_for_sleep();
        if io::stderr().is_terminal() {
            let _ = writeln!(io::stderr(), "watching; Ctrl-C ends it");
        }
        let output = Output {
            out: &mut io::stdout(),
            err: &mut io::stderr(),
            theme: context.theme(io::stdout().is_terminal()),
            time_zone: TimeZone::system(),
        };
        let closed = process::output_closed();
        match watch(self, &session.poller, output, stop, closed).await? {
            Some(exit) => Ok(exit),
            None => Err(CommandError::poller_ended(&mut session.poller).await),
        }
    }
}

#[derive(Debug)]
struct Output<'a, O, E> {
    out: &'a mut O,
    err: &'a mut E,
    theme: Theme,
    /// For lines that are not JSON.
    time_zone: TimeZone,
}

/// Prints a line for each event until `stop` or `closed`, that of the output, completes; `None`
/// if the poller has ended.
async fn watch<O: Write, E: Write>(
    args: &WatchArgs,
    poller: &Poller,
    output: Output<'_, O, E>,
    stop: impl Future<Output = Exit>,
    closed: impl Future<Output = ()>,
) -> io::Result<Option<Exit>> {
    let (mut stop, mut closed) = (pin!(stop), pin!(closed));
    let (mut board, mut events) = (poller.board(), poller.subscribe());
    let mut errors = ReportedErrors::default();
    loop {
        tokio::select! {
            // In this order, so that no line is lost when `stop` completes after it.
            biased;
            event = events.recv() => {
                let Some(event) = event else {
                    return Ok(None);
                };
                let line = Line::new(&event, &board.borrow())
                    .render(args.json, output.theme, &output.time_zone)?;
                output.out.write_all(line.as_bytes())?;
                output.out.flush()?;
            }
            changed = board.changed() => {
                if changed.is_err() {
                    return Ok(None);
                }
                if errors.report(&mut board, output.err) {
                    return Ok(Some(Exit::NoKey));
                }
            }
            exit = &mut stop => return Ok(Some(exit)),
            () = &mut closed => return Ok(Some(Exit::Done)),
        }
    }
}

/// What a line tells; it also is one of `watch --json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    at: Timestamp,
    project: ProjectEntry<'a>,
    id: &'a str,
    label: Option<&'a str>,
    #[serde(rename = "event")]
    kind: &'static str,
    from: Option<&'a str>,
    to: Option<&'a str>,
    pr_link: Option<&'a str>,
    #[serde(skip)]
    change: &'a Change,
}

impl<'a> Line<'a> {
    /// A job that has left `board` since is told by its ids.
    fn new(event: &'a Event, board: &'a Board) -> Self {
        let row = board.row(&event.key);
        let line = Self {
            at: event.at.round(Unit::Second).unwrap_or(event.at),
            project: row.map_or_else(
                || ProjectEntry::unnamed(&event.key.project),
                |row| ProjectEntry::new(&row.watched.project),
            ),
            id: &event.key.id,
            label: row.and_then(|row| row.watched.label.as_deref()),
            kind: "status",
            from: None,
            to: None,
            pr_link: row.and_then(Row::pull_request).map(PullRequest::as_str),
            change: &event.change,
        };
        match &event.change {
            Change::Status { from, to } => Self {
                from: from.as_ref().map(Status::as_str),
                to: to.as_ref().map(Status::as_str),
                ..line
            },
            Change::PullRequest(pull_request) => Self {
                kind: "pull_request",
                pr_link: Some(pull_request.as_str()),
                ..line
            },
        }
    }

    /// The line with its end.
    fn render(&self, json: bool, theme: Theme, time_zone: &TimeZone) -> serde_json::Result<String> {
        if json {
            return Ok(serde_json::to_string(self)? + "\n");
        }
        let line = self.to_text(time_zone) + "\n";
        Ok(theme.printable(line).into_owned())
    }

    fn to_text(&self, time_zone: &TimeZone) -> String {
        let at = self.at.to_zoned_datetime(time_zone.clone());
        let (project, job) = (self.project.title(), self.label.unwrap_or(self.id));
        let text = format!(
            "{}  {project}  {job}  {}",
            at.strftime("%F %T"),
            self.change
        );
        match self.change {
            Change::Status { .. } => text,
            Change::PullRequest(pull_request) => format!("{text}  {}", pull_request.as_str()),
        }
    }
}

/// The errors of the last polls: each is printed once, when it begins.
#[derive(Debug, Default)]
struct ReportedErrors(BTreeSet<String>);

impl ReportedErrors {
    /// Prints the new ones, and returns whether no job can be polled for lack of a key.
    fn report(&mut self, board: &mut watch::Receiver<Board>, err: &mut impl Write) -> bool {
        let board = board.borrow_and_update();
        let (news, all_refused) = (
            self.take_new(&board),
            board.rows().iter().all(Row::lacks_key),
        );
        // Let go of before anything is written: the poller waits for it.
        drop(board);
        for line in news {
            // Standard error may be closed.
            let _ = writeln!(err, "mintwatch: {line}");
        }
        all_refused
    }

    fn take_new(&mut self, board: &Board) -> Vec<String> {
        let mut new = Vec::new();
        let mut present = BTreeSet::new();
        for row in board.rows() {
            let Some(error) = &row.error else { continue };
            let known = self.0.contains(&error.message);
            if present.insert(error.message.clone()) && !known {
                new.push(format!("{}: {}", row.title(), error.message));
            }
        }
        self.0 = present;
        new
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::board::{Project, Update, Watched};
    use crate::failure::ErrorKind;
    use crate::failure::Failure;
    use crate::job::{Job, JobKey};

    const LINK: &str = "https://github.com/acme/docs/pull/412";

    fn board() -> (Board, JobKey) {
        let project = Arc::new(Project {
            id: "p".into(),
            name: Some("docs".into()),
        });
        let key = JobKey::new("p", "job_02");
        let board = Board::new([Watched {
            key: key.clone(),
            project,
            label: Some("SDK \"x\"".into()),
            tags: Vec::new(),
        }]);
        (board, key)
    }

    fn seen(status: Option<&str>, link: Option<&str>) -> Update {
        Update::Fetched {
            job: Job {
                status: status.map(Status::from_api),
                pull_request: link.map(PullRequest::new),
                ..Job::default()
            },
            fresh_for: None,
        }
    }

    /// What is printed after a job was seen in one way and then in another.
    fn lines(
        json: bool,
        before: (Option<&str>, Option<&str>),
        after: (Option<&str>, Option<&str>),
    ) -> Vec<String> {
        let (mut board, key) = board();
        board.apply(&key, seen(before.0, before.1), Timestamp::UNIX_EPOCH);
        let events = board.apply(&key, seen(after.0, after.1), Timestamp::UNIX_EPOCH);
        let lines = events.iter().map(|event| render(json, event, &board));
        lines.collect()
    }

    fn render(json: bool, event: &Event, board: &Board) -> String {
        let theme = Theme::new(false, false);
        let line = Line::new(event, board).render(json, theme, &TimeZone::UTC);
        let line = line.unwrap();
        line.strip_suffix('\n').unwrap().to_owned()
    }

    #[test]
    fn json_table() {
        let line = |event: &str, from: &str, to: &str, link: &str| {
            format!(
                r#"{{"at":"1970-01-01T00:00:00Z","project":{{"id":"p","name":"docs"}},"id":"job_02","label":"SDK \"x\"","event":"{event}","from":{from},"to":{to},"prLink":{link}}}"#
            )
        };
        let quoted = format!("\"{LINK}\"");
        for (before, after, want) in [
            (
                (Some("active"), None),
                (Some("completed"), None),
                vec![line("status", "\"active\"", "\"completed\"", "null")],
            ),
            (
                (Some("active"), None),
                (Some("completed"), Some(LINK)),
                vec![
                    line("status", "\"active\"", "\"completed\"", &quoted),
                    line("pull_request", "null", "null", &quoted),
                ],
            ),
            (
                (Some("completed"), None),
                (Some("completed"), Some(LINK)),
                vec![line("pull_request", "null", "null", &quoted)],
            ),
            (
                (Some("completed"), Some(LINK)),
                (None, Some(LINK)),
                vec![line("status", "\"completed\"", "null", &quoted)],
            ),
            (
                (None, None),
                (Some("on hold"), None),
                vec![line("status", "null", "\"on hold\"", "null")],
            ),
            (
                (Some("completed"), Some(LINK)),
                (Some("completed"), None),
                vec![],
            ),
            ((Some("active"), None), (Some("active"), None), vec![]),
        ] {
            assert_eq!(lines(true, before, after), want, "{before:?} {after:?}");
        }
    }

    #[test]
    fn lines_for_people() {
        assert_eq!(
            lines(false, (Some("active"), None), (None, Some(LINK))),
            [
                "1970-01-01 00:00:00  docs  SDK \"x\"  active to unknown",
                "1970-01-01 00:00:00  docs  SDK \"x\"  pull request #412  \
                 https://github.com/acme/docs/pull/412",
            ]
        );
    }

    #[test]
    fn a_job_that_has_left_is_told_by_its_ids() {
        let event = Event {
            at: Timestamp::UNIX_EPOCH,
            since: None,
            key: JobKey::new("p", "job_gone"),
            change: Change::Status {
                from: Some(Status::Active),
                to: Some(Status::Failed),
            },
        };
        let (board, _) = board();
        assert_eq!(
            render(false, &event, &board),
            "1970-01-01 00:00:00  p  job_gone  active to failed"
        );
        let want = r#"{"at":"1970-01-01T00:00:00Z","project":{"id":"p","name":null},"id":"job_gone","label":null,"event":"status","from":"active","to":"failed","prLink":null}"#;
        assert_eq!(render(true, &event, &board), want);
    }

    #[test]
    fn an_error_is_printed_when_it_begins() {
        let (mut board, key) = board();
        let mut errors = ReportedErrors::default();
        let failed = |message: &str| Update::Failed(Failure::new(ErrorKind::Network, message));
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(errors.take_new(&board), [""; 0]);
        board.apply(&key, failed("down"), now);
        assert_eq!(errors.take_new(&board), ["SDK \"x\": down"]);
        board.apply(&key, failed("down"), now);
        assert_eq!(errors.take_new(&board), [""; 0]);
        board.apply(&key, seen(Some("active"), None), now);
        assert_eq!(errors.take_new(&board), [""; 0]);
        board.apply(&key, failed("down"), now);
        assert_eq!(errors.take_new(&board), ["SDK \"x\": down"]);
    }
}
