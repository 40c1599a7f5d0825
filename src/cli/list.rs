//! `mintwatch list`: polls each job once, and prints a table or JSON.

use std::io::{self, Write};

use clap::Args;
use clap_complete::ArgValueCompleter;
use jiff::Timestamp;

use super::completions;
use super::context::Context;
use super::error::CommandResult;
use super::output::OutputStyle;
use super::select::{self, SelectError};
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

Exit codes: 0 done, also where polls failed: the errors are in their rows; 2 usage or config; 4 no
key, or a key refused, for any of the jobs that were polled.")]
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
}

impl ListArgs {
    pub async fn execute(&self, context: &Context) -> CommandResult {
        let session = context.poll_once(|watched| self.choose(watched)).await?;
        let board = session.poller.board();
        let board = board.borrow();
        let style = OutputStyle::for_stdout(context);
        self.print(&board, style, Timestamp::now(), &mut io::stdout().lock())?;
        let refused: Vec<&Row> = board.rows().iter().filter(|row| row.lacks_key()).collect();
        let wrong_status = self.wrong_status(&board).map(|status| {
            format!("no job has the status \"{status}\": it is none of those that the API knows")
        });
        for line in report::errors(&refused).into_iter().chain(wrong_status) {
            // If stderr is closed, the table and the exit code remain.
            let _ = writeln!(io::stderr(), "mintwatch: {line}");
        }
        Ok(if refused.is_empty() {
            Exit::Done
        } else {
            Exit::NoKey
        })
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
