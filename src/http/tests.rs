//! The exchange as a remote uses it, and what only a client made by hand can show.

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;

const LIMIT: usize = 1024 * 1024;
/// Never reached.
const PATIENCE: Duration = Duration::from_mins(1);
/// A remote that is not the one of today.
const TERMS: Terms = Terms {
    address: "api",
    secret: "token",
};

fn client(base_url: &str, builder: ClientBuilder) -> Client {
    Client::build(builder, &base_url.parse().unwrap(), PATIENCE, TERMS).unwrap()
}

fn plain(base_url: &str) -> Client {
    client(base_url, builder(PATIENCE, KEEP_IDLE))
}

async fn post(client: &Client, json: serde_json::Value) -> Result<Reply, ExchangeError> {
    let request = Request {
        method: Method::POST,
        endpoint: client.endpoint(&[]).unwrap(),
        secret: &"ghp_canary".into(),
        json: Some(json),
        limit: 100,
    };
    client.exchange(request).await
}

/// Answers every request with `reply`, and sends what it read of a connection once that is closed.
async fn serve(reply: &'static str) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let (closed, connections) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, reply, closed.clone()));
        }
    });
    (base_url, connections)
}

async fn answer(mut stream: TcpStream, reply: &str, closed: mpsc::UnboundedSender<String>) {
    let mut read = Vec::new();
    let mut answered = 0;
    while let Ok(1..) = stream.read_buf(&mut read).await {
        let requests = read.windows(4).filter(|end| end == b"\r\n\r\n").count();
        for _ in answered..requests {
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
        answered = requests;
    }
    let _ = closed.send(String::from_utf8(read).unwrap());
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(PATIENCE / 2, future).await;
    ended.expect("it ends by itself")
}

#[tokio::test]
async fn another_remote_judges_its_own_codes_and_has_its_own_words() {
    let ok = "HTTP/1.1 403 No\r\nX-RateLimit-Remaining: 0\r\nContent-Length: 2\r\n\r\n{}";
    let (base_url, mut connections) = serve(ok).await;
    let client = plain(&format!("{base_url}/api/graphql"));
    let reply = within(post(&client, serde_json::json!({"query": "{}"}))).await;
    let reply = reply.unwrap();
    assert_eq!((reply.status.as_u16(), &*reply.body), (403, &b"{}"[..]));
    let remaining = HeaderName::from_static("x-ratelimit-remaining");
    assert_eq!(reply.header(&remaining), Some("0"));
    drop(client);
    let sent = within(connections.recv()).await.unwrap().to_lowercase();
    for part in [
        "post /api/graphql http/1.1\r\n",
        "authorization: bearer ghp_canary\r\n",
        "content-type: application/json\r\n",
        "\r\n\r\n{\"query\":\"{}\"}",
    ] {
        assert!(sent.contains(part), "{part}: {sent}");
    }
}

#[tokio::test]
async fn a_failure_blames_what_the_remote_calls_it() {
    let (moved, _connections) =
        serve("HTTP/1.1 308 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n").await;
    let (stalled, _connections) = serve("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n").await;
    for (base_url, want) in [
        (&moved, "so that the token stays where it belongs"),
        (&moved, "put the right address in api"),
        (&stalled, "began its reply"),
    ] {
        let timeout = Duration::from_millis(400);
        let builder = builder(PATIENCE, KEEP_IDLE);
        let client = Client::build(builder, &base_url.parse().unwrap(), timeout, TERMS).unwrap();
        let error = within(post(&client, serde_json::Value::Null)).await;
        let error = error.unwrap_err();
        assert!(error.failure.message.contains(want), "{error}");
        assert_eq!(error.may_have_happened, base_url == &stalled);
    }
    let failure = plain(&moved).explainer(&"x\n".into()).unsendable_secret();
    assert!(failure.message.starts_with("the token holds"), "{failure}");
}

#[tokio::test]
async fn a_secret_that_no_header_can_hold_is_not_sent() {
    let client = plain("http://127.0.0.1:9");
    let request = Request {
        method: Method::GET,
        endpoint: client.endpoint(&["x"]).unwrap(),
        secret: &"a\nb".into(),
        json: None,
        limit: LIMIT,
    };
    let error = client.exchange(request).await.unwrap_err();
    assert_eq!(error.failure.kind, ErrorKind::Auth);
    assert!(!error.may_have_happened);
}

#[test]
fn the_secret_is_hidden_in_the_debug_of_a_request() {
    let client = plain("http://127.0.0.1:9");
    let secret = "mint_canary".into();
    let request = Request {
        method: Method::GET,
        endpoint: client.endpoint(&["x"]).unwrap(),
        secret: &secret,
        json: None,
        limit: LIMIT,
    };
    let shown = format!("{client:?} {request:?}");
    let built = request.build().unwrap();
    assert!(built.headers()[AUTHORIZATION].is_sensitive());
    let shown = format!("{shown} {built:?}");
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn a_time_to_ask_again_is_counted_from_when_the_reply_came() {
    for (value, want) in [
        ("120", Some("2026-11-20T10:02:00Z")),
        (
            "99999999999999999999",
            Some("9999-12-30T22:00:00.999999999Z"),
        ),
        ("soon", None),
    ] {
        let reply = Reply {
            status: StatusCode::SERVICE_UNAVAILABLE,
            headers: HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]),
            body: Vec::new(),
            received_at: "2026-11-20T10:00:00Z".parse().unwrap(),
        };
        let failure = reply.failure(ErrorKind::Server, String::from("busy"));
        assert_eq!(
            failure.retry_at,
            want.map(|at| at.parse().unwrap()),
            "{value}"
        );
    }
}

/// A pooled connection may have died unnoticed, so none is kept for long.
#[tokio::test]
async fn a_connection_that_nobody_uses_is_closed() {
    assert!(KEEP_IDLE <= Duration::from_mins(1));
    let (base_url, mut connections) = serve("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let client = client(&base_url, builder(PATIENCE, Duration::from_millis(1)));
    assert!(within(post(&client, serde_json::Value::Null)).await.is_ok());
    assert!(within(connections.recv()).await.is_some());
}

#[test]
fn parts_of_a_path_become_one_segment_each() {
    for (base_url, path, want) in [
        ("http://localhost:1", &[][..], "/"),
        ("http://localhost:1/graphql", &[], "/graphql"),
        ("http://localhost:1", &["p", "j"], "/p/j"),
        ("http://localhost:1/in/front", &["p", "j"], "/in/front/p/j"),
        ("http://localhost:1/in/front/", &["p", "j"], "/in/front/p/j"),
        ("http://localhost:1", &["a/b", "../x"], "/a%2Fb/..%2Fx"),
        ("http://localhost:1", &["p?q#f", "%2e"], "/p%3Fq%23f/%252e"),
        ("http://localhost:1", &["a b", "é\\"], "/a%20b/%C3%A9%5C"),
    ] {
        let Endpoint(url) = plain(base_url).endpoint(path).unwrap();
        assert_eq!(url.path(), want);
        assert_eq!((url.query(), url.fragment()), (None, None));
    }
    for part in ["", ".", "..", "a\tb", "\n", "x\r", "\0", "\u{7f}", "\u{85}"] {
        let client = plain("http://localhost:1");
        assert!(client.endpoint(&[part, "j"]).is_none(), "{part:?}");
        assert!(client.endpoint(&["p", part]).is_none(), "{part:?}");
    }
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
        let builder = builder(PATIENCE, KEEP_IDLE)
            .dns_resolver(Resolver { answers })
            .connect_timeout(Duration::from_millis(if answers { 10_000 } else { 10 }))
            .tls_certs_only([])
            .no_proxy();
        let client = client("https://api.example.com:8443/secret", builder);
        let error = post(&client, serde_json::Value::Null).await.unwrap_err();
        assert!(!error.may_have_happened, "{error}");
        let error = error.failure;
        assert_eq!(error.kind, kind);
        assert!(error.message.starts_with(want), "{error}");
        assert!(!error.message.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_blamed_itself() {
    // Nothing listens there: a port is free once its listener is gone.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://me:secret@{}", listener.local_addr().unwrap());
    drop(listener);
    let builder = builder(PATIENCE, KEEP_IDLE)
        .proxy(reqwest::Proxy::all(proxy).unwrap())
        .tls_certs_only([]);
    let client = client("https://api.example.com", builder);
    let error = post(&client, serde_json::Value::Null).await.unwrap_err();
    let error = error.failure;
    assert_eq!(error.kind, ErrorKind::Network);
    let want = "the proxy (HTTPS_PROXY, or the system's) did not connect to api.example.com (";
    assert!(error.message.starts_with(want), "{error}");
    assert!(!error.message.contains("secret"), "{error}");
}

proptest! {
    #[test]
    fn any_part_that_is_accepted_comes_out_of_the_path_as_it_went_in(
        first in ".{0,40}", second in ".{0,40}"
    ) {
        let client = plain("http://localhost:1/front");
        if let Some(Endpoint(url)) = client.endpoint(&[&first, "then", &second]) {
            let segments: Vec<_> = url.path_segments().unwrap().collect();
            prop_assert_eq!(segments.len(), 4, "{}", url);
            let decoded = |nth: usize| {
                let form = format!("x={}", segments[nth].replace('+', "%2B").replace('&', "%26"));
                url::form_urlencoded::parse(form.as_bytes()).next().unwrap().1.into_owned()
            };
            prop_assert_eq!(decoded(1), first);
            prop_assert_eq!(decoded(3), second);
        } else {
            let plain = |part: &str| !part.is_empty() && part.chars().all(char::is_alphanumeric);
            prop_assert!(!plain(&first) || !plain(&second));
        }
    }
}
