//! The simulated API as an HTTP server on the loopback interface, on the caller's runtime.
//!
//! It owns the listener, the connections, the key, the latency and the random errors. What a response
//! says belongs to the simulator, its HTTP form to the routes. This file must not know the client, the
//! config module or the screen.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use super::config_text::config_text;
use super::history::history;
use super::routes::{ErrorResponse, JsonResponse, Route, job_response, parse_prompt, read_body};
use super::simulator::Simulator;
use crate::store::Batch;

/// The defaults are those of `--demo`.
#[derive(Clone)]
pub struct Options {
    pub jobs: usize,
    /// Simulated seconds a second; nothing changes at 0.
    pub speed: f64,
    /// The time that each response takes; random where not given.
    pub latency: Option<Duration>,
    /// The share of polls that fail with a 503, from 0 to 1.
    pub error_rate: f64,
    /// The same seed makes the same jobs.
    pub seed: u64,
    /// 0 takes a free port.
    pub port: u16,
    /// Random where not given.
    pub key: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            jobs: 24,
            speed: 1.0,
            latency: None,
            error_rate: 1.0 / 150.0,
            seed: 24,
            port: 0,
            key: None,
        }
    }
}

/// A running server; dropping it closes all its connections.
pub struct DemoServer {
    address: SocketAddr,
    state: Arc<ServerState>,
    accepting: AbortHandle,
}

impl DemoServer {
    /// Serves 127.0.0.1 on the current tokio runtime.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(ServerState::new(options));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state))).abort_handle();
        Ok(Self {
            address,
            state,
            accepting,
        })
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn key(&self) -> &str {
        &self.state.key
    }

    /// A config that watches all its jobs; `key_source_line` is the line in the `[key]` table.
    pub fn config_toml(&self, key_source_line: &str) -> String {
        let simulator = self.state.simulator();
        config_text(&self.base_url(), key_source_line, simulator.projects())
    }

    /// What an earlier run would have stored of its jobs.
    pub(super) fn history(&self) -> Batch {
        history(&self.state.simulator())
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Shared by all connections. The lock is never held across an await.
struct ServerState {
    key: String,
    latency: Option<Duration>,
    error_rate: f64,
    simulator: Mutex<Simulator>,
}

impl ServerState {
    fn new(options: Options) -> Self {
        let rng = Rng::with_seed(options.seed).fork();
        let simulator = Simulator::new(options.jobs, options.speed, rng, Timestamp::now());
        Self {
            key: options.key.unwrap_or_else(random_key),
            latency: options.latency,
            error_rate: options.error_rate,
            simulator: Mutex::new(simulator),
        }
    }

    fn simulator(&self) -> MutexGuard<'_, Simulator> {
        self.simulator
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn next_latency(&self) -> Duration {
        self.latency
            .unwrap_or_else(|| Duration::from_millis(fastrand::u64(40..=160)))
    }

    fn next_poll_fails(&self) -> bool {
        fastrand::f64() < self.error_rate
    }

    fn accepts_key(&self, headers: &HeaderMap) -> bool {
        headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .is_some_and(|(scheme, key)| scheme.eq_ignore_ascii_case("bearer") && key == self.key)
    }
}

/// It guards a simulation on this machine, so it need not be cryptographically random.
fn random_key() -> String {
    format!("mint_demo_{:032x}", fastrand::u128(..))
}

/// Accepts connections until it is aborted, which closes them too.
async fn accept(listener: TcpListener, state: Arc<ServerState>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, Arc::clone(&state)));
                }
                // Mostly out of descriptors: some may be free in a moment.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, state: Arc<ServerState>) {
    // A failure costs speed only.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(respond(&state, request).await) }
    });
    // A broken connection is for the client to notice.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(state: &ServerState, request: Request<Incoming>) -> JsonResponse {
    let latency = state.next_latency();
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    handle(state, request)
        .await
        .unwrap_or_else(ErrorResponse::into_response)
}

async fn handle(
    state: &ServerState,
    request: Request<Incoming>,
) -> Result<JsonResponse, ErrorResponse> {
    let (head, body) = request.into_parts();
    // Before any response: a client that is still sending would see a broken pipe instead.
    let body = read_body(body).await;
    if !state.accepts_key(&head.headers) {
        return Err(ErrorResponse::unauthorized());
    }
    let route = Route::from_path(head.uri.path()).ok_or_else(ErrorResponse::not_found)?;
    if head.method != route.method() {
        return Err(ErrorResponse::method_not_allowed(route.method()));
    }
    let now = Timestamp::now();
    match route {
        Route::Get { .. } if state.next_poll_fails() => Err(ErrorResponse::service_unavailable()),
        Route::Get { project, id } => {
            job_response(StatusCode::OK, state.simulator().get(project, id, now))
        }
        Route::Create { project } => {
            let prompt = parse_prompt(&body?)?;
            let mut simulator = state.simulator();
            job_response(StatusCode::CREATED, simulator.create(project, &prompt, now))
        }
        Route::Message { project, id } => {
            let prompt = parse_prompt(&body?)?;
            let mut simulator = state.simulator();
            job_response(StatusCode::OK, simulator.message(project, id, &prompt, now))
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{Client, Method, RequestBuilder, Response};
    use serde_json::{Value, json};

    use super::*;
    use crate::demo::routes::MAX_BODY;

    const DOCS: &str = "64f0c1e2";

    fn quick() -> Options {
        Options {
            latency: Some(Duration::ZERO),
            error_rate: 0.0,
            ..Options::default()
        }
    }

    fn client() -> Client {
        let builder = Client::builder().no_proxy().tls_certs_only([]);
        builder.build().unwrap()
    }

    fn request(server: &DemoServer, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", server.base_url());
        client().request(method, url).bearer_auth(server.key())
    }

    fn first_job(server: &DemoServer) -> String {
        server.state.simulator().projects()[0].jobs[0].id.clone()
    }

    /// The body of a reply that must have `code` and hold JSON.
    async fn json_of(response: Response, code: u16) -> Value {
        assert_eq!(response.status().as_u16(), code);
        assert_eq!(response.headers()["content-type"], "application/json");
        response.json().await.unwrap()
    }

    /// The response must have `code`, and an `error` that contains `says` as its only member.
    async fn assert_error(request: RequestBuilder, code: u16, says: &str) {
        let body = json_of(request.send().await.unwrap(), code).await;
        let error = body["error"].as_str().unwrap();
        assert!(error.contains(says), "{error}");
        assert_eq!(body.as_object().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn get_returns_a_job_by_the_contract() {
        let server = DemoServer::start(quick()).await.unwrap();
        let (mut statuses, mut keys) = (Vec::new(), Vec::new());
        for job in 0..10 {
            let id = server.state.simulator().projects()[0].jobs[job].id.clone();
            let path = format!("/v2/agent/{DOCS}/job/{id}");
            let reply = request(&server, Method::GET, &path).send().await.unwrap();
            let job = json_of(reply, 200).await;
            assert_eq!(job["id"], id.as_str());
            assert_eq!(job["source"]["repository"], "https://github.com/acme/docs");
            let branch = job["source"]["ref"].as_str().unwrap();
            assert!(branch.starts_with("mintlify/"), "{branch}");
            job["createdAt"]
                .as_str()
                .unwrap()
                .parse::<Timestamp>()
                .unwrap();
            statuses.push(job["status"].as_str().unwrap().to_owned());
            keys = job.as_object().unwrap().keys().cloned().collect();
        }
        keys.sort();
        let want = [
            "archivedAt",
            "createdAt",
            "id",
            "model",
            "prLink",
            "source",
            "status",
        ];
        assert_eq!(keys, want);
        for status in ["active", "completed", "failed", "archived"] {
            assert!(statuses.iter().any(|each| each == status), "{statuses:?}");
        }
    }

    #[tokio::test]
    async fn create_starts_a_job_that_can_be_polled() {
        let server = DemoServer::start(quick()).await.unwrap();
        let path = format!("/v2/agent/{DOCS}/job");
        let body = json!({ "prompt": "Document the retries" });
        let create = request(&server, Method::POST, &path).json(&body);
        let made = json_of(create.send().await.unwrap(), 201).await;
        assert_eq!(made["status"], "active");
        assert_eq!(made["source"]["ref"], Value::Null);
        assert_eq!(made["prLink"], Value::Null);
        let path = format!("{path}/{}", made["id"].as_str().unwrap());
        let poll = request(&server, Method::GET, &path).send().await.unwrap();
        assert_eq!(json_of(poll, 200).await, made);
    }

    #[tokio::test]
    async fn a_message_wakes_a_finished_job() {
        let server = DemoServer::start(quick()).await.unwrap();
        let path = format!("/v2/agent/{DOCS}/job/{}", first_job(&server));
        let before = request(&server, Method::GET, &path).send().await.unwrap();
        assert_eq!(json_of(before, 200).await["status"], "completed");
        let message = request(&server, Method::POST, &format!("{path}/message"));
        let woken = message.json(&json!({ "prompt": "Go on" })).send().await;
        assert_eq!(json_of(woken.unwrap(), 200).await["status"], "active");
        let after = request(&server, Method::GET, &path).send().await.unwrap();
        assert_eq!(json_of(after, 200).await["status"], "active");
    }

    #[tokio::test]
    async fn a_missing_or_wrong_key_is_refused() {
        let server = DemoServer::start(quick()).await.unwrap();
        let key = server.key();
        assert!(key.starts_with("mint_demo_"));
        let url = format!(
            "{}/v2/agent/{DOCS}/job/{}",
            server.base_url(),
            first_job(&server)
        );
        let longer = format!("Bearer {key}0");
        let basic = format!("Basic {key}");
        for wrong in [
            None,
            Some("Bearer"),
            Some(&*longer),
            Some(&*basic),
            Some(key),
        ] {
            let mut get = client().get(&url);
            if let Some(value) = wrong {
                get = get.header("authorization", value);
            }
            assert_error(get, 401, "API key").await;
        }
        let get = client()
            .get(&url)
            .header("authorization", format!("bearer {key}"));
        assert_eq!(get.send().await.unwrap().status(), 200);
    }

    #[tokio::test]
    async fn what_is_not_there_is_404() {
        let server = DemoServer::start(quick()).await.unwrap();
        let id = first_job(&server);
        let prompt = json!({ "prompt": "x" });
        for (method, path, says) in [
            (Method::GET, format!("/v2/agent/{DOCS}/job/nope"), "Job"),
            (Method::GET, format!("/v2/agent/nope/job/{id}"), "Project"),
            (Method::POST, String::from("/v2/agent/nope/job"), "Project"),
            (
                Method::POST,
                format!("/v2/agent/{DOCS}/job/nope/message"),
                "Job",
            ),
            (
                Method::GET,
                format!("/v1/agent/{DOCS}/job/{id}"),
                "Not found",
            ),
            (Method::GET, String::from("/"), "Not found"),
        ] {
            let request = request(&server, method, &path).json(&prompt);
            assert_error(request, 404, says).await;
        }
    }

    #[tokio::test]
    async fn wrong_methods_are_405_and_say_the_right_one() {
        let server = DemoServer::start(quick()).await.unwrap();
        let job = format!("/v2/agent/{DOCS}/job/{}", first_job(&server));
        for (method, path, allowed) in [
            (Method::POST, job.clone(), "GET"),
            (Method::DELETE, job.clone(), "GET"),
            (Method::GET, format!("/v2/agent/{DOCS}/job"), "POST"),
            (Method::GET, format!("{job}/message"), "POST"),
        ] {
            let request = request(&server, method, &path);
            let reply = request.send().await.unwrap();
            assert_eq!(reply.headers()["allow"], allowed, "{path}");
            let body = json_of(reply, 405).await;
            assert!(body["error"].as_str().unwrap().contains(allowed));
        }
    }

    #[tokio::test]
    async fn bad_bodies_are_refused() {
        let server = DemoServer::start(quick()).await.unwrap();
        let create = format!("/v2/agent/{DOCS}/job");
        let message = format!("{create}/{}/message", first_job(&server));
        let large = json!({ "prompt": "x".repeat(MAX_BODY) }).to_string();
        let huge = "x".repeat(20 * MAX_BODY);
        for path in [create, message] {
            for (body, code, says) in [
                ("", 400, "not JSON"),
                ("{", 400, "not JSON"),
                ("{}", 400, "required"),
                (r#"{"prompt":""}"#, 400, "empty"),
                (r#"{"prompt":["x"]}"#, 400, "string"),
                (&large, 413, "larger"),
                (&huge, 413, "larger"),
            ] {
                let post = request(&server, Method::POST, &path).body(body.to_owned());
                assert_error(post, code, says).await;
            }
        }
    }

    #[tokio::test]
    async fn the_hundred_and_first_write_of_an_hour_is_429() {
        let server = DemoServer::start(quick()).await.unwrap();
        let client = client();
        let url = |project| format!("{}/v2/agent/{project}/job", server.base_url());
        let create = |project| {
            let post = client.post(url(project)).bearer_auth(server.key());
            post.json(&json!({ "prompt": "x" })).send()
        };
        for _ in 0..100 {
            assert_eq!(create(DOCS).await.unwrap().status(), 201);
        }
        let refused = create(DOCS).await.unwrap();
        let wait: u64 = refused.headers()["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((3_000..=3_600).contains(&wait), "{wait}");
        let body = json_of(refused, 429).await;
        assert!(body["error"].as_str().unwrap().contains("Rate limit"));
        assert_eq!(create("64f0c20b").await.unwrap().status(), 201);
    }

    #[tokio::test]
    async fn errors_come_at_their_rate_and_only_to_polls() {
        let options = Options {
            error_rate: 1.0,
            ..quick()
        };
        let server = DemoServer::start(options).await.unwrap();
        let path = format!("/v2/agent/{DOCS}/job");
        let poll = request(
            &server,
            Method::GET,
            &format!("{path}/{}", first_job(&server)),
        );
        assert_error(poll, 503, "simulated").await;
        let create = request(&server, Method::POST, &path).json(&json!({ "prompt": "x" }));
        assert_eq!(create.send().await.unwrap().status(), 201);
    }

    #[test]
    fn latency_and_errors_follow_the_options() {
        let state = ServerState::new(Options::default());
        let latencies: Vec<_> = (0..200).map(|_| state.next_latency().as_millis()).collect();
        assert!(latencies.iter().all(|ms| (40..=160).contains(ms)));
        assert!(latencies.iter().any(|ms| *ms != latencies[0]));
        let failures = (0..15_000).filter(|_| state.next_poll_fails()).count();
        assert!((50..200).contains(&failures), "{failures}");

        let state = ServerState::new(quick());
        assert_eq!(state.next_latency(), Duration::ZERO);
        assert!((0..1_000).all(|_| !state.next_poll_fails()));
    }

    #[test]
    fn keys_differ_unless_one_is_given() {
        let key = |options| ServerState::new(options).key;
        assert_ne!(key(quick()), key(quick()));
        let given = Options {
            key: Some(String::from("mint_demo_given")),
            ..quick()
        };
        assert_eq!(key(given), "mint_demo_given");
    }

    #[tokio::test]
    async fn many_connections_are_served_at_once() {
        let options = Options {
            latency: Some(Duration::from_millis(20)),
            jobs: 300,
            ..quick()
        };
        let server = DemoServer::start(options).await.unwrap();
        let client = client();
        let mut polls = JoinSet::new();
        for project in server.state.simulator().projects() {
            for job in &project.jobs {
                let path = format!("v2/agent/{}/job/{}", project.id, job.id);
                let get = client.get(format!("{}/{path}", server.base_url()));
                polls.spawn(get.bearer_auth(server.key()).send());
            }
        }
        let replies = polls.join_all().await;
        assert_eq!(replies.len(), 300);
        for reply in replies {
            assert_eq!(reply.unwrap().status(), 200);
        }
    }

    #[tokio::test]
    async fn a_dropped_server_is_gone_with_its_connections() {
        let server = DemoServer::start(quick()).await.unwrap();
        let (address, key) = (server.address, server.key().to_owned());
        let client = client();
        let get = || client.get(format!("http://{address}/")).bearer_auth(&key);
        assert_eq!(get().send().await.unwrap().status(), 404);
        drop(server);
        let gone = async { while get().send().await.is_ok() {} };
        tokio::time::timeout(Duration::from_secs(10), gone)
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_port_in_use_is_an_error() {
        let server = DemoServer::start(quick()).await.unwrap();
        let options = Options {
            port: server.address.port(),
            ..quick()
        };
        let error = DemoServer::start(options).await.err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(server.base_url().starts_with("http://127.0.0.1:"));
    }
}
