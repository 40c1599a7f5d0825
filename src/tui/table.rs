//! Draws the table of jobs, or what to do next where it is empty.
//!
//! Only the rows on the screen are formatted, so that a frame costs the same however many there are.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::app::App;
use super::hit_test::{ColumnArea, GUTTER, column_areas};
use super::keys::Action;
use crate::board::{Board, Freshness, Row};
use crate::text;
use crate::view::columns::Context;
use crate::view::theme::Role;
use crate::view::views::ViewId;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, app: &App, board: &Board, now: Timestamp) {
    if area.is_empty() {
        return;
    }
    let columns = column_areas(area, app.listing.columns());
    draw_header(buffer, area, app, &columns);
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
        let line = Rect {
            y,
            height: 1,
            ..area
        };
        draw_row(buffer, line, app, row, &context, &columns);
    }
}

fn draw_header(buffer: &mut Buffer, area: Rect, app: &App, columns: &[ColumnArea]) {
    let style = app.theme.style(Role::Strong);
    for column in columns {
        let title = header(column, app, columns);
        let cell = (column.x, area.y, column.width);
        put(buffer, area, cell, &title, style, app);
    }
}

/// The title of a column, with an arrow if the rows are sorted by it. Where the sorted column has
/// left the screen, the column that never leaves says so for it.
fn header(area: &ColumnArea, app: &App, columns: &[ColumnArea]) -> String {
    let (sort, glyphs) = (app.listing.sort(), app.theme.glyphs());
    let arrow = if sort.reversed {
        glyphs.descending
    } else {
        glyphs.ascending
    };
    let column = area.id.column();
    let sorted_is_shown = columns.iter().any(|shown| shown.id == sort.column);
    if area.id == sort.column && area.width == 1 {
        arrow.to_owned()
    } else if area.id == sort.column {
        format!("{}{arrow}", column.title)
    } else if column.is_required() && !sorted_is_shown {
        format!("{} by {}{arrow}", column.title, sort.column.column().title)
    } else {
        column.title.to_owned()
    }
}

fn draw_row(
    buffer: &mut Buffer,
    area: Rect,
    app: &App,
    row: &Row,
    context: &Context,
    columns: &[ColumnArea],
) {
    let selected = app.listing.selected() == Some(row.key());
    let selected = selected.then(|| selected_style(app, row, context));
    if let Some(style) = selected {
        buffer.set_style(area, style);
    }
    draw_gutter(buffer, area, app, row, selected);
    for ColumnArea { id, x, width } in columns {
        let column = id.column();
        let style = selected.unwrap_or_else(|| app.theme.style(column.cell_role(row, context.now)));
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

fn draw_gutter(buffer: &mut Buffer, area: Rect, app: &App, row: &Row, selected: Option<Style>) {
    let (theme, glyphs) = (app.theme, app.theme.glyphs());
    let style = selected.unwrap_or_else(|| theme.style(Role::NeedsYou));
    if app.listing.is_marked(row.key()) {
        put(buffer, area, (area.x, area.y, 1), glyphs.marked, style, app);
    }
    if row.needs_you() {
        let cell = (area.x + 1, area.y, 1);
        put(buffer, area, cell, glyphs.needs_you, style, app);
    }
}

/// Puts `text` into the cells at `(x, y, width)`, cut to what of them is in `area`.
fn put(
    buffer: &mut Buffer,
    area: Rect,
    (x, y, width): (u16, u16, u16),
    text: &str,
    style: Style,
    app: &App,
) {
    let width = usize::from(width.min(area.right().saturating_sub(x)));
    if width > 0 {
        buffer.set_stringn(x, y, app.theme.cut(text, width), width, style);
    }
}

/// What to do next, where there is no row to show.
fn draw_empty(buffer: &mut Buffer, area: Rect, app: &App, board: &Board) {
    let filter = app.listing.filter();
    let (what, next) = if !filter.is_empty() {
        (
            format!("Nothing here matches /{filter}"),
            app.keys.hint(Action::Back, "clears the filter."),
        )
    } else if board.counts().total == 0 {
        (ViewId::EVERYTHING.view().empty.to_owned(), how_to_add(app))
    } else {
        (
            app.listing.view().view().empty.to_owned(),
            app.keys
                .hint(Action::View(ViewId::EVERYTHING), "shows all jobs."),
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
        let cell = (
            area.x + GUTTER.min(area.width),
            y,
            area.width.saturating_sub(GUTTER),
        );
        put(buffer, area, cell, line, app.theme.style(role), app);
    }
}

fn how_to_add(app: &App) -> String {
    let path = app.config_path.as_ref();
    let file = path.map_or_else(
        || String::from("the config file"),
        |path| text::clean(&path.to_string_lossy()),
    );
    let key = app.keys.key_of(Action::AddJobs);
    let or_press = key.map_or_else(String::new, |key| format!(", or press {key}"));
    format!(
        "List job ids under [[projects]] in {file} (it is reread when it changes){or_press}. mintwatch --demo shows how it looks."
    )
}
