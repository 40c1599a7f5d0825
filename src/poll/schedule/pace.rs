//! How soon a job wants to be seen again, by its status and since when it has it.

use std::time::Duration;

use crate::job::Status;

/// How soon a job wants to be seen again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// It is at work, or its status is not one we know.
    Active,
    /// It is done, for so long, but a follow-up can wake it.
    Finished(Duration),
    /// It is archived: one look is enough.
    Once,
}

impl Pace {
    /// `finished_for` is how long it has been finished, as far as that is known.
    pub fn new(status: Option<&Status>, finished_for: Option<Duration>) -> Self {
        match status {
            Some(Status::Completed | Status::Failed) => {
                Self::Finished(finished_for.unwrap_or_default())
            }
            Some(Status::Archived) => Self::Once,
            Some(Status::Active | Status::Other(_)) | None => Self::Active,
        }
    }
}
