//! The whole poller against a server that fails in every way: what the row shows, that the other
//! rows stay on time, that the schedule is kept, and that the row recovers after the fault.
//!
//! It must not know the schedule's insides: all it counts is what the server saw and what the board
//! shows.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use mintwatch::board::{Freshness, Project, Row, Watched};
use mintwatch::config::KeySource;
use mintwatch::environment::Environment;
use mintwatch::failure::{ErrorKind, Failure};
use mintwatch::job::{JobKey, ProjectId};
use mintwatch::key::ApiKey;
use mintwatch::poll::Poller;
use mintwatch::poll::schedule::{Limits, MAX_RETRY_AFTER, Start};
use mintwatch::poll::{KeySlot, PollerConfig};
use support::fake_server::FakeServer;
use support::reply::Reply;
use support::until;

/// Longer than anything here takes, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);
const ACTIVE: Duration = Duration::from_millis(150);
/// Long enough for any reply that comes, short enough to wait for.
const TIMEOUT: Duration = Duration::from_millis(600);
/// The jobs of project `docs`, whose first one fails, and those of another project.
const DOCS: [&str; 4] = ["failing", "healthy_1", "healthy_2", "healthy_3"];
const OTHER: &str = "elsewhere";

/// A poller of one server.
struct Run {
    server: FakeServer,
    poller: Poller,
}

impl Run {
    /// Starts it with all jobs healthy, and waits until all have been seen.
    async fn start() -> Self {
        let keys = vec![slot(KeySource::default(), "mint_x")];
        Self::with_keys(keys, HashMap::new()).await
    }

    async fn with_keys(keys: Vec<KeySlot>, key_of: HashMap<ProjectId, usize>) -> Self {
        let server = FakeServer::start();
        server.set_default(Reply::job("active"));
        let docs = DOCS.iter().map(|id| watched("docs", id));
        let setup = PollerConfig {
            base_url: server.base_url().parse().unwrap(),
            timeout: TIMEOUT,
            limits: Limits {
                active: ACTIVE,
                finished: ACTIVE,
                concurrency: 16,
            },
            start: Start::Spread,
            keys,
            key_of,
            environment: Environment::default(),
            other_jobs: std::collections::HashSet::default(),
            keys_stay: false,
            memory: None,
        };
        let jobs = docs.chain([watched(OTHER, "job")]).collect();
        let poller = Poller::start(jobs, setup).unwrap();
        let run = Self { server, poller };
        run.until_healthy("the start").await;
        run
    }

    fn row(&self, id: &str) -> Row {
        let project = if DOCS.contains(&id) { "docs" } else { OTHER };
        let board = self.poller.board();
        let row = board.borrow().row(&JobKey::new(project, id)).cloned();
        row.unwrap()
    }

    fn rows(&self) -> Vec<Row> {
        self.poller.board().borrow().rows().to_vec()
    }

    async fn until_healthy(&self, what: &str) {
        let healthy = |row: &Row| row.freshness(Timestamp::now()) == Freshness::Fresh;
        let all_healthy = || self.rows().iter().all(healthy);
        until(
            PATIENCE,
            &format!("all rows to be fresh: {what}"),
            all_healthy,
        )
        .await;
    }

    async fn until_error(&self, id: &str, kind: ErrorKind) -> Failure {
        let failed = || self.row(id).error.is_some_and(|error| error.kind == kind);
        until(PATIENCE, &format!("{id} to be {}", kind.as_str()), failed).await;
        self.row(id).error.unwrap()
    }

    fn asked(&self, id: &str) -> usize {
        let project = if DOCS.contains(&id) { "docs" } else { OTHER };
        self.server.requests_of(project, id).len()
    }

    fn asked_docs(&self) -> usize {
        DOCS.iter().map(|id| self.asked(id)).sum()
    }

    /// Waits until each of `ids` has been polled `count` times more.
    async fn until_asked(&self, ids: &[&str], count: usize) {
        let before: Vec<usize> = ids.iter().map(|id| self.asked(id)).collect();
        let asked = || {
            let mut counted = ids.iter().zip(&before);
            counted.all(|(id, before)| self.asked(id) >= before + count)
        };
        let what = format!("{count} more polls each of {ids:?}");
        until(PATIENCE, &what, asked).await;
    }

    /// Waits until no poll of project `docs` is under way.
    async fn until_settled(&self) {
        let busy = |row: &Row| row.polling && &*row.key().project == "docs";
        let settled = || !self.rows().iter().any(busy);
        until(PATIENCE, "the polls under way to end", settled).await;
    }
}

fn watched(project: &str, id: &str) -> Watched {
    Watched {
        key: JobKey::new(project, id),
        project: Arc::new(Project {
            id: project.into(),
            name: None,
        }),
        label: None,
        tags: Vec::new(),
    }
}

fn slot(source: KeySource, key: &str) -> KeySlot {
    KeySlot {
        source,
        key: Ok(ApiKey::parse(key).unwrap()),
    }
}

/// One job fails with `fault` and recovers.
async fn fails_and_recovers(name: &str, fault: Reply, kind: ErrorKind, words: &str) {
    let run = Run::start().await;
    let before: Vec<usize> = DOCS.iter().map(|id| run.asked(id)).collect();
    run.server.set("docs", "failing", fault);

    let error = run.until_error("failing", kind).await;
    assert!(error.message.contains(words), "{name}: {error:?}");
    let row = run.row("failing");
    assert!(
        row.job.is_some(),
        "{name}: the values from before stay: {row:?}"
    );
    assert_eq!(row.freshness(Timestamp::now()), Freshness::Stale, "{name}");

    // The others are on time, and healthy, whatever the failing one does.
    let healthy = [&DOCS[1..], &["job"]].concat();
    run.until_asked(&healthy, 4).await;
    for id in &healthy {
        assert_eq!(run.row(id).error, None, "{name}: {id}");
    }
    // It backs off: it is never polled more often than a healthy one, but for the jitter of both.
    let asked = |at: usize| run.asked(DOCS[at]) - before[at];
    let most = (1..DOCS.len()).map(asked).max().unwrap();
    assert!(
        asked(0) <= most + 1,
        "{name}: {} polls, and {most} of others",
        asked(0)
    );

    run.server.set("docs", "failing", Reply::job("completed"));
    run.until_healthy(name).await;
    let status = run.row("failing").status().cloned();
    assert_eq!(status.unwrap().as_str(), "completed", "{name}");
}

#[tokio::test]
async fn each_error_is_shown_in_its_row_only_until_it_recovers() {
    use ErrorKind::{Forbidden, Network, NotFound, Protocol, RateLimited, Server, Timeout};
    let elsewhere = FakeServer::start();
    let location = format!("{}/v2/agent/docs/job/failing", elsewhere.base_url());
    let damaged =
        Reply::text(200, "application/json", "no gzip").header("Content-Encoding", "gzip");
    let faults = [
        (Reply::HangBeforeHeaders, Timeout, "no full reply from"),
        (Reply::HangInHeaders, Timeout, "no full reply from"),
        (Reply::HangInBody, Timeout, "sent nothing for 300ms"),
        (
            Reply::Drip(Duration::from_millis(20)),
            Timeout,
            "no full reply from",
        ),
        (Reply::Reset, Network, "was reset"),
        (Reply::Truncate, Network, "closed the connection before"),
        (
            Reply::Raw(Vec::new()),
            Network,
            "closed the connection before",
        ),
        (
            Reply::Raw(b"SSH-2.0-x\r\n".to_vec()),
            Protocol,
            "not in HTTP",
        ),
        (Reply::html(), Protocol, "is HTML, not JSON"),
        (damaged, Protocol, "compression of the reply is broken"),
        (
            Reply::deep_json("", 100_000),
            Protocol,
            "a list, not an object",
        ),
        (
            Reply::deep_json("source", 100_000),
            Protocol,
            "`source` is a list",
        ),
        (Reply::no_content(), Protocol, "the reply is empty"),
        (
            Reply::redirect(302, &location),
            Protocol,
            "redirects (302) to http://127.0.0.1",
        ),
        (
            Reply::redirect(308, &location),
            Protocol,
            "redirects (308) to",
        ),
        (
            Reply::unavailable(),
            Server,
            "the server failed (503): try again later",
        ),
        (Reply::error(500, "oh"), Server, "(the server says: oh)"),
        (Reply::not_found(), NotFound, "no such job"),
        (
            Reply::too_many(None),
            RateLimited,
            "too many requests (429)",
        ),
        (
            Reply::too_many(Some("soon")),
            RateLimited,
            "too many requests (429)",
        ),
        (
            Reply::too_many(Some("-5")),
            RateLimited,
            "too many requests (429)",
        ),
    ];
    let runs = faults.into_iter().map(|(reply, kind, words)| async move {
        let mut name = format!("{reply:?}");
        name.truncate(80);
        fails_and_recovers(&name, reply, kind, words).await;
    });
    join_all(runs).await;
    assert_eq!(elsewhere.connections(), 0, "no redirect is followed");
    // A job that we may not see is tried again only after minutes, unless a person asks.
    let run = Run::start().await;
    run.server.set("docs", "failing", Reply::forbidden());
    let error = run.until_error("failing", Forbidden).await;
    assert!(error.message.contains("not allowed (403)"), "{error:?}");
    let asked = run.asked("failing");
    run.until_asked(&DOCS[1..], 5).await;
    assert_eq!(run.asked("failing"), asked);
    run.server.set("docs", "failing", Reply::job("active"));
    run.poller
        .handle()
        .poll(vec![JobKey::new("docs", "failing")]);
    run.until_healthy("a refusal that a person asks about")
        .await;
}

/// Bytes that a growth of this process's memory may not reach where each reply would take a
/// gibibyte and more.
#[cfg(target_os = "linux")]
const BOUND: u64 = 192 << 20;

#[cfg(target_os = "linux")]
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn bombs_and_endless_replies_take_bounded_memory_poll_after_poll() {
    let bomb = Reply::gzip_bomb();
    let before = peak_memory();
    for reply in [bomb, Reply::EndlessStream] {
        let run = Run::start().await;
        run.server.set("docs", "failing", reply);
        run.until_asked(&["failing"], 3).await;
        let error = run.until_error("failing", ErrorKind::Protocol).await;
        assert!(error.message.contains("larger than 1 MiB"), "{error:?}");
        run.until_asked(&DOCS[1..], 3).await;
        run.server.set("docs", "failing", Reply::job("active"));
        run.until_healthy("after the flood").await;
        assert!(run.server.bytes_sent() < BOUND);
    }
    assert!(peak_memory() - before < BOUND);
}

/// `seconds` from now, as HTTP writes dates.
fn http_date(seconds: i64) -> String {
    let at = Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[tokio::test]
async fn a_wait_that_the_server_asks_for_holds_its_whole_project_and_no_other() {
    let runs = [
        ("seconds", Reply::too_many(Some("120"))),
        ("a date", Reply::too_many(Some(&http_date(120)))),
        ("a billion", Reply::too_many(Some("1000000000"))),
        (
            "more than a number",
            Reply::too_many(Some(&"9".repeat(400))),
        ),
        (
            "503",
            Reply::error(503, "later").header("Retry-After", "120"),
        ),
    ]
    .map(|(name, reply)| async move {
        let run = Run::start().await;
        run.server.set("docs", "failing", reply);
        until(PATIENCE, &format!("the hold: {name}"), || {
            run.row("failing")
                .error
                .is_some_and(|error| error.retry_at.is_some())
        })
        .await;
        run.until_settled().await;

        let asked = run.asked_docs();
        run.until_asked(&["job"], 4).await;
        run.poller.handle().poll_all();
        run.until_asked(&["job"], 4).await;
        assert_eq!(run.asked_docs(), asked, "{name}: not even for a person");
        let latest = Timestamp::now() + MAX_RETRY_AFTER;
        for id in ["failing", "healthy_1"] {
            let retry_at = run.row(id).error.and_then(|error| error.retry_at);
            let retry_at = retry_at.unwrap_or_else(|| panic!("{name}: {id} does not say why"));
            assert!(
                retry_at > Timestamp::now() && retry_at <= latest,
                "{name}: {retry_at}"
            );
        }
        assert_eq!(run.row("job").error, None, "{name}");
    });
    join_all(runs).await;
}

#[tokio::test]
async fn a_wait_that_is_over_leaves_every_row_fresh() {
    let runs = [
        ("no time", Reply::too_many(Some("0"))),
        ("one second", Reply::too_many(Some("1"))),
        ("a date in the past", Reply::too_many(Some(&http_date(-60)))),
        ("503", Reply::error(503, "later").header("Retry-After", "1")),
    ]
    .map(|(name, reply)| async move {
        let run = Run::start().await;
        let before = run.asked("failing");
        run.server
            .set("docs", "failing", reply.then(Reply::job("completed")));
        let back = || {
            let status = run.row("failing").status().cloned();
            status.is_some_and(|status| status.as_str() == "completed")
        };
        until(PATIENCE, &format!("the end of the wait: {name}"), back).await;
        assert!(run.asked("failing") >= before + 2, "{name}");
        run.until_healthy(name).await;
        run.until_asked(&DOCS, 2).await;
    });
    join_all(runs).await;
}

/// An archived job is seen once, so nothing would ever take an error off its row again.
#[tokio::test]
async fn a_wait_is_not_an_error_of_a_job_that_is_not_due() {
    let run = Run::start().await;
    run.server.set("docs", "healthy_1", Reply::job("archived"));
    let archived = || {
        let status = run.row("healthy_1").status().cloned();
        status.is_some_and(|status| status.as_str() == "archived")
    };
    until(PATIENCE, "the archived job", archived).await;
    let once = Reply::too_many(Some("1")).then(Reply::job("active"));
    run.server.set("docs", "failing", once);
    run.until_error("failing", ErrorKind::RateLimited).await;
    assert_eq!(run.row("healthy_1").error, None);
    run.until_healthy("after the wait").await;
}

fn write_key(path: &Path, key: &str) {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options
        .open(path)
        .unwrap()
        .write_all(key.as_bytes())
        .unwrap();
}

#[tokio::test]
async fn a_key_refused_in_the_middle_of_a_run_stops_its_jobs_until_there_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    write_key(&path, "mint_first");
    let keys = vec![
        slot(KeySource::File(path.clone()), "mint_first"),
        slot(KeySource::default(), "mint_other"),
    ];
    let key_of = HashMap::from([("docs".into(), 0), (OTHER.into(), 1)]);
    let run = Run::with_keys(keys, key_of).await;

    for id in DOCS {
        run.server.set("docs", id, Reply::unauthorized());
    }
    for id in DOCS {
        let error = run.until_error(id, ErrorKind::Auth).await;
        assert!(
            error.message.contains("the key was refused (401)"),
            "{error:?}"
        );
    }
    run.until_settled().await;
    let asked = run.asked_docs();
    run.until_asked(&["job"], 6).await;
    assert_eq!(run.asked_docs(), asked, "nothing is asked with that key");
    assert_eq!(run.row("job").error, None);

    for id in DOCS {
        run.server.set("docs", id, Reply::job("active"));
    }
    write_key(&path, "mint_second");
    run.poller.handle().poll_all();
    run.until_healthy("a new key").await;
    for id in DOCS {
        let requests = run.server.requests_of("docs", id);
        let sent = requests.last().unwrap().header("authorization");
        assert_eq!(sent, Some("Bearer mint_second"), "{id}");
    }
    run.until_asked(&DOCS, 2).await;
}

#[tokio::test]
async fn a_server_that_goes_down_and_comes_back_three_times() {
    let mut run = Run::start().await;
    for round in 0..3 {
        run.server.stop();
        let words = "refused the connection: is the server up";
        let all_say_so = || {
            let says = |row: &Row| {
                row.error
                    .as_ref()
                    .is_some_and(|e| e.message.contains(words))
            };
            run.rows().iter().all(says)
        };
        until(PATIENCE, "every row to say so", all_say_so).await;
        let kept = run.rows().iter().all(|row| row.job.is_some());
        assert!(kept, "the values from before stay");
        run.server.restart();
        run.until_healthy(&format!("round {round}")).await;
        let all = [&DOCS[..], &["job"]].concat();
        run.until_asked(&all, 2).await;
    }
}
