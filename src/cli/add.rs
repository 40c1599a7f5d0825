//! `mintwatch add`: lists jobs in the config, for the dashboard to watch.
//!
//! This file must not know how the config is edited or written.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::Context;
use clap::Args;
use clap_complete::ArgValueCompleter;

use super::UsageError;
use super::completions;
use crate::config::edit::{self, Edited, NewJob};
use crate::config::edit_file;
use crate::config::ids::parse_ids;
use crate::job::JobKey;

/// The most that is read from standard input.
const MAX_INPUT: u64 = 16 << 20;

/// What `add` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "A JOB is an id, a link such as https://…/job/ID, or a reply of the API as \
JSON.
Prints PROJECT/JOB for each job added. A job that is there already stays as it is.

Examples:
  mintwatch add docs job_01HZX9
  mintwatch add docs job_01HZX9 --label \"SDK quickstart\" --tag release
  mintwatch add docs https://api.mintlify.com/v2/agent/64f0c1e2/job/job_01HZX9
  curl … | mintwatch add docs -          a reply, or several, as JSON
  mintwatch add docs - < ids.txt         one a line; # starts a comment"
)]
pub struct AddArgs {
    /// The project, by id or name
    #[arg(value_name = "PROJECT", add = ArgValueCompleter::new(completions::projects))]
    pub project: String,
    /// The jobs; `-` reads them from standard input
    #[arg(value_name = "JOB", required = true)]
    pub jobs: Vec<String>,
    /// What to call the job
    #[arg(long, value_name = "L")]
    pub label: Option<String>,
    /// A word to filter by; may be given several times
    #[arg(long = "tag", value_name = "T")]
    pub tags: Vec<String>,
}

/// Adds the jobs to the config at `path`; `input` is read where `-` was given. Prints the added ones
/// to `out`, and to `err` which were there already.
pub fn run(
    args: &AddArgs,
    path: &Path,
    input: &mut dyn Read,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<()> {
    let jobs = new_jobs(args, input)?;
    let mut done = Edited::default();
    edit_file(path, |text| {
        done = edit::add(text, path, &args.project, &jobs)?;
        Ok::<_, anyhow::Error>(done.text.take())
    })?;
    // In one piece, since other programs may write to the same place.
    let lines = |keys: &[JobKey], end| {
        let lines = keys.iter().map(|key| format!("{key}{end}\n"));
        lines.collect::<Vec<_>>().concat()
    };
    out.write_all(lines(&done.changed, "").as_bytes())?;
    err.write_all(lines(&done.unchanged, " is there already").as_bytes())?;
    Ok(())
}

fn new_jobs(args: &AddArgs, input: &mut dyn Read) -> anyhow::Result<Vec<NewJob>> {
    let ids = ids(&args.jobs, input)?;
    if args.label.is_some() && ids.len() > 1 {
        let message = format!(
            "--label names one job, and {} were given: add them one by one",
            ids.len()
        );
        return Err(UsageError(message).into());
    }
    let job = |id| NewJob {
        id,
        label: args.label.clone(),
        tags: args.tags.clone(),
    };
    Ok(ids.into_iter().map(job).collect())
}

/// The ids in the arguments, each once.
fn ids(words: &[String], input: &mut dyn Read) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for word in words {
        if word == "-" {
            ids.extend(parse_ids(&read(input)?).context("standard input")?);
        } else {
            ids.extend(parse_ids(word)?);
        }
    }
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    Ok(ids)
}

fn read(input: &mut dyn Read) -> anyhow::Result<String> {
    let mut text = String::new();
    input
        .take(MAX_INPUT)
        .read_to_string(&mut text)
        .context("cannot read job ids from standard input")?;
    Ok(text)
}
