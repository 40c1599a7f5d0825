//! The failures of error statuses and of bodies that are no job: what happened and how to fix it, in
//! one line.
//!
//! This file must not know how a response was received, or when a call is retried.

use super::Call;
use super::wire::{self, DecodeError};
use crate::base_url::KEYS_PAGE;
use crate::failure::{ErrorKind, Failure};
use crate::http::{Client, Reply};
use crate::time::duration;

/// A reply with a status that is no success.
pub(super) fn error_status(http: &Client, call: &Call<'_>, reply: &Reply) -> Failure {
    let code = reply.status.as_u16();
    let (kind, mut message) = (kind(code), (call.explain)(code));
    if let Some(text) = wire::error_text(&reply.body) {
        let text = http.quote(&text, call.key.secret());
        message = format!("{message} (the server says: {text})");
    }
    // Only for writes: the row of a failed poll has a countdown.
    if kind == ErrorKind::RateLimited
        && call.prompt.is_some()
        && let Some(wait) = reply.retry_after()
    {
        message = format!("{message}; the server asks to wait {}", duration(wait));
    }
    reply.failure(kind, message)
}

fn kind(code: u16) -> ErrorKind {
    match code {
        401 => ErrorKind::Auth,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimited,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::Protocol,
    }
}

/// A successful reply whose body is no job.
pub(super) fn invalid_body(http: &Client, call: &Call<'_>, error: &DecodeError) -> Failure {
    let message = error.message(http, call.key.secret());
    Failure::new(ErrorKind::Protocol, message)
}

/// The message for the status `code` of a poll.
pub(super) fn poll_message(code: u16) -> String {
    match code {
        401 => format!(
            "the key was refused (401): it may have expired or been revoked; check it at {KEYS_PAGE}"
        ),
        403 => format!(
            "not allowed (403): the key's scope or this network's address forbids it; check the \
             key's limits at {KEYS_PAGE}"
        ),
        404 => {
            "no such job in this project (404): check both ids and base_url in the config".into()
        }
        429 => "too many requests (429): wait, or poll less often ([poll] in the config)".into(),
        500..=599 => format!("the server failed ({code}): try again later"),
        _ => format!("the server did not accept the request ({code}): is base_url right?"),
    }
}

/// For an id that cannot be one segment of a path, so that no request is made.
pub(super) fn invalid_id() -> Failure {
    Failure::new(
        ErrorKind::NotFound,
        "this id is empty, a dot or has control characters, so it names no job: check both ids in \
         the config",
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use reqwest::header::HeaderMap;

    use super::super::TERMS;
    use super::*;
    use crate::http::StatusCode;
    use crate::key::ApiKey;

    const KEY: &str = "mint_canary_0123456789";

    fn with_call<T>(run: impl FnOnce(&Client, &Call<'_>) -> T) -> T {
        let base_url = "http://localhost:9".parse().unwrap();
        let http = Client::new(&base_url, Duration::from_secs(20), TERMS).unwrap();
        let call = Call {
            project: "p",
            path: &["job", "j"],
            prompt: None,
            key: &ApiKey::parse(KEY).unwrap(),
            explain: poll_message,
        };
        run(&http, &call)
    }

    fn failure(code: u16, headers: &[(&str, &str)], body: &str) -> Failure {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let reply = Reply {
            status: StatusCode::from_u16(code).unwrap(),
            headers: headers.collect::<HeaderMap>(),
            body: body.into(),
            received_at: Timestamp::UNIX_EPOCH,
        };
        with_call(|http, call| error_status(http, call, &reply))
    }

    #[test]
    fn status_table() {
        for (code, kind, want) in [
            (
                401,
                ErrorKind::Auth,
                "the key was refused (401): it may have expired",
            ),
            (
                403,
                ErrorKind::Forbidden,
                "not allowed (403): the key's scope or this network",
            ),
            (
                404,
                ErrorKind::NotFound,
                "no such job in this project (404): check both ids",
            ),
            (
                429,
                ErrorKind::RateLimited,
                "too many requests (429): wait, or poll less",
            ),
            (
                500,
                ErrorKind::Server,
                "the server failed (500): try again later",
            ),
            (503, ErrorKind::Server, "the server failed (503): "),
            (599, ErrorKind::Server, "the server failed (599): "),
            (
                400,
                ErrorKind::Protocol,
                "the server did not accept the request (400): is base_url",
            ),
            (
                418,
                ErrorKind::Protocol,
                "the server did not accept the request (418): ",
            ),
            (
                999,
                ErrorKind::Protocol,
                "the server did not accept the request (999): ",
            ),
        ] {
            let error = failure(code, &[], "");
            assert_eq!(error.kind, kind, "{code}");
            assert!(error.message.starts_with(want), "{code}: {error}");
            assert_eq!(error.retry_at, None);
        }
    }

    #[test]
    fn the_server_is_quoted_without_the_key() {
        for (text, want) in [
            ("Rate limit exceeded", "Rate limit exceeded"),
            ("\u{1b}[2Jx\ny", "[2Jx y"),
            (&format!("bad key {KEY}!"), "bad key [the key]!"),
        ] {
            let body = serde_json::json!({ "error": text }).to_string();
            let message = failure(500, &[], &body).message;
            let quote = format!(" (the server says: {want})");
            assert!(message.ends_with(&quote), "{message}");
        }
    }

    #[test]
    fn decode_error_table() {
        for (error, want) in [
            (DecodeError::Empty, "the reply is empty"),
            (
                DecodeError::Html,
                "the reply is HTML, not JSON: is base_url right?",
            ),
            (
                DecodeError::Truncated,
                "the reply stops in the middle of its JSON",
            ),
            (DecodeError::NotJson, "the reply is not JSON"),
            (
                DecodeError::RepeatsSecret("prLink"),
                "the reply repeats the key in `prLink`, so that it was refused:",
            ),
            (
                DecodeError::Shape("`status` is a number, not text".into()),
                "the reply is not what the API promises: `status` is a number, not text;",
            ),
        ] {
            let error = with_call(|http, call| invalid_body(http, call, &error));
            assert_eq!(error.kind, ErrorKind::Protocol);
            assert!(error.message.starts_with(want), "{error}");
        }
    }

    #[test]
    fn retry_after_is_read_from_any_refusal() {
        for code in [401, 429, 503] {
            let error = failure(code, &[("Retry-After", "120")], "");
            let want = Timestamp::UNIX_EPOCH + Duration::from_mins(2);
            assert_eq!(error.retry_at, Some(want));
        }
        let error = failure(
            503,
            &[
                ("Retry-After", "Wed, 21 Oct 2015 07:28:07 GMT"),
                ("Date", "Wed, 21 Oct 2015 07:28:00 GMT"),
            ],
            "",
        );
        let want = Timestamp::UNIX_EPOCH + Duration::from_secs(7);
        assert_eq!(error.retry_at, Some(want));
    }
}
