//! What the mouse does, where it is used: the wheel scrolls, a click selects, sorts, opens a pull
//! request or goes to a view. Where things are is asked of the places that drawing uses too.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use jiff::Timestamp;
use ratatui::layout::Position;

use super::super::hit_test::{Line, column_areas, column_at, line_at};
use super::super::layout;
use super::{App, Effect, Mode, act};
use crate::board::Board;
use crate::view::views::ViewId;

/// So many lines of text go by for one notch of the wheel.
const NOTCH: usize = 3;

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
            MouseEventKind::ScrollDown => self.on_wheel(true, at, board),
            MouseEventKind::ScrollUp => self.on_wheel(false, at, board),
            MouseEventKind::Down(MouseButton::Left) => self.on_click(at, board, now),
            _ => None,
        }
    }

    fn on_wheel(&mut self, down: bool, at: Position, board: &Board) -> Option<Effect> {
        let pane = layout::areas(self.size, self.pane).pane;
        let over_text = match self.mode {
            Mode::Details | Mode::Errors | Mode::Help => true,
            Mode::Table | Mode::Filter(_) => pane.is_some_and(|pane| pane.contains(at)),
            Mode::Confirm(_) | Mode::Compose(_) => return None,
        };
        if !over_text {
            self.listing.step(if down { 1 } else { -1 }, board);
            self.scroll = 0;
        } else if down {
            self.scroll = self.scroll.saturating_add(NOTCH);
        } else {
            self.scroll = self.scroll.saturating_sub(NOTCH);
        }
        Some(Effect::None)
    }

    fn on_click(&mut self, at: Position, board: &Board, now: Timestamp) -> Option<Effect> {
        if matches!(self.mode, Mode::Confirm(_) | Mode::Compose(_)) {
            return None;
        }
        if let Some(view) = self.view_at(at, board) {
            if !matches!(self.mode, Mode::Filter(_)) {
                self.mode = Mode::Table;
            }
            self.listing.set_view(view, board);
            self.scroll = 0;
            return Some(Effect::None);
        }
        match self.mode {
            Mode::Table | Mode::Filter(_) => self.on_table_click(at, board, now),
            _ => None,
        }
    }

    fn view_at(&self, at: Position, board: &Board) -> Option<ViewId> {
        let area = layout::areas(self.size, self.pane).tabs;
        let (counts, filter) = (board.counts(), self.filter_text());
        let tabs = self.tabs(&counts, &filter).lay_out(area);
        let tab = tabs.iter().find(|tab| tab.area.contains(at))?;
        Some(tab.view)
    }

    fn on_table_click(&mut self, at: Position, board: &Board, now: Timestamp) -> Option<Effect> {
        let area = layout::areas(self.size, self.pane).body;
        let columns = column_areas(area, self.listing.columns());
        let column = column_at(&columns, at.x);
        match line_at(area, at)? {
            Line::Header => self.listing.sort_by(column?, board),
            Line::Row(nth) => {
                let row = self.listing.select_shown(nth, board)?;
                self.scroll = 0;
                if column.is_some_and(|id| id.column().opens_pull_request) {
                    return Some(match act::pull_request(row) {
                        Some(Ok(link)) => Effect::Open(vec![link]),
                        Some(Err(refused)) => self.refuse_link(&refused, now),
                        None => Effect::None,
                    });
                }
            }
        }
        Some(Effect::None)
    }
}
