//! Draws the text that is being written.

use ratatui::layout::{Constraint, Layout, Margin, Position, Rect};

use super::app::Compose;
use super::painter::Painter;
use crate::view::theme::Role;

/// Draws the text below its title, scrolled to the cursor; returns where the cursor is, if it is
/// visible.
pub(super) fn draw(painter: &mut Painter, area: Rect, compose: &Compose) -> Option<Position> {
    let inner = area.inner(Margin::new(1, 0));
    let [title, _, body] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Fill(1),
    ])
    .areas(inner);
    if body.is_empty() {
        return None;
    }
    let style = painter.style(Role::Strong);
    painter.text(title, &compose.title(), style);
    let text = compose.area.wrapped(usize::from(body.width));
    let (row, column) = text.cursor;
    let top = (row + 1).saturating_sub(usize::from(body.height));
    let style = painter.style(Role::Plain);
    for (line, row) in body.rows().zip(text.rows.iter().skip(top)) {
        painter.text(line, row, style);
    }
    let x = body.x + u16::try_from(column).ok()?;
    let y = body.y + u16::try_from(row - top).ok()?;
    Some(Position::new(x, y))
}
