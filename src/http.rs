//! A hardened HTTP exchange for any remote: a request with a secret, and a reply of a bounded size.
//!
//! Nothing is retried, no redirect is followed, the secret is sent to the host of the base URL only,
//! and there is no proxy on the way to this machine. Errors are explained in `explain`. This module
//! must not know what a path, a status code or a body means to a remote.

mod body;
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

use self::body::{Bounds, Budget};
use self::explain::Explainer;
use crate::base_url::BaseUrl;
use crate::failure::{ErrorKind, Failure};

/// The longest wait for a connection, and for the next bytes of a body.
const MAX_SILENCE: Duration = Duration::from_secs(10);
/// How long an idle connection is kept: long enough to be reused for active jobs, short enough that few
/// are dead by then.
const KEEP_IDLE: Duration = Duration::from_mins(1);
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How messages name the parts of a remote.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The setting for its address, such as `base_url`.
    pub address: &'static str,
    /// Such as "key" or "token".
    pub secret: &'static str,
}

/// TLS failed before any exchange: mostly, this machine has no trusted certificates.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot set up TLS: {0}; install your system's CA certificates (often the package \
     `ca-certificates`), or name a file of them in SSL_CERT_FILE"
)]
pub struct SetupError(String);

/// Clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Shared, since each poll clones its client.
    base_url: Arc<BaseUrl>,
    timeout: Duration,
    terms: Terms,
    budget: Budget,
}

/// A URL below a client's base URL: a secret is sent to no other.
#[derive(Clone, Debug)]
pub struct Endpoint(Url);

#[derive(Debug)]
pub struct Request<'a> {
    pub method: Method,
    pub endpoint: Endpoint,
    /// Sent as a bearer token.
    pub secret: &'a SecretString,
    pub json: Option<serde_json::Value>,
    /// The most decoded bytes of the reply.
    pub limit: usize,
}

#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Complete if the status is a success. With any other status, a body that could not be read is
    /// empty, so that it does not hide the status.
    pub body: Vec<u8>,
    pub received_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct ExchangeError {
    pub failure: Failure,
    /// Whether the server may have processed the request nevertheless.
    pub may_have_happened: bool,
}

impl ExchangeError {
    /// The server has not processed the request.
    pub fn rejected(failure: Failure) -> Self {
        Self {
            failure,
            may_have_happened: false,
        }
    }

    /// The server may have processed the request.
    pub fn in_doubt(failure: Failure) -> Self {
        Self {
            failure,
            may_have_happened: true,
        }
    }
}

impl Client {
    /// `timeout` is for each exchange.
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
            // TLS is not used, and loading certificates fails where there are none.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| explain::setup(&error))?;
        Ok(Self {
            http,
            base_url: Arc::new(base_url.clone()),
            timeout,
            terms,
            budget: Budget::default(),
        })
    }

    /// Appends each part of `path` as one percent-encoded segment; `None` where a part cannot be one.
    pub fn endpoint(&self, path: &[&str]) -> Option<Endpoint> {
        if !path.iter().all(|part| is_segment(part)) {
            return None;
        }
        let mut url = self.base_url.as_url().clone();
        if !path.is_empty() {
            let mut segments = url.path_segments_mut().ok()?;
            segments.pop_if_empty().extend(path);
        }
        Some(Endpoint(url))
    }

    /// Sends `request` once, and reads the reply, whatever its status; but a redirect is an error.
    pub async fn exchange(&self, request: Request<'_>) -> Result<Reply, ExchangeError> {
        let started = Instant::now();
        let result = self.send_and_receive(request).await;
        let took = started.elapsed();
        match &result {
            Ok(reply) => tracing::debug!(?took, bytes = reply.body.len(), "answered"),
            Err(error) => {
                tracing::debug!(?took, kind = error.failure.kind.as_str(), %error, "failed");
            }
        }
        result
    }

    async fn send_and_receive(&self, request: Request<'_>) -> Result<Reply, ExchangeError> {
        let bounds = self.bounds(request.limit);
        let explainer = self.explainer(request.secret);
        let unsendable = || ExchangeError::rejected(explainer.unsendable_secret());
        let request = request.build().ok_or_else(unsendable)?;
        let response = self.http.execute(request).await;
        let response = response.map_err(|error| ExchangeError {
            may_have_happened: !error.is_connect() && !error.is_builder(),
            failure: explainer.transport(&error),
        })?;
        self.receive(response, &bounds, &explainer).await
    }

    async fn receive(
        &self,
        mut response: Response,
        bounds: &Bounds<'_>,
        explainer: &Explainer<'_>,
    ) -> Result<Reply, ExchangeError> {
        let status = response.status();
        tracing::debug!(status = status.as_u16(), "replied");
        let body = bounds.read(&mut response).await;
        let mut reply = Reply {
            status,
            headers: std::mem::take(response.headers_mut()),
            body: Vec::new(),
            received_at: Timestamp::now(),
        };
        if status.is_redirection() {
            return Err(ExchangeError::rejected(explainer.redirect(&reply)));
        }
        match body {
            Ok(body) => reply.body = body,
            Err(error) if status.is_success() => {
                return Err(ExchangeError::in_doubt(explainer.body(&error)));
            }
            Err(_) => {}
        }
        Ok(reply)
    }

    /// Makes text from a server safe to show: cleaned, cut, and without `secret`.
    pub fn quote(&self, text: &str, secret: &SecretString) -> String {
        self.explainer(secret).quote(text)
    }

    pub(crate) fn terms(&self) -> Terms {
        self.terms
    }

    fn explainer<'a>(&'a self, secret: &'a SecretString) -> Explainer<'a> {
        Explainer {
            client: self,
            secret,
        }
    }

    /// The bounds of a reply to a request that is sent now.
    fn bounds(&self, limit: usize) -> Bounds<'_> {
        Bounds {
            limit,
            silence: self.silence(),
            deadline: tokio::time::Instant::now() + self.timeout,
            budget: &self.budget,
        }
    }

    fn silence(&self) -> Duration {
        MAX_SILENCE.min(self.timeout / 2)
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
    /// `None` where the secret has characters that no header can have.
    fn build(self) -> Option<reqwest::Request> {
        let bearer = format!("Bearer {}", self.secret.expose_secret());
        let mut bearer = HeaderValue::try_from(bearer).ok()?;
        // Hides it in `Debug`, and HTTP/2 never adds it to its header table.
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

    /// `Retry-After`, unbounded.
    pub fn retry_after(&self) -> Option<Duration> {
        let (value, date) = (self.header(&RETRY_AFTER)?, self.header(&DATE));
        retry_after::wait(value, date, self.received_at)
    }

    /// The end of [`Self::retry_after`].
    pub fn retry_at(&self) -> Option<Timestamp> {
        let end = self.received_at.checked_add(self.retry_after()?);
        Some(end.unwrap_or(Timestamp::MAX))
    }

    /// A failure with the [`Self::retry_at`] of this reply.
    pub fn failure(&self, kind: ErrorKind, message: String) -> Failure {
        Failure {
            kind,
            message,
            retry_at: self.retry_at(),
        }
    }
}

/// The settings of every client. `timeout` is for a whole exchange, including the body; `keep_idle` is
/// how long an idle connection is kept.
fn builder(timeout: Duration, keep_idle: Duration) -> ClientBuilder {
    let ping = Duration::from_secs(5).min(timeout / 4);
    ClientBuilder::new()
        .user_agent(concat!("mintwatch/", env!("CARGO_PKG_VERSION")))
        .default_headers(HeaderMap::from_iter([(ACCEPT, JSON)]))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // Retries are up to the caller.
        .retry(reqwest::retry::never())
        .connect_timeout(timeout.min(MAX_SILENCE))
        .timeout(timeout)
        .pool_idle_timeout(keep_idle)
        .tcp_keepalive(Duration::from_secs(15))
        .tcp_keepalive_interval(Duration::from_secs(5))
        .tcp_keepalive_retries(3)
        // All exchanges share one HTTP/2 connection. If it died while the machine slept, the first one
        // must notice before its own timeout, or the next would fail too.
        .http2_keep_alive_interval(ping)
        .http2_keep_alive_timeout(ping)
        // Whatever DNS says, `localhost` is this machine: the secret may be sent in clear.
        .resolve_to_addrs(
            "localhost",
            &[
                (Ipv4Addr::LOCALHOST, 0).into(),
                (Ipv6Addr::LOCALHOST, 0).into(),
            ],
        )
}

/// URLs drop dot segments, tabs and line breaks.
fn is_segment(part: &str) -> bool {
    !matches!(part, "" | "." | "..") && !part.chars().any(char::is_control)
}

#[cfg(test)]
mod tests;
