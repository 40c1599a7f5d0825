//! The dashboard: the loop that waits for input, changes of the board, events and time, and
//! draws when something shown has changed.
//!
//! The loop is generic over the backend and the input, and reaches the outside through [`Host`], so
//! that a whole run can be tested in process. It must not know how jobs are polled.

pub mod app;
mod changes;
mod compose;
mod detail;
mod errors;
mod farewell;
mod footer;
mod help;
pub mod hit_test;
pub mod host;
pub mod keys;
pub mod layout;
pub mod listing;
pub mod notice;
mod painter;
mod parts;
pub mod screen;
mod table;
pub mod terminal;
pub mod text_area;

use std::future::ready;
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
use tokio::task::yield_now;
use tokio::time::Instant;

use crate::board::Board;
use crate::desktop::Opened;
use crate::event::Event;
use crate::exit::Exit;
use crate::job::ProjectId;
use crate::link::Link;
use crate::poll::PollerHandle;
use crate::process;
use crate::pull_request::PullRequest;
use crate::view::theme::Role;
use app::{App, Copied, Effect, Request};
pub use farewell::say_farewell;
pub use notice::{Done, NotDone, Notice, Reloaded};

/// Changes of the board are drawn at most this often; input is drawn at once.
const BOARD_INTERVAL: Duration = Duration::from_millis(50);

/// At most this many waiting inputs are handled before a frame is drawn.
const INPUTS_PER_FRAME: usize = 512;

/// The longest that the loop sleeps: a wall clock that is put back must not freeze the ages.
const MAX_SLEEP: Duration = Duration::from_mins(5);

/// What the loop needs of the machine that it runs on.
pub trait Host {
    /// Opens a link in the user's browser, or says in words why not.
    fn open(&mut self, link: &Link) -> Result<Opened, String>;
    /// Sends text to the clipboard of the user's terminal, which does not answer. Where tmux has it,
    /// that comes as a [`Notice`].
    fn copy(&mut self, text: &str) -> io::Result<()>;
    /// Sets the terminal's title.
    fn set_title(&mut self, title: &str) -> io::Result<()>;
    /// Gives the title back that the terminal had before.
    fn reset_title(&mut self) -> io::Result<()>;
    /// Takes clicks and the wheel as input, or lets them select text.
    fn take_mouse(&mut self, taken: bool) -> io::Result<()>;
    /// Gives the terminal back, stops, and takes the terminal again once continued.
    fn suspend(&mut self) -> io::Result<()>;
    /// Takes the terminal again after a stop that the program has not seen.
    fn resume(&mut self) -> io::Result<()>;
    /// Gives the terminal to the user's editor, with `text` and a line `about` it; what became of it
    /// comes as a [`Notice`].
    fn edit(&mut self, text: &str, about: &str);
    /// Takes the terminal again, once the editor has ended.
    fn end_edit(&mut self) -> io::Result<()>;
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

/// Runs the dashboard until the user quits or `stops` says so; `None` where the poller has ended,
/// which is a fault of the program.
pub async fn run<B, S, H>(
    terminal: &mut Terminal<B>,
    input: S,
    channels: &mut Channels,
    app: &mut App,
    host: &mut H,
    stops: impl Stream<Item = Exit>,
) -> io::Result<Option<Exit>>
where
    B: Backend,
    B::Error: Into<io::Error>,
    S: Stream<Item = io::Result<InputEvent>>,
    H: Host,
{
    let mut dashboard = Dashboard {
        terminal,
        app,
        host,
        channels,
        board_changed: true,
        drawn_at: None,
        title: None,
        is_editing: false,
        edited: None,
    };
    let mut input = pin!(input);
    let mut stops = pin!(stops);
    let mut continued = process::continuations();
    loop {
        dashboard.refresh()?;
        let sleep = dashboard.sleep_time();
        let channels = &mut *dashboard.channels;
        let exit = tokio::select! {
            biased;
            Some(exit) = stops.next() => dashboard.on_stop(exit),
            event = input.next(), if !dashboard.is_editing => dashboard.on_inputs(event, input.as_mut()).await?,
            // After the input: it has been drawn, and nothing waits that was typed before.
            () = ready(()), if dashboard.app.has_unseen_question() => {
                dashboard.app.on_question_seen(Timestamp::now());
                None
            }
            // A signal that a key in the editor has sent may have come, and not be known yet.
            () = yield_now(), if dashboard.edited.is_some() => dashboard.end_edit()?,
            Some(()) = continued.next() => {
                dashboard.resume()?;
                None
            }
            event = channels.events.recv() => {
                let Some(event) = event else {
                    return Ok(None);
                };
                dashboard.update(|app, board, now| app.on_event(event, board, now))?
            }
            Some(notice) = channels.notices.recv() => {
                dashboard.on_notice(notice)?
            }
            changed = channels.board.changed(), if !dashboard.board_changed => {
                if changed.is_err() {
                    return Ok(None);
                }
                dashboard.board_changed = true;
                None
            }
            () = tokio::time::sleep(sleep.unwrap_or_default()), if sleep.is_some() => {
                dashboard.on_time();
                None
            }
        };
        if exit.is_some() {
            return Ok(exit);
        }
    }
}

struct Dashboard<'a, B: Backend, H> {
    terminal: &'a mut Terminal<B>,
    app: &'a mut App,
    host: &'a mut H,
    channels: &'a mut Channels,
    /// Whether the board has changed since the state last saw it.
    board_changed: bool,
    /// When a change of the board was last drawn.
    drawn_at: Option<Instant>,
    title: Option<String>,
    /// Whether the user's editor has the terminal: then nothing is read and nothing is drawn.
    is_editing: bool,
    /// What became of that, while the terminal is still to be taken again.
    edited: Option<Notice>,
}

impl<B, H> Dashboard<'_, B, H>
where
    B: Backend,
    B::Error: Into<io::Error>,
    H: Host,
{
    /// Brings the state up to date with the board, at most once an interval, and draws if something
    /// shown has changed.
    fn refresh(&mut self) -> io::Result<()> {
        if self.board_changed && self.until_board_draw().is_zero() {
            self.board_changed = false;
            let board = self.channels.board.borrow_and_update();
            self.app.on_board(&board, Timestamp::now());
            drop(board);
            if self.app.is_dirty() {
                self.drawn_at = Some(Instant::now());
            }
        }
        self.draw()
    }

    fn draw(&mut self) -> io::Result<()> {
        if self.is_editing || !self.app.take_dirty() {
            return Ok(());
        }
        let (app, board, now) = (&*self.app, &self.channels.board, Timestamp::now());
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
        self.show_title(title)
    }

    fn show_title(&mut self, title: Option<String>) -> io::Result<()> {
        if self.title != title {
            match &title {
                Some(title) => self.host.set_title(title)?,
                None => self.host.reset_title()?,
            }
            self.title = title;
        }
        Ok(())
    }

    /// How long until a change of the board may be drawn.
    fn until_board_draw(&self) -> Duration {
        let since = self.drawn_at.map(|drawn_at| drawn_at.elapsed());
        since.map_or(Duration::ZERO, |since| BOARD_INTERVAL.saturating_sub(since))
    }

    /// How long the loop may sleep when nothing comes in; `None` for ever.
    fn sleep_time(&self) -> Option<Duration> {
        if self.board_changed {
            return Some(self.until_board_draw());
        }
        let at = self.app.wake_at()?;
        let wait = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
        // A millisecond more, so that the moment has surely passed when the timer says so.
        Some((wait + Duration::from_millis(1)).min(MAX_SLEEP))
    }

    fn on_time(&mut self) {
        if !self.board_changed {
            let board = self.channels.board.borrow();
            self.app.on_time(&board, Timestamp::now());
        }
    }

    /// Handles an input and all that wait behind it, so that a held key or a paste is drawn once.
    async fn on_inputs<S>(
        &mut self,
        first: Option<io::Result<InputEvent>>,
        mut input: Pin<&mut S>,
    ) -> io::Result<Option<Exit>>
    where
        S: Stream<Item = io::Result<InputEvent>>,
    {
        let mut next = first;
        for _ in 0..INPUTS_PER_FRAME {
            let Some(event) = next else {
                return Ok(Some(Exit::Done));
            };
            let event = event?;
            let exit = self.update(|app, board, now| app.on_input(&event, board, now))?;
            if exit.is_some() || self.is_editing {
                return Ok(exit);
            }
            // Not `now_or_never`: a stream wakes whoever polled it last, which must be this task.
            match poll_immediate(input.next()).await {
                Some(waiting) => next = waiting,
                None => break,
            }
        }
        Ok(None)
    }

    /// Why the dashboard ends. A key that interrupts the editor is not meant for us.
    fn on_stop(&self, exit: Exit) -> Option<Exit> {
        let is_for_editor = self.is_editing && process::may_be_typed(exit);
        (!is_for_editor).then_some(exit)
    }

    fn on_notice(&mut self, notice: Notice) -> io::Result<Option<Exit>> {
        if matches!(notice, Notice::Edited(_)) {
            self.edited = Some(notice);
            return Ok(None);
        }
        self.update(|app, board, now| app.on_notice(notice, board, now))
    }

    fn end_edit(&mut self) -> io::Result<Option<Exit>> {
        let Some(notice) = self.edited.take() else {
            return Ok(None);
        };
        self.is_editing = false;
        self.host.end_edit()?;
        self.start_over()?;
        self.update(|app, board, now| app.on_notice(notice, board, now))
    }

    /// Changes the state and performs what it asks for; why the dashboard ends, if it does.
    fn update(
        &mut self,
        change: impl FnOnce(&mut App, &Board, Timestamp) -> Effect,
    ) -> io::Result<Option<Exit>> {
        let board = self.channels.board.borrow();
        let effect = change(self.app, &board, Timestamp::now());
        drop(board);
        self.perform(effect)
    }

    fn perform(&mut self, effect: Effect) -> io::Result<Option<Exit>> {
        match effect {
            Effect::None => {}
            Effect::Quit => return Ok(Some(Exit::Done)),
            Effect::Suspend => self.suspend()?,
            Effect::Redraw => self.redraw()?,
            Effect::Edit { text, about } => {
                self.is_editing = true;
                self.host.edit(&text, &about);
            }
            Effect::Open(links) => self.open(&links),
            Effect::Copy(lines, what) => self.copy(&lines, what),
            Effect::Poll(jobs) => self.channels.poller.poll(jobs),
            Effect::PollAll => self.channels.poller.poll_all(),
            Effect::Acknowledge(jobs) => self.channels.poller.acknowledge(jobs),
            Effect::MarkSeen(at) => self.channels.poller.mark_seen(at),
            Effect::TakeMouse(taken) => self.host.take_mouse(taken)?,
            Effect::CountWrites(project) => self.host.count_writes(&project),
            Effect::Perform(request) => self.host.perform(request),
        }
        Ok(None)
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.host.suspend()?;
        self.start_over()
    }

    /// The program has been continued, which says nothing of what stopped it: after a stop of our
    /// own this comes on top, and changes nothing.
    fn resume(&mut self) -> io::Result<()> {
        if self.is_editing {
            return Ok(());
        }
        self.host.resume()?;
        self.start_over()
    }

    /// Another program has had the terminal: its title may be another now, and so may its size.
    fn start_over(&mut self) -> io::Result<()> {
        self.title = None;
        let size = self.terminal.size().map_err(Into::into)?;
        let resize = InputEvent::Resize(size.width, size.height);
        let board = self.channels.board.borrow();
        self.app.on_input(&resize, &board, Timestamp::now());
        drop(board);
        self.redraw()
    }

    /// Has every cell drawn again. `Terminal::clear` would ask the terminal where its cursor is, and
    /// the answer would go to the stream of events, which nobody can read beside us.
    fn redraw(&mut self) -> io::Result<()> {
        let size = self.terminal.size().map_err(Into::into)?;
        let area = Rect::from((Position::ORIGIN, size));
        self.terminal.resize(area).map_err(Into::into)
    }

    fn open(&mut self, links: &[Link]) {
        let mut opened_with = String::new();
        for link in links {
            match self.host.open(link) {
                Ok(Opened::Browser(browser)) => opened_with = browser,
                Ok(Opened::NoBrowser) => return self.copy_instead(links),
                Err(why) => return self.show_message(why, Role::Bad),
            }
        }
        let what = match links {
            [link] => PullRequest::from(link.clone()).short(),
            many => format!("{} links", many.len()),
        };
        self.show_message(format!("opened {what} with {opened_with}"), Role::Good);
    }

    /// Where no browser can be reached, as over SSH, the user's own terminal has one.
    fn copy_instead(&mut self, links: &[Link]) {
        let urls: Vec<String> = links.iter().map(Link::to_string).collect();
        if self.host.copy(&urls.join("\n")).is_ok() {
            let copied = Copied::new(&urls, "link", "no browser here; ");
            return self.app.show_copied(copied, Timestamp::now());
        }
        let text = format!("no browser here: {}", urls.join(" "));
        self.show_message(text, Role::Bad);
    }

    fn copy(&mut self, lines: &[String], what: &str) {
        match self.host.copy(&lines.join("\n")) {
            Ok(()) => {
                let copied = Copied::new(lines, what, "");
                self.app.show_copied(copied, Timestamp::now());
            }
            Err(error) => self.show_message(format!("cannot copy: {error}"), Role::Bad),
        }
    }

    fn show_message(&mut self, text: String, role: Role) {
        self.app.show_message(text, role, Timestamp::now());
    }
}
