//! What a reply means that is no success, or no job: one plain line that tells what happened and
//! what to do.
//!
//! This file must not know how a reply came, or when a call is tried again.

use super::Call;
use super::wire::{self, DecodeError};
use crate::failure::{ErrorKind, Failure};
use crate::http::{Client, Reply};
use crate::time::duration;

/// Where a person looks after an organisation's keys.
pub(super) const KEYS_PAGE: &str = "https://app.mintlify.com/settings/organization/api-keys";

/// A reply that is no success.
pub(super) fn refused(http: &Client, call: &Call<'_>, reply: &Reply) -> Failure {
    let (kind, mut message) = (call.meaning)(reply.status.as_u16());
    if let Some(said) = wire::error_text(&reply.body) {
        let said = http.quote(&said, call.key.secret());
        message = format!("{message} (the server says: {said})");
    }
    // The rows of a poll count down to it; whoever made a write is told once.
    if let (ErrorKind::RateLimited, Some(_), Some(wait)) = (kind, call.prompt, reply.retry_after())
    {
        let wait = duration(wait);
        message = format!("{message}; the server asks to wait {wait}");
    }
    reply.failure(kind, message)
}

/// A successful reply whose body is no job.
pub(super) fn undecodable(http: &Client, call: &Call<'_>, error: &DecodeError) -> Failure {
    let message = match error {
        DecodeError::Empty => "the reply is empty: is base_url right?".into(),
        DecodeError::Html => "the reply is HTML, not JSON: is base_url right?".into(),
        DecodeError::Cut => {
            "the reply stops in the middle of its JSON: if this stays so, check base_url and any \
             proxy"
                .into()
        }
        DecodeError::NotJson => "the reply is not JSON: is base_url right?".into(),
        DecodeError::Shape(what) => format!(
            "the reply is not what the API promises: {}; is base_url right, and this program new \
             enough?",
            http.quote(what, call.key.secret())
        ),
    };
    Failure::new(ErrorKind::Protocol, message)
}

/// What the status `code` of a reply to a poll means.
pub(super) fn of_a_poll(code: u16) -> (ErrorKind, String) {
    match code {
        401 => (
            ErrorKind::Auth,
            format!(
                "the key was refused (401): it may have expired or been revoked; check it at \
                 {KEYS_PAGE}"
            ),
        ),
        403 => (
            ErrorKind::Forbidden,
            format!(
                "not allowed (403): the key's scope or this network's address forbids it; check \
                 the key's limits at {KEYS_PAGE}"
            ),
        ),
        404 => (
            ErrorKind::NotFound,
            "no such job in this project (404): check both ids and base_url in the config".into(),
        ),
        429 => (
            ErrorKind::RateLimited,
            "too many requests (429): wait, or poll less often ([poll] in the config)".into(),
        ),
        500..=599 => (
            ErrorKind::Server,
            format!("the server failed ({code}): all that helps is to wait"),
        ),
        _ => (
            ErrorKind::Protocol,
            format!("the server did not accept the request ({code}): is base_url right?"),
        ),
    }
}

/// An id that cannot be one segment of a path, so that no request is made for it.
pub(super) fn unusable_id() -> Failure {
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
            meaning: of_a_poll,
        };
        run(&http, &call)
    }

    fn refusal(code: u16, headers: &[(&str, &str)], body: &str) -> Failure {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let reply = Reply {
            status: StatusCode::from_u16(code).unwrap(),
            headers: headers.collect::<HeaderMap>(),
            body: body.into(),
            received_at: Timestamp::UNIX_EPOCH,
        };
        with_call(|http, call| refused(http, call, &reply))
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
                "the server failed (500): all that helps is to wait",
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
            let error = refusal(code, &[], "");
            assert_eq!(error.kind, kind, "{code}");
            assert!(error.message.starts_with(want), "{code}: {error}");
            assert_eq!(error.retry_at, None);
        }
    }

    #[test]
    fn what_the_server_says_is_quoted_without_the_key() {
        for (said, want) in [
            ("Rate limit exceeded", "Rate limit exceeded"),
            ("\u{1b}[2Jx\ny", "[2Jx y"),
            (&format!("bad key {KEY}!"), "bad key [the key]!"),
        ] {
            let body = serde_json::json!({ "error": said }).to_string();
            let message = refusal(500, &[], &body).message;
            let quote = format!(" (the server says: {want})");
            assert!(message.ends_with(&quote), "{message}");
        }
    }

    #[test]
    fn what_is_no_job_table() {
        for (error, want) in [
            (DecodeError::Empty, "the reply is empty"),
            (
                DecodeError::Html,
                "the reply is HTML, not JSON: is base_url right?",
            ),
            (
                DecodeError::Cut,
                "the reply stops in the middle of its JSON",
            ),
            (DecodeError::NotJson, "the reply is not JSON"),
            (
                DecodeError::Shape("`status` is a number, not text".into()),
                "the reply is not what the API promises: `status` is a number, not text;",
            ),
        ] {
            let error = with_call(|http, call| undecodable(http, call, &error));
            assert_eq!(error.kind, ErrorKind::Protocol);
            assert!(error.message.starts_with(want), "{error}");
        }
    }

    #[test]
    fn retry_after_is_read_from_any_refusal() {
        for code in [401, 429, 503] {
            let error = refusal(code, &[("Retry-After", "120")], "");
            let want = Timestamp::UNIX_EPOCH + Duration::from_mins(2);
            assert_eq!(error.retry_at, Some(want));
        }
        let error = refusal(
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
