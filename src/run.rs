//! Puts the parts together: config, keys, poller and a face; and turns errors into exit codes.
//!
//! Nothing imports this file but `main`.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use jiff::tz::TimeZone;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::mpsc;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::board::Watched;
use crate::cli::select::SelectError;
use crate::cli::{Cli, ConfigVerb, GlobalArgs, UsageError, Verb};
use crate::config::edit::EditError;
use crate::config::ids::IdsError;
use crate::config::{self, ConfigError};
use crate::demo;
use crate::poll::Poller;
use crate::poll::schedule::Start;
use crate::tui::app::App;
use crate::tui::preferences::Preferences;
use crate::tui::terminal::{self, Desktop, NoTerminal, TerminalGuard};
use crate::tui::{self, Channels, Exit};
use errands::{Desk, List};
use reload::Reload;
use source::{NoKey, Settings, Source};

mod doctor;
mod errands;
mod looks;
mod reload;
mod source;
mod verbs;
mod writes;

/// A job failed, or the thing asked for did not happen.
const FAILED: u8 = 1;
/// The command line or the config is wrong.
const USAGE: u8 = 2;
/// There is no key, or the key was refused.
const NO_KEY: u8 = 4;
/// What was asked for has not finished in its time.
const TIMED_OUT: u8 = 8;
/// What could not be done where the system gives no thread.
const NO_POLLER: &str = "cannot start polling";
/// What a shell adds to the number of a signal that ended a program.
const SIGNALLED: i32 = 128;

/// Does what the command line asks for.
pub fn main(cli: Cli) -> ExitCode {
    keep_memory_off_disk();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(run(cli)));
    match done {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell where standard error is closed too.
            let _ = writeln!(io::stderr(), "mintwatch: {error:#}");
            ExitCode::from(code_of(&error))
        }
    }
}

/// No core dumps: they would hold the key. Where the limit cannot be set, nothing is lost but that.
fn keep_memory_off_disk() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Core);
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum,
        },
    );
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    if let Some(path) = &cli.global.log {
        start_log(path)?;
    }
    match cli.verb {
        None => dashboard(&cli.global).await,
        Some(Verb::List(args)) => verbs::list(&cli.global, &args).await,
        Some(Verb::Wait(args)) => verbs::wait(&cli.global, &args).await,
        Some(Verb::Watch(args)) => verbs::watch(&cli.global, &args).await,
        Some(Verb::Open(args)) => verbs::open(&cli.global, &args).await,
        Some(Verb::New(args)) => writes::new(&cli.global, &args).await,
        Some(Verb::Send(args)) => writes::send(&cli.global, &args).await,
        Some(Verb::Add(args)) => verbs::add(&cli.global, &args),
        Some(Verb::Rm(args)) => verbs::rm(&cli.global, &args),
        Some(Verb::Init) => init(&cli.global),
        Some(Verb::Config(ConfigVerb::Path)) => verbs::config_path(&cli.global),
        Some(Verb::Doctor(_)) => doctor::doctor(&cli.global).await,
        Some(Verb::Completions(args)) => verbs::print_completions(&args),
        Some(Verb::Man) => verbs::print_man(),
        Some(Verb::CompleteNames(args)) => verbs::complete_names(cli.global, &args).await,
        Some(Verb::DemoServer(args)) => {
            demo::serve(&args, &mut io::stdout()).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Whoever read our output has had enough of it, which is no error.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe;
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(broken))
}

fn code_of(error: &anyhow::Error) -> u8 {
    if error.is::<NoKey>() {
        NO_KEY
    } else if is_usage(error) {
        USAGE
    } else {
        FAILED
    }
}

fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<ConfigError>()
        || error.is::<EditError>()
        || error.is::<IdsError>()
        || error.is::<NoTerminal>()
        || error.is::<SelectError>()
        || error.is::<UsageError>()
}

async fn dashboard(global: &GlobalArgs) -> anyhow::Result<ExitCode> {
    terminal::check()?;
    let settings = Settings::of(global).await?;
    let preferences = Preferences::new(&settings.config)?;
    let ui = settings.config.ui.clone();
    let mut source = settings.with_a_key().await?;
    let demo = source.demo.take();
    let environment = source.environment();
    let modes = TerminalGuard::take(ui.mouse).context("cannot set up the terminal")?;
    let mut screen = terminal::screen().context("cannot draw on the terminal")?;
    let name = if demo.is_some() {
        "mintwatch demo"
    } else {
        "mintwatch"
    };
    let theme = looks::dashboard_theme(global, &ui);
    let mut app = App::new(theme, name, screen.size()?);
    app.start_with(preferences);
    app.time_zone = TimeZone::system();
    app.config_path.clone_from(&source.path);
    let watched = source.into_watched_jobs();
    let config = Arc::new(Mutex::new(source.config.clone()));
    let list = list_of(&source, &watched)?;
    let mut poller = Poller::start(watched, source.setup(Start::Spread)).context(NO_POLLER)?;
    let events = poller.subscribe();
    let (teller, notices) = mpsc::unbounded_channel();
    if let List::File(path) = &list {
        Reload {
            path: path.clone(),
            config: Arc::clone(&config),
            handle: poller.handle(),
            notices: teller.clone(),
        }
        .start();
    }
    poller.watch_for_sleep();
    let desk = Desk {
        config,
        list,
        handle: poller.handle(),
        notices: teller,
    };
    let mut host = Desktop::new(&modes, environment, Box::new(desk));
    let input = terminal::input().context("cannot read the keyboard")?;
    let stop = terminal::stopped();
    let exit = tui::run(
        &mut screen,
        input,
        Channels {
            board: poller.board(),
            events,
            notices,
            poller: poller.handle(),
        },
        app,
        &mut host,
        stop,
    )
    .await;
    modes.restore();
    finish(exit.context("the dashboard stopped")?, &mut poller).await
}

/// Where the watched jobs are listed: the demo's nowhere but here.
fn list_of(source: &Source, watched: &[Watched]) -> anyhow::Result<List> {
    if let Some(path) = &source.path {
        return Ok(List::File(path.clone()));
    }
    let key = source.keys.first().and_then(|slot| slot.key.clone().ok());
    let key = key.context("the demo has no key")?;
    Ok(List::Memory(Arc::new(Mutex::new(watched.to_vec())), key))
}

async fn finish(exit: Exit, poller: &mut Poller) -> anyhow::Result<ExitCode> {
    match exit {
        Exit::Quit | Exit::HungUp => Ok(ExitCode::SUCCESS),
        Exit::Signal(number) => Ok(signalled(number)),
        Exit::PollerEnded => Err(poller_ended(poller).await),
    }
}

/// The exit code of a program that signal `number` ended.
fn signalled(number: i32) -> ExitCode {
    ExitCode::from(u8::try_from(SIGNALLED + number).unwrap_or(FAILED))
}

/// The poller ends by itself only by a fault of the program.
async fn poller_ended(poller: &mut Poller) -> anyhow::Error {
    let ended = poller.ended().await.err();
    let why = ended.map_or_else(String::new, |error| format!(": {error}"));
    anyhow::anyhow!(
        "polling stopped by a fault in mintwatch{why}; start it again, and please report it"
    )
}

fn init(global: &GlobalArgs) -> anyhow::Result<ExitCode> {
    let path = config::path(global.config.as_deref())?;
    config::init(&path)?;
    writeln!(io::stdout(), "{}", path.display())?;
    let next = "Written. List your projects and jobs in it, set the key, and run mintwatch.";
    writeln!(io::stderr(), "{next}")?;
    Ok(ExitCode::SUCCESS)
}

fn start_log(path: &Path) -> anyhow::Result<()> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write the log {}", path.display()))?;
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(Mutex::new(file));
    // Of the libraries only what goes wrong: their chatter is not about jobs.
    let targets = Targets::new()
        .with_target("mintwatch", LevelFilter::TRACE)
        .with_default(LevelFilter::WARN);
    tracing_subscriber::registry()
        .with(layer.with_filter(targets))
        .init();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_tell_errors_apart() {
        assert_eq!(code_of(&NoKey(String::new()).into()), NO_KEY);
        assert_eq!(code_of(&NoTerminal::NotATerminal.into()), USAGE);
        assert_eq!(code_of(&anyhow::anyhow!("anything else")), FAILED);
    }
}
