//! The verbs as a script meets them: their output, their exit codes, and how they end.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::assert::{Assert, OutputAssertExt};
use portable_pty::{CommandBuilder, PtySize};
use predicates::prelude::*;
use predicates::str::{contains, is_empty};
use serde_json::Value;
use support::command::Home;
use support::fake_server::FakeServer;
use support::reply::{Reply, job_json};
use tempfile::TempDir;

const LINK: &str = "https://github.com/acme/docs/pull/412";
/// No test waits for as long as this unless it fails.
const LONG: Duration = Duration::from_secs(30);

/// A server, a config that watches it, and nothing of the person's own environment.
struct Setting {
    server: FakeServer,
    folder: TempDir,
}

impl Setting {
    /// Watches the jobs `ids` of project `p1`, called docs; `job_1` has a label.
    fn new(ids: &[&str]) -> Self {
        let jobs: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
        Self::with_projects(&format!(
            "[[projects]]\nid = \"p1\"\nname = \"docs\"\njobs = [{}]\n",
            jobs.join(", ").replace(
                "\"job_1\"",
                "{ id = \"job_1\", label = \"SDK quickstart\", tags = [\"release\"] }"
            )
        ))
    }

    fn with_projects(projects: &str) -> Self {
        let setting = Self {
            server: FakeServer::start(),
            folder: TempDir::new().unwrap(),
        };
        let text = format!(
            "base_url = \"{}\"\n[key]\nenv = \"TEST_KEY\"\n[poll]\nactive = \"{}\"\nfinished = \"{}\"\n{projects}",
            setting.server.base_url(),
            "500ms",
            "500ms",
        );
        fs::write(setting.config(), text).unwrap();
        setting
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    fn answer(&self, job: &str, script: impl Into<support::reply::Script>) {
        self.server.set("p1", job, script);
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("mintwatch"));
        command
            .env_clear()
            .env("TEST_KEY", "mint_test")
            .env("MINTWATCH_CONFIG", self.config())
            .env("HOME", self.folder.path())
            .env("PATH", "/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("TERM", "xterm")
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Assert {
        self.command(args).assert()
    }

    fn start(&self, args: &[&str]) -> Running {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Running {
            child,
            out: Some(out),
        }
    }
}

/// A verb under way; it is killed when the test ends before it does.
struct Running {
    child: Child,
    out: Option<BufReader<ChildStdout>>,
}

impl Running {
    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").args(["-s", name, &id]).status();
        assert!(kill.unwrap().success());
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.as_mut().unwrap().read_line(&mut line).unwrap();
        line
    }

    fn ended(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < LONG, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn errors(&mut self) -> String {
        let mut errors = String::new();
        let mut err = self.child.stderr.take().unwrap();
        err.read_to_string(&mut errors).unwrap();
        errors
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn json(assert: &Assert) -> Value {
    serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

/// Neither a script nor a log wants what moves a cursor.
fn no_escapes() -> impl Predicate<str> {
    contains("\u{1b}").or(contains("\r")).not()
}

// ---- wait ----

#[test]
fn wait_ends_when_all_have_finished() {
    let setting = Setting::new(&["job_1", "job_2"]);
    setting.answer(
        "job_1",
        Reply::job("active").then(Reply::pull_request(LINK)),
    );
    setting.answer("job_2", Reply::job("archived"));
    setting
        .run(&["wait"])
        .code(0)
        .stdout(
            contains("SDK quickstart")
                .and(contains("completed"))
                .and(no_escapes()),
        )
        .stderr(is_empty());
    assert_eq!(setting.server.requests_of("p1", "job_1").len(), 2);
}

#[test]
fn wait_has_the_same_exit_codes_with_and_without_json() {
    let unauthorized = Reply::unauthorized;
    for (first, second, flags, want, said) in [
        (Reply::job("completed"), Reply::job("archived"), "", 0, ""),
        (
            Reply::job("completed"),
            Reply::job("failed"),
            "",
            1,
            "mintwatch: failed: job_2\n",
        ),
        (
            Reply::job("active"),
            Reply::job("failed"),
            "--fail-fast",
            1,
            "mintwatch: failed: job_2\n",
        ),
        (
            Reply::job("active"),
            Reply::job("active"),
            "--timeout=700ms",
            8,
            "mintwatch: not finished within 700ms: SDK quickstart, job_2\n",
        ),
    ] {
        for format in [&[][..], &["--json"]] {
            let setting = Setting::new(&["job_1", "job_2"]);
            setting.answer("job_1", first.clone());
            setting.answer("job_2", second.clone());
            let flags = flags.split_whitespace();
            let args: Vec<&str> = ["wait"].into_iter().chain(flags).collect();
            let args = [&args, format].concat();
            let assert = setting.run(&args).code(want).stderr(said.to_owned());
            if format.is_empty() {
                assert.stdout(contains("STATUS").and(no_escapes()));
            } else {
                assert_eq!(json(&assert)["counts"]["total"], 2, "{args:?}");
            }
        }
    }
    for format in [&["wait"][..], &["wait", "--json"]] {
        let setting = Setting::new(&["job_1", "job_2"]);
        setting.answer("job_1", unauthorized());
        setting.answer("job_2", unauthorized());
        setting.run(format).code(4).stderr(contains("401"));
    }
}

#[test]
fn wait_reports_a_job_that_does_not_exist() {
    let setting = Setting::new(&["job_1", "job_2"]);
    setting.answer("job_2", Reply::job("completed"));
    let assert = setting
        .run(&["wait", "--json"])
        .code(1)
        .stderr(contains("SDK quickstart: no such job").and(contains("404")));
    assert_eq!(json(&assert)["jobs"][0]["error"]["kind"], "not_found");
}

#[test]
fn wait_is_over_when_only_refused_jobs_are_left() {
    let setting = Setting::new(&["job_1", "job_2"]);
    setting.answer("job_1", Reply::forbidden());
    setting.answer("job_2", Reply::job("active").then(Reply::job("completed")));
    setting
        .run(&["wait"])
        .code(4)
        .stderr(contains("SDK quickstart: "));
    assert_eq!(setting.server.requests_of("p1", "job_2").len(), 2);
}

#[test]
fn wait_polls_only_what_it_waits_for() {
    let setting = Setting::new(&["job_1", "job_2"]);
    setting.answer("job_1", Reply::job("completed"));
    setting
        .run(&["wait", "SDK quickstart"])
        .code(0)
        .stdout(contains("job_2").not());
    assert_eq!(setting.server.requests().len(), 1);
}

#[test]
fn wait_for_nothing_is_over_at_once() {
    let setting = Setting::new(&[]);
    setting
        .run(&["wait"])
        .code(0)
        .stdout(is_empty())
        .stderr(contains("nothing to wait for"));
    let assert = setting.run(&["wait", "--json"]).code(0);
    assert_eq!(json(&assert)["jobs"], serde_json::json!([]));
}

#[test]
fn wait_outlasts_a_server_that_is_away() {
    let setting = Setting::new(&["job_1"]);
    setting.answer("job_1", Reply::unavailable().then(Reply::job("completed")));
    setting.run(&["wait"]).code(0);
}

#[test]
fn wait_needs_a_key_a_config_and_a_job() {
    let setting = Setting::new(&["job_1"]);
    let mut keyless = setting.command(&["wait"]);
    keyless
        .env_remove("TEST_KEY")
        .assert()
        .code(4)
        .stderr(contains("$TEST_KEY: not set"));
    setting
        .run(&["wait", "SDK quikstart"])
        .code(2)
        .stderr(contains("did you mean \"SDK quickstart\"?"));
    setting.run(&["--config", "/nowhere.toml", "wait"]).code(2);
    setting
        .run(&["wait", "--timeout", "soon"])
        .code(2)
        .stderr(contains("such as 90s"));
}

#[test]
fn signals_end_wait_and_watch_with_their_own_codes() {
    for verb in ["wait", "watch"] {
        for (signal, want) in [("INT", 130), ("TERM", 143)] {
            let setting = Setting::new(&["job_1"]);
            setting.answer("job_1", Reply::job("active"));
            let mut running = setting.start(&[verb]);
            setting.server.wait_for_requests(1, LONG);
            running.signal(signal);
            assert_eq!(running.ended().code(), Some(want), "{verb} {signal}");
            assert_eq!(running.line(), "", "{verb} {signal}");
            assert_eq!(running.errors(), "", "{verb} {signal}");
        }
    }
}

#[test]
fn wait_shows_on_a_terminal_how_far_it_is() {
    let setting = Setting::new(&["job_1"]);
    setting.answer("job_1", Reply::job("active").then(Reply::job("completed")));
    let pty = portable_pty::native_pty_system();
    let size = PtySize {
        rows: 24,
        cols: 40,
        ..PtySize::default()
    };
    let pair = pty.openpty(size).unwrap();
    let mut command = CommandBuilder::from_argv(vec![
        assert_cmd::cargo::cargo_bin!("mintwatch").into(),
        "wait".into(),
    ]);
    command.env_clear();
    for (name, value) in setting.command(&[]).get_envs() {
        command.env(name, value.unwrap());
    }
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut out = Vec::new();
    // A terminal whose other end is closed ends with an error on Linux.
    let _ = pair
        .master
        .try_clone_reader()
        .unwrap()
        .read_to_end(&mut out);
    assert_eq!(child.wait().unwrap().exit_code(), 0);
    let out = String::from_utf8(out).unwrap();
    let rewritten = "\r\u{1b}[K0 of 1 finished; waiting for SDK quick…\r\u{1b}[K";
    assert!(out.contains(rewritten), "{out:?}");
    assert!(
        out.trim_end().lines().last().unwrap().contains("✓"),
        "{out:?}"
    );
}

// ---- watch ----

#[test]
fn watch_prints_each_event_as_it_comes() {
    let setting = Setting::new(&["job_1"]);
    let script = Reply::job("active")
        .then(Reply::pull_request(LINK))
        .then(Reply::job("active"));
    setting.answer("job_1", script);
    let mut running = setting.start(&["watch", "--json"]);
    let status: Value = serde_json::from_str(&running.line()).unwrap();
    let link: Value = serde_json::from_str(&running.line()).unwrap();
    let again: Value = serde_json::from_str(&running.line()).unwrap();
    running.signal("INT");
    assert_eq!(running.ended().code(), Some(130));

    let project = serde_json::json!({ "id": "p1", "name": "docs" });
    for event in [&status, &link, &again] {
        assert_eq!(event["project"], project);
        assert_eq!(event["id"], "job_1");
        assert_eq!(event["label"], "SDK quickstart");
        assert!(event["at"].as_str().unwrap().ends_with('Z'), "{event}");
    }
    let told = |event: &Value| {
        let keys = ["event", "from", "to", "prLink"];
        keys.map(|key| event[key].as_str().map(String::from))
    };
    let some = |text: &str| Some(String::from(text));
    assert_eq!(
        told(&status),
        [
            some("status"),
            some("active"),
            some("completed"),
            some(LINK)
        ]
    );
    assert_eq!(told(&link), [some("pull_request"), None, None, some(LINK)]);
    assert_eq!(
        told(&again),
        [some("status"), some("completed"), some("active"), None]
    );
}

#[test]
fn watch_prints_lines_for_people() {
    let setting = Setting::new(&["job_1"]);
    setting.answer("job_1", Reply::job("active").then(Reply::job("failed")));
    let mut running = setting.start(&["watch"]);
    let line = running.line();
    assert!(
        line.contains("  docs  SDK quickstart  active to failed"),
        "{line}"
    );
    assert!(no_escapes().eval(line.trim_end()), "{line:?}");
}

#[test]
fn watch_ends_when_nobody_reads_it() {
    let setting = Setting::new(&["job_1"]);
    setting.answer("job_1", Reply::job("active"));
    let mut running = setting.start(&["watch", "--json"]);
    setting.server.wait_for_requests(1, LONG);
    running.out = None;
    assert_eq!(running.ended().code(), Some(0));
    assert_eq!(running.errors(), "");
}

#[test]
fn watch_prints_poll_errors_and_ends_when_nothing_can_be_polled() {
    let setting = Setting::new(&["job_1", "job_2"]);
    setting.answer("job_1", Reply::unauthorized());
    setting.answer("job_2", Reply::unauthorized());
    let assert = setting.run(&["watch"]).code(4).stdout(is_empty());
    let errors = String::from_utf8_lossy(&assert.get_output().stderr);
    assert_eq!(errors.matches("401").count(), 1, "{errors}");
}

#[test]
fn watch_without_jobs_is_an_error() {
    let setting = Setting::new(&[]);
    setting
        .run(&["watch"])
        .code(1)
        .stderr(contains("no jobs to watch"));
}

// ---- open ----

#[test]
fn open_prints_the_link() {
    let setting = Setting::new(&["job_1", "job_2"]);
    setting.answer("job_1", Reply::pull_request(LINK));
    setting
        .run(&["open", "SDK quickstart", "--print"])
        .code(0)
        .stdout(format!("{LINK}\n"))
        .stderr(is_empty());
    assert_eq!(setting.server.requests().len(), 1);
}

#[test]
fn open_starts_the_browser_without_the_key() {
    let setting = Setting::new(&["job_1"]);
    setting.answer("job_1", Reply::pull_request(LINK));
    let mark = setting.folder.path().join("opened");
    // Written beside it and renamed, so that the file is never partial.
    let script = format!(
        "echo \"$1 <$TEST_KEY>\" > {0}.new && mv {0}.new {0}",
        mark.display()
    );
    let browser = format!("sh -c {} browser", shell_words::quote(&script));
    let mut command = setting.command(&["open", "job_1"]);
    command
        .env("BROWSER", browser)
        .assert()
        .code(0)
        .stdout(is_empty())
        .stderr(contains(LINK));
    let start = Instant::now();
    while !mark.exists() {
        assert!(start.elapsed() < LONG, "the browser was not started");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(fs::read_to_string(mark).unwrap(), format!("{LINK} <>\n"));
}

#[test]
fn open_prints_the_link_where_there_is_no_browser() {
    let setting = Setting::new(&["job_1"]);
    setting.answer("job_1", Reply::pull_request(LINK));
    let mut command = setting.command(&["open", "job_1"]);
    command
        .env("SSH_TTY", "/dev/pts/0")
        .assert()
        .code(0)
        .stdout(format!("{LINK}\n"))
        .stderr(contains("no browser here"));
}

#[test]
fn open_explains_why_there_is_nothing_to_open() {
    for (reply, want, said) in [
        (
            Reply::job("active"),
            1,
            "SDK quickstart has no pull request yet",
        ),
        (Reply::job("completed"), 1, "it completed without one"),
        (Reply::pull_request("file:///etc/passwd"), 1, "link refused"),
        (Reply::not_found(), 1, "404"),
        (Reply::unauthorized(), 4, "401"),
        (Reply::forbidden(), 4, "403"),
    ] {
        for flag in [&[][..], &["--print"]] {
            let setting = Setting::new(&["job_1"]);
            setting.answer("job_1", reply.clone());
            let args = [&["open", "job_1"], flag].concat();
            setting
                .run(&args)
                .code(want)
                .stdout(is_empty())
                .stderr(contains(said));
        }
    }
    let setting = Setting::new(&["job_1"]);
    setting
        .run(&["open", "job_2"])
        .code(2)
        .stderr(contains("did you mean \"job_1\"?"));
    setting.run(&["open"]).code(2);
}

// ---- config path ----

#[test]
fn config_path_is_printed_whether_or_not_the_file_exists() {
    let setting = Setting::new(&[]);
    let path = format!("{}\n", setting.config().display());
    setting
        .run(&["config", "path"])
        .code(0)
        .stdout(path.clone());
    fs::remove_file(setting.config()).unwrap();
    setting.run(&["config", "path"]).code(0).stdout(path);
    setting
        .run(&["--config", "other.toml", "config", "path"])
        .code(0)
        .stdout("other.toml\n");
}

// ---- doctor ----

#[test]
fn doctor_finds_no_problem() {
    let setting = Setting::new(&["job_1", "job_2"]);
    setting.answer("job_1", Reply::job("active"));
    let lines = |marks: &[&str]| {
        let marks: Vec<String> = marks.iter().map(|mark| format!("{mark}.*\n")).collect();
        predicate::str::is_match(format!("^{}$", marks.concat())).unwrap()
    };
    setting
        .run(&["doctor"])
        .code(0)
        .stdout(lines(&[
            "ok  config     .*/config.toml: 1 project, 2 jobs",
            "ok  key        \\$TEST_KEY: ",
            "ok  project    docs: answers; SDK quickstart: status active",
            "ok  github     github.com: no token, so that it is not asked; ",
            "ok  store      .*/store.db: not there yet",
            "ok  terminal   none here",
            "ok  clipboard  OSC 52",
            "ok  browser    ",
        ]))
        .stdout(no_escapes())
        .stderr(is_empty());
    assert_eq!(
        setting.server.requests().len(),
        1,
        "one poll for each project"
    );
}

#[test]
fn doctor_reads_one_pull_request_of_a_github_that_the_config_names() {
    let github = FakeServer::start();
    let projects = |enabled: bool| {
        format!(
            "[github]\nenabled = {enabled}\n[[github.hosts]]\nhost = \"127.0.0.1\"\napi = \
             \"{}/graphql\"\ntoken = {{ env = \"ACME_TOKEN\" }}\n[[projects]]\nid = \"p1\"\njobs = \
             [\"job_1\"]\n",
            github.base_url()
        )
    };
    let answer =
        |data: &str| Reply::text(200, "application/json", format!("{{\"data\":{{{data}}}}}"));
    let limit = "\"rateLimit\":{\"cost\":1,\"remaining\":4990}";
    let viewer = answer(&format!("{limit},\"viewer\":{{\"login\":\"octocat\"}}"));
    let state = "{\"pullRequest\":{\"state\":\"OPEN\",\"reviewDecision\":\"REVIEW_REQUIRED\"}}";
    let state = answer(&format!("{limit},\"p0\":{state}"));
    github.set_default(viewer.then(state).then(Reply::error(401, "")));
    let run = |enabled: bool, link: &str| {
        let setting = Setting::with_projects(&projects(enabled));
        setting.answer("job_1", Reply::pull_request(link));
        let mut command = setting.command(&["doctor"]);
        command.env("ACME_TOKEN", "ghp_test");
        command.assert()
    };
    let link = "https://127.0.0.1/acme/docs/pull/412/files";
    run(true, link).code(0).stdout(
        contains(
            "ok  github     127.0.0.1: $ACME_TOKEN is of octocat; 4990 points left of this hour\n",
        )
        .and(contains(
            "ok  github     acme/docs#412: open, review required\n",
        )),
    );
    run(true, "https://git.example/acme/docs/pull/4")
        .code(1)
        .stdout(
            contains("!!  github     127.0.0.1, $ACME_TOKEN: GitHub refused the token (401)").and(
                contains("acme/docs#4: not read, since [[github.hosts]] does not list git.example"),
            ),
        );
    let asked = github.requests().len();
    run(false, link)
        .code(0)
        .stdout(contains("ok  github     enabled = false"));
    assert_eq!(github.requests().len(), asked);
}

#[test]
fn doctor_exits_with_the_code_of_the_problem() {
    for (key, reply, want, said) in [
        (
            Some("mint_test"),
            Reply::unauthorized(),
            4,
            "!!  project    docs, SDK quickstart: ",
        ),
        (Some("mint_test"), Reply::forbidden(), 4, "403"),
        (
            Some("mint_test"),
            Reply::not_found(),
            1,
            "no such job in this project (404)",
        ),
        (Some("mint_test"), Reply::html(), 1, "is base_url right?"),
        (
            Some("secret"),
            Reply::job("active"),
            4,
            "!!  key        $TEST_KEY: it does not begin",
        ),
        (
            Some("mint_dsc_x"),
            Reply::job("active"),
            4,
            "!!  key        $TEST_KEY: an assistant key",
        ),
        (
            None,
            Reply::job("active"),
            4,
            "!!  key        $TEST_KEY: not set",
        ),
    ] {
        let setting = Setting::new(&["job_1"]);
        setting.answer("job_1", reply);
        let mut command = setting.command(&["doctor"]);
        command
            .env_remove("TEST_KEY")
            .envs(key.map(|key| ("TEST_KEY", key)));
        command
            .assert()
            .code(want)
            .stdout(contains(said))
            .stdout(contains("browser"));
    }
}

#[test]
fn doctor_works_without_a_config_and_with_a_broken_one() {
    let setting = Setting::new(&[]);
    fs::write(setting.config(), "colour = 1\n").unwrap();
    setting.run(&["doctor"]).code(2).stdout(
        contains("!!  config ")
            .and(contains("| ^"))
            .and(contains("ok  browser")),
    );
    fs::remove_file(setting.config()).unwrap();
    setting
        .run(&["doctor"])
        .code(2)
        .stdout(contains("mintwatch init").and(contains("$MINTLIFY_API_KEY: not set")));
    fs::write(setting.config(), "").unwrap();
    let mut command = setting.command(&["doctor"]);
    command
        .env("MINTLIFY_API_KEY", "mint_test")
        .assert()
        .code(1)
        .stdout(contains("no projects").and(contains("ok  key")));
}

#[test]
fn only_doctor_and_the_dashboard_check_the_dashboard_settings() {
    let projects = "[ui]\ncolumns = [\"job\"]\n[keys]\nopne = \"x\"\n\
                    [[projects]]\nid = \"p1\"\njobs = [\"job_1\"]\n";
    let setting = Setting::with_projects(projects);
    setting.answer("job_1", Reply::job("active"));
    let fault = "unknown action `opne`: did you mean `open`?";
    let told = contains(fault).and(contains("| ^^^^"));
    setting.run(&["doctor"]).code(2).stdout(told);
    let all_columns = contains("STATUS").and(contains("BRANCH"));
    setting.run(&["list"]).code(0).stdout(all_columns);
}

// ---- completions, man, help ----

#[test]
fn every_shell_has_its_script() {
    let setting = Setting::new(&[]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        setting
            .run(&["completions", shell])
            .code(0)
            .stdout(contains("mintwatch"));
    }
    setting
        .run(&["completions", "bsh"])
        .code(2)
        .stderr(contains("bash"));
}

#[test]
fn the_manual_page_needs_no_config() {
    let setting = Setting::new(&[]);
    fs::remove_file(setting.config()).unwrap();
    setting
        .run(&["man"])
        .code(0)
        .stdout(predicate::str::starts_with(".").or(predicate::str::starts_with("'")))
        .stdout(contains(".SH MINTWATCH WAIT"))
        .stdout(contains(".SH KEYS").and(contains(".SH FILES")))
        .stdout(contains(".SH ENVIRONMENT").and(contains(".SH \"GLOBAL OPTIONS\"")));
}

/// Every way to call the program.
const COMMANDS: [&str; 20] = [
    "",
    "list",
    "wait",
    "watch",
    "history",
    "open",
    "ack",
    "statusline",
    "new",
    "send",
    "add",
    "rm",
    "prune",
    "init",
    "config path",
    "doctor",
    "completions",
    "man",
    "demo-server",
    "config",
];

fn help(setting: &Setting, command: &str) -> String {
    let words = command.split_whitespace().chain(["--help"]);
    let words: Vec<&str> = words.collect();
    let assert = setting.run(&words).code(0);
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

#[test]
fn the_global_options_have_a_heading_of_their_own() {
    let setting = Setting::new(&[]);
    for command in COMMANDS {
        let help = help(&setting, command);
        let (own, global) = help.split_once("\nGlobal options:\n").unwrap();
        let flags = [
            "--config <FILE>",
            "--demo",
            "--color <WHEN>",
            "--log <FILE>",
        ];
        for flag in flags {
            assert!(
                !own.contains(flag) && global.contains(flag),
                "{command}: {help}"
            );
        }
        assert!(own.contains("-h, --help"), "{command}: {help}");
    }
}

#[test]
fn the_help_of_each_verb_tells_its_exit_codes() {
    let setting = Setting::new(&[]);
    let verbs = COMMANDS.iter().filter(|command| **command != "config");
    for command in verbs {
        let help = help(&setting, command);
        let (_, codes) = help.rsplit_once("Exit codes: ").unwrap();
        let told = codes
            .split([' ', ';', '\n'])
            .filter_map(|word| word.parse().ok());
        let told: Vec<u8> = told.collect();
        assert!(told.contains(&2) && told.contains(&0), "{command}: {codes}");
        let known = [0, 1, 2, 4, 8, 128, 130, 143];
        assert!(
            told.iter().all(|code| known.contains(code)),
            "{command}: {codes}"
        );
    }
}

#[test]
fn each_verb_has_examples_and_a_slip_is_understood() {
    let setting = Setting::new(&[]);
    for verb in [
        &["list"][..],
        &["wait"],
        &["watch"],
        &["history"],
        &["ack"],
        &["statusline"],
        &["open"],
        &["init"],
        &["config", "path"],
        &["doctor"],
        &["completions"],
        &["man"],
    ] {
        let args = [verb, &["--help"]].concat();
        setting.run(&args).code(0).stdout(contains("Examples:"));
    }
    setting.run(&["wiat"]).code(2).stderr(contains("'wait'"));
    setting
        .run(&["wait", "--time-out", "1s"])
        .code(2)
        .stderr(contains("--timeout"));
    let setting = Setting::new(&["job_1"]);
    setting
        .run(&["list", "--project", "dcos"])
        .code(2)
        .stderr(contains("did you mean \"docs\"?"));
}

#[test]
fn doctor_looks_at_the_store_and_makes_nothing() {
    let setting = Setting::new(&["job_1"]);
    let place = setting.config().with_file_name("state");
    let doctor = |home: &std::path::Path, more: &[&str]| {
        let mut command = setting.command(&[&["doctor"], more].concat());
        command.env("XDG_STATE_HOME", home);
        let output = command.output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let well = doctor(&place, &[]);
    assert!(well.contains("ok  store"), "{well}");
    assert!(!place.exists());
    let off = doctor(&place, &["--no-store"]);
    assert!(off.contains("ok  store      --no-store"), "{off}");
    fs::write(place.with_file_name("file"), "").unwrap();
    let bad = doctor(&place.with_file_name("file"), &[]);
    assert!(
        bad.contains("!!  store") && bad.contains("it is not a folder"),
        "{bad}"
    );
}

#[test]
fn a_reply_about_another_job_of_the_config_is_refused_where_only_one_is_asked_for_too() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut job = job_json("completed", Some("https://github.com/acme/docs/pull/4"));
    job["id"] = "job_b".into();
    server.set_default(Reply::json(200, &job));
    home.write_config(&format!(
        "base_url = \"{}\"\n[[projects]]\nid = \"docs\"\njobs = [\"job_a\", \"job_b\"]\n",
        server.base_url()
    ));
    for arguments in [
        &["list", "job_a", "--json"][..],
        &["open", "--print", "job_a"],
    ] {
        let output = home.run(arguments).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(!printed.contains("pull/4"), "{arguments:?}: {printed}");
    }
}
