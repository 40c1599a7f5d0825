//! Draws the whole screen: a function of the state, the board and the time.
//!
//! The header, the tabs and the footer are drawn here; what is between them has files of its own.
//! This file must not know how input is handled.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use tui_input::Input;

use super::app::{App, Mode};
use super::keys::{Action, ActiveBinding};
use super::layout::{Areas, areas};
use super::{compose, detail, errors, help, table};
use crate::board::{Board, Counts, Project, Row};
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
    let areas = areas(frame.area().as_size(), app.pane);
    let buffer = frame.buffer_mut();
    draw_header(buffer, areas.header, app, board);
    draw_tabs(buffer, areas.tabs, app, board);
    let scrolled = draw_body(buffer, &areas, app, board, now);
    draw_footer(buffer, areas.footer, app, board);
    let cursor = match &app.mode {
        Mode::Compose(compose) => compose::draw(buffer, whole(&areas), app, compose),
        Mode::Filter(input) if areas.tabs.height > 0 => Some(filter_cursor(areas.tabs, app, input)),
        _ => None,
    };
    if app.theme.is_ascii() {
        replace_non_ascii(buffer);
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
    Position::new(x.min(right), tabs.y)
}

/// Returns how far its text is scrolled.
fn draw_body(
    buffer: &mut Buffer,
    areas: &Areas,
    app: &App,
    board: &Board,
    now: Timestamp,
) -> usize {
    match app.mode {
        Mode::Help => help::draw(buffer, whole(areas), app),
        Mode::Errors => errors::draw(buffer, whole(areas), app, board),
        Mode::Details => detail::draw(buffer, whole(areas), app, board, now),
        // Drawn by the caller, which has the frame and so can set the cursor.
        Mode::Compose(_) => 0,
        Mode::Table | Mode::Filter(_) | Mode::Confirm(_) => {
            table::draw(buffer, areas.body, app, board, now);
            let Some(pane) = areas.pane else {
                return app.scroll;
            };
            let inner = draw_rule(buffer, pane, areas.pane_is_beside(), app);
            detail::draw(buffer, inner, app, board, now)
        }
    }
}

/// The body and the pane as one.
fn whole(areas: &Areas) -> Rect {
    areas.pane.map_or(areas.body, |pane| areas.body.union(pane))
}

/// Draws the line between the table and the pane, and returns what is left of the pane.
fn draw_rule(buffer: &mut Buffer, pane: Rect, beside: bool, app: &App) -> Rect {
    let [upright, level] = app.theme.glyphs().rules;
    let style = app.theme.style(Role::Muted);
    if beside {
        for y in pane.top()..pane.bottom() {
            buffer.set_string(pane.x, y, upright, style);
        }
        Rect {
            x: pane.x + 1,
            width: pane.width.saturating_sub(1),
            ..pane
        }
    } else {
        buffer.set_string(pane.x, pane.y, level.repeat(usize::from(pane.width)), style);
        Rect {
            y: pane.y + 1,
            height: pane.height.saturating_sub(1),
            ..pane
        }
    }
}

fn draw_header(buffer: &mut Buffer, area: Rect, app: &App, board: &Board) {
    let counts = board.counts();
    let right = Line::from(attention(&counts, app));
    let room = usize::from(area.width).saturating_sub(right.width() + 2);
    let gap = if area.width < ROOMY { "  " } else { "   " };
    let left = fit(status_counts(&counts, app), gap, room);
    draw_ends(buffer, area, left, right);
}

/// The name of the program and how many jobs there are, of each status that any has.
fn status_counts(counts: &Counts, app: &App) -> Vec<Span<'static>> {
    let mut parts = vec![
        Span::styled(format!(" {}", app.name), app.theme.style(Role::Strong)),
        Span::raw(format!("{} {}", counts.total, plural("job", counts.total))),
    ];
    let by_status = [
        (counts.active, Some(Status::Active)),
        (counts.completed, Some(Status::Completed)),
        (counts.failed, Some(Status::Failed)),
        (counts.archived, Some(Status::Archived)),
        (counts.other + counts.unknown, None),
    ];
    for (count, status) in by_status.into_iter().filter(|(count, _)| *count > 0) {
        let status = status.as_ref();
        let glyph = status_glyph(status, app.theme.glyphs());
        let word = status.map_or("unknown", Status::as_str);
        let style = app.theme.style(status_role(status));
        parts.push(Span::styled(format!("{glyph} {count} {word}"), style));
    }
    parts
}

fn attention(counts: &Counts, app: &App) -> Span<'static> {
    let glyph = app.theme.glyphs().needs_you;
    let (text, role) = match counts.needs_you {
        0 if counts.unknown == counts.total && counts.total > 0 => {
            (String::from("nothing seen yet "), Role::Muted)
        }
        0 => (String::from("nothing needs you "), Role::Muted),
        1 => (format!("{glyph} 1 needs you "), Role::NeedsYou),
        many => (format!("{glyph} {many} need you "), Role::NeedsYou),
    };
    Span::styled(text, app.theme.style(role))
}

fn draw_tabs(buffer: &mut Buffer, area: Rect, app: &App, board: &Board) {
    let counts = board.counts();
    let filter = app.filter_text();
    let tabs = app.tabs(&counts, &filter);
    for tab in tabs.lay_out(area) {
        let style = if tab.view == app.listing.view() {
            app.theme.selected()
        } else {
            app.theme.style(Role::Plain)
        };
        let width = usize::from(tab.area.width);
        buffer.set_stringn(tab.area.x, tab.area.y, tab.text, width, style);
    }
    let role = if matches!(app.mode, Mode::Filter(_)) {
        Role::Strong
    } else {
        Role::Key
    };
    let shown = tabs.visible_filter(area);
    let end = if shown.is_empty() { "" } else { " " };
    let right = Line::from(Span::styled(format!("{shown}{end}"), app.theme.style(role)));
    draw_ends(buffer, area, Line::default(), right);
}

/// The footer keeps these cells for keys, however long its text is.
const ROOM_FOR_KEYS: usize = 24;

fn draw_footer(buffer: &mut Buffer, area: Rect, app: &App, board: &Board) {
    let width = usize::from(area.width);
    let most = width.saturating_sub(ROOM_FOR_KEYS.min(width / 2));
    let left = match (&app.mode, &app.message) {
        (Mode::Confirm(question), _) => one_line(&question.to_string(), app, Role::Strong, width),
        (_, Some(message)) => one_line(&message.text, app, message.role, most),
        _ => summary(app, board, most),
    };
    let room = width.saturating_sub(left.width() + 2);
    draw_ends(buffer, area, left, key_hints(app, board, room));
}

/// `text` after a space, cut to `most` cells.
fn one_line(text: &str, app: &App, role: Role, most: usize) -> Line<'static> {
    let text = text::truncate(text, most.saturating_sub(1), app.theme.glyphs().ellipsis);
    Line::from(Span::styled(format!(" {text}"), app.theme.style(role)))
}

/// The footer while there is no message: how many jobs are marked, failing and stale, and the
/// projects, as far as there is room.
fn summary(app: &App, board: &Board, most: usize) -> Line<'static> {
    let part = |count: usize, word: &str| (count > 0).then(|| format!("{count} {word}"));
    let why = app.keys.key_of(Action::Errors);
    let why = why.map_or_else(String::new, |key| format!(", {key} says why"));
    let errors = board.counts().errors;
    let counts = [
        (part(app.listing.marked(), "marked"), Role::Strong),
        (part(errors, &format!("failing{why}")), Role::Bad),
        (part(app.stale_rows(), "stale"), Role::Plain),
    ];
    let counts = counts
        .into_iter()
        .filter_map(|(text, role)| Some((text?, role)));
    let projects = projects(board, app.theme.glyphs().ellipsis);
    let parts: Vec<(String, Role)> = counts
        .chain(projects.into_iter().map(|text| (text, Role::Plain)))
        .collect();
    let mut line = Line::default();
    for (text, role) in parts {
        let gap = if line.spans.is_empty() {
            " ".into()
        } else {
            format!(" {} ", app.theme.glyphs().dot)
        };
        if line.width() + text::width(&gap) + text::width(&text) > most {
            break;
        }
        line.push_span(gap);
        line.push_span(Span::styled(text, app.theme.style(role)));
    }
    line
}

/// How many jobs each project has, where that is short enough to be of use.
fn projects(board: &Board, ellipsis: &str) -> Vec<String> {
    let projects = board.projects();
    if projects.len() > 4 {
        return vec![format!("{} projects", projects.len())];
    }
    let title = |project: &Project| text::truncate(project.title(), 16, ellipsis).into_owned();
    projects
        .iter()
        .map(|(project, count)| format!("{}: {count}", title(project)))
        .collect()
}

/// The keys that are of use now, as many as there is room for.
fn key_hints(app: &App, board: &Board, room: usize) -> Line<'static> {
    let hints = match &app.mode {
        Mode::Confirm(_) => Vec::new(),
        Mode::Filter(_) => vec![fixed("Enter", "keep", app), fixed("Esc", "clear", app)],
        Mode::Compose(compose) => {
            let project = compose
                .has_choice()
                .then(|| fixed("Tab", "other project", app));
            let rest = [fixed("Ctrl-S", "send", app), fixed("Esc", "later", app)];
            project.into_iter().chain(rest).collect()
        }
        Mode::Table | Mode::Details | Mode::Errors | Mode::Help => bound_hints(app, board),
    };
    let mut line = Line::default();
    for (hint, _) in heaviest(hints, room) {
        line.spans.extend(hint.spans);
        line.push_span("  ");
    }
    line
}

/// Those of `hints` that fit into `room` cells, without the lightest.
fn heaviest(mut hints: Vec<Hint>, room: usize) -> Vec<Hint> {
    let cells = |hints: &[Hint]| -> usize { hints.iter().map(|(hint, _)| hint.width() + 2).sum() };
    while cells(&hints) > room {
        let weights = hints.iter().map(|(_, weight)| *weight).enumerate();
        let Some((lightest, _)) = weights.min_by_key(|(_, weight)| *weight) else {
            break;
        };
        hints.remove(lightest);
    }
    hints
}

/// A key with what it does, and its weight: the lightest go first where there is little room.
type Hint = (Line<'static>, u8);

fn bound_hints(app: &App, board: &Board) -> Vec<Hint> {
    let row = app.listing.selected_row(board);
    let active = app.keys.bindings().iter();
    active
        .filter(|active| is_useful(active.binding.action, app, row))
        .filter_map(|active| hint(active, app))
        .collect()
}

fn hint(active: &ActiveBinding, app: &App) -> Option<Hint> {
    let key = active.chords.first()?.to_string();
    let &(word, weight) = active.binding.footer.first()?;
    Some((key_and_word(key, word, app), weight))
}

fn fixed(key: &str, word: &str, app: &App) -> Hint {
    (key_and_word(key.to_owned(), word, app), u8::MAX)
}

fn key_and_word(key: String, word: &str, app: &App) -> Line<'static> {
    Line::from(vec![
        Span::styled(key, app.theme.style(Role::Key)),
        Span::raw(format!(" {word}")),
    ])
}

/// Whether a key does something in the present state.
fn is_useful(action: Action, app: &App, row: Option<&Row>) -> bool {
    let has_pull_request = row.is_some_and(|row| row.pull_request().is_some());
    let in_table = matches!(app.mode, Mode::Table);
    match app.mode {
        Mode::Help | Mode::Errors => return action == Action::Back,
        _ => {}
    }
    match action {
        Action::OpenPullRequest | Action::CopyLink => has_pull_request || app.listing.marked() > 0,
        Action::Details => in_table && row.is_some(),
        Action::Filter | Action::Quit => in_table,
        Action::Back => !in_table || app.listing.marked() > 0 || !app.listing.filter().is_empty(),
        _ => true,
    }
}

/// As many of `parts`, with `gap` between them, as fit into `room` cells.
fn fit<'a>(parts: Vec<Span<'a>>, gap: &'static str, room: usize) -> Line<'a> {
    let mut line = Line::default();
    for part in parts {
        let gap = if line.spans.is_empty() { "" } else { gap };
        if line.width() + gap.len() + part.width() > room {
            break;
        }
        line.push_span(gap);
        line.push_span(part);
    }
    line
}

/// Draws `left` at the left end, and `right` at the right end where it fits beside it.
fn draw_ends(buffer: &mut Buffer, area: Rect, left: Line, right: Line) {
    let width = u16::try_from(right.width()).unwrap_or(u16::MAX);
    let beside = left.width() + right.width() < usize::from(area.width);
    left.render(area, buffer);
    if beside {
        let x = area.right().saturating_sub(width);
        right.render(
            Rect {
                x,
                width: area.right().saturating_sub(x),
                ..area
            },
            buffer,
        );
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
