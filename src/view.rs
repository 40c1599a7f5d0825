//! How rows are presented, whoever draws them: columns, order, filter, views, theme and plurals.
//!
//! The dashboard and `list` both read these, so that they cannot disagree. These files must not know
//! who draws.

pub mod columns;
pub mod filter;
pub mod theme;
pub mod views;

/// `what`, as many as there are of it.
pub fn plural(what: &str, count: usize) -> String {
    match (count, what.strip_suffix("ch")) {
        (1, _) => what.to_owned(),
        (_, Some(_)) => format!("{what}es"),
        _ => format!("{what}s"),
    }
}
