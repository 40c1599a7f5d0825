//! The GitHub client against a server with every fault.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::time::Duration;

use jiff::Timestamp;
use mintwatch::config::GithubHost;
use mintwatch::failure::{ErrorKind, Failure};
use mintwatch::github::{Batch, Client};
use mintwatch::pull_request::{Checks, PullRequestId, PullState, Review};
use mintwatch::token::Token;
use serde_json::{Value, json};
use support::fake_server::FakeServer;
use support::reply::{Reply, Script};

const TOKEN: &str = "ghp_canary0123456789canary";
const PATIENCE: Duration = Duration::from_secs(30);

/// Only a test can point github.com elsewhere: no config can.
fn client(server: &FakeServer) -> Client {
    let host = GithubHost {
        host: "github.com".into(),
        api: format!("{}/graphql", server.base_url()).parse().unwrap(),
        token: None,
    };
    Client::new(&host, PATIENCE).unwrap()
}

fn token() -> Token {
    Token::parse(TOKEN).unwrap()
}

fn ids(count: u32) -> Vec<PullRequestId> {
    let id = |number| PullRequestId {
        host: "github.com".into(),
        owner: "acme".into(),
        repository: "docs".into(),
        number,
    };
    (1..=count).map(id).collect()
}

async fn read(server: &FakeServer, count: u32) -> Result<Batch, Failure> {
    let result = client(server).read(&ids(count), &token()).await;
    let shown = format!("{result:?}");
    assert!(!shown.contains("canary"), "{shown}");
    result
}

fn open() -> Value {
    json!({ "pullRequest": { "title": "Document retries", "state": "OPEN", "isDraft": false } })
}

/// A reply with these repositories, under their aliases.
fn data(repositories: &[Value], errors: &Value) -> Reply {
    let mut data = json!({
        "rateLimit": { "cost": 1, "remaining": 4990, "resetAt": "2026-11-25T15:00:00Z" }
    });
    for (at, repository) in repositories.iter().enumerate() {
        data[format!("p{at}")] = repository.clone();
    }
    Reply::json(200, &json!({ "data": data, "errors": errors }))
}

fn all_open(count: usize) -> Reply {
    data(&vec![open(); count], &Value::Null)
}

fn script(replies: Vec<Reply>) -> Script {
    let mut replies = replies.into_iter();
    let first = Script::from(replies.next().unwrap());
    replies.fold(first, Script::then)
}

/// How many pull requests each request asked for.
fn sizes(server: &FakeServer) -> Vec<usize> {
    let requests = server.requests();
    let size = |request: &support::fake_server::Request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        body["variables"].as_object().unwrap().len() / 3
    };
    requests.iter().map(size).collect()
}

#[tokio::test]
async fn each_pull_request_is_asked_for_once_in_batches_by_query_only() {
    let server = FakeServer::start();
    server.set_default(script(vec![all_open(25), all_open(5)]));
    let twice = [ids(30), ids(30)].concat();
    let batch = client(&server).read(&twice, &token()).await.unwrap();
    assert_eq!(batch.results.len(), 30);
    assert!(batch.results.iter().all(|(_, state)| state.is_ok()));
    let left = batch.rate_limit.unwrap();
    assert_eq!((left.cost, left.remaining), (1, 4990));
    assert_eq!(sizes(&server), [25, 5]);
    for request in server.requests() {
        assert_eq!((&*request.method, &*request.path), ("POST", "/graphql"));
        assert_eq!(
            request.header("authorization"),
            Some(&*format!("Bearer {TOKEN}"))
        );
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let query = body["query"].as_str().unwrap();
        assert!(query.starts_with("query("), "{query}");
        assert!(
            !query.contains("acme"),
            "values travel as variables: {query}"
        );
    }
    let nothing = client(&server).read(&[], &token()).await.unwrap();
    assert_eq!(nothing, Batch::default());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_pull_request_of_another_host_is_not_asked_for() {
    let server = FakeServer::start();
    let mut others = ids(4);
    for (id, host) in others.iter_mut().zip([
        "github.com.attacker.example",
        "github.com.",
        "xn--gthub-n2e.com",
        "api.github.com",
    ]) {
        id.host = host.into();
    }
    let batch = client(&server).read(&others, &token()).await.unwrap();
    assert!(batch.results.iter().all(|(_, state)| state.is_err()));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn states_are_converted_and_unknown_words_do_no_harm() {
    let server = FakeServer::start();
    let rollup = |state: &str| json!({ "nodes": [{ "commit": { "statusCheckRollup": { "state": state } } }] });
    let hostile = format!("a\u{1b}[31m\u{202e}b {}", "x".repeat(2_000));
    let pull_requests = [
        json!({ "title": "SDK", "state": "OPEN", "isDraft": true, "mergeable": "CONFLICTING",
            "reviewDecision": "CHANGES_REQUESTED", "createdAt": "2026-11-20T10:00:00Z",
            "commits": rollup("FAILURE"), "more": [1] }),
        json!({ "title": hostile, "state": "QUEUED", "mergeable": "?", "reviewDecision": "?",
            "createdAt": "yesterday", "commits": rollup("?") }),
        json!({ "state": "MERGED", "reviewDecision": null, "mergeable": "UNKNOWN", "commits": null,
            "mergedAt": "2026-11-21T10:00:00Z" }),
    ];
    let repositories = pull_requests.map(|own| json!({ "pullRequest": own }));
    server.set_default(data(&repositories, &Value::Null));
    let batch = read(&server, 3).await.unwrap();
    let states: Vec<_> = batch
        .results
        .into_iter()
        .map(|(_, state)| state.unwrap())
        .collect();
    let [first, second, third] = &states[..] else {
        panic!("{states:?}");
    };
    assert_eq!(
        first.to_string(),
        "open, draft, changes requested, checks failing, conflict"
    );
    assert_eq!(first.title.as_deref(), Some("SDK"));
    assert_eq!(first.created_at, "2026-11-20T10:00:00Z".parse().ok());
    assert_eq!(
        (second.state, second.review),
        (PullState::Unknown, Review::Unknown)
    );
    assert_eq!((second.checks, second.mergeable), (Checks::Unknown, None));
    let title = second.title.as_deref().unwrap();
    assert!(
        title.starts_with("a[31mb x") && title.chars().count() <= 256,
        "{title}"
    );
    assert_eq!(
        (third.state, third.review, third.checks),
        (PullState::Merged, Review::None, Checks::None)
    );
    assert!(third.merged_at.is_some() && third.title.is_none());
}

#[tokio::test]
async fn what_comes_with_errors_is_kept() {
    let server = FakeServer::start();
    let errors = json!([
        { "type": "NOT_FOUND", "path": ["p1"], "message": "Could not resolve to a Repository" },
        { "type": "FORBIDDEN", "path": ["p2", "pullRequest", "commits", "nodes", 0, "commit"] },
        { "type": "FORBIDDEN", "path": ["p3"], "message": "SAML" },
    ]);
    let repositories = [open(), Value::Null, open(), Value::Null, Value::Null];
    server.set_default(data(&repositories, &errors));
    let batch = read(&server, 5).await.unwrap();
    let told: Vec<String> = batch
        .results
        .iter()
        .map(|(_, state)| match state {
            Ok(state) => format!("{state} {:?}", state.checks),
            Err(error) => error.to_string(),
        })
        .collect();
    let no_access = "no access to acme/docs on GitHub: private, single sign-on, or gone";
    assert_eq!(
        told[..4],
        ["open None", no_access, "open Unknown", no_access]
    );
    assert!(
        told[4].starts_with("GitHub said nothing of acme/docs#5"),
        "{}",
        told[4]
    );
}

#[tokio::test]
async fn a_batch_that_is_too_much_is_halved() {
    for status in [502, 504] {
        let server = FakeServer::start();
        let too_much = Reply::text(status, "text/html", "<html>");
        server.set_default(script(vec![
            too_much.clone(),
            too_much,
            all_open(2),
            all_open(3),
            all_open(5),
        ]));
        let batch = read(&server, 10).await.unwrap();
        assert_eq!(sizes(&server), [10, 5, 2, 3, 5]);
        let numbers: Vec<u32> = batch.results.iter().map(|(id, _)| id.number).collect();
        assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_github_that_is_down_is_left_alone() {
    let server = FakeServer::start();
    server.set_default(Reply::text(502, "text/html", "<html>"));
    let error = read(&server, 100).await.unwrap_err();
    assert_eq!(error.to_string(), "GitHub failed (502): try again later");
    assert!(sizes(&server).len() < 10, "{:?}", sizes(&server));
}

#[tokio::test]
async fn one_that_fails_alone_costs_no_other_its_state() {
    let server = FakeServer::start();
    let too_much = Reply::text(502, "text/html", "<html>");
    server.set_default(script(vec![too_much.clone(), too_much, all_open(1)]));
    let batch = read(&server, 2).await.unwrap();
    assert!(batch.results[0].1.is_err() && batch.results[1].1.is_ok());
}

#[tokio::test]
async fn what_was_read_before_a_failure_is_kept() {
    let server = FakeServer::start();
    server.set_default(script(vec![
        all_open(25),
        Reply::text(401, "text/plain", ""),
    ]));
    let batch = read(&server, 75).await.unwrap();
    assert_eq!(
        server.requests().len(),
        2,
        "nothing is asked for after a refusal"
    );
    assert_eq!(batch.results.len(), 75);
    assert_eq!(
        batch
            .results
            .iter()
            .filter(|(_, state)| state.is_ok())
            .count(),
        25
    );
}

/// Any request fails in this way, and shows no token.
async fn assert_fails(reply: Reply, kind: ErrorKind, want: &str) {
    let server = FakeServer::start();
    server.set_default(reply);
    let error = read(&server, 1).await.unwrap_err();
    assert!(error.message.starts_with(want), "{want}: {error}");
    assert_eq!(error.kind, kind, "{error}");
    let viewer = client(&server).viewer(&token()).await;
    let shown = format!("{:?}", viewer.unwrap_err());
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test]
async fn failures_in_words() {
    let message = |status, text: &str| Reply::json(status, &json!({ "message": text }));
    let query_error = |kind: &str, text: &str| {
        let error = json!({ "type": kind, "message": text });
        Reply::json(200, &json!({ "data": null, "errors": [error] }))
    };
    let sso = |value: &str| message(403, "").header("X-GitHub-SSO", value);
    let ask = "GitHub asks to authorise the token for single sign-on (403)";
    let page = "https://github.com/orgs/acme/sso?x=1";
    for (reply, kind, want) in [
        (
            message(401, &format!("Bad credentials {TOKEN}")),
            ErrorKind::Auth,
            "GitHub refused the token (401): it may have expired or been revoked (GitHub says: Bad \
             credentials [the token])",
        ),
        (
            message(403, ""),
            ErrorKind::Forbidden,
            "GitHub does not allow this (403): ",
        ),
        (
            sso(&format!("required; url={page}")),
            ErrorKind::Forbidden,
            &format!("{ask}: {page}"),
        ),
        (
            sso("required; url=https://github.com.evil.example/"),
            ErrorKind::Forbidden,
            ask,
        ),
        (
            sso("required; url=http://github.com/"),
            ErrorKind::Forbidden,
            ask,
        ),
        (
            message(404, ""),
            ErrorKind::NotFound,
            "GitHub has no GraphQL API at this address",
        ),
        (
            Reply::unavailable(),
            ErrorKind::Server,
            "GitHub failed (503): try again later",
        ),
        (
            query_error("", "Field 'x' doesn't exist"),
            ErrorKind::Protocol,
            "GitHub did not accept the query (GitHub says: Field 'x' doesn't exist)",
        ),
        (
            query_error("INSUFFICIENT_SCOPES", "needs repo"),
            ErrorKind::Forbidden,
            "GitHub does not allow this query: check what the token may read (GitHub says: needs repo)",
        ),
    ] {
        assert_fails(reply, kind, want).await;
    }
}

#[tokio::test]
async fn a_reply_that_is_none_of_githubs_is_explained() {
    for (reply, kind, want) in [
        (
            Reply::json(200, &json!({})),
            ErrorKind::Protocol,
            "GitHub answered the query with nothing",
        ),
        (
            Reply::html(),
            ErrorKind::Protocol,
            "GitHub: the reply is HTML, not JSON",
        ),
        (
            Reply::text(200, "x", ""),
            ErrorKind::Protocol,
            "GitHub: the reply is empty",
        ),
        (
            Reply::text(200, "x", "{\"data\":{"),
            ErrorKind::Protocol,
            "GitHub: the reply stops in",
        ),
        (
            Reply::text(200, "x", "hello"),
            ErrorKind::Protocol,
            "GitHub: the reply is not JSON",
        ),
        (
            data(&[json!({ "pullRequest": { "title": 5 } })], &Value::Null),
            ErrorKind::Protocol,
            "GitHub: the reply is not what the API promises: `data.p0.pullRequest.title` is a number, \
             not text",
        ),
        (
            data(
                &[json!({ "pullRequest": { "title": TOKEN } })],
                &Value::Null,
            ),
            ErrorKind::Protocol,
            "GitHub: the reply repeats the token in `title`",
        ),
        (
            Reply::text(200, "application/json", vec![b' '; 4 * 1024 * 1024 + 1]),
            ErrorKind::Protocol,
            "GitHub: the reply is larger than 4 MiB",
        ),
        (
            Reply::gzip_bomb(),
            ErrorKind::Protocol,
            "GitHub: the reply is larger than 4 MiB",
        ),
        (Reply::Truncate, ErrorKind::Network, "GitHub: "),
        (Reply::Reset, ErrorKind::Network, "GitHub: "),
        (
            Reply::deep_json("data", 100_000),
            ErrorKind::Protocol,
            "GitHub: ",
        ),
    ] {
        assert_fails(reply, kind, want).await;
    }
}

#[tokio::test]
async fn limits_say_when_to_ask_again() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let reset = "2030-01-01T00:00:00Z";
    let seconds = at(reset).as_second().to_string();
    let points = |reply: Reply| {
        reply
            .header("X-RateLimit-Remaining", "0")
            .header("X-RateLimit-Reset", &seconds)
    };
    let error = json!([{ "type": "RATE_LIMITED", "message": "API rate limit exceeded" }]);
    let none = json!({ "data": null, "errors": error });
    let with_reset = json!({ "data": { "rateLimit": { "remaining": 0, "resetAt": reset }, "p0": null }, "errors": error });
    for (reply, want) in [
        (points(Reply::json(200, &none)), Some(reset)),
        (Reply::json(200, &with_reset), Some(reset)),
        (points(Reply::json(403, &json!({}))), Some(reset)),
        (Reply::json(200, &none), None),
        (Reply::json(429, &json!({})), None),
        (
            Reply::json(403, &json!({})).header("Retry-After", "120"),
            None,
        ),
        (
            Reply::json(
                403,
                &json!({ "message": "You have exceeded a secondary rate limit" }),
            ),
            None,
        ),
    ] {
        let server = FakeServer::start();
        server.set_default(reply);
        let before = Timestamp::now();
        let error = read(&server, 1).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::RateLimited, "{error}");
        let retry_at = error.retry_at.unwrap();
        match want {
            Some(reset) => assert_eq!(retry_at, at(reset)),
            None => assert!(retry_at >= before + Duration::from_mins(1)),
        }
    }
}

#[tokio::test]
async fn a_redirect_of_the_api_is_not_followed() {
    let (server, other) = (FakeServer::start(), FakeServer::start());
    for status in [301, 302, 307, 308] {
        server.set_default(Reply::redirect(status, &other.base_url()));
        let error = read(&server, 1).await.unwrap_err();
        assert!(
            error.message.starts_with("GitHub: the server redirects"),
            "{error}"
        );
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn the_viewer_is_who_the_token_belongs_to() {
    let server = FakeServer::start();
    let limit = json!({ "cost": 1, "remaining": 4999, "resetAt": "2026-11-25T15:00:00Z" });
    let known = json!({ "data": { "viewer": { "login": "octo\u{202e}cat" }, "rateLimit": limit } });
    server.set_default(Reply::json(200, &known));
    let viewer = client(&server).viewer(&token()).await.unwrap();
    assert_eq!(viewer.login, "octocat");
    assert_eq!(viewer.rate_limit.unwrap().remaining, 4999);
}
