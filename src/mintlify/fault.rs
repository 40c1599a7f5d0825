//! What is said when a call fails: one plain line that tells what happened and what to do.
//!
//! Everything that the server wrote is cleaned, cut, and freed of the key before it is quoted. This
//! file must not know when a call is tried again.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use url::Url;

use super::wire::{self, DecodeError};
use super::{ApiError, ErrorKind, MAX_SILENCE, ReadError};
use crate::key::ApiKey;
use crate::text;
use crate::time;

/// The most characters that are quoted of what the server says.
const MAX_QUOTE: usize = 200;
/// Where a person looks after an organisation's keys.
pub(super) const KEYS_PAGE: &str = "https://app.mintlify.com/settings/organization/api-keys";
/// How the HTTP client's words for a fault of the proxy begin; it has no public type.
const PROXY_FAULT: &str = "tunnel error: ";

/// Turns the faults of one call into words.
pub(super) struct Faults<'a> {
    pub(super) base_url: &'a Url,
    pub(super) timeout: Duration,
    pub(super) silence: Duration,
    pub(super) key: &'a ApiKey,
    /// What a refusal of this call means, by its code.
    pub(super) refusal: fn(u16) -> (ErrorKind, String),
}

impl Faults<'_> {
    /// A reply that is no success.
    pub(super) fn status(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> ApiError {
        let (kind, mut message) = if status.is_redirection() {
            let location = header(headers, &LOCATION);
            (
                ErrorKind::Protocol,
                self.redirect(status.as_u16(), location),
            )
        } else {
            (self.refusal)(status.as_u16())
        };
        if let Some(said) = wire::error_text(body) {
            message = format!("{message} (the server says: {})", self.quote(&said));
        }
        ApiError {
            kind,
            message,
            retry_after: retry_after(header(headers, &RETRY_AFTER), header(headers, &DATE), now),
        }
    }

    /// Only where a redirect leads to is told: the rest of a `Location` can hold anything.
    fn redirect(&self, code: u16, location: Option<&str>) -> String {
        let to = location
            .and_then(|location| self.base_url.join(location).ok())
            .filter(Url::has_host)
            .map(|url| format!(" to {}", self.quote(&url.origin().ascii_serialization())))
            .unwrap_or_default();
        format!(
            "the server redirects ({code}){to}: this is not followed, so that the key stays where \
             it belongs; put the right address in base_url"
        )
    }

    /// A successful reply whose body could not be read.
    pub(super) fn read(&self, fault: &ReadError) -> ApiError {
        match fault {
            ReadError::TooLarge => plain(
                ErrorKind::Protocol,
                "the reply is larger than 1 MiB, and a job is not: is base_url right?",
            ),
            ReadError::Stalled => plain(
                ErrorKind::Timeout,
                format!(
                    "{} began its reply, then said nothing for {}: is the network still up?",
                    self.host(),
                    time::duration(self.silence)
                ),
            ),
            ReadError::Broken(error) => self.transport(error),
        }
    }

    /// A successful reply whose body is no job.
    pub(super) fn body(&self, fault: &DecodeError) -> ApiError {
        let message = match fault {
            DecodeError::Empty => "the reply is empty: is base_url right?".into(),
            DecodeError::Html => "the reply is HTML, not JSON: is base_url right?".into(),
            DecodeError::Cut => {
                "the reply stops in the middle of its JSON: if this stays so, check \
                               base_url and any proxy"
                    .into()
            }
            DecodeError::NotJson => "the reply is not JSON: is base_url right?".into(),
            DecodeError::Shape(what) => format!(
                "the reply is not what the API promises: {}; is base_url right, and this program \
                 new enough?",
                self.quote(what)
            ),
        };
        plain(ErrorKind::Protocol, message)
    }

    /// No reply, or one that broke off.
    pub(super) fn transport(&self, error: &reqwest::Error) -> ApiError {
        let host = self.host();
        let http = causes(error).find_map(|cause| cause.downcast_ref::<hyper::Error>());
        let (kind, message) = if error.is_builder() {
            let message = "the key holds characters that cannot be sent: copy it anew";
            (ErrorKind::Auth, message.into())
        } else if error.is_timeout() {
            (ErrorKind::Timeout, self.timed_out(error, http.is_some()))
        } else if causes(error).any(|cause| cause.to_string().starts_with(PROXY_FAULT)) {
            (ErrorKind::Network, self.proxy(&deepest(error)))
        } else if error.is_dns() {
            let message =
                format!("cannot find {host} (DNS): is the network up, and is base_url right?");
            (ErrorKind::Network, message)
        } else if http.is_some_and(hyper::Error::is_parse) {
            (ErrorKind::Protocol, self.not_http())
        } else if http.is_some_and(hyper::Error::is_incomplete_message) {
            (ErrorKind::Network, self.closed())
        } else if error.is_decode() && http.is_none() {
            let message = "the compression of the reply is broken: if this stays so, check the \
                           server and any proxy";
            (ErrorKind::Protocol, message.into())
        } else {
            self.broken(error)
        };
        plain(kind, message)
    }

    fn timed_out(&self, error: &reqwest::Error, connected: bool) -> String {
        let host = self.host();
        if error.is_connect() {
            let limit = time::duration(self.timeout.min(MAX_SILENCE));
            format!("no connection to {host} within {limit}: is the network up?")
        } else if connected {
            format!("the connection to {host} went dead: is the network still up?")
        } else {
            let limit = time::duration(self.timeout);
            format!("no full reply from {host} within {limit}: is it slow, or the network down?")
        }
    }

    fn proxy(&self, why: &str) -> String {
        format!(
            "the proxy (HTTPS_PROXY, or the system's) did not connect to {} ({}): check its \
             address and login",
            self.host(),
            self.quote(why.trim_start_matches(PROXY_FAULT))
        )
    }

    /// The words for the system's reason.
    fn broken(&self, error: &(dyn StdError + 'static)) -> (ErrorKind, String) {
        let host = self.host();
        let cause = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>());
        let message = match cause.map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => format!(
                "{host} refused the connection: is the server up, and the port in base_url right?"
            ),
            Some(
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe,
            ) => format!("the connection to {host} was reset: if this stays so, check the network"),
            Some(
                io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::NetworkDown,
            ) => format!("no way to {host}: is the network up?"),
            Some(io::ErrorKind::UnexpectedEof) => self.closed(),
            Some(io::ErrorKind::InvalidInput) => return (ErrorKind::Protocol, self.not_http()),
            _ => self.unknown(&deepest(error)),
        };
        (ErrorKind::Network, message)
    }

    /// Faults of TLS, which have words only, and whatever else there may be.
    fn unknown(&self, why: &str) -> String {
        let host = self.host();
        if let Some(why) = why.strip_prefix("invalid peer certificate: ") {
            let why = self.quote(distrust(why));
            return format!(
                "the TLS certificate of {host} is not trusted ({why}): is this machine's clock \
                 right, and does a proxy stand between?"
            );
        }
        if why.ends_with("InvalidContentType") {
            return format!("{host} does not speak TLS: is the port in base_url right?");
        }
        let why = self.quote(why);
        format!("the connection to {host} failed ({why}): if this stays so, check the network")
    }

    fn not_http(&self) -> String {
        let host = self.host();
        format!("{host} answers, but not in HTTP: is base_url right?")
    }

    fn closed(&self) -> String {
        format!(
            "{} closed the connection before the whole reply came: if this stays so, check the \
             server and any proxy",
            self.host()
        )
    }

    /// The host and port of the server; never the whole address.
    fn host(&self) -> String {
        self.base_url[url::Position::BeforeHost..url::Position::AfterPort].to_owned()
    }

    /// Foreign text, safe to show: cleaned, without the key, cut.
    fn quote(&self, raw: &str) -> String {
        let mut quote = text::clean(raw);
        let key = self.key.expose();
        // Before it is cut, so that no part of it is left over.
        if !key.is_empty() {
            quote = quote.replace(key, "[the key]");
        }
        match quote.char_indices().nth(MAX_QUOTE) {
            Some((end, _)) => format!("{}…", &quote[..end]),
            None => quote,
        }
    }
}

/// What the status `code` of a reply to a poll means.
pub(super) fn refusal(code: u16) -> (ErrorKind, String) {
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
pub(super) fn unusable_id() -> ApiError {
    plain(
        ErrorKind::NotFound,
        "this id is empty, a dot or has control characters, so it names no job: check both ids in \
         the config",
    )
}

/// Why no client could be made; rustls calls whatever has no name "unexpected".
pub(super) fn setup(error: &reqwest::Error) -> String {
    let why = deepest(error);
    why.trim_start_matches("unexpected error: ").to_owned()
}

/// What is at the bottom of `error`, cleaned: its upper layers only say that something failed, and
/// name the address.
fn deepest(error: &(dyn StdError + 'static)) -> String {
    let cause = causes(error).last();
    text::clean(&cause.map_or_else(|| String::from("it does not say why"), ToString::to_string))
}

fn plain(kind: ErrorKind, message: impl Into<String>) -> ApiError {
    ApiError {
        kind,
        message: message.into(),
        retry_after: None,
    }
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

/// Rustls's reason, without what differs each time (seconds) and without what is no sentence.
fn distrust(why: &str) -> &str {
    let reason = why.split([':', ';']).next().unwrap_or(why);
    if reason.starts_with("certificate ") {
        reason
    } else if why.contains("UnknownIssuer") {
        "this machine does not know its issuer"
    } else if why.contains("CaUsedAsEndEntity") {
        "it is self-signed"
    } else {
        "it is not valid"
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// How long `Retry-After` asks to wait: seconds, or until a date, which is measured from the
/// reply's own `Date` where it has one, since the two clocks may differ. A date that is past asks
/// for no wait; what is neither form asks for nothing.
fn retry_after(value: Option<&str>, date: Option<&str>, now: Timestamp) -> Option<Duration> {
    let value = value?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Only a number that is too large for the type fails here.
        return Some(value.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let until = http_date(value)?;
    let from = date
        .and_then(http_date)
        .unwrap_or_else(|| TimeZone::UTC.to_datetime(now));
    Some(Duration::try_from(until.duration_since(from)).unwrap_or_default())
}

/// The UTC in any of the three forms that RFC 9110 section 5.6.7 tells a recipient to read.
fn http_date(text: &str) -> Option<DateTime> {
    [
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
    ]
    .iter()
    .find_map(|form| DateTime::strptime(form, text.trim()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "mint_canary_0123456789";

    fn with_faults<T>(run: impl FnOnce(&Faults<'_>) -> T) -> T {
        let base_url = Url::parse("https://api.example.com:8443/secret/path").unwrap();
        let key = ApiKey::parse(KEY).unwrap();
        run(&Faults {
            base_url: &base_url,
            timeout: Duration::from_secs(20),
            silence: Duration::from_secs(10),
            key: &key,
            refusal,
        })
    }

    fn status(code: u16, headers: &[(&str, &str)], body: &str) -> ApiError {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let code = StatusCode::from_u16(code).unwrap();
        with_faults(|faults| faults.status(code, &headers, body.as_bytes(), Timestamp::UNIX_EPOCH))
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
            (
                302,
                ErrorKind::Protocol,
                "the server redirects (302): this is not followed",
            ),
            (
                304,
                ErrorKind::Protocol,
                "the server redirects (304): this is not followed",
            ),
        ] {
            let error = status(code, &[], "");
            assert_eq!(error.kind, kind, "{code}");
            assert!(error.message.starts_with(want), "{code}: {error}");
            assert_eq!(error.retry_after, None);
        }
    }

    #[test]
    fn what_the_server_says_is_quoted_cleaned_cut_and_without_the_key() {
        for (said, want) in [
            ("Rate limit exceeded".to_owned(), "Rate limit exceeded"),
            ("\u{1b}[2J\u{202e}x\ny".to_owned(), "[2Jx y"),
            (format!("bad key {KEY}!"), "bad key [the key]!"),
            // Cleaning must not put together what was apart.
            (format!("mint_\u{200b}{}", &KEY[5..]), "[the key]"),
            (
                format!("{}{KEY}", "x".repeat(195)),
                &format!("{}[the …", "x".repeat(195)),
            ),
            ("y".repeat(200), &"y".repeat(200)),
            ("é".repeat(201), &format!("{}…", "é".repeat(200))),
        ] {
            let body = serde_json::json!({ "error": said }).to_string();
            let message = status(500, &[], &body).message;
            let quote = format!(" (the server says: {want})");
            assert!(message.ends_with(&quote), "{message}");
        }
    }

    #[test]
    fn a_redirect_tells_where_to_but_not_more() {
        for (location, want) in [
            (
                "https://other.example.com/a?b=c#d",
                " to https://other.example.com:",
            ),
            ("http://1.2.3.4:99/", " to http://1.2.3.4:99:"),
            ("//other.example.com/x", " to https://other.example.com:"),
            ("/login", " to https://api.example.com:8443:"),
            (
                "https://user:pass@other.example.com",
                " to https://other.example.com:",
            ),
            (
                &format!("https://{KEY}.example.com/{KEY}"),
                " to https://[the key].example.com:",
            ),
            ("javascript:alert(1)", "(302): this"),
            ("http://", "(302): this"),
        ] {
            let message = status(302, &[("Location", location)], "").message;
            assert!(message.contains(want), "{location}: {message}");
            assert!(
                !message.contains(KEY) && !message.contains("pass"),
                "{message}"
            );
        }
    }

    #[test]
    fn body_fault_table() {
        for (fault, want) in [
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
            let error = with_faults(|faults| faults.body(&fault));
            assert_eq!(error.kind, ErrorKind::Protocol);
            assert!(error.message.starts_with(want), "{error}");
        }
    }

    /// An error with a cause, as clients nest them.
    #[derive(Debug, thiserror::Error)]
    #[error("error sending request for url (https://api.example.com:8443/secret/path)")]
    struct Outer(#[source] io::Error);

    #[test]
    fn connection_fault_table() {
        let untrusted = |why: &str| io::Error::other(format!("invalid peer certificate: {why}"));
        for (cause, want) in [
            (
                io::ErrorKind::ConnectionRefused.into(),
                "refused the connection: is the server up",
            ),
            (
                io::ErrorKind::ConnectionReset.into(),
                "was reset: if this stays so",
            ),
            (
                io::ErrorKind::BrokenPipe.into(),
                "was reset: if this stays so",
            ),
            (
                io::ErrorKind::NetworkUnreachable.into(),
                "no way to api.example.com:8443: is the",
            ),
            (
                io::ErrorKind::HostUnreachable.into(),
                "no way to api.example.com:8443: is the",
            ),
            (
                io::ErrorKind::UnexpectedEof.into(),
                "closed the connection before the whole reply",
            ),
            (
                untrusted("UnknownIssuer"),
                "is not trusted (this machine does not know its issuer): ",
            ),
            (
                untrusted("Other(OtherError(CaUsedAsEndEntity))"),
                "is not trusted (it is self-signed): ",
            ),
            (
                untrusted("BadSignature"),
                "is not trusted (it is not valid): ",
            ),
            (
                untrusted("certificate expired: verification time 17 (UNIX), but certificate"),
                "is not trusted (certificate expired): ",
            ),
            (
                untrusted("certificate not valid for name \"a\u{1b}\"; certificate is only valid"),
                "is not trusted (certificate not valid for name \"a\"): ",
            ),
        ] {
            let (kind, message) = with_faults(|faults| faults.broken(&Outer(cause)));
            assert_eq!(kind, ErrorKind::Network);
            assert!(message.contains(want), "{message}");
            assert!(message.contains("api.example.com:8443"), "{message}");
            assert!(!message.contains("secret"), "{message}");
        }
    }

    #[test]
    fn retry_after_table() {
        let now = "2015-10-21T07:28:00Z".parse().unwrap();
        let seconds = |n| Some(Duration::from_secs(n));
        let date = "Wed, 21 Oct 2015 07:28:00 GMT";
        for (value, date, want) in [
            (Some("0"), None, seconds(0)),
            (Some("120"), None, seconds(120)),
            (Some(" 7 "), None, seconds(7)),
            (Some("1000000000"), None, seconds(1_000_000_000)),
            (Some("18446744073709551616"), None, Some(Duration::MAX)),
            (Some(&*"9".repeat(400)), None, Some(Duration::MAX)),
            (Some("-1"), None, None),
            (Some("+5"), None, None),
            (Some("1.5"), None, None),
            (Some("1e9"), None, None),
            (Some("5s"), None, None),
            (Some("٣"), None, None),
            (Some(""), None, None),
            (Some("soon"), None, None),
            (None, Some(date), None),
            // The three forms of a date.
            (Some("Wed, 21 Oct 2015 07:29:30 GMT"), None, seconds(90)),
            (Some("Wednesday, 21-Oct-15 07:29:30 GMT"), None, seconds(90)),
            (Some("Wed Oct 21 07:29:30 2015"), None, seconds(90)),
            (Some("Tue, 06 Oct 2015 07:29:30 GMT"), None, seconds(0)),
            (Some("Tue Oct  6 07:29:30 2015"), None, seconds(0)),
            // From the reply's own clock, an hour behind ours.
            (
                Some("Wed, 21 Oct 2015 06:28:30 GMT"),
                Some("Wed, 21 Oct 2015 06:28:00 GMT"),
                seconds(30),
            ),
            (
                Some("Wed, 21 Oct 2015 07:28:30 GMT"),
                Some("garbage"),
                seconds(30),
            ),
            (
                Some("Wed, 21 Oct 2015 07:28:30 GMT"),
                Some(date),
                seconds(30),
            ),
            (
                Some("Thu, 01 Jan 1970 00:00:00 GMT"),
                Some(date),
                seconds(0),
            ),
            (
                Some("Fri, 31 Dec 9999 23:59:59 GMT"),
                None,
                seconds(251_956_888_319),
            ),
            (Some("Wed, 32 Oct 2015 07:28:30 GMT"), None, None),
            (Some("Wed, 21 Oct 2015 07:28:30 PST"), None, None),
        ] {
            assert_eq!(retry_after(value, date, now), want, "{value:?} {date:?}");
        }
    }

    #[test]
    fn retry_after_is_read_from_any_refusal() {
        for code in [429, 503] {
            let error = status(code, &[("Retry-After", "120")], "");
            assert_eq!(error.retry_after, Some(Duration::from_mins(2)));
        }
        let error = status(
            503,
            &[
                ("Retry-After", "Wed, 21 Oct 2015 07:28:07 GMT"),
                ("Date", "Wed, 21 Oct 2015 07:28:00 GMT"),
            ],
            "",
        );
        assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
    }
}
