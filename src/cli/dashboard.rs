//! `mintwatch` without a verb: the dashboard.

use std::io;
use std::time::Duration;

use anyhow::Context as _;
use clap::ColorChoice;
use jiff::tz::TimeZone;
use ratatui::layout::Size;
use rustix::io::Errno;
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

use super::context::Context;
use super::error::{CommandError, CommandResult};
use super::output;
use crate::actions::Actions;
use crate::config::{Ascii, Config, ConfigError, Palette, UiConfig};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::poll::schedule::Start;
use crate::process;
use crate::session::Session;
use crate::session::memory::SessionMemory;
use crate::session::reload::{LOOK_AGAIN, Reload, Reloaded};
use crate::store::Teller;
use crate::tui::app::{App, MAX_CHANGES, ScreenSettings};
use crate::tui::host::TerminalHost;
use crate::tui::terminal::{self, TerminalGuard};
use crate::tui::{self, Channels, Notice};
use crate::view::plural;
use crate::view::theme::Theme;

/// What is left to do once a reply has come: a new job is listed in the config, which waits up to ten
/// seconds for another change of it.
const AFTER_A_REPLY: Duration = Duration::from_secs(11);

/// Checks the settings that only the dashboard can: columns, views, keys.
pub fn check_settings(config: &Config) -> Result<(), ConfigError> {
    ScreenSettings::from_config(config).map(drop)
}

pub async fn execute(context: &Context) -> CommandResult {
    output::require_terminal()?;
    let loaded = context.load().await?;
    check_settings(&loaded.config)?;
    let (notify, notices) = mpsc::unbounded_channel();
    // It is read while the keys are looked for.
    let mut memory = context.remember(&loaded, tell_on(&notify));
    let store = context.store_path(&loaded.config);
    let session = loaded.require_key().await?;
    let loaded = session.identity;
    let keys = (session.keys.clone(), session.environment.clone());
    let stops = process::stops();
    let ui = &session.config.ui;
    let timeout = session.config.poll.timeout + AFTER_A_REPLY;
    let requests = TaskTracker::new();
    let guard =
        TerminalGuard::take(ui.mouse, &requests, timeout).context("cannot set up the terminal")?;
    let mut screen = terminal::screen().context("cannot draw on the terminal")?;
    let actions = Actions::new(session.config.clone(), session.path.clone(), store);
    let mut app = first_screen(context, &session, &actions, screen.size()?)?;
    let of_poller = memory.as_mut().and_then(SessionMemory::for_dashboard);
    let store = of_poller.as_ref().map(|memory| memory.store.clone());
    let mut polls = session.start(Start::Spread, of_poller)?;
    let events = polls.poller.subscribe();
    if let Some(store) = store {
        let notify = notify.clone();
        store.read_history(MAX_CHANGES, move |changes| {
            // Nobody is left to tell where the dashboard has ended.
            let _ = notify.send(Notice::Changes(changes));
        });
    }
    if let Some(memory) = &mut memory {
        memory.restore_late(polls.poller.handle());
    }
    polls.memory = memory;
    let (environments, environment) = watch::channel(polls.environment.clone());
    let (reloaded, projects) = (notify.clone(), actions.clone());
    let color = context.global.color;
    let tell = move |change| {
        let notice = notice(change, &projects, color, &environments);
        reloaded.send(notice).is_ok()
    };
    Reload {
        actions: actions.clone(),
        poller: polls.poller.handle(),
        keys,
        loaded,
        look_again: LOOK_AGAIN,
        check: check_settings,
        notify: Box::new(tell),
    }
    .start();
    polls.poller.watch_for_sleep();
    let mut host = TerminalHost::new(
        &guard,
        environment,
        actions.clone(),
        &polls.poller,
        requests,
        notify,
    );
    let input = terminal::input().context("cannot read the keyboard")?;
    let mut channels = Channels {
        board: polls.poller.board(),
        events,
        notices,
        poller: polls.poller.handle(),
    };
    let end = tui::run(
        &mut screen,
        input,
        &mut channels,
        &mut app,
        &mut host,
        stops,
    )
    .await;
    // With it an editor that still has the terminal.
    drop(host);
    guard.restore();
    // The cursor is shown again by now. Dropping it would try that once more, and panic where the
    // terminal and standard error are gone.
    std::mem::forget(screen);
    let (signal, mut err) = (process::interrupted(), io::stderr());
    tui::say_farewell(&mut app, &mut channels, timeout, signal, &mut err).await;
    actions.counted().await;
    let exit = match end {
        Ok(Some(exit)) => Ok(exit),
        Ok(None) => Err(CommandError::poller_ended(&mut polls.poller).await),
        // The terminal was closed, which is a way to leave.
        Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => Ok(Exit::Done),
        Err(error) => Err(CommandError::failed(format!(
            "the dashboard stopped: {error}"
        ))),
    };
    drop(polls);
    exit
}

/// Has what is wrong with the store shown.
fn tell_on(notify: &mpsc::UnboundedSender<Notice>) -> Teller {
    let notify = notify.clone();
    Box::new(move |problem| drop(notify.send(Notice::StoreProblem(problem))))
}

/// The screen before anything is known of the jobs.
fn first_screen(
    context: &Context,
    session: &Session,
    actions: &Actions,
    size: Size,
) -> Result<App, ConfigError> {
    let name = if session.is_demo() {
        "mintwatch demo"
    } else {
        "mintwatch"
    };
    let theme = theme(context.global.color, &session.config.ui);
    let mut app = App::new(theme, name, size);
    app.start_with(&session.config)?;
    app.time_zone = TimeZone::system;
    app.config_path = Some(session.path.clone());
    app.projects = actions.projects();
    Ok(app)
}

/// What the screen is told of `change`; the programs that it starts see the environment that goes to
/// `environments`.
fn notice(
    change: Reloaded,
    actions: &Actions,
    color: ColorChoice,
    environments: &watch::Sender<Environment>,
) -> Notice {
    match change {
        Reloaded::Applied {
            jobs,
            config,
            environment,
            is_own,
            store_waits,
        } => {
            if let Some(environment) = environment {
                environments.send_replace(environment);
            }
            let store = if store_waits {
                "; the store that it names is used from the next start on"
            } else {
                ""
            };
            let text = || {
                format!(
                    "the config has changed: {jobs} {}{store}",
                    plural("job", jobs)
                )
            };
            Notice::Reloaded(Box::new(tui::Reloaded {
                text: (!is_own).then(text),
                theme: theme(color, &config.ui),
                config: *config,
                projects: actions.projects(),
            }))
        }
        Reloaded::Refused(error) => Notice::ConfigRefused(error),
    }
}

/// `--color` and `NO_COLOR` win over the config.
fn theme(color: ColorChoice, ui: &UiConfig) -> Theme {
    let plain = ui.theme == Palette::Plain && color == ColorChoice::Auto;
    let given = output::theme(color, true);
    let ascii = match ui.ascii {
        Ascii::Auto => given.is_ascii(),
        Ascii::Always => true,
        Ascii::Never => false,
    };
    Theme::new(given.has_color() && !plain, ascii)
}
