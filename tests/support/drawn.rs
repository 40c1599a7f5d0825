//! Reads drawn buffers: as text, and their styles.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Modifier;
use unicode_width::UnicodeWidthStr;

/// The screen as a terminal shows it: a line for each row, without the blanks at its end.
pub fn text(buffer: &Buffer) -> String {
    let lines: Vec<String> = (0..buffer.area.height).map(|y| line(buffer, y)).collect();
    lines.join("\n")
}

/// Row `y`, without the blanks at its end.
pub fn line(buffer: &Buffer, y: u16) -> String {
    let mut line = String::new();
    let mut x = 0;
    while x < buffer.area.width {
        let symbol = buffer[(x, y)].symbol();
        line.push_str(symbol);
        x += u16::try_from(symbol.width()).unwrap().max(1);
    }
    line.truncate(line.trim_end().len());
    line
}

/// The cells of row `y`.
pub fn cells(buffer: &Buffer, y: u16) -> impl Iterator<Item = &Cell> {
    (0..buffer.area.width).map(move |x| &buffer[(x, y)])
}

/// The first row that has `text`.
pub fn row_of(buffer: &Buffer, text: &str) -> Option<u16> {
    (0..buffer.area.height).find(|y| line(buffer, *y).contains(text))
}

/// The row that is drawn in reverse from end to end: the selected one.
pub fn selected(buffer: &Buffer) -> Option<String> {
    let reversed = |cell: &Cell| cell.modifier.contains(Modifier::REVERSED);
    (0..buffer.area.height)
        .find(|y| cells(buffer, *y).all(reversed))
        .map(|y| line(buffer, y))
}
