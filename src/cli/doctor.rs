//! `mintwatch doctor`: what is wrong, and how to fix it.
//!
//! `findings` judges facts, one line each; here they are found out.

use std::io::{self, IsTerminal};

use clap::Args;

use super::context::Context;
use super::error::CommandResult;
use super::{dashboard, output};
use crate::actions::WriteLog;
use crate::board::{Project, Watched};
use crate::config::{ConfigError, KeySource};
use crate::desktop::{self, Environment, Opener};
use crate::key::{self, ApiKey};
use crate::poll::schedule::Start;
use crate::session::LoadedConfig;
use findings::{Clipboard, Finding, Terminal};

pub mod findings;

#[derive(Debug, Args)]
#[command(
    after_help = "Each line is ok, or !! with what to do. One job of each project is polled.

Examples:
  mintwatch doctor
  mintwatch --config other.toml doctor

Exit codes: 0 all is well; 1 it is not; 2 the config is missing or broken; 4 a key is missing,
refused, or of the wrong kind."
)]
pub struct DoctorArgs {}

impl DoctorArgs {
    /// Looks at everything, and prints what it found.
    #[expect(clippy::unused_self, reason = "every verb is executed in this form")]
    pub async fn execute(&self, context: &Context) -> CommandResult {
        let (mut findings, environment) = if context.global.demo {
            of_config(context.load().await?).await?
        } else {
            match LoadedConfig::load(context.config_path()?) {
                Ok(loaded) => of_config(loaded).await?,
                Err(error) => without_config(&error).await,
            }
        };
        let theme = context.theme(io::stdout().is_terminal());
        findings.push(findings::terminal(&terminal(theme.has_color())));
        findings.push(findings::clipboard(&clipboard(&environment)));
        findings.push(findings::browser(&Opener::new(environment).browser()));
        findings.push(state());
        findings::print(&findings, theme, &mut io::stdout().lock())?;
        Ok(findings::exit(&findings))
    }
}

fn state() -> Finding {
    let Some(writes) = WriteLog::open_default() else {
        return findings::state(None);
    };
    let place = crate::text::clean(&writes.folder().to_string_lossy());
    let checked = writes.check();
    findings::state(Some((&place, checked.as_ref().copied())))
}

/// The config, its keys, and an answer from each of its projects.
async fn of_config(loaded: LoadedConfig) -> anyhow::Result<(Vec<Finding>, Environment)> {
    let place = crate::text::clean(&loaded.path.to_string_lossy());
    let checked = dashboard::check_settings(&loaded.config);
    let config = checked.as_ref().map(|()| &loaded.config);
    let mut findings = vec![findings::config(&place, config)];
    let mut session = loaded.resolve_keys().await;
    let environment = session.environment();
    if session.keys.is_empty() {
        findings.push(of_key(&session.config.key).await);
    }
    for slot in &session.keys {
        let key = slot.key.as_ref().map(ApiKey::has_usual_prefix);
        findings.push(findings::key(&slot.source, key));
    }
    let projects: Vec<_> = session.config.projects.iter().map(Project::from).collect();
    let one_of_each =
        |job: &mut Watched, before: &mut Watched| job.key.project == before.key.project;
    session.watched.dedup_by(one_of_each);
    let mut polls = session.start(Start::Once)?;
    polls.poller.first_round().await;
    let board = polls.poller.board();
    for project in &projects {
        let board = board.borrow();
        let mut rows = board.rows().iter();
        let polled = rows.find(|row| row.key().project == project.id);
        findings.push(findings::project(project.title(), polled));
    }
    Ok((findings, environment))
}

/// Without a config the default place of the key is where one would be looked for.
async fn without_config(error: &ConfigError) -> (Vec<Finding>, Environment) {
    let source = KeySource::default();
    let findings = vec![findings::config("", Err(error)), of_key(&source).await];
    let names: Vec<&str> = source.variable().into_iter().collect();
    (findings, Environment::from_process(&names))
}

async fn of_key(source: &KeySource) -> Finding {
    let key = key::resolve(source).await;
    findings::key(source, key.as_ref().map(ApiKey::has_usual_prefix))
}

fn terminal(color: bool) -> Terminal {
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    Terminal {
        is_terminal,
        term: std::env::var("TERM").ok(),
        utf8: output::locale_is_utf8(),
        size: crossterm::terminal::size().ok().filter(|_| is_terminal),
        color,
    }
}

fn clipboard(environment: &Environment) -> Clipboard {
    let in_tmux = environment.in_tmux();
    Clipboard {
        in_tmux,
        set_clipboard: in_tmux
            .then(|| desktop::tmux_set_clipboard(environment))
            .flatten(),
        over_ssh: environment.is_remote(),
    }
}
