//! `mintwatch send`: a follow-up to a job, which wakes it if it has finished.
//!
//! This file must not know how it is sent.

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::completions;
use super::prompt::PromptArgs;

/// What `send` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "On a terminal it asks first, and says how many writes the project has had this \
hour; the API
takes 100. A job that has finished goes back to work.

Examples:
  mintwatch send job_01 \"Mention the limits too\"
  mintwatch send \"SDK quickstart\"        write the prompt in $EDITOR
  mintwatch send docs/job_01 -F review.md --yes && mintwatch wait job_01

Exit codes: 0 sent; 1 not sent, or not known; 2 usage or config; 4 no key, or a key refused.
It is never tried twice."
)]
pub struct SendArgs {
    /// The job: an id, PROJECT/JOB, or a label
    #[arg(value_name = "JOB", add = ArgValueCompleter::new(completions::jobs))]
    pub job: String,
    /// What the agent is to do.
    #[command(flatten)]
    pub prompt: PromptArgs,
    /// Print the job as one JSON object, as `list --json` has it
    #[arg(long)]
    pub json: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}
