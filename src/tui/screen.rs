//! Draws the whole screen: a function of the state, the board and the time.
//!
//! The header and the tabs are drawn here; what is below them has files of its own.
//! This file must not know how input is handled.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Direction, Layout, Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use tui_input::Input;

use super::app::{App, Mode};
use super::hit_test::{Tab, end_of, tabs, visible_filter};
use super::keys::Action;
use super::layout::Areas;
use super::painter::Painter;
use super::parts::{fit, heaviest};
use super::{changes, compose, detail, errors, footer, help, table};
use crate::board::{Board, Counts};
use crate::job::Status;
use crate::text;
use crate::view::columns::{status_glyph, status_role};
use crate::view::plural;
use crate::view::theme::{ASCII_REPLACEMENT, Role};

/// From this width on, there is more space between the counts of the header.
const ROOMY: u16 = 100;

pub fn draw(frame: &mut Frame, app: &App, board: &Board, now: Timestamp) {
    draw_scrolled(frame, app, board, now);
}

/// Draws the screen and returns how far its text is scrolled, which ends with the last line.
pub fn draw_scrolled(frame: &mut Frame, app: &App, board: &Board, now: Timestamp) -> usize {
    let areas = app.areas_in(frame.area().as_size());
    let mut painter = Painter {
        buffer: frame.buffer_mut(),
        app,
        board,
        now,
    };
    draw_header(&mut painter, areas.header);
    draw_tabs(&mut painter, areas.tabs);
    let scrolled = draw_body(&mut painter, &areas);
    footer::draw(&mut painter, areas.footer);
    let cursor = match &app.mode {
        Mode::Compose(compose) => compose::draw(&mut painter, whole(&areas), compose),
        Mode::Filter(input) if areas.tabs.height > 0 => Some(filter_cursor(areas.tabs, app, input)),
        _ => None,
    };
    if app.theme.is_ascii() {
        replace_non_ascii(frame.buffer_mut());
    }
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
    scrolled
}

/// Where the cursor is while a filter is typed: the filter ends a cell from the right end.
fn filter_cursor(tabs: Rect, app: &App, input: &Input) -> Position {
    let typed = text::width(&app.filter_text());
    let after = typed.saturating_sub(1 + input.visual_cursor());
    let right = tabs.right().saturating_sub(2);
    let x = right.saturating_sub(u16::try_from(after).unwrap_or(0));
    Position::new(x, tabs.y)
}

/// Returns how far its text is scrolled.
fn draw_body(painter: &mut Painter, areas: &Areas) -> usize {
    match painter.app.mode {
        Mode::Help => help::draw(painter, whole(areas)),
        Mode::Errors => errors::draw(painter, whole(areas)),
        Mode::Changes => changes::draw(painter, whole(areas)),
        Mode::Details => detail::draw(painter, whole(areas)),
        // Drawn by the caller, which has the frame and so can set the cursor.
        Mode::Compose(_) => 0,
        Mode::Table | Mode::Filter(_) | Mode::Sort | Mode::Confirm(_) => {
            table::draw(painter, areas.body);
            let Some(pane) = areas.pane else {
                return painter.app.scroll;
            };
            let inner = draw_rule(painter, pane, areas.pane_is_beside());
            detail::draw(painter, inner)
        }
    }
}

/// The body and the pane as one.
fn whole(areas: &Areas) -> Rect {
    areas.pane.map_or(areas.body, |pane| areas.body.union(pane))
}

/// Draws the line between the table and the pane, and returns what is left of the pane.
fn draw_rule(painter: &mut Painter, pane: Rect, beside: bool) -> Rect {
    let [upright, level] = painter.glyphs().rules;
    let (direction, symbol) = if beside {
        (Direction::Horizontal, upright)
    } else {
        (Direction::Vertical, level)
    };
    let parts = [Constraint::Length(1), Constraint::Fill(1)];
    let [rule, rest] = Layout::new(direction, parts).areas(pane);
    let style = painter.style(Role::Muted);
    for position in rule.positions() {
        painter.buffer[position].set_symbol(symbol).set_style(style);
    }
    rest
}

fn draw_header(painter: &mut Painter, area: Rect) {
    let counts = painter.board.counts();
    let news = news(&counts, painter).into_iter();
    let right: Line = news.chain(attention(&counts, painter)).collect();
    let room = usize::from(area.width).saturating_sub(right.width() + 2);
    let gap = if area.width < ROOMY { "  " } else { "   " };
    let width = |(part, _): &(Line, u8)| part.width() + gap.len();
    let parts = status_counts(&counts, painter);
    let parts = heaviest(parts, room + gap.len() - 1, width, |(_, weight)| *weight);
    let parts = parts.into_iter().map(|(part, _)| part);
    let mut left = fit(parts, gap, room);
    left.spans.insert(0, Span::raw(" "));
    painter.ends(area, left, right);
}

/// The name of the program and how many jobs there are, of each status that any has, each with its
/// weight: what may need the user is the heaviest.
fn status_counts(counts: &Counts, painter: &Painter) -> Vec<(Line<'static>, u8)> {
    let total = format!("{} {}", counts.total, plural("job", counts.total));
    let mut parts = vec![
        (
            painter.span(painter.app.name.clone(), Role::Strong).into(),
            3,
        ),
        (Line::raw(total), 4),
    ];
    let by_status = [
        (counts.active, Some(Status::Active), 5),
        (counts.completed, Some(Status::Completed), 1),
        (counts.failed, Some(Status::Failed), 6),
        (counts.archived, Some(Status::Archived), 0),
        (counts.other + counts.unknown, None, 2),
    ];
    for (count, status, weight) in by_status.into_iter().filter(|(count, ..)| *count > 0) {
        let status = status.as_ref();
        let glyph = status_glyph(status, painter.glyphs());
        let text = format!("{count} {}", Status::word(status));
        let part = painter.marked(glyph, &text, status_role(status));
        parts.push((Line::from_iter(part), weight));
    }
    parts
}

/// How many jobs have changed since the user has said that they have seen what did.
fn news(counts: &Counts, painter: &Painter) -> Vec<Span<'static>> {
    if counts.new == 0 {
        return Vec::new();
    }
    let key = painter.app.keys.key_of(Action::Changes);
    let key = key.map(|key| painter.span(format!("{key} "), Role::Key));
    let text = painter.span(format!("{} new   ", counts.new), Role::Strong);
    key.into_iter().chain([text]).collect()
}

fn attention(counts: &Counts, painter: &Painter) -> Line<'static> {
    let glyph = painter.glyphs().needs_you;
    let text = match counts.needs_you {
        0 if counts.unknown == counts.total && counts.total > 0 => {
            return painter.span("nothing seen yet ", Role::Muted).into();
        }
        0 => return painter.span("nothing needs you ", Role::Muted).into(),
        1 => String::from("1 needs you "),
        many => format!("{many} need you "),
    };
    Line::from_iter(painter.marked(glyph, &text, Role::NeedsYou))
}

fn draw_tabs(painter: &mut Painter, area: Rect) {
    let app = painter.app;
    let counts = painter.board.counts();
    let tabs = tabs(area, app, &counts);
    for tab in &tabs {
        let style = if tab.view == app.listing.view() {
            app.theme.selected()
        } else {
            painter.style(Role::Plain)
        };
        painter.text(tab.area, &tab.text, style);
    }
    draw_separators(painter, &tabs);
    let role = match app.mode {
        Mode::Filter(_) => Role::Strong,
        _ => Role::Key,
    };
    let filter = app.filter_text();
    let shown = visible_filter(area, &filter);
    let position = painter.span(app.position_text(&counts), Role::Muted);
    let parts = [position, painter.span(shown.to_owned(), role)];
    let room = usize::from(area.right().saturating_sub(end_of(&tabs)));
    draw_right(painter, area, parts, room);
}

/// Draws a line between tabs that are only a cell apart.
fn draw_separators(painter: &mut Painter, tabs: &[Tab]) {
    let [upright, _] = painter.glyphs().rules;
    let style = painter.style(Role::Muted);
    for pair in tabs.windows(2) {
        let x = pair[0].area.right();
        let width = pair[1].area.x.saturating_sub(x);
        if width == 1 {
            let cell = Rect {
                x,
                width,
                ..pair[0].area
            };
            painter.text(cell, upright, style);
        }
    }
}

/// Draws `parts` at the right end of `area`, each with a space after it; from the left they leave
/// where there are more than `room` cells of them.
fn draw_right<const N: usize>(
    painter: &mut Painter,
    area: Rect,
    parts: [Span<'static>; N],
    room: usize,
) {
    let mut line = Line::default();
    for part in parts.into_iter().rev().filter(|part| part.width() > 0) {
        if line.width() + part.width() + 1 >= room {
            break;
        }
        line.spans.splice(0..0, [part, Span::raw(" ")]);
    }
    line.right_aligned().render(area, painter.buffer);
}

/// Does to the whole screen what [`Theme::printable`] does to a text.
///
/// [`Theme::printable`]: crate::view::theme::Theme::printable
fn replace_non_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            cell.set_char(ASCII_REPLACEMENT);
        }
    }
}
