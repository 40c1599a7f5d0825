//! A long run: many jobs, seeded errors, and jobs that change all the time.
//!
//! `cargo test --release --test soak -- --ignored --nocapture`, for `SOAK_SECONDS` (60 unless set)
//! with the faults of `SOAK_SEED` (drawn and printed unless set).

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[allow(dead_code, unreachable_pub)]
#[path = "support/chaos.rs"]
mod chaos;

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chaos::{Chaos, FAULTS, Truth, branch};
use mintwatch::board::{Board, Project, Watched};
use mintwatch::config::KeySource;
use mintwatch::environment::Environment;
use mintwatch::event::{Change, Event};
use mintwatch::job::{Job, JobKey, Status};
use mintwatch::key::ApiKey;
use mintwatch::poll::Poller;
use mintwatch::poll::schedule::{Limits, Start};
use mintwatch::poll::{KeySlot, PollerConfig};
use mintwatch::pull_request::PullRequest;
use tokio::sync::mpsc;

const JOBS: usize = 200;
const PROJECTS: usize = 20;
const CONCURRENCY: usize = 64;
const FAULTS_PER_MILLE: u32 = 50;
/// One cycle: so long in chaos, then still until the board has caught up.
const CHAOS: Duration = Duration::from_secs(8);
/// The board must have caught up by then: far more than any wait of the schedule here.
const CATCH_UP: Duration = Duration::from_mins(1);
/// What memory may be above what it was after the warm-up.
const RSS_TOLERANCE: u64 = 8 << 20;
/// What open descriptors may be above what they were after the warm-up: the number of connections
/// that the pool keeps differs from moment to moment, by at most all of them, at both ends.
const DESCRIPTOR_TOLERANCE: usize = 2 * CONCURRENCY;

fn from_env<T: FromStr>(name: &str, otherwise: T) -> T
where
    T::Err: Display,
{
    match std::env::var(name) {
        Ok(value) => value.parse().unwrap_or_else(|e| panic!("{name}: {e}")),
        Err(_) => otherwise,
    }
}

/// What the process holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    rss: u64,
    threads: u64,
    descriptors: usize,
}

impl Held {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let number = |name: &str| -> u64 {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        Self {
            rss: number("VmRSS:") * 1024,
            threads: number("Threads:"),
            descriptors: std::fs::read_dir("/proc/self/fd").unwrap().count(),
        }
    }
}

fn start(server: &Chaos) -> Poller {
    let project = |id: &str| {
        Arc::new(Project {
            id: id.into(),
            name: None,
        })
    };
    let watched = (0..JOBS).map(|index| {
        let (project_id, job) = server.ids(index);
        Watched {
            key: JobKey::new(&*project_id, &*job),
            project: project(&project_id),
            label: None,
            tags: Vec::new(),
        }
    });
    let setup = PollerConfig {
        base_url: server.base_url().parse().unwrap(),
        timeout: Duration::from_millis(400),
        limits: Limits {
            active: Duration::from_millis(100),
            finished: Duration::from_millis(150),
            concurrency: CONCURRENCY,
        },
        start: Start::Spread,
        keys: vec![KeySlot {
            source: KeySource::default(),
            key: Ok(ApiKey::parse("mint_soak").unwrap()),
        }],
        key_of: HashMap::new(),
        environment: Environment::default(),
        other_jobs: std::collections::HashSet::default(),
        keys_stay: false,
        memory: None,
    };
    Poller::start(watched.collect(), setup).unwrap()
}

/// The rows that do not show what the server has.
fn behind(board: &Board, truths: &[Truth]) -> Vec<String> {
    let rows = board.rows().iter().zip(truths);
    rows.filter(|(row, truth)| row.error.is_some() || !shows(row.job.as_ref(), truth))
        .map(|(row, truth)| format!("{row:?}, not {truth:?}"))
        .collect()
}

fn shows(job: Option<&Job>, truth: &Truth) -> bool {
    job.is_some_and(|job| {
        job.status == Some(Status::from_api(truth.status))
            && job.branch == Some(branch(truth.revision))
            && job.pull_request == truth.pull_request.as_deref().map(PullRequest::new)
    })
}

/// What a reader of the events knows: each tells the status before, so none can be missing.
#[derive(Default)]
struct Chain {
    last: HashMap<JobKey, Option<Status>>,
    seen: u64,
}

impl Chain {
    fn add(&mut self, event: Event) {
        self.seen += 1;
        let Change::Status { from, to } = event.change else {
            return;
        };
        let last = self.last.insert(event.key.clone(), to);
        if let Some(last) = last {
            assert_eq!(last, from, "an event of {} is lost", event.key);
        }
    }

    fn check(&self, board: &Board) {
        for (job, status) in &self.last {
            assert_eq!(board.row(job).unwrap().status(), status.as_ref(), "{job}");
        }
    }
}

/// No row may ever go back to an older revision.
#[derive(Default)]
struct Revisions(HashMap<JobKey, u64>);

impl Revisions {
    fn check(&mut self, board: &Board) {
        for row in board.rows() {
            let Some(branch) = row.job.as_ref().and_then(|job| job.branch.as_ref()) else {
                continue;
            };
            let revision = branch.rsplit_once('-').unwrap().1.parse().unwrap();
            let before = self.0.insert(row.key().clone(), revision).unwrap_or(0);
            assert!(
                before <= revision,
                "{} went from {before} to {revision}",
                row.key()
            );
        }
    }
}

#[test]
#[ignore = "it runs for as long as SOAK_SECONDS says"]
fn a_long_run_stays_right_and_flat() {
    let length = Duration::from_secs(from_env("SOAK_SECONDS", 60));
    let seed = from_env("SOAK_SEED", fastrand::u64(..));
    println!("soak: {JOBS} jobs, {length:?}, SOAK_SEED={seed}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(soak(length, seed));
}

async fn soak(length: Duration, seed: u64) {
    let server = Chaos::start(JOBS, PROJECTS, seed);
    let poller = start(&server);
    let (board, mut events) = (poller.board(), poller.subscribe());
    let handle = poller.handle();
    let mut chain = Chain::default();
    let mut revisions = Revisions::default();
    let mut slowest = Duration::ZERO;
    let begun = Instant::now();
    let mut first = None;
    let warm_up = (length / 10).max(2 * CHAOS);
    while begun.elapsed() < length {
        server.set(FAULTS_PER_MILLE, true);
        observe(&poller, &mut events, &mut chain, &mut revisions, CHAOS / 2).await;
        // As a person does who is impatient.
        handle.poll_all();
        observe(&poller, &mut events, &mut chain, &mut revisions, CHAOS / 2).await;
        server.set(0, false);
        let truths = server.truths();
        let still = Instant::now();
        loop {
            let moment = Duration::from_millis(20);
            observe(&poller, &mut events, &mut chain, &mut revisions, moment).await;
            let wrong = behind(&board.borrow(), &truths);
            if wrong.is_empty() {
                break;
            }
            assert!(still.elapsed() < CATCH_UP, "still behind: {wrong:#?}");
        }
        slowest = slowest.max(still.elapsed());
        while let Ok(event) = events.try_recv() {
            chain.add(event);
        }
        chain.check(&board.borrow());
        let held = Held::now();
        if begun.elapsed() >= warm_up && first.is_none() {
            first = Some(held);
        }
        report(&server, &chain, begun.elapsed(), held, slowest);
    }
    finish(&server, first.expect("a run outlasts its warm-up"));
}

/// Takes in events and looks at the board, for `length`.
async fn observe(
    poller: &Poller,
    events: &mut mpsc::UnboundedReceiver<Event>,
    chain: &mut Chain,
    revisions: &mut Revisions,
    length: Duration,
) {
    let board = poller.board();
    let end = tokio::time::Instant::now() + length;
    let mut looks = tokio::time::interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(end) => return,
            event = events.recv() => chain.add(event.expect("the poller runs")),
            _ = looks.tick() => revisions.check(&board.borrow()),
        }
    }
}

fn report(server: &Chaos, chain: &Chain, elapsed: Duration, held: Held, slowest: Duration) {
    let counts = server.counts();
    println!(
        "{:5}s: {} polls, {} faults, {} connections, {} changes, {} events; {} KiB, {} \
         threads, {} descriptors; caught up within {slowest:?}",
        elapsed.as_secs(),
        counts.requests,
        counts.faults.iter().sum::<u64>(),
        counts.connections,
        counts.changes,
        chain.seen,
        held.rss / 1024,
        held.threads,
        held.descriptors,
    );
}

fn finish(server: &Chaos, first: Held) {
    let last = Held::now();
    let counts = server.counts();
    for ((name, _), count) in FAULTS.iter().zip(counts.faults) {
        println!("fault {name}: {count}");
        assert!(count > 0, "{name} never happened");
    }
    println!("after the warm-up {first:?}, at the end {last:?}");
    assert!(last.rss <= first.rss + RSS_TOLERANCE, "{first:?} {last:?}");
    assert_eq!(last.threads, first.threads);
    assert!(
        last.descriptors <= first.descriptors + DESCRIPTOR_TOLERANCE,
        "{first:?} {last:?}"
    );
}
