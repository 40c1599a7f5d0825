//! Draws the table of jobs, or what to do next where it is empty. It formats only the rows that are
//! on the screen.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::app::App;
use super::hit_test::{self, Columns, GUTTER};
use super::keys::Action;
use crate::board::{Board, Freshness, Row};
use crate::text;
use crate::view::columns::{COLUMNS, Column, Context, JOB};
use crate::view::theme::Role;
use crate::view::views::VIEWS;

/// Draws the table.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, app: &App, board: &Board, now: Timestamp) {
    if area.is_empty() {
        return;
    }
    let places = hit_test::columns(area, app.listing.columns());
    draw_header(buffer, area, app, &places);
    let context = Context {
        now,
        glyphs: app.theme.glyphs(),
    };
    let rows = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    if app.listing.is_empty() {
        draw_empty(buffer, rows, app, board);
        return;
    }
    for (y, row) in (rows.top()..rows.bottom()).zip(app.listing.window(board)) {
        draw_row(
            buffer,
            Rect {
                y,
                height: 1,
                ..area
            },
            app,
            row,
            &context,
            &places,
        );
    }
}

fn draw_header(buffer: &mut Buffer, area: Rect, app: &App, places: &Columns) {
    let style = app.theme.style(Role::Strong);
    for (at, x, width) in places {
        let title = header(*at, app, places);
        put(buffer, area, (*x, area.y, *width), &title, style, app);
    }
}

/// The title of a column, with the order if it is sorted by. Where the sorted column has left the
/// screen, the job's title says so for it.
fn header(at: usize, app: &App, places: &Columns) -> String {
    let sort = app.listing.sort();
    let glyphs = app.theme.glyphs();
    let arrow = if sort.reversed {
        glyphs.descending
    } else {
        glyphs.ascending
    };
    let title = COLUMNS[at].title;
    let sorted_is_shown = places.iter().any(|(shown, ..)| *shown == sort.column);
    if at == sort.column
        && places
            .iter()
            .any(|(shown, _, width)| *shown == at && *width == 1)
    {
        arrow.to_owned()
    } else if at == sort.column {
        format!("{title}{arrow}")
    } else if at == JOB && !sorted_is_shown {
        format!("{title} by {}{arrow}", COLUMNS[sort.column].title)
    } else {
        title.to_owned()
    }
}

fn draw_row(
    buffer: &mut Buffer,
    area: Rect,
    app: &App,
    row: &Row,
    context: &Context,
    places: &Columns,
) {
    let selected = app.listing.selected() == Some(row.key());
    let selected = selected.then(|| selected_style(app, row, context));
    if let Some(style) = selected {
        buffer.set_style(area, style);
    }
    draw_gutter(buffer, area, app, row, selected);
    for (at, x, width) in places {
        let column = &COLUMNS[*at];
        let style = selected.unwrap_or_else(|| cell_style(app, column, row, context));
        let text = (column.text)(row, context);
        put(buffer, area, (*x, area.y, *width), &text, style, app);
    }
}

/// One style for the whole row: it stands out, and a step down a long list stays cheap over a slow
/// line.
fn selected_style(app: &App, row: &Row, context: &Context) -> Style {
    let fresh = row.freshness(context.now) == Freshness::Fresh;
    let role = if fresh { Role::Plain } else { Role::Muted };
    app.theme.style(role).patch(app.theme.selected())
}

/// Values that are not fresh lose their look; what says why keeps it.
fn cell_style(app: &App, column: &Column, row: &Row, context: &Context) -> Style {
    let fresh = row.freshness(context.now) == Freshness::Fresh;
    let role = if fresh || column.tells_why {
        (column.role)(row)
    } else {
        Role::Muted
    };
    app.theme.style(role)
}

fn draw_gutter(buffer: &mut Buffer, area: Rect, app: &App, row: &Row, selected: Option<Style>) {
    let (theme, glyphs) = (app.theme, app.theme.glyphs());
    let style = selected.unwrap_or_else(|| theme.style(Role::NeedsYou));
    if app.listing.is_marked(row.key()) {
        put(buffer, area, (area.x, area.y, 1), glyphs.marked, style, app);
    }
    if row.needs_you() {
        put(
            buffer,
            area,
            (area.x + 1, area.y, 1),
            glyphs.needs_you,
            style,
            app,
        );
    }
}

/// Puts `text` at a place of `(x, y, width)`, cut to what is there of `area`.
fn put(
    buffer: &mut Buffer,
    area: Rect,
    (x, y, width): (u16, u16, u16),
    text: &str,
    style: Style,
    app: &App,
) {
    let width = width.min(area.right().saturating_sub(x));
    // A status squeezed to its mark is cut without an ellipsis: the mark is the message.
    let ellipsis = if width == 1 {
        ""
    } else {
        app.theme.glyphs().ellipsis
    };
    let shown = match width {
        0 => return,
        1 => text
            .chars()
            .next()
            .map(String::from)
            .unwrap_or_default()
            .into(),
        _ => text::truncate(text, usize::from(width), ellipsis),
    };
    buffer.set_stringn(x, y, shown, usize::from(width), style);
}

/// What to do next, where there is no row to show.
fn draw_empty(buffer: &mut Buffer, area: Rect, app: &App, board: &Board) {
    let filter = app.listing.filter();
    let (what, next) = if !filter.is_empty() {
        (
            format!("Nothing here matches /{filter}"),
            with_key(app, Action::Back, "clears the filter."),
        )
    } else if board.counts().total == 0 {
        (VIEWS[0].empty.to_owned(), how_to_add(app))
    } else {
        (
            VIEWS[app.listing.view()].empty.to_owned(),
            with_key(app, Action::View(0), "shows all jobs."),
        )
    };
    let width = usize::from(area.width.saturating_sub(GUTTER + 1));
    let lines = text::wrap(&what, width)
        .into_iter()
        .map(|line| (line, Role::Strong));
    let next = text::wrap(&next, width)
        .into_iter()
        .map(|line| (line, Role::Plain));
    let first = area.y + u16::from(area.height > 4);
    for (y, (line, role)) in (first..area.bottom()).zip(lines.chain(next)) {
        let place = (
            area.x + GUTTER.min(area.width),
            y,
            area.width.saturating_sub(GUTTER),
        );
        put(buffer, area, place, line, app.theme.style(role), app);
    }
}

/// The key of an action and what it does, where it has one.
fn with_key(app: &App, action: Action, does: &str) -> String {
    let key = app.keys.key_of(action);
    key.map_or_else(String::new, |key| format!("{key} {does}"))
}

fn how_to_add(app: &App) -> String {
    let path = app
        .config_path
        .as_ref()
        .map(|path| text::clean(&path.to_string_lossy()));
    let file = path.unwrap_or_else(|| String::from("the config file"));
    format!(
        "List job ids under [[projects]] in {file} (it is read again by itself), or press a. mintwatch --demo shows how it looks."
    )
}
