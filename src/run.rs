//! Puts the parts together: config, keys, poller and a face; and turns errors into exit codes.
//!
//! Nothing imports this file but `main`.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::Context;
use futures_util::future::join_all;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::board::Watched;
use crate::cli::list::{self, ListArgs, Looks};
use crate::cli::select::SelectError;
use crate::cli::{Cli, GlobalArgs, Verb};
use crate::config::{self, Config, ConfigError, KeySource};
use crate::demo::{self, DemoServer};
use crate::key::{self, ApiKey};
use crate::link::Environment;
use crate::poll::Poller;
use crate::poll::schedule::Start;
use crate::poll::setup::{self, KeySlot, Setup};
use crate::tui::app::App;
use crate::tui::terminal::{self, Desktop, Modes, NoTerminal};
use crate::tui::theme::Theme;
use crate::tui::{self, Exit};

/// A job failed, or the thing asked for did not happen.
const FAILED: u8 = 1;
/// The command line or the config is wrong.
const USAGE: u8 = 2;
/// There is no key, or the key was refused.
const NO_KEY: u8 = 4;
/// What a shell adds to the number of a signal that ended a program.
const SIGNALLED: i32 = 128;

/// How the demo's config says where its key comes from; the key itself is handed over directly.
const DEMO_KEY: &str = "env = \"MINTWATCH_DEMO_KEY\"";

/// No project of the config has a key.
#[derive(Debug, thiserror::Error)]
#[error("no API key: {0}")]
struct NoKey(String);

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
        Some(Verb::List(args)) => list(&cli.global, &args).await,
        Some(Verb::Init) => init(&cli.global),
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
    } else if error.is::<ConfigError>() || error.is::<NoTerminal>() || error.is::<SelectError>() {
        USAGE
    } else {
        FAILED
    }
}

/// What is watched and with which keys, from the config file or from the demo.
struct Source {
    config: Config,
    keys: Vec<KeySlot>,
    path: Option<PathBuf>,
    /// The simulated API, served as long as this lives.
    demo: Option<DemoServer>,
}

impl Source {
    async fn of(global: &GlobalArgs) -> anyhow::Result<Self> {
        if global.demo {
            Self::demo().await
        } else {
            Self::from_file(global).await
        }
    }

    async fn from_file(global: &GlobalArgs) -> anyhow::Result<Self> {
        let path = config::path(global.config.as_deref())?;
        let config = Config::load(&path)?;
        let keys = resolve_keys(&config).await;
        let missing: Vec<&str> = keys
            .iter()
            .filter_map(|slot| slot.key.as_ref().err())
            .map(|why| &**why)
            .collect();
        if !keys.is_empty() && missing.len() == keys.len() {
            return Err(NoKey(missing.join("; ")).into());
        }
        Ok(Self {
            config,
            keys,
            path: Some(path),
            demo: None,
        })
    }

    async fn demo() -> anyhow::Result<Self> {
        let server = DemoServer::start(demo::Options::default())
            .await
            .context("cannot start the demo server")?;
        let config = Config::parse(
            &server.config_toml(DEMO_KEY),
            Path::new("the demo's config"),
        )?;
        let key = ApiKey::parse(server.key()).map_err(|error| error.to_string());
        let keys = vec![KeySlot {
            source: config.key.clone(),
            key,
        }];
        Ok(Self {
            config,
            keys,
            path: None,
            demo: Some(server),
        })
    }

    /// What to poll and how; the jobs are taken out of the config, since there may be many.
    fn into_setup(mut self, start: Start) -> (Vec<Watched>, Setup) {
        let watched = setup::take_watched(&mut self.config);
        (watched, Setup::new(&self.config, self.keys, start))
    }
}

/// Resolves each distinct key once, all at the same time.
async fn resolve_keys(config: &Config) -> Vec<KeySlot> {
    let slots = setup::key_sources(config).into_iter().map(|source| async {
        let key = key::resolve(&source)
            .await
            .map_err(|error| error.to_string());
        KeySlot { source, key }
    });
    join_all(slots).await
}

/// The variables that hold keys: no child of ours may see them.
fn key_variables(config: &Config) -> Vec<String> {
    let own = config
        .projects
        .iter()
        .filter_map(|project| project.key.as_ref());
    own.chain([&config.key])
        .filter_map(|source| match source {
            KeySource::Env(name) => Some(name.clone()),
            KeySource::File(_) | KeySource::Command(_) => None,
        })
        .collect()
}

async fn dashboard(global: &GlobalArgs) -> anyhow::Result<ExitCode> {
    terminal::check()?;
    let mut source = Source::of(global).await?;
    let demo = source.demo.take();
    let environment = Environment::from_process(&key_variables(&source.config));
    let modes = Modes::take().context("cannot set up the terminal")?;
    let mut screen = terminal::screen().context("cannot draw on the terminal")?;
    let name = if demo.is_some() {
        "mintwatch demo"
    } else {
        "mintwatch"
    };
    let mut app = App::new(theme(global, true), name, screen.size()?);
    app.time_zone = TimeZone::system();
    app.config_path.clone_from(&source.path);
    let (watched, setup) = source.into_setup(Start::Spread);
    let mut poller = Poller::start(watched, setup);
    poller.watch_for_sleep();
    let mut host = Desktop::new(&modes, environment);
    let input = terminal::input().context("cannot read the keyboard")?;
    let stop = terminal::stopped();
    let exit = tui::run(&mut screen, input, &mut poller, app, &mut host, stop).await;
    modes.restore();
    finish(exit.context("the dashboard stopped")?, &mut poller).await
}

async fn finish(exit: Exit, poller: &mut Poller) -> anyhow::Result<ExitCode> {
    match exit {
        Exit::Quit | Exit::HungUp => Ok(ExitCode::SUCCESS),
        Exit::Signal(number) => Ok(ExitCode::from(
            u8::try_from(SIGNALLED + number).unwrap_or(FAILED),
        )),
        Exit::PollerEnded => {
            let why = poller
                .ended()
                .await
                .err()
                .map_or_else(String::new, |e| format!(": {e}"));
            anyhow::bail!(
                "polling stopped by a fault in mintwatch{why}; start it again, and please report it"
            )
        }
    }
}

async fn list(global: &GlobalArgs, args: &ListArgs) -> anyhow::Result<ExitCode> {
    let mut source = Source::of(global).await?;
    let _demo = source.demo.take();
    let (watched, setup) = source.into_setup(Start::Once);
    let mut poller = Poller::start(args.choose(watched)?, setup);
    poller.first_round().await;
    let stdout = io::stdout();
    let width = if stdout.is_terminal() {
        crossterm::terminal::size().ok()
    } else {
        None
    };
    let looks = Looks {
        theme: theme(global, stdout.is_terminal()),
        width: width.map(|(columns, _)| columns),
    };
    let board = poller.board();
    let no_key = list::print(
        args,
        &board.borrow(),
        looks,
        Timestamp::now(),
        &mut stdout.lock(),
    )?;
    Ok(ExitCode::from(if no_key { NO_KEY } else { 0 }))
}

fn init(global: &GlobalArgs) -> anyhow::Result<ExitCode> {
    let path = config::path(global.config.as_deref())?;
    config::init(&path)?;
    writeln!(io::stdout(), "{}", path.display())?;
    let next = "Written. List your projects and jobs in it, set the key, and run mintwatch.";
    writeln!(io::stderr(), "{next}")?;
    Ok(ExitCode::SUCCESS)
}

fn theme(global: &GlobalArgs, is_terminal: bool) -> Theme {
    let no_color = std::env::var("NO_COLOR").ok();
    let color = global.color.wants_color(is_terminal, no_color.as_deref());
    Theme::new(color, !is_utf8(|name| std::env::var(name).ok()))
}

/// Whether the locale's encoding is UTF-8: the first of these variables that is set decides
/// (POSIX.1-2017, XBD 8.2).
fn is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(set)
        .unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
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
    fn locale_table() {
        for (variables, want) in [
            (vec![("LANG", "en_US.UTF-8")], true),
            (vec![("LANG", "C.utf8")], true),
            (vec![("LANG", "C")], false),
            (vec![], false),
            (vec![("LC_ALL", "C"), ("LANG", "en_US.UTF-8")], false),
            (vec![("LC_ALL", ""), ("LANG", "en_US.UTF-8")], true),
            (vec![("LC_CTYPE", "de_DE.UTF-8"), ("LANG", "C")], true),
        ] {
            let variable = |name: &str| {
                variables
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| (*value).into())
            };
            assert_eq!(is_utf8(variable), want, "{variables:?}");
        }
    }

    #[test]
    fn exit_codes_tell_errors_apart() {
        assert_eq!(code_of(&NoKey(String::new()).into()), NO_KEY);
        assert_eq!(code_of(&NoTerminal::NotATerminal.into()), USAGE);
        assert_eq!(code_of(&anyhow::anyhow!("anything else")), FAILED);
    }
}
