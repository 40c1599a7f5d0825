//! The client of one GitHub's GraphQL API: the states of pull requests, and whose token it is.
//!
//! It sends queries by POST to the one address that the config has for this GitHub, and never a mutation.
//! Queries are built in `query`, JSON is decoded in `wire`, failures are explained in `refusal`, and
//! requests are sent by [`http`]. This file must not know the board or the schedule.
//!
//! Contract: <https://docs.github.com/en/graphql>.

mod query;
mod refusal;
mod wire;

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use tracing::Instrument as _;

use crate::config::GithubHost;
use crate::failure::{ErrorKind, Failure};
use crate::http::{self, Method, Reply, Request, SetupError, StatusCode, Terms};
use crate::pull_request::{PullRequestId, PullRequestState};
use crate::token::Token;

/// The most pull requests of one request.
const MAX_BATCH: usize = 25;
/// The most decoded bytes of a reply.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// After so many pull requests that fail even alone, GitHub is taken to be down.
const MAX_FAILED_ALONE: usize = 2;
const TERMS: Terms = Terms {
    address: "[[github.hosts]]",
    secret: "token",
};

/// Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: http::Client,
    host: String,
}

/// What was read: each pull request that was asked for once.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub results: Vec<(PullRequestId, Result<PullRequestState, Failure>)>,
    /// As the last reply has it.
    pub rate_limit: Option<RateLimit>,
}

/// The points of a token, which are given anew each hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Of the request.
    pub cost: u64,
    pub remaining: u64,
    pub reset_at: Option<Timestamp>,
}

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    pub login: String,
    pub rate_limit: Option<RateLimit>,
}

/// Why a request gave nothing.
struct RequestError {
    failure: Failure,
    /// Whether fewer pull requests at once may succeed.
    is_too_much: bool,
}

impl From<Failure> for RequestError {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            is_too_much: false,
        }
    }
}

impl Client {
    /// `timeout` is for each request.
    pub fn new(host: &GithubHost, timeout: Duration) -> Result<Self, SetupError> {
        Ok(Self {
            http: http::Client::new(&host.api, timeout, TERMS)?,
            host: host.host.clone(),
        })
    }

    /// Whose token it is, and what is left of its limit.
    pub async fn viewer(&self, token: &Token) -> Result<Viewer, Failure> {
        let reply = self.send(query::viewer(), token).await;
        let reply = reply.map_err(|error| error.failure)?;
        let viewer = wire::viewer(&reply.body, token.secret());
        let viewer = viewer.map_err(|error| self.invalid_body(&error, token))?;
        viewer.map_err(|refused| refusal::query(&self.http, token, &reply, &refused))
    }

    /// Reads `pull_requests`, each once, one request after the other. It is an error where nothing could be
    /// read; else a failure stands with the pull requests that it concerns.
    pub async fn read(
        &self,
        pull_requests: &[PullRequestId],
        token: &Token,
    ) -> Result<Batch, Failure> {
        let mut batch = Batch::default();
        let ids = self.own_ids(pull_requests, &mut batch);
        let mut left: Vec<&[PullRequestId]> = ids.chunks(MAX_BATCH).rev().collect();
        let (mut answered, mut failed_alone) = (false, 0);
        while let Some(ids) = left.pop() {
            let error = match self.read_once(ids, token, &mut batch).await {
                Ok(()) => {
                    answered = true;
                    continue;
                }
                Err(error) => error,
            };
            if error.is_too_much && ids.len() > 1 {
                let (first, second) = ids.split_at(ids.len() / 2);
                left.extend([second, first]);
                continue;
            }
            failed_alone += 1;
            let goes_on = error.is_too_much && failed_alone < MAX_FAILED_ALONE;
            let rest = if goes_on {
                Vec::new()
            } else {
                std::mem::take(&mut left)
            };
            if !answered && !goes_on {
                return Err(error.failure);
            }
            let failed = ids.iter().chain(rest.into_iter().rev().flatten());
            batch.fail(failed, &error.failure);
        }
        Ok(batch)
    }

    /// Those of this GitHub, each once. Another GitHub's would be looked for in the wrong place.
    fn own_ids(&self, ids: &[PullRequestId], batch: &mut Batch) -> Vec<PullRequestId> {
        let mut seen = HashSet::new();
        let ids = ids.iter().filter(|id| seen.insert(*id)).cloned();
        let (own, others): (Vec<_>, Vec<_>) = ids.partition(|id| id.host == self.host);
        for id in others {
            let failure = refusal::other_host(&id, &self.host);
            batch.results.push((id, Err(failure)));
        }
        own
    }

    async fn read_once(
        &self,
        ids: &[PullRequestId],
        token: &Token,
        batch: &mut Batch,
    ) -> Result<(), RequestError> {
        let reply = self.send(query::pull_requests(ids), token).await?;
        let states = wire::pull_requests(&reply.body, ids.len(), token.secret());
        let states = states.map_err(|error| self.invalid_body(&error, token))?;
        let states =
            states.map_err(|refused| refusal::query(&self.http, token, &reply, &refused))?;
        batch.rate_limit = states.rate_limit.or(batch.rate_limit);
        for (id, state) in ids.iter().zip(states.states) {
            let state = state.map_err(|why| refusal::pull_request(id, why.as_ref()));
            batch.results.push((id.clone(), state));
        }
        Ok(())
    }

    /// Sends `query`, once, and returns a successful reply.
    async fn send(&self, query: serde_json::Value, token: &Token) -> Result<Reply, RequestError> {
        let endpoint = self.http.endpoint(&[]).ok_or_else(refusal::no_endpoint)?;
        let request = Request {
            method: Method::POST,
            endpoint,
            secret: token.secret(),
            json: Some(query),
            limit: MAX_BODY,
        };
        let span = tracing::debug_span!("github", host = ?self.host);
        let reply = self.http.exchange(request).instrument(span).await;
        let reply = reply.map_err(|error| refusal::exchange(&error.failure))?;
        if reply.status.is_success() {
            return Ok(reply);
        }
        let too_much = [StatusCode::BAD_GATEWAY, StatusCode::GATEWAY_TIMEOUT];
        Err(RequestError {
            failure: refusal::error_status(&self.http, token, &reply),
            is_too_much: too_much.contains(&reply.status),
        })
    }

    fn invalid_body(&self, error: &crate::json::DecodeError, token: &Token) -> Failure {
        let message = error.message(&self.http, token.secret());
        Failure::new(ErrorKind::Protocol, format!("GitHub: {message}"))
    }
}

impl Batch {
    fn fail<'a>(&mut self, ids: impl Iterator<Item = &'a PullRequestId>, failure: &Failure) {
        let failed = ids.map(|id| (id.clone(), Err(failure.clone())));
        self.results.extend(failed);
    }
}
