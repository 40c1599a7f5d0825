//! Long stops and jumping clocks: the program is stopped as a laptop's sleep would stop it, and the
//! wall clock reads a day more or less than it should.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use mintwatch::board::{Board, Freshness, Project, Update, Watched};
use mintwatch::failure::{ErrorKind, Failure};
use mintwatch::job::{Job, JobKey, Status};
use mintwatch::tui::app::App;
use mintwatch::tui::screen;
use mintwatch::view::theme::{Role, Theme};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use rustix::process::{Pid, Signal, kill_process};
use support::fake_server::{FakeServer, Request};
use support::reply::Reply;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_mins(1);
const JOBS: usize = 40;
const ACTIVE: Duration = Duration::from_secs(3);
/// Longer than an interval with its jitter and what counts as oversleeping, which is 5 seconds.
const STOPPED: Duration = Duration::from_secs(9);

/// The dashboard in a terminal that nobody looks at.
struct Dashboard {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
    home: TempDir,
}

impl Dashboard {
    fn start(server: &FakeServer) -> Self {
        let home = TempDir::new().unwrap();
        let jobs: Vec<String> = (0..JOBS).map(|at| format!("job_{at}")).collect();
        let config = format!(
            "base_url = {:?}\n[poll]\nactive = \"{}s\"\n[[projects]]\nid = \"docs\"\njobs = {jobs:?}\n",
            server.base_url(),
            ACTIVE.as_secs(),
        );
        fs::write(home.path().join("config.toml"), config).unwrap();
        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mintwatch"));
        command.env_clear();
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        command.env("MINTLIFY_API_KEY", "mint_x");
        command.args(["--config", "config.toml", "--log", "log"]);
        command.cwd(home.path());
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(1..) = reader.read(&mut bytes) {}
        });
        Self {
            child,
            _master: pair.master,
            home,
        }
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.process_id().unwrap();
        let id = Pid::from_raw(id.try_into().unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap()
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number of `requests` for each job.
fn asked(requests: &[Request]) -> HashMap<String, usize> {
    let mut asked = HashMap::new();
    for request in requests {
        let (_, job) = request.target().unwrap();
        *asked.entry(job).or_default() += 1;
    }
    asked
}

/// Waits until each job has been polled `count` times after the first `before` requests.
fn wait_for_each(server: &FakeServer, before: usize, count: usize) -> Vec<Request> {
    let start = Instant::now();
    loop {
        let requests = server.requests().split_off(before);
        let asked = asked(&requests);
        if asked.len() == JOBS && asked.values().all(|times| *times >= count) {
            return requests;
        }
        assert!(start.elapsed() < PATIENCE, "{count} polls each: {asked:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn after_a_long_stop_each_job_is_polled_once_spread_over_new_connections() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let dashboard = Dashboard::start(&server);
    wait_for_each(&server, 0, 2);
    // One poll is under way when the stop comes, and would be for a long time after it.
    server.set("docs", "job_0", Reply::HangBeforeHeaders);
    let polls = server.requests_of("docs", "job_0").len() + 1;
    server.wait_for_requests_of("docs", "job_0", polls, PATIENCE);

    dashboard.signal(Signal::STOP);
    // What was under way comes in; then nothing does.
    std::thread::sleep(STOPPED);
    let before = server.requests().len();
    assert!(!dashboard.log().contains("awake after a sleep"));
    server.set("docs", "job_0", Reply::job("active"));
    let connections = server.connections();
    assert_eq!(server.requests().len(), before);
    dashboard.signal(Signal::CONT);

    let first = wait_for_each(&server, before, 1);
    let log = dashboard.log();
    let (_, awake) = log.split_once("awake after a sleep").expect("it notices");
    assert!(!awake.contains("poll failed"), "{awake}");
    let round = &first[..JOBS];
    assert_eq!(asked(round).len(), JOBS, "once each: {:?}", asked(round));
    // The old connections look alive from here, as they do behind a router that forgot them.
    assert!(round.iter().all(|request| request.connection > connections));
    // 40 jobs are spread over 400 ms; all at once they would come within a few.
    let spread = round[JOBS - 1].at - round[0].at;
    assert!(spread > Duration::from_millis(100), "{spread:?}");

    // Then it goes on as before.
    let later = wait_for_each(&server, before, 3);
    let most = asked(&later).into_values().max().unwrap();
    assert!(most <= 4, "at its interval: {:?}", asked(&later));
    assert!(!dashboard.log().contains("poll failed"));
}

/// Only the wall clock can jump, so the schedule may not even know of one.
#[test]
fn the_schedule_knows_no_clock_and_no_wall_time() {
    let source = include_str!("../src/poll/schedule.rs");
    for word in ["jiff", "Timestamp", "SystemTime", "::now(", "elapsed("] {
        assert!(!source.contains(word), "{word}");
    }
    let poller = include_str!("../src/poll.rs");
    let uses = poller.matches("SystemTime").count();
    assert_eq!(uses, 0, "its only wall clock is the one of the board");
}

fn board(now: Timestamp) -> (Board, Vec<JobKey>) {
    let project = Arc::new(Project {
        id: "docs".into(),
        name: None,
    });
    let keys = ["fresh", "failed", "held", "never"].map(|id| JobKey::new("docs", id));
    let watched = keys.iter().map(|key| Watched {
        key: key.clone(),
        project: Arc::clone(&project),
        label: None,
        tags: Vec::new(),
    });
    let mut board = Board::new(watched.collect::<Vec<_>>());
    let job = || Job {
        status: Some(Status::Active),
        created_at: Some(now - SignedDuration::from_mins(3)),
        ..Job::default()
    };
    for key in &keys[..3] {
        let fetched = Update::Fetched {
            job: job(),
            fresh_for: Some(Duration::from_secs(20)),
        };
        board.apply(key, fetched, now);
    }
    for (key, wait) in [(&keys[1], None), (&keys[2], Some(40))] {
        let failure = Failure {
            retry_at: wait.map(|wait| now + SignedDuration::from_mins(wait)),
            ..Failure::new(ErrorKind::RateLimited, "wait")
        };
        board.apply(key, Update::Failed(failure), now);
    }
    (board, keys.to_vec())
}

#[test]
fn a_wall_clock_that_jumps_makes_ages_odd_but_nothing_else() {
    let start: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
    let day = SignedDuration::from_hours(24);
    let extremes = [Timestamp::MIN, Timestamp::MAX];
    for now in [start + day, start - day, start]
        .into_iter()
        .chain(extremes)
    {
        let (mut board, keys) = board(start);
        let mut terminal = Terminal::new(TestBackend::new(120, 20)).unwrap();
        let mut app = App::new(
            Theme::new(true, false),
            "mintwatch",
            terminal.size().unwrap(),
        );
        app.on_board(&board, start);
        app.show_message("begun", Role::Muted, start);
        app.on_time(&board, now);
        assert_eq!(app.messages.shown().is_some(), now == start, "{now}");
        terminal
            .draw(|frame| screen::draw(frame, &app, &board, now))
            .unwrap();
        let (fresh, failed) = (board.row(&keys[0]).unwrap(), board.row(&keys[1]).unwrap());
        let want = if now > start {
            Freshness::Stale
        } else {
            Freshness::Fresh
        };
        assert_eq!(fresh.freshness(now), want, "{now}");
        assert_eq!(failed.freshness(now), Freshness::Stale, "{now}");
        // It never wakes in the past, which would be a busy loop.
        let wake = app.wake_at();
        assert!(
            wake.is_none_or(|at| at > now || now == Timestamp::MAX),
            "{now}: {wake:?}"
        );

        // The next poll puts all right, with the new time.
        let fetched = Update::Fetched {
            job: Job::default(),
            fresh_for: Some(Duration::from_secs(20)),
        };
        for key in &keys {
            board.apply(key, Update::Started, now);
        }
        board.apply(&keys[1], fetched, now);
        app.on_board(&board, now);
        terminal
            .draw(|frame| screen::draw(frame, &app, &board, now))
            .unwrap();
        assert_eq!(
            board.row(&keys[1]).unwrap().freshness(now),
            Freshness::Fresh,
            "{now}"
        );
    }
}
