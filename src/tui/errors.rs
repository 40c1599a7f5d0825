//! Draws the errors of this run, the newest first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::app::App;
use super::detail::draw_lines;
use crate::board::{Board, LoggedError};
use crate::text;
use crate::view::theme::Role;

/// Draws the errors, and returns how far they are scrolled.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, app: &App, board: &Board) -> usize {
    let width = usize::from(area.width.saturating_sub(2));
    let mut lines = vec![title(app, board)];
    let errors: Vec<&LoggedError> = board.errors().rev().collect();
    // One outage fails many jobs with the same message: those in a row share an entry.
    for same in errors.chunk_by(|a, b| a.message == b.message) {
        lines.extend(entry(app, same, width));
    }
    draw_lines(buffer, area, lines, app.scroll)
}

fn title(app: &App, board: &Board) -> Line<'static> {
    let text = match board.errors().len() {
        0 => String::from(" No poll has failed in this run."),
        1 => String::from(" One error in this run"),
        many => format!(" {many} errors in this run, the newest first"),
    };
    Line::from(Span::styled(text, app.theme.style(Role::Strong)))
}

fn entry(app: &App, same: &[&LoggedError], width: usize) -> Vec<Line<'static>> {
    let [error, others @ ..] = same else {
        return Vec::new();
    };
    let more = match others.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let head = format!("{}  {}{more}", app.clock_time(error.at), error.title);
    let head = text::truncate(&head, width, app.theme.glyphs().ellipsis).into_owned();
    let head = Line::from(Span::styled(
        format!(" {head}"),
        app.theme.style(Role::Muted),
    ));
    let words = if others.is_empty() {
        error.to_string()
    } else {
        error.message.clone()
    };
    let body = text::wrap(&words, width.saturating_sub(2))
        .into_iter()
        .map(|line| {
            Line::from(Span::styled(
                format!("   {line}"),
                app.theme.style(Role::Plain),
            ))
        });
    std::iter::once(head).chain(body).collect()
}
