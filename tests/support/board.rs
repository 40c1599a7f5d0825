//! Boards to draw: a realistic one, and those of the states that a board can be in.
//!
//! Everything on them is fixed, so that what is drawn can be compared. It must not know how a board
//! is drawn.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use mintwatch::board::{Board, Project, Update, Watched};
use mintwatch::event::{Change, Event};
use mintwatch::failure::{ErrorKind, Failure};
use mintwatch::job::{Job, JobKey, Status};
use mintwatch::pull_request::PullRequest;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The present, for all that is drawn.
pub fn now() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

/// So many seconds before [`now`].
pub fn ago(seconds: u64) -> Timestamp {
    now() - Duration::from_secs(seconds)
}

pub fn project(id: &str, name: Option<&str>) -> Arc<Project> {
    Arc::new(Project {
        id: id.into(),
        name: name.map(Into::into),
    })
}

pub fn watched(project: &Arc<Project>, id: &str, label: Option<&str>, tags: &[&str]) -> Watched {
    Watched {
        key: JobKey::new(project.id.clone(), id),
        project: Arc::clone(project),
        label: label.map(Into::into),
        tags: tags.iter().map(|tag| (*tag).into()).collect(),
    }
}

/// A job with every field, created so many seconds ago.
pub fn job(status: &str, branch: &str, pull_request: Option<&str>, created: u64) -> Job {
    Job {
        status: Some(Status::from_api(status)),
        repository: Some("https://github.com/acme/docs".into()),
        branch: Some(branch.into()),
        model: Some("sonnet".into()),
        pull_request: pull_request.map(PullRequest::new),
        created_at: Some(ago(created)),
        archived_at: (status == "archived").then(|| ago(created / 2)),
    }
}

/// A board of these jobs, each seen a moment ago if there is anything to see.
pub fn board(jobs: Vec<(Watched, Option<Job>)>) -> Board {
    let mut board = Board::new(jobs.iter().map(|(watched, _)| watched.clone()));
    for (watched, job) in jobs {
        if let Some(job) = job {
            see(&mut board, &watched.key, job, 4);
        }
    }
    board
}

/// The job is seen, so many seconds ago; it counts as fresh for a minute, archived ones for ever.
pub fn see(board: &mut Board, key: &JobKey, job: Job, seconds: u64) -> Vec<Event> {
    let archived = job.status == Some(Status::Archived);
    let fresh_for = (!archived).then_some(Duration::from_mins(1));
    board.apply(key, Update::Fetched { job, fresh_for }, ago(seconds))
}

/// A poll of the job fails, so many seconds ago.
pub fn fail(board: &mut Board, key: &JobKey, kind: ErrorKind, message: &str, seconds: u64) {
    let retry_at = (kind == ErrorKind::RateLimited).then(|| now() + Duration::from_secs(90));
    let failure = Failure {
        retry_at,
        ..Failure::new(kind, message)
    };
    board.apply(key, Update::Failed(failure), ago(seconds));
}

/// A morning's work in three projects: every status, one that the contract does not list, a reply
/// that said nothing, jobs never seen, wide and combining characters, an id of 500 characters, and
/// polls that fail.
pub fn realistic() -> Board {
    let mut board = board(jobs());
    let trouble = [
        ("docs", "job_01HZX9", ErrorKind::Timeout, TIMEOUT, 130),
        (
            "api",
            "job_01HZY2",
            ErrorKind::RateLimited,
            RATE_LIMITED,
            30,
        ),
        (
            "help-centre",
            "job_01J0A2",
            ErrorKind::NotFound,
            NOT_FOUND,
            20,
        ),
        ("docs", "job_01HZX9", ErrorKind::Timeout, TIMEOUT, 10),
    ];
    for (project, id, kind, message, seconds) in trouble {
        fail(
            &mut board,
            &JobKey::new(project, id),
            kind,
            message,
            seconds,
        );
    }
    board
}

pub const TIMEOUT: &str =
    "no full reply from api.mintlify.com within 20s: is it slow, or the network down?";
pub const RATE_LIMITED: &str =
    "too many requests (429): wait, or poll less often ([poll] in the config)";
pub const NOT_FOUND: &str =
    "no such job in this project (404): check both ids and base_url in the config";
pub const NO_CONNECTION: &str =
    "api.mintlify.com refused the connection: is the server up, and the port in base_url right?";

fn jobs() -> Vec<(Watched, Option<Job>)> {
    let docs = project("docs", None);
    let api = project("api", Some("API reference"));
    let help = project("help-centre", Some("ヘルプ"));
    let long_id = format!("job_{}", "x0".repeat(248));
    let pull = |number: u32| format!("https://github.com/acme/docs/pull/{number}");
    let done =
        |branch: &str, number: u32, created| job("completed", branch, Some(&pull(number)), created);
    vec![
        (
            watched(
                &docs,
                "job_01HZX1",
                Some("SDK quickstart"),
                &["release", "sdk"],
            ),
            Some(done("mintlify/sdk-quickstart", 412, 2 * HOUR)),
        ),
        (
            watched(&docs, "job_01HZX2", Some("Webhooks guide"), &["release"]),
            Some(job("active", "mintlify/webhooks", None, 3 * MINUTE)),
        ),
        (
            watched(&docs, "job_01HZX9", None, &[]),
            Some(job("active", "mintlify/auth", None, 9 * MINUTE)),
        ),
        (
            watched(&docs, "job_01HZXA", Some("Changelog for November"), &[]),
            Some(job("completed", "mintlify/changelog", None, 5 * HOUR)),
        ),
        (
            watched(&docs, "job_01HZXB", Some("Broken links"), &["weekly"]),
            Some(job("failed", "mintlify/links", None, DAY)),
        ),
        (
            watched(&docs, "job_01HZXC", Some("Old navigation"), &[]),
            Some(job(
                "archived",
                "mintlify/navigation",
                Some(&pull(377)),
                12 * DAY,
            )),
        ),
        (
            watched(&api, &long_id, None, &["an id of 500 characters"]),
            Some(job(
                "active",
                "mintlify/a-branch-whose-name-goes-on-for-longer-than-any-column-is-wide",
                None,
                20,
            )),
        ),
        (
            watched(&api, "job_01HZY2", Some("Error codes"), &[]),
            Some(Job {
                model: Some("opus".into()),
                ..done("main", 418, 40 * MINUTE)
            }),
        ),
        (
            watched(&api, "job_01HZY3", Some("Paused by hand"), &[]),
            Some(job("paused", "mintlify/paused", None, 3 * HOUR)),
        ),
        (
            watched(&api, "job_01HZY4", Some("Says nothing"), &[]),
            Some(Job::default()),
        ),
        (
            watched(
                &help,
                "job_01J0A0",
                Some("日本語の使い方ガイドを最初から最後まで書き直す"),
                &["翻訳"],
            ),
            Some(done("mintlify/日本語", 9, 6 * DAY)),
        ),
        (
            watched(&help, "job_01J0A1", Some("Cafe\u{301} Mu\u{308}nchen"), &[]),
            Some(Job {
                repository: Some("https://gitlab.com/acme/hilfe".into()),
                pull_request: Some(PullRequest::new(
                    "https://gitlab.com/acme/hilfe/-/merge_requests/1203",
                )),
                ..job("completed", "mintlify/u\u{308}bersicht", None, 30 * HOUR)
            }),
        ),
        (watched(&help, "job_01J0A2", None, &[]), None),
        (
            watched(&help, "job_01J0A3", Some("Never seen yet"), &[]),
            None,
        ),
    ]
}

/// What the poller told of the realistic board's jobs in this run.
pub fn events() -> Vec<Event> {
    let jobs = jobs();
    let events = |at: usize, seconds, from: &str| {
        let (watched, job) = &jobs[at];
        let job = job.clone().unwrap();
        let status = Change::Status {
            from: Some(Status::from_api(from)),
            to: job.status,
        };
        let pull_request = job.pull_request.map(Change::PullRequest);
        let event = |change| Event {
            at: ago(seconds),
            since: None,
            key: watched.key.clone(),
            change,
        };
        [status]
            .into_iter()
            .chain(pull_request)
            .map(event)
            .collect::<Vec<_>>()
    };
    [events(4, 500, "active"), events(0, 200, "active")].concat()
}

/// Every poll fails: two jobs were seen before, one never.
pub fn all_failing() -> Board {
    let docs = project("docs", None);
    let mut board = board(vec![
        (
            watched(&docs, "job_01", Some("SDK quickstart"), &[]),
            Some(job("active", "mintlify/sdk", None, HOUR)),
        ),
        (
            watched(&docs, "job_02", Some("Webhooks guide"), &[]),
            Some(job(
                "completed",
                "mintlify/webhooks",
                Some("https://github.com/acme/docs/pull/7"),
                DAY,
            )),
        ),
        (watched(&docs, "job_03", None, &[]), None),
    ]);
    let keys: Vec<JobKey> = board.rows().iter().map(|row| row.key().clone()).collect();
    for key in keys {
        fail(&mut board, &key, ErrorKind::Network, NO_CONNECTION, 2);
    }
    board
}

/// A run that has only begun.
pub fn never_seen() -> Board {
    let docs = project("docs", None);
    let ids = ["job_01", "job_02", "job_03"];
    board(ids.map(|id| (watched(&docs, id, None, &[]), None)).into())
}

/// Values that no poll has confirmed for long, and one that needs no confirming.
pub fn stale() -> Board {
    let docs = project("docs", None);
    let mut board = never_seen();
    for (id, status, seconds) in [
        ("job_01", "active", 4 * MINUTE),
        ("job_02", "completed", 3 * HOUR),
        ("job_03", "archived", 3 * HOUR),
    ] {
        let key = JobKey::new(docs.id.clone(), id);
        let pull_request = (status == "completed").then_some("https://github.com/acme/docs/pull/7");
        let branch = format!("mintlify/{id}");
        let job = job(status, &branch, pull_request, DAY);
        see(&mut board, &key, job, seconds);
    }
    board
}
