//! What `doctor` reports of GitHub. The state of pull requests is an extra, so that no token is no problem;
//! one that does not work is.
//!
//! This file must not know how the facts are gathered.

use jiff::Timestamp;

use super::Finding;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::github::{RateLimit, Viewer};
use crate::pull_request::{PullRequestId, PullRequestState};
use crate::time;
use crate::token::{TokenError, TokenSource};

const TOPIC: &str = "github";

pub fn off() -> Finding {
    Finding::ok(TOPIC, "enabled = false: GitHub is not asked")
}

pub fn no_token(host: &str) -> Finding {
    let advice = if host == "github.com" {
        "set GH_TOKEN, run `gh auth login`, or name its source as `token` in [github]".to_owned()
    } else {
        format!(
            "run `gh auth login --hostname {host}`, or name its source as `token` in \
             [[github.hosts]]"
        )
    };
    let message = format!("{host}: no token, so that it is not asked; {advice}");
    Finding::ok(TOPIC, message)
}

pub fn token_error(host: &str, error: &TokenError) -> Finding {
    Finding::problem(Exit::Failed, TOPIC, format!("{host}: {error}"))
}

pub fn viewer(host: &str, source: &TokenSource, viewer: &Viewer, now: Timestamp) -> Finding {
    let login = &viewer.login;
    let points = viewer.rate_limit.map(|limit| points(limit, now));
    let points = points.unwrap_or_default();
    Finding::ok(TOPIC, format!("{host}: {source} is of {login}{points}"))
}

fn points(limit: RateLimit, now: Timestamp) -> String {
    let until = limit.reset_at.map(|reset| time::until(reset, now));
    let until = until.map_or_else(String::new, |until| format!(", new ones in {until}"));
    format!("; {} points left of this hour{until}", limit.remaining)
}

/// A token that could not be used.
pub fn failed(host: &str, source: &TokenSource, error: &Failure, now: Timestamp) -> Finding {
    let message = format!("{host}, {source}: {}", told(error, now));
    Finding::problem(Exit::Failed, TOPIC, message)
}

pub fn pull_request(
    id: &PullRequestId,
    state: Result<&PullRequestState, &Failure>,
    now: Timestamp,
) -> Finding {
    match state {
        Ok(state) => Finding::ok(TOPIC, format!("{id}: {state}")),
        Err(error) => {
            let message = format!("{id}: {}", told(error, now));
            Finding::problem(Exit::Failed, TOPIC, message)
        }
    }
}

/// A pull request where no GitHub of the config is.
pub fn unknown_host(id: &PullRequestId) -> Finding {
    let message = format!(
        "{id}: not read, since [[github.hosts]] does not list {}",
        id.host
    );
    Finding::ok(TOPIC, message)
}

fn told(error: &Failure, now: Timestamp) -> String {
    match error.retry_at {
        Some(at) => format!("{error}; again in {}", time::until(at, now)),
        None => error.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::ErrorKind;

    #[test]
    fn github_table() {
        let now = Timestamp::UNIX_EPOCH;
        let minutes = |minutes| Some(now + jiff::SignedDuration::from_mins(minutes));
        let source = TokenSource::Variable("GH_TOKEN");
        let known = Viewer {
            login: "octocat".into(),
            rate_limit: Some(RateLimit {
                cost: 1,
                remaining: 4_990,
                reset_at: minutes(12),
            }),
        };
        let limit = Failure {
            retry_at: minutes(3),
            ..Failure::new(ErrorKind::RateLimited, "GitHub's limit")
        };
        for (finding, exit, want) in [
            (
                viewer("github.com", &source, &known, now),
                Exit::Done,
                "github.com: $GH_TOKEN is of octocat; 4990 points left of this hour, new ones in 12m",
            ),
            (
                failed("github.com", &source, &limit, now),
                Exit::Failed,
                "github.com, $GH_TOKEN: GitHub's limit; again in 3m",
            ),
            (
                no_token("github.acme.dev"),
                Exit::Done,
                "github.acme.dev: no token, so that it is not asked; run `gh auth login --hostname \
                 github.acme.dev`, or name its source as `token` in [[github.hosts]]",
            ),
        ] {
            assert_eq!((finding.exit, &*finding.message), (exit, want));
        }
    }
}
