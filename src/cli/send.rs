//! `mintwatch send`: a follow-up to a job, which makes it active again if it has finished.

use std::io::{self, Write};

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::completions;
use super::context::Context;
use super::error::CommandResult;
use super::new::{NOT_IN_DEMO, print_json};
use super::prompt::PromptArgs;
use super::select;
use crate::actions::Actions;
use crate::board::Watched;
use crate::exit::Exit;
use crate::mintlify::write::MESSAGE_MAY_HAVE_ARRIVED;

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
It is never retried."
)]
pub struct SendArgs {
    /// The job: an id, PROJECT/JOB, or a label
    #[arg(value_name = "JOB", add = ArgValueCompleter::new(completions::jobs))]
    pub job: String,
    #[command(flatten)]
    pub prompt: PromptArgs,
}

impl SendArgs {
    pub async fn execute(&self, context: &Context) -> CommandResult {
        let (actions, watched) = context.actions(NOT_IN_DEMO)?;
        let result = self.send(&actions, &watched).await;
        actions.counted().await;
        result
    }

    async fn send(&self, actions: &Actions, watched: &[Watched]) -> CommandResult {
        let job = select::job(watched, &self.job)?;
        let project = &job.key.project;
        let writer = actions.writer(&[project]).await?;
        let question = format!("Send this to {} in {}?", job.title(), job.project.title());
        let ask = self
            .prompt
            .ask(actions, project, &question, writer.environment());
        let prompt = ask.await?;
        let (text, jobs) = (prompt.text.clone(), [job.key.clone()]);
        let call = writer.follow_up(&jobs, &text);
        let replies = prompt
            .send(call, MESSAGE_MAY_HAVE_ARRIVED, || {
                actions.count_write(project, None);
            })
            .await?;
        if self.prompt.json {
            for reply in replies {
                print_json(job.clone(), reply)?;
            }
        }
        let _ = writeln!(io::stderr(), "sent");
        Ok(Exit::Done)
    }
}
