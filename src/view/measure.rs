//! How wide the cells of a table are and what its rows have in common: worked out when the rows
//! change, so that drawing only looks it up.
//!
//! This file must not know how wide the table may be.

use jiff::Timestamp;

use super::columns::{ColumnId, Context, branch};
use crate::board::Row;
use crate::job::AGENT_BRANCHES;
use crate::text;
use crate::view::theme::Glyphs;

/// What is known of the rows of a table. The default is that of no rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// The cells of the widest text of each column, up to its most.
    widths: Vec<u16>,
    /// What every branch begins with, up to a slash.
    branch_prefix: String,
    several_projects: bool,
}

impl Measure {
    pub fn of(rows: &[&Row], now: Timestamp, glyphs: &'static Glyphs) -> Self {
        let branches = rows.iter().filter_map(|row| branch(row));
        let mut projects = rows.iter().map(|row| &row.key().project);
        let first = projects.next();
        let mut measure = Self {
            widths: Vec::new(),
            branch_prefix: shared_prefix(branches).to_owned(),
            several_projects: projects.any(|project| Some(project) != first),
        };
        let context = measure.context(now, glyphs);
        let widths = ColumnId::all().map(|id| widest(id, rows, &context));
        measure.widths = widths.collect();
        measure
    }

    /// What the cells of these rows are written with.
    pub fn context(&self, now: Timestamp, glyphs: &'static Glyphs) -> Context<'_> {
        Context {
            now,
            glyphs,
            branch_prefix: &self.branch_prefix,
        }
    }

    /// The cells of the widest text in a column, up to the column's most.
    pub fn width(&self, id: ColumnId) -> u16 {
        self.widths.get(id.index()).copied().unwrap_or(0)
    }

    pub fn several_projects(&self) -> bool {
        self.several_projects
    }
}

fn widest(id: ColumnId, rows: &[&Row], context: &Context) -> u16 {
    let column = id.column();
    let mut widest = 0;
    for row in rows {
        if widest >= column.max_width {
            break;
        }
        let cells = text::width(&(column.text)(row, context));
        widest = widest.max(u16::try_from(cells).unwrap_or(u16::MAX));
    }
    widest.min(column.max_width)
}

/// The longest beginning that ends with a slash and that all `branches` share. A single branch shares
/// nothing, but the agent's own prefix tells nothing about it either.
fn shared_prefix<'a>(mut branches: impl Iterator<Item = &'a str>) -> &'a str {
    let Some(first) = branches.next() else {
        return "";
    };
    let mut prefix = through_last_slash(first);
    let mut is_single = true;
    for branch in branches {
        is_single = false;
        while !branch.starts_with(prefix) {
            prefix = through_last_slash(&prefix[..prefix.len() - 1]);
        }
    }
    match is_single {
        true if first.starts_with(AGENT_BRANCHES) => &first[..AGENT_BRANCHES.len()],
        true => "",
        false => prefix,
    }
}

fn through_last_slash(text: &str) -> &str {
    text.rfind('/').map_or("", |at| &text[..=at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_prefix_table() {
        for (branches, want) in [
            (&[][..], ""),
            (&["main"], ""),
            (&["mintlify/a"], "mintlify/"),
            (&["fix/a"], ""),
            (&["mintlify/a", "mintlify/b"], "mintlify/"),
            (&["mintlify/x/a", "mintlify/x/b", "mintlify/y"], "mintlify/"),
            (&["mintlify/a", "main"], ""),
            (&["a/b/c", "a/b/c"], "a/b/"),
            (&["/a", "b"], ""),
            (&["é/a", "ü/a"], ""),
        ] {
            let branches = branches.iter().copied();
            assert_eq!(
                shared_prefix(branches.clone()),
                want,
                "{:?}",
                branches.collect::<Vec<_>>()
            );
        }
    }
}
