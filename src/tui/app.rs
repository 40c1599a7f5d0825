//! What is on the screen and what input does to it.
//!
//! `App::on_input` (in `input`) and [`App::on_board`] are plain functions of their arguments: the loop performs
//! the [`Effect`] that they return and draws when they ask for it. The board is the poller's; the
//! selection, filter, sort and mode are owned here. This file must not know the terminal.

mod act;
mod compose;
mod history;
mod input;
mod mouse;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Size;
use tui_input::Input;

pub use compose::{Compose, Purpose, Request};
pub use history::History;

use super::Notice;
use super::hit_test::Tabs;
use super::keys::Keymap;
use super::layout;
use super::listing::Listing;
use super::preferences::Preferences;
use crate::board::{Board, Counts, Event, Freshness, Row};
use crate::job::JobKey;
use crate::link::Link;
use crate::time;
use crate::view::theme::{Role, Theme};

/// How long a message stays.
const MESSAGE_TIME: Duration = Duration::from_secs(6);
/// How long a message stays that says what went wrong.
const BAD_NEWS_TIME: Duration = Duration::from_secs(30);
/// How often open details are looked at for polls that change nothing else.
const DETAILS_PACE: Duration = Duration::from_secs(1);

/// What the screen is for at the moment.
#[derive(Debug)]
pub enum Mode {
    /// The table.
    Table,
    /// The table, while a filter is typed.
    Filter(Input),
    /// All about the selected job.
    Details,
    /// The errors of this run.
    Errors,
    /// The keys.
    Help,
    /// A question, and what a yes does.
    Confirm(String, Effect),
    /// A text that is written.
    Compose(Compose),
}

/// What the loop is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// Leave.
    Quit,
    /// Stop, and draw anew when continued.
    Suspend,
    /// Draw every cell anew.
    Redraw,
    /// Open these links.
    Open(Vec<Link>),
    /// Copy these lines, called so in the message.
    Copy(Vec<String>, &'static str),
    /// Poll these jobs.
    Poll(Vec<JobKey>),
    /// Poll all jobs.
    PollAll,
    /// Have a text written for this.
    Compose(Purpose),
    /// Ask whether this is to be done.
    Ask(Request),
    /// Do this.
    Do(Request),
}

/// A short word on what was done, or what changed.
#[derive(Debug)]
pub struct Message {
    /// What it says.
    pub text: String,
    /// How it looks.
    pub role: Role,
    until: Timestamp,
}

/// The state of the screen.
#[derive(Debug)]
pub struct App {
    /// How it looks.
    pub theme: Theme,
    /// What it calls itself in the header.
    pub name: String,
    /// Where its config is, for the words of an empty board.
    pub config_path: Option<PathBuf>,
    /// The keys in use.
    pub keys: Keymap,
    /// Whether the terminal's title tells the counts.
    pub has_title: bool,
    /// Which rows are shown, and which is selected.
    pub listing: Listing,
    /// What the screen is for.
    pub mode: Mode,
    /// Whether the details pane is shown.
    pub pane: bool,
    /// How far the details, the help or the errors are scrolled.
    pub scroll: usize,
    /// What was done or changed last.
    pub message: Option<Message>,
    /// The time zone that times are told in.
    pub time_zone: TimeZone,
    /// What was written and not sent, by purpose.
    drafts: [String; 3],
    history: History,
    size: Size,
    revision: Option<u64>,
    stale_rows: usize,
    /// When the next row goes stale, as of the last look at all rows; polls only put it off.
    stale_at: Option<Timestamp>,
    dirty: bool,
    ages_change_at: Option<Timestamp>,
    /// When the job in the details was seen, and whether it is being polled, as last drawn.
    polled: Option<(Option<Timestamp>, bool)>,
    details_change_at: Option<Timestamp>,
}

impl App {
    /// A screen of this size that has not seen the board yet.
    pub fn new(theme: Theme, name: impl Into<String>, size: Size) -> Self {
        let mut app = Self {
            theme,
            name: name.into(),
            config_path: None,
            keys: Keymap::default(),
            has_title: true,
            listing: Listing::default(),
            mode: Mode::Table,
            pane: false,
            scroll: 0,
            message: None,
            time_zone: TimeZone::UTC,
            drafts: Default::default(),
            history: History::default(),
            size,
            revision: None,
            stale_rows: 0,
            stale_at: None,
            dirty: true,
            ages_change_at: None,
            polled: None,
            details_change_at: None,
        };
        app.fit();
        app
    }

    /// Takes what the config says of the screen, before anything is shown.
    pub fn start_with(&mut self, preferences: Preferences) {
        self.listing.start_with(preferences.view, preferences.sort);
        self.prefer(preferences);
    }

    /// Takes what the config says of the screen; the view and the order stay as the user has them.
    pub fn prefer(&mut self, preferences: Preferences) {
        self.keys = preferences.keys;
        self.has_title = preferences.title;
        self.listing.set_columns(preferences.columns);
        self.dirty = true;
    }

    /// Takes a change of the board.
    pub fn on_board(&mut self, board: &Board, now: Timestamp) {
        if self.revision != Some(board.revision()) {
            self.revision = Some(board.revision());
            self.listing.refresh(board);
            self.dirty = true;
        }
        self.on_time(board, now);
    }

    /// Takes note that time has passed: messages end, ages grow, rows go stale.
    pub fn on_time(&mut self, board: &Board, now: Timestamp) {
        if self
            .message
            .as_ref()
            .is_some_and(|message| message.until <= now)
        {
            self.message = None;
            self.dirty = true;
        }
        let stale_rows = stale_rows(board, now);
        let an_age_changed = self.ages_change_at.is_some_and(|at| at <= now);
        self.dirty |= an_age_changed || stale_rows != self.stale_rows;
        self.stale_rows = stale_rows;
        self.stale_at = next_stale(board, now);
        self.look_at_details(board, now);
        self.ages_change_at = self.next_age_change(board, now);
    }

    /// Asks `question`; a yes does `request`.
    pub fn ask(&mut self, question: String, request: Request) {
        self.mode = Mode::Confirm(question, Effect::Do(request));
        self.dirty = true;
    }

    /// The details tell of polls that change nothing else, which wakes nobody: so they are looked at
    /// again after a second.
    fn look_at_details(&mut self, board: &Board, now: Timestamp) {
        let open = self
            .listing
            .selected_row(board)
            .filter(|_| self.shows_details());
        let polled = open.map(|row| (row.fetched_at, row.polling));
        self.dirty |= polled != self.polled;
        self.polled = polled;
        self.details_change_at = open.and_then(|_| now.checked_add(DETAILS_PACE).ok());
    }

    /// Takes a change of a job: kept for the details, and said.
    pub fn on_event(&mut self, event: Event, board: &Board, now: Timestamp) -> Effect {
        let key = event.key.clone();
        self.history.push(event);
        if let Some(line) = self.history.lines_of(&key).pop() {
            let row = board.row(&key);
            let title = row.map_or(&*key.id, |row| row.watched.title());
            let role = if line.is_failure {
                Role::Bad
            } else {
                Role::Good
            };
            self.say(format!("{title}: {}", line.text), role, now);
        }
        Effect::None
    }

    /// Takes news from outside the loop.
    pub fn on_notice(&mut self, notice: Notice, board: &Board, now: Timestamp) -> Effect {
        if let Some(purpose) = notice.sent {
            self.forget_draft(purpose);
        }
        if let Some(preferences) = notice.preferences {
            self.prefer(*preferences);
        }
        if let Some(job) = notice.select {
            self.listing.select_job(job, board);
        }
        self.say(notice.text, notice.role, now);
        Effect::None
    }

    /// Shows a message for a while.
    pub fn say(&mut self, text: impl Into<String>, role: Role, now: Timestamp) {
        let time = if role == Role::Bad {
            BAD_NEWS_TIME
        } else {
            MESSAGE_TIME
        };
        let until = now.checked_add(time).unwrap_or(Timestamp::MAX);
        self.message = Some(Message {
            text: text.into(),
            role,
            until,
        });
        self.dirty = true;
    }

    /// Whether something shown has changed since [`Self::take_dirty`].
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Whether something shown has changed since the last call.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    /// When something shown will change by itself.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let message = self.message.as_ref().map(|message| message.until);
        [
            message,
            self.stale_at,
            self.ages_change_at,
            self.details_change_at,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The size of the screen.
    pub fn size(&self) -> Size {
        self.size
    }

    /// What this run has seen change.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The time of day, as `14:03:59`.
    pub fn clock_time(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.time_zone.clone())
            .strftime("%H:%M:%S")
            .to_string()
    }

    /// The date and the time of day, as `2026-11-23 14:03:59`.
    pub fn date_time(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.time_zone.clone())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string()
    }

    /// How many rows are stale, as last counted.
    pub fn stale_rows(&self) -> usize {
        self.stale_rows
    }

    /// The terminal's title.
    pub fn title(&self, board: &Board) -> String {
        let counts = board.counts();
        format!(
            "mintwatch: {} active, {} need you",
            counts.active, counts.needs_you
        )
    }

    /// What the line of the views says of the filter, which may be one that is being typed.
    pub fn filter_text(&self) -> String {
        match &self.mode {
            Mode::Filter(input) => format!("/{} ", input.value()),
            _ if self.listing.filter().is_empty() => String::new(),
            _ => format!("/{}", self.listing.filter()),
        }
    }

    /// The tabs beside that.
    pub fn tabs<'a>(&'a self, counts: &'a Counts, filter: &'a str) -> Tabs<'a> {
        Tabs {
            here: self.listing.view(),
            counts,
            keys: &self.keys,
            filter,
        }
    }

    /// After any input: whatever it did, the screen and its next change are worked out anew.
    fn changed(&mut self, board: &Board, now: Timestamp) {
        self.fit();
        self.ages_change_at = self.next_age_change(board, now);
        self.look_at_details(board, now);
        self.dirty = true;
    }

    fn fit(&mut self) {
        let rows = layout::areas(self.size, self.pane).table_rows();
        self.listing.set_height(rows);
    }

    /// When an age on the screen will next read differently.
    fn next_age_change(&self, board: &Board, now: Timestamp) -> Option<Timestamp> {
        let open = self
            .listing
            .selected_row(board)
            .filter(|_| self.shows_details());
        let seen = open
            .and_then(|row| row.fetched_at)
            .map(|at| time::next_change(at, now));
        let rows = self.listing.window(board);
        rows.flat_map(|row| age_changes(row, now))
            .chain([seen])
            .flatten()
            .min()
    }

    fn shows_details(&self) -> bool {
        self.pane || matches!(self.mode, Mode::Details)
    }
}

fn stale_rows(board: &Board, now: Timestamp) -> usize {
    board
        .rows()
        .iter()
        .filter(|row| row.freshness(now) == Freshness::Stale)
        .count()
}

fn next_stale(board: &Board, now: Timestamp) -> Option<Timestamp> {
    let fresh = board
        .rows()
        .iter()
        .filter(|row| row.freshness(now) == Freshness::Fresh);
    fresh.filter_map(Row::goes_stale_at).min()
}

/// When each of the ages that the table shows for a row will read differently.
fn age_changes(row: &Row, now: Timestamp) -> [Option<Timestamp>; 3] {
    let created_at = row.job.as_ref().and_then(|job| job.created_at);
    let stale_since = row
        .fetched_at
        .filter(|_| row.freshness(now) == Freshness::Stale);
    let retry_at = row
        .error
        .as_ref()
        .and_then(|error| error.retry_at)
        .filter(|at| *at > now);
    [
        created_at.map(|at| time::next_change(at, now)),
        stale_since.map(|at| time::next_change(at, now)),
        retry_at.map(|at| time::next_countdown(at, now)),
    ]
}
