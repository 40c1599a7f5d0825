//! What is said when there is no reply: one plain line that tells what happened and what to do.
//!
//! Everything that the server wrote is cleaned, cut, and freed of the secret before it is quoted.
//! This file must not know what was asked for.

use std::error::Error as StdError;
use std::io;

use reqwest::header::LOCATION;
use secrecy::{ExposeSecret, SecretString};
use url::{Position, Url};

use super::{BodyError, Client, Reply};
use crate::failure::{ErrorKind, Failure};
use crate::text;
use crate::time::duration;

/// The most characters that are quoted of what the server says.
const MAX_QUOTE: usize = 200;
/// How the HTTP client's words for a fault of the proxy begin; it has no public type.
const PROXY_FAULT: &str = "tunnel error: ";
const MIB: usize = 1024 * 1024;

/// Explains why one exchange failed.
pub(super) struct Explainer<'a> {
    pub(super) client: &'a Client,
    pub(super) secret: &'a SecretString,
}

impl Explainer<'_> {
    pub(super) fn unsendable_secret(&self) -> Failure {
        let secret = self.client.terms.secret;
        let message = format!("the {secret} holds characters that cannot be sent: copy it again");
        Failure::new(ErrorKind::Auth, message)
    }

    /// Only where a redirect leads to is told: the rest of a `Location` can hold anything.
    pub(super) fn redirect(&self, reply: &Reply) -> Failure {
        let base_url = self.client.base_url.as_url();
        let to = reply
            .header(&LOCATION)
            .and_then(|location| base_url.join(location).ok())
            .filter(Url::has_host)
            .map(|url| format!(" to {}", self.quote(&url.origin().ascii_serialization())))
            .unwrap_or_default();
        let message = format!(
            "the server redirects ({}){to}: this is not followed, so that the {} stays where it \
             belongs; put the right address in {}",
            reply.status.as_u16(),
            self.client.terms.secret,
            self.address()
        );
        reply.failure(ErrorKind::Protocol, message)
    }

    /// A successful reply whose body could not be read.
    pub(super) fn body(&self, error: &BodyError) -> Failure {
        match error {
            BodyError::LargerThan(limit) => {
                let (limit, address) = (size_words(*limit), self.address());
                let message = format!("the reply is larger than {limit}: is {address} right?");
                Failure::new(ErrorKind::Protocol, message)
            }
            BodyError::Stalled => Failure::new(
                ErrorKind::Timeout,
                format!(
                    "{} began its reply, then said nothing for {}: is the network still up?",
                    self.host(),
                    duration(self.client.silence())
                ),
            ),
            BodyError::Broken(error) => self.transport(error),
        }
    }

    /// No reply, or one that broke off.
    pub(super) fn transport(&self, error: &reqwest::Error) -> Failure {
        let (host, address) = (self.host(), self.address());
        let http = causes(error).find_map(|cause| cause.downcast_ref::<hyper::Error>());
        let (kind, message) = if error.is_timeout() {
            (ErrorKind::Timeout, self.timed_out(error, http.is_some()))
        } else if causes(error).any(|cause| cause.to_string().starts_with(PROXY_FAULT)) {
            (ErrorKind::Network, self.proxy(&deepest(error)))
        } else if error.is_dns() {
            let message =
                format!("cannot find {host} (DNS): is the network up, and is {address} right?");
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
        Failure::new(kind, message)
    }

    fn timed_out(&self, error: &reqwest::Error, connected: bool) -> String {
        let host = self.host();
        if error.is_connect() {
            let limit = duration(self.client.connect_timeout());
            format!("no connection to {host} within {limit}: is the network up?")
        } else if connected {
            format!("the connection to {host} went dead: is the network still up?")
        } else {
            let limit = duration(self.client.timeout);
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
        let (host, address) = (self.host(), self.address());
        let cause = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>());
        let message = match cause.map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => format!(
                "{host} refused the connection: is the server up, and the port in {address} right?"
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
        let (host, address) = (self.host(), self.address());
        if let Some(why) = why.strip_prefix("invalid peer certificate: ") {
            let why = self.quote(distrust(why));
            return format!(
                "the TLS certificate of {host} is not trusted ({why}): is this machine's clock \
                 right, and does a proxy stand between?"
            );
        }
        if why.ends_with("InvalidContentType") {
            return format!("{host} does not speak TLS: is the port in {address} right?");
        }
        let why = self.quote(why);
        format!("the connection to {host} failed ({why}): if this stays so, check the network")
    }

    fn not_http(&self) -> String {
        let (host, address) = (self.host(), self.address());
        format!("{host} answers, but not in HTTP: is {address} right?")
    }

    fn closed(&self) -> String {
        format!(
            "{} closed the connection before the whole reply came: if this stays so, check the \
             server and any proxy",
            self.host()
        )
    }

    /// The host and port of the server; never the whole address.
    fn host(&self) -> &str {
        &self.client.base_url.as_url()[Position::BeforeHost..Position::AfterPort]
    }

    fn address(&self) -> &'static str {
        self.client.terms.address
    }

    /// Foreign text, safe to show: cleaned, without the secret, cut.
    pub(super) fn quote(&self, raw: &str) -> String {
        let mut quote = text::clean(raw);
        let secret = self.secret.expose_secret();
        // Before it is cut, so that no part of it is left over.
        if !secret.is_empty() {
            quote = quote.replace(secret, &format!("[the {}]", self.client.terms.secret));
        }
        match quote.char_indices().nth(MAX_QUOTE) {
            Some((end, _)) => format!("{}…", &quote[..end]),
            None => quote,
        }
    }
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

fn size_words(bytes: usize) -> String {
    if bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{bytes} bytes")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use jiff::Timestamp;
    use reqwest::header::HeaderMap;

    use super::super::{StatusCode, Terms};
    use super::*;

    const KEY: &str = "mint_canary_0123456789";

    fn explain<T>(run: impl FnOnce(&Explainer<'_>) -> T) -> T {
        let terms = Terms {
            address: "base_url",
            secret: "key",
        };
        let base_url = "https://api.example.com:8443/secret/path";
        let client = Client {
            http: reqwest::Client::builder()
                .tls_certs_only([])
                .build()
                .unwrap(),
            base_url: Arc::new(base_url.parse().unwrap()),
            timeout: Duration::from_secs(20),
            terms,
        };
        run(&Explainer {
            client: &client,
            secret: &KEY.into(),
        })
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
            assert_eq!(explain(|explainer| explainer.quote(&said)), want);
        }
    }

    fn redirect(code: u16, location: &str) -> String {
        let location = (LOCATION, location.parse().unwrap());
        let reply = Reply {
            status: StatusCode::from_u16(code).unwrap(),
            headers: HeaderMap::from_iter([location]),
            body: Vec::new(),
            received_at: Timestamp::UNIX_EPOCH,
        };
        let failure = explain(|explainer| explainer.redirect(&reply));
        assert_eq!(failure.kind, ErrorKind::Protocol);
        failure.message
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
            let message = redirect(302, location);
            assert!(message.contains(want), "{location}: {message}");
            assert!(
                !message.contains(KEY) && !message.contains("pass"),
                "{message}"
            );
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
            let (kind, message) = explain(|explainer| explainer.broken(&Outer(cause)));
            assert_eq!(kind, ErrorKind::Network);
            assert!(message.contains(want), "{message}");
            assert!(message.contains("api.example.com:8443"), "{message}");
            assert!(!message.contains("secret"), "{message}");
        }
    }

    #[test]
    fn a_limit_is_told_in_the_largest_unit() {
        for (limit, want) in [(MIB, "1 MiB"), (4 * MIB, "4 MiB"), (100, "100 bytes")] {
            let failure = explain(|explainer| explainer.body(&BodyError::LargerThan(limit)));
            let want = format!("the reply is larger than {want}: is base_url right?");
            assert_eq!(failure.message, want);
        }
    }
}
