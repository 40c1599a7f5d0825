//! Why a request to a remote failed: its kind, a message that is safe to show, and when to retry.
//!
//! This file must not know which remote it was, or how the failure is handled.

use jiff::Timestamp;

/// The table of kinds: the name in JSON and in the log, and a few words for a person.
macro_rules! error_kinds {
    ($($(#[$doc:meta])* $kind:ident, $name:literal, $reason:literal;)*) => {
        /// Its names are a contract: `list --json` prints them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
        pub enum ErrorKind {
            $($(#[$doc])* #[serde(rename = $name)] $kind),*
        }

        impl ErrorKind {
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$kind),*];

            /// The kind of this name in JSON.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|kind| kind.as_str() == name)
            }

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name),* }
            }

            pub fn reason(self) -> &'static str {
                match self { $(Self::$kind => $reason),* }
            }
        }
    };
}

error_kinds! {
    /// No key, or the key was refused (401).
    Auth, "auth", "no valid key";
    /// The key lacks the permission (403): its scope, or the IP address it is used from.
    Forbidden, "forbidden", "not allowed";
    /// No such project or job (404).
    NotFound, "not_found", "not found";
    /// Too many requests (429).
    RateLimited, "rate_limited", "rate limited";
    /// 5xx.
    Server, "server", "server error";
    /// No connection, or a broken one.
    Network, "network", "no connection";
    /// No complete response in time.
    Timeout, "timeout", "timeout";
    /// A response that breaks the API's contract.
    Protocol, "protocol", "unexpected response";
}

impl ErrorKind {
    /// Whether another key, or more permissions for this one, would help.
    pub fn blames_key(self) -> bool {
        matches!(self, Self::Auth | Self::Forbidden)
    }

    /// Whether the cause is the one job that was asked for, not the server or the network: polls of
    /// other jobs may succeed.
    pub fn is_own_fault(self) -> bool {
        matches!(self, Self::NotFound | Self::Protocol)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{message}")]
pub struct Failure {
    pub kind: ErrorKind,
    /// What happened and how to fix it: one cleaned line without the key.
    pub message: String,
    /// `Retry-After` of the server.
    #[serde(skip)]
    pub retry_at: Option<Timestamp>,
}

impl Failure {
    /// A failure without a `Retry-After`.
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
        let names = "auth forbidden not_found rate_limited server network timeout protocol";
        assert_eq!(ErrorKind::ALL.map(ErrorKind::as_str).join(" "), names);
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
