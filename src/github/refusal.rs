//! The failures of GitHub: what happened and how to fix it, in one line that names GitHub.
//!
//! This file must not know how a response was received, or when a request is repeated.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderName;

use super::wire::{self, QueryError, Refused};
use crate::failure::{ErrorKind, Failure};
use crate::http::{Client, Reply};
use crate::link::Link;
use crate::pull_request::PullRequestId;
use crate::token::Token;

const SINGLE_SIGN_ON: HeaderName = HeaderName::from_static("x-github-sso");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
/// How long GitHub asks to wait after a limit for which it gives no time.
const DEFAULT_WAIT: Duration = Duration::from_mins(1);

/// A request that got no reply to judge.
pub(super) fn exchange(failure: &Failure) -> Failure {
    Failure {
        message: format!("GitHub: {failure}"),
        ..failure.clone()
    }
}

/// A reply with a status that is no success.
pub(super) fn error_status(http: &Client, token: &Token, reply: &Reply) -> Failure {
    let said = wire::message(&reply.body);
    let code = reply.status.as_u16();
    if is_limit(reply, said.as_deref()) {
        return limit(reply, None);
    }
    let (kind, message) = match code {
        401 => (
            ErrorKind::Auth,
            "GitHub refused the token (401): it may have expired or been revoked".to_owned(),
        ),
        403 => (ErrorKind::Forbidden, forbidden(reply)),
        404 => (
            ErrorKind::NotFound,
            "GitHub has no GraphQL API at this address (404): is `api` in [[github.hosts]] right?"
                .to_owned(),
        ),
        500..=599 => (
            ErrorKind::Server,
            format!("GitHub failed ({code}): try again later"),
        ),
        _ => (
            ErrorKind::Protocol,
            format!("GitHub did not accept the request ({code})"),
        ),
    };
    reply.failure(kind, with_quote(message, said.as_deref(), http, token))
}

/// 403 with nothing that tells of a limit.
fn forbidden(reply: &Reply) -> String {
    let Some(header) = reply.header(&SINGLE_SIGN_ON) else {
        return "GitHub does not allow this (403): check what the token may read".to_owned();
    };
    let ask = "GitHub asks to authorise the token for single sign-on (403)";
    match sign_on_link(header) {
        Some(link) => format!("{ask}: {link}"),
        None => ask.to_owned(),
    }
}

/// The link in `required; url=https://github.com/…`, where it is one of GitHub's own.
fn sign_on_link(header: &str) -> Option<Link> {
    let mut parts = header.split(';').map(str::trim);
    let link = Link::parse(parts.find_map(|part| part.strip_prefix("url="))?).ok()?;
    let url = link.as_url();
    let is_own = url.scheme() == "https" && url.host_str() == Some("github.com");
    (is_own && url.port().is_none()).then_some(link)
}

/// Whether a refusal is about one of GitHub's limits: it has several, and tells them in several ways.
fn is_limit(reply: &Reply, said: Option<&str>) -> bool {
    match reply.status.as_u16() {
        429 => true,
        403 => {
            reply.retry_after().is_some()
                || reply.header(&REMAINING) == Some("0")
                || said.is_some_and(is_limit_text)
        }
        _ => false,
    }
}

fn is_limit_text(text: &str) -> bool {
    text.to_ascii_lowercase().contains("rate limit")
}

/// `reset_at` is what the body says, which a header can say too.
fn limit(reply: &Reply, reset_at: Option<Timestamp>) -> Failure {
    let known = reply.retry_at().or(reset_at).or_else(|| reset(reply));
    let retry_at = known.unwrap_or_else(|| reply.received_at + DEFAULT_WAIT);
    let message = "GitHub's limit for this token is used up: wait";
    Failure {
        retry_at: Some(retry_at),
        ..Failure::new(ErrorKind::RateLimited, message)
    }
}

/// When the points of an hour that is used up are given anew.
fn reset(reply: &Reply) -> Option<Timestamp> {
    if reply.header(&REMAINING) != Some("0") {
        return None;
    }
    let seconds = reply.header(&RESET)?.parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

/// A query that was answered with nothing but `errors`.
pub(super) fn query(http: &Client, token: &Token, reply: &Reply, refused: &Refused) -> Failure {
    let errors = &refused.errors;
    if errors
        .iter()
        .any(|error| error.is_limit() || is_limit_text(&error.message))
    {
        return limit(reply, refused.reset_at);
    }
    let first = errors.first();
    let (kind, message) = match first.map(|error| error.kind.as_str()) {
        Some("INSUFFICIENT_SCOPES" | "FORBIDDEN") => (
            ErrorKind::Forbidden,
            "GitHub does not allow this query: check what the token may read",
        ),
        Some(_) => (ErrorKind::Protocol, "GitHub did not accept the query"),
        None => (
            ErrorKind::Protocol,
            "GitHub answered the query with nothing",
        ),
    };
    let said = first.map(|error| error.message.as_str());
    let message = with_quote(message.to_owned(), said, http, token);
    Failure::new(kind, message)
}

/// A pull request that was not answered, for `error` if that is told.
pub(super) fn pull_request(id: &PullRequestId, error: Option<&QueryError>) -> Failure {
    let repository = id.repository_path();
    match error.map(|error| error.kind.as_str()) {
        Some("NOT_FOUND" | "FORBIDDEN") => Failure::new(
            ErrorKind::NotFound,
            format!("no access to {repository} on GitHub: private, single sign-on, or gone"),
        ),
        _ => Failure::new(
            ErrorKind::Protocol,
            format!("GitHub said nothing of {id}: if this stays so, look at it there"),
        ),
    }
}

/// A pull request of another GitHub than `host`.
pub(super) fn other_host(id: &PullRequestId, host: &str) -> Failure {
    let message = format!("{id} is on another GitHub than {host}, which was not asked for it");
    Failure::new(ErrorKind::NotFound, message)
}

pub(super) fn no_endpoint() -> Failure {
    Failure::new(
        ErrorKind::Protocol,
        "the address of GitHub's API cannot be used",
    )
}

fn with_quote(message: String, said: Option<&str>, http: &Client, token: &Token) -> String {
    match said.filter(|said| !said.is_empty()) {
        Some(said) => format!(
            "{message} (GitHub says: {})",
            http.quote(said, token.secret())
        ),
        None => message,
    }
}
