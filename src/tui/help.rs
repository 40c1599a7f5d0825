//! Draws the help: every action with its keys, from the keymap.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::app::App;
use super::detail::draw_lines;
use super::keys::ActiveBinding;
use crate::text;
use crate::view::theme::Role;

/// From this width on, the actions are in two columns.
const TWO_COLUMNS: u16 = 110;

/// Draws the help, and returns how far it is scrolled.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, app: &App) -> usize {
    let bindings = app.keys.bindings();
    if area.width < TWO_COLUMNS {
        return draw_lines(buffer, area, lines(app, bindings, area.width), app.scroll);
    }
    let (left, right) = bindings.split_at(bindings.len().div_ceil(2));
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
    let scrolled = halves.into_iter().zip([left, right]);
    let scrolled = scrolled
        .map(|(area, bindings)| draw_lines(buffer, area, lines(app, bindings, half), app.scroll));
    scrolled.max().unwrap_or_default()
}

fn lines(app: &App, bindings: &[ActiveBinding], width: u16) -> Vec<Line<'static>> {
    let mut lines = vec![Line::default()];
    lines.extend(
        bindings
            .iter()
            .flat_map(|active| entry(app, active, usize::from(width))),
    );
    lines
}

/// The keys of an action and what it does. Keys that need more than their cells are on a line of
/// their own.
fn entry(app: &App, active: &ActiveBinding, width: usize) -> Vec<Line<'static>> {
    const KEYS: usize = 14;
    let names: Vec<String> = active.chords.iter().map(ToString::to_string).collect();
    let names = match names.as_slice() {
        [] => app.theme.glyphs().none.to_owned(),
        names => names.join(" "),
    };
    let mut pieces = text::wrap(active.binding.help, width.saturating_sub(KEYS + 2));
    if text::width(&names) >= KEYS {
        pieces.insert(0, "");
    }
    let mut keys = format!(" {names:<KEYS$}");
    let line = |piece: &str| {
        let keys = std::mem::replace(&mut keys, " ".repeat(KEYS + 1));
        let keys = Span::styled(keys, app.theme.style(Role::Key));
        Line::from(vec![keys, Span::raw(piece.to_owned())])
    };
    pieces.into_iter().map(line).collect()
}
