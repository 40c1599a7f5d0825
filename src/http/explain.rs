//! Explains why an exchange failed: what happened and how to fix it, in one line.
//!
//! Text from the server is cleaned, cut, and freed of the secret before it is quoted. This file must
//! not know what was requested.

use std::error::Error as StdError;
use std::io;

use reqwest::header::LOCATION;
use secrecy::{ExposeSecret, SecretString};
use url::{Position, Url};

use super::body::BodyError;
use super::{Client, MAX_SILENCE, Reply, SetupError};
use crate::failure::{ErrorKind, Failure};
use crate::secret;
use crate::text;
use crate::time::duration;

/// The most characters of a quote.
const MAX_QUOTE: usize = 200;
/// The HTTP client's errors about a proxy begin with it; they have no public type.
const PROXY_ERROR: &str = "tunnel error: ";
const MIB: usize = 1024 * 1024;

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

    /// Quotes only the origin of a `Location`: the rest can be anything.
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

    /// For a successful reply whose body could not be read.
    pub(super) fn body(&self, error: &BodyError) -> Failure {
        match error {
            BodyError::TooLarge(limit) => {
                let (limit, address) = (format_size(*limit), self.address());
                let message = format!("the reply is larger than {limit}: is {address} right?");
                Failure::new(ErrorKind::Protocol, message)
            }
            BodyError::Stalled => {
                let (host, silence) = (self.host(), duration(self.client.silence()));
                let message = format!(
                    "{host} began its reply, then sent nothing for {silence}: is the network still \
                     up?"
                );
                Failure::new(ErrorKind::Timeout, message)
            }
            BodyError::TimedOut => Failure::new(ErrorKind::Timeout, self.too_slow()),
            BodyError::Broken(error) => self.transport(error),
        }
    }

    /// For no reply, or one that broke off.
    pub(super) fn transport(&self, error: &reqwest::Error) -> Failure {
        let (host, address) = (self.host(), self.address());
        let http = causes(error).find_map(|cause| cause.downcast_ref::<hyper::Error>());
        let (kind, message) = if error.is_timeout() {
            (ErrorKind::Timeout, self.timeout(error, http.is_some()))
        } else if causes(error).any(|cause| cause.to_string().starts_with(PROXY_ERROR)) {
            let reason = root_cause(error);
            let reason = self.quote(reason.trim_start_matches(PROXY_ERROR));
            let message = format!(
                "the proxy (HTTPS_PROXY, or the system's) did not connect to {host} ({reason}): \
                 check its address and login"
            );
            (ErrorKind::Network, message)
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
            self.connection(error)
        };
        Failure::new(kind, message)
    }

    fn timeout(&self, error: &reqwest::Error, connected: bool) -> String {
        let host = self.host();
        if error.is_connect() {
            let limit = duration(self.client.timeout.min(MAX_SILENCE));
            format!("no connection to {host} within {limit}: is the network up?")
        } else if connected {
            format!("the connection to {host} went dead: is the network still up?")
        } else {
            self.too_slow()
        }
    }

    fn too_slow(&self) -> String {
        let (host, limit) = (self.host(), duration(self.client.timeout));
        format!("no full reply from {host} within {limit}: is it slow, or the network down?")
    }

    fn connection(&self, error: &(dyn StdError + 'static)) -> (ErrorKind, String) {
        use io::ErrorKind as Io;
        let (host, address) = (self.host(), self.address());
        let cause = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>());
        let message = match cause.map(io::Error::kind) {
            Some(Io::ConnectionRefused) => format!(
                "{host} refused the connection: is the server up, and the port in {address} right?"
            ),
            Some(Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe) => {
                format!("the connection to {host} was reset: if this stays so, check the network")
            }
            Some(Io::HostUnreachable | Io::NetworkUnreachable | Io::NetworkDown) => {
                format!("no route to {host}: is the network up?")
            }
            Some(Io::UnexpectedEof) => self.closed(),
            Some(Io::InvalidInput) => return (ErrorKind::Protocol, self.not_http()),
            _ => self.other(&root_cause(error)),
        };
        (ErrorKind::Network, message)
    }

    /// TLS errors can be recognised by their text only.
    fn other(&self, reason: &str) -> String {
        let (host, address) = (self.host(), self.address());
        if let Some(reason) = reason.strip_prefix("invalid peer certificate: ") {
            let reason = self.quote(certificate_reason(reason));
            return format!(
                "the TLS certificate of {host} is not trusted ({reason}): is this machine's clock \
                 right, and does a proxy stand between?"
            );
        }
        if reason.ends_with("InvalidContentType") {
            return format!("{host} does not speak TLS: is the port in {address} right?");
        }
        let reason = self.quote(reason);
        format!("the connection to {host} failed ({reason}): if this stays so, check the network")
    }

    fn not_http(&self) -> String {
        let (host, address) = (self.host(), self.address());
        format!("{host} answers, but not in HTTP: is {address} right?")
    }

    fn closed(&self) -> String {
        let host = self.host();
        format!(
            "{host} closed the connection before the whole reply came: if this stays so, check the \
             server and any proxy"
        )
    }

    /// Host and port; never the whole URL.
    fn host(&self) -> &str {
        &self.client.base_url.as_url()[Position::BeforeHost..Position::AfterPort]
    }

    fn address(&self) -> &'static str {
        self.client.terms.address
    }

    /// Makes text from outside safe to show: cleaned, without the secret, cut.
    pub(super) fn quote(&self, raw: &str) -> String {
        let shown = format!("[the {}]", self.client.terms.secret);
        // Before the cut, which could leave a part of it.
        let quote = secret::redact(&text::clean(raw), self.secret.expose_secret(), &shown);
        match quote.char_indices().nth(MAX_QUOTE) {
            Some((end, _)) => format!("{}…", &quote[..end]),
            None => quote,
        }
    }
}

pub(super) fn setup(error: &reqwest::Error) -> SetupError {
    // Rustls calls errors without a name "unexpected".
    let reason = root_cause(error);
    SetupError(reason.trim_start_matches("unexpected error: ").to_owned())
}

/// The last cause, cleaned: the others only say that something failed, and contain the URL.
fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let cause = causes(error).last();
    text::clean(&cause.map_or_else(|| String::from("it does not say why"), ToString::to_string))
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

/// Rustls's reason, without varying details (seconds), or a sentence for its debug output.
fn certificate_reason(text: &str) -> &str {
    let reason = text.split([':', ';']).next().unwrap_or(text);
    if reason.starts_with("certificate ") {
        reason
    } else if text.contains("UnknownIssuer") {
        "this machine does not know its issuer"
    } else if text.contains("CaUsedAsEndEntity") {
        "it is self-signed"
    } else {
        "it is not valid"
    }
}

fn format_size(bytes: usize) -> String {
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

    use super::super::body::Budget;
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
            budget: Budget::default(),
        };
        run(&Explainer {
            client: &client,
            secret: &KEY.into(),
        })
    }

    #[test]
    fn quotes_are_cleaned_cut_and_without_the_key() {
        for (text, want) in [
            ("Rate limit exceeded".to_owned(), "Rate limit exceeded"),
            ("\u{1b}[2J\u{202e}x\ny".to_owned(), "[2Jx y"),
            (format!("bad key {KEY}!"), "bad key [the key]!"),
            (
                format!("bad host {}", KEY.to_uppercase()),
                "bad host [the key]",
            ),
            (format!("bad {}", KEY.replace('_', "%5F")), "[the key]"),
            // Cleaning must not put together what was apart.
            (format!("mint_\u{200b}{}", &KEY[5..]), "[the key]"),
            (
                format!("{}{KEY}", "x".repeat(195)),
                &format!("{}[the …", "x".repeat(195)),
            ),
            ("y".repeat(200), &"y".repeat(200)),
            ("é".repeat(201), &format!("{}…", "é".repeat(200))),
        ] {
            assert_eq!(explain(|explainer| explainer.quote(&text)), want);
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
    fn only_the_origin_of_a_redirect_is_quoted() {
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

    /// Clients nest errors like this.
    #[derive(Debug, thiserror::Error)]
    #[error("error sending request for url (https://api.example.com:8443/secret/path)")]
    struct Outer(#[source] io::Error);

    #[test]
    fn connection_error_table() {
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
                "no route to api.example.com:8443: is the",
            ),
            (
                io::ErrorKind::HostUnreachable.into(),
                "no route to api.example.com:8443: is the",
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
            let (kind, message) = explain(|explainer| explainer.connection(&Outer(cause)));
            assert_eq!(kind, ErrorKind::Network);
            assert!(message.contains(want), "{message}");
            assert!(message.contains("api.example.com:8443"), "{message}");
            assert!(!message.contains("secret"), "{message}");
        }
    }

    #[test]
    fn a_limit_is_in_the_largest_unit() {
        for (limit, want) in [(MIB, "1 MiB"), (4 * MIB, "4 MiB"), (100, "100 bytes")] {
            let failure = explain(|explainer| explainer.body(&BodyError::TooLarge(limit)));
            let want = format!("the reply is larger than {want}: is base_url right?");
            assert_eq!(failure.message, want);
        }
    }
}
