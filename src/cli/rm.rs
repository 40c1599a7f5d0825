//! `mintwatch rm`: takes jobs out of the config, so that nothing watches them.

use std::io::{self, Write};

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::add::NOT_IN_DEMO;
use super::completions;
use super::context::Context;
use super::error::CommandResult;
use super::select;
use crate::board::Watched;
use crate::exit::Exit;
use crate::job::JobKey;

#[derive(Debug, Args)]
#[command(
    after_help = "A JOB is an id, PROJECT/JOB, or a label when it is unique.
Prints PROJECT/JOB for each job removed. Nothing happens to the job itself.

Examples:
  mintwatch rm job_01HZX9
  mintwatch rm docs/job_01HZX9 \"SDK quickstart\"
  mintwatch rm $(mintwatch list --status archived --json | jq -r '.jobs[].id')"
)]
pub struct RmArgs {
    /// The jobs to stop watching
    #[arg(value_name = "JOB", required = true, add = ArgValueCompleter::new(completions::jobs))]
    pub jobs: Vec<String>,
}

impl RmArgs {
    /// Removes all the jobs or none, and prints them.
    pub async fn execute(&self, context: &Context) -> CommandResult {
        let (actions, watched) = context.actions(NOT_IN_DEMO)?;
        let edited = actions.remove(keys(&self.jobs, &watched)?).await?;
        for key in &edited.changed {
            writeln!(io::stdout(), "{key}")?;
        }
        Ok(Exit::Done)
    }
}

/// The jobs that `names` mean, each once.
fn keys(names: &[String], watched: &[Watched]) -> Result<Vec<JobKey>, select::SelectError> {
    let mut keys = Vec::new();
    for name in names {
        let key = &select::job(watched, name)?.key;
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    Ok(keys)
}
