//! A drawn frame as an SVG of a terminal window. It must not know what was drawn.

use std::fmt::{self, Write};

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

const FONT: &str = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace";
/// Of one cell, for letters 14 high.
const WIDTH: f32 = 8.4;
const HEIGHT: f32 = 20.0;
const BASELINE: f32 = 15.0;
/// From the top of the window to the first row, and around the cells.
const BAR: f32 = 40.0;
const MARGIN: f32 = 14.0;

const BACKGROUND: &str = "#16191f";
const FOREGROUND: &str = "#d7dbe3";

/// `frame` in a window called `title`.
pub(crate) fn window(frame: &Buffer, title: &str) -> String {
    let columns = usize::from(frame.area.width).max(1);
    let rows = frame.content.chunks(columns);
    let (width, height) = (
        cells(columns) + 2.0 * MARGIN,
        BAR + f32::from(frame.area.height) * HEIGHT + MARGIN,
    );
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="{FONT}" font-size="14">
<title>{title}</title>
<rect x="0.5" y="0.5" width="{}" height="{}" rx="10" fill="{BACKGROUND}" stroke="#3a4150"/>
<circle cx="22" cy="20" r="6" fill="#ec6a5e"/>
<circle cx="42" cy="20" r="6" fill="#f4bf4f"/>
<circle cx="62" cy="20" r="6" fill="#61c554"/>
<text x="{}" y="25" text-anchor="middle" fill="#8b93a3">{title}</text>
"##,
        width - 1.0,
        height - 1.0,
        width / 2.0,
        title = Escaped(title),
    );
    let mut top = BAR;
    for row in rows {
        push_backgrounds(&mut svg, top, row);
        push_words(&mut svg, top + BASELINE, row);
        top += HEIGHT;
    }
    svg.push_str("</svg>\n");
    svg
}

fn push_backgrounds(svg: &mut String, top: f32, row: &[Cell]) {
    let mut left = MARGIN;
    for run in row.chunk_by(|a, b| colors(a).1 == colors(b).1) {
        let width = cells(run.len());
        let color = colors(&run[0]).1;
        if color != BACKGROUND {
            push(
                svg,
                format_args!(
                    r#"<rect x="{left:.1}" y="{top}" width="{width:.1}" height="{HEIGHT}" fill="{color}"/>"#
                ),
            );
        }
        left += width;
    }
}

/// Word by word, each in its place and of its width, so that another font shifts no column.
fn push_words(svg: &mut String, base: f32, row: &[Cell]) {
    let mut left = MARGIN;
    for word in row.chunk_by(|a, b| is_blank(a) == is_blank(b) && a.style() == b.style()) {
        let width = cells(word.len());
        if !is_blank(&word[0]) {
            let text: String = word.iter().map(Cell::symbol).collect();
            let (text, look) = (Escaped(&text), Look(&word[0]));
            push(
                svg,
                format_args!(
                    r#"<text x="{left:.1}" y="{base}" textLength="{width:.1}"{look}>{text}</text>"#
                ),
            );
        }
        left += width;
    }
}

fn push(svg: &mut String, element: fmt::Arguments) {
    // EditedDocument to a `String` cannot fail.
    let _ = svg.write_fmt(element);
    svg.push('\n');
}

/// The width of so many cells.
fn cells(count: usize) -> f32 {
    u16::try_from(count).map_or(f32::MAX, f32::from) * WIDTH
}

fn is_blank(cell: &Cell) -> bool {
    cell.symbol().trim().is_empty()
}

/// The colours of the text and of what is behind it.
fn colors(cell: &Cell) -> (&'static str, &'static str) {
    let text = color(cell.fg).unwrap_or(FOREGROUND);
    let behind = color(cell.bg).unwrap_or(BACKGROUND);
    if cell.modifier.contains(Modifier::REVERSED) {
        (behind, text)
    } else {
        (text, behind)
    }
}

/// One of the terminal's 16 colours; `None` for its default.
fn color(color: Color) -> Option<&'static str> {
    let code = match color {
        Color::Black => "#2b303b",
        Color::Red => "#f2777a",
        Color::Green => "#98c379",
        Color::Yellow => "#e5c07b",
        Color::Blue => "#6cb2f0",
        Color::Magenta => "#d694e8",
        Color::Cyan => "#5fc7d4",
        Color::Gray => "#b8bfcc",
        Color::DarkGray => "#6b7383",
        Color::LightRed => "#ff9a9d",
        Color::LightGreen => "#b7dd9b",
        Color::LightYellow => "#f3d79a",
        Color::LightBlue => "#93caf7",
        Color::LightMagenta => "#e6b3f3",
        Color::LightCyan => "#8fdde6",
        Color::White => "#f2f4f8",
        _ => return None,
    };
    Some(code)
}

/// The attributes of a cell's text.
struct Look<'a>(&'a Cell);

impl fmt::Display for Look<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#" fill="{}""#, colors(self.0).0)?;
        for (modifier, attribute) in [
            (Modifier::BOLD, r#" font-weight="bold""#),
            (Modifier::DIM, r#" fill-opacity="0.67""#),
            (Modifier::UNDERLINED, r#" text-decoration="underline""#),
        ] {
            if self.0.modifier.contains(modifier) {
                f.write_str(attribute)?;
            }
        }
        Ok(())
    }
}

/// Text as it stands between two tags (XML 1.0, section 2.4).
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            other => f.write_char(other),
        })
    }
}
