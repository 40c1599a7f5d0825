//! Why a call to a remote failed: its kind, words that are safe to show, and when to ask again.
//!
//! This file must not know which remote it was, or what is done about it.

use jiff::Timestamp;

/// What kind of fault ended a call; `list --json` prints it as it is written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

impl ErrorKind {
    pub const ALL: [Self; 8] = [
        Self::Auth,
        Self::Forbidden,
        Self::NotFound,
        Self::RateLimited,
        Self::Server,
        Self::Network,
        Self::Timeout,
        Self::Protocol,
    ];

    /// The word for it in JSON, and what a cell of a table says.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Auth => ("auth", "no valid key"),
            Self::Forbidden => ("forbidden", "not allowed"),
            Self::NotFound => ("not_found", "not found"),
            Self::RateLimited => ("rate_limited", "rate limited"),
            Self::Server => ("server", "server error"),
            Self::Network => ("network", "no connection"),
            Self::Timeout => ("timeout", "timeout"),
            Self::Protocol => ("protocol", "unexpected response"),
        }
    }

    /// The word for it in JSON and in the log.
    pub fn as_str(self) -> &'static str {
        self.words().0
    }

    /// The fewest words for a person.
    pub fn reason(self) -> &'static str {
        self.words().1
    }

    /// Whether another key, or more rights for this one, is what would help.
    pub fn blames_key(self) -> bool {
        matches!(self, Self::Auth | Self::Forbidden)
    }

    /// Whether it says something of the one thing that was asked for, and nothing of the server or
    /// of the way to it: other jobs may be well.
    pub fn is_own_fault(self) -> bool {
        matches!(self, Self::NotFound | Self::Protocol)
    }
}

impl serde::Serialize for ErrorKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub kind: ErrorKind,
    /// What happened and what to do: one cleaned line without the key.
    pub message: String,
    /// When the server lets us ask again, where it said so (`Retry-After`).
    pub retry_at: Option<Timestamp>,
}

impl Failure {
    /// A failure for which the server named no time to ask again.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_are_those_of_the_json() {
        let words = "auth forbidden not_found rate_limited server network timeout protocol";
        assert_eq!(ErrorKind::ALL.map(ErrorKind::as_str).join(" "), words);
        for kind in ErrorKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn what_is_to_blame() {
        let those = |is: fn(ErrorKind) -> bool| {
            let kinds = ErrorKind::ALL.into_iter().filter(|kind| is(*kind));
            kinds.map(ErrorKind::as_str).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(those(ErrorKind::blames_key), "auth forbidden");
        assert_eq!(those(ErrorKind::is_own_fault), "not_found protocol");
    }
}
