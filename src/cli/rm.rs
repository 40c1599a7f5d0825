//! `mintwatch rm`: takes jobs out of the config, so that nothing watches them.
//!
//! This file must not know how the config is edited or written.

use std::io::Write;
use std::path::Path;

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::completions;
use super::select;
use crate::board::Watched;
use crate::config::edit::{self, Edited};
use crate::config::{Config, edit_file};
use crate::job::JobKey;
use crate::poll::setup::take_watched;

/// What `rm` takes.
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

/// Removes the jobs from the config at `path`, all or none, and prints them to `out`.
pub fn run(args: &RmArgs, path: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut done = Edited::default();
    edit_file(path, |text| {
        let watched = take_watched(&mut Config::parse(text, path)?);
        done = edit::remove(text, path, &keys(&args.jobs, &watched)?)?;
        Ok::<_, anyhow::Error>(done.text.take())
    })?;
    for key in &done.changed {
        writeln!(out, "{key}")?;
    }
    Ok(())
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
