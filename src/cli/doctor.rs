//! `mintwatch doctor`: what is wrong, and how to fix it.
//!
//! The facts are gathered here, and judged in `findings`.

use std::io::{self, IsTerminal};
use std::path::Path;

use clap::Args;

use super::context::Context;
use super::error::CommandResult;
use super::{dashboard, output};
use crate::board::{Project, Row, Watched};
use crate::config::{Config, ConfigError, KeySource};
use crate::desktop::{self, Opener};
use crate::environment::Environment;
use crate::key::{self, ApiKey};
use crate::poll::schedule::Start;
use crate::pull_request::PullRequestId;
use crate::session::LoadedConfig;
use crate::store;
use crate::text;
use findings::{Clipboard, Finding, NoStore, Terminal};

pub mod findings;
mod github;

#[derive(Debug, Args)]
#[command(
    after_help = "Each line is ok, or !! with what to do. One job of each project is polled,
and GitHub is asked for one pull request among them, where there is a token.

Examples:
  mintwatch doctor
  mintwatch --config other.toml doctor

Exit codes: 0 no problem; 1 a problem; 2 the config is missing or broken; 4 a key is missing,
refused, or of the wrong kind."
)]
pub struct DoctorArgs {}

impl DoctorArgs {
    pub async fn execute(&self, context: &Context) -> CommandResult {
        let (mut findings, environment) = if context.global.demo {
            check_config(context, context.load().await?).await?
        } else {
            match LoadedConfig::load(context.config_path()?) {
                Ok(loaded) => check_config(context, loaded).await?,
                Err(error) => check_without_config(context, &error).await,
            }
        };
        let theme = context.theme(io::stdout().is_terminal());
        findings.push(findings::terminal(&terminal(theme.has_color())));
        findings.push(findings::clipboard(&clipboard(&environment)));
        findings.push(findings::browser(&Opener::new(environment).browser()));
        findings::print(&findings, theme, &mut io::stdout().lock())?;
        Ok(findings::exit(&findings))
    }
}

/// Checks the config and its keys, and polls one job of each project.
async fn check_config(
    context: &Context,
    loaded: LoadedConfig,
) -> anyhow::Result<(Vec<Finding>, Environment)> {
    let path = text::clean(&loaded.path.to_string_lossy());
    let checked = dashboard::check_settings(&loaded.config);
    let config = checked.as_ref().map(|()| &loaded.config);
    let mut findings = vec![findings::config(&path, config)];
    let store = check_store(context, &loaded.config);
    let mut session = loaded.resolve_keys().await;
    let mut environment = session.environment.clone();
    if session.keys.is_empty() {
        findings.push(check_key(&session.config.key, &environment).await);
    }
    for slot in &session.keys {
        let key = slot.key.as_ref().map(ApiKey::has_usual_prefix);
        findings.push(findings::key(&slot.source, key));
    }
    let projects: Vec<_> = session.config.projects.iter().map(Project::from).collect();
    let (github, timeout) = (session.config.github.clone(), session.config.poll.timeout);
    let project = |job: &mut Watched| job.key.project.clone();
    session.watched.dedup_by_key(project);
    let mut polls = session.start(Start::Once, None)?;
    polls.poller.first_round().await;
    let board = polls.poller.board();
    for project in &projects {
        let board = board.borrow();
        let mut rows = board.rows().iter();
        let polled = rows.find(|row| row.key().project == project.id);
        findings.push(findings::project(project.title(), polled));
    }
    if !context.global.demo {
        let id = board.borrow().rows().iter().find_map(pull_request_id);
        findings.extend(github::check(&github, id.as_ref(), &mut environment, timeout).await);
    }
    findings.push(store);
    Ok((findings, environment))
}

fn pull_request_id(row: &Row) -> Option<PullRequestId> {
    row.job.as_ref()?.pull_request.as_ref()?.id()
}

/// Without a config, only the default key source and the default store can be checked.
async fn check_without_config(
    context: &Context,
    error: &ConfigError,
) -> (Vec<Finding>, Environment) {
    let source = KeySource::default();
    let names: Vec<&str> = source.variable().into_iter().collect();
    let environment = Environment::from_process(&names);
    let key = check_key(&source, &environment).await;
    let defaults = Config::parse("", Path::new("")).ok();
    let store = defaults.map(|config| check_store(context, &config));
    let findings = [findings::config("", Err(error)), key].into_iter();
    (findings.chain(store).collect(), environment)
}

/// Looks at the store, and changes nothing there.
fn check_store(context: &Context, config: &Config) -> Finding {
    if context.global.no_store {
        return findings::store(Err(NoStore::Flag));
    }
    if !config.store.enabled {
        return findings::store(Err(NoStore::Config));
    }
    let Some(path) = store::path(config) else {
        return findings::store(Err(NoStore::NoHome));
    };
    let name = text::clean(&path.to_string_lossy());
    findings::store(Ok((&name, &store::check(&path))))
}

async fn check_key(source: &KeySource, environment: &Environment) -> Finding {
    let key = key::resolve(source, environment).await;
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
