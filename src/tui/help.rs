//! Draws the help: every action with its keys, from the keymap, in groups, and what the marks mean.

use std::iter;

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::keys::ActiveBinding;
use super::painter::Painter;
use crate::job::Status;
use crate::text;
use crate::view::columns::{status_glyph, status_role};
use crate::view::theme::Role;

/// The cells of a column, of which the keys have the first. Most entries are a line then.
const COLUMN: u16 = 40;
const KEYS: usize = 12;

type Block = Vec<Line<'static>>;

/// Draws the help, and returns how far it is scrolled.
pub(super) fn draw(painter: &mut Painter, area: Rect) -> usize {
    let most = usize::from((area.width / COLUMN).max(1));
    let blocks = |columns: usize| blocks(painter, usize::from(area.width) / columns);
    let height = usize::from(area.height);
    // As few columns as show all of it, else as many as fit.
    let columns = (1..=most).find(|columns| distribute(blocks(*columns), *columns).1 <= height);
    let columns = columns.unwrap_or(most);
    let (parts, _) = distribute(blocks(columns), columns);
    let lines = side_by_side(parts, usize::from(area.width) / columns);
    painter.scrolled(area, lines)
}

/// The blocks in so many columns, in their order, and the lines of the longest column, which are as
/// few as can be.
fn distribute(blocks: Vec<Block>, columns: usize) -> (Vec<Block>, usize) {
    let total: usize = blocks.iter().map(Vec::len).sum();
    let lengths: Vec<usize> = blocks.iter().map(Vec::len).collect();
    let height = (total.div_ceil(columns)..total).find(|height| fill(&lengths, *height) <= columns);
    let height = height.unwrap_or(total);
    let mut parts: Vec<Block> = vec![Vec::new()];
    for block in blocks {
        match parts.last_mut() {
            Some(part) if part.is_empty() || part.len() + block.len() <= height => {
                part.extend(block);
            }
            _ => parts.push(block),
        }
    }
    (parts, height)
}

/// How many columns of this height blocks of these lengths fill.
fn fill(lengths: &[usize], height: usize) -> usize {
    let (mut columns, mut used) = (1, 0);
    for length in lengths {
        if used > 0 && used + length > height {
            columns += 1;
            used = 0;
        }
        used += length;
        columns += usize::from(used > height) * lengths.len();
    }
    columns
}

fn side_by_side(parts: Vec<Block>, width: usize) -> Vec<Line<'static>> {
    let height = parts.iter().map(Vec::len).max().unwrap_or(0);
    let mut parts: Vec<_> = parts.into_iter().map(Vec::into_iter).collect();
    let line = |_| {
        let mut line = Line::default();
        for (at, part) in parts.iter_mut().enumerate() {
            let pad = (at * width).saturating_sub(line.width());
            line.push_span(" ".repeat(pad));
            line.extend(part.next().unwrap_or_default());
        }
        line
    };
    (0..height).map(line).collect()
}

/// The groups of the keymap and the legend, each with a blank line after it.
fn blocks(painter: &Painter, width: usize) -> Vec<Block> {
    let bindings = painter.app.keys.bindings();
    let groups = bindings.chunk_by(|a, b| a.binding.group == b.binding.group);
    let groups = groups.map(|group| {
        let entries = group
            .iter()
            .flat_map(|active| entry(painter, active, width));
        block(painter, group[0].binding.group, entries, width)
    });
    let marks = legend(painter).into_iter();
    let marks = marks.flat_map(|(sign, role, what)| lines(painter, &sign, role, what, width));
    let legend = block(painter, "Signs", marks, width);
    groups.chain([legend]).collect()
}

fn block(
    painter: &Painter,
    title: &str,
    entries: impl Iterator<Item = Line<'static>>,
    width: usize,
) -> Block {
    let title = painter.truncate(&format!(" {title}"), width);
    let title = Line::from(painter.span(title, Role::Strong));
    let lines = iter::once(title).chain(entries);
    lines.chain([Line::default()]).collect()
}

fn entry(painter: &Painter, active: &ActiveBinding, width: usize) -> Block {
    let names: Vec<String> = active.chords.iter().map(ToString::to_string).collect();
    let names = match names.as_slice() {
        [] => painter.glyphs().none.to_owned(),
        names => names.join(" "),
    };
    lines(painter, &names, Role::Key, active.binding.help, width)
}

/// A sign and what it means. A sign that needs more than its cells is on a line of its own.
fn lines(painter: &Painter, sign: &str, role: Role, what: &str, width: usize) -> Block {
    let mut pieces = text::wrap(what, width.saturating_sub(KEYS + 2));
    if text::width(sign) >= KEYS {
        pieces.insert(0, "");
    }
    let mut sign = format!(
        " {sign}{}",
        " ".repeat(KEYS.saturating_sub(text::width(sign)))
    );
    let line = |piece: &str| {
        let sign = std::mem::replace(&mut sign, " ".repeat(KEYS + 1));
        let sign = painter.span(sign, role);
        Line::from(vec![sign, Span::raw(piece.to_owned())])
    };
    pieces.into_iter().map(line).collect()
}

/// What the signs in the table mean, as it draws them.
fn legend(painter: &Painter) -> Vec<(String, Role, &'static str)> {
    let glyphs = painter.glyphs();
    let status = |status: Option<Status>, what| {
        let glyph = status_glyph(status.as_ref(), glyphs);
        (glyph.to_owned(), status_role(status.as_ref()), what)
    };
    vec![
        (
            glyphs.needs_you.to_owned(),
            Role::NeedsYou,
            "needs you: failed, or has a pull request",
        ),
        (
            glyphs.acknowledged.to_owned(),
            Role::Muted,
            "acknowledged: quiet until it changes",
        ),
        (glyphs.marked.to_owned(), Role::Strong, "marked"),
        (
            glyphs.new.to_owned(),
            Role::NeedsYou,
            "changed since you said that you had seen it",
        ),
        status(Some(Status::Active), "active: the agent is working"),
        status(Some(Status::Completed), "completed"),
        status(Some(Status::Failed), "failed: the agent gave up"),
        status(Some(Status::Archived), "archived in Mintlify"),
        status(None, "unknown status, or not seen yet"),
        (
            String::from("dim"),
            Role::Muted,
            "stale: SEEN says since when, and why",
        ),
        (
            format!("{}2h", glyphs.at_most),
            Role::Plain,
            "SINCE: so when first seen, no longer than this",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_spread_over_as_few_lines_as_can_be() {
        for (lengths, columns, want) in [
            (&[3, 3][..], 1, 6),
            (&[3, 3], 2, 3),
            (&[5, 1, 1], 2, 5),
            (&[1, 1, 5], 2, 5),
            (&[4, 2, 4], 2, 6),
            (&[4, 4, 4], 5, 4),
            (&[], 2, 0),
        ] {
            let blocks: Vec<Block> = lengths
                .iter()
                .map(|length| vec![Line::default(); *length])
                .collect();
            let (parts, height) = distribute(blocks, columns);
            assert_eq!(height, want, "{lengths:?}");
            assert!(parts.len() <= columns, "{lengths:?}");
            assert!(parts.iter().all(|part| part.len() <= height));
        }
    }
}
