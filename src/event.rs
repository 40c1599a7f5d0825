//! What changes about a job that a person cares about.
//!
//! This file must not know who watches the job, or who is told.

use std::fmt;

use jiff::Timestamp;

use crate::job::{Job, JobKey, Status};
use crate::pull_request::PullRequest;

/// A change that a person cares about. The first sight of a job is none.
///
/// What else there is to say of the job stands in its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When we learnt of it; the same for all that one reply brought.
    pub at: Timestamp,
    /// Where nothing polled the job before: since when it can have happened.
    pub since: Option<Timestamp>,
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

impl Change {
    /// Whether the job has ended its work by this.
    pub fn ends_work(&self) -> bool {
        let is_finished =
            |status: &Option<Status>| status.as_ref().is_some_and(Status::is_finished);
        matches!(self, Self::Status { from, to } if !is_finished(from) && is_finished(to))
    }

    /// What a person would want to hear of a job that was `before` and is `after`. A change of status
    /// comes before one of the pull request.
    pub fn between(before: &Job, after: &Job) -> Vec<Self> {
        let status = (before.status != after.status).then(|| Self::Status {
            from: before.status.clone(),
            to: after.status.clone(),
        });
        let pull_request = after.pull_request.as_ref();
        let pull_request = pull_request
            .filter(|link| before.pull_request.as_ref() != Some(link))
            .map(|link| Self::PullRequest(link.clone()));
        status.into_iter().chain(pull_request).collect()
    }
}
