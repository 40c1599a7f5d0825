//! How soon a job wants to be seen again, by its status.

use crate::job::Status;

/// How soon a job wants to be seen again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// It is at work, or its status is not one we know.
    Active,
    /// It is done, but a follow-up can wake it.
    Finished,
    /// It is archived: one look is enough.
    Once,
}

impl Pace {
    pub fn from_status(status: Option<&Status>) -> Self {
        match status {
            Some(Status::Completed | Status::Failed) => Self::Finished,
            Some(Status::Archived) => Self::Once,
            Some(Status::Active | Status::Other(_)) | None => Self::Active,
        }
    }
}
