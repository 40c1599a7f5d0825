//! Draws the keys, from the table of keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::app::App;
use super::detail::draw_lines;
use super::keys::{BINDINGS, Binding};
use super::theme::Role;
use crate::text;

/// From this width on, the keys stand in two columns.
const TWO_COLUMNS: u16 = 110;

/// Draws the help.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, app: &App) {
    if area.width < TWO_COLUMNS {
        draw_lines(buffer, area, lines(app, BINDINGS, area.width), app.scroll);
        return;
    }
    let (left, right) = BINDINGS.split_at(BINDINGS.len().div_ceil(2));
    let half = area.width / 2;
    let halves = [
        Rect {
            width: half,
            ..area
        },
        Rect {
            x: area.x + half,
            width: half,
            ..area
        },
    ];
    for (area, bindings) in halves.into_iter().zip([left, right]) {
        draw_lines(buffer, area, lines(app, bindings, half), app.scroll);
    }
}

fn lines(app: &App, bindings: &[Binding], width: u16) -> Vec<Line<'static>> {
    let mut lines = vec![Line::default()];
    lines.extend(
        bindings
            .iter()
            .flat_map(|binding| entry(app, binding, usize::from(width))),
    );
    lines
}

fn entry(app: &App, binding: &Binding, width: usize) -> Vec<Line<'static>> {
    const KEYS: usize = 14;
    let names: Vec<String> = binding.chords.iter().map(ToString::to_string).collect();
    let mut keys = format!(" {:<KEYS$}", names.join(" "));
    let pieces = text::wrap(binding.help, width.saturating_sub(KEYS + 2));
    let line = |piece: &str| {
        let keys = std::mem::replace(&mut keys, " ".repeat(KEYS + 1));
        let keys = Span::styled(keys, app.theme.style(Role::Key));
        Line::from(vec![keys, Span::raw(piece.to_owned())])
    };
    pieces.into_iter().map(line).collect()
}
