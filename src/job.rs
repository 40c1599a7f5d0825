//! The values of the domain: a job, its status, its pull request, and the key that names it.
//!
//! Everything here is plain data with its text already cleaned. This file must not know how a job
//! is fetched (the wire types live in `mintlify`) or drawn.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

use crate::pull_request::PullRequest;
use crate::text;

/// What the names of the agent's own branches begin with.
pub const AGENT_BRANCHES: &str = "mintlify/";

/// An id that is cheap to clone, and that no other kind of id can be given for.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl<T: Into<Arc<str>>> From<T> for $name {
            fn from(id: T) -> Self {
                Self(id.into())
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self)
            }
        }

        /// As text, since that is what logs show.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&**self, f)
            }
        }
    };
}

id! {
    ProjectId
}
id! {
    /// The id of an agent job, which is unique in its project.
    JobId
}

/// What names a watched job: the ids that the config gives, never the `id` in a reply.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobKey {
    pub project: ProjectId,
    pub id: JobId,
}

impl JobKey {
    pub fn new(project: impl Into<ProjectId>, id: impl Into<JobId>) -> Self {
        Self {
            project: project.into(),
            id: id.into(),
        }
    }
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.project, self.id)
    }
}

/// What the API says that a job is doing
/// (<https://www.mintlify.com/docs/api/agent/v2/get-agent-job>).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Active,
    Completed,
    Archived,
    Failed,
    /// A word that the contract does not list, shown as it came.
    Other(Arc<str>),
}

impl Status {
    /// Those of the API's contract; the API may return others.
    pub const KNOWN: [Self; 4] = [Self::Active, Self::Completed, Self::Failed, Self::Archived];
    /// What a person calls a status that the API did not give; as a group, also any that is not in its
    /// contract.
    pub const UNKNOWN: &'static str = "unknown";

    /// The status that the API's `word` stands for; `word` is cleaned here.
    pub fn from_api(word: &str) -> Self {
        match word {
            "active" => Self::Active,
            "completed" => Self::Completed,
            "archived" => Self::Archived,
            "failed" => Self::Failed,
            other => Self::Other(text::clean(other).into()),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Archived => "archived",
            Self::Failed => "failed",
            Self::Other(word) => word,
        }
    }

    /// `status` in a word, where the API may have given none.
    pub fn word(status: Option<&Self>) -> &str {
        status.map_or(Self::UNKNOWN, Self::as_str)
    }

    /// Whether the API's contract lists it.
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// Whether the agent has stopped work; an unknown status counts as still at work.
    pub fn is_finished(&self) -> bool {
        matches!(self, Self::Completed | Self::Archived | Self::Failed)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A job as one good reply of the API told it. Any field of a reply may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// What it is doing; `None` where the reply did not say.
    pub status: Option<Status>,
    /// The URL of the repository (`source.repository`).
    pub repository: Option<String>,
    /// The branch that the agent works on (`source.ref`).
    pub branch: Option<String>,
    pub model: Option<String>,
    /// The pull request (`prLink`); `None` while at work, or when no file changed.
    pub pull_request: Option<PullRequest>,
    pub created_at: Option<Timestamp>,
    pub archived_at: Option<Timestamp>,
}

impl Job {
    /// Whether the agent has stopped work, as far as the API says.
    pub fn is_finished(&self) -> bool {
        self.status.as_ref().is_some_and(Status::is_finished)
    }

    /// Whether a person has something to do: it failed, or its pull request waits.
    pub fn needs_you(&self) -> bool {
        needs_you(self.status.as_ref(), self.pull_request.is_some())
    }

    /// The branch without the agent's prefix.
    pub fn short_branch(&self) -> Option<&str> {
        Some(text::without_prefix(
            self.branch.as_deref()?,
            AGENT_BRANCHES,
        ))
    }

    /// The page of the branch on its host, where the reply named both a repository and a branch.
    ///
    /// GitHub, Gitea and Bitbucket differ in the middle of the path; GitLab's form is recognised by
    /// its host, and all others get GitHub's.
    pub fn branch_url(&self) -> Option<String> {
        let repository = self.repository.as_deref()?;
        let mut url = Url::parse(repository.trim_end_matches('/').trim_end_matches(".git")).ok()?;
        let gitlab = url.host_str().is_some_and(|host| host.contains("gitlab"));
        {
            let mut path = url.path_segments_mut().ok()?;
            path.pop_if_empty();
            if gitlab {
                path.push("-");
            }
            path.push("tree").extend(self.branch.as_deref()?.split('/'));
        }
        Some(url.into())
    }
}

/// [`Job::needs_you`] of a job of which no more is known.
pub fn needs_you(status: Option<&Status>, has_pull_request: bool) -> bool {
    match status {
        Some(Status::Failed) => true,
        Some(Status::Completed) => has_pull_request,
        _ => false,
    }
}

/// What a person has seen of a job when they acknowledge it: once the job's is another, it may need
/// them again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(String);

impl From<&Job> for Fingerprint {
    fn from(job: &Job) -> Self {
        let status = Status::word(job.status.as_ref());
        Self(match &job.pull_request {
            Some(link) => format!("{status} {}", link.as_str()),
            None => status.to_owned(),
        })
    }
}

impl Fingerprint {
    /// One that was written down before.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// That a person has seen what a job needs them for, or takes that back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    pub key: JobKey,
    /// What they have seen; `None` where they take it back.
    pub seen: Option<Fingerprint>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_you_table() {
        let pr = Some(PullRequest::new("https://github.com/acme/docs/pull/1"));
        for (status, pull_request, want) in [
            (Some(Status::Failed), None, true),
            (Some(Status::Completed), pr.clone(), true),
            (Some(Status::Completed), None, false),
            (Some(Status::Active), pr.clone(), false),
            (Some(Status::Archived), pr.clone(), false),
            (Some(Status::from_api("paused")), pr, false),
            (None, None, false),
        ] {
            let job = Job {
                status,
                pull_request,
                ..Job::default()
            };
            assert_eq!(job.needs_you(), want, "{job:?}");
        }
    }

    #[test]
    fn an_unknown_status_is_shown_as_it_came_and_is_at_work() {
        let status = Status::from_api("on\u{202e} hold\u{1b}");
        assert_eq!(status.as_str(), "on hold");
        assert!(!status.is_finished());
    }

    #[test]
    fn branch_url_table() {
        for (repository, branch, want) in [
            (
                "https://github.com/acme/docs",
                Some("mintlify/sdk"),
                Some("https://github.com/acme/docs/tree/mintlify/sdk"),
            ),
            (
                "https://github.com/acme/docs.git",
                Some("a b#c"),
                Some("https://github.com/acme/docs/tree/a%20b%23c"),
            ),
            (
                "https://gitlab.com/acme/docs/",
                Some("x"),
                Some("https://gitlab.com/acme/docs/-/tree/x"),
            ),
            ("https://github.com/acme/docs", None, None),
            ("nonsense", Some("x"), None),
        ] {
            let job = Job {
                repository: Some(repository.into()),
                branch: branch.map(Into::into),
                ..Job::default()
            };
            assert_eq!(job.branch_url().as_deref(), want, "{repository} {branch:?}");
        }
    }
}
