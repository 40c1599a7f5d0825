//! The verbs that poll or look around: starts what each needs, and turns how it went into an exit
//! code.
//!
//! What a verb does and says is in `cli`.

use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::source::{NoKey, Settings, Source};
use super::{FAILED, NO_KEY, NO_POLLER, TIMED_OUT, looks, poller_ended, signalled};
use crate::board::{Board, Watched};
use crate::cli::add::{self, AddArgs};
use crate::cli::completions::{self, CompleteNamesArgs, CompletionsArgs, Wanted};
use crate::cli::list::{self, ListArgs};
use crate::cli::open::{self, NoLink, OpenArgs};
use crate::cli::rm::{self, RmArgs};
use crate::cli::select::{self, SelectError};
use crate::cli::wait::{self, Progress, WaitArgs};
use crate::cli::watch::{self, Output, WatchArgs};
use crate::cli::{Cli, GlobalArgs, UsageError};
use crate::config;
use crate::demo::DemoServer;
use crate::desktop::{self, Environment, Opened, Opener};
use crate::poll::Poller;
use crate::poll::schedule::Start;
use crate::tui::terminal;

/// Polls under way.
struct PollSession {
    poller: Poller,
    /// What a program that we start may see.
    environment: Environment,
    /// The simulated API, served as long as this lives.
    _demo: Option<DemoServer>,
}

/// Starts to poll what `choose` takes of the watched jobs.
async fn begin(
    global: &GlobalArgs,
    start: Start,
    choose: impl FnOnce(Vec<Watched>) -> Result<Vec<Watched>, SelectError>,
) -> anyhow::Result<PollSession> {
    let mut source = Source::of(global).await?;
    let demo = source.demo.take();
    let environment = source.environment();
    let chosen = choose(source.into_watched_jobs())?;
    Ok(PollSession {
        poller: Poller::start(chosen, source.setup(start)).context(NO_POLLER)?,
        environment,
        _demo: demo,
    })
}

pub(super) async fn list(global: &GlobalArgs, args: &ListArgs) -> anyhow::Result<ExitCode> {
    let mut begun = begin(global, Start::Once, |watched| args.choose(watched)).await?;
    begun.poller.first_round().await;
    let board = begun.poller.board();
    let no_key = list::print(
        args,
        &board.borrow(),
        looks::of_stdout(global),
        Timestamp::now(),
        &mut io::stdout().lock(),
    )?;
    if let Some(unknown) = args.unknown_status(&board.borrow()) {
        let _ = writeln!(
            io::stderr(),
            "mintwatch: no job has the status \"{unknown}\"; the API knows active, completed, \
             failed and archived"
        );
    }
    Ok(ExitCode::from(if no_key { NO_KEY } else { 0 }))
}

pub(super) async fn wait(global: &GlobalArgs, args: &WaitArgs) -> anyhow::Result<ExitCode> {
    let stop = terminal::interrupted();
    let choose = |watched| select::jobs(watched, &args.jobs);
    let mut begun = begin(global, Start::AtOnce, choose).await?;
    begun.poller.watch_for_sleep();
    let mut board = begun.poller.board();
    let mut progress = Progress::new(
        terminal::can_rewrite(&io::stderr()).then(io::stderr),
        looks::theme(global, io::stderr().is_terminal()),
    );
    let end = wait::wait(args, &mut board, &mut progress, stop).await;
    drop(progress);
    let Ok(end) = end else {
        return Err(poller_ended(&mut begun.poller).await);
    };
    if let wait::End::Stopped(number) = end {
        return Ok(signalled(number));
    }
    let board = board.borrow();
    // A reader who has had enough changes nothing about how the jobs ended.
    let reported = report_wait(global, args, &board, end);
    reported.or_else(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    })?;
    Ok(ExitCode::from(match end {
        wait::End::Done | wait::End::Stopped(_) => 0,
        wait::End::Failed => FAILED,
        wait::End::NoKey => NO_KEY,
        wait::End::TimedOut => TIMED_OUT,
    }))
}

fn report_wait(
    global: &GlobalArgs,
    args: &WaitArgs,
    board: &Board,
    end: wait::End,
) -> io::Result<()> {
    let rows: Vec<_> = board.rows().iter().collect();
    let looks = looks::of_stdout(global);
    let mut out = io::stdout().lock();
    if args.json || !rows.is_empty() {
        list::print_rows(&rows, args.json, looks, Timestamp::now(), &mut out)?;
    }
    let said = wait::in_words(end, args, board);
    // Where nobody can be told, the table and the exit code remain.
    let _ = wait::say(&said, &mut io::stderr());
    Ok(())
}

pub(super) async fn watch(global: &GlobalArgs, args: &WatchArgs) -> anyhow::Result<ExitCode> {
    let stop = terminal::interrupted();
    let mut begun = begin(global, Start::Spread, Ok).await?;
    let jobs = begun.poller.board().borrow().rows().len();
    anyhow::ensure!(jobs > 0, "no jobs to watch: the config lists none");
    begun.poller.watch_for_sleep();
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr(), "watching; Ctrl-C ends it");
    }
    let output = Output {
        out: &mut io::stdout(),
        err: &mut io::stderr(),
        theme: looks::theme(global, io::stdout().is_terminal()),
        time_zone: TimeZone::system(),
    };
    let unread = terminal::unread();
    let end = watch::watch(args, &begun.poller, output, stop, unread).await?;
    match end {
        watch::End::Stopped(number) => Ok(signalled(number)),
        watch::End::Unread => Ok(ExitCode::SUCCESS),
        watch::End::NoKey => Ok(ExitCode::from(NO_KEY)),
        watch::End::PollerEnded => Err(poller_ended(&mut begun.poller).await),
    }
}

pub(super) async fn open(global: &GlobalArgs, args: &OpenArgs) -> anyhow::Result<ExitCode> {
    let choose = |watched: Vec<Watched>| Ok(vec![select::job(&watched, &args.job)?.clone()]);
    let mut begun = begin(global, Start::Once, choose).await?;
    begun.poller.first_round().await;
    let board = begun.poller.board();
    let url = {
        let board = board.borrow();
        let row = board.rows().first().context("nothing was polled")?;
        open::pull_request(row).map_err(|error| match error {
            NoLink::NoKey(..) => NoKey(error.to_string()).into(),
            other => anyhow::Error::from(other),
        })?
    };
    let mut out = io::stdout();
    if args.print {
        writeln!(out, "{url}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let said = match Opener::new(begun.environment.clone()).open(&url)? {
        Opened::Browser(name) => format!("opened {url} with {name}"),
        Opened::NoBrowser => {
            writeln!(out, "{url}")?;
            let copied = out.is_terminal()
                && desktop::copy(url.as_str(), &begun.environment, &mut out).is_ok();
            let copied = if copied { ", and copied" } else { "" };
            format!("no browser here, so the link is printed{copied}; BROWSER can name one")
        }
    };
    let _ = writeln!(io::stderr(), "{said}");
    Ok(ExitCode::SUCCESS)
}

pub(super) fn config_path(global: &GlobalArgs) -> anyhow::Result<ExitCode> {
    let path = config::path(global.config.as_deref())?;
    let mut out = io::stdout();
    out.write_all(path.as_os_str().as_bytes())?;
    writeln!(out)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn print_completions(args: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    completions::print(args.shell, &Cli::command(), &mut io::stdout())?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn print_man() -> anyhow::Result<ExitCode> {
    crate::cli::man::print(Cli::command(), &mut io::stdout())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the names that the word being typed may be. A shell that completes shows no errors, so
/// there are no names where there is no config.
pub(super) async fn complete_names(
    global: GlobalArgs,
    args: &CompleteNamesArgs,
) -> anyhow::Result<ExitCode> {
    let wanted = Wanted::by(Cli::command(), &args.words);
    let (config, demo) = completions::source_flags(&args.words);
    let global = GlobalArgs {
        config: config.or(global.config),
        demo: demo || global.demo,
        ..global
    };
    if wanted == Wanted::Nothing {
        return Ok(ExitCode::SUCCESS);
    }
    let Ok(mut settings) = Settings::of(&global).await else {
        return Ok(ExitCode::SUCCESS);
    };
    let names = if wanted == Wanted::Jobs {
        completions::job_names(&settings.into_watched_jobs())
    } else {
        let projects = settings.config.projects.into_iter();
        projects
            .map(|project| project.name.unwrap_or_else(|| project.id.to_string()))
            .collect()
    };
    let mut out = io::stdout().lock();
    for name in names {
        writeln!(out, "{name}")?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn add(global: &GlobalArgs, args: &AddArgs) -> anyhow::Result<ExitCode> {
    let path = config_to_edit(global)?;
    let (input, out, err) = (&mut io::stdin(), &mut io::stdout(), &mut io::stderr());
    add::run(args, &path, input, out, err)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn rm(global: &GlobalArgs, args: &RmArgs) -> anyhow::Result<ExitCode> {
    rm::run(args, &config_to_edit(global)?, &mut io::stdout())?;
    Ok(ExitCode::SUCCESS)
}

/// The config file that a verb is to edit.
fn config_to_edit(global: &GlobalArgs) -> anyhow::Result<PathBuf> {
    if global.demo {
        let message = "the demo has no config file to edit: leave --demo out to edit your own";
        return Err(UsageError(message.to_owned()).into());
    }
    Ok(config::path(global.config.as_deref())?)
}
