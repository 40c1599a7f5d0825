//! Whole runs of the dashboard in this process: keys, a real poller, a fake server, a drawn buffer.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::path::Path;

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use mintwatch::config::Config;
use mintwatch::desktop::Opened;
use mintwatch::exit::Exit;
use mintwatch::job::JobKey;
use mintwatch::mintlify::write::{JOB_MAY_EXIST, doubtful};
use mintwatch::poll::Poller;
use mintwatch::tui::app::Request;
use mintwatch::tui::{Done, NotDone, Notice, Reloaded};
use mintwatch::view::theme::Role;
use mintwatch::view::theme::Theme;
use support::fake_server::FakeServer;
use support::reply::{Reply, job_json};
use support::session::{Call, Session};
use support::{PATIENT, drawn, setup, until};

const WIDE: (u16, u16) = (200, 24);

/// A config with short intervals, of jobs in project `docs`.
fn config(server: &FakeServer, jobs: &[&str]) -> String {
    let jobs: Vec<String> = jobs.iter().map(|job| format!("\"{job}\"")).collect();
    format!(
        "base_url = \"{}\"\n\
         [poll]\nactive = \"100ms\"\nfinished = \"150ms\"\ntimeout = \"1s\"\n\
         [[projects]]\nid = \"docs\"\njobs = [{}]\n",
        server.base_url(),
        jobs.join(", ")
    )
}

fn pull(number: u32) -> String {
    format!("https://github.com/acme/docs/pull/{number}")
}

fn start(server: &FakeServer, jobs: &[&str]) -> Session {
    Session::start(setup::start(&config(server, jobs)), WIDE)
}

/// Three jobs: one active, one with a pull request, one failed.
async fn three_jobs(server: &FakeServer) -> Session {
    server.set("docs", "job_a", Reply::job("active"));
    server.set("docs", "job_b", Reply::pull_request(&pull(412)));
    server.set("docs", "job_c", Reply::job("failed"));
    let mut session = start(server, &["job_a", "job_b", "job_c"]);
    session.wait_for_row("job_a", "● active").await;
    session.wait_for_row("job_b", "✓ completed").await;
    session.wait_for_row("job_c", "✗ failed").await;
    session
}

#[tokio::test]
async fn statuses_appear_and_a_change_is_said() {
    let server = FakeServer::start();
    let mut session = three_jobs(&server).await;
    session.wait_for_row("job_b", "#412").await;
    session.wait_for("! 2 need you").await;
    session.press("G");
    session.wait_for_selected("job_a").await;

    server.set("docs", "job_a", Reply::pull_request(&pull(413)));
    let said = "job_a: active to completed, pull request #413";
    session.wait_for(said).await;
    session.wait_for("! 3 need you").await;
    session.press("<enter><pagedown>");
    session.wait_for("What happened").await;
    let history = "active to completed, pull request #413";
    session.wait_for(history).await;
}

#[tokio::test]
async fn what_is_acknowledged_needs_nobody_until_it_changes() {
    let server = FakeServer::start();
    let mut session = three_jobs(&server).await;
    session.wait_for("! 2 need you").await;
    session.press("/job_c<enter>d");
    session
        .wait_for("acknowledged job_c, until it changes; D shows it")
        .await;
    session.wait_for("! 1 needs you").await;
    session.wait_for("Acknowledged 1").await;
    session.wait_for("~ ✗ failed").await;
    session.press("d");
    session.wait_for("job_c needs you again").await;
    session.wait_for("! 2 need you").await;
    session.press("d<esc>/is:acknowledged<enter>");
    session.wait_for("1/1 of 3").await;

    server.set("docs", "job_c", Reply::pull_request(&pull(9)));
    session.press("R<esc>");
    session.wait_for("! 2 need you").await;
    session.press("/job_a<enter>d");
    session.wait_for("job_a does not need you").await;
}

#[tokio::test]
async fn changes_are_gone_through_acted_on_and_marked_as_seen() {
    let server = FakeServer::start();
    let mut session = three_jobs(&server).await;
    session.press("c");
    session.wait_for("No job has changed yet.").await;
    server.set("docs", "job_a", Reply::pull_request(&pull(413)));
    session
        .wait_for("1 new change of 1 job: C marks all as seen")
        .await;
    session.press("<esc>");
    session.wait_for("c 1 new").await;
    server.set("docs", "job_c", Reply::job("active"));
    session.press("R");
    session.wait_for("c 2 new").await;
    session.press("cj");
    session.wait_for_selected("job_a").await;
    session.press("o");
    session.wait_for("opened #413").await;
    session.press("<enter>");
    session.wait_for("✓ completed for").await;
    session.press("<esc>");
    session.wait_for_selected("job_a").await;
    session.press("/is:new<enter>");
    session.wait_for("1/2 of 3").await;
    session.press("C");
    session
        .wait_for("marked the changes of 2 jobs as seen")
        .await;
    session.wait_for("Nothing here matches /is:new").await;
}

/// Nothing but the row's own age tells that it has gone stale: no poll comes back.
#[tokio::test]
async fn a_row_that_goes_stale_is_drawn_so_although_nothing_else_happens() {
    let server = FakeServer::start();
    let script = Reply::job("active").then(Reply::HangBeforeHeaders);
    server.set("docs", "job_a", script);
    let config = config(&server, &["job_a"]).replace("\"1s\"", "\"60s\"");
    let mut session = Session::start(setup::start(&config), WIDE);
    session.wait_for_row("job_a", "● active").await;
    session.wait_for("1 stale").await;
}

#[tokio::test]
async fn keys_are_answered_while_a_server_keeps_the_poller_busy() {
    let server = FakeServer::start();
    server.set_default(Reply::EndlessInterim);
    let jobs: Vec<String> = (0..32).map(|at| format!("job_{at:02}")).collect();
    let jobs: Vec<&str> = jobs.iter().map(String::as_str).collect();
    let config = config(&server, &jobs).replace("\"1s\"", "\"60s\"\nconcurrency = 32");
    let mut session = Session::start(setup::start(&config), (200, 40));
    until(PATIENT, "32 busy connections", || {
        server.requests().len() == 32
    })
    .await;
    let press_all = async {
        for place in 1..32 {
            session.press("j");
            session.wait_for_selected(&format!("job_{place:02}")).await;
        }
    };
    // On one thread with the poller each key would wait for seconds.
    let answered = tokio::time::timeout(PATIENT, press_all).await;
    answered.expect("every key is answered");
    session.press("q");
    assert_eq!(session.exit().await, Some(Exit::Done));
}

#[tokio::test]
async fn the_title_follows_the_counts() {
    let server = FakeServer::start();
    let session = three_jobs(&server).await;
    server.set("docs", "job_a", Reply::pull_request(&pull(413)));
    let want = "mintwatch: 0 active, 3 need you";
    let told = || session.titles().last().is_some_and(|title| title == want);
    until(PATIENT, want, told).await;
    let titles = session.titles();
    assert!(
        titles.contains(&"mintwatch: 1 active, 2 need you".into()),
        "{titles:?}"
    );
    let mut distinct = titles.clone();
    distinct.dedup();
    assert_eq!(titles, distinct, "a title is set only when it changes");
}

#[tokio::test]
async fn the_filter_works_as_it_is_typed() {
    let server = FakeServer::start();
    let mut session = three_jobs(&server).await;
    session.press("/job_");
    session.wait_for("/job_").await;
    for job in ["job_a", "job_b", "job_c"] {
        assert!(session.text().contains(job), "{job}");
    }
    session.press("b");
    session.wait_until_gone("job_a").await;
    assert!(session.text().contains("job_b"));
    session.send(Event::Paste("q\u{1b}".into()));
    session.wait_for("Nothing here matches /job_bq").await;
    session.press("<backspace><enter>");
    session.wait_for_selected("job_b").await;
    session.press("<esc>");
    session.wait_for("job_a").await;
    // The selection has stayed on its job.
    session.wait_for_selected("job_b").await;
    assert!(session.is_running());
}

#[tokio::test]
async fn o_opens_exactly_the_pull_request_of_the_selected_job() {
    let server = FakeServer::start();
    let mut session = three_jobs(&server).await;
    session.press("/job_b<enter>o");
    session.wait_for("opened").await;
    session.wait_for_calls(&[Call::Open(pull(412))]).await;

    session.press("<esc>/job_a<enter>o");
    session
        .wait_for("job_a has no pull request yet: it is still at work")
        .await;
    session.press("<esc>/job_c<enter>o");
    session.wait_for("job_c has no pull request").await;
    assert_eq!(session.calls(), [Call::Open(pull(412))]);
}

#[tokio::test]
async fn the_branch_is_opened_and_links_and_ids_are_copied() {
    let server = FakeServer::start();
    let mut session = three_jobs(&server).await;
    session.press("/job_b<enter>OyY");
    session.wait_for("sent to the terminal: job_b").await;
    session
        .wait_for_calls(&[
            Call::Open("https://github.com/acme/docs/tree/mintlify/job_b".into()),
            Call::Copy(pull(412)),
            Call::Copy("job_b".into()),
        ])
        .await;
}

#[tokio::test]
async fn a_link_that_cannot_be_opened_is_said_and_without_a_browser_it_is_copied() {
    let server = FakeServer::start();
    server.set("docs", "job_b", Reply::pull_request(&pull(412)));
    let poller = || setup::start(&config(&server, &["job_b"]));
    let mut session = Session::with_host(poller(), WIDE, |_| Err("link refused: why".into()));
    session.wait_for("#412").await;
    session.press("o");
    session.wait_for("link refused: why").await;

    let mut session = Session::with_host(poller(), WIDE, |_| Ok(Opened::NoBrowser));
    session.wait_for("#412").await;
    session.press("o");
    session
        .wait_for("no browser here; sent to the terminal: https://github.com/acme/docs/pull/412")
        .await;
    session
        .wait_for_calls(&[Call::Open(pull(412)), Call::Copy(pull(412))])
        .await;
}

/// Only tmux answers, and only for what it was sent.
#[tokio::test]
async fn a_copy_is_said_to_be_where_it_is_known_to_be() {
    let server = FakeServer::start();
    let mut session = three_jobs(&server).await;
    session.press("/job_b<enter>y");
    session.wait_for("sent to the terminal: https://").await;
    session.notice(Notice::InTmux(pull(411)));
    session.notice(Notice::InTmux(pull(412)));
    let told = format!("sent to the terminal; tmux has it: {}", pull(412));
    session.wait_for(&told).await;
    session.press("Y");
    session.wait_for("sent to the terminal: job_b").await;
    // It comes late, and the message is about something else.
    session.notice(Notice::InTmux(pull(412)));
    session.press("?");
    session.wait_for("next job").await;
    session.wait_for("sent to the terminal: job_b").await;
    assert!(
        !session.text().contains("tmux has it"),
        "{}",
        session.text()
    );
}

/// In rows from their first cell on, as a selection by hand takes it, beside the selected row.
#[tokio::test]
async fn a_link_that_is_copied_stands_whole_on_any_screen() {
    let link = format!("https://github.com/acme/{}/pull/412", "x".repeat(87));
    assert_eq!(link.len(), 120);
    let server = FakeServer::start();
    let jobs: Vec<String> = (10..30).map(|at| format!("job_{at}")).collect();
    let jobs: Vec<&str> = jobs.iter().map(String::as_str).collect();
    server.set_default(Reply::pull_request(&link));
    for size in [(40, 12), (80, 24), (200, 24)] {
        let poller = || setup::start(&config(&server, &jobs));
        let mut session = Session::with_host(poller(), size, |_| Ok(Opened::NoBrowser));
        session.wait_for("20 need you").await;
        for key in ["Gy", "o"] {
            session.press(key);
            let whole = |shown: &support::session::Shown| {
                let rows = drawn::text(&shown.buffer).replace('\n', "");
                rows.contains(&link)
            };
            session.wait("the whole link", whole).await;
            session.wait_for_selected("#412").await;
        }
    }
}

/// Seven completed jobs, in the order in which they are shown.
async fn seven_pull_requests(server: &FakeServer) -> Session {
    let jobs = [
        "job_1", "job_2", "job_3", "job_4", "job_5", "job_6", "job_7",
    ];
    for (number, job) in (1..).zip(jobs) {
        server.set("docs", job, Reply::pull_request(&pull(number)));
    }
    let mut session = start(server, &jobs);
    session.wait_for("7 completed").await;
    session.press("g");
    session.wait_for_selected("job_1").await;
    session
}

#[tokio::test]
async fn marked_jobs_are_acted_on_together() {
    let server = FakeServer::start();
    let mut session = seven_pull_requests(&server).await;
    session.press("<space>j<space>");
    session.wait_for("2 marked").await;
    session.press("y");
    session.wait_for("sent to the terminal: 2 links").await;
    session.press("o");
    session.wait_for("opened").await;
    let links = [pull(1), pull(3)];
    session
        .wait_for_calls(&[
            Call::Copy(links.join("\n")),
            Call::Open(pull(1)),
            Call::Open(pull(3)),
        ])
        .await;
    session.press("<esc>y");
    session
        .wait_for_calls(&[
            Call::Copy(links.join("\n")),
            Call::Open(pull(1)),
            Call::Open(pull(3)),
            Call::Copy(pull(4)),
        ])
        .await;
}

#[tokio::test]
async fn more_than_five_are_opened_only_after_a_yes() {
    let server = FakeServer::start();
    let mut session = seven_pull_requests(&server).await;
    session.press("<space><space><space><space><space><space>o");
    session.wait_for("Open 6 pull requests? y/n").await;
    session.answer("n").await;
    session.wait_for("cancelled").await;
    assert_eq!(session.calls(), []);
    session.press("oxo");
    session.wait_for("Open 6 pull requests?").await;
    session.answer("<esc>").await;
    session.wait_for("cancelled").await;
    assert_eq!(session.calls(), []);
    session.press("oy");
    session.wait_for("Open 6 pull requests?").await;
    session.answer("y").await;
    let opened: Vec<Call> = (1..=6).map(|number| Call::Open(pull(number))).collect();
    session.wait_for_calls(&opened).await;
}

#[tokio::test]
async fn esc_never_quits_and_q_does() {
    let server = FakeServer::start();
    let mut session = three_jobs(&server).await;
    for start in ["", "?", "e", "<enter>", "/x", "2", "p", "<space>"] {
        session.press(start);
        session.press("<esc><esc><esc><esc><esc>");
    }
    session.press("/still here<enter>");
    session.wait_for("/still here").await;
    assert!(session.is_running());
    session.press("<esc>?");
    session.wait_for("these keys").await;
    // In a pane q goes back, and only in the table it leaves.
    session.press("q");
    session.wait_until_gone("these keys").await;
    session.press("q");
    assert_eq!(session.exit().await, Some(Exit::Done));
}

#[tokio::test]
async fn ctrl_c_quits_everywhere() {
    for start in ["", "/x", "?", "<enter>"] {
        let server = FakeServer::start();
        let session = three_jobs(&server).await;
        session.press(start);
        session.press("<^c>");
        assert_eq!(session.exit().await, Some(Exit::Done), "{start:?}");
    }
}

#[tokio::test]
async fn the_selection_stays_on_its_job_while_rows_change_places() {
    let server = FakeServer::start();
    let mut session = three_jobs(&server).await;
    let order = |shown: &support::session::Shown| {
        let row = |job| drawn::row_of(&shown.buffer, job).unwrap();
        [row("job_a"), row("job_b"), row("job_c")]
    };
    let shown = session.wait_for("job_a").await;
    let [a, b, c] = order(&shown);
    assert!(c < b && b < a, "what needs you comes first");
    session.press("gj");
    session.wait_for_selected("job_b").await;

    server.set("docs", "job_a", Reply::job("failed"));
    server.set("docs", "job_b", Reply::job("active"));
    let shown = session
        .wait("the rows to change places", |shown| {
            let [a, b, c] = order(shown);
            a < c && c < b
        })
        .await;
    let selected = drawn::selected(&shown.buffer).unwrap();
    assert!(selected.contains("job_b"), "{selected}");
}

#[tokio::test]
async fn each_kind_of_error_has_words_in_the_row_and_the_last_values_stay() {
    let cases = [
        ("not_allowed", Reply::forbidden(), "not allowed"),
        ("not_found", Reply::not_found(), "not found"),
        (
            "limited",
            Reply::too_many(Some("120")),
            "rate limited, again in 1m",
        ),
        ("server", Reply::unavailable(), "server error"),
        ("reset", Reply::Reset, "no connection"),
        ("hang", Reply::HangBeforeHeaders, "timeout"),
        ("html", Reply::html(), "unexpected response"),
        ("refused", Reply::unauthorized(), "no valid key"),
    ];
    for (job, fault, words) in cases {
        let server = FakeServer::start();
        server.set("docs", job, Reply::job("active"));
        let mut session = start(&server, &[job]);
        session.wait_for_row(job, "● active").await;
        server.set("docs", job, fault);
        let row = session.wait_for_row(job, words).await;
        for kept in ["● active", job, "sonnet"] {
            assert!(row.contains(kept), "{row}");
        }
        let count = if job == "reset" { "offline" } else { "failing" };
        session.wait_for(&format!("1 {count}, e says why")).await;
        session.press("e");
        session.wait_for("One error in this run").await;
    }
}

#[tokio::test]
async fn a_row_is_fresh_again_after_its_fault_has_passed() {
    let server = FakeServer::start();
    server.set("docs", "job_a", Reply::job("active"));
    let mut session = start(&server, &["job_a"]);
    session.wait_for_row("job_a", "● active").await;
    server.set(
        "docs",
        "job_a",
        Reply::unavailable().then(Reply::job("active")),
    );
    session.wait_for_row("job_a", "server error").await;
    session.press("r");
    session.wait_until_gone("server error").await;
    session.wait_until_gone("stale").await;
}

#[tokio::test]
async fn r_polls_the_selected_job_out_of_turn() {
    let server = FakeServer::start();
    server.set_default(Reply::job("archived"));
    let mut session = start(&server, &["job_a", "job_b"]);
    session.wait_for("2 archived").await;
    session.press("gr");
    session.wait_for("polling job_a").await;
    let polls = |job: &str| server.requests_of("docs", job).len();
    until(PATIENT, "a second poll", || polls("job_a") == 2).await;
    session.press("R");
    // The first may still be in flight, and then it is not polled twice.
    until(PATIENT, "a poll of all", || polls("job_b") == 2).await;
}

#[tokio::test]
async fn a_suspended_run_draws_everything_anew() {
    let server = FakeServer::start();
    let mut session = three_jobs(&server).await;
    let shown = session.wait_for("job_a").await;
    let titles = session.titles().len();
    session.press("<^z>");
    session
        .wait("the screen to be drawn anew", |now| {
            now.clears > shown.clears
        })
        .await;
    session.wait_for("job_a").await;
    assert_eq!(session.calls(), [Call::Suspend]);
    until(PATIENT, "the title", || session.titles().len() > titles).await;
}

#[tokio::test]
async fn ctrl_l_draws_everything_anew() {
    let server = FakeServer::start();
    let mut session = three_jobs(&server).await;
    let shown = session.wait_for("job_a").await;
    session.press("<^l>");
    session
        .wait("the screen to be drawn anew", |now| {
            now.clears > shown.clears
        })
        .await;
    session.wait_for("job_a").await;
}

#[tokio::test]
async fn a_poller_that_ends_ends_the_run() {
    let server = FakeServer::start();
    let any_key = |_: &_| Ok(setup::any_key());
    let (watched, mut setup) = setup::setup(&config(&server, &["job_a"]), any_key);
    // A fault of the program: a project's key that does not exist. Looking for it panics.
    setup.keys.clear();
    let mut session = Session::start(Poller::start(watched, setup).unwrap(), WIDE);
    session.wait_for("job_a").await;
    session.press("R");
    assert_eq!(session.exit().await, None);
}

#[tokio::test]
async fn the_end_of_the_input_and_a_signal_end_the_run() {
    let server = FakeServer::start();
    let mut session = three_jobs(&server).await;
    session.end_input();
    assert_eq!(session.exit().await, Some(Exit::Done));

    let mut session = three_jobs(&server).await;
    session.stop(Exit::Signal(15));
    assert_eq!(session.exit().await, Some(Exit::Signal(15)));
}

#[tokio::test]
async fn an_empty_board_says_what_to_do_and_runs() {
    let server = FakeServer::start();
    let text = format!("base_url = \"{}\"\n", server.base_url());
    let mut session = Session::start(setup::start(&text), WIDE);
    session.wait_for("No jobs are watched yet.").await;
    session.press("joOyY<space>rR2e<esc>?");
    session.wait_for("these keys").await;
    assert_eq!(session.calls(), []);
    session.press("<esc>q");
    assert_eq!(session.exit().await, Some(Exit::Done));
}

#[tokio::test]
async fn without_a_project_no_text_can_be_written_for_one() {
    let server = FakeServer::start();
    let text = format!("base_url = \"{}\"\n", server.base_url());
    let mut session = Session::start(setup::start(&text), WIDE);
    let config = Config::parse(&text, Path::new("config.toml")).unwrap();
    session.notice(Notice::Reloaded(Box::new(Reloaded {
        text: None,
        config,
        theme: Theme::new(false, false),
        projects: Vec::new(),
    })));
    let both = "No project is in the config yet. List one under [[projects]] in the config file";
    session.wait_for("No project is in the config yet.").await;
    session.press("anf");
    session.wait_for(both).await;
    session.press("q");
    assert_eq!(session.exit().await, Some(Exit::Done));
}

#[tokio::test]
async fn unknown_statuses_and_missing_fields_are_shown_as_they_came() {
    let server = FakeServer::start();
    server.set("docs", "job_a", Reply::job("paused"));
    let mut bare = job_json("completed", None);
    bare["source"] = serde_json::Value::Null;
    bare["model"] = serde_json::Value::Null;
    server.set("docs", "job_b", Reply::json(200, &bare));
    server.set("docs", "job_c", Reply::text(200, "application/json", "{}"));
    let mut session = start(&server, &["job_a", "job_b", "job_c"]);
    session.wait_for_row("job_a", "? paused").await;
    session.wait_for_row("job_b", "✓ completed").await;
    session.wait_for_row("job_c", "? unknown").await;
    session.wait_for("nothing needs you").await;
}

#[tokio::test]
async fn news_from_outside_is_said() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let mut session = Session::start(setup::start(&config(&server, &["job_a"])), WIDE);
    session.wait_for("job_a").await;
    session.notice(Notice::Message("no route".into(), Role::Bad));
    session.wait_for("no route").await;
    session.press("q");
    assert_eq!(session.exit().await, Some(Exit::Done));
}

#[tokio::test]
async fn a_click_on_a_pull_request_opens_it() {
    let server = FakeServer::start();
    let mut session = three_jobs(&server).await;
    let shown = session.wait_for_row("job_b", "#412").await;
    let at = shown.find("#412").unwrap();
    let column = u16::try_from(shown[..at].chars().count()).unwrap();
    let drawn = session.wait_for("#412").await.buffer;
    let row = drawn::row_of(&drawn, "#412").unwrap();
    session.send(Event::Mouse(MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column,
        row,
        modifiers: KeyModifiers::NONE,
    }));
    session.wait_for_selected("job_b").await;
    session.wait_for_calls(&[Call::Open(pull(412))]).await;
}

#[tokio::test]
async fn the_way_back_from_the_end_of_a_text_begins_at_once() {
    let server = FakeServer::start();
    let poller = setup::start(&config(&server, &["job_a"]));
    let mut session = Session::start(poller, (60, 12));
    session.press("?");
    session.wait_for("next job").await;
    session.press("G");
    let end = session.wait_for("no longer than this").await;
    session.press("k");
    let before = drawn::text(&end.buffer);
    session
        .wait("the line before", |now| drawn::text(&now.buffer) != before)
        .await;
}

#[tokio::test]
async fn a_new_job_is_written_asked_about_and_begun_and_a_refusal_keeps_the_text() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let mut session = Session::start(setup::start(&config(&server, &["job_a", "job_b"])), WIDE);
    session.wait_for("job_b").await;
    session.press("n");
    session.wait_for("New job in p").await;
    session.send(Event::Paste("Document\nthe retries".into()));
    session.wait_for("the retries").await;
    session.press("<tab><esc>");
    session.wait_for("the text is kept").await;
    session.press("n<tab>");
    session.wait_for("New job in other").await;
    session.wait_for("the retries").await;
    session.press("<^s>");
    session
        .wait_for("Start a job in other? 3 of 100 writes this hour. y/n")
        .await;
    session.answer("y").await;
    let request = Request::Create {
        project: "other".into(),
        prompt: "Document\nthe retries".into(),
    };
    session
        .wait_for_calls(&[Call::Perform(request.clone())])
        .await;
    let refused = Err(NotDone::because("not allowed (403)"));
    session.notice(Notice::Ended(request.clone(), refused));
    session.wait_for("not allowed (403)").await;
    session.press("n<tab>");
    session.wait_for("the retries").await;
    session.press("<esc>");
    session.press("e");
    session.wait_for("new job").await;
    session.wait_for("not allowed (403)").await;
    session.press("<esc>");
    let done = Done {
        text: String::from("started job_9"),
        role: Role::Good,
        select: Some(JobKey::new("docs", "job_b")),
    };
    session.notice(Notice::Ended(request, Ok(done)));
    session.wait_for_selected("job_b").await;
    session.press("n<tab>");
    session.wait_for("New job in other").await;
    session.wait_until_gone("the retries").await;
}

/// Pasted where the terminal marks no pastes, or typed ahead: nobody has seen the question.
#[tokio::test]
async fn a_yes_from_before_the_question_was_seen_writes_nothing() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let mut session = Session::start(setup::start(&config(&server, &["job_a"])), WIDE);
    session.wait_for("job_a").await;
    session.press("nwrite me<^s>y<enter>y");
    session.wait_for("Start a job in p? 3 of 100").await;
    session.answer("<enter>").await;
    // What comes after it is handled after it.
    session.answer("<^l>").await;
    session.answer("n").await;
    session.wait_for("cancelled").await;
    assert_eq!(session.calls(), []);
    session.press("n<^s>");
    session.wait_for("Start a job in p?").await;
    session.answer("y").await;
    assert_eq!(session.wait_for_calls_of(1).await.len(), 1);
}

#[tokio::test]
async fn follow_ups_ids_and_the_end_of_watching_go_to_the_marked_jobs() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let mut session = Session::start(setup::start(&config(&server, &["job_a", "job_b"])), WIDE);
    session.wait_for("job_b").await;
    session.press("  f");
    session.wait_for("Follow-up to 2 jobs").await;
    session.press("<^s>");
    session.wait_for("nothing is written yet").await;
    session.press("more<^s>");
    session
        .wait_for("Send to 2 jobs? 3 of 100 writes this hour. y/n")
        .await;
    session.answer("y").await;
    let jobs = ["job_a", "job_b"]
        .map(|id| JobKey::new("docs", id))
        .to_vec();
    let follow_up = Request::FollowUp {
        jobs: jobs.clone(),
        prompt: "more".into(),
    };
    let mut calls = vec![Call::Perform(follow_up)];
    session.wait_for_calls(&calls).await;
    session.press("x");
    session.wait_for("Stop watching 2 jobs?").await;
    session.answer("y").await;
    calls.push(Call::Perform(Request::Remove { jobs }));
    session.wait_for_calls(&calls).await;
    session.press("a");
    session.wait_for("Ids or links of jobs in p").await;
    session.send(Event::Paste(
        "https://x.test/v2/agent/other/job/job_7\n".into(),
    ));
    session.press("<^s>");
    let refusal = "job_7 is in the project other, not in the one chosen: choose that";
    session.wait_for(refusal).await;
    session.press("<tab><^s>");
    let add = Request::Add {
        project: "other".into(),
        ids: vec!["job_7".into()],
    };
    calls.push(Call::Perform(add));
    session.wait_for_calls(&calls).await;
}

#[tokio::test]
async fn the_host_that_is_shown_is_the_host_that_is_copied_and_opened() {
    for (link, normal) in [
        (
            "https://g\u{456}thub.com/acme/docs/pull/4",
            "https://xn--gthub-n2e.com/acme/docs/pull/4",
        ),
        (
            "https://github.com%2eevil.test/pull/4",
            "https://github.com.evil.test/pull/4",
        ),
        (
            "https://git%68ub.com/acme/docs/pull/4",
            "https://github.com/acme/docs/pull/4",
        ),
    ] {
        let server = FakeServer::start();
        server.set("docs", "job_a", Reply::pull_request(link));
        let mut session = Session::start(setup::start(&config(&server, &["job_a"])), WIDE);
        session.wait_for_row("job_a", "#4").await;
        session.press("<enter>");
        session.wait_for(normal).await;
        session.press("yo");
        let calls = [Call::Copy(normal.into()), Call::Open(normal.into())];
        session.wait_for_calls(&calls).await;
    }
}

#[tokio::test]
async fn a_link_that_may_have_been_cut_is_neither_copied_nor_opened() {
    let long = format!("https://github.com/{}/pull/4", "x".repeat(2_000));
    let server = FakeServer::start();
    server.set("docs", "job_a", Reply::pull_request(&long));
    let mut session = Session::start(setup::start(&config(&server, &["job_a"])), WIDE);
    session.wait_for_row("job_a", "link").await;
    for key in ["y", "o"] {
        session.press(key);
        session.wait_for("link refused: it is too long").await;
        session.press("Y");
        session.wait_for("sent to the terminal: job_a").await;
    }
    let ids = [Call::Copy("job_a".into()), Call::Copy("job_a".into())];
    session.wait_for_calls(&ids).await;
}

/// Asks for a job until the host is asked to start it.
async fn start_a_job(session: &mut Session) -> Request {
    session.press("n");
    session.wait_for("New job in p").await;
    session.press("Do it<^s>");
    session.wait_for("Start a job in p? 3 of 100").await;
    session.answer("y").await;
    let request = Request::Create {
        project: "p".into(),
        prompt: "Do it".into(),
    };
    session
        .wait_for_calls(&[Call::Perform(request.clone())])
        .await;
    request
}

#[tokio::test]
async fn leaving_waits_for_the_reply_to_a_write_and_tells_of_it() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let refused = "the job may exist all the same: the server failed (500)";
    for (outcome, told) in [
        (
            Ok(Done {
                text: String::from("started job_9"),
                role: Role::Good,
                select: None,
            }),
            "started job_9",
        ),
        (Err(NotDone::because(refused)), refused),
    ] {
        let mut session = Session::start(setup::start(&config(&server, &["job_a"])), WIDE);
        session.wait_for("job_a").await;
        let request = start_a_job(&mut session).await;
        session.press("q");
        session
            .wait_for("waiting for the reply to your new job; q again leaves")
            .await;
        session.notice(Notice::Ended(request, outcome));
        let (exit, words) = session.exit_and_last_words().await;
        assert_eq!(exit, Some(Exit::Done));
        assert_eq!(words, [told]);
    }
}

#[tokio::test]
async fn what_is_written_while_a_reply_is_awaited_is_kept_when_it_comes() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let mut session = Session::start(setup::start(&config(&server, &["job_a"])), WIDE);
    session.wait_for("job_a").await;
    let request = start_a_job(&mut session).await;
    session.press("n");
    session.wait_for("Do it").await;
    session.press(" again<esc>");
    session.wait_for("the text is kept").await;
    let done = Done {
        text: String::from("started job_9"),
        role: Role::Good,
        select: None,
    };
    session.notice(Notice::Ended(request, Ok(done)));
    session.wait_for("started job_9").await;
    session.press("n");
    session.wait_for("Do it again").await;
}

#[tokio::test]
async fn only_a_plain_y_is_a_yes() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let mut session = Session::start(setup::start(&config(&server, &["job_a"])), WIDE);
    session.wait_for("job_a").await;
    session.press("x");
    session.wait_for("Stop watching").await;
    session.answer("<^y>").await;
    let mut alt_y = KeyEvent::from(KeyCode::Char('y'));
    alt_y.modifiers = KeyModifiers::ALT;
    session.send(Event::Key(alt_y));
    session.press("n");
    session.wait_for("cancelled").await;
    assert_eq!(session.calls(), []);
}

#[tokio::test]
async fn whoever_insists_on_leaving_is_told_what_is_in_doubt_and_another_key_stays() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let mut session = Session::start(setup::start(&config(&server, &["job_a"])), WIDE);
    session.wait_for("job_a").await;
    start_a_job(&mut session).await;
    session.press("<^c>");
    session.wait_for("Ctrl-C again leaves").await;
    session.press("j");
    session.wait_until_gone("again leaves").await;
    session.press("q");
    session.wait_for("q again leaves").await;
    session.press("q");
    let (exit, words) = session.exit_and_last_words().await;
    assert_eq!(exit, Some(Exit::Done));
    let [word] = words.try_into().unwrap();
    assert!(
        word.starts_with("the job may exist all the same: "),
        "{word}"
    );
}

#[tokio::test]
async fn a_follow_up_that_stops_half_way_keeps_those_that_did_not_get_it() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let jobs = ["job_a", "job_b", "job_c"];
    let mut session = Session::start(setup::start(&config(&server, &jobs)), WIDE);
    session.wait_for("job_c").await;
    session.press("   f");
    session.wait_for("Follow-up to 3 jobs").await;
    session.press("more<^s>");
    session.wait_for("Send to 3 jobs? 3 of 100").await;
    session.answer("y").await;
    let Call::Perform(request) = session.wait_for_calls_of(1).await.remove(0) else {
        panic!("a request");
    };
    let refused = NotDone {
        message: String::from("not allowed (403)"),
        not_reached: Some(vec![JobKey::new("docs", "job_c")]),
        remaining: Some(vec![JobKey::new("docs", "job_c")]),
    };
    session.notice(Notice::Ended(request, Err(refused)));
    session.wait_for("not allowed (403)").await;
    session.press("f");
    session.wait_for("Follow-up to job_c").await;
    session.wait_for("more").await;
    session.press("<esc>1");
    session.press("<enter>");
    session.wait_for("What happened").await;
    session.wait_for("not allowed (403)").await;
}

/// At 40 columns, where there is no room for the whole message, and at fewer.
#[tokio::test]
async fn the_doubt_is_what_is_left_of_a_message_that_is_cut() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    for size in [(40, 12), (24, 8)] {
        let mut session = Session::start(setup::start(&config(&server, &["job_a"])), size);
        session.wait_for("job_a").await;
        let doubt = doubtful(JOB_MAY_EXIST, "no full reply from 127.0.0.1 within 30 s");
        let request = Request::Add {
            project: "p".into(),
            ids: Vec::new(),
        };
        session.notice(Notice::Ended(request, Err(NotDone::because(doubt))));
        session.wait_for("the job may exist").await;
        session.press("e");
        session.wait_for("job may").await;
    }
}

/// Only what goes to the API is said to be asked of it: ids are added to a file.
#[tokio::test]
async fn adding_ids_asks_no_server() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let mut session = Session::start(setup::start(&config(&server, &["job_a"])), WIDE);
    session.wait_for("job_a").await;
    session.press("a");
    session.wait_for("Ids or links of jobs in p").await;
    session.press("job_7<^s>");
    session.wait_until_gone("Ids or links").await;
    session.wait_for_calls_of(1).await;
    assert!(!session.text().contains("asking the server"));
}

#[tokio::test]
async fn keys_act_only_on_jobs_that_are_on_the_screen() {
    let server = FakeServer::start();
    let mut session = three_jobs(&server).await;
    session.wait_for("#412").await;
    session.press("?o");
    session.wait_for("next job").await;
    session.press("<esc>eo<esc>");
    // In the details it is their job, whatever is marked.
    session.press("g ");
    session.wait_for("1 marked").await;
    session.press("G<enter>Y");
    let last = session.wait_for_calls_of(1).await;
    session.press("<esc>");
    let Call::Copy(id) = &last[0] else {
        panic!("{last:?}")
    };
    session.wait_for_selected(id).await;
}
