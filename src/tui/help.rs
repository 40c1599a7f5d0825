//! Draws the help: every action with its keys, from the keymap.

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::keys::ActiveBinding;
use super::painter::Painter;
use crate::text;
use crate::view::theme::Role;

/// From this width on, the actions are in two columns.
const TWO_COLUMNS: u16 = 110;

/// Draws the help, and returns how far it is scrolled.
pub(super) fn draw(painter: &mut Painter, area: Rect) -> usize {
    let bindings = painter.app.keys.bindings();
    let columns = if area.width < TWO_COLUMNS { 1 } else { 2 };
    let half = Constraint::Length(area.width / columns);
    let areas = Layout::horizontal(vec![half; usize::from(columns)]).split(area);
    let parts = bindings.chunks(bindings.len().div_ceil(areas.len()));
    let mut scrolled = 0;
    for (area, bindings) in areas.iter().zip(parts) {
        let lines = lines(painter, bindings, usize::from(area.width));
        scrolled = scrolled.max(painter.scrolled(*area, lines));
    }
    scrolled
}

fn lines(painter: &Painter, bindings: &[ActiveBinding], width: usize) -> Vec<Line<'static>> {
    let entries = bindings.iter().map(|active| entry(painter, active, width));
    std::iter::once(Line::default())
        .chain(entries.flatten())
        .collect()
}

/// The keys of an action and what it does. Keys that need more than their cells are on a line of
/// their own.
fn entry(painter: &Painter, active: &ActiveBinding, width: usize) -> Vec<Line<'static>> {
    const KEYS: usize = 14;
    let names: Vec<String> = active.chords.iter().map(ToString::to_string).collect();
    let names = match names.as_slice() {
        [] => painter.glyphs().none.to_owned(),
        names => names.join(" "),
    };
    let mut pieces = text::wrap(active.binding.help, width.saturating_sub(KEYS + 2));
    if text::width(&names) >= KEYS {
        pieces.insert(0, "");
    }
    let mut keys = format!(" {names:<KEYS$}");
    let line = |piece: &str| {
        let keys = std::mem::replace(&mut keys, " ".repeat(KEYS + 1));
        Line::from(vec![
            painter.span(keys, Role::Key),
            Span::raw(piece.to_owned()),
        ])
    };
    pieces.into_iter().map(line).collect()
}
