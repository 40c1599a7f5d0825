//! How rows are presented: columns, order, filter, views, theme and plurals.
//!
//! The dashboard and the verbs both read these, so that they cannot disagree. Nothing here may know
//! who draws, or use more of ratatui than its types for styles.

use crate::job::Status;

pub mod columns;
pub mod filter;
pub mod fit;
mod from_config;
pub mod measure;
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

/// Why a job has no pull request, as far as the API tells: a completed one may have pushed straight
/// to the deploy branch, so that it is never said that nothing changed.
pub fn why_no_pull_request(status: Option<&Status>) -> &'static str {
    match status {
        Some(Status::Completed) => {
            ": it completed without one (nothing changed, or it pushed straight to the branch)"
        }
        Some(Status::Failed) => ": it failed",
        Some(Status::Archived) => ", and it is archived",
        Some(Status::Active | Status::Other(_)) | None => " yet: it is still at work",
    }
}
