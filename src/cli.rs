//! The command line: its flags and verbs.
//!
//! Each verb has a file of its own, with its arguments and `execute(context)`, which returns an
//! [`Exit`], or an error that carries one (`error`).

pub mod ack;
pub mod add;
pub mod change_line;
pub mod completions;
pub mod config_path;
pub mod confirm;
pub mod context;
pub mod dashboard;
pub mod doctor;
pub mod error;
pub mod history;
pub mod init;
pub mod json;
pub mod list;
pub mod man;
pub mod new;
pub mod open;
pub mod output;
pub mod prompt;
pub mod prune;
pub mod report;
pub mod rm;
pub mod select;
pub mod send;
pub mod statusline;
pub mod stored;
pub mod table;
pub mod wait;
pub mod watch;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::Context as _;
use clap::{Args, ColorChoice, Parser, Subcommand};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::demo::{self, DemoServerArgs};
use crate::exit::Exit;
use crate::private_file;
use crate::process;
use ack::AckArgs;
use add::AddArgs;
use completions::CompletionsArgs;
use context::Context;
use doctor::DoctorArgs;
use error::{CommandError, CommandResult};
use history::HistoryArgs;
use list::ListArgs;
use new::NewArgs;
use open::OpenArgs;
use prune::PruneArgs;
use rm::RmArgs;
use send::SendArgs;
use statusline::StatuslineArgs;
use wait::WaitArgs;
use watch::WatchArgs;

const AFTER_HELP: &str = "\
Without a verb, mintwatch is the dashboard. In it, ? shows the keys.

Examples:
  mintwatch --demo                  look around; needs no key
  mintwatch init                    write a commented config to start from
  mintwatch                         the dashboard
  mintwatch new docs -F prompt.md   start a job, and watch it
  mintwatch add docs job_01         watch one that exists
  mintwatch prune                   stop watching what is done for good
  mintwatch list --needs-you        what waits for you, as a table
  mintwatch list --json | jq .counts
  mintwatch history --since 7d      what changed, as earlier runs have seen it
  mintwatch wait job_01 && mintwatch open job_01
  mintwatch doctor                  what is wrong, and how to fix it

Exit codes: 0 done; 1 a job failed, or what was asked for did not happen; 2 usage or config; 4 no
key, or a key refused (401, 403); 8 not finished yet; 128 + n ended by signal n. The help of each
verb says when.";

const CONFIG_HELP: &str = "\
Read the config from FILE

Else $MINTWATCH_CONFIG, else $XDG_CONFIG_HOME/mintwatch/config.toml, else the platform's config
folder.";

const INIT_HELP: &str = "\
Examples:
  mintwatch init
  mintwatch --config work.toml init

Exit codes: 0 written; 2 it exists already, or cannot be written.";

const PATH_HELP: &str = "\
Examples:
  $EDITOR \"$(mintwatch config path)\"

Exit codes: 0 printed; 2 usage, or no home folder to look in.";

const MAN_HELP: &str = "\
Examples:
  mintwatch man | man -l -
  mintwatch man > ~/.local/share/man/man1/mintwatch.1

Exit codes: 0 printed; 2 usage.";

/// A terminal dashboard for Mintlify agent jobs.
#[derive(Debug, Parser)]
#[command(name = "mintwatch", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalArgs,
    /// The dashboard if `None`.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// Runs the command line, or completes it for a shell.
pub fn main() -> ExitCode {
    completions::complete().unwrap_or_else(|| Cli::parse().run())
}

impl Cli {
    fn run(self) -> ExitCode {
        process::forbid_core_dumps();
        let result = self.execute();
        result.unwrap_or_else(|error| error.report()).into()
    }

    fn execute(self) -> CommandResult {
        if let Some(path) = &self.global.log {
            start_log(path)?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        let context = Context {
            global: self.global,
        };
        runtime.block_on(async {
            match self.verb {
                None => dashboard::execute(&context).await,
                Some(verb) => verb.execute(&context).await,
            }
        })
    }
}

fn start_log(path: &Path) -> Result<(), CommandError> {
    let file = private_file::open_append(path)
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

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Read the config from FILE
    #[arg(long, long_help = CONFIG_HELP, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Watch a simulated API in this process instead; needs neither config nor key
    #[arg(long, global = true)]
    pub demo: bool,
    /// When to use colour; `auto` respects `NO_COLOR` and pipes
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// Remember nothing between runs, and show nothing of earlier ones
    #[arg(long, global = true)]
    pub no_store: bool,
    /// Append a log to FILE; it never holds a key
    #[arg(long, global = true, value_name = "FILE")]
    pub log: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Poll each job once, and print a table or JSON
    List(ListArgs),
    /// Wait until jobs have finished
    Wait(WaitArgs),
    /// Print a line for each change, until interrupted
    Watch(WatchArgs),
    /// Print what changed, as earlier runs have seen it
    History(HistoryArgs),
    /// Open the pull request of a job
    Open(OpenArgs),
    /// Acknowledge jobs: they need you no more, until they change
    Ack(AckArgs),
    /// Print how many jobs need you, for a status line or a prompt
    Statusline(StatuslineArgs),
    /// Start a job, and watch it
    New(NewArgs),
    /// Send a follow-up to a job
    Send(SendArgs),
    /// Watch more jobs: list them in the config
    Add(AddArgs),
    /// Stop watching jobs: take them out of the config
    Rm(RmArgs),
    /// Stop watching jobs that are done for good, and have been for long
    Prune(PruneArgs),
    /// Write a commented config to start from; never overwrites
    #[command(after_help = INIT_HELP)]
    Init,
    /// Show where the config file is
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Check config, keys and terminal, and say how to fix them
    Doctor(DoctorArgs),
    /// Print a script that completes the command line in a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    #[command(after_help = MAN_HELP)]
    Man,
    /// Serve the simulated API alone, for scripts and tests
    DemoServer(DemoServerArgs),
}

impl Verb {
    async fn execute(self, context: &Context) -> CommandResult {
        match self {
            Self::List(args) => args.execute(context).await,
            Self::Wait(args) => args.execute(context).await,
            Self::Watch(args) => args.execute(context).await,
            Self::History(args) => args.execute(context),
            Self::Open(args) => args.execute(context).await,
            Self::Ack(args) => args.execute(context),
            Self::Statusline(args) => args.execute(context),
            Self::New(args) => args.execute(context).await,
            Self::Send(args) => args.execute(context).await,
            Self::Add(args) => args.execute(context).await,
            Self::Rm(args) => args.execute(context).await,
            Self::Prune(args) => args.execute(context).await,
            Self::Init => init::execute(context),
            Self::Config(ConfigVerb::Path) => config_path::execute(context),
            Self::Doctor(args) => args.execute(context).await,
            Self::Completions(args) => args.execute(),
            Self::Man => man::execute(),
            Self::DemoServer(args) => {
                demo::serve(&args, &mut io::stdout()).await?;
                Ok(Exit::Done)
            }
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Print where the config is, whether or not it exists
    #[command(after_help = PATH_HELP)]
    Path,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
