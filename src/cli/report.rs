//! What went wrong with jobs, in lines for standard error.

use std::collections::BTreeMap;

use crate::board::Row;
use crate::view::plural;

/// The most jobs that a line names.
const MAX_NAMED: usize = 5;

/// Each error of `rows` once, after the jobs that have it.
pub fn errors(rows: &[&Row]) -> Vec<String> {
    let mut affected: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        if let Some(error) = &row.error {
            affected.entry(&error.message).or_default().push(row);
        }
    }
    let lines = affected.iter();
    lines
        .map(|(error, rows)| format!("{}: {error}", names(rows)))
        .collect()
}

pub fn names(rows: &[&Row]) -> String {
    let titles = rows.iter().take(MAX_NAMED).map(|row| row.title());
    let named = titles.collect::<Vec<_>>().join(", ");
    match rows.len().saturating_sub(MAX_NAMED) {
        0 => named,
        more => format!("{named} and {more} more {}", plural("job", more)),
    }
}
