//! `mintwatch ack`: acknowledges jobs as they were last seen.

use std::io::{self, Write};

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::completions;
use super::context::Context;
use super::error::{CommandError, CommandResult};
use super::select;
use super::stored::Stored;
use crate::board::Row;
use crate::exit::Exit;
use crate::job::{Acknowledgement, Fingerprint, JobKey, Status};
use crate::store::{Batch, Database};

#[derive(Debug, Args)]
#[command(
    after_help = "An acknowledged job needs you no more, until its status or its pull request changes; the key d of
the dashboard does the same, and an open dashboard follows. Jobs are taken as last seen: neither the
network nor a key is needed. Prints PROJECT/JOB for each job that was not acknowledged before.

Examples:
  mintwatch ack job_01
  mintwatch ack \"SDK quickstart\" docs/job_02
  mintwatch ack --undo job_01
  mintwatch ack $(mintwatch list --offline --needs-you --json | jq -r '.jobs[].id')

Exit codes: 0 all are acknowledged now, or with --undo none is; 1 one of them does not need you or was
never seen, or nothing can be stored; 2 usage or config. Nothing is changed unless all can be."
)]
pub struct AckArgs {
    /// The jobs: ids, PROJECT/JOB, or labels
    #[arg(value_name = "JOB", required = true, add = ArgValueCompleter::new(completions::jobs))]
    pub jobs: Vec<String>,
    /// Take it back
    #[arg(long)]
    pub undo: bool,
}

impl AckArgs {
    /// Acknowledges all the jobs or none.
    pub fn execute(&self, context: &Context) -> CommandResult {
        let mut stored = Stored::open(context)?;
        let watched = std::mem::take(&mut stored.watched);
        let board = stored.board(select::jobs(watched, &self.jobs)?)?;
        let rows = board.rows().iter();
        let refusals: Vec<String> = rows.clone().filter_map(|row| self.refusal(row)).collect();
        if !refusals.is_empty() {
            return Ok(refuse(&refusals));
        }
        let others = rows.filter(|row| row.is_acknowledged() == self.undo);
        let (changed, outdated) = store(&stored, others.map(|row| self.acknowledgement(row)))?;
        for key in changed {
            writeln!(io::stdout(), "{key}")?;
        }
        if outdated.is_empty() {
            return Ok(Exit::Done);
        }
        Ok(refuse(&outdated))
    }

    /// Why `row` cannot be acknowledged, if it cannot.
    fn refusal(&self, row: &Row) -> Option<String> {
        let title = row.watched.title();
        if row.job.is_none() {
            return Some(format!(
                "{title} was never seen: run `mintwatch list` first"
            ));
        }
        let needs_you = self.undo || row.needs_you() || row.is_acknowledged();
        (!needs_you).then(|| {
            let without = match row.status() {
                Some(Status::Completed) => " without a pull request",
                _ => "",
            };
            format!(
                "{title} does not need you: it is {}{without}",
                row.status_word()
            )
        })
    }

    fn acknowledgement(&self, row: &Row) -> Acknowledgement {
        let seen = row.job.as_ref().filter(|_| !self.undo);
        Acknowledgement {
            key: row.key().clone(),
            seen: seen.map(Fingerprint::from),
        }
    }
}

/// Stores them all, and returns the jobs of which that holds, and for each other one why not.
fn store(
    stored: &Stored,
    acknowledgements: impl Iterator<Item = Acknowledgement>,
) -> Result<(Vec<JobKey>, Vec<String>), CommandError> {
    let batch = Batch {
        acknowledgements: acknowledgements.collect(),
        ..Batch::default()
    };
    let (mut database, _) = Database::open(&stored.options.path, &stored.options.base_url)?;
    stored.check(database.store(&batch))?;
    let in_force = stored.check(database.acknowledged())?;
    let (mut changed, mut outdated) = (Vec::new(), Vec::new());
    for Acknowledgement { key, seen } in batch.acknowledgements {
        if in_force.get(&key) == seen.as_ref() {
            changed.push(key);
        } else {
            outdated.push(format!(
                "{key} has changed meanwhile, and needs to be looked at"
            ));
        }
    }
    Ok((changed, outdated))
}

fn refuse(reasons: &[String]) -> Exit {
    for reason in reasons {
        // If stderr is closed, the exit code remains.
        let _ = writeln!(io::stderr(), "mintwatch: {reason}");
    }
    Exit::Failed
}
