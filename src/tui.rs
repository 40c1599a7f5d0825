//! The dashboard: the loop that waits for input, changes of the board, events and time, and
//! draws when something shown has changed.
//!
//! The loop is generic over the backend and the input, and reaches the outside through [`Host`], so
//! that a whole run can be tested in process. It must not know how jobs are polled.

pub mod app;
mod compose;
mod detail;
mod errors;
mod help;
pub mod hit_test;
pub mod host;
pub mod keys;
pub mod layout;
pub mod listing;
pub mod notice;
pub mod screen;
mod table;
pub mod terminal;
pub mod text_area;

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::time::Duration;

use crossterm::event::Event as InputEvent;
use futures_util::future::poll_immediate;
use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::{Position, Rect};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::board::{Board, Event};
use crate::desktop::Opened;
use crate::exit::Exit;
use crate::job::ProjectId;
use crate::link::Link;
use crate::poll::PollerHandle;
use crate::pull_request::PullRequest;
use crate::view::plural;
use crate::view::theme::Role;
use app::{App, Effect, Request};
pub use notice::Notice;

/// Changes of the board are drawn at most this often; input is drawn at once.
const BOARD_PACE: Duration = Duration::from_millis(50);

/// So many inputs that wait are taken before a frame is drawn.
const INPUTS_AT_ONCE: usize = 512;

/// The longest that the loop sleeps: a wall clock that is put back must not freeze the ages.
const LONGEST_NAP: Duration = Duration::from_mins(5);

/// What the loop needs of the machine that it runs on.
pub trait Host {
    /// Opens a link in the user's browser, or says in words why not.
    fn open(&mut self, link: &Link) -> Result<Opened, String>;
    /// Puts text on the user's clipboard.
    fn copy(&mut self, text: &str) -> io::Result<()>;
    /// Sets the terminal's title.
    fn set_title(&mut self, title: &str) -> io::Result<()>;
    /// Gives the terminal back, stops, and takes the terminal again once continued.
    fn suspend(&mut self) -> io::Result<()>;
    /// Counts this hour's writes to a project; the count comes as a [`Notice`].
    fn count_writes(&mut self, project: &ProjectId);
    /// Performs `request`; what became of it comes as a [`Notice`].
    fn perform(&mut self, request: Request);
}

/// The loop's ends of the channels to the rest of the program.
#[derive(Debug)]
pub struct Channels {
    pub board: watch::Receiver<Board>,
    pub events: mpsc::UnboundedReceiver<Event>,
    pub notices: mpsc::UnboundedReceiver<Notice>,
    pub poller: PollerHandle,
}

/// Runs the dashboard until the user quits or `stop` is ready; `None` where the poller has ended,
/// which is a fault of the program.
pub async fn run<B, S, H>(
    terminal: &mut Terminal<B>,
    input: S,
    channels: Channels,
    app: App,
    host: &mut H,
    stop: impl Future<Output = Exit>,
) -> io::Result<Option<Exit>>
where
    B: Backend,
    B::Error: Into<io::Error>,
    S: Stream<Item = io::Result<InputEvent>>,
    H: Host,
{
    let Channels {
        board,
        mut events,
        mut notices,
        poller,
    } = channels;
    let mut dashboard = Dashboard {
        terminal,
        app,
        host,
        board,
        poller,
        behind: true,
        drawn_at: None,
        title: None,
    };
    let mut input = pin!(input);
    let mut stop = pin!(stop);
    loop {
        dashboard.catch_up()?;
        let wake = dashboard.wake();
        tokio::select! {
            biased;
            exit = &mut stop => return Ok(Some(exit)),
            event = input.next() => {
                let exit = take_input(&mut dashboard, event, input.as_mut()).await?;
                if exit.is_some() {
                    return Ok(exit);
                }
            }
            event = events.recv() => {
                let Some(event) = event else {
                    return Ok(None);
                };
                let exit = dashboard.on_event(event)?;
                if exit.is_some() {
                    return Ok(exit);
                }
            }
            Some(notice) = notices.recv() => {
                let exit = dashboard.on_notice(notice)?;
                if exit.is_some() {
                    return Ok(exit);
                }
            }
            changed = dashboard.board.changed(), if !dashboard.behind => match changed {
                Ok(()) => dashboard.behind = true,
                Err(_) => return Ok(None),
            },
            () = tokio::time::sleep(wake.unwrap_or_default()), if wake.is_some() => {
                dashboard.on_time();
            }
        }
    }
}

/// Takes an input and all that wait behind it, so that a held key or a paste is drawn once.
async fn take_input<B, S, H>(
    dashboard: &mut Dashboard<'_, B, H>,
    first: Option<io::Result<InputEvent>>,
    mut input: Pin<&mut S>,
) -> io::Result<Option<Exit>>
where
    B: Backend,
    B::Error: Into<io::Error>,
    S: Stream<Item = io::Result<InputEvent>>,
    H: Host,
{
    let mut next = first;
    for _ in 0..INPUTS_AT_ONCE {
        let Some(event) = next else {
            return Ok(Some(Exit::Done));
        };
        if let Some(exit) = dashboard.on_input(&event?)? {
            return Ok(Some(exit));
        }
        // Not `now_or_never`: a stream wakes whoever polled it last, which must be this task.
        match poll_immediate(input.next()).await {
            Some(waiting) => next = waiting,
            None => break,
        }
    }
    Ok(None)
}

struct Dashboard<'a, B: Backend, H> {
    terminal: &'a mut Terminal<B>,
    app: App,
    host: &'a mut H,
    board: watch::Receiver<Board>,
    poller: PollerHandle,
    /// Whether the board has changed since the state last took it in.
    behind: bool,
    drawn_at: Option<Instant>,
    title: Option<String>,
}

impl<B, H> Dashboard<'_, B, H>
where
    B: Backend,
    B::Error: Into<io::Error>,
    H: Host,
{
    /// Takes in the board if it is time to, and draws if something shown has changed.
    fn catch_up(&mut self) -> io::Result<()> {
        if self.behind && self.until_board_pace().is_zero() {
            self.behind = false;
            let board = self.board.borrow_and_update();
            self.app.on_board(&board, Timestamp::now());
            drop(board);
            if self.app.is_dirty() {
                self.drawn_at = Some(Instant::now());
            }
        }
        self.draw()
    }

    fn draw(&mut self) -> io::Result<()> {
        if !self.app.take_dirty() {
            return Ok(());
        }
        let (app, board, now) = (&self.app, &self.board, Timestamp::now());
        let (mut scroll, mut title) = (app.scroll, None);
        // The board is let go of before anything is written: a terminal that nobody reads must not
        // keep the poller from writing on it.
        self.terminal
            .draw(|frame| {
                let board = board.borrow();
                scroll = screen::draw_scrolled(frame, app, &board, now);
                title = app.ui.title.then(|| app.title(&board));
            })
            .map_err(Into::into)?;
        // Scrolled beyond the end, the way back would begin with steps that do nothing.
        self.app.scroll = scroll;
        if let Some(title) = title.filter(|title| self.title.as_ref() != Some(title)) {
            self.host.set_title(&title)?;
            self.title = Some(title);
        }
        Ok(())
    }

    /// How long until a change of the board may be drawn.
    fn until_board_pace(&self) -> Duration {
        let next = self.drawn_at.map(|drawn_at| drawn_at + BOARD_PACE);
        next.map_or(Duration::ZERO, |next| {
            next.saturating_duration_since(Instant::now())
        })
    }

    /// How long the loop may sleep when nothing comes in; `None` for ever.
    fn wake(&self) -> Option<Duration> {
        if self.behind {
            return Some(self.until_board_pace());
        }
        let now = Timestamp::now();
        let at = self.app.wake_at()?;
        // A millisecond more, so that the moment has surely passed when the timer says so.
        let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
        Some((wait + Duration::from_millis(1)).min(LONGEST_NAP))
    }

    fn on_time(&mut self) {
        if !self.behind {
            self.app.on_time(&self.board.borrow(), Timestamp::now());
        }
    }

    fn on_notice(&mut self, notice: Notice) -> io::Result<Option<Exit>> {
        let effect = self
            .app
            .on_notice(notice, &self.board.borrow(), Timestamp::now());
        self.perform(effect)
    }

    fn on_event(&mut self, event: Event) -> io::Result<Option<Exit>> {
        let effect = self
            .app
            .on_event(event, &self.board.borrow(), Timestamp::now());
        self.perform(effect)
    }

    fn on_input(&mut self, event: &InputEvent) -> io::Result<Option<Exit>> {
        let effect = self
            .app
            .on_input(event, &self.board.borrow(), Timestamp::now());
        self.perform(effect)
    }

    /// Does what the state asks for; why the dashboard ends, if it does.
    fn perform(&mut self, effect: Effect) -> io::Result<Option<Exit>> {
        match effect {
            Effect::None => {}
            Effect::Quit => return Ok(Some(Exit::Done)),
            Effect::Suspend => self.suspend()?,
            Effect::Redraw => self.redraw()?,
            Effect::Open(links) => self.open(&links),
            Effect::Copy(lines, what) => self.copy(&lines, what),
            Effect::Poll(jobs) => self.poller.poll(jobs),
            Effect::PollAll => self.poller.poll_all(),
            Effect::CountWrites(project) => self.host.count_writes(&project),
            Effect::Perform(request) => self.host.perform(request),
        }
        Ok(None)
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.host.suspend()?;
        // The host has pushed the old title anew, and the window may have another size now.
        self.title = None;
        let size = self.terminal.size().map_err(Into::into)?;
        let resize = InputEvent::Resize(size.width, size.height);
        self.app
            .on_input(&resize, &self.board.borrow(), Timestamp::now());
        self.redraw()
    }

    /// Has every cell drawn anew. `Terminal::clear` would ask the terminal where its cursor is, and
    /// the answer would go to the stream of events, which nobody can read beside us.
    fn redraw(&mut self) -> io::Result<()> {
        let size = self.terminal.size().map_err(Into::into)?;
        let area = Rect::from((Position::ORIGIN, size));
        self.terminal.resize(area).map_err(Into::into)
    }

    fn open(&mut self, links: &[Link]) {
        let mut opened = None;
        for link in links {
            match self.host.open(link) {
                Ok(Opened::Browser(browser)) => opened = Some(browser),
                Ok(Opened::NoBrowser) => return self.copy_instead(links),
                Err(why) => return self.app.say(why, Role::Bad, Timestamp::now()),
            }
        }
        let text = match (links, opened) {
            ([link], Some(browser)) => {
                format!(
                    "opened {} with {browser}",
                    PullRequest::from(link.clone()).short()
                )
            }
            (many, Some(browser)) => format!("opened {} links with {browser}", many.len()),
            (_, None) => return,
        };
        self.app.say(text, Role::Good, Timestamp::now());
    }

    /// Where no browser can be reached, as over SSH, the user's own terminal has one.
    fn copy_instead(&mut self, links: &[Link]) {
        let urls: Vec<&str> = links.iter().map(Link::as_str).collect();
        let text = match (self.host.copy(&urls.join("\n")), links) {
            (Ok(()), [link]) => format!("no browser here; copied {link}"),
            (Ok(()), many) => format!("no browser here; copied {} links", many.len()),
            (Err(_), _) => format!("no browser here: {}", urls.join(" ")),
        };
        self.app.say(text, Role::Plain, Timestamp::now());
    }

    fn copy(&mut self, lines: &[String], what: &str) {
        let (text, role) = match (self.host.copy(&lines.join("\n")), lines) {
            (Ok(()), [line]) => (format!("copied {line}"), Role::Good),
            (Ok(()), many) => (
                format!("copied {} {}", many.len(), plural(what, many.len())),
                Role::Good,
            ),
            (Err(error), _) => (format!("cannot copy: {error}"), Role::Bad),
        };
        self.app.say(text, role, Timestamp::now());
    }
}
