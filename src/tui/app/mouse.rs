//! What the mouse does: the wheel scrolls, a click selects, sorts, opens a pull request, goes to a view
//! or is the key that it hits in the footer, a double click opens the details. Where things are comes from the same functions that drawing uses.

use std::time::Duration;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use jiff::Timestamp;
use ratatui::layout::Position;

use super::super::footer;
use super::super::hit_test::{column_areas, tabs};
use super::super::layout::header_and_rows;
use super::{App, Effect, Mode, act};
use crate::board::{Board, Row};
use crate::job::JobKey;

/// Two clicks on a job within this time are a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);
/// How many lines of text one notch of the wheel scrolls.
const LINES_PER_NOTCH: isize = 3;

impl App {
    /// What the loop is to do; `None` where the mouse did nothing.
    pub(super) fn on_mouse(
        &mut self,
        mouse: MouseEvent,
        board: &Board,
        now: Timestamp,
    ) -> Option<Effect> {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            // A question is answered with keys alone.
            _ if matches!(self.mode, Mode::Confirm(_)) => None,
            MouseEventKind::Down(MouseButton::Left) if matches!(self.mode, Mode::Compose(_)) => {
                self.on_footer_click(at, board, now)
            }
            _ if matches!(self.mode, Mode::Compose(_)) => None,
            MouseEventKind::ScrollDown => Some(self.on_wheel(1, at, board)),
            MouseEventKind::ScrollUp => Some(self.on_wheel(-1, at, board)),
            MouseEventKind::Down(MouseButton::Left) => self.on_click(at, board, now),
            _ => None,
        }
    }

    /// `notches` are positive where the wheel turns down.
    fn on_wheel(&mut self, notches: isize, at: Position, board: &Board) -> Effect {
        let pane = self.areas().pane;
        let over_text = !self.shows_table() || pane.is_some_and(|pane| pane.contains(at));
        if over_text {
            self.scroll_by(notches * LINES_PER_NOTCH);
        } else {
            self.listing.step(notches, board);
            self.scroll = 0;
        }
        Effect::None
    }

    fn shows_table(&self) -> bool {
        matches!(self.mode, Mode::Table | Mode::Filter(_) | Mode::Sort)
    }

    fn on_click(&mut self, at: Position, board: &Board, now: Timestamp) -> Option<Effect> {
        if let Some(effect) = self.on_footer_click(at, board, now) {
            return Some(effect);
        }
        let areas = self.areas();
        let tabs = tabs(areas.tabs, self, &board.counts());
        if let Some(tab) = tabs.iter().find(|tab| tab.area.contains(at)) {
            if !matches!(self.mode, Mode::Filter(_)) {
                self.mode = Mode::Table;
            }
            self.listing.set_view(tab.view, board);
            self.scroll = 0;
            return Some(Effect::None);
        }
        if !self.shows_table() {
            return None;
        }
        let effect = self.on_table_click(at, board, now)?;
        if matches!(self.mode, Mode::Sort) {
            self.mode = Mode::Table;
        }
        Some(effect)
    }

    /// As if the key had been pressed that the footer names there.
    fn on_footer_click(&mut self, at: Position, board: &Board, now: Timestamp) -> Option<Effect> {
        let chord = footer::key_at(at, self.areas().footer, self, board)?;
        Some(self.on_key(&chord.event(), board, now))
    }

    fn on_table_click(&mut self, at: Position, board: &Board, now: Timestamp) -> Option<Effect> {
        let table = self.areas().body;
        let [header, rows] = header_and_rows(table);
        let columns = column_areas(table, &self.listing, self.measure());
        let column = columns.iter().find(|area| area.within(table).contains(at));
        let column = column.map(|area| area.id);
        if header.contains(at) {
            self.listing.sort_by(column?, board);
            return Some(Effect::None);
        }
        let nth = rows.rows().position(|row| row.contains(at))?;
        let row = self.listing.select_shown(nth, board)?;
        self.scroll = 0;
        if !column.is_some_and(|id| id.column().opens_pull_request) {
            self.on_row_click(row, now);
            return Some(Effect::None);
        }
        Some(match act::pull_request(row) {
            Some(Ok(link)) => Effect::Open(vec![link]),
            Some(Err(error)) => self.show_link_error(&error, now),
            None => Effect::None,
        })
    }

    /// The second click on a job in a short time opens its details.
    fn on_row_click(&mut self, row: &Row, now: Timestamp) {
        let is_recent = |(key, at): &(JobKey, Timestamp)| {
            let since = now.duration_since(*at).unsigned_abs();
            key == row.key() && since <= DOUBLE_CLICK
        };
        let before = self.last_click.replace((row.key().clone(), now));
        if before.as_ref().is_some_and(is_recent) {
            self.last_click = None;
            self.mode = Mode::Details;
        }
    }
}
