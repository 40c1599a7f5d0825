//! Draws the table of jobs, or what to do next where it is empty.
//!
//! Only the rows on the screen are formatted, so that a frame costs the same however many there are.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::app::App;
use super::hit_test::{ColumnArea, GUTTER, column_areas};
use super::keys::Action;
use super::layout::header_and_rows;
use super::painter::Painter;
use crate::board::{Freshness, Row};
use crate::config::ids::WHERE_TO_FIND;
use crate::text;
use crate::view::columns::{Colored, Column};
use crate::view::theme::Role;
use crate::view::views::ViewId;

pub(super) fn draw(painter: &mut Painter, area: Rect) {
    let (listing, board) = (&painter.app.listing, painter.board);
    let [header, rows] = header_and_rows(area);
    let columns = column_areas(area, listing, painter.app.measure());
    draw_header(painter, header, &columns);
    if listing.is_empty() {
        draw_empty(painter, rows);
    }
    for (line, row) in rows.rows().zip(listing.window(board)) {
        draw_row(painter, line, row, &columns);
    }
}

fn draw_header(painter: &mut Painter, line: Rect, columns: &[ColumnArea]) {
    let style = painter.style(Role::Strong);
    for column in columns {
        let title = title(column, painter.app, columns);
        painter.text(column.within(line), &title, style);
    }
}

/// The title of a column, with an arrow if the rows are sorted by it. Where the sorted column has
/// left the screen, the column that never leaves says so for it.
fn title(area: &ColumnArea, app: &App, columns: &[ColumnArea]) -> String {
    let (sort, glyphs) = (app.listing.sort(), app.theme.glyphs());
    let arrow = glyphs.arrow(sort.reversed);
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

fn draw_row(painter: &mut Painter, line: Rect, row: &Row, columns: &[ColumnArea]) {
    let app = painter.app;
    let context = app.measure().context(painter.now, painter.glyphs());
    let selected = app.listing.selected() == Some(row.key());
    let selected = selected.then(|| selected_style(painter, row));
    if let Some(style) = selected {
        painter.buffer.set_style(line, style);
    }
    draw_gutter(painter, line, row, selected);
    for area in columns {
        let column = area.id.column();
        let (cell, role) = (area.within(line), column.cell_role(row, painter.now));
        let style = selected.unwrap_or_else(|| painter.style(role));
        let text = (column.text)(row, &context);
        painter.text_cut(column.cut, cell, &text, style);
        if column.colored == Colored::Mark && selected.is_none() {
            painter.color_mark(cell, role);
        }
        underline_found(painter, cell, column, &text);
    }
}

/// Underlines what the words of the filter were found in, as far as it is drawn.
fn underline_found(painter: &mut Painter, cell: Rect, column: &Column, text: &str) {
    let theme = painter.app.theme;
    let shown = theme.cut(column.cut, text, usize::from(cell.width));
    for place in painter.app.listing.filter().found_in(column.name, &shown) {
        let cells = |text: &str| u16::try_from(text::width(text)).unwrap_or(u16::MAX);
        let found = Rect {
            x: cell.x.saturating_add(cells(&shown[..place.start])),
            width: cells(&shown[place]),
            ..cell
        };
        let style = Style::new().underlined();
        painter.buffer.set_style(found.intersection(cell), style);
    }
}

/// One style for the whole row: it stands out, and a step down a long list stays cheap over a slow
/// line. A row that is not fresh is lighter there too; dimmed, it would be grey on grey.
fn selected_style(painter: &Painter, row: &Row) -> Style {
    let style = painter.app.theme.selected();
    match row.freshness(painter.now) {
        Freshness::Fresh => style.add_modifier(Modifier::BOLD),
        Freshness::Stale | Freshness::Restored | Freshness::NeverSeen => style,
    }
}

fn draw_gutter(painter: &mut Painter, line: Rect, row: &Row, selected: Option<Style>) {
    let (glyphs, theme) = (painter.glyphs(), painter.app.theme);
    let marked = painter.app.listing.is_marked(row.key());
    let signs = [
        (marked, glyphs.marked, Role::Strong),
        (row.needs_you(), glyphs.needs_you, Role::NeedsYou),
        (row.is_acknowledged(), glyphs.acknowledged, Role::Muted),
    ];
    // The last two exclude each other, and share a cell.
    let cells = [0, 1, 1]
        .into_iter()
        .filter_map(|nth| line.columns().nth(nth));
    for (cell, (is_shown, sign, role)) in cells.zip(signs) {
        if is_shown {
            let style = selected.unwrap_or_else(|| theme.mark(role));
            painter.text(cell, sign, style);
        }
    }
}

/// What to do next, where there is no row to show.
fn draw_empty(painter: &mut Painter, area: Rect) {
    let width = usize::from(area.width.saturating_sub(GUTTER + 1));
    let (what, next) = what_next(painter);
    let what = text::wrap(&what, width).into_iter();
    let next = text::wrap(&next, width).into_iter();
    let lines = what
        .map(|line| (line, Role::Strong))
        .chain(next.map(|line| (line, Role::Plain)));
    let blank = usize::from(area.height > 4);
    for (row, (text, role)) in area.rows().skip(blank).zip(lines) {
        let x = row.x + GUTTER;
        let style = painter.style(role);
        painter.text(Rect { x, ..row }.intersection(row), text, style);
    }
}

/// Why the table is empty, and which key helps.
fn what_next(painter: &Painter) -> (String, String) {
    let app = painter.app;
    let filter = app.listing.filter().text();
    if !filter.is_empty() {
        let next = app.keys.hint(Action::Back, "clears the filter.");
        (format!("Nothing here matches /{filter}"), next)
    } else if painter.board.counts().total == 0 {
        match app.no_project() {
            Some(what_and_next) => what_and_next,
            None => (ViewId::EVERYTHING.view().empty.to_owned(), how_to_add(app)),
        }
    } else {
        let all = Action::View(ViewId::EVERYTHING);
        let next = app.keys.hint(all, "shows all jobs.");
        (app.listing.view().view().empty.to_owned(), next)
    }
}

fn how_to_add(app: &App) -> String {
    let new = app.keys.hint(Action::NewJob, "starts a job");
    let add = app
        .keys
        .hint(Action::AddJobs, "watches one that exists, by its id");
    let file = app.config_name();
    format!(
        "{new}, {add}: {WHERE_TO_FIND}. Both list it in {file}, which is reread when it changes. \
         mintwatch --demo shows how it looks."
    )
}
