//! What earlier runs have stored, as the verbs show it without a network, and never take for news.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::fs;
use std::path::PathBuf;

use assert_cmd::assert::Assert;
use predicates::prelude::*;
use predicates::str::{contains, is_empty};
use serde_json::{Value, json};
use support::command::Home;
use support::fake_server::FakeServer;
use support::reply::Reply;

const LINK: &str = "https://github.com/acme/docs/pull/412";

/// A config that lists two jobs of project `p1`, called docs; one of them has a label.
struct Setting {
    server: FakeServer,
    home: Home,
}

impl Setting {
    fn new() -> Self {
        Self::with_store("")
    }

    /// One where `job_1` has failed and `job_2` has a pull request, as an earlier run has seen.
    fn seen() -> Self {
        let setting = Self::new();
        setting.answer("job_1", Reply::job("failed"));
        setting.answer("job_2", Reply::pull_request(LINK));
        setting.run(&["list"]).code(0).stderr(is_empty());
        setting
    }

    fn with_store(store: &str) -> Self {
        let setting = Self {
            server: FakeServer::start(),
            home: Home::new(),
        };
        setting.write_config(
            store,
            r#"{ id = "job_1", label = "SDK quickstart", tags = ["release"] }, "job_2""#,
        );
        setting
    }

    fn write_config(&self, store: &str, jobs: &str) {
        self.home.write_config(&format!(
            "base_url = \"{}\"\n[poll]\nactive = \"100ms\"\nfinished = \"100ms\"\n[store]\n{store}\n\
             [[projects]]\nid = \"p1\"\nname = \"docs\"\njobs = [{jobs}]\n",
            self.server.base_url()
        ));
    }

    fn answer(&self, job: &str, script: impl Into<support::reply::Script>) {
        self.server.set("p1", job, script);
    }

    fn store(&self) -> PathBuf {
        self.home.path().join(".local/state/mintwatch/store.db")
    }

    fn run(&self, args: &[&str]) -> Assert {
        self.home.run(args).assert()
    }

    /// Without a key, in a folder of its own, as no verb here needs either.
    fn offline(&self, args: &[&str]) -> Assert {
        let mut command = self.home.run(args);
        command.env_remove("MINTLIFY_API_KEY").assert()
    }
}

fn parsed(assert: &Assert) -> Value {
    serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

// ---- list --offline ----

#[test]
fn list_offline_prints_what_was_stored_and_asks_nobody() {
    let mut setting = Setting::seen();
    let seen = parsed(&setting.run(&["list", "--json"]));
    setting.server.stop();
    let offline = |args: &[&str]| {
        let assert = setting.offline(&[&["list", "--offline"], args].concat());
        assert.code(0).stderr(is_empty())
    };
    let [stored, seen] = [parsed(&offline(&["--json"])), seen].map(|mut listed| {
        for job in listed["jobs"].as_array_mut().unwrap() {
            // To the second, of two moments.
            assert!(job["fetchedAt"].take().is_string(), "{job}");
        }
        listed
    });
    assert_eq!(stored, seen);
    offline(&[]).stdout(contains("SDK quickstart").and(contains("failed")));

    for (args, want) in [
        (&["--status", "failed"][..], &["job_1"][..]),
        (&["--needs-you"], &["job_1", "job_2"]),
        (&["docs/job_2"], &["job_2"]),
        (&["--project", "docs", "SDK quickstart"], &["job_1"]),
        (&["--status", "active"], &[]),
    ] {
        let listed = parsed(&offline(&[args, &["--json"]].concat()));
        let jobs = listed["jobs"].as_array().unwrap().iter();
        let ids: Vec<&str> = jobs.map(|job| job["id"].as_str().unwrap()).collect();
        assert_eq!(ids, want, "{args:?}");
    }
    setting
        .offline(&["list", "--offline", "nothing"])
        .code(2)
        .stderr(contains("no watched job is called"));
}

#[test]
fn list_offline_tells_the_last_errors_and_what_was_never_seen() {
    let setting = Setting::seen();
    let jobs = "\"job_1\", \"job_2\", \"job_404\", \"job_new\"";
    setting.write_config("", jobs);
    setting.answer("job_1", Reply::unavailable());
    let polled = ["list", "job_1", "job_404", "--json"];
    let polled = parsed(&setting.run(&polled).code(0));
    let stored = parsed(&setting.offline(&["list", "--offline", "--json"]).code(0));
    let of = |listing: &Value, at: usize, name: &str| listing["jobs"][at][name].clone();
    assert_eq!(of(&stored, 0, "status"), "failed");
    assert_eq!(of(&stored, 0, "error"), of(&polled, 0, "error"));
    assert_eq!(of(&stored, 1, "error"), Value::Null);
    assert_eq!(of(&stored, 2, "error")["kind"], "not_found");
    for name in ["status", "fetchedAt", "error"] {
        assert_eq!(of(&stored, 3, name), Value::Null, "{name}");
    }
    setting
        .offline(&["list", "--offline", "job_new"])
        .code(0)
        .stdout(contains("not seen"));
    // A poll that succeeds takes the error away, also of what no poll had seen before.
    setting.server.set_default(Reply::job("active"));
    setting.answer("job_1", Reply::job("active"));
    setting.answer("job_404", Reply::job("active"));
    setting.run(&["list"]).code(0);
    let stored = parsed(&setting.offline(&["list", "--offline", "--json"]).code(0));
    assert_eq!(stored["counts"]["errors"], 0, "{stored}");
}

#[test]
fn without_a_store_to_read_it_is_said_and_none_is_made() {
    let setting = Setting::new();
    let list = |setting: &Setting, said: &str| {
        let assert = setting.offline(&["list", "--offline", "--json"]);
        assert.code(1).stdout(is_empty()).stderr(contains(said));
    };
    list(&setting, "nothing is stored yet");
    assert!(!setting.store().parent().unwrap().exists());

    fs::create_dir_all(setting.store().parent().unwrap()).unwrap();
    for (bytes, said) in [
        (&include_bytes!("stores/v1.db")[..], "older mintwatch"),
        (&b"no database ".repeat(99), "not a database"),
    ] {
        fs::write(setting.store(), bytes).unwrap();
        list(&setting, said);
        assert_eq!(fs::read(setting.store()).unwrap(), bytes);
    }
    list(&Setting::with_store("enabled = false"), "enabled = false");
    for flag in ["--no-store", "--demo"] {
        setting
            .offline(&["list", "--offline", flag])
            .code(2)
            .stdout(is_empty())
            .stderr(contains(flag));
    }
}

// ---- what was stored is no news ----

#[test]
fn list_and_open_show_nothing_that_was_not_polled() {
    let mut setting = Setting::seen();
    setting.server.stop();
    let listed = parsed(&setting.run(&["list", "--json"]).code(0));
    for job in listed["jobs"].as_array().unwrap() {
        for name in ["status", "prLink", "branch", "fetchedAt", "finishedAt"] {
            assert_eq!(job[name], Value::Null, "{name} of {job}");
        }
        assert_eq!(job["needsYou"], false);
        assert_eq!(job["error"]["kind"], "network");
    }
    assert_eq!(listed["counts"]["errors"], 2);
    setting
        .run(&["open", "job_2", "--print"])
        .code(1)
        .stdout(is_empty());
}

#[test]
fn wait_ends_on_what_this_run_has_seen_alone() {
    let mut setting = Setting::seen();
    setting.answer("job_1", Reply::job("active"));
    setting.answer("job_2", Reply::job("active"));
    for is_down in [false, true] {
        if is_down {
            setting.server.stop();
        }
        for flags in [&[][..], &["--fail-fast"]] {
            let args = [&["wait", "--timeout", "400ms"], flags].concat();
            setting
                .run(&args)
                .code(8)
                .stderr(contains("not finished within 400ms"));
        }
    }
}

#[test]
fn watch_prints_no_event_for_the_first_sight() {
    let setting = Setting::seen();
    setting.answer("job_1", Reply::job("active").then(Reply::job("completed")));
    setting.answer("job_2", Reply::job("archived"));
    let mut command = setting.home.command();
    command.env("MINTLIFY_API_KEY", support::command::CANARY);
    command
        .args(["watch", "--json"])
        .stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    let told = ["id", "from", "to"].map(|name| event[name].clone());
    assert_eq!(told, [json!("job_1"), json!("active"), json!("completed")]);
}

// ---- history ----

/// The lines of `history --json` with `args`.
fn history(setting: &Setting, args: &[&str]) -> Vec<Value> {
    let assert = setting.offline(&[&["history", "--json"], args].concat());
    let assert = assert.code(0).stderr(is_empty());
    let lines = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    let lines = lines.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// `id` and how it changed.
fn changes(lines: &[Value]) -> Vec<[String; 3]> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told = |line: &Value| [&line["id"], &line["to"], &line["prLink"]].map(text);
    lines.iter().map(told).collect()
}

fn change(id: &str, to: &str, link: &str) -> [String; 3] {
    [id, to, link].map(String::from)
}

#[test]
fn history_prints_what_earlier_runs_saw_change_and_asks_nobody() {
    let mut setting = Setting::new();
    let active = |created: &str| {
        let mut job = support::reply::job_json("active", None);
        job["createdAt"] = created.into();
        Reply::json(200, &job)
    };
    setting.answer(
        "job_1",
        active("2020-01-01T00:00:00Z").then(Reply::job("failed")),
    );
    setting.answer("job_2", Reply::job("active"));
    setting.run(&["wait", "job_1"]).code(1);
    setting.run(&["list", "job_2"]).code(0);
    setting.answer("job_2", Reply::pull_request(LINK));
    // Another run, so that nobody knows when it changed.
    setting.run(&["list", "job_2"]).code(0);
    setting.server.stop();

    let lines = history(&setting, &[]);
    let want = [
        change("job_1", "failed", ""),
        change("job_2", "completed", LINK),
        change("job_2", "", LINK),
    ];
    assert_eq!(changes(&lines), want);
    let [failed, completed, _] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert_eq!(failed["label"], "SDK quickstart");
    assert_eq!(failed["project"], json!({ "id": "p1", "name": "docs" }));
    assert!(failed["ran"].as_u64().unwrap() > 100_000_000, "{failed}");
    assert_eq!(failed["since"], Value::Null);
    // Seconds after the last look nothing is late.
    assert_eq!(completed["since"], Value::Null);
    let people = setting.offline(&["history"]).code(0).stdout(
        contains("  docs  SDK quickstart  active to failed  (<1m ago; ran ").and(contains(
            "  docs  job_2  active to completed  (<1m ago; ran ",
        )),
    );
    let people = String::from_utf8(people.get_output().stdout.clone()).unwrap();
    assert_eq!(people.lines().count(), 3, "{people}");

    for args in [
        &["SDK quickstart"][..],
        &["job_1"],
        &["docs/job_1", "--since", "1d 12h"],
    ] {
        assert_eq!(changes(&history(&setting, args)), want[..1], "{args:?}");
    }
    assert_eq!(history(&setting, &["--since", "0s"]), [Value::Null; 0]);

    // What has left the config keeps its history.
    setting.write_config("", "\"job_1\"");
    for args in [&["job_2"][..], &["p1/job_2"], &["docs/job_2"]] {
        assert_eq!(changes(&history(&setting, args)), want[1..], "{args:?}");
    }
    assert_eq!(changes(&history(&setting, &[])), want);
}

#[test]
fn history_of_nothing_is_an_error_in_words() {
    let setting = Setting::seen();
    assert_eq!(history(&setting, &[]), [Value::Null; 0]);
    for (args, code, said) in [
        (&["job_3"][..], 2, "did you mean \"job_1\"?"),
        (&["--since", "soon"], 2, "such as 90m, 36h or 7d"),
        (&["--no-store"], 2, "--no-store"),
        (&["--demo"], 2, "--demo"),
    ] {
        let args = [&["history"], args].concat();
        let assert = setting.offline(&args).code(code);
        assert.stdout(is_empty()).stderr(contains(said));
    }
    let setting = Setting::new();
    setting
        .offline(&["history"])
        .code(1)
        .stderr(contains("nothing is stored yet"));
}

// ---- ack ----

#[test]
fn what_is_acknowledged_needs_nobody_until_it_changes() {
    let setting = Setting::seen();
    let ack = |args: &[&str], printed: &str| {
        let assert = setting.offline(&[&["ack"], args].concat());
        assert.code(0).stdout(printed.to_owned()).stderr(is_empty());
    };
    let needing = || parsed(&setting.offline(&["list", "--offline", "--json"]))["counts"].clone();
    ack(
        &["SDK quickstart", "docs/job_2", "job_1"],
        "p1/job_1\np1/job_2\n",
    );
    assert_eq!(needing()["needsYou"], 0);
    assert_eq!(needing()["acknowledged"], 2);
    // Once more, nothing changes.
    ack(&["job_1", "job_2"], "");
    ack(&["--undo", "job_1"], "p1/job_1\n");
    ack(&["--undo", "job_1"], "");
    assert_eq!(needing()["needsYou"], 1);
    ack(&["job_1"], "p1/job_1\n");
    setting.answer("job_1", Reply::job("active"));
    setting.run(&["list"]).code(0);
    setting.answer("job_1", Reply::job("failed"));
    let listed = parsed(&setting.run(&["list", "--json"]).code(0));
    assert_eq!(listed["jobs"][0]["needsYou"], true);
    assert_eq!(listed["jobs"][1]["acknowledged"], true);
}

#[test]
fn jobs_are_acknowledged_all_or_none() {
    let setting = Setting::seen();
    setting.write_config("", r#""job_1", "job_2", "job_3", "job_4""#);
    setting.answer("job_3", Reply::job("active"));
    setting.answer("job_2", Reply::job("completed"));
    setting.run(&["list", "job_2", "job_3"]).code(0);
    let before = fs::read(setting.store()).unwrap();
    for (args, code, said) in [
        (
            &["job_1", "job_3"][..],
            1,
            "job_3 does not need you: it is active\n",
        ),
        (
            &["job_2"],
            1,
            "does not need you: it is completed without a pull request\n",
        ),
        (
            &["job_1", "job_4"],
            1,
            "job_4 was never seen: run `mintwatch list` first\n",
        ),
        (&["--undo", "job_4"], 1, "job_4 was never seen"),
        (&["job_5"], 2, "no watched job is called"),
        (&[], 2, "required"),
        (&["job_1", "--no-store"], 2, "--no-store"),
        (&["job_1", "--demo"], 2, "--demo"),
    ] {
        let args = [&["ack"], args].concat();
        let assert = setting.offline(&args).code(code);
        assert.stdout(is_empty()).stderr(contains(said));
    }
    assert_eq!(fs::read(setting.store()).unwrap(), before);
    Setting::new()
        .offline(&["ack", "job_1"])
        .code(1)
        .stderr(contains(
            "nothing is stored yet; the dashboard and `mintwatch list` do that",
        ));
}

#[test]
fn a_store_that_is_locked_is_said() {
    let setting = Setting::seen();
    let other = rusqlite::Connection::open(setting.store()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    setting
        .offline(&["ack", "job_1"])
        .code(1)
        .stdout(is_empty())
        .stderr(contains("store.db: another process keeps it locked"));
}

// ---- statusline ----

/// What `statusline` prints with `args`; it never fails.
fn statusline(setting: &Setting, args: &[&str]) -> String {
    let assert = setting.offline(&[&["statusline"], args].concat());
    let assert = assert.code(0).stderr(is_empty());
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

#[test]
fn statusline_prints_what_needs_you_and_what_is_active() {
    let setting = Setting::seen();
    assert_eq!(statusline(&setting, &[]), "!2 · <1m\n");
    setting.answer("job_2", Reply::job("active"));
    // The jobs stay those of the config, whichever of them a run polls.
    setting.run(&["list", "job_2"]).code(0);
    assert_eq!(statusline(&setting, &[]), "!1 ●1 · <1m\n");
    let mut ascii = setting.home.run(&["statusline"]);
    ascii
        .env("LANG", "C")
        .assert()
        .code(0)
        .stdout("!1 o1 | <1m\n");
    setting.offline(&["ack", "job_1"]).code(0);
    assert_eq!(statusline(&setting, &[]), "●1 · <1m\n");
    setting.answer("job_2", Reply::job("completed"));
    setting.run(&["list", "job_2"]).code(0);
    assert_eq!(statusline(&setting, &[]), "");
    assert_eq!(statusline(&setting, &["--format", "{needs_you}"]), "0\n");
}

#[test]
fn statusline_counts_as_list_does() {
    let setting = Setting::new();
    let jobs = r#""job_1", "job_2", "job_3", "job_4", "job_404""#;
    setting.write_config("", jobs);
    for (job, reply) in [
        ("job_1", Reply::job("failed")),
        ("job_2", Reply::pull_request(LINK)),
        ("job_3", Reply::job("archived")),
        ("job_4", Reply::job("active")),
    ] {
        setting.answer(job, reply);
    }
    setting.run(&["list"]).code(0);
    setting.answer("job_4", Reply::unavailable());
    setting.run(&["list"]).code(0);
    let counts = &parsed(&setting.offline(&["list", "--offline", "--json"]))["counts"];
    assert_eq!(counts["errors"], 2);
    let format = "{needs_you} {active} {completed} {failed} {archived} {errors} {age} {{x}} {y}";
    let names = [
        "needsYou",
        "active",
        "completed",
        "failed",
        "archived",
        "errors",
    ];
    let values = names.map(|name| counts[name].to_string()).join(" ");
    let want = format!("{values} <1m {{x}} {{y}}\n");
    assert_eq!(statusline(&setting, &["--format", format]), want);
}

#[test]
fn statusline_says_nothing_where_anything_is_wrong() {
    let silent = |setting: &Setting| {
        for args in [&[][..], &["--format", "{active}"]] {
            assert_eq!(statusline(setting, args), "");
        }
    };
    silent(&Setting::new());
    silent(&Setting::with_store("enabled = false"));
    let setting = Setting::seen();
    assert_eq!(statusline(&setting, &["--no-store"]), "");
    assert_eq!(statusline(&setting, &["--config", "/nowhere.toml"]), "");
    setting.offline(&["statusline", "--demo"]).code(2);

    let text = fs::read_to_string(setting.home.config_path()).unwrap();
    setting.home.write_config(&format!("{text}jobs = 5\n"));
    // The projects are not read.
    assert_eq!(statusline(&setting, &[]), "!2 · <1m\n");
    setting.home.write_config(&format!("nonsense\n{text}"));
    silent(&setting);
    setting.home.write_config(&text);

    let other = rusqlite::Connection::open(setting.store()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    silent(&setting);
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(statusline(&setting, &[]), "!2 · <1m\n");
    other.pragma_update(None, "user_version", 99).unwrap();
    silent(&setting);
    drop(other);
    fs::write(setting.store(), "no database ".repeat(99)).unwrap();
    silent(&setting);
}
