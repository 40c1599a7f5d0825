//! The client of the Mintlify agent API.
//!
//! Contract: <https://www.mintlify.com/docs/api/agent/v2/get-agent-job>. The wire types are private
//! and convert once. This file must not know the board or the schedule.

use std::time::Duration;

/// What kind of fault ended a call; `list --json` prints it as it is written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// No key, or the key was refused (401).
    Auth,
    /// The key may not do this (403): its scope, or the address it is used from.
    Forbidden,
    /// No such project or job (404).
    NotFound,
    /// Too many requests (429).
    RateLimited,
    /// The server failed (5xx).
    Server,
    /// No connection, or it broke.
    Network,
    /// No full reply in time.
    Timeout,
    /// A reply that does not follow the contract.
    Protocol,
}

/// Why a call failed, in words that are safe to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// What kind of fault it was.
    pub kind: ErrorKind,
    /// What happened and what to do.
    pub message: String,
    /// How long the server asks us to wait (`Retry-After`, RFC 9110 section 10.2.3), unbounded.
    pub retry_after: Option<Duration>,
}
