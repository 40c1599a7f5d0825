//! Leaving the dashboard while the reply to a new job is still to come, in a real pseudo-terminal.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::fs;

use rustix::process::Signal;
use support::PATIENT;
use support::command::{Home, binary};
use support::fake_server::FakeServer;
use support::reply::{Gate, Reply, job_json};
use support::terminal::Terminal;

const WAITING: &str = "waiting for the reply to your new job";

/// A dashboard that has asked for a new job, and the gate that the reply waits behind.
struct Asked {
    home: Home,
    server: FakeServer,
    terminal: Terminal,
    reply: Gate,
}

impl Asked {
    fn new() -> Self {
        let (home, server, reply) = (Home::new(), FakeServer::start(), Gate::default());
        server.set("docs", "job_a", Reply::job("active"));
        server.set_default(Reply::json(201, &job_json("active", None)).behind(&reply));
        home.write_config(&format!(
            "base_url = \"{}\"\n[poll]\nactive = \"200ms\"\n[[projects]]\nid = \"docs\"\n\
             jobs = [\"job_a\"]\n",
            server.base_url()
        ));
        let key = [("MINTLIFY_API_KEY", "mint_test_key")];
        let mut terminal = Terminal::start(&home, &[binary()], &key, (200, 60));
        terminal.wait_for("1 active");
        terminal.send("n");
        terminal.wait_for("New job in docs");
        terminal.send("Do it\u{13}");
        terminal.answer("0 of 100 writes this hour. y/n", "y");
        server.wait_for_requests_of("docs", "", 1, PATIENT);
        Self {
            home,
            server,
            terminal,
            reply,
        }
    }

    fn assert_listed(&self) {
        let config = fs::read_to_string(self.home.config_path()).unwrap();
        assert!(config.contains("job_of_the_reply"), "{config}");
    }

    fn told(&mut self) -> String {
        String::from_utf8(self.terminal.wire()).unwrap()
    }
}

#[test]
fn leaving_with_a_key_waits_for_the_reply() {
    let mut asked = Asked::new();
    asked.terminal.send("q");
    asked
        .terminal
        .wait_for(&format!("{WAITING}; q again leaves"));
    asked.reply.open();
    assert_eq!(asked.terminal.exit_code(), 0);
    asked.terminal.assert_restored();
    asked.assert_listed();
    assert!(asked.told().contains("mintwatch: started job_of_the_reply"));
}

#[test]
fn whoever_leaves_all_the_same_is_told_what_is_in_doubt() {
    let mut asked = Asked::new();
    asked.terminal.send("q");
    asked.terminal.wait_for("q again leaves");
    asked.terminal.send("q");
    assert_eq!(asked.terminal.exit_code(), 0);
    let told = asked.told();
    let doubt = "mintwatch: the job may exist all the same: ";
    assert!(told.contains(doubt), "{told}");
}

#[test]
fn a_signal_gives_the_terminal_back_and_waits_for_the_reply() {
    for (signal, number) in [(Signal::TERM, 15), (Signal::HUP, 1)] {
        let mut asked = Asked::new();
        asked.terminal.signal(signal);
        asked.terminal.wait_for(WAITING);
        asked.reply.open();
        assert_eq!(asked.terminal.exit_code(), 128 + number);
        asked.terminal.assert_restored();
        asked.assert_listed();
    }
}

/// The hang-up that comes with it is no second signal.
#[test]
fn a_closed_terminal_waits_for_the_reply() {
    let mut asked = Asked::new();
    asked.terminal.close();
    asked.reply.open();
    let code = asked.terminal.exit_code();
    assert!(code == 0 || code == 128 + 1, "{code}");
    asked.assert_listed();
}

#[test]
fn a_second_signal_does_not_wait() {
    let mut asked = Asked::new();
    asked.terminal.signal(Signal::TERM);
    asked.terminal.wait_for(WAITING);
    asked.terminal.signal(Signal::TERM);
    assert_eq!(asked.terminal.exit_code(), 128 + 15);
    let told = asked.told();
    assert!(told.contains("the job may exist all the same"), "{told}");
}

#[test]
fn a_reply_is_waited_for_although_the_terminal_is_stuck() {
    let mut asked = Asked::new();
    asked.terminal.stall();
    // Far more than the system keeps for a reader.
    for _ in 0..15 {
        asked.terminal.send("\u{c}");
        let polls = asked.server.requests_of("docs", "job_a").len() + 1;
        asked
            .server
            .wait_for_requests_of("docs", "job_a", polls, PATIENT);
    }
    asked.terminal.signal(Signal::TERM);
    asked.reply.open();
    assert_eq!(asked.terminal.exit_code(), 128 + 15);
    asked.assert_listed();
}
