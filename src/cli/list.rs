//! `mintwatch list`: polls each job once, or takes what earlier runs have stored, and prints a table or
//! JSON.

use std::io::{self, Write};

use clap::Args;
use clap_complete::ArgValueCompleter;
use jiff::Timestamp;

use super::completions;
use super::context::Context;
use super::error::CommandResult;
use super::output::OutputStyle;
use super::select::{self, SelectError};
use super::stored::Stored;
use super::{json, report, table};
use crate::board::{Board, Row, Watched};
use crate::exit::Exit;
use crate::job::Status;
use crate::text;

#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  mintwatch list                         every job
  mintwatch list --needs-you             what waits for you
  mintwatch list --project docs --status failed
  mintwatch list \"SDK quickstart\" --json | jq -r .jobs[0].prLink
  mintwatch list --offline               as last seen, without the network

Exit codes: 0 done, also where polls failed: the errors are in their rows; 1 with --offline, where
nothing is stored or it cannot be read; 2 usage or config; 4 no key, or a key refused, for any of the
jobs that were polled.")]
pub struct ListArgs {
    /// Only these jobs: ids, PROJECT/JOB, or labels
    #[arg(value_name = "JOB", add = ArgValueCompleter::new(completions::jobs))]
    pub jobs: Vec<String>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// Only jobs that failed, or whose pull request waits
    #[arg(long)]
    pub needs_you: bool,
    /// Only jobs with this status: active, completed, failed or archived; or unknown, which is any
    /// other
    #[arg(long, value_name = "S", add = ArgValueCompleter::new(completions::statuses))]
    pub status: Option<String>,
    /// Only jobs of this project, by id or name
    #[arg(long, value_name = "P", add = ArgValueCompleter::new(completions::projects))]
    pub project: Option<String>,
    /// Poll nothing, and print what earlier runs have seen; needs no key
    #[arg(long)]
    pub offline: bool,
}

impl ListArgs {
    pub async fn execute(&self, context: &Context) -> CommandResult {
        if self.offline {
            return self.execute_offline(context);
        }
        let session = context.poll_once(|watched| self.choose(watched)).await?;
        let board = session.poller.board();
        let board = board.borrow();
        let refused: Vec<&Row> = board.rows().iter().filter(|row| row.lacks_key()).collect();
        let mut errors = report::errors(&refused);
        if board.is_offline() {
            let hint = "no connection; `mintwatch list --offline` prints what was last seen";
            errors.push(hint.into());
        }
        self.report(&board, errors, context)?;
        Ok(if refused.is_empty() {
            Exit::Done
        } else {
            Exit::NoKey
        })
    }

    /// The errors of earlier runs are in their rows alone.
    fn execute_offline(&self, context: &Context) -> CommandResult {
        let mut stored = Stored::open(context)?;
        let watched = self.choose(std::mem::take(&mut stored.watched))?;
        self.report(&stored.board(watched)?, Vec::new(), context)?;
        Ok(Exit::Done)
    }

    /// Prints `board`, and on standard error `errors` and what is odd about the arguments.
    fn report(&self, board: &Board, errors: Vec<String>, context: &Context) -> io::Result<()> {
        let style = OutputStyle::for_stdout(context);
        self.print(board, style, Timestamp::now(), &mut io::stdout().lock())?;
        let wrong_status = self.wrong_status(board).map(|status| {
            format!("no job has the status \"{status}\": it is none of those that the API knows")
        });
        for line in errors.into_iter().chain(wrong_status) {
            // If stderr is closed, the table and the exit code remain.
            let _ = writeln!(io::stderr(), "mintwatch: {line}");
        }
        Ok(())
    }

    pub fn print(
        &self,
        board: &Board,
        style: OutputStyle,
        now: Timestamp,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let rows: Vec<&Row> = board.rows().iter().filter(|row| self.shows(row)).collect();
        if self.json {
            json::print_rows(&rows, out)
        } else {
            table::print_rows(&rows, style, now, out)
        }
    }

    fn choose(&self, watched: Vec<Watched>) -> Result<Vec<Watched>, SelectError> {
        let watched = match &self.project {
            Some(project) => select::project(&watched, project)?,
            None => watched,
        };
        select::jobs(watched, &self.jobs)
    }

    /// The wanted status, cleaned, if it is neither in the API's contract nor on `board`.
    fn wrong_status(&self, board: &Board) -> Option<String> {
        let wanted = self.status.as_deref()?;
        let known = status_names().any(|name| name.eq_ignore_ascii_case(wanted));
        let seen = board.rows().iter().any(|row| has_status(row, wanted));
        (!known && !seen).then(|| text::clean(wanted))
    }

    fn shows(&self, row: &Row) -> bool {
        let status = self.status.as_deref();
        (!self.needs_you || row.needs_you()) && status.is_none_or(|wanted| has_status(row, wanted))
    }
}

/// What `--status` takes, whatever the statuses of the jobs are.
pub fn status_names() -> impl Iterator<Item = String> {
    let known = Status::KNOWN.iter().map(Status::to_string);
    known.chain([Status::UNKNOWN.to_owned()])
}

fn has_status(row: &Row, wanted: &str) -> bool {
    let is_known = row.status().is_some_and(Status::is_known);
    row.status_word().eq_ignore_ascii_case(wanted)
        || (!is_known && wanted.eq_ignore_ascii_case(Status::UNKNOWN))
}
