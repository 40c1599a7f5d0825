//! Jobs as a table with the dashboard's columns.

use std::borrow::Cow;
use std::io::{self, Write};

use jiff::Timestamp;

use super::output::{OutputStyle, paint};
use crate::board::Row;
use crate::text;
use crate::view::columns::{Absent, Colored, Column, ColumnId, Context};
use crate::view::fit::fit;
use crate::view::measure::Measure;
use crate::view::order::Sort;
use crate::view::theme::{Role, Theme};

pub fn print_rows(
    rows: &[&Row],
    style: OutputStyle,
    now: Timestamp,
    out: &mut dyn Write,
) -> io::Result<()> {
    let measure = match style.width {
        Some(_) => Measure::of(rows, now, style.theme.glyphs()),
        // Nothing is left out of what may be read by a program.
        None => Measure::default(),
    };
    let context = measure.context(now, style.theme.glyphs());
    let columns = columns(rows, style, &measure, &context);
    let titles = columns
        .iter()
        .map(|(column, width)| (*column, column.title.into(), *width, Role::Strong));
    print_line(titles.collect(), style.theme, out)?;
    for row in rows {
        let cells = columns.iter().map(|(column, width)| {
            let text = (column.text)(row, &context);
            (*column, text, *width, column.cell_role(row, now))
        });
        print_line(cells.collect(), style.theme, out)?;
    }
    Ok(())
}

/// The columns with their widths: those that fit, or of the longest text if the width is unlimited.
fn columns(
    rows: &[&Row],
    style: OutputStyle,
    measure: &Measure,
    context: &Context,
) -> Vec<(&'static Column, usize)> {
    if let Some(width) = style.width {
        let all: Vec<ColumnId> = ColumnId::all().collect();
        let order = Sort::default().column;
        let fitted = fit(&all, order, measure, width, 2).into_iter();
        return fitted
            .map(|(id, width)| (id.column(), usize::from(width)))
            .collect();
    }
    let longest = |column: &Column| {
        let texts = rows
            .iter()
            .map(|row| text::width(&(column.text)(row, context)));
        texts.chain([column.title.len()]).max().unwrap_or_default()
    };
    // One poll of each job sees no change.
    let columns = ColumnId::all().map(ColumnId::column);
    let columns = columns.filter(|column| column.absent != Absent::UntilAChangeWasSeen);
    columns.map(|column| (column, longest(column))).collect()
}

fn print_line(
    cells: Vec<(&Column, Cow<'_, str>, usize, Role)>,
    theme: Theme,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut line = String::new();
    for (column, text, width, role) in cells {
        let cell = theme.printable(theme.cut(column.cut, &text, width));
        let pad = " ".repeat(width.saturating_sub(text::width(&cell)) + 2);
        let (style, mark_style) = (theme.style(role), theme.mark(role));
        let mark = cell.chars().next();
        let mark = mark.filter(|_| column.colored == Colored::Mark && mark_style != style);
        let (mark, rest) = cell.split_at(mark.map_or(0, char::len_utf8));
        line.push_str(&paint(theme, mark_style, mark));
        line.push_str(&paint(theme, style, rest));
        line.push_str(&pad);
    }
    writeln!(out, "{}", line.trim_end())
}
