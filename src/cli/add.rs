//! `mintwatch add`: lists jobs in the config.

use std::collections::HashSet;
use std::io::{self, Read, Write};

use anyhow::Context as _;
use clap::Args;
use clap_complete::ArgValueCompleter;

use super::completions;
use super::context::Context;
use super::error::{CommandError, CommandResult};
use crate::config::edit::NewJob;
use crate::config::ids::parse_ids;
use crate::exit::Exit;
use crate::job::{JobId, ProjectId};

/// Of standard input, in bytes.
const MAX_INPUT: u64 = 16 << 20;

/// The error of `add`, `rm` and `prune` with `--demo`.
pub(super) const NOT_IN_DEMO: &str =
    "the demo has no config file to edit: leave --demo out to edit your own";

#[derive(Debug, Args)]
#[command(
    after_help = "A JOB is an id, a link such as https://…/job/ID, or a reply of the API as \
JSON.
Prints PROJECT/JOB for each job added. A job that already exists stays as it is.

Examples:
  mintwatch add docs job_01HZX9
  mintwatch add docs job_01HZX9 --label \"SDK quickstart\" --tag release
  mintwatch add docs https://api.mintlify.com/v2/agent/64f0c1e2/job/job_01HZX9
  curl … | mintwatch add docs -          a reply, or several, as JSON
  mintwatch add docs - < ids.txt         one a line; # starts a comment

Exit codes: 0 all are in the config now; 1 standard input cannot be read; 2 usage or config.
Nothing is added unless all can be."
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

impl AddArgs {
    pub async fn execute(&self, context: &Context) -> CommandResult {
        let (actions, _) = context.actions(NOT_IN_DEMO)?;
        let project = actions.find_project(&self.project)?.id;
        let known: Vec<ProjectId> = actions
            .projects()
            .iter()
            .map(|project| project.id.clone())
            .collect();
        let jobs = new_jobs(self, &project, &known, &mut io::stdin())?;
        let edited = actions.add(&project, jobs).await?;
        for key in edited.changed {
            writeln!(io::stdout(), "{key}")?;
        }
        for key in edited.unchanged {
            // In one write: other programs may write to the same place.
            let line = format!("{key} already exists\n");
            io::stderr().write_all(line.as_bytes())?;
        }
        Ok(Exit::Done)
    }
}

fn new_jobs(
    args: &AddArgs,
    project: &ProjectId,
    known: &[ProjectId],
    input: &mut dyn Read,
) -> Result<Vec<NewJob>, CommandError> {
    let ids = ids(&args.jobs, project, known, input)?;
    if args.label.is_some() && ids.len() > 1 {
        let count = ids.len();
        let message = format!("--label names one job, and {count} were given: add them one by one");
        return Err(CommandError::usage(message));
    }
    let job = |id| NewJob {
        id,
        label: args.label.clone(),
        tags: args.tags.clone(),
    };
    Ok(ids.into_iter().map(job).collect())
}

/// The ids in the arguments, each once.
fn ids(
    words: &[String],
    project: &ProjectId,
    known: &[ProjectId],
    input: &mut dyn Read,
) -> Result<Vec<JobId>, CommandError> {
    let mut ids = Vec::new();
    for word in words {
        if word == "-" {
            let on_stdin = |error| CommandError::usage(format!("standard input: {error}"));
            ids.extend(parse_ids(&read(input)?, project, known).map_err(on_stdin)?);
        } else {
            ids.extend(parse_ids(word, project, known)?);
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
