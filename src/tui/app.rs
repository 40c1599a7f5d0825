//! What is on the screen and what input does to it.
//!
//! `App::on_input` (in `input`) and [`App::on_board`] are plain functions of their arguments: the loop performs
//! the [`Effect`] that they return and draws when they ask for it. The board is the poller's; the
//! selection, filter, sort and mode are owned here. This file must not know the terminal.

mod act;
mod changes;
mod compose;
mod configure;
mod copied;
mod drafts;
mod input;
mod message;
mod mouse;
mod question;
mod stale;
mod under_way;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Size;
use tui_input::Input;

pub use changes::{Changes, JobChange, MAX_CHANGES};
pub use compose::{Compose, Purpose, Request};
pub use configure::{ConfigProblem, ScreenSettings};
pub use copied::Copied;
use drafts::Drafts;
pub use message::{Message, Messages};
pub use question::Question;
use stale::StaleRows;
pub use under_way::LoggedRefusal;
use under_way::UnderWay;

use super::detail;
use super::hit_test::column_areas;
use super::keys::{Action, Keymap};
use super::listing::Listing;
use super::notice::Notice;
use crate::board::{Board, Counts, Project, Row};
use crate::config::UiConfig;
use crate::event::Event;
use crate::job::{Acknowledgement, JobKey, ProjectId};
use crate::link::Link;
use crate::text;
use crate::view::measure::{Measure, Measurer};
use crate::view::theme::{Role, Theme};

/// How often open details are compared with the board: a poll that changes nothing else wakes nobody.
const DETAILS_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub enum Mode {
    Table,
    /// The table, while a filter is typed.
    Filter(Input),
    /// The table, while the column to sort by is chosen.
    Sort,
    /// All about the selected job.
    Details,
    /// What changed, of which one is selected.
    Changes,
    Errors,
    Help,
    Confirm(Question),
    Compose(Compose),
}

/// What the loop is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    None,
    Quit,
    Suspend,
    /// Draw every cell again.
    Redraw,
    Open(Vec<Link>),
    /// Copy these lines; the message calls them by this name.
    Copy(Vec<String>, &'static str),
    Poll(Vec<JobKey>),
    PollAll,
    Acknowledge(Vec<Acknowledgement>),
    /// The user has seen what changed up to then.
    MarkSeen(Timestamp),
    /// Let the mouse act, or select text again.
    TakeMouse(bool),
    /// Count this hour's writes to a project, for the question that is asked.
    CountWrites(ProjectId),
    Perform(Request),
    /// Open the user's editor on a text, with a line about it.
    Edit {
        text: String,
        about: String,
    },
}

/// The state of the screen.
#[derive(Debug)]
pub struct App {
    pub theme: Theme,
    /// What the header calls the program.
    pub name: String,
    /// For the text of an empty board.
    pub config_path: Option<PathBuf>,
    /// The projects that jobs can be created in.
    pub projects: Vec<Arc<Project>>,
    pub keys: Keymap,
    /// As the config has it: what is read from here needs no field of its own.
    pub ui: UiConfig,
    config_problem: Option<ConfigProblem>,
    store_problem: Option<(Timestamp, String)>,
    pub listing: Listing,
    pub mode: Mode,
    /// Whether the details pane is shown.
    pub pane: bool,
    /// How far the details, the help or the errors are scrolled.
    pub scroll: usize,
    pub messages: Messages,
    /// Asked when a time is drawn: finding the system's zone would delay the first frame.
    pub time_zone: fn() -> TimeZone,
    drafts: Drafts,
    changes: Changes,
    under_way: UnderWay,
    size: Size,
    /// The board's revision that the listing shows.
    revision: Option<u64>,
    stale: StaleRows,
    measurer: Measurer,
    /// The listing's changes that it is of.
    measured: Option<u64>,
    dirty: bool,
    ages_change_at: Option<Timestamp>,
    /// When the job in the details was fetched, and whether it is being polled, as last drawn.
    details_poll: Option<(Option<Timestamp>, bool)>,
    details_change_at: Option<Timestamp>,
    last_click: Option<(JobKey, Timestamp)>,
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
            config_problem: None,
            store_problem: None,
            listing: Listing::default(),
            mode: Mode::Table,
            pane: false,
            scroll: 0,
            messages: Messages::default(),
            time_zone: || TimeZone::UTC,
            drafts: Drafts::default(),
            changes: Changes::default(),
            under_way: UnderWay::default(),
            size,
            revision: None,
            stale: StaleRows::default(),
            measurer: Measurer::default(),
            measured: None,
            dirty: true,
            ages_change_at: None,
            details_poll: None,
            details_change_at: None,
            last_click: None,
        };
        app.fit_listing();
        app
    }

    pub fn on_board(&mut self, board: &Board, now: Timestamp) {
        self.listing.set_time(now);
        if self.revision != Some(board.revision()) {
            self.revision = Some(board.revision());
            self.listing.refresh(board);
            self.dirty = true;
        }
        self.on_time(board, now);
    }

    /// Messages end, ages grow, rows go stale.
    pub fn on_time(&mut self, board: &Board, now: Timestamp) {
        if self.messages.on_time(now) {
            self.fit_listing();
            self.dirty = true;
        }
        if self.ages_change_at.is_some_and(|at| at <= now) {
            self.dirty = true;
            self.measurer.forget();
            self.measured = None;
        }
        if self.stale.update(board, now) {
            self.dirty = true;
            // What says that a row is stale takes cells.
            self.measurer.forget();
            self.listing.set_time(now);
            self.listing.refresh(board);
        }
        self.measure_rows(board, now);
        self.check_details(board, now);
        self.ages_change_at = self.next_age_change(board, now);
    }

    pub fn on_notice(&mut self, notice: Notice, board: &Board, now: Timestamp) -> Effect {
        match notice {
            Notice::Changes(stored) => {
                self.changes.restore(stored);
                self.dirty = true;
            }
            Notice::Message(text, role) => self.show_report(text, role, now),
            Notice::StoreProblem(problem) => self.on_store_problem(problem, now),
            Notice::Ended(request, outcome) => {
                return self.on_ended(request, outcome, board, now);
            }
            Notice::Edited(edited) => self.on_edited(edited, now),
            Notice::Reloaded(reloaded) => return self.on_reloaded(*reloaded, board, now),
            Notice::ConfigRefused(error) => self.on_config_error(error, now),
            Notice::InTmux(text) => self.on_in_tmux(&text),
            Notice::WritesThisHour { project, count } => self.set_write_count(&project, count),
        }
        Effect::None
    }

    /// A job has changed: the event is kept, and shown.
    pub fn on_event(&mut self, event: Event, board: &Board, now: Timestamp) -> Effect {
        let row = board.row(&event.key);
        let ran = row.and_then(|row| row.progress?.ran());
        let ran = ran.filter(|_| event.change.ends_work());
        let title = row.map_or_else(|| event.key.id.to_string(), |row| row.title().to_owned());
        let Some(change) = self.changes.push(event, ran) else {
            return Effect::None;
        };
        let role = if change.is_failure() {
            Role::Bad
        } else {
            Role::Good
        };
        if change.since.is_some() {
            // There may be hundreds of them, as after a night.
            let which = self.keys.hint(Action::Changes, "shows which");
            let text = format!("jobs changed while nobody watched: {which}");
            self.show_news(text, Role::Plain, now);
        } else {
            let text = format!("{title}: {}", change.text());
            self.show_news(text, role, now);
        }
        // The changes may be on the screen.
        self.dirty = true;
        Effect::None
    }

    /// Something is wrong with the store, or nothing is any more.
    fn on_store_problem(&mut self, problem: Option<String>, now: Timestamp) {
        self.store_problem = problem.clone().map(|problem| (now, problem));
        self.dirty = true;
        if let Some(problem) = problem {
            self.show_report(problem, Role::Bad, now);
        }
    }

    /// Why nothing can be stored now, and since when.
    pub fn store_problem(&self) -> Option<&(Timestamp, String)> {
        self.store_problem.as_ref()
    }

    /// The config file as texts name it.
    pub fn config_name(&self) -> String {
        let path = self.config_path.as_ref();
        path.map_or_else(
            || String::from("the config file"),
            |path| text::clean(&path.to_string_lossy()),
        )
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
        let times = [
            self.messages.changes_at(),
            self.stale.next_at,
            self.ages_change_at,
            self.details_change_at,
        ];
        times.into_iter().flatten().min()
    }

    pub fn size(&self) -> Size {
        self.size
    }

    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// How many rows are stale, as last counted.
    pub fn stale_rows(&self) -> usize {
        self.stale.count
    }

    /// The time of day, as `14:03:59`.
    pub fn clock_time(&self, at: Timestamp) -> String {
        self.format_time(at, "%H:%M:%S")
    }

    /// The date and the time of day, as `2026-11-23 14:03:59`.
    pub fn date_time(&self, at: Timestamp) -> String {
        self.format_time(at, "%Y-%m-%d %H:%M:%S")
    }

    /// As `form` says, in the user's time zone.
    pub fn format_time(&self, at: Timestamp, form: &str) -> String {
        let local = at.to_zoned_datetime((self.time_zone)());
        local.strftime(form).to_string()
    }

    /// The terminal's title.
    pub fn title(&self, board: &Board) -> String {
        let counts = board.counts();
        let (active, needs_you) = (counts.active, counts.needs_you);
        format!("mintwatch: {active} active, {needs_you} need you")
    }

    /// The filter as the line of the tabs shows it, which may be one that is being typed.
    pub fn filter_text(&self) -> String {
        match &self.mode {
            Mode::Filter(input) => format!("/{} ", input.value()),
            _ if self.listing.filter().text().is_empty() => String::new(),
            _ => format!("/{}", self.listing.filter().text()),
        }
    }

    /// Which of the rows is selected, and of how many that pass: `3/24`, `1/6 of 24`; the same of
    /// changes.
    pub fn position_text(&self, counts: &Counts) -> String {
        if matches!(self.mode, Mode::Changes) {
            return match self.changes.len() {
                0 => String::new(),
                all => format!("{}/{all}", self.changes.cursor() + 1),
            };
        }
        let (shown, total) = (self.listing.len(), counts.total);
        match shown {
            0 => String::new(),
            _ if shown == total => format!("{}/{total}", self.listing.cursor() + 1),
            _ => format!("{}/{shown} of {total}", self.listing.cursor() + 1),
        }
    }

    /// After any input: whatever it did, the screen and its next change are worked out again.
    fn after_input(&mut self, board: &Board, now: Timestamp) {
        self.measure_rows(board, now);
        self.fit_listing();
        self.ages_change_at = self.next_age_change(board, now);
        self.check_details(board, now);
        self.dirty = true;
    }

    /// What the columns are fitted to.
    pub fn measure(&self) -> &Measure {
        self.measurer.measure()
    }

    /// Measures the rows that pass, where they can be others than at the last time.
    fn measure_rows(&mut self, board: &Board, now: Timestamp) {
        let changes = Some(self.listing.changes());
        if self.measured != changes {
            let glyphs = self.theme.glyphs();
            self.measurer
                .update(board, self.listing.rows(), now, glyphs);
            self.measured = changes;
        }
    }

    fn fit_listing(&mut self) {
        let rows = self.areas().table_rows();
        self.listing.set_height(rows);
    }

    fn check_details(&mut self, board: &Board, now: Timestamp) {
        let row = self.row_in_details(board);
        let poll = row.map(|row| (row.fetched_at, row.polling));
        self.dirty |= poll != self.details_poll;
        self.details_poll = poll;
        self.details_change_at = row.and_then(|_| now.checked_add(DETAILS_INTERVAL).ok());
    }

    /// When an age on the screen will next read differently.
    fn next_age_change(&self, board: &Board, now: Timestamp) -> Option<Timestamp> {
        let details = self.row_in_details(board);
        let details = details.and_then(|row| detail::next_time_change(row, now));
        let body = self.areas().body;
        let columns = column_areas(body, &self.listing, self.measure());
        let cells = self.listing.window(board).flat_map(|row| {
            let columns = columns.iter().map(|area| area.id.column());
            columns.filter_map(move |column| (column.next_change)(row, now))
        });
        cells.chain(details).min()
    }

    fn row_in_details<'a>(&self, board: &'a Board) -> Option<&'a Row> {
        let shown = self.pane || matches!(self.mode, Mode::Details);
        self.listing.selected_row(board).filter(|_| shown)
    }
}
