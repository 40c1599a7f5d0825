//! `mintwatch rm`: removes jobs from the config.

use std::collections::HashSet;
use std::io::{self, Write};

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::add::NOT_IN_DEMO;
use super::completions;
use super::context::Context;
use super::error::CommandResult;
use super::select;
use crate::exit::Exit;
use crate::job::JobKey;

#[derive(Debug, Args)]
#[command(
    after_help = "A JOB is an id, PROJECT/JOB, or a label when it is unique.
Prints PROJECT/JOB for each job removed. Nothing happens to the job itself.

Examples:
  mintwatch rm job_01HZX9
  mintwatch rm docs/job_01HZX9 \"SDK quickstart\"
  mintwatch rm $(mintwatch list --status archived --json | jq -r '.jobs[].id')

Exit codes: 0 none of them is in the config any more; 2 usage or config. Nothing is removed unless
all can be."
)]
pub struct RmArgs {
    /// The jobs to stop watching
    #[arg(value_name = "JOB", required = true, add = ArgValueCompleter::new(completions::jobs))]
    pub jobs: Vec<String>,
}

impl RmArgs {
    /// Removes all the jobs or none.
    pub async fn execute(&self, context: &Context) -> CommandResult {
        let (actions, watched) = context.actions(NOT_IN_DEMO)?;
        let jobs = select::jobs(watched, &self.jobs)?;
        let mut seen = HashSet::new();
        let mut keys: Vec<JobKey> = jobs.into_iter().map(|job| job.key).collect();
        keys.retain(|key| seen.insert(key.clone()));
        for key in actions.remove(keys).await?.changed {
            writeln!(io::stdout(), "{key}")?;
        }
        Ok(Exit::Done)
    }
}
