//! How a pull request stands.
//!
//! This file must not know which service said so, or in which words.

use std::fmt;

use jiff::Timestamp;

/// A pull request as it was when it was read. Its `Display` is such as `open, review required`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestState {
    pub state: PullState,
    pub is_draft: bool,
    pub review: Review,
    pub checks: Checks,
    /// `Some(false)` is a conflict; `None` is not known (yet).
    pub mergeable: Option<bool>,
    /// Cleaned and capped.
    pub title: Option<String>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    pub merged_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullState {
    Open,
    Merged,
    /// Without having been merged.
    Closed,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Review {
    Approved,
    ChangesRequested,
    Required,
    /// None is required, and none was given.
    None,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    Passing,
    Failing,
    Pending,
    /// The last commit has none.
    None,
    Unknown,
}

impl PullState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Merged => "merged",
            Self::Closed => "closed",
            Self::Unknown => "unknown",
        }
    }
}

impl Review {
    fn words(self) -> Option<&'static str> {
        match self {
            Self::Approved => Some("approved"),
            Self::ChangesRequested => Some("changes requested"),
            Self::Required => Some("review required"),
            Self::None | Self::Unknown => None,
        }
    }
}

impl Checks {
    fn words(self) -> Option<&'static str> {
        match self {
            Self::Passing => Some("checks passing"),
            Self::Failing => Some("checks failing"),
            Self::Pending => Some("checks pending"),
            Self::None | Self::Unknown => None,
        }
    }
}

impl fmt::Display for PullRequestState {
    /// What is known; of one that is no longer open, nothing else matters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.state.as_str())?;
        if self.state != PullState::Open {
            return Ok(());
        }
        let conflict = (self.mergeable == Some(false)).then_some("conflict");
        let draft = self.is_draft.then_some("draft");
        let details = [draft, self.review.words(), self.checks.words(), conflict];
        for words in details.into_iter().flatten() {
            write!(f, ", {words}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> PullRequestState {
        PullRequestState {
            state: PullState::Open,
            is_draft: false,
            review: Review::None,
            checks: Checks::None,
            mergeable: None,
            title: None,
            created_at: None,
            updated_at: None,
            merged_at: None,
            closed_at: None,
        }
    }

    #[test]
    fn words_table() {
        let all = PullRequestState {
            is_draft: true,
            review: Review::ChangesRequested,
            checks: Checks::Failing,
            mergeable: Some(false),
            ..open()
        };
        let merged = PullRequestState {
            state: PullState::Merged,
            ..all.clone()
        };
        let waiting = PullRequestState {
            review: Review::Required,
            checks: Checks::Unknown,
            mergeable: Some(true),
            ..open()
        };
        for (state, want) in [
            (open(), "open"),
            (waiting, "open, review required"),
            (
                all,
                "open, draft, changes requested, checks failing, conflict",
            ),
            (merged, "merged"),
        ] {
            assert_eq!(state.to_string(), want);
        }
    }
}
