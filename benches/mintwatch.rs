//! How long the work takes that grows with the number of jobs, at 5,000 of them: `cargo bench`.
//!
//! No figure is asserted here: machines differ. The screen is measured down to the escape sequences
//! that a terminal would get; only the terminal is missing.

#![allow(clippy::expect_used)] // as in tests: what fails here is the benchmark itself

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{Sink, sink};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput};
use crossterm::event::{Event, KeyCode};
use jiff::{SignedDuration, Timestamp};
use mintwatch::board::{Board, Project, Update, Watched};
use mintwatch::config::Config;
use mintwatch::job::{Job, JobKey, Status};
use mintwatch::key::ApiKey;
use mintwatch::mintlify;
use mintwatch::poll::schedule::{Limits, Outcome, Pace, Schedule, Start};
use mintwatch::pull_request::PullRequest;
use mintwatch::text;
use mintwatch::tui::app::App;
use mintwatch::tui::screen;
use mintwatch::view::theme::Theme;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Rect, Size};
use ratatui::{Terminal, TerminalOptions, Viewport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const JOBS: usize = 5_000;
const SCREEN: Size = Size::new(200, 50);
/// A moment that no clock has to be asked for.
const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);
const PATIENCE: Duration = Duration::from_mins(1);
const FRESH_FOR: Option<Duration> = Some(Duration::from_secs(20));

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    frame(&mut criterion);
    board(&mut criterion);
    schedule(&mut criterion);
    decode(&mut criterion);
    call(&mut criterion);
    config(&mut criterion);
    clean(&mut criterion);
    criterion.final_summary();
}

fn frame(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame");
    group.bench_function("nothing changed", |bencher| {
        let mut dashboard = Dashboard::new();
        bencher.iter(|| dashboard.draw());
    });
    group.bench_function("one row changed", |bencher| {
        let mut dashboard = Dashboard::new();
        let mut turn = 0;
        bencher.iter(|| {
            turn += 1;
            dashboard.board.apply(&key(0), fetched(turn), NOW);
            dashboard.draw();
        });
    });
    group.bench_function("one row changed, sorted by name", |bencher| {
        let mut dashboard = Dashboard::new();
        dashboard.press(KeyCode::Char('s'));
        let mut turn = 0;
        bencher.iter(|| {
            turn += 1;
            dashboard.board.apply(&key(0), fetched(turn), NOW);
            dashboard.draw();
        });
    });
    group.bench_function("selection moved", |bencher| {
        let mut dashboard = Dashboard::new();
        bencher.iter(|| dashboard.press(KeyCode::Char('j')));
    });
    group.bench_function("sorted anew", |bencher| {
        let mut dashboard = Dashboard::new();
        bencher.iter(|| dashboard.press(KeyCode::Char('s')));
    });
    group.bench_function("filtered", |bencher| {
        let mut dashboard = Dashboard::new();
        dashboard.press(KeyCode::Char('/'));
        let mut keys = [KeyCode::Char('7'), KeyCode::Backspace].into_iter().cycle();
        bencher.iter(|| keys.next().map(|key| dashboard.press(key)));
    });
    group.finish();
}

fn board(criterion: &mut Criterion) {
    let updates = |turn| (0..JOBS).map(move |at| (key(at), fetched(at + turn)));
    let mut group = criterion.benchmark_group("board");
    for (name, turn) in [
        ("5,000 updates, all new", 1),
        ("5,000 updates, nothing new", 0),
    ] {
        group.bench_function(name, |bencher| {
            let board = full_board();
            let setup = || (board.clone(), updates(turn).collect::<Vec<_>>());
            let apply = |(mut board, updates): (Board, Vec<(JobKey, Update)>)| {
                for (key, update) in updates {
                    black_box(board.apply(&key, update, NOW));
                }
                board
            };
            bencher.iter_batched(setup, apply, BatchSize::LargeInput);
        });
    }
    group.finish();
}

fn schedule(criterion: &mut Criterion) {
    let limits = Limits {
        active: Duration::from_secs(10),
        finished: Duration::from_mins(5),
        concurrency: 32,
    };
    let jobs: Vec<JobKey> = (0..JOBS).map(key).collect();
    criterion.bench_function("schedule/5,000 jobs polled once", |bencher| {
        let now = Instant::now();
        bencher.iter(|| {
            let mut schedule = Schedule::new(limits, 1);
            schedule.add(jobs.iter().map(|job| (job.clone(), 0)), Start::AtOnce, now);
            let mut in_flight = Vec::with_capacity(limits.concurrency);
            loop {
                in_flight.extend(std::iter::from_fn(|| schedule.take_due(now)));
                if in_flight.is_empty() {
                    return schedule;
                }
                for job in in_flight.drain(..) {
                    schedule.finish(&job, Outcome::Seen(Pace::Active), now);
                }
            }
        });
    });
}

const BODY: &str = r#"{"id":"job_01KERRR3BTA0","status":"completed",
        "source":{"repository":"https://github.com/acme/docs","ref":"mintlify/sdk-quickstart"},
        "model":"sonnet","prLink":"https://github.com/acme/docs/pull/412",
        "createdAt":"2026-11-20T10:00:00.000Z","archivedAt":null}"#;

fn decode(criterion: &mut Criterion) {
    criterion.bench_function("decode/a job", |bencher| {
        bencher.iter(|| mintlify::decode(black_box(BODY.as_bytes())));
    });
}

/// A poll as the poller makes it, and the same request made with the HTTP library alone. The server
/// runs on the same thread, so that its share is the same in both.
fn call(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    let base_url = runtime.block_on(serve());
    let mut group = criterion.benchmark_group("call");
    group.bench_function("a job", |bencher| {
        let base_url = base_url.parse().expect("a URL of this machine");
        let client = mintlify::Client::new(&base_url, PATIENCE).expect("no TLS is needed");
        let key = ApiKey::parse("mint_bench").expect("a key");
        bencher.iter(|| runtime.block_on(client.get_job(&key_of_a_job(), &key)));
    });
    group.bench_function("bare reqwest", |bencher| {
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .timeout(PATIENCE);
        let client = client.build().expect("no TLS is needed");
        let url = format!("{base_url}/v2/agent/64f0c1e2/job/job_01KERRR3BTA0");
        bencher.iter(|| {
            runtime.block_on(async {
                let sent = client.get(&url).bearer_auth("mint_bench").send().await;
                sent.expect("a reply").bytes().await.expect("its body")
            })
        });
    });
    group.finish();
}

fn key_of_a_job() -> JobKey {
    JobKey::new("64f0c1e2", "job_01KERRR3BTA0")
}

/// Answers every request with a job.
async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its number");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    format!("http://{address}")
}

async fn answer(mut stream: TcpStream) {
    let length = BODY.len();
    let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{BODY}");
    let mut request = [0; 4096];
    // A request comes in one piece on this machine.
    while let Ok(1..) = stream.read(&mut request).await {
        if stream.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn config(criterion: &mut Criterion) {
    let mut text = String::from("[[projects]]\nid = \"64f0c1e2\"\nname = \"docs\"\njobs = [\n");
    for at in 0..JOBS {
        // EditedDocument to a `String` cannot fail.
        let _ = writeln!(
            text,
            "  {{ id = \"job_{at:06}\", label = \"{}\", tags = [\"release\"] }},",
            label(at)
        );
    }
    text.push_str("]\n");
    let mut group = criterion.benchmark_group("config");
    // A quoted key is a form that only `toml` reads.
    let odd = text.replace("[[projects]]", "[[\"projects\"]]");
    for (name, text) in [
        ("parse 5,000 jobs", &text),
        ("parse 5,000 jobs by toml", &odd),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| Config::parse(black_box(text), Path::new("config.toml")));
        });
    }
    group.finish();
}

fn clean(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("clean");
    for (name, raw) in [
        (
            "a URL",
            String::from("https://github.com/acme/docs/pull/412"),
        ),
        (
            "other letters",
            String::from("Démarrage rapide · 日本語のラベル"),
        ),
        ("a tower of marks", format!("a{}", "\u{301}".repeat(1_000))),
    ] {
        group.throughput(Throughput::Bytes(raw.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| text::clean(black_box(&raw)));
        });
    }
    group.finish();
}

/// A dashboard of 5,000 jobs whose terminal swallows what is drawn.
struct Dashboard {
    terminal: Terminal<CrosstermBackend<Sink>>,
    app: App,
    board: Board,
}

impl Dashboard {
    fn new() -> Self {
        let viewport = Viewport::Fixed(Rect::from(SCREEN));
        let terminal =
            Terminal::with_options(CrosstermBackend::new(sink()), TerminalOptions { viewport });
        let mut dashboard = Self {
            terminal: terminal.expect("a fixed viewport asks no terminal for its size"),
            app: App::new(Theme::new(true, false), "mintwatch", SCREEN),
            board: full_board(),
        };
        dashboard.draw();
        dashboard
    }

    fn press(&mut self, key: KeyCode) {
        let event = Event::Key(key.into());
        self.app.on_input(&event, &self.board, NOW);
        self.draw();
    }

    /// Takes the board in and draws, as the loop does when something has changed.
    fn draw(&mut self) {
        let Self {
            terminal,
            app,
            board,
        } = self;
        app.on_board(board, NOW);
        let drawn = terminal.draw(|frame| screen::draw(frame, app, board, NOW));
        drawn.expect("nothing fails to be swallowed");
    }
}

/// 5,000 jobs in three projects, each seen once.
fn full_board() -> Board {
    let projects = ["docs", "api", "sdk"].map(|name| {
        Arc::new(Project {
            id: name.into(),
            name: Some(name.into()),
        })
    });
    let mut board = Board::new((0..JOBS).map(|at| Watched {
        key: key(at),
        project: Arc::clone(&projects[at % 3]),
        label: Some(label(at)),
        tags: vec![String::from("release")],
    }));
    for at in 0..JOBS {
        board.apply(&key(at), fetched(at), NOW);
    }
    board
}

fn key(at: usize) -> JobKey {
    JobKey::new(["docs", "api", "sdk"][at % 3], format!("job_{at:06}"))
}

fn label(at: usize) -> String {
    // Not in order, so that sorting has something to do.
    format!("Guide {:04} of the reference", at * 7_919 % JOBS)
}

/// A reply: the status, and with it the pull request, goes round with `turn`.
fn fetched(turn: usize) -> Update {
    let link = format!("https://github.com/acme/docs/pull/{}", turn % 1_000);
    let (status, pull_request) = match turn % 4 {
        0 => (Status::Active, None),
        1 => (Status::Completed, Some(PullRequest::new(link))),
        2 => (Status::Failed, None),
        _ => (Status::Archived, Some(PullRequest::new(link))),
    };
    let minutes = i64::try_from(turn % 10_000).unwrap_or_default();
    Update::Fetched {
        job: Job {
            status: Some(status),
            repository: Some(String::from("https://github.com/acme/docs")),
            branch: Some(format!("mintlify/guide-{}", turn % 1_000)),
            model: Some(String::from("sonnet")),
            pull_request,
            created_at: Some(NOW - SignedDuration::from_mins(minutes)),
            archived_at: None,
        },
        fresh_for: FRESH_FOR,
    }
}
