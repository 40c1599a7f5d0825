//! The binary as scripts use it: what it prints where, and its exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};

use predicates::prelude::*;
use predicates::str::{contains, starts_with};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use support::command::{CANARY, Home};
use support::fake_server::FakeServer;
use support::reply::Reply;

/// A home whose config watches, on `server`, three jobs of project `docs` and one of `p2`.
fn home(server: &FakeServer) -> Home {
    let home = Home::new();
    home.write_config(&format!(
        r#"
base_url = "{}"
[poll]
timeout = "1s"
[[projects]]
id = "64f0c1e2"
name = "docs"
jobs = [
  "job_01",
  {{ id = "job_02", label = "SDK quickstart", tags = ["release", "sdk"] }},
  {{ id = "job_03", label = "日本語" }},
]
[[projects]]
id = "p2"
jobs = ["job_01"]
"#,
        server.base_url()
    ));
    home
}

fn pull(number: u32) -> String {
    format!("https://github.com/acme/docs/pull/{number}")
}

/// A server that answers for all jobs of [`home`].
fn server() -> FakeServer {
    let server = FakeServer::start();
    server.set("64f0c1e2", "job_01", Reply::job("active"));
    server.set("64f0c1e2", "job_02", Reply::pull_request(&pull(412)));
    server.set("64f0c1e2", "job_03", Reply::job("failed"));
    server.set("p2", "job_01", Reply::job("archived"));
    server
}

fn output(home: &Home, arguments: &[&str]) -> Output {
    home.run(arguments).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// The output of `list --json` with `arguments`, which must succeed.
fn listed(home: &Home, arguments: &[&str]) -> Value {
    let output = output(home, &[&["list", "--json"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `project/id` of each job that was listed.
fn ids(listed: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let jobs = listed["jobs"].as_array().unwrap().iter();
    jobs.map(|job| format!("{}/{}", text(&job["project"]["id"]), text(&job["id"])))
        .collect()
}

#[test]
fn list_prints_a_table() {
    let server = server();
    let output = output(&home(&server), &["list"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "");
    let lines: Vec<&str> = stdout(&output).lines().collect();
    let words = |line: &str| {
        line.split_whitespace()
            .map(String::from)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        words(lines[0]),
        [
            "STATUS", "JOB", "PROJECT", "BRANCH", "PR", "MODEL", "AGE", "SEEN"
        ]
    );
    assert_eq!(lines.len(), 5);
    for (line, want) in lines[1..].iter().zip([
        vec![
            "●",
            "active",
            "job_01",
            "docs",
            "mintlify/job_01",
            "–",
            "sonnet",
        ],
        vec![
            "✓",
            "completed",
            "SDK",
            "quickstart",
            "docs",
            "mintlify/job_02",
            "#412",
            "sonnet",
        ],
        vec![
            "✗",
            "failed",
            "日本語",
            "docs",
            "mintlify/job_03",
            "–",
            "sonnet",
        ],
        vec![
            "▪",
            "archived",
            "job_01",
            "p2",
            "mintlify/job_01",
            "–",
            "sonnet",
        ],
    ]) {
        assert_eq!(words(line)[..want.len()], want, "{line}");
    }
    // Aligned by what a terminal shows, not by bytes.
    let column = |line: &str, text: &str| {
        mintwatch::text::width(&line[..line.find(text).unwrap_or_else(|| panic!("{line}"))])
    };
    for line in &lines[1..4] {
        assert_eq!(
            column(line, "mintlify/"),
            column(lines[0], "BRANCH"),
            "{line}"
        );
    }
}

#[test]
fn list_json_is_byte_for_byte_the_documented_one() {
    let server = server();
    server.set("64f0c1e2", "job_03", Reply::not_found());
    let output = output(&home(&server), &["list", "--json", "--project", "docs"]);
    assert_eq!(output.status.code(), Some(0));
    let printed = stdout(&output).to_owned();
    let parsed: Value = serde_json::from_str(&printed).unwrap();
    let seen = |at: usize| parsed["jobs"][at]["fetchedAt"].as_str().unwrap().to_owned();
    let want = concat!(
        r#"{"jobs":["#,
        r#"{"project":{"id":"64f0c1e2","name":"docs"},"id":"job_01","label":null,"tags":[],"#,
        r#""status":"active","repository":"https://github.com/acme/docs","branch":"mintlify/job_01","#,
        r#""model":"sonnet","prLink":null,"createdAt":"2026-11-20T10:00:00Z","archivedAt":null,"finishedAt":null,"#,
        r#""needsYou":false,"acknowledged":false,"fetchedAt":"SEEN0","error":null},"#,
        r#"{"project":{"id":"64f0c1e2","name":"docs"},"id":"job_02","label":"SDK quickstart","#,
        r#""tags":["release","sdk"],"#,
        r#""status":"completed","repository":"https://github.com/acme/docs","branch":"mintlify/job_02","#,
        r#""model":"sonnet","prLink":"https://github.com/acme/docs/pull/412","#,
        r#""createdAt":"2026-11-20T10:00:00Z","archivedAt":null,"finishedAt":null,"#,
        r#""needsYou":true,"acknowledged":false,"fetchedAt":"SEEN1","error":null},"#,
        r#"{"project":{"id":"64f0c1e2","name":"docs"},"id":"job_03","label":"日本語","tags":[],"#,
        r#""status":null,"repository":null,"branch":null,"model":null,"prLink":null,"#,
        r#""createdAt":null,"archivedAt":null,"finishedAt":null,"needsYou":false,"acknowledged":false,"fetchedAt":null,"#,
        r#""error":{"kind":"not_found","message":"no such job in this project (404): "#,
        r#"check both ids and base_url in the config (the server says: Job not found)"}}],"#,
        r#""counts":{"total":3,"active":1,"completed":1,"failed":0,"archived":0,"other":0,"#,
        r#""unknown":1,"needsYou":1,"acknowledged":0,"errors":1}}"#,
        "\n"
    );
    assert_eq!(
        printed,
        want.replace("SEEN0", &seen(0)).replace("SEEN1", &seen(1))
    );
    let is_time = predicate::str::is_match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$").unwrap();
    assert!(is_time.eval(&seen(0)), "{}", seen(0));
}

#[test]
fn each_kind_of_error_is_in_its_row_and_decides_the_exit_code() {
    for (reply, kind, code) in [
        (Reply::unauthorized(), "auth", 4),
        (Reply::forbidden(), "forbidden", 4),
        (Reply::not_found(), "not_found", 0),
        (Reply::too_many(Some("60")), "rate_limited", 0),
        (Reply::unavailable(), "server", 0),
        (Reply::Reset, "network", 0),
        (Reply::HangBeforeHeaders, "timeout", 0),
        (Reply::html(), "protocol", 0),
    ] {
        let server = server();
        server.set("p2", "job_01", reply);
        let home = home(&server);
        let arguments = ["list", "--project", "p2", "--color", "always"];
        let table = output(&home, &arguments);
        let json = output(&home, &[&arguments[..], &["--json"]].concat());
        for output in [&table, &json] {
            assert_eq!(output.status.code(), Some(code), "{kind}");
            assert!(!stdout(output).contains(CANARY) && !stderr(output).contains(CANARY));
        }
        assert_eq!(stdout(&table).lines().count(), 2);
        let listed: Value = serde_json::from_slice(&json.stdout).unwrap();
        let error = &listed["jobs"][0]["error"];
        assert_eq!(error["kind"], kind);
        assert!(error["message"].as_str().unwrap().len() > 20, "{error}");
        assert_eq!(listed["jobs"][0]["status"], Value::Null);
        assert_eq!(listed["counts"]["errors"], 1);
    }
}

#[test]
fn a_server_that_is_not_there_is_an_error_in_each_row() {
    let mut server = server();
    let home = home(&server);
    server.stop();
    let listed = listed(&home, &[]);
    assert_eq!(listed["counts"]["errors"], 4);
    assert_eq!(listed["jobs"][3]["error"]["kind"], "network");
}

#[test]
fn filters_choose_rows() {
    let server = server();
    let home = home(&server);
    for (arguments, want) in [
        (
            vec![],
            vec![
                "64f0c1e2/job_01",
                "64f0c1e2/job_02",
                "64f0c1e2/job_03",
                "p2/job_01",
            ],
        ),
        (
            vec!["--needs-you"],
            vec!["64f0c1e2/job_02", "64f0c1e2/job_03"],
        ),
        (vec!["--status", "failed"], vec!["64f0c1e2/job_03"]),
        (vec!["--status", "nonsense"], vec![]),
        (vec!["--status", "unknown"], vec![]),
        (
            vec!["--project", "docs", "--status", "active"],
            vec!["64f0c1e2/job_01"],
        ),
        (vec!["--project", "p2"], vec!["p2/job_01"]),
        (vec!["SDK quickstart"], vec!["64f0c1e2/job_02"]),
        (
            vec!["p2/job_01", "job_03"],
            vec!["p2/job_01", "64f0c1e2/job_03"],
        ),
        (vec!["docs/job_01"], vec!["64f0c1e2/job_01"]),
        (vec!["job_01", "--project", "p2"], vec!["p2/job_01"]),
    ] {
        let listed = listed(&home, &arguments);
        assert_eq!(ids(&listed), want, "{arguments:?}");
        assert_eq!(listed["counts"]["total"], want.len());
    }
}

#[test]
fn a_status_that_is_not_known_is_called_unknown() {
    let server = server();
    server.set("64f0c1e2", "job_01", Reply::job("paused"));
    server.set(
        "64f0c1e2",
        "job_02",
        Reply::text(200, "application/json", "{}"),
    );
    server.set("64f0c1e2", "job_03", Reply::not_found());
    let home = home(&server);
    let table = output(&home, &["list", "--status", "UNKNOWN"]);
    let lines: Vec<&str> = stdout(&table).lines().skip(1).collect();
    let statuses = ["? paused ", "? unknown ", "? not seen "];
    assert_eq!(lines.len(), statuses.len(), "{lines:?}");
    for (line, status) in lines.iter().zip(statuses) {
        assert!(line.starts_with(status), "{line}");
    }
    let json = listed(&home, &["--status", "unknown"]);
    let of = |key: &str| json["counts"][key].as_u64().unwrap();
    assert_eq!((of("total"), of("other"), of("unknown")), (3, 1, 2));
    assert_eq!(json["jobs"][0]["status"], "paused");
    for status in ["paused", "unknown", "not seen"] {
        assert_eq!(stderr(&output(&home, &["list", "--status", status])), "");
    }
    let slip = output(&home, &["list", "--status", "pasued"]);
    assert!(stderr(&slip).starts_with("mintwatch: no job has the status \"pasued\""));
}

#[test]
fn only_the_jobs_that_are_asked_for_are_polled_each_once() {
    let server = server();
    let home = home(&server);
    listed(&home, &["job_02"]);
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].path, "/v2/agent/64f0c1e2/job/job_02");
    listed(&home, &[]);
    assert_eq!(server.requests().len(), 1 + 4);
}

#[test]
fn unknown_jobs_and_projects_are_errors_and_nothing_is_polled() {
    let server = server();
    let home = home(&server);
    for (arguments, words) in [
        (vec!["job_9"], "no watched job is called \"job_9\""),
        (
            vec!["job_01"],
            "\"job_01\" could be any of 64f0c1e2/job_01, p2/job_01",
        ),
        (
            vec!["--project", "web"],
            "no project with jobs is called \"web\"; the config has docs, p2",
        ),
        (
            vec!["job_02\u{1b}[31m"],
            "no watched job is called \"job_02[31m\"",
        ),
    ] {
        let output = output(&home, &[&["list"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(stdout(&output), "");
        assert!(stderr(&output).starts_with("mintwatch: ") && stderr(&output).contains(words));
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn colour_is_for_terminals_or_on_request() {
    let server = server();
    let home = home(&server);
    for (arguments, variable, want) in [
        (vec!["list"], "", false),
        (vec!["list", "--color", "always"], "", true),
        (vec!["--color", "always", "list"], "1", true),
        (vec!["list", "--color", "never"], "", false),
        (vec!["list", "--color", "auto"], "1", false),
    ] {
        let output = home
            .run(&arguments)
            .env("NO_COLOR", variable)
            .output()
            .unwrap();
        let colourful = stdout(&output).contains("\u{1b}[");
        assert_eq!(colourful, want, "{arguments:?}");
        // Of a status only the mark: coloured text cannot be read on every background.
        let marked = stdout(&output).contains("\u{1b}[94m●\u{1b}[0m active");
        assert_eq!(marked, want, "{}", stdout(&output));
    }
}

#[test]
fn without_utf_8_the_table_is_ascii() {
    let server = server();
    let home = home(&server);
    home.run(&["list"])
        .env("LANG", "C")
        .assert()
        .success()
        .stdout(predicate::function(str::is_ascii).and(contains("+ completed  SDK quickstart")));
}

#[test]
fn a_missing_config_is_one_line_with_what_to_do() {
    let home = Home::new();
    let output = output(&home, &["list"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stdout(&output), "");
    let said = stderr(&output);
    assert_eq!(said.lines().count(), 1, "{said}");
    let path = home.config_path();
    for words in [path.to_str().unwrap(), "mintwatch init", "mintwatch --demo"] {
        assert!(said.contains(words), "{said}");
    }
    home.run(&["list", "--config", "/nowhere/x.toml"])
        .assert()
        .code(2)
        .stderr(contains("/nowhere/x.toml"));
    home.run(&["list"])
        .env("MINTWATCH_CONFIG", "/nowhere/y.toml")
        .assert()
        .code(2)
        .stderr(contains("/nowhere/y.toml"));
}

#[test]
fn a_broken_config_is_shown_with_its_line_and_a_caret() {
    let server = server();
    let home = home(&server);
    let good = fs::read_to_string(home.config_path()).unwrap();
    for (from, to, line, words) in [
        ("[poll]", "[pol]", 3, "pol"),
        (
            "timeout = \"1s\"",
            "timeout = \"soon\"",
            4,
            "not a duration",
        ),
        ("  \"job_01\",", "  \"job_02\",", 10, "job_02"),
        ("id = \"p2\"", "id = \"\"", 14, "empty"),
        ("id = \"p2\"", "id = 5", 14, "expected text"),
        ("jobs = [\"job_01\"]", "jobs = [", 15, ""),
    ] {
        home.write_config(&good.replace(from, to));
        let output = output(&home, &["list"]);
        assert_eq!(output.status.code(), Some(2), "{to}: {}", stderr(&output));
        assert_eq!(stdout(&output), "");
        let said = stderr(&output);
        let place = format!("mintwatch: {}:{line}:", home.config_path().display());
        assert!(said.starts_with(&place), "{to}: {said}");
        assert!(said.contains(words) && said.contains('^'), "{to}: {said}");
        assert!(said.contains(&format!("{line} | ")), "{to}: {said}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn without_any_key_nothing_is_polled_and_the_error_says_how_to_fix_it() {
    let server = server();
    let home = home(&server);
    home.run(&["list"])
        .env_remove("MINTLIFY_API_KEY")
        .assert()
        .code(4)
        .stdout("")
        .stderr(
            starts_with("mintwatch: no API key: ")
                .and(contains("export MINTLIFY_API_KEY=mint_...")),
        );
    home.run(&["list"])
        .env("MINTLIFY_API_KEY", "mint_dsc_0123456789")
        .assert()
        .code(4)
        .stderr(contains("an assistant key (mint_dsc_)").and(contains("0123456789").not()));
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_missing_key_fails_its_project_only_and_decides_the_exit_code() {
    let server = server();
    let home = home(&server);
    let config = fs::read_to_string(home.config_path()).unwrap();
    let own_key = "id = \"p2\"\nkey = { env = \"KEY_OF_P2\" }";
    home.write_config(&config.replace("id = \"p2\"", own_key));
    let output = output(&home, &["list", "--json"]);
    assert_eq!(output.status.code(), Some(4));
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(listed["counts"]["errors"], 1);
    let error = &listed["jobs"][3]["error"];
    assert_eq!(error["kind"], "auth");
    assert!(
        error["message"].as_str().unwrap().contains("$KEY_OF_P2"),
        "{error}"
    );
    assert_eq!(server.requests().len(), 3);
    let said = stderr(&output);
    assert!(said.starts_with("mintwatch: job_01: "), "{said}");
    assert!(said.contains("$KEY_OF_P2: not set"), "{said}");
}

#[test]
fn list_says_once_why_it_exits_with_4() {
    let server = FakeServer::start();
    server.set_default(Reply::unauthorized());
    let home = home(&server);
    // Also where the table shows none of those jobs.
    for arguments in [&["list"][..], &["list", "--json"], &["list", "--needs-you"]] {
        let output = output(&home, arguments);
        assert_eq!(output.status.code(), Some(4));
        let said = stderr(&output);
        assert_eq!(said.lines().count(), 1, "{said}");
        let names = "mintwatch: job_01, SDK quickstart, 日本語, job_01: the key was refused (401)";
        assert!(said.starts_with(names), "{said}");
    }
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let server = server();
    let home = home(&server);
    let config = fs::read_to_string(home.config_path()).unwrap();
    home.write_config(&format!("key = {{ file = \"key\" }}\n{config}"));
    let key = home.config_path().with_file_name("key");
    fs::write(&key, CANARY).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    home.run(&["list"]).assert().code(4).stderr(
        contains("mode 0640")
            .and(contains("chmod 600"))
            .and(contains(CANARY).not()),
    );
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    home.run(&["list"])
        .env_remove("MINTLIFY_API_KEY")
        .assert()
        .success();
    let bearer = format!("Bearer {CANARY}");
    assert_eq!(server.requests()[0].header("authorization"), Some(&*bearer));
}

#[test]
fn the_dashboard_without_a_terminal_is_an_error_in_plain_text() {
    let server = server();
    for (home, arguments) in [(home(&server), vec![]), (Home::new(), vec!["--demo"])] {
        let output = output(&home, &arguments);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(stdout(&output), "");
        assert!(stderr(&output).contains("needs a terminal"));
        assert!(stderr(&output).contains("mintwatch list"));
        assert!(!output.stderr.contains(&0x1b));
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn init_writes_the_example_and_never_overwrites() {
    let home = Home::new();
    let path = home.config_path();
    home.run(&["init"])
        .assert()
        .success()
        .stdout(format!("{}\n", path.display()))
        .stderr(
            contains("[[projects]]")
                .and(contains(
                    "https://app.mintlify.com/settings/organization/api-keys",
                ))
                .and(contains("mintwatch new PROJECT"))
                .and(contains("after /job/ in a link")),
        );
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(written, fs::read_to_string("config.example.toml").unwrap());
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&*path), mode(path.parent().unwrap())), (0o600, 0o700));

    fs::write(&path, "# mine\n").unwrap();
    home.run(&["init"])
        .assert()
        .code(2)
        .stdout("")
        .stderr(contains("already exists: nothing was written"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "# mine\n");
}

#[test]
fn a_fresh_config_lists_nothing() {
    let home = Home::new();
    home.run(&["init"]).assert().success();
    let listed = listed(&home, &[]);
    assert_eq!(listed["jobs"], json!([]));
    assert_eq!(listed["counts"]["total"], 0);
}

#[test]
fn help_and_version_are_printed_on_stdout() {
    let home = Home::new();
    let help = contains("list")
        .and(contains("init"))
        .and(contains("demo-server"));
    home.run(&["--help"])
        .assert()
        .success()
        .stdout(help.and(contains("Exit codes: 0 done;")));
    home.run(&["--version"]).assert().success().stdout(concat!(
        "mintwatch ",
        env!("CARGO_PKG_VERSION"),
        "\n"
    ));
    for verb in ["list", "init", "demo-server"] {
        home.run(&[verb, "--help"])
            .assert()
            .success()
            .stdout(contains("Usage:"));
    }
    home.run(&["--nonsense"]).assert().code(2).stdout("");
    home.run(&["nonsense"]).assert().code(2).stdout("");
}

#[test]
fn the_demo_is_listed_without_config_or_key() {
    let home = Home::new();
    let output = home
        .run(&["list", "--demo", "--json"])
        .env_remove("MINTLIFY_API_KEY")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(listed["counts"]["total"], 24);
    assert!(listed["counts"]["needsYou"].as_u64().unwrap() > 0);
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let server = server();
    let home = home(&server);
    for arguments in [vec!["list"], vec!["list", "--json"], vec!["init"]] {
        let _ = fs::remove_file(home.path().join("new.toml"));
        let mut command = home.command();
        command.env("MINTLIFY_API_KEY", CANARY).args(&arguments);
        if arguments == ["init"] {
            command
                .args(["--config", "new.toml"])
                .current_dir(home.path());
        }
        // Closed before there is a reader that could still take something.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command.stdout(writer).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert_eq!(stderr(&output), "", "{arguments:?}");
    }
}

#[test]
fn a_log_is_private_and_holds_no_key() {
    let server = server();
    server.set(
        "p2",
        "job_01",
        Reply::error(500, &format!("what is {CANARY}?")),
    );
    let home = home(&server);
    let log = home.path().join("log");
    home.run(&["list", "--log", log.to_str().unwrap()])
        .assert()
        .success();
    let text = fs::read_to_string(&log).unwrap();
    assert!(text.contains("poll failed"), "{text}");
    assert!(!text.contains(CANARY), "{text}");
    assert_eq!(
        fs::metadata(&log).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn an_id_of_500_characters_is_polled_and_printed_whole() {
    let server = FakeServer::start();
    let id = "x".repeat(500);
    server.set("p", &id, Reply::job("active"));
    let home = Home::new();
    home.write_config(&format!(
        "base_url = \"{}\"\n[[projects]]\nid = \"p\"\njobs = [\"{id}\"]\n",
        server.base_url()
    ));
    home.run(&["list"]).assert().success().stdout(contains(&id));
    assert_eq!(listed(&home, &[&id])["jobs"][0]["id"], id);
}

#[test]
fn the_demo_server_writes_a_config_that_can_be_listed_from() {
    let home = Home::new();
    let path = home.path().join("demo.toml");
    let mut server = home
        .command()
        .args([
            "demo-server",
            "--speed",
            "0",
            "--latency",
            "0",
            "--jobs",
            "30",
            "--write-config",
        ])
        .arg(&path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.as_mut().unwrap()).lines();
    let told: Vec<String> = lines.take(4).map(Result::unwrap).collect();
    assert!(
        told[0].starts_with("base_url http://127.0.0.1:"),
        "{told:?}"
    );
    assert!(told[1].starts_with("key mint_"), "{told:?}");
    assert_eq!(told[2], format!("config {}", path.display()));

    let config = ["--config", path.to_str().unwrap()];
    let listed = listed(&home, &config);
    assert_eq!(listed["counts"]["total"], 30);
    assert_eq!(listed["counts"]["errors"], 0);
    let projects: std::collections::HashSet<String> = ids(&listed)
        .iter()
        .map(|id| id.split('/').next().unwrap().into())
        .collect();
    assert_eq!(projects.len(), 3);

    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

/// A pipe would keep whoever opens it waiting for ever.
#[test]
fn a_pipe_in_place_of_the_config_or_of_its_lock_is_refused_in_words() {
    let mkfifo = |path: &std::path::Path| {
        let made = std::process::Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    };
    let home = home(&server());
    let path = home.config_path();
    mkfifo(&path.with_file_name(".config.toml.lock"));
    let add = output(&home, &["add", "p2", "job_new"]);
    assert_eq!(add.status.code(), Some(2));
    assert!(
        stderr(&add).contains("it is not a regular file"),
        "{}",
        stderr(&add)
    );

    std::fs::remove_file(&path).unwrap();
    mkfifo(&path);
    let list = output(&home, &["list"]);
    assert_eq!(list.status.code(), Some(2));
    assert!(
        stderr(&list).contains("it is not a regular file"),
        "{}",
        stderr(&list)
    );
}
