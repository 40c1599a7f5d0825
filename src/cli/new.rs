//! `mintwatch new`: starts a job, and lists it in the config.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use clap::Args;
use clap_complete::ArgValueCompleter;
use jiff::Timestamp;
use shell_words::quote;

use super::completions;
use super::context::Context;
use super::error::CommandResult;
use super::json;
use super::prompt::PromptArgs;
use crate::actions::Actions;
use crate::board::{Board, Update, Watched};
use crate::exit::Exit;
use crate::job::Job;
use crate::mintlify::write::JOB_MAY_EXIST;

/// The error of `new` and `send` with `--demo`.
pub(super) const NOT_IN_DEMO: &str = "the demo ends with this command, and a new job with it: run \
    `mintwatch demo-server --write-config FILE`, and give --config FILE instead of --demo";

#[derive(Debug, Args)]
#[command(
    after_help = "Prints the id of the new job, and lists it in the config. On a terminal it asks \
first, and
says how many writes the project has had this hour; the API takes 100.

Examples:
  mintwatch new docs \"Document the retry policy of the SDK\"
  mintwatch new docs                     write the prompt in $EDITOR
  mintwatch new docs -F prompt.md --label \"SDK retries\" --tag release
  git diff v1..v2 | mintwatch new docs -F - --yes
  id=$(mintwatch new docs --yes \"Fix the broken links\") && mintwatch wait \"$id\"

Exit codes: 0 done; 1 not started, or not known, or not listed in the config; 2 usage or config;
4 no key, or a key refused. It is never retried."
)]
pub struct NewArgs {
    /// The project, by id or name
    #[arg(value_name = "PROJECT", add = ArgValueCompleter::new(completions::projects))]
    pub project: String,
    #[command(flatten)]
    pub prompt: PromptArgs,
    /// What to call the job; else the first line of the prompt
    #[arg(long, value_name = "L")]
    pub label: Option<String>,
    /// A word to filter by; may be given several times
    #[arg(long = "tag", value_name = "T")]
    pub tags: Vec<String>,
}

impl NewArgs {
    pub async fn execute(&self, context: &Context) -> CommandResult {
        let (actions, _) = context.actions(NOT_IN_DEMO)?;
        let result = self.start(context, &actions).await;
        actions.counted().await;
        result
    }

    async fn start(&self, context: &Context, actions: &Actions) -> CommandResult {
        let project = actions.find_project(&self.project)?;
        actions.check_editable().await?;
        let writer = actions.writer(&[&project.id]).await?;
        let question = format!("Start a job in {}?", project.title());
        let ask = self
            .prompt
            .ask(actions, &project.id, &question, writer.environment());
        let prompt = ask.await?;
        let text = prompt.text.clone();
        let label = self.label.as_deref();
        let call = writer.create(&project, &text, label, &self.tags);
        let created = prompt
            .send(call, JOB_MAY_EXIST, || {
                actions.count_write(&project.id, None);
            })
            .await?;
        if self.prompt.json {
            print_json(created.watched.clone(), created.job)?;
        } else {
            writeln!(io::stdout(), "{}", created.watched.key.id)?;
        }
        let Err(error) = created.listed else {
            return Ok(Exit::Done);
        };
        let config = context.global.config.as_deref();
        let command = add_command(config, project.title(), &created.watched);
        let _ = writeln!(
            io::stderr(),
            "mintwatch: the job was started, but is not watched: {error:#}\nOnce that is fixed: \
             {command}"
        );
        Ok(Exit::Failed)
    }
}

/// `job` is the response for `watched`.
pub(super) fn print_json(watched: Watched, job: Job) -> io::Result<()> {
    let key = watched.key.clone();
    let mut board = Board::new([watched]);
    let fresh_for = None;
    board.apply(&key, Update::Fetched { job, fresh_for }, Timestamp::now());
    board
        .rows()
        .iter()
        .try_for_each(|row| json::print_job(row, &mut io::stdout().lock()))
}

/// The command that lists `job` in the config, for when `new` could not.
fn add_command(config: Option<&Path>, project: &str, job: &Watched) -> String {
    let config = config.map(|path| path.to_string_lossy());
    let mut words: Vec<Cow<'_, str>> = vec!["mintwatch".into()];
    if let Some(path) = &config {
        words.extend(["--config".into(), quote(path)]);
    }
    words.extend(["add".into(), quote(project), quote(&job.key.id)]);
    if let Some(label) = &job.label {
        words.extend(["--label".into(), quote(label)]);
    }
    for tag in &job.tags {
        words.extend(["--tag".into(), quote(tag)]);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::board::Project;
    use crate::job::JobKey;

    #[test]
    fn add_command_table() {
        let job = |label: Option<&str>, tags: &[&str]| Watched {
            key: JobKey::new("p1", "job_1"),
            project: Arc::new(Project {
                id: "p1".into(),
                name: None,
            }),
            label: label.map(String::from),
            tags: tags.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(
            add_command(None, "docs", &job(Some("Do"), &[])),
            "mintwatch add docs job_1 --label Do"
        );
        assert_eq!(
            add_command(
                Some(Path::new("a b.toml")),
                "my docs",
                &job(Some("it's mine"), &["a", "b c"])
            ),
            r"mintwatch --config 'a b.toml' add 'my docs' job_1 --label 'it'\''s mine' --tag a --tag 'b c'"
        );
        assert_eq!(
            add_command(None, "docs", &job(None, &[])),
            "mintwatch add docs job_1"
        );
    }
}
