//! `mintwatch wait`: waits until jobs have finished.

use std::io::{self, IsTerminal, Write};
use std::pin::pin;
use std::time::Duration;

use clap::Args;
use clap_complete::ArgValueCompleter;
use jiff::Timestamp;
use tokio::sync::watch;

use super::completions;
use super::context::Context;
use super::error::{CommandError, CommandResult};
use super::output::{self, OutputStyle};
use super::report::{errors, names};
use super::{json, select, table};
use crate::board::{Board, Row};
use crate::exit::Exit;
use crate::failure::ErrorKind;
use crate::job::Status;
use crate::poll::schedule::Start;
use crate::process;
use crate::text;
use crate::time;
use crate::view::theme::Theme;

/// Goes back to the start of the line and clears it (ECMA-48 CR and EL).
const REWRITE: &str = "\r\x1b[K";

#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  mintwatch wait                         all jobs of the config
  mintwatch wait job_01 \"SDK quickstart\" --timeout 30m
  mintwatch wait --fail-fast && echo all good
  mintwatch wait job_01 --json | jq -r '.jobs[].prLink'

A job has finished when it is completed, failed or archived. Where no job is watched, there is
nothing to wait for.

Exit codes: 0 all completed or archived; 1 a job failed, or there is no such job; 2 usage or
config; 4 no key, or a key refused, and all others have finished; 8 not finished within --timeout;
130 Ctrl-C.")]
pub struct WaitArgs {
    /// Only these jobs: ids, PROJECT/JOB, or labels
    #[arg(value_name = "JOB", add = ArgValueCompleter::new(completions::jobs))]
    pub jobs: Vec<String>,
    /// Give up after this long, such as 90s, 30m or 2h
    #[arg(long, value_name = "D", value_parser = parse_timeout)]
    pub timeout: Option<Duration>,
    /// Stop at the first job that fails
    #[arg(long)]
    pub fail_fast: bool,
    /// At the end print one JSON object, as `list --json` does, instead of a table
    #[arg(long)]
    pub json: bool,
}

fn parse_timeout(text: &str) -> Result<Duration, &'static str> {
    time::parse_duration(text)
        .filter(|timeout| !timeout.is_zero())
        .ok_or("expected a duration, such as 90s, 30m or 2h")
}

impl WaitArgs {
    pub async fn execute(&self, context: &Context) -> CommandResult {
        let stop = process::interrupted();
        let choose = |watched| select::jobs(watched, &self.jobs);
        let mut session = context.poll(Start::AtOnce, choose).await?;
        session.poller.watch_for_sleep();
        let mut board = session.poller.board();
        let mut progress = Progress::new(
            output::can_rewrite(&io::stderr()).then(io::stderr),
            context.theme(io::stderr().is_terminal()),
        );
        let result = wait(self, &mut board, &mut progress, stop).await;
        drop(progress);
        let Ok(exit) = result else {
            return Err(CommandError::poller_ended(&mut session.poller).await);
        };
        if !matches!(exit, Exit::Signal(_)) {
            // A closed pipe does not change how the jobs ended.
            self.report(context, &board.borrow(), exit)
                .or_else(|error| match error.kind() {
                    io::ErrorKind::BrokenPipe => Ok(()),
                    _ => Err(error),
                })?;
        }
        Ok(exit)
    }

    fn report(&self, context: &Context, board: &Board, exit: Exit) -> io::Result<()> {
        let rows: Vec<_> = board.rows().iter().collect();
        let mut out = io::stdout().lock();
        if self.json {
            json::print_rows(&rows, &mut out)?;
        } else if !rows.is_empty() {
            let style = OutputStyle::for_stdout(context);
            table::print_rows(&rows, style, Timestamp::now(), &mut out)?;
        }
        for line in messages(exit, self, board) {
            // If stderr is closed, the table and the exit code remain.
            let _ = writeln!(io::stderr(), "mintwatch: {line}");
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JobOutcome {
    Succeeded,
    Failed,
    /// The API knows no such job, so that it can never finish.
    NotFound,
    NoKey,
    Pending,
}

impl JobOutcome {
    fn from_row(row: &Row) -> Self {
        match (row.status(), &row.error) {
            (Some(Status::Completed | Status::Archived), _) => Self::Succeeded,
            (Some(Status::Failed), _) => Self::Failed,
            (_, Some(error)) if error.kind == ErrorKind::NotFound => Self::NotFound,
            _ if row.lacks_key() => Self::NoKey,
            _ => Self::Pending,
        }
    }
}

/// How waiting ends, if it is over. A failure ends it only with `fail_fast`, or when there is nothing
/// left to wait for.
fn finished(board: &Board, fail_fast: bool) -> Option<Exit> {
    let outcomes: Vec<JobOutcome> = board.rows().iter().map(JobOutcome::from_row).collect();
    let any = |outcome| outcomes.contains(&outcome);
    let failed = any(JobOutcome::Failed) || any(JobOutcome::NotFound);
    if failed && fail_fast {
        Some(Exit::Failed)
    } else if any(JobOutcome::Pending) {
        None
    } else if any(JobOutcome::NoKey) {
        Some(Exit::NoKey)
    } else if failed {
        Some(Exit::Failed)
    } else {
        Some(Exit::Done)
    }
}

/// Waits until the jobs on `board` have finished, the timeout is over, or `stop` completes. An error
/// means that the poller has ended.
async fn wait(
    args: &WaitArgs,
    board: &mut watch::Receiver<Board>,
    progress: &mut Progress<impl Write>,
    stop: impl Future<Output = Exit>,
) -> Result<Exit, watch::error::RecvError> {
    let mut stop = pin!(stop);
    let timeout = args.timeout.unwrap_or(Duration::MAX);
    let mut timeout = pin!(tokio::time::sleep(timeout));
    loop {
        {
            let board = board.borrow_and_update();
            if let Some(exit) = finished(&board, args.fail_fast) {
                return Ok(exit);
            }
            progress.update(&board);
        }
        tokio::select! {
            changed = board.changed() => changed?,
            () = &mut timeout => return Ok(Exit::Unfinished),
            exit = &mut stop => return Ok(exit),
        }
    }
}

/// One line that is rewritten in place, and cleared on drop; nothing where there is no `out`.
struct Progress<W: Write> {
    out: Option<W>,
    theme: Theme,
    line: String,
}

impl<W: Write> Progress<W> {
    fn new(out: Option<W>, theme: Theme) -> Self {
        let line = String::new();
        Self { out, theme, line }
    }

    fn update(&mut self, board: &Board) {
        let Some(out) = &mut self.out else { return };
        let columns = crossterm::terminal::size().map_or(80, |(columns, _)| columns);
        let line = progress_line(board, self.theme, usize::from(columns));
        if line != self.line {
            // Waiting goes on if the terminal cannot be written.
            let _ = write!(out, "{REWRITE}{line}").and_then(|()| out.flush());
            self.line = line;
        }
    }
}

impl<W: Write> Drop for Progress<W> {
    fn drop(&mut self) {
        if let Some(out) = self.out.as_mut().filter(|_| !self.line.is_empty()) {
            let _ = write!(out, "{REWRITE}").and_then(|()| out.flush());
        }
    }
}

/// Leaves the last of `columns` free: a terminal would wrap after it.
fn progress_line(board: &Board, theme: Theme, columns: usize) -> String {
    let (mut finished, mut failed, mut pending) = (0, 0, Vec::new());
    for row in board.rows() {
        match JobOutcome::from_row(row) {
            JobOutcome::Succeeded => finished += 1,
            JobOutcome::Failed | JobOutcome::NotFound => failed += 1,
            JobOutcome::NoKey | JobOutcome::Pending => pending.push(name_and_error(row)),
        }
    }
    let failures = match failed {
        0 => String::new(),
        count => format!(", {count} failed"),
    };
    let line = format!(
        "{} of {} finished{failures}; waiting for {}",
        finished + failed,
        board.rows().len(),
        pending.join(", ")
    );
    let line = text::truncate(&line, columns.saturating_sub(1), theme.glyphs().ellipsis);
    theme.printable(&*line).into_owned()
}

fn name_and_error(row: &Row) -> String {
    match &row.error {
        Some(error) => format!("{} ({})", row.title(), error.kind.as_str()),
        None => row.title().to_owned(),
    }
}

/// The messages after the table or JSON.
fn messages(exit: Exit, args: &WaitArgs, board: &Board) -> Vec<String> {
    if board.rows().is_empty() {
        let message = "no jobs are watched, so there is nothing to wait for";
        return vec![message.into()];
    }
    let with = |outcome: JobOutcome| -> Vec<&Row> {
        let rows = board.rows().iter();
        rows.filter(|row| JobOutcome::from_row(row) == outcome)
            .collect()
    };
    let mut messages = Vec::new();
    let failed = with(JobOutcome::Failed);
    if !failed.is_empty() {
        messages.push(format!("failed: {}", names(&failed)));
    }
    messages.extend(errors(&with(JobOutcome::NotFound)));
    messages.extend(errors(&with(JobOutcome::NoKey)));
    let pending = with(JobOutcome::Pending);
    if exit == Exit::Unfinished && !pending.is_empty() {
        let timeout = time::duration(args.timeout.unwrap_or_default());
        messages.push(format!(
            "not finished within {timeout}: {}",
            names(&pending)
        ));
        messages.extend(errors(&pending));
    }
    messages
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::board::{Project, Update, Watched};
    use crate::failure::Failure;
    use crate::job::{Job, JobKey};

    /// A board with a row for each of `words`: a status or `?` for none, and the kind of error of the last
    /// poll (`active+forbidden`).
    fn board(words: &str) -> Board {
        let project = Arc::new(Project {
            id: "p".into(),
            name: None,
        });
        let words: Vec<&str> = words.split_whitespace().collect();
        let key = |at: usize| JobKey::new("p", format!("job_{at}"));
        let mut board = Board::new((0..words.len()).map(|at| Watched {
            key: key(at),
            project: Arc::clone(&project),
            label: None,
            tags: Vec::new(),
        }));
        for (at, word) in words.iter().enumerate() {
            let (status, error) = word.split_once('+').unwrap_or((word, ""));
            if status != "?" {
                let job = Job {
                    status: Some(Status::from_api(status)),
                    ..Job::default()
                };
                let fresh_for = None;
                let update = Update::Fetched { job, fresh_for };
                board.apply(&key(at), update, Timestamp::UNIX_EPOCH);
            }
            let kind = match error {
                "auth" => ErrorKind::Auth,
                "forbidden" => ErrorKind::Forbidden,
                "gone" => ErrorKind::NotFound,
                "timeout" => ErrorKind::Timeout,
                _ => continue,
            };
            let failure = Failure::new(kind, format!("{error}, explained"));
            board.apply(&key(at), Update::Failed(failure), Timestamp::UNIX_EPOCH);
        }
        board
    }

    #[test]
    fn exit_table() {
        use Exit::{Done, Failed, NoKey};
        for (rows, want, want_fail_fast) in [
            ("", Some(Done), Some(Done)),
            ("completed archived", Some(Done), Some(Done)),
            ("completed active", None, None),
            ("completed ?", None, None),
            ("paused", None, None),
            ("failed completed", Some(Failed), Some(Failed)),
            ("failed active", None, Some(Failed)),
            ("active failed", None, Some(Failed)),
            ("?+gone", Some(Failed), Some(Failed)),
            ("active+gone completed", Some(Failed), Some(Failed)),
            ("?+gone active", None, Some(Failed)),
            ("?+timeout", None, None),
            ("?+auth", Some(NoKey), Some(NoKey)),
            ("?+auth active", None, None),
            ("?+auth failed", Some(NoKey), Some(Failed)),
            ("failed ?+auth", Some(NoKey), Some(Failed)),
            ("?+auth completed", Some(NoKey), Some(NoKey)),
            ("active+auth", Some(NoKey), Some(NoKey)),
            ("?+forbidden", Some(NoKey), Some(NoKey)),
            ("active+forbidden", None, None),
            ("completed+auth", Some(Done), Some(Done)),
            ("failed+timeout", Some(Failed), Some(Failed)),
        ] {
            assert_eq!(finished(&board(rows), false), want, "{rows}");
            assert_eq!(finished(&board(rows), true), want_fail_fast, "{rows}");
        }
    }

    #[test]
    fn timeout_table() {
        for (text, want) in [
            ("90s", Some(90)),
            ("2h", Some(7_200)),
            ("1m 30s", Some(90)),
            ("0s", None),
            ("-1s", None),
            ("90", None),
            ("soon", None),
        ] {
            let got = parse_timeout(text).ok();
            assert_eq!(got, want.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn the_progress_line_fits() {
        let board = board("completed failed active ?+timeout");
        let unicode = Theme::new(false, false);
        let line = "2 of 4 finished, 1 failed; waiting for job_2, job_3 (timeout)";
        assert_eq!(progress_line(&board, unicode, 80), line);
        assert_eq!(progress_line(&board, unicode, 62), line);
        assert_eq!(progress_line(&board, unicode, 12), "2 of 4 fin…");
        assert_eq!(progress_line(&board, unicode, 0), "");
        let ascii = progress_line(&board, Theme::new(false, true), 12);
        assert!(ascii.is_ascii() && ascii.len() <= 11, "{ascii}");
    }

    #[test]
    fn a_line_is_written_once_and_cleared() {
        let mut out = Vec::new();
        let mut progress = Progress::new(Some(&mut out), Theme::new(false, false));
        progress.update(&board("active"));
        progress.update(&board("active"));
        drop(progress);
        let line = "0 of 1 finished; waiting for job_0";
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!("{REWRITE}{line}{REWRITE}")
        );
    }

    #[test]
    fn final_messages() {
        let args = WaitArgs {
            timeout: Some(Duration::from_mins(30)),
            ..WaitArgs::default()
        };
        for (end, rows, want) in [
            (Exit::Done, "completed", vec![]),
            (
                Exit::Done,
                "",
                vec!["no jobs are watched, so there is nothing to wait for"],
            ),
            (
                Exit::NoKey,
                "failed ?+gone ?+auth ?+auth",
                vec![
                    "failed: job_0",
                    "job_1: gone, explained",
                    "job_2, job_3: auth, explained",
                ],
            ),
            (
                Exit::Unfinished,
                "active ?+timeout",
                vec![
                    "not finished within 30m: job_0, job_1",
                    "job_1: timeout, explained",
                ],
            ),
            (
                Exit::Failed,
                "failed failed failed failed failed failed failed active",
                vec!["failed: job_0, job_1, job_2, job_3, job_4 and 2 more jobs"],
            ),
        ] {
            assert_eq!(messages(end, &args, &board(rows)), want, "{rows}");
        }
    }
}
