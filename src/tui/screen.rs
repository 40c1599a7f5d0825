//! Draws the whole screen: a function of the state, the board and the time.
//!
//! The header, the tabs and the footer are drawn here; what is between them has files of its own.
//! This file must not know how input is handled.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Direction, Layout, Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use tui_input::Input;

use super::app::{App, Message, Mode};
use super::hit_test::{Tab, end_of, tabs, visible_filter};
use super::keys::Action;
use super::layout::Areas;
use super::painter::Painter;
use super::{compose, detail, errors, help, table};
use crate::board::{Board, Counts, Row};
use crate::job::Status;
use crate::text;
use crate::view::columns::{status_glyph, status_role};
use crate::view::plural;
use crate::view::theme::{ASCII_REPLACEMENT, Role};

/// From this width on, there is more space between the counts of the header.
const ROOMY: u16 = 100;
/// The footer keeps these cells for keys, however long its text is.
const ROOM_FOR_KEYS: usize = 24;

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
    draw_footer(&mut painter, areas.footer);
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
        Mode::Details => detail::draw(painter, whole(areas)),
        // Drawn by the caller, which has the frame and so can set the cursor.
        Mode::Compose(_) => 0,
        Mode::Table | Mode::Filter(_) | Mode::Confirm(_) => {
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
    let right = attention(&counts, painter);
    let room = usize::from(area.width).saturating_sub(right.width() + 2);
    let gap = if area.width < ROOMY { "  " } else { "   " };
    let width = |(part, _): &(Line, u8)| part.width() + gap.len();
    let parts = status_counts(&counts, painter);
    let parts = heaviest(parts, room + gap.len() - 1, width, |(_, weight)| *weight);
    let parts = parts.into_iter().map(|(part, _)| part);
    let mut left = fit(parts, gap, room);
    left.spans.insert(0, Span::raw(" "));
    draw_ends(painter, area, left, right);
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
        let word = status.map_or("unknown", Status::as_str);
        let text = format!("{count} {word}");
        let part = painter.marked(glyph, &text, status_role(status));
        parts.push((Line::from_iter(part), weight));
    }
    parts
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

fn draw_footer(painter: &mut Painter, area: Rect) {
    let app = painter.app;
    let width = usize::from(area.width);
    let most = width.saturating_sub(ROOM_FOR_KEYS.min(width / 2));
    let left = match (&app.mode, &app.message) {
        (Mode::Confirm(question), _) => {
            let question = question.fit(width.saturating_sub(1), painter.glyphs().ellipsis);
            one_line(&question, Role::Strong, width, painter)
        }
        (_, Some(message)) if area.height > 1 => return draw_lines(painter, area, message),
        // News leaves room for the keys; what was asked for, or went wrong, takes it.
        (_, Some(message)) if message.is_brief && message.role != Role::Bad => {
            one_line(&message.text, message.role, most, painter)
        }
        (_, Some(message)) => one_line(&message.text, message.role, width, painter),
        (_, None) => match app.leaving_text(width.saturating_sub(1)) {
            Some(text) => one_line(&text, Role::Strong, width, painter),
            None => summary(painter, most),
        },
    };
    let room = width.saturating_sub(left.width() + 2);
    let right = key_hints(painter, room);
    draw_ends(painter, area, left, right);
}

/// Draws a message of several lines; the last one is cut where there are more than `area` has.
fn draw_lines(painter: &mut Painter, area: Rect, message: &Message) {
    let style = painter.style(message.role);
    let mut lines = message.lines(usize::from(area.width));
    let last = usize::from(area.height).saturating_sub(1);
    let rest = lines.split_off(last.min(lines.len())).join(" ");
    for (row, line) in area.rows().zip(lines.into_iter().chain([&*rest])) {
        painter.text(row, line, style);
    }
}

/// `text` after a space, cut to `most` cells.
fn one_line(text: &str, role: Role, most: usize, painter: &Painter) -> Line<'static> {
    let text = painter.truncate(text, most.saturating_sub(1));
    Line::from(painter.span(format!(" {text}"), role))
}

/// The footer while there is no message: how many jobs are marked, failing and stale, and the
/// projects, as far as there is room.
fn summary(painter: &Painter, most: usize) -> Line<'static> {
    let app = painter.app;
    let why = app.keys.key_of(Action::Errors);
    let why = why.map_or_else(String::new, |key| format!(", {key} says why"));
    let config_problems = usize::from(app.config_problem().is_some());
    let config_error = format!("config error{why}");
    let why = if config_problems == 0 { &*why } else { "" };
    let counts = [
        (config_problems, config_error, Role::Bad),
        (app.listing.marked(), String::from("marked"), Role::Strong),
        (
            painter.board.counts().errors,
            format!("failing{why}"),
            Role::Bad,
        ),
        (app.stale_rows(), String::from("stale"), Role::Plain),
    ];
    let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
    let counts = counts.map(|(count, word, role)| painter.span(format!("{count} {word}"), role));
    let parts = counts.chain(projects(painter)).map(Line::from);
    let gap = format!(" {} ", painter.glyphs().dot);
    let mut line = fit(parts, &gap, most.saturating_sub(1));
    line.spans.insert(0, Span::raw(" "));
    line
}

/// How many jobs each project has, where that is short enough to be of use.
fn projects(painter: &Painter) -> Vec<Span<'static>> {
    let projects = painter.board.projects();
    let texts = if projects.len() > 4 {
        vec![format!("{} projects", projects.len())]
    } else {
        let title_and_count = projects.iter().map(|(project, count)| {
            let title = painter.truncate(project.title(), 16);
            format!("{title}: {count}")
        });
        title_and_count.collect()
    };
    let spans = texts
        .into_iter()
        .map(|text| painter.span(text, Role::Plain));
    spans.collect()
}

/// A key, what it does, and its weight: the lightest go first where there is little room.
type Hint = (String, &'static str, u8);

/// The keys that are of use now, as many as there is room for.
fn key_hints(painter: &Painter, room: usize) -> Line<'static> {
    let fixed = |key: &str, word| (key.to_owned(), word, u8::MAX);
    let hints = match &painter.app.mode {
        Mode::Confirm(_) => Vec::new(),
        Mode::Filter(_) => vec![fixed("Enter", "keep"), fixed("Esc", "clear")],
        Mode::Compose(compose) => {
            let tab = fixed("Tab", "other project");
            let tab = Some(tab).filter(|_| compose.can_switch_project());
            let rest = [fixed("Ctrl-S", "send"), fixed("Esc", "later")];
            tab.into_iter().chain(rest).collect()
        }
        Mode::Table | Mode::Details | Mode::Errors | Mode::Help => bound_hints(painter),
    };
    let mut line = Line::default();
    let width = |(key, word, _): &Hint| text::width(key) + text::width(word) + 3;
    for (key, word, _) in heaviest(hints, room, width, |(.., weight)| *weight) {
        line.push_span(painter.span(key, Role::Key));
        line.push_span(format!(" {word}  "));
    }
    line
}

/// Those of `parts` that fit into `room` cells, without the lightest.
fn heaviest<T>(
    mut parts: Vec<T>,
    room: usize,
    width: impl Fn(&T) -> usize,
    weight: impl Fn(&T) -> u8,
) -> Vec<T> {
    while parts.iter().map(&width).sum::<usize>() > room {
        let weights = parts.iter().map(&weight).enumerate();
        let Some((lightest, _)) = weights.min_by_key(|(_, weight)| *weight) else {
            break;
        };
        parts.remove(lightest);
    }
    parts
}

/// The hints of the keys in use that do something now.
fn bound_hints(painter: &Painter) -> Vec<Hint> {
    let app = painter.app;
    let row = app.listing.selected_row(painter.board);
    let bindings = app.keys.bindings().iter();
    bindings
        .filter(|active| is_useful(active.binding.action, app, row))
        .filter_map(|active| {
            let &(word, weight) = active.binding.footer.first()?;
            Some((active.chords.first()?.to_string(), word, weight))
        })
        .collect()
}

/// Whether a key does something in the present state.
fn is_useful(action: Action, app: &App, row: Option<&Row>) -> bool {
    if matches!(app.mode, Mode::Help | Mode::Errors) {
        return action == Action::Back;
    }
    let has_pull_request = row.is_some_and(|row| row.pull_request().is_some());
    let in_table = matches!(app.mode, Mode::Table);
    let any_marked = app.listing.marked() > 0;
    match action {
        Action::OpenPullRequest | Action::CopyLink => has_pull_request || any_marked,
        Action::Details => in_table && row.is_some(),
        Action::Filter | Action::Quit => in_table,
        Action::Back => !in_table || any_marked || !app.listing.filter().is_empty(),
        _ => true,
    }
}

/// As many of `parts`, with `gap` between them, as fit into `room` cells.
fn fit(parts: impl IntoIterator<Item = Line<'static>>, gap: &str, room: usize) -> Line<'static> {
    let mut line = Line::default();
    for part in parts {
        let gap = if line.spans.is_empty() { "" } else { gap };
        if line.width() + text::width(gap) + part.width() > room {
            break;
        }
        line.push_span(gap.to_owned());
        line.extend(part);
    }
    line
}

/// Draws `left` at the left end, and `right` at the right end where it fits beside it.
fn draw_ends(painter: &mut Painter, area: Rect, left: Line, right: Line) {
    let beside = left.width() + right.width() < usize::from(area.width);
    left.render(area, painter.buffer);
    if beside {
        right.right_aligned().render(area, painter.buffer);
    }
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
