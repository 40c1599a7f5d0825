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
mod question;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Size;
use tui_input::Input;

pub use compose::{Compose, Purpose, Request};
pub use history::History;
pub use question::Question;

use super::detail;
use super::hit_test::{ColumnArea, Tabs, column_areas};
use super::keys::Keymap;
use super::layout;
use super::listing::Listing;
use super::notice::Notice;
use crate::board::{Board, Counts, Event, Freshness, Project, Row};
use crate::config::{Config, ConfigError, UiConfig};
use crate::job::{JobKey, ProjectId};
use crate::link::Link;
use crate::view::columns::ColumnId;
use crate::view::order::Sort;
use crate::view::theme::{Role, Theme};
use crate::view::views::ViewId;

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
    Confirm(Question),
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
    /// Count this hour's writes to a project, for the question that is asked.
    CountWrites(ProjectId),
    Perform(Request),
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
    /// The projects that jobs can be created in.
    pub projects: Vec<Arc<Project>>,
    /// The keys in use.
    pub keys: Keymap,
    /// As the config has it: what is read from here needs no field of its own.
    pub ui: UiConfig,
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
    /// The board's revision and the time of that look.
    stale_as_of: Option<(u64, Timestamp)>,
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
            projects: Vec::new(),
            keys: Keymap::default(),
            ui: UiConfig::default(),
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
            stale_as_of: None,
            dirty: true,
            ages_change_at: None,
            polled: None,
            details_change_at: None,
        };
        app.fit();
        app
    }

    /// Takes what `config` says of the screen, before anything is shown. Fails where it names a key,
    /// action, column or view that does not exist.
    pub fn start_with(&mut self, config: &Config) -> Result<(), ConfigError> {
        let view = ViewId::from_config(&config.ui)?;
        self.listing
            .start_with(view, Sort::from_config(&config.ui)?);
        self.configure(config)
    }

    /// Takes a changed config; the view and the order stay as the user has them.
    pub fn configure(&mut self, config: &Config) -> Result<(), ConfigError> {
        let columns = ColumnId::all_from_config(&config.ui)?;
        self.keys = Keymap::new(&config.keys)?;
        self.listing.set_columns(columns);
        self.ui = config.ui.clone();
        self.dirty = true;
        Ok(())
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
        self.dirty |= self.ages_change_at.is_some_and(|at| at <= now);
        if self.stale_rows_may_differ(board, now) {
            self.count_stale_rows(board, now);
        }
        self.look_at_details(board, now);
        self.ages_change_at = self.next_age_change(board, now);
    }

    /// Takes news from outside.
    pub fn on_notice(&mut self, notice: Notice, board: &Board, now: Timestamp) -> Effect {
        match notice {
            Notice::Message(text, role) => self.say(text, role, now),
            Notice::Done {
                text,
                role,
                purpose,
                select,
            } => {
                self.forget_draft(purpose);
                if let Some(job) = select {
                    self.listing.select_job(job, board);
                }
                self.say(text, role, now);
            }
            Notice::Reloaded {
                text,
                config,
                projects,
            } => match self.configure(&config) {
                Ok(()) => {
                    self.projects = projects;
                    if let Some(text) = text {
                        self.say(text, Role::Good, now);
                    }
                }
                Err(error) => self.say(error.to_string(), Role::Bad, now),
            },
            Notice::WritesThisHour { project, count } => self.tell_writes(&project, count),
        }
        Effect::None
    }

    /// Whether a row can have gone stale or fresh since the last look at all rows: the board says
    /// so, the time of the next one has come, or the clock was set back.
    fn stale_rows_may_differ(&self, board: &Board, now: Timestamp) -> bool {
        let due = self.stale_at.is_some_and(|at| at <= now);
        due || self
            .stale_as_of
            .is_none_or(|(revision, at)| revision != board.revision() || now < at)
    }

    fn count_stale_rows(&mut self, board: &Board, now: Timestamp) {
        let stale_rows = stale_rows(board, now);
        self.dirty |= stale_rows != self.stale_rows;
        self.stale_rows = stale_rows;
        self.stale_at = next_stale(board, now);
        self.stale_as_of = Some((board.revision(), now));
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
            current: self.listing.view(),
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
        let details = open.and_then(|row| detail::next_time_change(row, now));
        let body = layout::areas(self.size, self.pane).body;
        let columns = column_areas(body, self.listing.columns());
        let rows = self.listing.window(board);
        let cells = rows.flat_map(|row| {
            let next_change = |area: &ColumnArea| (area.id.column().next_change)(row, now);
            columns.iter().filter_map(next_change)
        });
        cells.chain(details).min()
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
