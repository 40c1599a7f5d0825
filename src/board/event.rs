//! What changes about a job that a person cares about.

use std::fmt;

use jiff::Timestamp;

use super::Row;
use crate::job::{Job, JobKey, Status};
use crate::pull_request::PullRequest;

/// A change that a person cares about. The first sight of a job is none.
///
/// What else there is to say of the job stands in its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When we learnt of it; the same for all that one reply brought.
    pub at: Timestamp,
    pub key: JobKey,
    pub change: Change,
}

/// What has changed, in words as `active to completed` and `pull request #412`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Status {
        from: Option<Status>,
        to: Option<Status>,
    },
    /// A link appeared, or another one took its place.
    PullRequest(PullRequest),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { from, to } => {
                write!(
                    f,
                    "{} to {}",
                    Status::word(from.as_ref()),
                    Status::word(to.as_ref())
                )
            }
            Self::PullRequest(pull_request) => write!(f, "pull request {}", pull_request.short()),
        }
    }
}

/// What a person would want to hear of `job` after what `row` knows.
pub(super) fn between(row: &Row, job: &Job, now: Timestamp) -> Vec<Event> {
    let Some(before) = &row.job else {
        return Vec::new();
    };
    let status = (before.status != job.status).then(|| Change::Status {
        from: before.status.clone(),
        to: job.status.clone(),
    });
    let pull_request = job
        .pull_request
        .as_ref()
        .filter(|link| before.pull_request.as_ref() != Some(link))
        .map(|link| Change::PullRequest(link.clone()));
    let changes = status.into_iter().chain(pull_request);
    changes
        .map(|change| Event {
            at: now,
            key: row.key().clone(),
            change,
        })
        .collect()
}
