//! `mintwatch watch`: prints a line for each event.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::pin::pin;

use clap::Args;
use jiff::tz::TimeZone;
use tokio::sync::watch;

use super::change_line::{ChangeLine, LineFormat};
use super::context::Context;
use super::error::{CommandError, CommandResult};
use crate::board::{Board, Row};
use crate::event::Event;
use crate::exit::Exit;
use crate::poll::Poller;
use crate::poll::schedule::Start;
use crate::process;

#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  mintwatch watch                        a line for each change, until Ctrl-C
  mintwatch watch --json | jq --unbuffered -r 'select(.to == \"failed\") | .id'
  mintwatch watch --json | while read -r line; do notify-send \"$line\"; done

With --json, each line is one object. `event` is `status` (`from` and `to` say how it changed) or
`pull_request` (a link appeared or changed; `from` and `to` are null). `prLink` is the pull request
at that moment. When one reply brings both, `status` comes first. `since` is null, or a time: nothing
polled the job since then, so that it can have happened earlier. `ran` is null, or for how many
seconds the job had been at work, where it ended its work by this. The first sight of a job is no
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
            format: LineFormat {
                json: self.json,
                theme: context.theme(io::stdout().is_terminal()),
                time_zone: TimeZone::system(),
                now: None,
            },
        };
        let closed = process::output_closed();
        match watch(&session.poller, output, stop, closed).await? {
            Some(exit) => Ok(exit),
            None => Err(CommandError::poller_ended(&mut session.poller).await),
        }
    }
}

#[derive(Debug)]
struct Output<'a, O, E> {
    out: &'a mut O,
    err: &'a mut E,
    format: LineFormat,
}

/// Prints a line for each event until `stop` or `closed`, that of the output, completes; `None`
/// if the poller has ended.
async fn watch<O: Write, E: Write>(
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
                let line = line(&event, &board.borrow(), &output.format)?;
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

fn line(event: &Event, board: &Board, format: &LineFormat) -> serde_json::Result<String> {
    let row = board.row(&event.key).filter(|_| event.change.ends_work());
    let ran = row.and_then(|row| row.progress?.ran());
    ChangeLine::new(event, ran, board).render(format)
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

    use jiff::Timestamp;

    use super::*;
    use crate::board::{Project, Update, Watched};
    use crate::failure::ErrorKind;
    use crate::failure::Failure;
    use crate::job::{Job, JobKey, Status};

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

    fn seen(status: Status) -> Update {
        Update::Fetched {
            job: Job {
                status: Some(status),
                ..Job::default()
            },
            fresh_for: None,
        }
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
        board.apply(&key, seen(Status::Active), now);
        assert_eq!(errors.take_new(&board), [""; 0]);
        board.apply(&key, failed("down"), now);
        assert_eq!(errors.take_new(&board), ["SDK \"x\": down"]);
    }
}
