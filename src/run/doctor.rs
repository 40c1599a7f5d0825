//! The facts that `doctor` judges: finds them out on this machine.

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;

use super::source::Settings;
use super::{FAILED, NO_KEY, NO_POLLER, USAGE, looks};
use crate::board::{Board, Watched};
use crate::cli::GlobalArgs;
use crate::cli::doctor::{self, Clipboard, Finding, Terminal, Trouble};
use crate::config::{ConfigError, KeySource, ProjectConfig};
use crate::desktop::{self, Environment, Opener};
use crate::key::{self, ApiKey};
use crate::poll::Poller;
use crate::poll::PollerConfig;
use crate::poll::schedule::Start;
use crate::tui::preferences::Preferences;
use crate::writes::Writes;

/// Looks at everything, and prints what it found.
pub(super) async fn doctor(global: &GlobalArgs) -> anyhow::Result<ExitCode> {
    let (mut findings, environment) = match Settings::of(global).await {
        Ok(settings) => of_settings(settings).await?,
        Err(error) => without_config(error).await?,
    };
    let theme = looks::theme(global, io::stdout().is_terminal());
    findings.push(doctor::terminal(&terminal(theme.has_color())));
    findings.push(doctor::clipboard(&clipboard(&environment)));
    findings.push(doctor::browser(&Opener::new(environment).browser()));
    findings.push(state());
    doctor::print(&findings, theme, &mut io::stdout().lock())?;
    Ok(ExitCode::from(match doctor::worst(&findings) {
        None => 0,
        Some(Trouble::Other) => FAILED,
        Some(Trouble::Key) => NO_KEY,
        Some(Trouble::Config) => USAGE,
    }))
}

fn state() -> Finding {
    let Some(writes) = Writes::of_user() else {
        return doctor::state(None);
    };
    let place = crate::text::clean(&writes.folder().to_string_lossy());
    let checked = writes.check();
    doctor::state(Some((&place, checked.as_ref().copied())))
}

/// The config, its keys, and an answer from each of its projects.
async fn of_settings(settings: Settings) -> anyhow::Result<(Vec<Finding>, Environment)> {
    let place = match &settings.path {
        Some(path) => crate::text::clean(&path.to_string_lossy()),
        None => String::from("the demo's config"),
    };
    let preferences = Preferences::new(&settings.config);
    let config = preferences.as_ref().map(|_| &settings.config);
    let mut findings = vec![doctor::config(&place, config)];
    let mut source = settings.with_keys().await;
    let _demo = source.demo.take();
    let environment = source.environment();
    if source.keys.is_empty() {
        findings.push(of_key(&source.config.key).await);
    }
    for slot in &source.keys {
        let key = slot.key.as_ref();
        let key = key.map(ApiKey::has_usual_prefix).map_err(|why| &**why);
        findings.push(doctor::key(&slot.source, key));
    }
    let names: Vec<_> = source.config.projects.iter().map(title).collect();
    let mut first = source.into_watched_jobs();
    first.dedup_by(|job, before| job.key.project == before.key.project);
    let board = poll_once(first, source.setup(Start::Once)).await?;
    for (id, name) in &names {
        let mut rows = board.rows().iter();
        let polled = rows.find(|row| row.key().project == *id);
        findings.push(doctor::project(name, polled));
    }
    Ok((findings, environment))
}

fn title(project: &ProjectConfig) -> (Arc<str>, String) {
    let name = project.name.clone();
    (
        Arc::clone(&project.id),
        name.unwrap_or_else(|| project.id.to_string()),
    )
}

async fn poll_once(jobs: Vec<Watched>, setup: PollerConfig) -> anyhow::Result<Board> {
    let mut poller = Poller::start(jobs, setup).context(NO_POLLER)?;
    poller.first_round().await;
    Ok(poller.board().borrow().clone())
}

/// Without a config the default place of the key is where one would be looked for.
async fn without_config(error: anyhow::Error) -> anyhow::Result<(Vec<Finding>, Environment)> {
    let error = error.downcast::<ConfigError>()?;
    let source = KeySource::default();
    let findings = vec![doctor::config("", Err(&error)), of_key(&source).await];
    let names = match &source {
        KeySource::Env(name) => vec![name.clone()],
        KeySource::File(_) | KeySource::Command(_) => Vec::new(),
    };
    Ok((findings, Environment::from_process(&names)))
}

async fn of_key(source: &KeySource) -> Finding {
    let key = key::resolve(source).await;
    let key = key.map(|key| key.has_usual_prefix());
    let key = key.map_err(|error| error.to_string());
    doctor::key(
        source,
        key.as_ref().map(|usual| *usual).map_err(|why| &**why),
    )
}

fn terminal(color: bool) -> Terminal {
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    Terminal {
        is_terminal,
        term: std::env::var("TERM").ok(),
        utf8: looks::is_utf8(|name| std::env::var(name).ok()),
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
