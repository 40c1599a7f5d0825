//! The verbs that write to the API: one call each, made once.
//!
//! What a verb takes and says is in `cli`.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use jiff::Timestamp;

use super::source::{NoKey, key_variables};
use super::{FAILED, signalled};
use crate::board::{Board, Project, Update, Watched};
use crate::cli::confirm::confirm;
use crate::cli::new::{self, NewArgs};
use crate::cli::prompt::{Prompt, PromptArgs};
use crate::cli::send::SendArgs;
use crate::cli::{GlobalArgs, UsageError, list, select};
use crate::config::edit::{self, NewJob};
use crate::config::{self, Config, ProjectConfig, edit_file};
use crate::desktop::Environment;
use crate::job::{Job, JobKey};
use crate::key::{self, ApiKey};
use crate::mintlify::Client;
use crate::mintlify::write::{JOB_MAY_EXIST, MESSAGE_MAY_HAVE_ARRIVED, WriteError};
use crate::poll::{into_watched_jobs, key_source};
use crate::tui::terminal;
use crate::writes::Writes;

pub(super) async fn new(global: &GlobalArgs, args: &NewArgs) -> anyhow::Result<ExitCode> {
    let (mut config, path) = load(global)?;
    let project = edit::find_project(&mut config.projects, &args.project)?.clone();
    let writer = Writer::of(&config, &project).await?;
    let title = project.name.as_deref().unwrap_or(&project.id);
    let question = format!("Start a job in {title}?");
    let prompt = writer.prompt(&args.prompt, &question, args.yes)?;
    let call = writer
        .client
        .create_job(&project.id, &prompt.text, &writer.key);
    let made = match writer.once(call).await {
        End::Done(made) => made,
        End::Failed(error) => return Err(failed(&error, prompt)),
        End::Stopped(number) => return Ok(stopped(number, JOB_MAY_EXIST, prompt)),
    };
    let job = args.job(&made.id, &prompt.text);
    // Before its id is told: whoever waits for that may ask for the job at once.
    let added = add(&path, &project.id, &job);
    let mut out = io::stdout();
    if args.json {
        print_json(watched(&project, job.clone()), made.job)?;
    } else {
        writeln!(out, "{}", made.id)?;
    }
    let Err(error) = added else {
        return Ok(ExitCode::SUCCESS);
    };
    let command = new::add_command(global.config.as_deref(), title, &job);
    let _ = writeln!(
        io::stderr(),
        "mintwatch: the job was started, but is not watched: {error:#}\nWhen that is mended: {command}"
    );
    Ok(ExitCode::from(FAILED))
}

pub(super) async fn send(global: &GlobalArgs, args: &SendArgs) -> anyhow::Result<ExitCode> {
    let (mut config, _) = load(global)?;
    let jobs = into_watched_jobs(&mut config);
    let job = select::job(&jobs, &args.job)?;
    let mut projects = config.projects.iter();
    let project = projects.find(|project| project.id == job.key.project);
    let project = project.context("the job's project is not in the config")?;
    let writer = Writer::of(&config, project).await?;
    let question = format!("Send this to {} in {}?", job.title(), job.project.title());
    let prompt = writer.prompt(&args.prompt, &question, args.yes)?;
    let call = writer
        .client
        .send_message(&job.key, &prompt.text, &writer.key);
    let told = match writer.once(call).await {
        End::Done(told) => told,
        End::Failed(error) => return Err(failed(&error, prompt)),
        End::Stopped(number) => return Ok(stopped(number, MESSAGE_MAY_HAVE_ARRIVED, prompt)),
    };
    if args.json {
        print_json(job.clone(), told)?;
    }
    let _ = writeln!(io::stderr(), "sent");
    Ok(ExitCode::SUCCESS)
}

fn load(global: &GlobalArgs) -> anyhow::Result<(Config, PathBuf)> {
    if global.demo {
        let message = "the demo ends with this command, and a new job with it: run `mintwatch \
                       demo-server --write-config FILE`, and give --config FILE instead of --demo";
        return Err(UsageError(message.to_owned()).into());
    }
    let path = config::path(global.config.as_deref())?;
    Ok((Config::load(&path)?, path))
}

/// What a write to one project takes.
struct Writer {
    client: Client,
    key: ApiKey,
    project: Arc<str>,
    /// Where writes are counted.
    writes: Option<Writes>,
    environment: Environment,
}

/// How a call ended.
enum End<T> {
    Done(T),
    Failed(WriteError),
    /// By a signal, before there was a reply.
    Stopped(i32),
}

impl Writer {
    async fn of(config: &Config, project: &ProjectConfig) -> anyhow::Result<Self> {
        let key = key::resolve(key_source(config, project)).await;
        Ok(Self {
            client: Client::new(&config.base_url, config.poll.timeout)?,
            key: key.map_err(|error| NoKey(format!("no API key: {error}")))?,
            project: Arc::clone(&project.id),
            writes: Writes::of_user(),
            environment: Environment::from_process(&key_variables(config)),
        })
    }

    /// The prompt, and the person's agreement to send it.
    fn prompt(&self, args: &PromptArgs, question: &str, yes: bool) -> anyhow::Result<Prompt> {
        let on_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        let editor = on_terminal.then_some(&self.environment);
        let prompt = Prompt::read(args, &mut io::stdin(), editor)?;
        if yes || !on_terminal {
            return Ok(prompt);
        }
        let writes = self.writes.as_ref();
        let count = writes.and_then(|writes| writes.this_hour(&self.project, Timestamp::now()));
        let (input, err) = (&mut io::stdin().lock(), &mut io::stderr());
        if confirm(question, count, input, err)? {
            return Ok(prompt);
        }
        Err(anyhow!("not sent{}", prompt.keep()))
    }

    /// Makes `call`, and counts it unless it surely did not happen.
    async fn once<T>(&self, call: impl Future<Output = Result<T, WriteError>>) -> End<T> {
        let end = tokio::select! {
            biased;
            number = terminal::interrupted() => End::Stopped(number),
            done = call => done.map_or_else(End::Failed, End::Done),
        };
        let counts = match &end {
            End::Done(_) | End::Stopped(_) => true,
            End::Failed(error) => error.may_have_happened,
        };
        if let Some(writes) = self.writes.as_ref().filter(|_| counts)
            && let Err(error) = writes.count(&self.project, Timestamp::now())
        {
            // The count is a help only: the write itself is what was asked for.
            tracing::warn!(%error, "cannot count the write");
        }
        end
    }
}

fn failed(error: &WriteError, prompt: Prompt) -> anyhow::Error {
    let message = format!("{error}{}", prompt.keep());
    if error.failure.kind.blames_key() {
        NoKey(message).into()
    } else {
        anyhow!(message)
    }
}

fn stopped(number: i32, doubt: &str, prompt: Prompt) -> ExitCode {
    let _ = writeln!(
        io::stderr(),
        "mintwatch: stopped before there was a reply. {doubt}{}",
        prompt.keep()
    );
    signalled(number)
}

fn add(path: &Path, project: &str, job: &NewJob) -> anyhow::Result<()> {
    edit_file(path, |text| {
        let edited = edit::add(text, path, project, std::slice::from_ref(job))?;
        Ok::<_, anyhow::Error>(edited.text)
    })?;
    Ok(())
}

fn watched(project: &ProjectConfig, job: NewJob) -> Watched {
    Watched {
        key: JobKey::new(Arc::clone(&project.id), job.id),
        project: Arc::new(Project {
            id: Arc::clone(&project.id),
            name: project.name.clone(),
        }),
        label: job.label,
        tags: job.tags,
    }
}

/// Prints `watched` as the reply told it.
fn print_json(watched: Watched, job: Job) -> io::Result<()> {
    let key = watched.key.clone();
    let mut board = Board::new([watched]);
    let fresh_for = None;
    board.apply(&key, Update::Fetched { job, fresh_for }, Timestamp::now());
    board
        .rows()
        .iter()
        .try_for_each(|row| list::print_job(row, &mut io::stdout().lock()))
}
