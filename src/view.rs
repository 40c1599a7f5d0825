//! How rows are presented, whoever draws them: columns, order, filter, views, theme and plurals.
//!
//! The dashboard and the verbs both read these, so that they cannot disagree. Nothing here may know
//! who draws, or use more of ratatui than its types for styles.

pub mod columns;
pub mod filter;
pub mod fit;
pub mod order;
pub mod theme;
pub mod views;

/// `what` in the singular or the plural, as `count` needs; the number itself is left to the caller.
pub fn plural(what: &str, count: usize) -> String {
    match (count, what.strip_suffix("ch")) {
        (1, _) => what.to_owned(),
        (_, Some(_)) => format!("{what}es"),
        _ => format!("{what}s"),
    }
}
