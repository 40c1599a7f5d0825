//! `mintwatch open`: opens the pull request of a job.
//!
//! This file must not know how the job is polled, or how a browser is started.

use clap::Args;

use crate::board::Row;
use crate::job::Status;
use crate::link::{Link, LinkError};

/// What `open` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mintwatch open job_01
  mintwatch open \"SDK quickstart\"
  gh pr checkout \"$(mintwatch open job_01 --print)\"

Where there is no browser, as over SSH, the link is printed instead. BROWSER names another one.

Exit codes: 0 done; 1 there is no pull request, or it could not be opened; 4 no key, or a key
refused.")]
pub struct OpenArgs {
    /// The job: an id, PROJECT/JOB, or a label
    #[arg(value_name = "JOB")]
    pub job: String,
    /// Print the link instead of opening it
    #[arg(long)]
    pub print: bool,
}

/// Why there is no link to open, in words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoLink {
    /// The poll was refused for want of a key.
    #[error("{0}: {1}")]
    NoKey(String, String),
    /// The poll failed.
    #[error("{0}: {1}")]
    NotSeen(String, String),
    /// The job has no pull request.
    #[error("{0} has no pull request{1}")]
    NoPullRequest(String, &'static str),
    /// The link leads nowhere safe.
    #[error("{0}: {1}")]
    Unsafe(String, LinkError),
}

/// The link to the pull request of `row`, which was polled just now.
pub fn pull_request(row: &Row) -> Result<Link, NoLink> {
    let title = row.watched.title().to_owned();
    if let Some(error) = &row.error {
        let message = error.message.clone();
        return Err(if error.kind.blames_key() {
            NoLink::NoKey(title, message)
        } else {
            NoLink::NotSeen(title, message)
        });
    }
    match row.pull_request() {
        Some(found) => {
            let link = found.link().cloned();
            link.map_err(|refused| NoLink::Unsafe(title, refused.clone()))
        }
        None => Err(NoLink::NoPullRequest(title, why_none(row.status()))),
    }
}

fn why_none(status: Option<&Status>) -> &'static str {
    match status {
        Some(Status::Completed) => ": it completed without changing a file",
        Some(Status::Failed) => ": it failed",
        Some(Status::Archived) => ", and it is archived",
        Some(Status::Active | Status::Other(_)) | None => " yet: it is still at work",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::board::{Board, Project, Update, Watched};
    use crate::failure::{ErrorKind, Failure};
    use crate::job::{Job, JobKey};
    use crate::pull_request::PullRequest;

    fn told(update: Update) -> String {
        let key = JobKey::new("p", "job_1");
        let mut board = Board::new([Watched {
            key: key.clone(),
            project: Arc::new(Project {
                id: "p".into(),
                name: None,
            }),
            label: None,
            tags: Vec::new(),
        }]);
        board.apply(&key, update, Timestamp::UNIX_EPOCH);
        match pull_request(board.row(&key).unwrap()) {
            Ok(url) => url.to_string(),
            Err(error) => error.to_string(),
        }
    }

    fn seen(status: &str, link: Option<&str>) -> Update {
        let job = Job {
            status: Some(Status::from_api(status)),
            pull_request: link.map(PullRequest::new),
            ..Job::default()
        };
        let fresh_for = None;
        Update::Fetched { job, fresh_for }
    }

    #[test]
    fn link_table() {
        for (status, link, want) in [
            (
                "completed",
                Some("https://github.com/a/b/pull/1"),
                "https://github.com/a/b/pull/1",
            ),
            (
                "completed",
                None,
                "job_1 has no pull request: it completed without changing a file",
            ),
            ("failed", None, "job_1 has no pull request: it failed"),
            (
                "archived",
                None,
                "job_1 has no pull request, and it is archived",
            ),
            (
                "active",
                None,
                "job_1 has no pull request yet: it is still at work",
            ),
            (
                "completed",
                Some("file:///etc/passwd"),
                "job_1: link refused: only http and https links are opened, not file",
            ),
        ] {
            assert_eq!(told(seen(status, link)), want, "{status} {link:?}");
        }
        let failed = Failure::new(ErrorKind::Timeout, "no answer");
        assert_eq!(told(Update::Failed(failed)), "job_1: no answer");
    }
}
