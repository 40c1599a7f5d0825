//! `mintwatch prune`: removes jobs from the config that are done for good.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::add::NOT_IN_DEMO;
use super::context::Context;
use super::error::{CommandError, CommandResult};
use super::output::OutputStyle;
use super::{confirm, report, table};
use crate::actions::Actions;
use crate::board::{Board, Row};
use crate::exit::Exit;
use crate::job::{JobKey, Status};
use crate::time;
use crate::view::plural;

#[derive(Debug, Args)]
#[command(
    after_help = "A job is done for good when it is archived, or completed without a pull request. \
Its age counts
from when it was archived, else from when mintwatch saw it finish, else from when it was created.
Each job is polled once, since a follow-up can have woken it; where that fails, the job stays.

On a terminal it shows the jobs and asks first. Elsewhere it prints them as a table and changes
nothing, unless --yes is given: then it prints PROJECT/JOB for each job removed, as rm does. Nothing
happens to the jobs themselves, and what is stored of them is kept for as long as [store] says.

Examples:
  mintwatch prune                        show them, and ask
  mintwatch prune --older 2d
  mintwatch prune < /dev/null            only show them
  mintwatch prune --yes | wc -l          how many were removed

Exit codes: 0 done, or only shown, or there is none; 1 the answer was no; 2 usage or config; 4 no
key, or a key refused, for any of the jobs."
)]
pub struct PruneArgs {
    /// Only jobs that have been done for this long, such as 36h, 14d or 2w
    #[arg(long, value_name = "D", default_value = "14d", value_parser = parse_older)]
    pub older: Duration,
    /// Remove them without a question
    #[arg(long)]
    pub yes: bool,
}

fn parse_older(text: &str) -> Result<Duration, &'static str> {
    time::parse_long_duration(text).ok_or("expected a duration, such as 36h, 14d or 2w")
}

impl PruneArgs {
    pub async fn execute(&self, context: &Context) -> CommandResult {
        let (actions, _) = context.actions(NOT_IN_DEMO)?;
        let session = context.poll_once(Ok).await?;
        let board = session.poller.board().borrow().clone();
        // Before a question: what polls found is stored whether or not it is answered.
        drop(session);
        let now = Timestamp::now();
        let rows = board.rows().iter();
        let rows: Vec<&Row> = rows.filter(|row| can_go(row, self.older, now)).collect();
        say_what_stays(&board);
        if self.agreed(context, &rows, &board, now)? {
            remove(&actions, &rows).await?;
        }
        let lacks_key = board.rows().iter().any(Row::lacks_key);
        Ok(if lacks_key { Exit::NoKey } else { Exit::Done })
    }

    /// Whether to remove `rows`, which are shown unless that was decided beforehand.
    fn agreed(
        &self,
        context: &Context,
        rows: &[&Row],
        board: &Board,
        now: Timestamp,
    ) -> Result<bool, CommandError> {
        let all = board.rows().len();
        let jobs = plural("job", all);
        if rows.is_empty() {
            say(&format!(
                "nothing to prune: none of {all} {jobs} is known to be done for good and that old"
            ));
            return Ok(false);
        }
        if self.yes {
            return Ok(true);
        }
        let found = format!("done for good: {} of {all} {jobs}", rows.len());
        if !confirm::can_ask() {
            let style = OutputStyle::for_stdout(context);
            table::print_rows(rows, style, now, &mut io::stdout().lock())?;
            say(&format!("{found}; nothing was changed, --yes removes them"));
            return Ok(false);
        }
        // With the question, wherever standard output goes.
        let style = OutputStyle::for_stderr(context);
        table::print_rows(rows, style, now, &mut io::stderr().lock())?;
        say(&found);
        let question = format!(
            "Stop watching {} {}?",
            rows.len(),
            plural("job", rows.len())
        );
        if confirm::ask(&question)? {
            return Ok(true);
        }
        Err(CommandError::failed("cancelled"))
    }
}

async fn remove(actions: &Actions, rows: &[&Row]) -> Result<(), CommandError> {
    let keys: Vec<JobKey> = rows.iter().map(|row| row.key().clone()).collect();
    for key in actions.remove(keys).await?.changed {
        writeln!(io::stdout(), "{key}")?;
    }
    Ok(())
}

fn say_what_stays(board: &Board) {
    let failed: Vec<&Row> = board
        .rows()
        .iter()
        .filter(|row| row.error.is_some())
        .collect();
    for line in report::errors(&failed) {
        say(&format!("kept, since the poll failed: {line}"));
    }
}

fn say(message: &str) {
    // If stderr is closed, what is printed and the exit code remain.
    let _ = writeln!(io::stderr(), "mintwatch: {message}");
}

/// Whether this run has found the job done for good, and it has been so for `older`.
fn can_go(row: &Row, older: Duration, now: Timestamp) -> bool {
    let is_seen = row.error.is_none() && !row.is_restored;
    let age = finished_at(row).map(|at| Duration::try_from(now.duration_since(at)));
    is_seen && is_done_for_good(row) && age.is_some_and(|age| age.is_ok_and(|age| age >= older))
}

/// Whether there is nothing left to do about the job, unless a follow-up wakes it.
fn is_done_for_good(row: &Row) -> bool {
    match row.status() {
        Some(Status::Archived) => true,
        // Nobody knows whether a pull request still waits.
        Some(Status::Completed) => row.pull_request().is_none(),
        Some(Status::Active | Status::Failed | Status::Other(_)) | None => false,
    }
}

/// When the job finished, as far as that is known; it can be later.
fn finished_at(row: &Row) -> Option<Timestamp> {
    let job = row.job.as_ref()?;
    let seen = row
        .progress
        .and_then(|seen| seen.finished_at.or(seen.started_at));
    let changed = row.changed_at.or(seen);
    job.archived_at.or(changed).or(job.created_at)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::board::{Project, Update, Watched};
    use crate::failure::{ErrorKind, Failure};
    use crate::job::Job;
    use crate::pull_request::PullRequest;

    const OLDER: Duration = Duration::from_hours(14 * 24);

    /// The start of this day.
    fn day(day: i64) -> Timestamp {
        Timestamp::from_second(day * 86_400).unwrap()
    }

    /// The row of a job that was created on day 1, after polls, each on a day: what they found.
    fn row(polls: &[(i64, &str)]) -> Row {
        let key = JobKey::new("p", "job_1");
        let project = Arc::new(Project {
            id: "p".into(),
            name: None,
        });
        let mut board = Board::new([Watched {
            key: key.clone(),
            project,
            label: None,
            tags: Vec::new(),
        }]);
        for (at, found) in polls {
            board.apply(&key, update(found), day(*at));
        }
        board.row(&key).unwrap().clone()
    }

    fn update(found: &str) -> Update {
        if found == "no answer" {
            return Update::Failed(Failure::new(ErrorKind::Timeout, "late"));
        }
        let mut words = found.split('+');
        let mut job = Job {
            status: words
                .next()
                .filter(|word| *word != "?")
                .map(Status::from_api),
            created_at: Some(day(1)),
            ..Job::default()
        };
        for word in words {
            match word.strip_prefix("archived on ") {
                Some(on) => job.archived_at = Some(day(on.parse().unwrap())),
                None if word == "undated" => job.created_at = None,
                None => job.pull_request = Some(PullRequest::new("https://x.test/pull/1")),
            }
        }
        let fresh_for = None;
        Update::Fetched { job, fresh_for }
    }

    #[test]
    fn what_can_go_is_done_for_good_and_old() {
        for (polls, from) in [
            (&[][..], None),
            (&[(90, "completed")][..], Some(15)),
            (&[(90, "archived")], Some(15)),
            (&[(90, "archived+archived on 70")], Some(84)),
            (&[(90, "archived+archived on 70+pr")], Some(84)),
            (&[(90, "completed+undated")], None),
            (&[(90, "archived+undated+archived on 3")], Some(17)),
            (&[(90, "completed+pr")], None),
            (&[(90, "failed")], None),
            (&[(90, "active")], None),
            (&[(90, "paused")], None),
            (&[(90, "?")], None),
            // Seen to finish, and seen at work.
            (&[(20, "active"), (30, "completed")], Some(44)),
            (&[(20, "completed"), (30, "active")], None),
            // The last poll decides.
            (&[(20, "completed"), (90, "no answer")], None),
            (
                &[(20, "completed"), (30, "no answer"), (40, "completed")],
                Some(15),
            ),
        ] {
            let row = row(polls);
            let first = (1..=120).find(|now| can_go(&row, OLDER, day(*now)));
            assert_eq!(first, from, "{polls:?}");
        }
    }

    #[test]
    fn a_job_that_an_earlier_run_saw_at_work_is_younger_than_it_was_created() {
        let mut row = row(&[(40, "completed")]);
        let mut progress = row.progress.unwrap();
        progress.started_at = Some(day(30));
        row.progress = Some(progress);
        assert_eq!(finished_at(&row), Some(day(30)));
        progress.finished_at = Some(day(32));
        row.progress = Some(progress);
        assert_eq!(finished_at(&row), Some(day(32)));
    }

    #[test]
    fn what_only_an_earlier_run_has_seen_stays() {
        let mut row = row(&[(20, "completed")]);
        assert!(can_go(&row, OLDER, day(90)));
        row.is_restored = true;
        assert!(!can_go(&row, OLDER, day(90)));
    }
}
