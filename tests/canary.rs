//! The key stays home: a canary key goes in through each source, and everything that comes out of
//! the program is searched for it.
//!
//! The program is the real binary, with a home folder of its own, one server that is configured and
//! two that must never get the key.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Debug;
use std::fs;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mintwatch::base_url::BaseUrl;
use mintwatch::board::{Project, Watched};
use mintwatch::config::{Config, KeySource};
use mintwatch::desktop::Opener;
use mintwatch::environment::Environment;
use mintwatch::job::JobKey;
use mintwatch::key::{self, ApiKey};
use mintwatch::mintlify::Client;
use mintwatch::poll::Poller;
use mintwatch::poll::schedule::{Limits, Start};
use mintwatch::poll::{KeySlot, PollerConfig};
use mintwatch::token::Token;
use percent_encoding::percent_decode;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use serde_json::{Value, json};
use support::fake_server::FakeServer;
use support::reply::Reply;
use tempfile::TempDir;

const CANARY: &str = "mint_canary_7f3a91c0d2e8";
/// What no output may contain: a part of the canary is as good as the whole.
const TRACE: &str = "canary_7f3a91";
const PATIENCE: Duration = Duration::from_secs(30);
const ROWS: NonZero<u16> = NonZero::new(30).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(200).unwrap();

fn holds(bytes: &[u8]) -> bool {
    let decoded: Vec<u8> = percent_decode(bytes).collect();
    let trace = TRACE.as_bytes();
    [bytes, &decoded].iter().any(|bytes| {
        let lower = bytes.to_ascii_lowercase();
        lower.windows(trace.len()).any(|window| window == trace)
    })
}

#[track_caller]
fn assert_clean(what: &str, bytes: &[u8]) {
    assert!(!holds(bytes), "{what}: {}", String::from_utf8_lossy(bytes));
}

#[track_caller]
fn assert_debug(value: &dyn Debug) {
    assert_clean("its Debug", format!("{value:?}\n{value:#?}").as_bytes());
}

/// Waits until `get` gives something.
fn wait_for<T>(what: &str, mut get: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = get() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Where the canary is put for the program to find.
#[derive(Clone, Copy, Debug)]
enum Source {
    Env,
    File,
    Command,
}

/// A variable with the key in it, under a name that is not in the config.
fn copy_of_the_key() -> (OsString, OsString) {
    let header = format!("Authorization: Bearer {CANARY}");
    ("CURL_HEADER".into(), header.into())
}

/// A home folder, and the servers around it.
struct Home {
    folder: TempDir,
    server: FakeServer,
    /// Redirects lead here.
    other: FakeServer,
    proxy: FakeServer,
}

impl Home {
    fn new() -> Self {
        let home = Self {
            folder: TempDir::new().unwrap(),
            server: FakeServer::start(),
            other: FakeServer::start(),
            proxy: FakeServer::start(),
        };
        home.server.set_default(Reply::job("active"));
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of this home. Another process does it: a child that a parallel test forks in
    /// that moment would hold our own handle open, and an open file cannot be executed.
    fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        let mut writer = Command::new("sh")
            .args(["-c", r#"cat > "$0""#])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = writer.stdin.take().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        drop(input);
        assert!(writer.wait().unwrap().success());
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// A program that creates `began`, then waits for a line through `fifo`.
    fn waiting_program(&self) -> PathBuf {
        let mut mkfifo = Command::new("mkfifo");
        let made = mkfifo.arg(self.path("fifo")).status().unwrap();
        assert!(made.success());
        let script = "#!/bin/sh\necho > began\nread line < fifo\n";
        self.write("waits", script, 0o700)
    }

    /// The `key = ...` of a source that holds `key`, and the variables that it takes.
    fn key(&self, source: Source, key: &str) -> (String, Vec<(OsString, OsString)>) {
        match source {
            Source::Env => {
                let variable = ("MINTWATCH_TEST_KEY".into(), key.into());
                ("{ env = \"MINTWATCH_TEST_KEY\" }".into(), vec![variable])
            }
            Source::File => {
                let path = self.write("secret.key", key, 0o600);
                (format!("{{ file = '{}' }}", path.display()), Vec::new())
            }
            Source::Command => {
                let script = format!("#!/bin/sh\ncat <<'END'\n{key}\nEND\n");
                let path = self.write("secret.sh", &script, 0o700);
                (
                    format!("{{ command = ['{}'] }}", path.display()),
                    Vec::new(),
                )
            }
        }
    }

    fn config(&self, base_url: &str, key: &str, jobs: &[String]) -> PathBuf {
        let text = format!(
            "base_url = {base_url:?}\nkey = {key}\n[poll]\nactive = \"100ms\"\ntimeout = \
             \"2s\"\n[[projects]]\nid = \"docs\"\njobs = {jobs:?}\n"
        );
        self.write("config.toml", &text, 0o600)
    }

    /// The variables of the program: this home, and every proxy variable there is.
    fn variables(&self) -> Vec<(OsString, OsString)> {
        let folder = |name: &str| self.path(name).into_os_string();
        let mut all = vec![
            ("PATH".into(), std::env::var_os("PATH").unwrap()),
            ("HOME".into(), self.folder.path().into()),
            ("XDG_CONFIG_HOME".into(), folder(".config")),
            ("XDG_STATE_HOME".into(), folder(".state")),
            ("XDG_CACHE_HOME".into(), folder(".cache")),
            ("TERM".into(), "xterm-256color".into()),
            ("LANG".into(), "C.UTF-8".into()),
            ("RUST_LOG".into(), "trace".into()),
            ("RUST_BACKTRACE".into(), "full".into()),
        ];
        for scheme in ["http", "https", "all", "ftp"] {
            let name = format!("{scheme}_proxy");
            all.push((name.to_uppercase().into(), self.proxy.base_url().into()));
            all.push((name.into(), self.proxy.base_url().into()));
        }
        all
    }

    fn program(&self, arguments: &[&str], more: &[(OsString, OsString)]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_mintwatch"));
        program
            .env_clear()
            .envs(self.variables())
            .envs(more.iter().cloned())
            .current_dir(self.folder.path())
            .arg("--config")
            .arg(self.path("config.toml"))
            .arg("--log")
            .arg(self.path("log"))
            .args(arguments)
            .stdin(Stdio::null());
        program
    }

    fn run(&self, arguments: &[&str], more: &[(OsString, OsString)]) -> Output {
        let output = self.program(arguments, more).output().unwrap();
        assert_clean("standard output", &output.stdout);
        assert_clean("standard error", &output.stderr);
        self.assert_files_clean();
        output
    }

    /// No file of this home holds the canary but those that we have put it in.
    fn assert_files_clean(&self) {
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.is_file()
                    && !path
                        .file_name()
                        .unwrap()
                        .as_encoded_bytes()
                        .starts_with(b"secret")
                {
                    assert_clean(&path.display().to_string(), &fs::read(&path).unwrap());
                }
            }
        }
    }

    fn assert_others_saw_nothing(&self) {
        assert_eq!(self.other.connections(), 0, "{:?}", self.other.requests());
        for request in self.proxy.requests() {
            assert_clean("the proxy's request", format!("{request:?}").as_bytes());
        }
    }
}

/// The members of a good reply, each with the key in it.
fn members_with_the_key() -> Vec<(&'static str, Value)> {
    let encoded = CANARY.replace("canary", "%63anar%79");
    vec![
        ("status", json!({ "status": CANARY })),
        ("model", json!({ "model": format!("a {CANARY}") })),
        (
            "source.repository",
            json!({ "source": { "repository": format!("https://x/{CANARY}/y") } }),
        ),
        (
            "source.ref",
            json!({ "source": { "ref": CANARY.to_uppercase() } }),
        ),
        (
            "prLink",
            json!({ "prLink": format!("https://x.example/?k={CANARY}") }),
        ),
        (
            "prLink",
            json!({ "prLink": format!("https://x.example/{encoded}/pull/1") }),
        ),
        // Full-width letters, which become plain ones in the link.
        (
            "prLink",
            json!({ "prLink": format!("https://{}.example/", CANARY.replace('c', "ｃ")) }),
        ),
        ("createdAt", json!({ "createdAt": CANARY })),
        ("archivedAt", json!({ "archivedAt": CANARY })),
    ]
}

/// Replies of every kind, whose text holds the key, or leads away.
fn echoes(other: &FakeServer) -> Vec<(&'static str, Reply)> {
    let echo = format!("Invalid API key {CANARY}, Bearer {CANARY}");
    let header = "Bearer realm=";
    let mut all = vec![
        ("job", Reply::job("active")),
        ("fields", Reply::json(200, &json!({"source": CANARY}))),
        ("forbidden", Reply::error(403, &echo)),
        ("missing", Reply::error(404, &echo)),
        ("limited", Reply::error(429, &echo)),
        ("failed", Reply::error(500, &echo)),
        (
            "refused",
            Reply::error(400, &echo).header("WWW-Authenticate", header),
        ),
        ("text", Reply::text(200, "text/plain", echo.clone())),
        ("html", Reply::text(200, "text/html", format!("<p>{echo}"))),
        ("raw", Reply::Raw(echo.clone().into_bytes())),
        (
            "bad-header",
            Reply::Raw(format!("HTTP/1.1 200 OK\r\n{echo}\r\n\r\n").into_bytes()),
        ),
        ("truncate", Reply::Truncate),
        ("reset", Reply::Reset),
        ("hang", Reply::HangBeforeHeaders),
    ];
    for (_, members) in members_with_the_key() {
        all.push(("member", Reply::json(200, &members)));
    }
    let port = other.port();
    for (status, location) in [
        (301, format!("http://127.0.0.1:{port}/?key={CANARY}")),
        (302, format!("http://localhost:{port}/{CANARY}")),
        (303, format!("https://127.0.0.1:{port}/")),
        (307, format!("//127.0.0.1:{port}/v2/agent/docs/job/x")),
        (308, format!("https://{CANARY}.example.com:{port}/")),
    ] {
        all.push(("redirect", Reply::redirect(status, &location)));
    }
    all
}

#[test]
fn the_key_is_in_no_output_file_or_request_to_another_host() {
    for source in [Source::Env, Source::File, Source::Command] {
        let home = Home::new();
        let mut jobs = Vec::new();
        for (at, (name, reply)) in echoes(&home.other).into_iter().enumerate() {
            let id = format!("{name}-{at}");
            home.server.set("docs", &id, reply);
            jobs.push(id);
        }
        let (key, variables) = home.key(source, CANARY);
        home.config(&home.server.base_url(), &key, &jobs);
        for arguments in [&["list"][..], &["list", "--json"]] {
            let output = home.run(arguments, &variables);
            // Among the replies is a 403, which blames the key.
            assert_eq!(output.status.code(), Some(4), "{source:?}: {output:?}");
            let said = String::from_utf8_lossy(&output.stdout);
            let told = said.contains("[the key]") || arguments.len() == 1;
            assert!(told, "the JSON has the whole words: {source:?}: {said}");
        }
        // A refusal of the key itself.
        let echo = format!("{CANARY} is no key");
        home.server.set("docs", &jobs[0], Reply::error(401, &echo));
        let output = home.run(&["list", &jobs[0]], &variables);
        assert_eq!(output.status.code(), Some(4), "{source:?}: {output:?}");

        // All that would be in vain if the canary had not been used.
        let bearer = format!("Bearer {CANARY}");
        let requests = home.server.requests();
        assert_eq!(requests.len(), 2 * jobs.len() + 1, "{source:?}");
        for request in requests {
            assert_eq!(request.header("authorization"), Some(&*bearer));
            assert_clean("the path", request.path.as_bytes());
        }
        home.assert_others_saw_nothing();
        assert_eq!(home.proxy.connections(), 0, "loopback needs no proxy");
        let log = fs::read_to_string(home.path("log")).unwrap();
        assert!(
            log.contains("status=404"),
            "the log is at its fullest: {log}"
        );
    }
}

#[test]
fn a_reply_that_repeats_the_key_is_refused_and_said() {
    let home = Home::new();
    let (key, variables) = home.key(Source::Env, CANARY);
    home.config(&home.server.base_url(), &key, &["job".into()]);
    for (member, members) in members_with_the_key() {
        home.server.set("docs", "job", Reply::json(200, &members));
        let output = home.run(&["list", "--json"], &variables);
        let said = String::from_utf8_lossy(&output.stdout);
        let want = format!("the reply repeats the key in `{member}`");
        assert!(said.contains(&want), "{members}: {said}");
    }
}

/// Its id would go into the config.
#[test]
fn a_new_job_whose_reply_repeats_the_key_is_not_listed_but_in_doubt() {
    let home = Home::new();
    let (key, variables) = home.key(Source::Env, CANARY);
    home.config(&home.server.base_url(), &key, &["job".into()]);
    let config = fs::read(home.path("config.toml")).unwrap();
    let id = ("id", json!({ "id": format!("job_{CANARY}") }));
    for (member, mut members) in [id].into_iter().chain(members_with_the_key()) {
        if member != "id" {
            members["id"] = json!("job_new");
        }
        home.server.set_default(Reply::json(201, &members));
        let output = home.run(&["new", "docs", "Do it"], &variables);
        assert_eq!(output.status.code(), Some(1), "{members}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        for want in [
            &*format!("repeats the key in `{member}`"),
            "the job may exist",
        ] {
            assert!(said.contains(want), "{members}: {said}");
        }
        assert_eq!(fs::read(home.path("config.toml")).unwrap(), config);
    }
    let counted = support::command::counted_writes(&home.path(".state/mintwatch/store.db"));
    assert_eq!(counted, members_with_the_key().len() + 1);
}

#[test]
fn a_proxy_gets_no_key() {
    let home = Home::new();
    let (key, variables) = home.key(Source::Env, CANARY);
    home.config("https://api.example.com", &key, &["job".into()]);
    home.run(&["list"], &variables);
    home.assert_others_saw_nothing();
    // A machine without certificates to trust asks nobody; any other asks the proxy for a tunnel.
    let log = fs::read_to_string(home.path("log")).unwrap();
    let asked = home
        .proxy
        .requests()
        .iter()
        .any(|request| request.method == "CONNECT");
    assert!(asked || log.contains("cannot make an HTTP client"), "{log}");
}

#[test]
fn what_is_no_key_is_named_but_not_shown() {
    let wrong = [
        (format!("mint_dsc_{TRACE}"), "an assistant key (mint_dsc_)"),
        (format!("mint_us_{TRACE}"), "an index key (mint_us_)"),
        (format!("Bearer {CANARY}"), "not an API key"),
        (format!("{CANARY}é"), "not an API key"),
        (CANARY.repeat(40), "not an API key"),
    ];
    for source in [Source::Env, Source::File, Source::Command] {
        for (key, words) in &wrong {
            let home = Home::new();
            let (key, variables) = home.key(source, key);
            home.config(&home.server.base_url(), &key, &["job".into()]);
            let output = home.run(&["list"], &variables);
            assert_eq!(output.status.code(), Some(4), "{source:?}: {output:?}");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains(words), "{source:?}: {said}");
            assert_eq!(home.server.connections(), 0);
        }
    }
}

#[test]
fn sources_that_fail_show_no_key() {
    let home = Home::new();
    let too_open = home.write("secret.open", CANARY, 0o644);
    let too_large = home.write("secret.large", &CANARY.repeat(1_000), 0o600);
    let script = format!("#!/bin/sh\necho {CANARY}\necho 'cannot show {CANARY}' >&2\nexit 3\n");
    let fails = home.write("secret.fails", &script, 0o700);
    for (key, words) in [
        (
            format!("{{ file = '{}' }}", too_open.display()),
            "chmod 600",
        ),
        (
            format!("{{ file = '{}' }}", too_large.display()),
            "larger than 4 KiB",
        ),
        (
            format!("{{ command = ['{}'] }}", fails.display()),
            "failed with exit code 3",
        ),
        (
            format!("{{ command = [\"secret-tool-that-is-not-there\", \"{CANARY}\"] }}"),
            "no such program",
        ),
    ] {
        home.config(&home.server.base_url(), &key, &["job".into()]);
        // It may hold the key itself here.
        fs::rename(home.path("config.toml"), home.path("secret.toml")).unwrap();
        let config = home.path("secret.toml");
        let output = home.run(&["list", "--config", config.to_str().unwrap()], &[]);
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_config_with_the_key_in_a_wrong_place_is_refused_without_showing_it() {
    let home = Home::new();
    for text in [
        format!("key = \"{CANARY}\""),
        format!("key = {CANARY}"),
        format!("key = \"{CANARY}"),
        CANARY.to_owned(),
        format!("{CANARY} = 1"),
        format!("[{CANARY}]"),
        format!("key = {{ env = \"{CANARY}\" }}"),
        format!("key = {{ env = [\"{CANARY}\"] }}"),
        format!("key = {{ file = \"{CANARY}\" }}"),
        format!("key = {{ file = [\"{CANARY}\"] }}"),
        format!("key = {{ command = [\"{CANARY}\"] }}"),
        format!("key = {{ command = \"{CANARY}\" }}"),
        format!("key = {{ command = [\"x\", {CANARY}] }}"),
        format!("key = {{ value = \"{CANARY}\" }}"),
        format!("key = {{ {CANARY} = \"x\" }}"),
        format!("key = {{ env = \"A\", file = \"{CANARY}\" }}"),
        format!("api_key = \"{CANARY}\""),
        format!("base_url = \"{CANARY}\""),
        format!("base_url = \"https://{CANARY}@api.mintlify.com\""),
        format!("base_url = \"https://x:{CANARY}@api.mintlify.com\""),
        format!("base_url = \"https://api.mintlify.com/?key={CANARY}\""),
        format!("base_url = \"http://{CANARY}.example.com\""),
        format!("[poll]\nactive = \"{CANARY}\""),
        format!("[poll]\nconcurrency = \"{CANARY}\""),
        format!("[[projects]]\nid = \"docs\"\nkey = \"{CANARY}\""),
        format!("[[projects]]\nid = \"docs\"\njobs = \"{CANARY}\""),
        format!("[[projects]]\nid = \"docs\"\njobs = [{{ id = \"{CANARY}\", ID = 1 }}]"),
        format!("[[projects]]\nid = \"{CANARY}\""),
        format!("[[projects]]\nid = \"docs\"\njobs = [\"{CANARY}\"]"),
        format!("[[projects]]\nid = \"docs\"\njobs = [{{ id = \"{CANARY}\" }}]"),
        format!("projects = \"{CANARY}\""),
        format!("x = 1 # {CANARY}"),
    ] {
        let config = home.write("secret.toml", &format!("{text}\n"), 0o600);
        let output = home.run(&["list", "--config", config.to_str().unwrap()], &[]);
        assert_eq!(output.status.code(), Some(2), "{text}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("secret.toml:"), "{said}");
    }
}

/// A token of a GitHub, of which no output may show a part either.
const TOKEN: &str = "ghp_canary_7f3a91c0d2e8_0123456789";

/// What `doctor` does with a job whose pull request is at `link`, where `github` is the only host that the
/// config adds.
fn doctor_with_token(home: &Home, github: &FakeServer, link: &str) -> String {
    let text = format!(
        "base_url = {:?}\nkey = {{ env = \"MINTWATCH_TEST_KEY\" }}\n[poll]\ntimeout = \
         \"2s\"\n[[github.hosts]]\nhost = \"127.0.0.1\"\napi = \"{}/graphql\"\ntoken = {{ env = \
         \"ACME_TOKEN\" }}\n[[projects]]\nid = \"docs\"\njobs = [\"job\"]\n",
        home.server.base_url(),
        github.base_url()
    );
    home.write("config.toml", &text, 0o600);
    home.server.set("docs", "job", Reply::pull_request(link));
    let variables = [
        ("MINTWATCH_TEST_KEY", "mint_other"),
        ("ACME_TOKEN", TOKEN),
        ("GH_TOKEN", TOKEN),
    ];
    let variables = variables.map(|(name, value)| (name.into(), value.into()));
    let output = home.run(&["doctor"], &variables);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_github_token_reaches_its_own_host_only() {
    let home = Home::new();
    let github = FakeServer::start();
    let viewer = json!({ "data": { "viewer": { "login": "octocat" } } });
    let port = github.port();
    for (link, is_asked) in [
        ("https://127.0.0.1/acme/docs/pull/412".to_owned(), true),
        (
            format!("https://127.0.0.1:{port}/acme/docs/pull/412"),
            false,
        ),
        ("http://127.0.0.1/acme/docs/pull/412".to_owned(), false),
        (
            format!(
                "https://127.0.0.1@localhost:{}/acme/docs/pull/412",
                home.other.port()
            ),
            false,
        ),
        (
            format!("https://localhost:{}/acme/docs/pull/412", home.other.port()),
            false,
        ),
        (
            "https://127.0.0.1.attacker.example/acme/docs/pull/412".to_owned(),
            false,
        ),
        (
            "https://github.com.attacker.example/acme/docs/pull/412".to_owned(),
            false,
        ),
        ("https://GitHub.com./acme/docs/pull/412".to_owned(), false),
        ("https://gіthub.com/acme/docs/pull/412".to_owned(), false),
        (
            "https://api.github.com@attacker.example/acme/docs/pull/412".to_owned(),
            false,
        ),
    ] {
        let before = github.requests().len();
        github
            .set_default(Reply::json(200, &viewer).then(Reply::json(200, &json!({ "data": {} }))));
        let said = doctor_with_token(&home, &github, &link);
        assert!(
            said.contains("127.0.0.1: $ACME_TOKEN is of octocat"),
            "{link}: {said}"
        );
        let asked = github.requests().len() - before;
        assert_eq!(asked, 1 + usize::from(is_asked), "{link}: {said}");
    }
    for request in github.requests() {
        assert_eq!((&*request.method, &*request.path), ("POST", "/graphql"));
        assert_eq!(
            request.header("authorization"),
            Some(&*format!("Bearer {TOKEN}"))
        );
        assert_clean("the query", &request.body);
    }
    for request in home.server.requests() {
        assert_clean("a request to Mintlify", format!("{request:?}").as_bytes());
    }
    home.assert_others_saw_nothing();
    // github.com, the only other host with a token, is asked at its own address: through the proxy.
    let at_github = |path: &str| path == "api.github.com:443";
    let requests = home.proxy.requests();
    assert!(
        requests.iter().all(|request| at_github(&request.path)),
        "{requests:?}"
    );
}

#[test]
fn a_github_that_repeats_the_token_or_leads_away_does_not_show_it() {
    let home = Home::new();
    for (_, reply) in echoes(&home.other) {
        let github = FakeServer::start();
        // The echoes hold a part of the token.
        github.set_default(reply.with(CANARY, TOKEN));
        let said = doctor_with_token(&home, &github, "https://127.0.0.1/acme/docs/pull/412");
        assert!(
            said.contains("!!  github     127.0.0.1, $ACME_TOKEN: "),
            "{said}"
        );
        assert!(!github.requests().is_empty());
    }
    home.assert_others_saw_nothing();
}

/// As a key command does.
#[test]
fn no_child_sees_a_github_token() {
    let variables = ["GH_TOKEN", "GITHUB_TOKEN", "ACME_TOKEN", "COPY", "PATH"];
    let text =
        "[[github.hosts]]\nhost = 'a.b'\napi = 'https://a.b'\ntoken = { env = 'ACME_TOKEN' }";
    let config = Config::parse(text, Path::new("config.toml")).unwrap();
    let environment = variables.map(|name| (name, if name == "PATH" { "/bin" } else { TOKEN }));
    let environment = Environment::new(environment, &config.key_variables());
    assert_eq!(format!("{environment:?}"), r#"{"PATH"}"#);
    assert_debug(&Token::parse(TOKEN));
    assert_debug(&Token::parse(&format!("{TOKEN} {TOKEN}")));
}

/// The ids of the processes whose parent is `parent`.
fn children(parent: u32) -> Vec<u32> {
    let ids = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        entry
            .unwrap()
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
    });
    ids.filter(|id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        after_name.split(' ').nth(1) == Some(&parent.to_string())
    })
    .collect()
}

fn proc_file(id: u32, name: &str) -> Vec<u8> {
    fs::read(format!("/proc/{id}/{name}")).unwrap()
}

/// A key command logs in with what is in the environment, so it gets all of it but the keys.
#[test]
fn a_key_command_has_the_environment_without_any_key() {
    let home = Home::new();
    let hangs = home.waiting_program();
    let (key, mut variables) = home.key(Source::Env, CANARY);
    variables.push(("OP_SESSION".into(), "a session".into()));
    variables.push(copy_of_the_key());
    let config = home.config(&home.server.base_url(), &key, &["job".into()]);
    let second = format!(
        "[[projects]]\nid = \"two\"\nkey = {{ command = ['{}'] }}\njobs = [\"j\"]\n",
        hangs.display()
    );
    let text = fs::read_to_string(&config).unwrap() + &second;
    home.write("config.toml", &text, 0o600);
    let mut program = home.program(&["list"], &variables);
    let program = program
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the key command", || {
        home.path("began").exists().then_some(())
    });
    assert_clean("its arguments", &proc_file(program.id(), "cmdline"));
    let commands = children(program.id());
    assert_eq!(commands.len(), 1);
    assert_clean(
        "the command's arguments",
        &proc_file(commands[0], "cmdline"),
    );
    let environment = proc_file(commands[0], "environ");
    assert_clean("the command's environment", &environment);
    let environment = String::from_utf8(environment).unwrap();
    assert!(
        environment.contains("OP_SESSION=a session"),
        "{environment}"
    );
    fs::write(home.path("fifo"), "go on\n").unwrap();
    let output = program.wait_with_output().unwrap();
    assert_clean("standard output", &output.stdout);
    assert_clean("standard error", &output.stderr);
    home.assert_files_clean();
}

/// A core dump would hold the key, so that none is made, even where the user's shell allows them.
#[test]
fn a_program_that_holds_the_key_leaves_no_core_dump() {
    let home = Home::new();
    let (key, variables) = home.key(Source::Env, CANARY);
    home.config(&home.server.base_url(), &key, &["job".into()]);
    let program = home.program(&["watch"], &variables);
    let mut allowing = Command::new("sh");
    allowing
        .args(["-c", r#"ulimit -S -c "$(ulimit -H -c)"; exec "$0" "$@""#])
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear()
        .envs(home.variables())
        .envs(variables)
        .current_dir(home.folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let mut running = allowing.spawn().unwrap();
    home.server.wait_for_requests_of("docs", "job", 1, PATIENCE);
    let limits = String::from_utf8(proc_file(running.id(), "limits")).unwrap();
    running.kill().unwrap();
    running.wait().unwrap();
    let core = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"));
    let soft = core.unwrap().split_whitespace().next();
    assert_eq!(soft, Some("0"), "{limits}");
}

/// The dashboard in a terminal of its own.
struct Screen {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    master: Box<dyn portable_pty::MasterPty + Send>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Screen {
    fn start(home: &Home, more: &[(OsString, OsString)]) -> Self {
        let size = PtySize {
            rows: ROWS.get(),
            cols: COLUMNS.get(),
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mintwatch"));
        command.env_clear();
        for (name, value) in home.variables().iter().chain(more) {
            command.env(name, value);
        }
        command.args(["--config", "config.toml", "--log", "log"]);
        command.cwd(home.folder.path());
        let child = pair.slave.spawn_command(command).unwrap();
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let own = Arc::clone(&written);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // It ends with an error when the program has left the terminal.
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                own.lock().unwrap().extend(&bytes[..count]);
            }
        });
        Self {
            child,
            master: pair.master,
            written,
        }
    }

    fn wait_for(&self, text: &str) {
        wait_for(&format!("{text:?} on the screen"), || {
            let mut parser = vt100::Parser::new(ROWS, COLUMNS, 0);
            parser.process(&self.written.lock().unwrap());
            parser.screen().contents().contains(text).then_some(())
        });
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // It has ended already if the test succeeded.
        let _ = self.child.kill();
    }
}

#[test]
fn neither_the_screen_nor_the_browser_gets_the_key() {
    for source in [Source::Env, Source::File, Source::Command] {
        the_dashboard_opens_a_link_without_the_key(source);
    }
}

fn the_dashboard_opens_a_link_without_the_key(source: Source) {
    let home = Home::new();
    let browser = home.waiting_program();
    let jobs = ["first".to_owned(), "second".to_owned(), "third".to_owned()];
    let link = "https://github.com/acme/docs/pull/412";
    home.server.set("docs", "first", Reply::pull_request(link));
    let echo = format!("no {CANARY} here");
    home.server.set("docs", "second", Reply::error(404, &echo));
    home.server.set("docs", "third", Reply::error(500, &echo));
    let (key, mut variables) = home.key(source, CANARY);
    home.config(&home.server.base_url(), &key, &jobs);
    variables.push(("BROWSER".into(), browser.into()));
    // A second copy, under a name that is not in the config.
    variables.push(("SOME_OTHER_NAME".into(), CANARY.into()));
    variables.push(copy_of_the_key());

    let mut screen = Screen::start(&home, &variables);
    screen.wait_for("#412");
    screen.wait_for("server error");
    let id = screen.child.process_id().unwrap();
    assert_clean("its arguments", &proc_file(id, "cmdline"));
    let mut writer = screen.master.take_writer().unwrap();
    // The server's message is in the details of the second row.
    writer.write_all(b"gj\r").unwrap();
    screen.wait_for("no [the key] here");
    writer.write_all(b"qgo").unwrap();
    wait_for("the browser", || home.path("began").exists().then_some(()));
    let browsers = children(id);
    assert_eq!(browsers.len(), 1);
    let arguments = String::from_utf8(proc_file(browsers[0], "cmdline")).unwrap();
    assert!(arguments.contains(link), "{arguments:?}");
    assert_clean("the browser's arguments", arguments.as_bytes());
    let environment = proc_file(browsers[0], "environ");
    assert!(!environment.is_empty());
    assert_clean("the browser's environment", &environment);
    fs::write(home.path("fifo"), "go on\n").unwrap();

    writer.write_all(b"q").unwrap();
    assert!(screen.child.wait().unwrap().success());
    assert_clean("the screen", &screen.written.lock().unwrap());
    home.assert_files_clean();
    home.assert_others_saw_nothing();
}

/// A key that came into the config while the dashboard ran.
#[test]
fn after_a_reload_the_browser_does_not_get_the_new_key_either() {
    let home = Home::new();
    let link = "https://github.com/acme/docs/pull/412";
    home.server.set_default(Reply::pull_request(link));
    let (key, mut variables) = home.key(Source::Env, "mint_first");
    home.config(&home.server.base_url(), &key, &["job".into()]);
    variables.push(("BROWSER".into(), home.waiting_program().into()));
    variables.push(copy_of_the_key());
    let mut screen = Screen::start(&home, &variables);
    screen.wait_for("#412");

    let (key, _) = home.key(Source::File, CANARY);
    home.config(&home.server.base_url(), &key, &["job".into()]);
    screen.wait_for("the config has changed");
    let mut writer = screen.master.take_writer().unwrap();
    writer.write_all(b"o").unwrap();
    wait_for("the browser", || home.path("began").exists().then_some(()));
    let browsers = children(screen.child.process_id().unwrap());
    assert_eq!(browsers.len(), 1);
    let environment = proc_file(browsers[0], "environ");
    assert!(!environment.is_empty());
    assert_clean("the browser's environment", &environment);
    fs::write(home.path("fifo"), "go on\n").unwrap();
    writer.write_all(b"q").unwrap();
    assert!(screen.child.wait().unwrap().success());
}

#[tokio::test]
async fn no_value_that_can_hold_a_key_shows_it_in_its_debug_or_in_a_panic() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, CANARY).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let sources = [
        KeySource::File(path.clone()),
        KeySource::Command(vec!["cat".into(), path.to_str().unwrap().into()]),
    ];
    let variables = [("PATH", "/usr/bin:/bin"), ("A", CANARY), ("B", "x")];
    let environment = Environment::new(variables, &["B"]);
    assert_debug(&environment);
    for source in sources {
        assert_debug(&key::resolve(&source, &environment).await);
        let slot = KeySlot {
            source,
            key: Ok(ApiKey::parse(CANARY).unwrap()),
        };
        assert_debug(&slot);
    }
    assert_debug(&ApiKey::parse(&format!("mint_dsc_{TRACE}")));
    assert_debug(&ApiKey::parse(&format!("{CANARY} {CANARY}")));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
    assert_debug(&key::resolve(&KeySource::File(path), &environment).await);
    let config = format!("key = \"{CANARY}\"");
    assert_debug(&Config::parse(&config, Path::new("config.toml")));

    let key = ApiKey::parse(CANARY).unwrap();
    let server = FakeServer::start();
    server.set_default(Reply::error(401, CANARY));
    let base_url: BaseUrl = server.base_url().parse().unwrap();
    let client = Client::new(&base_url, PATIENCE).unwrap();
    let job = JobKey::new("docs", "job");
    assert_debug(&client.get_job(&job, &key).await);
    assert_debug(&client);
    assert_debug(&Opener::new(environment.clone()));

    let project = Arc::new(Project {
        id: "docs".into(),
        name: None,
    });
    let watched = Watched {
        key: job,
        project,
        label: None,
        tags: Vec::new(),
    };
    let setup = PollerConfig {
        base_url,
        timeout: PATIENCE,
        limits: Limits {
            active: PATIENCE,
            finished: PATIENCE,
            concurrency: 1,
        },
        start: Start::Once,
        keys: vec![KeySlot {
            source: KeySource::default(),
            key: Ok(key.clone()),
        }],
        key_of: HashMap::from([("docs".into(), 0)]),
        environment,
        other_jobs: std::collections::HashSet::default(),
        keys_stay: false,
        memory: None,
    };
    assert_debug(&setup);
    let mut poller = Poller::start(vec![watched], setup).unwrap();
    poller.first_round().await;
    assert_debug(&poller);
    assert_debug(&poller.handle());
    assert_debug(&poller.board());

    let panic =
        std::panic::catch_unwind(|| std::hint::black_box(Err::<(), _>(key)).unwrap()).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("ApiKey"), "{message}");
    assert_clean("a panic", message.as_bytes());
}
