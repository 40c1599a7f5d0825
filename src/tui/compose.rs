//! Draws the text that is being written.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::app::{App, Compose};
use crate::text;
use crate::view::theme::Role;

/// Draws the text below its title, scrolled to the cursor; where the cursor is, if it is visible.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    app: &App,
    compose: &Compose,
) -> Option<Position> {
    let width = usize::from(area.width.saturating_sub(2));
    let title = compose.title();
    let title = text::truncate(&title, width, app.theme.glyphs().ellipsis);
    buffer.set_stringn(
        area.x + 1,
        area.y,
        title,
        width,
        app.theme.style(Role::Strong),
    );
    let height = area.height.saturating_sub(2);
    let laid = compose.area.rows(width);
    let top = (laid.cursor.0 + 1).saturating_sub(usize::from(height));
    let shown = laid.rows.iter().skip(top);
    for (y, row) in (area.y + 2..area.bottom()).zip(shown) {
        buffer.set_stringn(area.x + 1, y, row, width, app.theme.style(Role::Plain));
    }
    let row = u16::try_from(laid.cursor.0 - top)
        .ok()
        .filter(|row| *row < height)?;
    let column = u16::try_from(laid.cursor.1).ok()?;
    Some(Position::new(area.x + 1 + column, area.y + 2 + row))
}
