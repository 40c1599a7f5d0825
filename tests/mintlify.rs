//! The API client against a server that breaks in every way.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::io::Write;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use mintwatch::failure::{ErrorKind, Failure};
use mintwatch::job::{Job, JobKey, Status};
use mintwatch::key::ApiKey;
use mintwatch::mintlify::Client;
use mintwatch::mintlify::write::{CreatedJob, WriteError};
use mintwatch::pull_request::PullRequest;
use mintwatch::text::clean;
use serde_json::json;
use support::fake_server::FakeServer;
use support::reply::Reply;

/// Never reached: for calls that end by themselves.
const PATIENT: Duration = Duration::from_mins(1);
/// Always reached: for calls that only their timeout ends.
const SHORT: Duration = Duration::from_millis(300);
/// Has the URL of the server, for a child process.
const BASE_URL_VARIABLE: &str = "MINTWATCH_TEST_BASE_URL";
const CANARY: &str = "mint_canary_5f1d8c7b2e";

fn client(base_url: &str, timeout: Duration) -> Client {
    Client::new(&base_url.parse().unwrap(), timeout).unwrap()
}

fn key() -> ApiKey {
    ApiKey::parse(CANARY).unwrap()
}

async fn get(client: &Client) -> Result<Job, Failure> {
    let (job, key) = (JobKey::new("docs", "job_1"), key());
    tokio::time::timeout(2 * PATIENT, client.get_job(&job, &key))
        .await
        .expect("a call ends by itself")
}

/// What one call to `server` gives when it answers with `reply`.
async fn ask(server: &FakeServer, reply: Reply, timeout: Duration) -> Result<Job, Failure> {
    server.set("docs", "job_1", reply);
    get(&client(&server.base_url(), timeout)).await
}

async fn idle(server: &FakeServer) {
    let closed = || server.open_connections() == 0;
    support::until(PATIENT, "the connections to close", closed).await;
}

#[tokio::test]
async fn a_job_is_fetched() {
    let server = FakeServer::start();
    let link = "https://github.com/acme/docs/pull/412";
    let job = ask(&server, Reply::pull_request(link), PATIENT)
        .await
        .unwrap();
    assert_eq!(job.status, Some(Status::Completed));
    assert_eq!(job.pull_request, Some(PullRequest::new(link)));

    let request = &server.requests()[0];
    assert_eq!(request.method, "GET");
    assert_eq!(request.path, "/v2/agent/docs/job/job_1");
    let agent = concat!("mintwatch/", env!("CARGO_PKG_VERSION"));
    let bearer = format!("Bearer {CANARY}");
    for (name, want) in [
        ("user-agent", Some(agent)),
        ("accept", Some("application/json")),
        ("accept-encoding", Some("gzip")),
        ("authorization", Some(bearer.as_str())),
        ("referer", None),
        ("cookie", None),
    ] {
        assert_eq!(request.header(name), want, "{name}");
    }
}

#[tokio::test]
async fn a_prefix_and_odd_ids_reach_the_server_as_they_are() {
    let server = FakeServer::start();
    let id = "a/b ?é%2F".repeat(60);
    server.set("pro/ject", &id, Reply::job("active"));
    let client = client(&format!("{}/behind/it/", server.base_url()), PATIENT);
    let job = client.get_job(&JobKey::new("pro/ject", &*id), &key()).await;
    assert_eq!(job.unwrap().status, Some(Status::Active));
    let path = &server.requests()[0].path;
    assert!(
        path.starts_with("/behind/it/v2/agent/pro%2Fject/job/a%2Fb%20%3F"),
        "{path}"
    );

    let refused = client.get_job(&JobKey::new("..", "job_1"), &key()).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn one_connection_serves_many_calls_and_gzip_is_read() {
    let server = FakeServer::start();
    server.set("docs", "job_1", Reply::job("active").gzip());
    let client = client(&server.base_url(), PATIENT);
    for _ in 0..5 {
        assert_eq!(get(&client).await.unwrap().status, Some(Status::Active));
    }
    assert_eq!(server.requests().len(), 5);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn refusal_table() {
    let server = FakeServer::start();
    let wait = |seconds| Some(Duration::from_secs(seconds));
    for (reply, kind, words, retry_after) in [
        (
            Reply::unauthorized(),
            ErrorKind::Auth,
            "the key was refused (401)",
            None,
        ),
        (
            Reply::forbidden(),
            ErrorKind::Forbidden,
            "not allowed (403)",
            None,
        ),
        (
            Reply::not_found(),
            ErrorKind::NotFound,
            "(the server says: Job not found)",
            None,
        ),
        (
            Reply::unavailable(),
            ErrorKind::Server,
            "the server failed (503)",
            None,
        ),
        (
            Reply::error(400, "no"),
            ErrorKind::Protocol,
            "(400): is base_url",
            None,
        ),
        (
            Reply::too_many(None),
            ErrorKind::RateLimited,
            "too many requests (429)",
            None,
        ),
        (
            Reply::too_many(Some("30")),
            ErrorKind::RateLimited,
            "(429)",
            wait(30),
        ),
        (
            Reply::too_many(Some("1000000000")),
            ErrorKind::RateLimited,
            "(429)",
            wait(1_000_000_000),
        ),
        (
            Reply::too_many(Some("-5")),
            ErrorKind::RateLimited,
            "(429)",
            None,
        ),
        (
            Reply::too_many(Some("soon")),
            ErrorKind::RateLimited,
            "(429)",
            None,
        ),
        (
            Reply::too_many(Some("Wed, 21 Oct 2015 07:28:00 GMT")),
            ErrorKind::RateLimited,
            "(429)",
            wait(0),
        ),
        (
            Reply::too_many(Some("Wed, 21 Oct 2015 07:28:09 GMT"))
                .header("Date", "Wed, 21 Oct 2015 07:28:00 GMT"),
            ErrorKind::RateLimited,
            "(429)",
            wait(9),
        ),
    ] {
        let label = format!("{reply:?}");
        let sent = Timestamp::now();
        let error = ask(&server, reply, PATIENT).await.unwrap_err();
        let came = sent..=Timestamp::now();
        assert_eq!(error.kind, kind, "{label}");
        assert!(error.message.contains(words), "{label}: {error}");
        let asked = retry_after.zip(error.retry_at);
        assert_eq!(error.retry_at.is_some(), retry_after.is_some(), "{label}");
        assert!(
            asked.is_none_or(|(wait, at)| came.contains(&(at - wait))),
            "{label}: {error:?}"
        );
    }
}

/// Checks the kind and the words for each of `faults`, all from one server.
async fn check(timeout: Duration, kind: ErrorKind, faults: Vec<(Reply, &str)>) {
    let server = FakeServer::start();
    for (reply, words) in faults {
        let mut label = format!("{reply:?}");
        label.truncate(120);
        let error = ask(&server, reply, timeout).await.unwrap_err();
        assert_eq!(error.kind, kind, "{label}: {error}");
        assert!(error.message.contains(words), "{label}: {error}");
        assert!(!error.message.contains("/v2/"), "{label}: {error}");
        assert_eq!(clean(&error.message), error.message, "{label}");
        assert_eq!(error.retry_at, None, "{label}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_job_is_a_protocol_error() {
    let json = |body: &str| Reply::text(200, "application/json", body);
    let faults = vec![
        (Reply::html(), "is HTML, not JSON: is base_url right?"),
        (Reply::no_content(), "the reply is empty"),
        (json(""), "the reply is empty"),
        (json("{\"status\":\"act"), "stops in the middle of its JSON"),
        (json("hello"), "is not JSON"),
        (
            json("{\"source\": {\"ref\": 5}}"),
            "`source.ref` is a number, not text",
        ),
        (json("[]"), "the reply is a list, not an object"),
        (
            Reply::deep_json("", 100_000),
            "the reply is a list, not an object",
        ),
        (
            Reply::deep_json("source", 100_000),
            "`source` is a list, not an object",
        ),
        (json(&" ".repeat(1024 * 1024 + 1)), "larger than 1 MiB"),
    ];
    check(PATIENT, ErrorKind::Protocol, faults).await;
}

#[tokio::test]
async fn broken_compression_and_broken_http_are_protocol_errors() {
    let Reply::Full { body: gzip, .. } = Reply::job("active").gzip() else {
        unreachable!()
    };
    let mut damaged = gzip.clone();
    damaged[20..30].fill(0xff);
    let compressed =
        |body: &[u8]| Reply::text(200, "application/json", body).header("Content-Encoding", "gzip");
    let raw = |text: &str| Reply::Raw(text.as_bytes().to_vec());
    let head = "HTTP/1.1 200 OK\r\n";
    let faults = vec![
        (compressed(b"no gzip"), "compression of the reply is broken"),
        (
            compressed(&gzip[..gzip.len() / 2]),
            "compression of the reply is broken",
        ),
        (compressed(&damaged), "compression of the reply is broken"),
        (compressed(b""), "the reply is empty"),
        (
            raw("SSH-2.0-OpenSSH_9.9\r\n"),
            "answers, but not in HTTP: is base_url right?",
        ),
        (
            raw(&format!("{head}bad header\r\n\r\n")),
            "answers, but not in HTTP",
        ),
        (
            raw(&format!("{head}X: {}\r\n\r\n", "x".repeat(1 << 20))),
            "answers, but not in HTTP",
        ),
        (
            raw(&format!("{head}{}\r\n", "X: y\r\n".repeat(10_000))),
            "answers, but not in HTTP",
        ),
        (
            raw(&format!(
                "{head}Transfer-Encoding: chunked\r\n\r\nno number\r\n"
            )),
            "answers, but not in HTTP",
        ),
    ];
    check(PATIENT, ErrorKind::Protocol, faults).await;
}

#[tokio::test]
async fn broken_connections_are_network_errors() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{";
    let faults = vec![
        (
            Reply::Raw(Vec::new()),
            "closed the connection before the whole reply came",
        ),
        (
            Reply::Raw(b"HTTP/1.1 200 OK\r\n".into()),
            "closed the connection before",
        ),
        (Reply::Raw(chunked.into()), "closed the connection before"),
        (Reply::Truncate, "closed the connection before"),
        (
            Reply::Reset,
            "was reset: if this stays so, check the network",
        ),
    ];
    check(PATIENT, ErrorKind::Network, faults).await;
}

#[tokio::test]
async fn replies_that_do_not_end_are_timeouts() {
    let words = " within 300ms: is it slow, or the network down?";
    let faults = vec![
        (Reply::HangBeforeHeaders, words),
        (Reply::HangInHeaders, words),
    ];
    check(SHORT, ErrorKind::Timeout, faults).await;
    // Each byte comes in time; all of them do not.
    let drip = Reply::Drip(Duration::from_millis(5));
    let faults = vec![(drip, " within 2s: is it slow, or the network down?")];
    check(Duration::from_secs(2), ErrorKind::Timeout, faults).await;
}

#[tokio::test]
async fn deep_nesting_in_an_unknown_member_is_skipped() {
    let server = FakeServer::start();
    let job = ask(&server, Reply::deep_json("new", 100_000), PATIENT).await;
    assert_eq!(job, Ok(Job::default()));
}

#[tokio::test]
async fn a_reply_that_stalls_is_given_up_before_its_time() {
    let server = FakeServer::start();
    let error = ask(&server, Reply::HangInBody, Duration::from_secs(4))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(
        error
            .message
            .contains("began its reply, then sent nothing for 2s"),
        "{error}"
    );
}

#[tokio::test]
async fn a_status_is_reported_even_if_its_body_breaks() {
    let server = FakeServer::start();
    for end in ["{\"error\":", &" ".repeat(2 << 20)] {
        let head = "HTTP/1.1 401 No\r\nContent-Length: 9999999\r\n\r\n";
        let reply = Reply::Raw(format!("{head}{end}").into_bytes());
        let error = ask(&server, reply, PATIENT).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Auth, "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_down_and_comes_back() {
    let mut server = FakeServer::start();
    server.set("docs", "job_1", Reply::job("active"));
    let client = client(&server.base_url(), PATIENT);
    assert!(get(&client).await.is_ok());
    server.stop();
    let error = loop {
        // The pooled connection may be found dead first.
        let error = get(&client).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Network, "{error}");
        if !error.message.contains("closed the connection") {
            break error;
        }
    };
    let words = format!(
        "127.0.0.1:{} refused the connection: is the server up",
        server.port()
    );
    assert!(error.message.contains(&words), "{error}");
    server.restart();
    assert!(get(&client).await.is_ok());
}

async fn create(server: &FakeServer, timeout: Duration) -> Result<CreatedJob, WriteError> {
    let (client, key) = (client(&server.base_url(), timeout), key());
    let project = "docs".into();
    let call = client.create_job(&project, "Do\n\"it\"", &key);
    let ended = tokio::time::timeout(2 * PATIENT, call).await;
    ended.expect("a call ends by itself")
}

async fn send(server: &FakeServer, timeout: Duration) -> Result<Job, WriteError> {
    let (client, key) = (client(&server.base_url(), timeout), key());
    let job = JobKey::new("docs", "job_1");
    let call = client.send_message(&job, "More", &key);
    let ended = tokio::time::timeout(2 * PATIENT, call).await;
    ended.expect("a call ends by itself")
}

#[tokio::test]
async fn a_job_is_created_and_sent_a_message() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let made = create(&server, PATIENT).await.unwrap();
    assert_eq!(&*made.id, "job_of_the_reply");
    assert_eq!(made.job.status, Some(Status::Active));
    let told = send(&server, PATIENT).await.unwrap();
    let branch = Some(String::from("mintlify/job_1"));
    assert_eq!(told, Job { branch, ..made.job });
    let requests = server.requests();
    let sent = requests.iter().map(|request| {
        let bearer = format!("Bearer {CANARY}");
        assert_eq!(request.header("authorization"), Some(bearer.as_str()));
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        (request.method.as_str(), request.path.as_str(), body)
    });
    let want = [
        (
            "POST",
            "/v2/agent/docs/job",
            json!({ "prompt": "Do\n\"it\"" }),
        ),
        (
            "POST",
            "/v2/agent/docs/job/job_1/message",
            json!({ "prompt": "More" }),
        ),
    ];
    assert_eq!(sent.collect::<Vec<_>>(), want);
}

#[tokio::test]
async fn a_write_is_sent_once_and_its_doubt_is_reported() {
    for (reply, timeout, kind, in_doubt) in [
        (Reply::error(400, "no"), PATIENT, ErrorKind::Protocol, false),
        (Reply::unauthorized(), PATIENT, ErrorKind::Auth, false),
        (Reply::forbidden(), PATIENT, ErrorKind::Forbidden, false),
        (Reply::not_found(), PATIENT, ErrorKind::NotFound, false),
        (
            Reply::too_many(None),
            PATIENT,
            ErrorKind::RateLimited,
            false,
        ),
        (
            Reply::redirect(307, "http://127.0.0.1:1/"),
            PATIENT,
            ErrorKind::Protocol,
            false,
        ),
        (Reply::error(500, "oops"), PATIENT, ErrorKind::Server, true),
        (Reply::unavailable(), PATIENT, ErrorKind::Server, true),
        (Reply::Reset, PATIENT, ErrorKind::Network, true),
        (Reply::Truncate, PATIENT, ErrorKind::Network, true),
        (Reply::Raw(Vec::new()), PATIENT, ErrorKind::Network, true),
        (Reply::HangBeforeHeaders, SHORT, ErrorKind::Timeout, true),
        (Reply::HangInBody, SHORT, ErrorKind::Timeout, true),
        (Reply::no_content(), PATIENT, ErrorKind::Protocol, true),
        (Reply::html(), PATIENT, ErrorKind::Protocol, true),
    ] {
        let server = FakeServer::start();
        server.set_default(reply.clone());
        let made = create(&server, timeout).await.unwrap_err();
        assert_eq!(server.requests().len(), 1, "{reply:?}");
        let told = send(&server, timeout).await.unwrap_err();
        assert_eq!(server.requests().len(), 2, "{reply:?}");
        for (error, doubt) in [(made, "may exist"), (told, "may have arrived")] {
            assert_eq!(error.failure.kind, kind, "{error}");
            assert_eq!(error.may_have_happened, in_doubt, "{error}");
            assert_eq!(error.to_string().contains(doubt), in_doubt, "{error}");
        }
    }
}

#[tokio::test]
async fn a_creation_without_an_id_may_have_happened() {
    let server = FakeServer::start();
    for body in [
        json!({ "status": "active" }),
        json!({ "id": null }),
        json!({ "id": " " }),
        json!({ "id": 5 }),
    ] {
        server.set_default(Reply::json(201, &body));
        let error = create(&server, PATIENT).await.unwrap_err();
        assert_eq!(error.failure.kind, ErrorKind::Protocol, "{body}");
        assert!(error.may_have_happened, "{body}");
    }
}

#[tokio::test]
async fn what_never_reached_the_server_did_not_happen() {
    let mut server = FakeServer::start();
    server.stop();
    let error = create(&server, PATIENT).await.unwrap_err();
    assert_eq!(error.failure.kind, ErrorKind::Network);
    assert!(!error.may_have_happened, "{error}");
    let client = client(&server.base_url(), PATIENT);
    let error = client
        .create_job(&"..".into(), "x", &key())
        .await
        .unwrap_err();
    assert_eq!(error.failure.kind, ErrorKind::NotFound);
    assert!(!error.may_have_happened, "{error}");
}

#[tokio::test]
async fn nothing_is_sent_twice() {
    let server = FakeServer::start();
    for reply in [
        Reply::unavailable(),
        Reply::too_many(Some("0")),
        Reply::Reset,
        Reply::Truncate,
        Reply::Raw(Vec::new()),
        Reply::HangBeforeHeaders,
    ] {
        let before = server.requests().len();
        let client = client(&server.base_url(), Duration::from_secs(2));
        // Over a connection that was used before, where a client is tempted most.
        server.set("docs", "job_1", Reply::job("active").then(reply));
        assert!(get(&client).await.is_ok());
        assert!(get(&client).await.is_err());
        drop(client);
        idle(&server).await;
        assert_eq!(server.requests().len() - before, 2);
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let server = FakeServer::start();
    let other = FakeServer::start();
    let port = other.port();
    let targets = [
        format!("http://127.0.0.1:{port}/v2/agent/docs/job/job_1"),
        format!("http://localhost:{port}/v2/agent/docs/job/job_1"),
        format!("https://127.0.0.1:{port}/"),
        format!("//127.0.0.1:{port}/x"),
        format!("http://127.0.0.1:{}/elsewhere", server.port()),
        "/v2/agent/docs/job/job_2".to_owned(),
    ];
    for status in [300, 301, 302, 303, 307, 308] {
        for target in &targets {
            let before = server.requests().len();
            let error = ask(&server, Reply::redirect(status, target), PATIENT)
                .await
                .unwrap_err();
            assert_eq!(error.kind, ErrorKind::Protocol, "{status} {target}");
            let words = format!("the server redirects ({status}) to http");
            assert!(error.message.contains(&words), "{status} {target}: {error}");
            assert_eq!(server.requests().len() - before, 1, "{status} {target}");
        }
    }
    assert_eq!(other.connections(), 0);
}

/// Bytes that a growth of this process's memory may not reach where a bomb or an endless reply is
/// read; each of them would take a gibibyte and more.
#[cfg(target_os = "linux")]
const BOUND: u64 = 128 * 1024 * 1024;

#[cfg(target_os = "linux")]
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib: u64 = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kib * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn bombs_and_endless_replies_take_bounded_memory() {
    let server = FakeServer::start();
    let bomb = Reply::gzip_bomb();
    let before = peak_memory();
    for reply in [bomb, Reply::EndlessStream] {
        let sent = server.bytes_sent();
        let error = ask(&server, reply, PATIENT).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol);
        assert!(error.message.contains("larger than 1 MiB"), "{error}");
        idle(&server).await;
        assert!(server.bytes_sent() - sent < BOUND);
    }
    assert!(peak_memory() - before < BOUND);
}

#[tokio::test]
async fn a_port_without_tls() {
    let server = FakeServer::start();
    let base_url = server
        .base_url()
        .replace("http:", "https:")
        .parse()
        .unwrap();
    // Without certificates there is no client for https, and the error says why.
    match Client::new(&base_url, PATIENT) {
        Ok(client) => {
            let error = get(&client).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Network);
            assert!(error.message.contains("does not speak TLS"), "{error}");
        }
        Err(error) => assert!(error.to_string().contains("CA certificates"), "{error}"),
    }
    assert!(server.requests().is_empty());
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_key_is_in_no_log_error_or_debug_output() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let server = FakeServer::start();
    let client = client(&server.base_url(), PATIENT);
    let echo = format!("Invalid API key {CANARY}");
    let mut seen = vec![format!("{client:?} {:?}", key())];
    for reply in [
        Reply::job("active"),
        Reply::error(401, &echo),
        Reply::redirect(302, &format!("https://{CANARY}.example.com/?key={CANARY}")),
        Reply::json(200, &json!({"source": CANARY})),
        Reply::json(200, &json!({"status": [CANARY]})),
        Reply::text(200, "text/plain", CANARY),
        Reply::Raw(echo.clone().into_bytes()),
        Reply::Truncate,
        Reply::Reset,
    ] {
        server.set("docs", "job_1", reply);
        if let Err(error) = get(&client).await {
            seen.push(format!("{error} {error:?}"));
        }
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("status=401") && log.contains("job=\"job_1\""),
        "{log}"
    );
    assert!(log.contains("TRACE"), "{log}");
    for text in seen.iter().chain([&log]) {
        assert!(!text.contains(CANARY), "{text}");
    }
}

/// Does something only when the next test runs it, in a process with a proxy in its environment.
#[tokio::test]
async fn with_a_proxy_in_the_environment() {
    let Ok(base_url) = std::env::var(BASE_URL_VARIABLE) else {
        return;
    };
    get(&client(&base_url, PATIENT)).await.unwrap();
    let by_name = base_url.replace("127.0.0.1", "localhost");
    get(&client(&by_name, PATIENT)).await.unwrap();
    // That the environment does send other clients through the proxy.
    let plain = reqwest::Client::builder()
        .tls_certs_only([])
        .build()
        .unwrap();
    plain.get(&base_url).send().await.unwrap();
}

#[test]
fn loopback_is_never_asked_through_a_proxy() {
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let server = FakeServer::start();
        server.set_default(Reply::job("active"));
        let proxy = FakeServer::start();
        proxy.set_default(Reply::job("active"));
        let mut child = Command::new(std::env::current_exe().unwrap());
        for other in [
            "HTTP_PROXY",
            "http_proxy",
            "HTTPS_PROXY",
            "https_proxy",
            "ALL_PROXY",
            "all_proxy",
            "NO_PROXY",
            "no_proxy",
            "REQUEST_METHOD",
        ] {
            child.env_remove(other);
        }
        let output = child
            .args(["--exact", "with_a_proxy_in_the_environment"])
            .env(variable, proxy.base_url())
            .env(BASE_URL_VARIABLE, server.base_url())
            .output()
            .unwrap();
        assert!(output.status.success(), "{variable}: {output:?}");
        let asked = server.wait_for_requests_of("docs", "job_1", 2, PATIENT);
        assert_eq!(asked.len(), server.requests().len(), "{variable}");
        assert_eq!(proxy.wait_for_requests(1, PATIENT).len(), 1, "{variable}");
        assert!(proxy.requests()[0].header("authorization").is_none());
    }
}
