//! The poller against a fake server: what lands on the board, and which requests the server saw.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use mintwatch::board::{Board, Freshness, Row};
use mintwatch::config::KeySource;
use mintwatch::event::Change;
use mintwatch::failure::ErrorKind;
use mintwatch::job::{JobKey, Status};
use mintwatch::key::{ApiKey, KeyError, KeyProblem};
use mintwatch::poll::Poller;
use mintwatch::pull_request::PullRequest;
use support::fake_server::FakeServer;
use support::reply::{Gate, Reply, job_json};
use support::{PATIENT, setup, until};

/// Settings for hardly any waiting, except for replies.
const QUICK: &str = "active = \"100ms\"\nfinished = \"150ms\"\ntimeout = \"30s\"\n";

/// A config of projects, each with its jobs.
fn config(server: &FakeServer, poll: &str, projects: &[(&str, &[&str])]) -> String {
    let mut text = format!("base_url = \"{}\"\n[poll]\n{poll}\n", server.base_url());
    for (id, jobs) in projects {
        let _ = write!(
            text,
            "[[projects]]\nid = \"{id}\"\nkey = {{ env = \"KEY_OF_{id}\" }}\njobs = {jobs:?}\n"
        );
    }
    text
}

/// Waits until the board fulfils `condition`.
async fn wait(poller: &Poller, what: &str, mut condition: impl FnMut(&Board) -> bool) -> Board {
    let mut board = poller.board();
    let waited = board.wait_for(|board| condition(board));
    let waited = tokio::time::timeout(PATIENT, waited)
        .await
        .map(|board| board.unwrap().clone());
    waited.unwrap_or_else(|_| panic!("waited for {what}: {:#?}", poller.board().borrow().rows()))
}

async fn wait_for_row(
    poller: &Poller,
    project: &str,
    job: &str,
    condition: fn(&Row) -> bool,
) -> Row {
    let what = format!("{project}/{job}");
    let key = JobKey::new(project, job);
    let board = wait(poller, &what, |board| {
        board.row(&key).is_some_and(condition)
    })
    .await;
    setup::row(&board, project, job)
}

fn is_fresh(row: &Row) -> bool {
    row.freshness(Timestamp::now()) == Freshness::Fresh
}

fn fails(row: &Row) -> bool {
    row.error.is_some()
}

/// Waits until the server was asked `count` times for a job.
async fn asked(server: &FakeServer, project: &str, job: &str, count: usize) {
    let what = format!("{count} requests for {project}/{job}");
    until(PATIENT, &what, || {
        server.requests_of(project, job).len() >= count
    })
    .await;
}

/// The number of polls of `project`.
fn requests_in(server: &FakeServer, project: &str) -> usize {
    let requests = server.requests();
    let of_project = |request: &&support::fake_server::Request| {
        request.target().is_some_and(|(own, _)| own == project)
    };
    requests.iter().filter(of_project).count()
}

/// A job, what the server answers for it, and the kind and some of the words of its error.
type Fault = (&'static str, Reply, ErrorKind, &'static str);

fn faults() -> [Fault; 15] {
    [
        (
            "forbidden",
            Reply::forbidden(),
            ErrorKind::Forbidden,
            "not allowed (403)",
        ),
        (
            "not_found",
            Reply::not_found(),
            ErrorKind::NotFound,
            "no such job in this project (404)",
        ),
        (
            "limited",
            Reply::too_many(None),
            ErrorKind::RateLimited,
            "too many requests (429)",
        ),
        (
            "garbage",
            Reply::too_many(Some("soon")),
            ErrorKind::RateLimited,
            "too many requests (429)",
        ),
        (
            "server",
            Reply::unavailable(),
            ErrorKind::Server,
            "the server failed (503)",
        ),
        ("reset", Reply::Reset, ErrorKind::Network, "was reset"),
        (
            "truncated",
            Reply::Truncate,
            ErrorKind::Network,
            "before the whole reply came",
        ),
        (
            "silent",
            Reply::HangBeforeHeaders,
            ErrorKind::Timeout,
            "no full reply from",
        ),
        (
            "half",
            Reply::HangInHeaders,
            ErrorKind::Timeout,
            "no full reply from",
        ),
        (
            "drip",
            Reply::Drip(Duration::from_millis(20)),
            ErrorKind::Timeout,
            "no full reply from",
        ),
        (
            "html",
            Reply::html(),
            ErrorKind::Protocol,
            "the reply is HTML, not JSON",
        ),
        (
            "endless",
            Reply::EndlessStream,
            ErrorKind::Protocol,
            "larger than 1 MiB",
        ),
        (
            "deep",
            Reply::deep_json("", 100_000),
            ErrorKind::Protocol,
            "the reply",
        ),
        (
            "empty",
            Reply::no_content(),
            ErrorKind::Protocol,
            "the reply is empty",
        ),
        (
            "moved",
            Reply::redirect(302, "https://example.com/"),
            ErrorKind::Protocol,
            "the server redirects (302)",
        ),
    ]
}

#[tokio::test]
async fn every_outcome_has_words_in_its_row_and_disturbs_no_other() {
    let cases = faults();
    let server = FakeServer::start();
    let mut jobs = vec!["well"];
    server.set("docs", "well", Reply::job("active"));
    for (job, reply, ..) in &cases {
        server.set("docs", job, reply.clone());
        jobs.push(job);
    }
    let poll = "active = \"100ms\"\ntimeout = \"2s\"";
    let poller = setup::start(&config(&server, poll, &[("docs", &jobs)]));
    for (job, _, kind, words) in &cases {
        let row = wait_for_row(&poller, "docs", job, fails).await;
        let error = row.error.unwrap();
        assert_eq!(error.kind, *kind, "{job}: {}", error.message);
        assert!(error.message.contains(words), "{job}: {}", error.message);
        assert_eq!((row.job, row.fetched_at), (None, None), "{job}");
    }
    let board = poller.board().borrow().clone();
    assert_eq!(setup::row(&board, "docs", "well").error, None);
    assert_eq!(board.counts().errors, cases.len());
    // It was polled in its own time while others hung.
    asked(&server, "docs", "well", 5).await;
}

#[tokio::test]
async fn a_reply_that_is_another_watched_job_is_told_and_not_believed() {
    let server = FakeServer::start();
    let reply = |status, id: &str| {
        let mut job = job_json(status, None);
        job["id"] = id.into();
        Reply::json(200, &job)
    };
    server.set_default(Reply::job("active"));
    let mixed_up = reply("completed", "a").then(reply("failed", "b"));
    server.set("docs", "a", mixed_up);
    let poller = setup::start(&config(&server, QUICK, &[("docs", &["a", "b"])]));
    wait_for_row(&poller, "docs", "a", |row| row.fetched_at.is_some()).await;
    poller.handle().poll(vec![JobKey::new("docs", "a")]);
    let row = wait_for_row(&poller, "docs", "a", fails).await;
    let failure = row.error.as_ref().unwrap();
    assert_eq!(failure.kind, ErrorKind::Protocol);
    assert_eq!(failure.message, "the server answered with another job: b");
    assert_eq!(
        row.status(),
        Some(&Status::Completed),
        "what was seen stays"
    );
    let other = wait_for_row(&poller, "docs", "b", is_fresh).await;
    assert_eq!(other.error, None, "an id that nobody watches says nothing");
}

#[tokio::test]
async fn a_hanging_job_delays_no_other_and_is_asked_for_once() {
    let server = FakeServer::start();
    server.set("docs", "hang", Reply::HangBeforeHeaders);
    server.set("docs", "well", Reply::job("active"));
    let poll = format!("{QUICK}concurrency = 2");
    let poller = setup::start(&config(&server, &poll, &[("docs", &["hang", "well"])]));
    asked(&server, "docs", "well", 10).await;
    assert_eq!(server.requests_of("docs", "hang").len(), 1);
    let board = poller.board().borrow().clone();
    assert!(is_fresh(&setup::row(&board, "docs", "well")));
    assert!(setup::row(&board, "docs", "hang").polling);
}

#[tokio::test]
async fn a_poll_in_flight_is_never_doubled_however_often_it_is_asked_for() {
    let server = FakeServer::start();
    server.set("docs", "hang", Reply::HangBeforeHeaders);
    // Archived: polled on request only.
    server.set("docs", "other", Reply::job("archived"));
    let poller = setup::start(&config(&server, QUICK, &[("docs", &["hang", "other"])]));
    for round in 1..=4 {
        asked(&server, "docs", "other", round).await;
        // A poll that confirms what is known wakes nobody.
        until(PATIENT, "the poll to be over", || {
            !setup::row(&poller.board().borrow(), "docs", "other").polling
        })
        .await;
        let handle = poller.handle();
        handle.poll(vec![
            JobKey::new("docs", "hang"),
            JobKey::new("docs", "hang"),
        ]);
        handle.poll_all();
    }
    asked(&server, "docs", "other", 5).await;
    assert_eq!(server.requests_of("docs", "hang").len(), 1);
}

#[tokio::test]
async fn no_more_polls_are_in_flight_than_the_config_allows() {
    let server = FakeServer::start();
    let gate = Gate::default();
    server.set_default(Reply::job("archived").behind(&gate));
    let jobs: Vec<String> = (0..12).map(|at| format!("job_{at}")).collect();
    let jobs: Vec<&str> = jobs.iter().map(String::as_str).collect();
    let poll = format!("{QUICK}concurrency = 3");
    let poller = setup::start(&config(&server, &poll, &[("docs", &jobs)]));
    until(PATIENT, "three requests", || server.requests().len() >= 3).await;
    let polling = |board: &Board| board.rows().iter().filter(|row| row.polling).count();
    wait(&poller, "three to be polled", |board| polling(board) == 3).await;
    assert_eq!(server.open_connections(), 3);

    // As they end, the others get their turn.
    gate.open();
    wait(&poller, "all to be seen", |board| {
        assert!(polling(board) <= 3, "{}", polling(board));
        board.counts().archived == 12
    })
    .await;
}

#[tokio::test]
async fn an_archived_job_is_polled_once_and_again_only_when_asked_for() {
    let server = FakeServer::start();
    server.set("docs", "old", Reply::job("archived"));
    server.set("docs", "well", Reply::job("active"));
    let poller = setup::start(&config(&server, QUICK, &[("docs", &["old", "well"])]));
    asked(&server, "docs", "well", 10).await;
    assert_eq!(server.requests_of("docs", "old").len(), 1);
    poller.handle().poll_all();
    asked(&server, "docs", "old", 2).await;
}

#[tokio::test]
async fn a_finished_job_is_polled_on_since_a_follow_up_can_wake_it() {
    let server = FakeServer::start();
    let link = "https://github.com/acme/docs/pull/7";
    let script = Reply::job("active")
        .then(Reply::pull_request(link))
        .then(Reply::job("active"));
    server.set("docs", "job", script);
    let poller = setup::start(&config(&server, QUICK, &[("docs", &["job"])]));
    let mut events = poller.subscribe();
    let mut told = Vec::new();
    for _ in 0..3 {
        let event = tokio::time::timeout(PATIENT, events.recv()).await;
        told.push(event.unwrap().unwrap().change);
    }
    let (active, completed) = (Some(Status::Active), Some(Status::Completed));
    let status = |from: &Option<Status>, to: &Option<Status>| Change::Status {
        from: from.clone(),
        to: to.clone(),
    };
    assert_eq!(
        told,
        [
            status(&active, &completed),
            Change::PullRequest(PullRequest::new(link)),
            status(&completed, &active),
        ]
    );
}

#[tokio::test]
async fn a_refused_key_stops_its_own_requests_and_r_tries_a_changed_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    write_key(&path, "mint_old");
    let server = FakeServer::start();
    let jobs = ["a", "b", "c", "d", "e"];
    for job in jobs {
        server.set("refused", job, Reply::unauthorized());
    }
    server.set("well", "job", Reply::job("active"));
    let config = format!(
        "base_url = \"{}\"\n[poll]\n{QUICK}concurrency = 1\n\
         [[projects]]\nid = \"refused\"\nkey = {{ file = {path:?} }}\njobs = {jobs:?}\n\
         [[projects]]\nid = \"well\"\njobs = [\"job\"]\n",
        server.base_url()
    );
    let key = |source: &KeySource| match source {
        KeySource::File(_) => Ok(ApiKey::parse("mint_old").unwrap()),
        _ => Ok(setup::any_key()),
    };
    let poller = setup::start_with(&config, key);
    wait(&poller, "every row of the key to say so", |board| {
        board.counts().errors == 5
    })
    .await;
    for job in jobs {
        let error = setup::row(&poller.board().borrow(), "refused", job)
            .error
            .unwrap();
        assert_eq!(error.kind, ErrorKind::Auth);
        assert!(
            error.message.contains("the key was refused (401)"),
            "{}",
            error.message
        );
    }
    asked(&server, "well", "job", 8).await;
    assert_eq!(requests_in(&server, "refused"), 1, "one refusal is enough");

    for job in jobs {
        server.set("refused", job, Reply::job("active"));
    }
    write_key(&path, "mint_new");
    poller.handle().poll_all();
    wait(&poller, "every row to be well", |board| {
        board.counts().active == 6 && board.counts().errors == 0
    })
    .await;
    let with_new = server.requests_of("refused", "a");
    assert_eq!(
        with_new.last().unwrap().header("authorization"),
        Some("Bearer mint_new")
    );
    let others = server.requests_of("well", "job");
    assert_eq!(
        others.last().unwrap().header("authorization"),
        Some("Bearer mint_test_key")
    );
}

#[tokio::test]
async fn a_key_refused_in_the_middle_of_a_run_keeps_what_was_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    write_key(&path, "mint_test_key");
    let server = FakeServer::start();
    server.set("docs", "job", Reply::job("active"));
    let config = format!(
        "base_url = \"{}\"\nkey = {{ file = {path:?} }}\n[poll]\n{QUICK}\
         [[projects]]\nid = \"docs\"\njobs = [\"job\"]\n",
        server.base_url()
    );
    let poller = setup::start(&config);
    wait_for_row(&poller, "docs", "job", is_fresh).await;
    server.set("docs", "job", Reply::unauthorized());
    let row = wait_for_row(&poller, "docs", "job", fails).await;
    assert_eq!(row.status(), Some(&Status::Active));
    assert_eq!(row.freshness(Timestamp::now()), Freshness::Stale);

    // The same key may be good again, as when its limits were lifted: R tries it.
    server.set("docs", "job", Reply::job("active"));
    poller.handle().poll_all();
    wait_for_row(&poller, "docs", "job", is_fresh).await;
}

#[tokio::test]
async fn a_missing_key_fails_alone_in_its_rows() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let config = config(
        &server,
        QUICK,
        &[("without", &["a", "b"]), ("with", &["c"])],
    );
    let key = |source: &KeySource| match source {
        KeySource::Env(name) if name == "KEY_OF_without" => Err(KeyError {
            origin: source.clone(),
            problem: KeyProblem::NotSet(name.clone()),
        }),
        _ => Ok(setup::any_key()),
    };
    let poller = setup::start_with(&config, key);
    for job in ["a", "b"] {
        let error = wait_for_row(&poller, "without", job, fails)
            .await
            .error
            .unwrap();
        assert_eq!(error.kind, ErrorKind::Auth);
        assert!(error.message.starts_with("$KEY_OF_without: not set"));
    }
    asked(&server, "with", "c", 5).await;
    assert_eq!(requests_in(&server, "without"), 0);
    assert_eq!(
        poller.board().borrow().errors().len(),
        1,
        "the missing key is said once, not once a job"
    );
}

#[tokio::test]
async fn retry_after_holds_the_whole_project_and_no_other() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    server.set("held", "a", Reply::too_many(Some("60")));
    let poll = format!("{QUICK}concurrency = 1");
    let config = config(
        &server,
        &poll,
        &[("held", &["a", "b", "c"]), ("free", &["d"])],
    );
    let poller = setup::start(&config);
    wait(&poller, "the project to be held", |board| {
        board.counts().errors == 3
    })
    .await;
    let soon = Timestamp::now();
    for job in ["a", "b", "c"] {
        let error = setup::row(&poller.board().borrow(), "held", job)
            .error
            .unwrap();
        assert_eq!(error.kind, ErrorKind::RateLimited);
        let left = error.retry_at.unwrap().duration_since(soon).as_secs();
        assert!((0..=60).contains(&left), "{left}");
    }
    poller.handle().poll(vec![JobKey::new("held", "b")]);
    poller.handle().poll_all();
    let before = server.requests_of("free", "d").len();
    asked(&server, "free", "d", before + 5).await;
    assert_eq!(requests_in(&server, "held"), 1);
}

#[tokio::test]
async fn after_retry_after_has_passed_the_project_is_polled_again() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    server.set(
        "held",
        "a",
        Reply::too_many(Some("1")).then(Reply::job("active")),
    );
    let poll = format!("{QUICK}concurrency = 1");
    let poller = setup::start(&config(&server, &poll, &[("held", &["a", "b"])]));
    wait(&poller, "both to be well", |board| {
        board.counts().active == 2 && board.counts().errors == 0
    })
    .await;
    let requests = server.requests();
    let waited = requests[1].at - requests[0].at;
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
}

#[tokio::test]
async fn a_forbidden_job_is_left_alone_and_the_others_are_not() {
    let server = FakeServer::start();
    server.set("docs", "secret", Reply::forbidden());
    server.set("docs", "well", Reply::job("active"));
    let poller = setup::start(&config(&server, QUICK, &[("docs", &["secret", "well"])]));
    wait_for_row(&poller, "docs", "secret", fails).await;
    asked(&server, "docs", "well", 10).await;
    assert_eq!(server.requests_of("docs", "secret").len(), 1);
    server.set("docs", "secret", Reply::job("active"));
    poller.handle().poll(vec![JobKey::new("docs", "secret")]);
    wait_for_row(&poller, "docs", "secret", is_fresh).await;
}

#[tokio::test]
async fn a_server_that_was_down_is_found_again_and_what_was_seen_stays() {
    let mut server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let jobs = ["a", "b", "c", "d"];
    let poller = setup::start(&config(&server, QUICK, &[("docs", &jobs)]));
    wait(&poller, "the first round", |board| {
        board.counts().active == 4
    })
    .await;
    server.stop();
    let board = wait(&poller, "every row to fail", |board| {
        board.counts().errors == 4
    })
    .await;
    for row in board.rows() {
        assert_eq!(row.status(), Some(&Status::Active));
        assert_eq!(row.error.as_ref().unwrap().kind, ErrorKind::Network);
    }
    server.restart();
    let board = wait(&poller, "every row to be well", |board| {
        board.counts().errors == 0
    })
    .await;
    assert!(board.rows().iter().all(is_fresh));
}

#[tokio::test]
async fn polls_go_on_while_the_thread_that_started_them_is_stuck() {
    let server = FakeServer::start();
    server.set("docs", "job", Reply::job("active"));
    let _poller = setup::start(&config(&server, QUICK, &[("docs", &["job"])]));
    // This wait stops the thread, and so the runtime of this test.
    server.wait_for_requests_of("docs", "job", 5, PATIENT);
}

#[tokio::test]
async fn a_late_refusal_of_an_old_key_says_nothing_about_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    write_key(&path, "mint_test_key");
    let (server, gate) = (FakeServer::start(), Gate::default());
    let late = Reply::unauthorized().behind(&gate);
    server.set("docs", "late", late.then(Reply::job("active")));
    server.set(
        "docs",
        "job",
        Reply::unauthorized().then(Reply::job("active")),
    );
    let config = format!(
        "base_url = \"{}\"\nkey = {{ file = {path:?} }}\n[poll]\n{QUICK}\
         [[projects]]\nid = \"docs\"\njobs = [\"late\", \"job\"]\n",
        server.base_url()
    );
    let poller = setup::start(&config);
    asked(&server, "docs", "late", 1).await;
    wait_for_row(&poller, "docs", "job", fails).await;
    write_key(&path, "mint_new");
    poller.handle().poll_all();
    wait_for_row(&poller, "docs", "job", is_fresh).await;
    gate.open();
    // Both are polled on with the new key, and the one that was refused at once recovers.
    asked(&server, "docs", "late", 3).await;
    let polls = server.requests_of("docs", "job").len();
    asked(&server, "docs", "job", polls + 3).await;
    wait(&poller, "every row to be healthy", |board| {
        board.counts().active == 2 && board.counts().errors == 0
    })
    .await;
    for job in ["late", "job"] {
        let last = server.requests_of("docs", job).pop().unwrap();
        assert_eq!(last.header("authorization"), Some("Bearer mint_new"));
    }
}

/// Its values are good, and it waits for the end of the hold like the others.
#[tokio::test]
async fn a_reply_that_was_under_way_when_its_project_was_held_says_why_it_waits() {
    let (server, gate) = (FakeServer::start(), Gate::default());
    server.set("held", "good", Reply::job("active").behind(&gate));
    server.set("held", "limited", Reply::too_many(Some("60")));
    let jobs: [&str; 2] = ["good", "limited"];
    let poller = setup::start(&config(&server, QUICK, &[("held", &jobs)]));
    asked(&server, "held", "good", 1).await;
    wait_for_row(&poller, "held", "limited", fails).await;
    gate.open();
    let row = wait_for_row(&poller, "held", "good", |row| {
        row.job.is_some() && row.error.is_some()
    })
    .await;
    assert_eq!(row.status(), Some(&Status::Active));
    let error = row.error.unwrap();
    assert_eq!(error.kind, ErrorKind::RateLimited);
    assert!(error.retry_at.is_some());
}

#[tokio::test]
async fn a_dropped_poller_asks_for_nothing_more() {
    let server = FakeServer::start();
    server.set("docs", "hang", Reply::HangBeforeHeaders);
    server.set("docs", "well", Reply::job("active"));
    let poller = setup::start(&config(&server, QUICK, &[("docs", &["hang", "well"])]));
    asked(&server, "docs", "well", 2).await;
    asked(&server, "docs", "hang", 1).await;
    drop(poller);
    until(PATIENT, "every connection to close", || {
        server.open_connections() == 0
    })
    .await;
}

/// Writes a key as only its owner may read it.
fn write_key(path: &Path, key: &str) {
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    file.write_all(key.as_bytes()).unwrap();
}
