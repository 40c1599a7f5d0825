//! How rows are presented, whoever draws them: columns, order, filter, views, theme and plurals.
//!
//! The dashboard and `list` both read these, so that they cannot disagree. These files must not know
//! who draws.

use crate::job::Status;

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
