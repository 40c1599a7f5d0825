//! One hardened exchange with a server, as every remote makes it: a request with a secret, and a
//! reply of a bounded size.
//!
//! Nothing is retried here, no redirect is followed, and the secret goes to the host of the base
//! URL only, with no proxy on the way to this machine. Why there is no reply is put into words in
//! `explain`. This module must not know what is asked for, or what a path, a status code or a body
//! means: that is the remote's own business.

mod explain;
mod retry_after;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::{ClientBuilder, Response};
pub use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use self::explain::Explainer;
use crate::base_url::BaseUrl;
use crate::failure::{ErrorKind, Failure};

/// The longest wait for a connection, and for the next bytes of a reply that has begun.
const MAX_SILENCE: Duration = Duration::from_secs(10);
/// How long an unused connection is kept: long enough for active jobs to share it, short enough
/// that few are dead when they are used again.
const KEEP_IDLE: Duration = Duration::from_mins(1);
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a person calls the parts of a remote, for the words of a failure.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The setting that holds its address, such as `base_url`.
    pub address: &'static str,
    /// What opens it, such as "key" or "token".
    pub secret: &'static str,
}

/// There is no client, which is found before any call: this machine has no certificates to trust,
/// or TLS failed otherwise.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot set up TLS: {0}; install your system's CA certificates (often the package \
     `ca-certificates`), or name a file of them in SSL_CERT_FILE"
)]
pub struct SetupError(String);

/// A client of one server. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Shared, since each poll has a clone of its client.
    base_url: Arc<BaseUrl>,
    timeout: Duration,
    terms: Terms,
}

/// An address below a client's base URL: a secret is sent to no other.
#[derive(Clone, Debug)]
pub struct Endpoint(Url);

/// What is sent, once.
#[derive(Debug)]
pub struct Request<'a> {
    pub method: Method,
    pub endpoint: Endpoint,
    /// Sent as the bearer.
    pub secret: &'a SecretString,
    pub json: Option<serde_json::Value>,
    /// The most decoded bytes of the reply that are read.
    pub limit: usize,
}

/// What the server answered, other than a redirect.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// All of it where the status is a success. A body that breaks must not hide any other status:
    /// it is empty then.
    pub body: Vec<u8>,
    pub received_at: Timestamp,
}

/// Why there is no reply that could be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct ExchangeError {
    pub failure: Failure,
    /// Whether the server may have done what was asked all the same.
    pub may_have_happened: bool,
}

impl Client {
    /// A client of the server at `base_url` that gives each exchange `timeout`.
    pub fn new(base_url: &BaseUrl, timeout: Duration, terms: Terms) -> Result<Self, SetupError> {
        Self::build(builder(timeout, KEEP_IDLE), base_url, timeout, terms)
    }

    fn build(
        mut builder: ClientBuilder,
        base_url: &BaseUrl,
        timeout: Duration,
        terms: Terms,
    ) -> Result<Self, SetupError> {
        if base_url.is_loopback() {
            builder = builder.no_proxy();
        }
        if !base_url.is_https() {
            // Nothing here speaks TLS, and looking for certificates fails where there are none.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build();
        Ok(Self {
            http: http.map_err(|error| SetupError(explain::setup(&error)))?,
            base_url: Arc::new(base_url.clone()),
            timeout,
            terms,
        })
    }

    /// The address that `path` leads to from the base URL: each part is one percent-encoded
    /// segment. Nothing where a part cannot be one.
    pub fn endpoint(&self, path: &[&str]) -> Option<Endpoint> {
        if !path.iter().all(|part| fits_in_a_segment(part)) {
            return None;
        }
        let mut url = self.base_url.as_url().clone();
        if !path.is_empty() {
            let mut segments = url.path_segments_mut().ok()?;
            segments.pop_if_empty().extend(path);
        }
        Some(Endpoint(url))
    }

    /// Sends `request`, once, and reads the reply. The status is the caller's to judge, but for a
    /// redirect, which is refused here.
    pub async fn exchange(&self, request: Request<'_>) -> Result<Reply, ExchangeError> {
        let started = Instant::now();
        let outcome = self.send_and_receive(request).await;
        let took = started.elapsed();
        match &outcome {
            Ok(reply) => tracing::debug!(?took, bytes = reply.body.len(), "answered"),
            Err(error) => {
                tracing::debug!(?took, kind = error.failure.kind.as_str(), %error, "failed");
            }
        }
        outcome
    }

    async fn send_and_receive(&self, request: Request<'_>) -> Result<Reply, ExchangeError> {
        let explainer = self.explainer(request.secret);
        let limit = request.limit;
        let request = request.build().ok_or_else(|| ExchangeError {
            failure: explainer.unsendable_secret(),
            may_have_happened: false,
        })?;
        let response = self.http.execute(request).await;
        let response = response.map_err(|error| ExchangeError {
            may_have_happened: !error.is_connect() && !error.is_builder(),
            failure: explainer.transport(&error),
        })?;
        self.receive(response, limit, &explainer).await
    }

    async fn receive(
        &self,
        mut response: Response,
        limit: usize,
        explainer: &Explainer<'_>,
    ) -> Result<Reply, ExchangeError> {
        let status = response.status();
        tracing::debug!(status = status.as_u16(), "replied");
        let body = read_body(&mut response, limit, self.silence()).await;
        let mut reply = Reply {
            status,
            headers: std::mem::take(response.headers_mut()),
            body: Vec::new(),
            received_at: Timestamp::now(),
        };
        if status.is_redirection() {
            return Err(ExchangeError {
                failure: explainer.redirect(&reply),
                may_have_happened: false,
            });
        }
        match body {
            Ok(body) => reply.body = body,
            Err(error) if status.is_success() => {
                return Err(ExchangeError {
                    failure: explainer.body(&error),
                    may_have_happened: true,
                });
            }
            Err(_) => {}
        }
        Ok(reply)
    }

    /// What a server said, safe to show: cleaned, cut, and without `secret`.
    pub fn quote(&self, said: &str, secret: &SecretString) -> String {
        self.explainer(secret).quote(said)
    }

    fn explainer<'a>(&'a self, secret: &'a SecretString) -> Explainer<'a> {
        Explainer {
            client: self,
            secret,
        }
    }

    fn silence(&self) -> Duration {
        MAX_SILENCE.min(self.timeout / 2)
    }

    fn connect_timeout(&self) -> Duration {
        connect_timeout(self.timeout)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url.as_url().as_str())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Request<'_> {
    /// Nothing where the secret holds what no header can.
    fn build(self) -> Option<reqwest::Request> {
        let bearer = format!("Bearer {}", self.secret.expose_secret());
        let mut bearer = HeaderValue::try_from(bearer).ok()?;
        // Its `Debug` is hidden then, and HTTP/2 never puts it into its index of headers.
        bearer.set_sensitive(true);
        let mut request = reqwest::Request::new(self.method, self.endpoint.0);
        request.headers_mut().insert(AUTHORIZATION, bearer);
        if let Some(json) = self.json {
            request.headers_mut().insert(CONTENT_TYPE, JSON);
            *request.body_mut() = Some(json.to_string().into());
        }
        Some(request)
    }
}

impl Reply {
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How long the server asks us to wait (`Retry-After`), unbounded.
    pub fn retry_after(&self) -> Option<Duration> {
        let (value, date) = (self.header(&RETRY_AFTER)?, self.header(&DATE));
        retry_after::wait(value, date, self.received_at)
    }

    /// When that wait is over.
    pub fn retry_at(&self) -> Option<Timestamp> {
        let end = self.received_at.checked_add(self.retry_after()?);
        Some(end.unwrap_or(Timestamp::MAX))
    }

    /// The failure that its status stands for, with the time to ask again.
    pub fn failure(&self, kind: ErrorKind, message: String) -> Failure {
        Failure {
            kind,
            message,
            retry_at: self.retry_at(),
        }
    }
}

/// Why a reply's body could not be read.
enum BodyError {
    /// Than this many bytes.
    LargerThan(usize),
    Stalled,
    Broken(reqwest::Error),
}

/// Reads at most `limit` decoded bytes: each chunk is decoded only when it is asked for, so a bomb
/// is left alone once it has grown beyond that.
async fn read_body(
    response: &mut Response,
    limit: usize,
    silence: Duration,
) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    loop {
        let chunk = tokio::time::timeout(silence, response.chunk())
            .await
            .map_err(|_| BodyError::Stalled)?
            .map_err(BodyError::Broken)?;
        let Some(chunk) = chunk else { return Ok(body) };
        if body.len() + chunk.len() > limit {
            return Err(BodyError::LargerThan(limit));
        }
        body.extend_from_slice(&chunk);
    }
}

fn connect_timeout(timeout: Duration) -> Duration {
    timeout.min(MAX_SILENCE)
}

/// What every client has in common. `timeout` covers a whole exchange, the reply's body too;
/// `keep_idle` is how long an unused connection is kept.
fn builder(timeout: Duration, keep_idle: Duration) -> ClientBuilder {
    let ping = Duration::from_secs(5).min(timeout / 4);
    ClientBuilder::new()
        .user_agent(concat!("mintwatch/", env!("CARGO_PKG_VERSION")))
        .default_headers(HeaderMap::from_iter([(ACCEPT, JSON)]))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // Whoever asks decides when something is asked again.
        .retry(reqwest::retry::never())
        .connect_timeout(connect_timeout(timeout))
        .timeout(timeout)
        .pool_idle_timeout(keep_idle)
        .tcp_keepalive(Duration::from_secs(15))
        .tcp_keepalive_interval(Duration::from_secs(5))
        .tcp_keepalive_retries(3)
        // All calls share one HTTP/2 connection. If it died while the machine slept, the first call
        // must find that out before its own time is up, or the next would fail with it too.
        .http2_keep_alive_interval(ping)
        .http2_keep_alive_timeout(ping)
        // `localhost` is this machine whatever a name server says: the secret may cross it in clear.
        .resolve_to_addrs(
            "localhost",
            &[
                (Ipv4Addr::LOCALHOST, 0).into(),
                (Ipv6Addr::LOCALHOST, 0).into(),
            ],
        )
}

/// Whether `part` stays one segment of a path: URLs drop dot segments, tabs and line breaks.
fn fits_in_a_segment(part: &str) -> bool {
    !matches!(part, "" | "." | "..") && !part.chars().any(char::is_control)
}

#[cfg(test)]
mod tests;
