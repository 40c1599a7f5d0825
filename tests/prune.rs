//! `prune` as a process: what it prints and where, what it asks, and what is left of the config.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::fs;

use jiff::Timestamp;
use predicates::prelude::*;
use predicates::str::{contains, is_empty};
use serde_json::json;
use support::command::{CANARY, Home, binary};
use support::fake_server::FakeServer;
use support::reply::{Reply, job_json};
use support::terminal::Terminal;

const PROJECTS: &str = "\
[[projects]]
id = \"p1\"
name = \"docs\" # the site
jobs = [
  \"archived\", # long ago
  \"working\", # at it
  { id = \"unchanged\", label = \"Nothing to do\" },
  \"recent\",
  # Waits for Ada.
  \"waiting\",
  \"failed\",
]
";

/// What is left when all that can go has gone.
const LEFT: &str = "\
[[projects]]
id = \"p1\"
name = \"docs\" # the site
jobs = [
  \"working\", # at it
  \"recent\",
  # Waits for Ada.
  \"waiting\",
  \"failed\",
]
";

/// A server with two jobs that are done for good, and a config that watches them among others.
struct Setting {
    server: FakeServer,
    home: Home,
}

impl Setting {
    fn new() -> Self {
        let (server, home) = (FakeServer::start(), Home::new());
        let link = "https://github.com/acme/docs/pull/412";
        for (id, reply) in [
            ("archived", old("archived", None)),
            ("working", old("active", None)),
            ("unchanged", old("completed", None)),
            (
                "recent",
                job("completed", None, &Timestamp::now().to_string()),
            ),
            ("waiting", old("completed", Some(link))),
            ("failed", old("failed", None)),
        ] {
            server.set("p1", id, reply);
        }
        let setting = Self { server, home };
        setting.home.write_config(&setting.config(PROJECTS));
        setting
    }

    fn config(&self, projects: &str) -> String {
        let base_url = self.server.base_url();
        format!("# Mine.\nbase_url = \"{base_url}\"\n\n{projects}")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.home.config_path()).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> assert_cmd::assert::Assert {
        let arguments = [&["prune"], arguments].concat();
        self.home.run(&arguments).assert()
    }

    fn terminal(&self) -> Terminal {
        let key = [("MINTLIFY_API_KEY", CANARY)];
        Terminal::start(&self.home, &[binary(), "prune"], &key, (100, 24))
    }
}

fn old(status: &str, link: Option<&str>) -> Reply {
    job(status, link, "2020-01-01T10:00:00Z")
}

fn job(status: &str, link: Option<&str>, created_at: &str) -> Reply {
    let mut job = job_json(status, link);
    job["createdAt"] = json!(created_at);
    Reply::json(200, &job)
}

#[test]
fn with_yes_it_removes_what_is_done_for_good_and_nothing_else() {
    let setting = Setting::new();
    setting
        .run(&["--yes"])
        .code(0)
        .stdout("p1/archived\np1/unchanged\n")
        .stderr(is_empty());
    assert_eq!(setting.text(), setting.config(LEFT));
    setting.run(&["--yes"]).code(0).stdout(is_empty()).stderr(
        "mintwatch: nothing to prune: none of 4 jobs is known to be done for good and that old\n",
    );
    setting
        .run(&["--yes", "--older", "0d"])
        .code(0)
        .stdout("p1/recent\n");
}

#[test]
fn without_a_terminal_it_only_shows_them() {
    let setting = Setting::new();
    let shown = setting
        .run(&[])
        .code(0)
        .stderr("mintwatch: done for good: 2 of 6 jobs; nothing was changed, --yes removes them\n");
    let listed = setting
        .home
        .run(&["list", "archived", "unchanged"])
        .output();
    assert_eq!(
        String::from_utf8_lossy(&shown.get_output().stdout),
        String::from_utf8_lossy(&listed.unwrap().stdout)
    );
    assert_eq!(setting.text(), setting.config(PROJECTS));
}

#[test]
fn on_a_terminal_it_asks() {
    let setting = Setting::new();
    for (answer, code, says, left) in [
        ("n\r", 1, "mintwatch: cancelled", PROJECTS),
        ("\r", 1, "mintwatch: cancelled", PROJECTS),
        ("y\r", 0, "p1/unchanged", LEFT),
    ] {
        let mut terminal = setting.terminal();
        terminal.wait_for("Nothing to do");
        terminal.wait_for("done for good: 2 of 6 jobs");
        terminal.wait_for("Stop watching 2 jobs? [y/N]");
        terminal.send(answer);
        terminal.wait_for(says);
        assert_eq!(terminal.exit_code(), code, "{answer:?}");
        assert_eq!(setting.text(), setting.config(left), "{answer:?}");
    }
}

#[test]
fn a_job_whose_poll_fails_stays() {
    let setting = Setting::new();
    setting.server.set("p1", "archived", Reply::unavailable());
    let reason = "mintwatch: kept, since the poll failed: archived";
    setting
        .run(&["--yes"])
        .code(0)
        .stdout("p1/unchanged\n")
        .stderr(contains(reason).and(contains("503")));
    assert!(setting.text().contains("\"archived\", # long ago"));
    setting.server.set("p1", "archived", Reply::unauthorized());
    setting
        .run(&["--yes"])
        .code(4)
        .stdout(is_empty())
        .stderr(contains(reason).and(contains("nothing to prune")));
}

#[test]
fn a_job_that_a_follow_up_has_woken_stays() {
    let setting = Setting::new();
    setting.home.run(&["list"]).assert().success();
    setting.server.set("p1", "archived", old("active", None));
    setting.run(&["--yes"]).code(0).stdout("p1/unchanged\n");
}

#[test]
fn what_is_wrong_is_said_before_a_poll() {
    let setting = Setting::new();
    for (arguments, says) in [
        (&["--older", "soon"][..], "such as 36h, 14d or 2w"),
        (&["--older=-1d"], "such as 36h, 14d or 2w"),
        (&["--demo"], "the demo has no config file to edit"),
        (&["archived"], "unexpected argument"),
    ] {
        setting.run(arguments).code(2).stderr(contains(says));
    }
    assert!(setting.server.requests().is_empty());
    assert_eq!(setting.text(), setting.config(PROJECTS));
}
