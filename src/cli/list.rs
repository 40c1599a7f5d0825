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
use super::{json, table};
use crate::board::{Board, Row, Watched};
use crate::exit::Exit;
use crate::job::Status;
use crate::text;

#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  mintwatch list                         every job
  mintwatch list --needs-you             what waits for you
  mintwatch list --project docs --status failed
  mintwatch list \"SDK quickstart\" --json | jq -r .jobs[0].prLink")]
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
    /// Only jobs with this status: active, completed, failed or archived
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
        if let Some(unknown) = self.unknown_status(&board) {
            let _ = writeln!(
                io::stderr(),
                "mintwatch: no job has the status \"{unknown}\"; the API knows active, \
                 completed, failed and archived"
            );
        }
        Ok(if board.rows().iter().any(Row::lacks_key) {
            Exit::NoKey
        } else {
            Exit::Done
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
    fn unknown_status(&self, board: &Board) -> Option<String> {
        let wanted = self.status.as_deref()?;
        let known = !matches!(Status::from_api(&wanted.to_lowercase()), Status::Other(_));
        let seen = board.rows().iter().any(|row| has_status(row, wanted));
        (!known && !seen).then(|| text::clean(wanted))
    }

    fn shows(&self, row: &Row) -> bool {
        let status = self.status.as_deref();
        (!self.needs_you || row.needs_you()) && status.is_none_or(|wanted| has_status(row, wanted))
    }
}

fn has_status(row: &Row, wanted: &str) -> bool {
    row.status()
        .is_some_and(|status| status.as_str().eq_ignore_ascii_case(wanted))
}
