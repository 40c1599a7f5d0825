//! What each input does to the state of the screen.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use ratatui::layout::Size;
use tui_input::backend::crossterm::EventHandler;
use tui_input::{Input, InputRequest};

use super::super::keys::{self, Action};
use super::super::layout;
use super::{App, Effect, Mode, Purpose, Question, act};
use crate::board::Board;
use crate::text;
use crate::view::columns::ColumnId;
use crate::view::theme::Role;
use crate::view::views::ViewId;

impl App {
    pub fn on_input(&mut self, event: &Event, board: &Board, now: Timestamp) -> Effect {
        self.listing.set_time(now);
        let effect = match event {
            Event::Resize(width, height) => {
                self.size = Size::new(*width, *height);
                Some(Effect::None)
            }
            Event::Key(key) if !key.is_release() => Some(self.on_key(key, board, now)),
            Event::Paste(text) => {
                self.paste(text, board);
                Some(Effect::None)
            }
            Event::Mouse(mouse) => self.on_mouse(*mouse, board, now),
            _ => None,
        };
        if effect.is_some() {
            self.after_input(board, now);
        }
        let effect = effect.unwrap_or(Effect::None);
        if let Effect::Perform(request) = &effect {
            self.begin(request.clone());
        }
        effect
    }

    pub(super) fn on_key(&mut self, key: &KeyEvent, board: &Board, now: Timestamp) -> Effect {
        self.messages.on_key(now);
        let asked = self.asks_to_leave();
        match self.on_key_of_mode(key, board, now) {
            Effect::Quit if asked => {
                self.mode = Mode::Table;
                self.leave(key)
            }
            Effect::Quit => self.leave_or_ask(key, board),
            effect => {
                self.stay();
                effect
            }
        }
    }

    fn on_key_of_mode(&mut self, key: &KeyEvent, board: &Board, now: Timestamp) -> Effect {
        if keys::is_ctrl(key, 'c') {
            // It answers too, once the question has been seen.
            let is_early = matches!(&self.mode, Mode::Confirm(question)
                if question.effect == Effect::Quit && !question.takes_answers(now));
            return if is_early { Effect::None } else { Effect::Quit };
        }
        match std::mem::replace(&mut self.mode, Mode::Table) {
            Mode::Filter(input) => self.on_filter_key(input, key, board),
            Mode::Compose(compose) => self.on_compose_key(compose, key, now),
            Mode::Confirm(question) => self.on_confirm_key(question, key, now),
            Mode::Sort => self.on_sort_key(key, board),
            mode => {
                self.mode = mode;
                match self.keys.action(key) {
                    Some(action) => self.on_action(action, board, now),
                    None => Effect::None,
                }
            }
        }
    }

    fn on_filter_key(&mut self, mut input: Input, key: &KeyEvent, board: &Board) -> Effect {
        match key.code {
            KeyCode::Esc => self.listing.give_up_search(board),
            KeyCode::Enter => self.listing.keep_search(),
            KeyCode::Down | KeyCode::Up => {
                let step = if key.code == KeyCode::Down { 1 } else { -1 };
                self.listing.step(step, board);
                self.mode = Mode::Filter(input);
            }
            // Without Ctrl it is a letter of the filter.
            _ if key.modifiers.contains(KeyModifiers::CONTROL)
                && self.keys.action(key) == Some(Action::Suspend) =>
            {
                self.mode = Mode::Filter(input);
                return Effect::Suspend;
            }
            _ => {
                input.handle_event(&Event::Key(*key));
                self.filter_as_typed(input, board);
            }
        }
        Effect::None
    }

    fn filter_as_typed(&mut self, input: Input, board: &Board) {
        self.listing.set_filter(input.value(), board);
        self.mode = Mode::Filter(input);
    }

    /// Pasted text goes into what is being typed, and nowhere else: it must never act as keys.
    fn paste(&mut self, pasted: &str, board: &Board) {
        match std::mem::replace(&mut self.mode, Mode::Table) {
            Mode::Filter(mut input) => {
                for c in text::clean(pasted).chars() {
                    input.handle(InputRequest::InsertChar(c));
                }
                self.filter_as_typed(input, board);
            }
            Mode::Compose(mut compose) => {
                compose.area.insert(pasted);
                self.mode = Mode::Compose(compose);
            }
            mode => self.mode = mode,
        }
    }

    /// The letter of a column sorts by it, that of the sorted one reverses the order; any other key
    /// leaves the order as it is.
    fn on_sort_key(&mut self, key: &KeyEvent, board: &Board) -> Effect {
        if self.keys.action(key) == Some(Action::Suspend) {
            self.mode = Mode::Sort;
            return Effect::Suspend;
        }
        let KeyCode::Char(letter) = key.code else {
            return Effect::None;
        };
        if is_modified(key) {
            return Effect::None;
        }
        let is_chosen = |id: &ColumnId| id.column().letter == letter.to_ascii_lowercase();
        if let Some(column) = self.listing.columns().iter().copied().find(is_chosen) {
            self.listing.sort_by(column, board);
        }
        Effect::None
    }

    fn on_confirm_key(&mut self, question: Question, key: &KeyEvent, now: Timestamp) -> Effect {
        match key.code {
            // Typed before the question was seen, or pasted: nobody has answered. Nor has Ctrl-Y.
            _ if !question.takes_answers(now) || is_modified(key) => {
                self.mode = Mode::Confirm(question);
            }
            KeyCode::Enter if !question.takes_enter() => self.mode = Mode::Confirm(question),
            KeyCode::Char('y') | KeyCode::Enter => {
                if question.writes.is_some() {
                    self.show_message("asking the server", Role::Muted, now);
                }
                return question.effect;
            }
            KeyCode::Char('n' | 'q') | KeyCode::Esc => {
                self.show_message("cancelled", Role::Muted, now);
                if let Some(compose) = question.behind {
                    self.mode = Mode::Compose(*compose);
                }
            }
            _ => self.mode = Mode::Confirm(question),
        }
        Effect::None
    }

    fn on_action(&mut self, action: Action, board: &Board, now: Timestamp) -> Effect {
        if action.acts_on_jobs() || matches!(action, Action::Details | Action::Pane) {
            self.listing.keep_selection();
        }
        if action.acts_on_jobs() {
            self.listing.end_range();
        }
        match action {
            Action::Quit if self.is_table() => return Effect::Quit,
            action if self.scrolls() && action.acts_on_jobs() => {}
            Action::Suspend => return Effect::Suspend,
            Action::Redraw => return Effect::Redraw,
            Action::Quit | Action::Back => self.back(board),
            Action::Help => self.toggle(Mode::Help),
            Action::Errors => self.toggle(Mode::Errors),
            Action::Details if self.in_changes() => self.go_to_change(board),
            Action::Details => self.toggle(Mode::Details),
            Action::Changes => self.toggle(Mode::Changes),
            Action::MarkSeen => return self.mark_seen(board, now),
            Action::Acknowledge => return self.acknowledge(board, now),
            Action::Pane => self.toggle_pane(now),
            Action::OpenPullRequest => {
                return self.open(board, "pull request", act::pull_request, now);
            }
            Action::OpenBranch => return self.open(board, "branch", act::branch, now),
            Action::CopyLink => return self.copy_links(board, now),
            Action::CopyId => return self.copy_ids(board, now),
            Action::Poll => return self.poll(board, now),
            Action::NewJob => self.compose(Purpose::NewJob, board, now),
            Action::FollowUp => self.compose(Purpose::FollowUp, board, now),
            Action::AddJobs => self.compose(Purpose::AddJobs, board, now),
            Action::StopWatching => self.stop_watching(board, now),
            Action::PollAll => {
                self.show_message("polling all jobs", Role::Muted, now);
                return Effect::PollAll;
            }
            action if self.in_changes() => self.on_changes_action(action),
            action if self.scrolls() => self.on_scroll(action),
            action => self.on_table_action(action, board),
        }
        Effect::None
    }

    fn on_table_action(&mut self, action: Action, board: &Board) {
        let in_details = matches!(self.mode, Mode::Details);
        let listing = &mut self.listing;
        match action {
            Action::Down => listing.step(1, board),
            Action::Up => listing.step(-1, board),
            Action::PageDown if in_details => return self.scroll_by(self.page_of_text()),
            Action::PageUp if in_details => return self.scroll_by(-self.page_of_text()),
            Action::ScrollDown => return self.scroll_by(1),
            Action::ScrollUp => return self.scroll_by(-1),
            Action::PageDown => listing.page(1, board),
            Action::PageUp => listing.page(-1, board),
            Action::HalfPageDown => listing.half_page(1, board),
            Action::HalfPageUp => listing.half_page(-1, board),
            Action::First => listing.step(isize::MIN, board),
            Action::Last => listing.step(isize::MAX, board),
            Action::Filter => {
                let text = listing.filter().text().to_owned();
                listing.begin_search();
                self.mode = Mode::Filter(Input::new(text));
            }
            Action::View(view) => listing.set_view(view, board),
            Action::NextView => listing.set_view(listing.view().next(), board),
            Action::PreviousView => listing.set_view(listing.view().previous(), board),
            Action::Sort => self.mode = Mode::Sort,
            Action::ReverseSort => listing.reverse_sort(board),
            Action::Mark => listing.toggle_mark(board),
            Action::MarkAll => listing.toggle_all_marks(board),
            Action::MarkRange => listing.toggle_range(board),
            _ => {}
        }
        self.scroll = 0;
    }

    fn in_changes(&self) -> bool {
        matches!(self.mode, Mode::Changes)
    }

    fn on_changes_action(&mut self, action: Action) {
        let page = self.page_of_text();
        let steps = match action {
            Action::Down | Action::ScrollDown => 1,
            Action::Up | Action::ScrollUp => -1,
            Action::HalfPageDown => page / 2 + 1,
            Action::HalfPageUp => -(page / 2 + 1),
            Action::PageDown => page,
            Action::PageUp => -page,
            Action::First => isize::MIN,
            Action::Last => isize::MAX,
            _ => return,
        };
        self.changes.step(steps);
    }

    /// Shows the details of the job that the selected change is of, with the job selected in the table.
    fn go_to_change(&mut self, board: &Board) {
        let Some(key) = self.selected_row(board).map(|row| row.key().clone()) else {
            return;
        };
        self.listing.show_job(key, board);
        self.toggle(Mode::Details);
    }

    /// Errors and help are text to scroll, not rows to select.
    fn scrolls(&self) -> bool {
        matches!(self.mode, Mode::Errors | Mode::Help)
    }

    fn on_scroll(&mut self, action: Action) {
        let page = self.page_of_text();
        match action {
            Action::Down | Action::ScrollDown => self.scroll_by(1),
            Action::Up | Action::ScrollUp => self.scroll_by(-1),
            Action::HalfPageDown => self.scroll_by(page / 2 + 1),
            Action::HalfPageUp => self.scroll_by(-(page / 2 + 1)),
            Action::PageDown => self.scroll_by(page),
            Action::PageUp => self.scroll_by(-page),
            Action::First => self.scroll = 0,
            Action::Last => self.scroll = usize::MAX,
            _ => {}
        }
    }

    /// The lines of a page of text, of which the last is the first of the next page.
    fn page_of_text(&self) -> isize {
        let areas = self.areas();
        let lines = areas.footer.y.saturating_sub(areas.body.y);
        // Without the line that says that there is more.
        isize::try_from(lines.saturating_sub(2).max(1)).unwrap_or(1)
    }

    /// Scrolls by so many lines, down where positive. Drawing ends with the last line.
    pub(super) fn scroll_by(&mut self, lines: isize) {
        self.scroll = self.scroll.saturating_add_signed(lines);
    }

    fn toggle_pane(&mut self, now: Timestamp) {
        self.pane = !self.pane;
        if self.pane && layout::areas(self.size, true).pane.is_none() {
            self.pane = false;
            let instead = self.keys.hint(Action::Details, "shows the details");
            let text = format!("too small for a pane: {instead}");
            self.show_message(text, Role::Muted, now);
        }
    }

    fn is_table(&self) -> bool {
        matches!(self.mode, Mode::Table)
    }

    fn toggle(&mut self, mode: Mode) {
        let same = std::mem::discriminant(&self.mode) == std::mem::discriminant(&mode);
        self.mode = if same { Mode::Table } else { mode };
        self.scroll = 0;
    }

    /// What a step back does to the table, in a word.
    pub fn back_clears(&self) -> &'static str {
        if self.listing.marked() > 0 {
            "unmark"
        } else if !self.listing.filter().text().is_empty() {
            "no filter"
        } else {
            "back"
        }
    }

    /// One step back: out of a pane, else the marks, the filter, the view.
    fn back(&mut self, board: &Board) {
        self.scroll = 0;
        if !self.is_table() {
            self.mode = Mode::Table;
        } else if self.listing.clear_marks() {
        } else if !self.listing.filter().text().is_empty() {
            self.listing.set_filter("", board);
        } else if self.listing.view() != ViewId::EVERYTHING {
            self.listing.set_view(ViewId::EVERYTHING, board);
        }
    }
}

fn is_modified(key: &KeyEvent) -> bool {
    key.modifiers
        .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
}
