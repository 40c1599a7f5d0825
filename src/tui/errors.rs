//! Draws the errors of this run, the newest first.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::painter::Painter;
use crate::board::LoggedError;
use crate::text;
use crate::view::theme::Role;

/// Draws the errors, and returns how far they are scrolled.
pub(super) fn draw(painter: &mut Painter, area: Rect) -> usize {
    let width = usize::from(area.width.saturating_sub(2));
    let errors: Vec<&LoggedError> = painter.board.errors().rev().collect();
    let mut lines = vec![title(painter, errors.len())];
    // One outage fails many jobs with the same message: those in a row share an entry.
    for same in errors.chunk_by(|a, b| a.message == b.message) {
        lines.extend(entry(painter, same, width));
    }
    painter.scrolled(area, lines)
}

fn title(painter: &Painter, errors: usize) -> Line<'static> {
    let text = match errors {
        0 => String::from(" No poll has failed in this run."),
        1 => String::from(" One error in this run"),
        many => format!(" {many} errors in this run, the newest first"),
    };
    Line::from(painter.span(text, Role::Strong))
}

fn entry(painter: &Painter, same: &[&LoggedError], width: usize) -> Vec<Line<'static>> {
    let [error, others @ ..] = same else {
        return Vec::new();
    };
    let (more, message) = match others.len() {
        0 => (String::new(), error.to_string()),
        more => (format!(" and {more} more"), error.message.clone()),
    };
    let time = painter.app.clock_time(error.at);
    let head = painter.truncate(&format!("{time}  {}{more}", error.title), width);
    let mut lines = vec![Line::from(painter.span(format!(" {head}"), Role::Muted))];
    for line in text::wrap(&message, width.saturating_sub(2)) {
        lines.push(Line::from(painter.span(format!("   {line}"), Role::Plain)));
    }
    lines
}
