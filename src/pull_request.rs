//! The pull request of a job: its link, checked once, its number, and what GitHub knows it by (`id`) and
//! says of it (`state`).
//!
//! This file must not know which job it belongs to, or how a link is opened.

mod id;
mod state;

pub use id::PullRequestId;
pub use state::{Checks, PullRequestState, PullState, Review};

use crate::link::{Link, LinkError};

/// The `prLink` of the API: a link, or cleaned text that must not be opened and is shown only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest(Result<Link, (String, LinkError)>);

impl From<Link> for PullRequest {
    fn from(link: Link) -> Self {
        Self(Ok(link))
    }
}

impl PullRequest {
    /// `link` is cleaned text from the API.
    pub fn new(link: impl Into<String>) -> Self {
        let text = link.into();
        Self(Link::parse(&text).map_err(|error| (text, error)))
    }

    /// The link, or why it must not be opened.
    pub fn link(&self) -> Result<&Link, &LinkError> {
        self.0.as_ref().map_err(|(_, error)| error)
    }

    /// The link for display: in its normal form, or as the API sent it where it is refused.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Ok(link) => link.as_str(),
            Err((text, _)) => text,
        }
    }

    /// The number at the end of the link (`…/pull/412`, `…/merge_requests/412`).
    pub fn number(&self) -> Option<u64> {
        let segments = self.link().ok()?.as_url().path_segments()?;
        let mut segments = segments.rev().filter(|segment| !segment.is_empty());
        let number = segments.next()?.parse().ok()?;
        let kind = segments.next()?;
        matches!(kind, "pull" | "pulls" | "pull-requests" | "merge_requests").then_some(number)
    }

    /// What GitHub knows it by, if its link has the form of GitHub's.
    pub fn id(&self) -> Option<PullRequestId> {
        PullRequestId::from_link(self.link().ok()?)
    }

    /// `#412`, or `link` where the link holds no number.
    pub fn short(&self) -> String {
        self.number()
            .map_or_else(|| String::from("link"), |number| format!("#{number}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_table() {
        for (link, want) in [
            ("https://github.com/acme/docs/pull/412", Some(412)),
            ("https://github.com/acme/docs/pull/412/", Some(412)),
            ("https://gitlab.com/acme/docs/-/merge_requests/7", Some(7)),
            ("https://github.com/acme/docs/issues/412", None),
            ("https://github.com/acme/docs/pull/412/files", None),
            (
                "https://github.com/acme/docs/pull/99999999999999999999",
                None,
            ),
            ("not a link", None),
            ("", None),
        ] {
            assert_eq!(PullRequest::new(link).number(), want, "{link}");
        }
    }

    #[test]
    fn the_normal_form_is_shown_and_a_refused_link_stays_text() {
        let pull_request = PullRequest::new("https://gіthub.com/acme/docs/pull/4");
        assert_eq!(
            pull_request.as_str(),
            "https://xn--gthub-n2e.com/acme/docs/pull/4"
        );
        let refused = PullRequest::new("javascript:alert(1)");
        assert_eq!(refused.as_str(), "javascript:alert(1)");
        assert_eq!(
            refused.link(),
            Err(&LinkError::Scheme(String::from("javascript")))
        );
        assert_eq!(refused.short(), "link");
    }
}
