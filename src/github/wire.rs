//! GitHub's JSON, and its conversion into the states of pull requests.
//!
//! A member may be missing, null, or a word that is not known; one of the wrong type is an error that names
//! it. This file must not know how a body was received, or how an error is told.

use std::fmt;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{RateLimit, Viewer, query};
use crate::json::{DecodeError, Object, Text, decode, non_empty, refuse_secret, timestamp};
use crate::pull_request::{Checks, PullRequestState, PullState, Review};
use crate::text;

/// In cells: GitHub's own limit is 256 characters.
const MAX_TITLE: usize = 256;

/// An entry of `errors`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct QueryError {
    /// Such as `NOT_FOUND`.
    pub(super) kind: String,
    pub(super) message: String,
    path: Vec<String>,
}

impl QueryError {
    pub(super) fn is_limit(&self) -> bool {
        self.kind == "RATE_LIMITED"
    }

    fn is_about(&self, at: usize) -> bool {
        self.path.first() == Some(&query::alias(at))
    }
}

/// A query that was answered with nothing but errors.
pub(super) struct Refused {
    pub(super) errors: Vec<QueryError>,
    /// When the points of the token are given anew, if that is told all the same.
    pub(super) reset_at: Option<Timestamp>,
}

pub(super) struct States {
    /// In the order of the query; without a state, the error that says why, if one does.
    pub(super) states: Vec<Result<PullRequestState, Option<QueryError>>>,
    pub(super) rate_limit: Option<RateLimit>,
}

/// What a reply to [`query::viewer`] has; its errors where it has no viewer.
pub(super) fn viewer(
    body: &[u8],
    token: &SecretString,
) -> Result<Result<Viewer, Refused>, DecodeError> {
    let reply: WireReply = decode(body)?;
    let errors = reply.errors();
    let data = reply.data.unwrap_or_default();
    let login = data
        .viewer
        .and_then(|Object(viewer)| non_empty(viewer.login));
    refuse_secret("viewer.login", login.as_deref(), token)?;
    let rate_limit = rate_limit(data.rate_limit);
    let refused = Refused {
        errors,
        reset_at: rate_limit.and_then(|limit| limit.reset_at),
    };
    Ok(login
        .map(|login| Viewer { login, rate_limit })
        .ok_or(refused))
}

/// What a reply to [`query::pull_requests`] of `count` has; its errors where it has no data.
pub(super) fn pull_requests(
    body: &[u8],
    count: usize,
    token: &SecretString,
) -> Result<Result<States, Refused>, DecodeError> {
    let reply: WireReply = decode(body)?;
    let errors = reply.errors();
    let mut data = reply.data.unwrap_or_default();
    let rate_limit = rate_limit(data.rate_limit.take());
    if data.is_empty() && (rate_limit.is_none() || errors.iter().any(QueryError::is_limit)) {
        let reset_at = rate_limit.and_then(|limit| limit.reset_at);
        return Ok(Err(Refused { errors, reset_at }));
    }
    let mut states = Vec::with_capacity(count);
    for at in 0..count {
        let own = data
            .repositories
            .iter()
            .position(|(name, _)| *name == query::alias(at));
        let repository = own.and_then(|own| data.repositories.swap_remove(own).1);
        let error = errors.iter().find(|error| error.is_about(at));
        let pull_request = repository.and_then(|Object(repository)| repository.pull_request);
        let state = pull_request.map(|Object(wire)| wire.state(error.is_some()));
        let title = state.as_ref().and_then(|state| state.title.as_deref());
        refuse_secret("title", title, token)?;
        states.push(state.ok_or_else(|| error.cloned()));
    }
    Ok(Ok(States { states, rate_limit }))
}

/// The text of `{"message": "..."}`, cleaned: how a request that is no query's is refused.
pub(super) fn message(body: &[u8]) -> Option<String> {
    let reply = decode::<WireReply>(body).ok()?;
    non_empty(reply.message)
}

#[derive(Deserialize)]
struct WireReply {
    data: Option<WireData>,
    errors: Option<Vec<Object<WireError>>>,
    message: Option<Text>,
}

impl WireReply {
    fn errors(&self) -> Vec<QueryError> {
        let all = self.errors.iter().flatten();
        all.map(|Object(error)| error.convert()).collect()
    }
}

#[derive(Deserialize)]
struct WireError {
    #[serde(rename = "type")]
    kind: Option<Text>,
    message: Option<Text>,
    path: Option<Vec<PathPart>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PathPart {
    Name(String),
    Other(IgnoredAny),
}

impl WireError {
    fn convert(&self) -> QueryError {
        let text = |text: &Option<Text>| text.as_ref().map(|Text(text)| text.clone());
        let path = self.path.iter().flatten().filter_map(|part| match part {
            PathPart::Name(name) => Some(name.clone()),
            PathPart::Other(_) => None,
        });
        QueryError {
            kind: text(&self.kind).unwrap_or_default(),
            message: text(&self.message).unwrap_or_default(),
            path: path.collect(),
        }
    }
}

/// By hand, since its members have the names of aliases.
#[derive(Default)]
struct WireData {
    rate_limit: Option<Object<WireRateLimit>>,
    viewer: Option<Object<WireViewer>>,
    repositories: Vec<(String, Option<Object<WireRepository>>)>,
}

impl WireData {
    fn is_empty(&self) -> bool {
        self.repositories.iter().all(|(_, own)| own.is_none())
    }
}

impl<'de> Deserialize<'de> for WireData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DataVisitor)
    }
}

struct DataVisitor;

impl<'de> Visitor<'de> for DataVisitor {
    type Value = WireData;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WireData, A::Error> {
        let mut data = WireData::default();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "rateLimit" => data.rate_limit = map.next_value()?,
                "viewer" => data.viewer = map.next_value()?,
                _ => data.repositories.push((name, map.next_value()?)),
            }
        }
        Ok(data)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRateLimit {
    cost: Option<u64>,
    remaining: Option<u64>,
    reset_at: Option<Text>,
}

fn rate_limit(wire: Option<Object<WireRateLimit>>) -> Option<RateLimit> {
    let Object(wire) = wire?;
    Some(RateLimit {
        cost: wire.cost.unwrap_or_default(),
        remaining: wire.remaining?,
        reset_at: timestamp(wire.reset_at),
    })
}

#[derive(Deserialize)]
struct WireViewer {
    login: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRepository {
    pull_request: Option<Object<WirePullRequest>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePullRequest {
    title: Option<Text>,
    state: Option<Text>,
    is_draft: Option<bool>,
    mergeable: Option<Text>,
    review_decision: Option<Text>,
    created_at: Option<Text>,
    updated_at: Option<Text>,
    merged_at: Option<Text>,
    closed_at: Option<Text>,
    commits: Option<Object<WireCommits>>,
}

#[derive(Deserialize)]
struct WireCommits {
    nodes: Option<Vec<Option<Object<WireNode>>>>,
}

#[derive(Deserialize)]
struct WireNode {
    commit: Option<Object<WireCommit>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCommit {
    status_check_rollup: Option<Object<WireRollup>>,
}

#[derive(Deserialize)]
struct WireRollup {
    state: Option<Text>,
}

impl WirePullRequest {
    /// `is_partial` where an error says that something of it may not be read.
    fn state(self, is_partial: bool) -> PullRequestState {
        let title = non_empty(self.title);
        PullRequestState {
            state: pull_state(word(self.state.as_ref())),
            is_draft: self.is_draft.unwrap_or_default(),
            review: review(word(self.review_decision.as_ref())),
            checks: match self.commits.and_then(|Object(commits)| commits.rollup()) {
                None if is_partial => Checks::Unknown,
                rollup => checks(word(rollup.as_ref())),
            },
            mergeable: mergeable(word(self.mergeable.as_ref())),
            title: title.map(|title| text::truncate(&title, MAX_TITLE, "…").into_owned()),
            created_at: timestamp(self.created_at),
            updated_at: timestamp(self.updated_at),
            merged_at: timestamp(self.merged_at),
            closed_at: timestamp(self.closed_at),
        }
    }
}

impl WireCommits {
    fn rollup(self) -> Option<Text> {
        let Object(node) = self.nodes?.pop()??;
        let Object(commit) = node.commit?;
        let Object(rollup) = commit.status_check_rollup?;
        rollup.state
    }
}

/// Empty where there is none.
fn word(text: Option<&Text>) -> &str {
    text.map_or("", |Text(text)| text)
}

fn pull_state(word: &str) -> PullState {
    match word {
        "OPEN" => PullState::Open,
        "MERGED" => PullState::Merged,
        "CLOSED" => PullState::Closed,
        _ => PullState::Unknown,
    }
}

fn review(word: &str) -> Review {
    match word {
        "APPROVED" => Review::Approved,
        "CHANGES_REQUESTED" => Review::ChangesRequested,
        "REVIEW_REQUIRED" => Review::Required,
        "" => Review::None,
        _ => Review::Unknown,
    }
}

fn checks(word: &str) -> Checks {
    match word {
        "SUCCESS" => Checks::Passing,
        "FAILURE" | "ERROR" => Checks::Failing,
        "PENDING" | "EXPECTED" => Checks::Pending,
        "" => Checks::None,
        _ => Checks::Unknown,
    }
}

fn mergeable(word: &str) -> Option<bool> {
    match word {
        "MERGEABLE" => Some(true),
        "CONFLICTING" => Some(false),
        _ => None,
    }
}
