//! The client of the Mintlify agent API: one call, one typed answer or one [`ApiError`].
//!
//! Contract: <https://www.mintlify.com/docs/api/agent/v2/get-agent-job>. What is on the wire is in
//! `wire`, and what is said when a call fails is in `fault`. Nothing is retried here, no redirect
//! is followed, and the key goes to the host of the base URL only. This file must not know the
//! board or the schedule.

mod fault;
mod wire;
pub mod write;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{ClientBuilder, RequestBuilder, Response};
use tracing::Instrument as _;
use url::Url;

use self::fault::Faults;
pub use self::wire::{DecodeError, job as decode};
use crate::config::is_loopback;
use crate::job::{Job, JobKey};
use crate::key::ApiKey;

/// The most decoded bytes of a reply that are read; a job takes less than one of these KiB.
const MAX_BODY: usize = 1024 * 1024;
/// The longest wait for a connection, and for the next bytes of a reply that has begun.
const MAX_SILENCE: Duration = Duration::from_secs(10);
/// How long an unused connection is kept: long enough for active jobs to share it, short enough
/// that few are dead when they are used again.
const KEEP_IDLE: Duration = Duration::from_mins(1);

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
    /// Whether the key is what stands in the way: it was refused, or may not do this.
    pub fn blames_key(self) -> bool {
        matches!(self, Self::Auth | Self::Forbidden)
    }

    /// The word for it on screen and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::RateLimited => "rate_limited",
            Self::Server => "server",
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
        }
    }
}

impl serde::Serialize for ErrorKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Why a call failed, in words that are safe to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// What kind of fault it was.
    pub kind: ErrorKind,
    /// What happened and what to do: one cleaned line without the key.
    pub message: String,
    /// How long the server asks us to wait (`Retry-After`, RFC 9110 section 10.2.3), unbounded.
    pub retry_after: Option<Duration>,
}

/// Why there is no client: found before any call, so that nothing need be started.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The base URL is one that the key must not be sent to.
    #[error("base_url {0}")]
    BaseUrl(&'static str),
    /// This machine has no certificates to trust, or TLS failed otherwise.
    #[error(
        "cannot set up TLS: {0}; install your system's CA certificates (often the package \
         `ca-certificates`), or name a file of them in SSL_CERT_FILE"
    )]
    Tls(String),
}

/// A client of one API server. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: Url,
    timeout: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url.as_str())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the server at `base_url` (which may have a path) that gives each call `timeout`.
    pub fn new(base_url: &Url, timeout: Duration) -> Result<Self, SetupError> {
        check_base_url(base_url).map_err(SetupError::BaseUrl)?;
        let mut builder = builder(timeout);
        if is_loopback(base_url) {
            builder = builder.no_proxy();
        }
        if base_url.scheme() == "http" {
            // Nothing here speaks TLS, and looking for certificates fails where there are none.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self {
            http: builder
                .build()
                .map_err(|error| SetupError::Tls(fault::setup(&error)))?,
            base_url: base_url.clone(),
            timeout,
        })
    }

    /// The job that `job` names, as the server tells it now.
    pub async fn get_job(&self, job: &JobKey, key: &ApiKey) -> Result<Job, ApiError> {
        let span =
            tracing::debug_span!("call", method = "GET", project = ?job.project, job = ?job.id);
        async {
            let url = self.url(&job.project, &["job", &job.id])?;
            let faults = self.faults(key);
            let body = self.call(self.http.get(url), key, &faults).await?;
            wire::job(&body).map_err(|fault| faults.body(&fault))
        }
        .instrument(span)
        .await
    }

    /// Sends `request` with `key`, once, and gives the body of a successful reply.
    async fn call(
        &self,
        request: RequestBuilder,
        key: &ApiKey,
        faults: &Faults<'_>,
    ) -> Result<Vec<u8>, ApiError> {
        let started = Instant::now();
        let outcome = self.exchange(request, key, faults).await;
        let took = started.elapsed();
        match &outcome {
            Ok(body) => tracing::debug!(?took, bytes = body.len(), "answered"),
            Err(error) => tracing::debug!(?took, kind = error.kind.as_str(), %error, "failed"),
        }
        outcome
    }

    async fn exchange(
        &self,
        request: RequestBuilder,
        key: &ApiKey,
        faults: &Faults<'_>,
    ) -> Result<Vec<u8>, ApiError> {
        // `bearer_auth` marks the header sensitive: its `Debug` is hidden, and HTTP/2 never indexes
        // it.
        let sent = request.bearer_auth(key.expose()).send().await;
        let response = sent.map_err(|error| faults.transport(&error))?;
        self.receive(response, faults).await
    }

    /// The body of a successful reply.
    async fn receive(
        &self,
        mut response: Response,
        faults: &Faults<'_>,
    ) -> Result<Vec<u8>, ApiError> {
        let status = response.status();
        tracing::debug!(status = status.as_u16(), "replied");
        let body = read_body(&mut response, self.silence()).await;
        if status.is_success() {
            return body.map_err(|fault| faults.read(&fault));
        }
        // The status is the news: a body that breaks must not hide it.
        let body = body.unwrap_or_default();
        Err(faults.status(status, response.headers(), &body, Timestamp::now()))
    }

    /// The address of `rest` in `project`: each id is one percent-encoded segment of the path.
    fn url(&self, project: &str, rest: &[&str]) -> Result<Url, ApiError> {
        let mut ids = std::iter::once(&project).chain(rest);
        if !ids.all(|id| fits_in_a_segment(id)) {
            return Err(fault::unusable_id());
        }
        let mut url = self.base_url.clone();
        url.path_segments_mut()
            .map_err(|()| fault::unusable_id())?
            .pop_if_empty()
            .extend(["v2", "agent", project])
            .extend(rest);
        Ok(url)
    }

    fn faults<'a>(&'a self, key: &'a ApiKey) -> Faults<'a> {
        Faults {
            base_url: &self.base_url,
            timeout: self.timeout,
            silence: self.silence(),
            key,
            refusal: fault::refusal,
        }
    }

    fn silence(&self) -> Duration {
        MAX_SILENCE.min(self.timeout / 2)
    }
}

/// Why a reply's body could not be read.
enum ReadError {
    TooLarge,
    Stalled,
    Broken(reqwest::Error),
}

/// Reads at most [`MAX_BODY`] decoded bytes: each chunk is decoded only when it is asked for, so a
/// bomb is left alone after its first mebibyte.
async fn read_body(response: &mut Response, silence: Duration) -> Result<Vec<u8>, ReadError> {
    let mut body = Vec::new();
    loop {
        let chunk = tokio::time::timeout(silence, response.chunk())
            .await
            .map_err(|_| ReadError::Stalled)?
            .map_err(ReadError::Broken)?;
        let Some(chunk) = chunk else { return Ok(body) };
        if body.len() + chunk.len() > MAX_BODY {
            return Err(ReadError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
}

/// What every client has in common. `timeout` covers a whole call, its body too.
fn builder(timeout: Duration) -> ClientBuilder {
    let ping = Duration::from_secs(5).min(timeout / 4);
    ClientBuilder::new()
        .user_agent(concat!("mintwatch/", env!("CARGO_PKG_VERSION")))
        .default_headers(HeaderMap::from_iter([(
            ACCEPT,
            HeaderValue::from_static("application/json"),
        )]))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // The schedule alone decides when something is asked again.
        .retry(reqwest::retry::never())
        .connect_timeout(timeout.min(MAX_SILENCE))
        .timeout(timeout)
        .pool_idle_timeout(KEEP_IDLE)
        .tcp_keepalive(Duration::from_secs(15))
        .tcp_keepalive_interval(Duration::from_secs(5))
        .tcp_keepalive_retries(3)
        // All calls share one HTTP/2 connection. If it died while the machine slept, the first call
        // must find that out before its own time is up, or the next would fail with it too.
        .http2_keep_alive_interval(ping)
        .http2_keep_alive_timeout(ping)
        // `localhost` is this machine whatever a name server says: the key may cross it in clear.
        .resolve_to_addrs(
            "localhost",
            &[
                (Ipv4Addr::LOCALHOST, 0).into(),
                (Ipv6Addr::LOCALHOST, 0).into(),
            ],
        )
}

/// Refuses addresses that would carry the key in clear, or more than an address.
fn check_base_url(url: &Url) -> Result<(), &'static str> {
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(url) => {}
        "http" => {
            return Err(
                "must start with https://: plain http would show the key to everyone on \
                        the way (it is allowed to this machine only)",
            );
        }
        _ => return Err("must start with https://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user name or a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must end with its path: no `?` or `#`");
    }
    Ok(())
}

/// Whether `id` stays one segment of a path: URLs drop dot segments, tabs and line breaks.
fn fits_in_a_segment(id: &str) -> bool {
    !matches!(id, "" | "." | "..") && !id.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::stream;
    use hyper::body::{Bytes, Frame};
    use proptest::prelude::*;

    use super::*;

    const ALL_KINDS: [ErrorKind; 8] = [
        ErrorKind::Auth,
        ErrorKind::Forbidden,
        ErrorKind::NotFound,
        ErrorKind::RateLimited,
        ErrorKind::Server,
        ErrorKind::Network,
        ErrorKind::Timeout,
        ErrorKind::Protocol,
    ];

    fn client(base_url: &str) -> Client {
        Client::new(&Url::parse(base_url).unwrap(), Duration::from_secs(20)).unwrap()
    }

    #[test]
    fn the_kinds_are_those_of_the_json() {
        let words = "auth forbidden not_found rate_limited server network timeout protocol";
        assert_eq!(ALL_KINDS.map(ErrorKind::as_str).join(" "), words);
        for kind in ALL_KINDS {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn ids_become_one_segment_each() {
        for (base_url, project, job, want) in [
            ("http://localhost:1", "p", "j", "/v2/agent/p/job/j"),
            (
                "http://localhost:1/in/front",
                "p",
                "j",
                "/in/front/v2/agent/p/job/j",
            ),
            (
                "http://localhost:1/in/front/",
                "p",
                "j",
                "/in/front/v2/agent/p/job/j",
            ),
            (
                "http://localhost:1",
                "a/b",
                "../x",
                "/v2/agent/a%2Fb/job/..%2Fx",
            ),
            (
                "http://localhost:1",
                "p?q#f",
                "%2e%2e",
                "/v2/agent/p%3Fq%23f/job/%252e%252e",
            ),
            (
                "http://localhost:1",
                "a b",
                "é\\",
                "/v2/agent/a%20b/job/%C3%A9%5C",
            ),
        ] {
            let url = client(base_url).url(project, &["job", job]).unwrap();
            assert_eq!(url.path(), want);
            assert_eq!((url.query(), url.fragment()), (None, None));
        }
    }

    #[test]
    fn ids_that_would_change_the_path_are_refused() {
        let client = client("http://localhost:1");
        for id in ["", ".", "..", "a\tb", "\n", "x\r", "\0", "\u{7f}", "\u{85}"] {
            for (project, job) in [(id, "j"), ("p", id)] {
                let error = client.url(project, &["job", job]).unwrap_err();
                assert_eq!(error.kind, ErrorKind::NotFound, "{id:?}");
                assert!(error.message.contains("check both ids"), "{error}");
            }
        }
    }

    #[test]
    fn base_url_table() {
        for (base_url, want) in [
            ("https://api.mintlify.com", None),
            ("https://host/prefix", None),
            ("http://127.0.0.1:8080", None),
            ("http://127.9.9.9", None),
            ("http://[::1]:8080/x", None),
            ("http://localhost", None),
            ("http://api.mintlify.com", Some("https://")),
            ("http://localhost.example.com", Some("https://")),
            ("http://127.0.0.1.example.com", Some("https://")),
            ("http://0.0.0.0", Some("https://")),
            ("http://192.168.0.1", Some("https://")),
            ("http://[::ffff:192.168.0.1]", Some("https://")),
            ("ftp://127.0.0.1", Some("https://")),
            ("data:text/plain,x", Some("https://")),
            ("https://user@host", Some("user name")),
            ("https://:pass@host", Some("user name")),
            ("https://host/?a=b", Some("`?`")),
            ("https://host/#a", Some("`?`")),
        ] {
            let got = check_base_url(&Url::parse(base_url).unwrap());
            match (got, want) {
                (Ok(()), None) => {}
                (Err(got), Some(want)) => assert!(got.contains(want), "{base_url}: {got}"),
                (got, want) => panic!("{base_url}: {got:?}, not {want:?}"),
            }
        }
    }

    #[test]
    fn a_refused_base_url_makes_no_client() {
        let url = Url::parse("http://api.mintlify.com").unwrap();
        let error = Client::new(&url, Duration::from_secs(1)).unwrap_err();
        assert!(
            error.to_string().starts_with("base_url must start with"),
            "{error}"
        );
    }

    /// A reply whose body never ends, and the number of bytes that were taken from it.
    fn endless(chunk: usize) -> (Response, Arc<AtomicUsize>) {
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        let chunks = stream::repeat_with(move || {
            counter.fetch_add(chunk, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Frame::data(Bytes::from(vec![b' '; chunk])))
        });
        let body = reqwest::Body::wrap(http_body_util::StreamBody::new(chunks));
        (hyper::http::Response::new(body).into(), taken)
    }

    /// A name server that finds nothing, or never answers.
    struct Resolver {
        answers: bool,
    }

    impl reqwest::dns::Resolve for Resolver {
        fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
            let answers = self.answers;
            Box::pin(async move {
                if !answers {
                    std::future::pending::<()>().await;
                }
                Err("no such name".into())
            })
        }
    }

    #[tokio::test]
    async fn a_name_that_is_not_found_and_a_connection_that_never_comes() {
        for (answers, kind, want) in [
            (
                true,
                ErrorKind::Network,
                "cannot find api.example.com:8443 (DNS): ",
            ),
            (
                false,
                ErrorKind::Timeout,
                "no connection to api.example.com:8443 within 10s: ",
            ),
        ] {
            let timeout = Duration::from_mins(1);
            let http = builder(timeout)
                .dns_resolver(Resolver { answers })
                .connect_timeout(Duration::from_millis(if answers { 10_000 } else { 10 }))
                .tls_certs_only([])
                .no_proxy();
            let client = Client {
                http: http.build().unwrap(),
                base_url: Url::parse("https://api.example.com:8443/secret").unwrap(),
                timeout,
            };
            let key = ApiKey::parse("mint_x").unwrap();
            let error = client.get_job(&JobKey::new("p", "j"), &key).await;
            let error = error.unwrap_err();
            assert_eq!(error.kind, kind);
            assert!(error.message.starts_with(want), "{error}");
            assert!(!error.message.contains("secret"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_proxy_that_is_not_there_is_blamed_itself() {
        let timeout = Duration::from_mins(1);
        // Nothing listens there: a port is free once its listener is gone.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("http://me:secret@{}", listener.local_addr().unwrap());
        drop(listener);
        let http = builder(timeout)
            .proxy(reqwest::Proxy::all(proxy).unwrap())
            .tls_certs_only([]);
        let client = Client {
            http: http.build().unwrap(),
            base_url: Url::parse("https://api.example.com").unwrap(),
            timeout,
        };
        let key = ApiKey::parse("mint_x").unwrap();
        let error = client.get_job(&JobKey::new("p", "j"), &key).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Network);
        let want = "the proxy (HTTPS_PROXY, or the system's) did not connect to api.example.com (";
        assert!(error.message.starts_with(want), "{error}");
        assert!(!error.message.contains("secret"), "{error}");
    }

    #[tokio::test]
    async fn no_more_is_taken_of_a_body_than_the_cap_and_one_chunk() {
        for chunk in [1, 4_096, 100_000, MAX_BODY, 3 * MAX_BODY] {
            let (mut response, taken) = endless(chunk);
            let outcome = read_body(&mut response, Duration::from_mins(1)).await;
            assert!(matches!(outcome, Err(ReadError::TooLarge)), "{chunk}");
            assert!(
                taken.load(Ordering::Relaxed) <= MAX_BODY + chunk,
                "{chunk}: {taken:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_body_of_just_the_cap_is_read() {
        let body = reqwest::Body::from(vec![b' '; MAX_BODY]);
        let mut response = hyper::http::Response::new(body).into();
        let body = read_body(&mut response, Duration::from_mins(1)).await;
        assert_eq!(body.ok().map(|body| body.len()), Some(MAX_BODY));
    }

    proptest! {
        #[test]
        fn any_id_that_is_accepted_comes_out_of_the_path_as_it_went_in(
            project in ".{0,40}", job in ".{0,40}"
        ) {
            let client = client("http://localhost:1/front");
            if let Ok(url) = client.url(&project, &["job", &job]) {
                let segments: Vec<_> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 6, "{}", url);
                let decoded = |nth: usize| {
                    let form = format!("x={}", segments[nth].replace('+', "%2B").replace('&', "%26"));
                    url::form_urlencoded::parse(form.as_bytes()).next().unwrap().1.into_owned()
                };
                prop_assert_eq!(decoded(3), project);
                prop_assert_eq!(decoded(5), job);
            } else {
                let plain = |id: &str| !id.is_empty() && id.chars().all(char::is_alphanumeric);
                prop_assert!(!plain(&project) || !plain(&job));
            }
        }
    }
}
