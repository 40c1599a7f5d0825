//! The verbs that write to the API: one request each, whatever comes of it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};

use assert_cmd::assert::{Assert, OutputAssertExt};
use mintwatch::config::Config;
use predicates::prelude::*;
use predicates::str::{contains, is_empty, starts_with};
use serde_json::{Value, json};
use support::command::{Home, binary, counted_writes};
use support::fake_server::FakeServer;
use support::reply::{Gate, Reply, job_json};
use support::terminal::Terminal;

/// What a reply to `new` calls the job.
const ID: &str = "job_of_the_reply";

/// A server, and a home with a config that watches one job of project `p1`, called docs.
struct Setting {
    server: FakeServer,
    home: Home,
}

impl Setting {
    fn new() -> Self {
        let (server, home) = (FakeServer::start(), Home::new());
        home.write_config(&format!(
            "base_url = \"{}\"\n[poll]\ntimeout = \"1s\"\n[[projects]]\nid = \"p1\"\n\
             name = \"docs\"\njobs = [{{ id = \"job_1\", label = \"SDK quickstart\" }}]\n\
             [[projects]]\nid = \"p2\"\nname = \"empty\"\n",
            server.base_url()
        ));
        Self { server, home }
    }

    /// As [`Self::new`], with this answer to a new job or to a message to `job_1`.
    fn answering(reply: Reply) -> Self {
        let setting = Self::new();
        setting.server.set_default(reply);
        setting
    }

    fn run(&self, arguments: &[&str]) -> Assert {
        self.home.run(arguments).assert()
    }

    /// Runs it in a terminal with `EDITOR`.
    fn terminal(&self, arguments: &[&str], editor: &str) -> Terminal {
        let argv: Vec<&str> = [binary()].into_iter().chain(arguments.to_vec()).collect();
        let variables = [
            ("MINTLIFY_API_KEY", "mint_test_key"),
            ("CURL_HEADER", "Authorization: Bearer mint_test_key"),
            ("EDITOR", editor),
        ];
        Terminal::start(&self.home, &argv, &variables, (100, 24))
    }

    /// The prompts that the server was sent, all by POST.
    fn prompts(&self) -> Vec<String> {
        let requests = self.server.requests();
        let prompt = |request: &support::fake_server::Request| {
            assert_eq!(request.method, "POST");
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
            body["prompt"].as_str().unwrap().to_owned()
        };
        requests.iter().map(prompt).collect()
    }

    /// The ids, labels and tags of a project's jobs in the config.
    fn listed(&self, project: &str) -> Vec<(String, Option<String>, Vec<String>)> {
        let config = Config::load(&self.home.config_path()).unwrap();
        let mut projects = config.projects.into_iter();
        let project = projects.find(|known| *known.id == *project).unwrap();
        let jobs = project.jobs.into_iter();
        jobs.map(|job| (job.id.to_string(), job.label, job.tags))
            .collect()
    }

    fn counted(&self) -> usize {
        let path = self.home.path().join(".local/state/mintwatch/store.db");
        if path.exists() {
            counted_writes(&path)
        } else {
            0
        }
    }
}

fn created() -> Reply {
    Reply::json(201, &job_json("active", None))
}

fn json_of(assert: &Assert) -> Value {
    serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

#[test]
fn a_new_job_is_printed_listed_and_counted() {
    let setting = Setting::answering(created());
    let prompt = "Fix the links\nand more";
    setting
        .run(&["new", "docs", prompt, "--tag", "a", "--tag", "b c"])
        .code(0)
        .stdout(format!("{ID}\n"))
        .stderr(is_empty());
    assert_eq!(setting.prompts(), [prompt]);
    let request = &setting.server.requests()[0];
    assert_eq!(request.path, "/v2/agent/p1/job");
    assert_eq!(request.header("content-type"), Some("application/json"));
    let tags = vec![String::from("a"), String::from("b c")];
    let job = (ID.to_owned(), Some("Fix the links".to_owned()), tags);
    assert_eq!(setting.listed("p1")[1], job);
    assert_eq!(setting.counted(), 1);
    let path = setting.home.path().join(".local/state/mintwatch/store.db");
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_an_older_version_has_counted_counts() {
    let setting = Setting::answering(created());
    let old = setting.home.path().join(".local/state/mintwatch/writes");
    fs::create_dir_all(old.parent().unwrap()).unwrap();
    let now = jiff::Timestamp::now();
    fs::write(&old, format!("1970-01-01T00:00:00Z p1\n{now} p1\n")).unwrap();
    setting.run(&["new", "docs", "Do it"]).code(0);
    assert_eq!(setting.counted(), 2);
    assert!(!old.exists());
}

#[test]
fn without_a_store_nothing_is_counted() {
    let setting = Setting::answering(created());
    let arguments = ["new", "docs", "Do it", "--no-store"];
    setting.run(&arguments).code(0);
    assert!(!setting.home.path().join(".local").exists());
    let mut terminal = setting.terminal(&arguments, "false");
    terminal.wait_for("Start a job in docs? This hour's writes are not known [y/N]");
    terminal.send("n\r");
    assert_eq!(terminal.exit_code(), 1);
}

#[test]
fn new_prints_the_job_as_list_does() {
    let setting = Setting::answering(created());
    let done = setting.run(&["new", "p2", "Do it", "--label", "Mine", "--json"]);
    let done = done.code(0).stderr(is_empty());
    let mut printed = json_of(&done);
    setting.server.set("p2", ID, Reply::job("active"));
    let listed = setting.run(&["list", "--project", "empty", "--json"]);
    let mut listed = json_of(&listed)["jobs"][0].clone();
    assert!(printed["fetchedAt"].is_string(), "{printed}");
    for job in [&mut printed, &mut listed] {
        job["fetchedAt"] = Value::Null;
    }
    assert_eq!(printed, listed);
    assert_eq!(printed["label"], "Mine");
}

#[test]
fn a_message_is_sent_to_the_job() {
    let setting = Setting::answering(Reply::job("active"));
    let send = ["send", "SDK quickstart", "More\n"];
    setting
        .run(&send)
        .code(0)
        .stdout(is_empty())
        .stderr("sent\n");
    let done = setting.run(&[&send[..], &["--json"]].concat());
    let job = json_of(&done.code(0).stderr("sent\n"));
    assert_eq!(
        (&job["id"], &job["status"]),
        (&json!("job_1"), &json!("active"))
    );
    assert_eq!(job["project"], json!({"id": "p1", "name": "docs"}));
    assert_eq!(setting.prompts(), ["More", "More"]);
    let path = &setting.server.requests()[0].path;
    assert_eq!(path, "/v2/agent/p1/job/job_1/message");
    assert_eq!(setting.counted(), 2);
}

/// Each fault with its exit code, in words, and after exactly one request.
#[test]
fn errors_are_reported_and_nothing_is_sent_twice() {
    let doubt = |verb: &str| match verb {
        "new" => "mintwatch: the job may exist all the same: ",
        _ => "mintwatch: it may have arrived all the same: ",
    };
    for (reply, code, in_doubt, says) in [
        (
            Reply::error(400, "prompt too long"),
            1,
            false,
            "did not accept the prompt (400) (the server says: prompt too long)",
        ),
        (
            Reply::unauthorized(),
            4,
            false,
            "a write needs a key that is not `read`-scoped",
        ),
        (
            Reply::forbidden(),
            4,
            false,
            "a write needs a key that is not `read`-scoped",
        ),
        (Reply::not_found(), 1, false, "(404): check "),
        (
            Reply::too_many(Some("90")),
            1,
            false,
            "a project takes 100 writes an hour; try again later (the server says: Rate limit exceeded); the server asks to wait 1m 30s",
        ),
        (Reply::too_many(None), 1, false, "(429)"),
        (
            Reply::unavailable(),
            1,
            true,
            "the server failed (503). Look in the Mintlify dashboard before you try again",
        ),
        (Reply::Reset, 1, true, "was reset"),
        (Reply::HangBeforeHeaders, 1, true, "no full reply from"),
        (Reply::Truncate, 1, true, "closed the connection"),
        (Reply::html(), 1, true, "the reply is HTML"),
    ] {
        for arguments in [["new", "docs", "Do it"], ["send", "job_1", "Do it"]] {
            for flags in [&[][..], &["--json"]] {
                let setting = Setting::answering(reply.clone());
                let verb = arguments[0];
                let words = contains(doubt(verb)).count(usize::from(in_doubt));
                setting
                    .run(&[&arguments[..], flags].concat())
                    .code(code)
                    .stdout(is_empty())
                    .stderr(starts_with("mintwatch: ").and(contains(says)).and(words));
                assert_eq!(setting.prompts(), ["Do it"], "{reply:?}");
                assert_eq!(setting.listed("p1").len(), 1);
                assert_eq!(setting.counted(), usize::from(in_doubt), "{reply:?}");
            }
        }
    }
}

#[test]
fn a_reply_without_an_id_leaves_a_doubt() {
    let setting = Setting::answering(Reply::json(201, &json!({ "status": "active" })));
    setting
        .run(&["new", "docs", "Do it"])
        .code(1)
        .stdout(is_empty())
        .stderr(contains(
            "the job may exist all the same: the reply names no job id",
        ));
}

#[test]
fn what_is_wrong_before_the_call_sends_nothing() {
    let setting = Setting::new();
    let no_prompt = "no prompt: give it as an argument, with -F FILE, or with -F -";
    for (arguments, code, says) in [
        (
            &["new", "dcos", "x"][..],
            2,
            "no project is called \"dcos\"; did you mean \"docs\"?",
        ),
        (&["send", "job_2", "x"], 2, "did you mean \"job_1\"?"),
        (&["new", "docs", " "], 2, "the prompt is empty"),
        (&["send", "job_1", ""], 2, "the prompt is empty"),
        (&["new", "docs"], 2, no_prompt),
        (&["send", "job_1"], 2, no_prompt),
        (
            &["new", "docs", "-F", "/no/such"],
            2,
            "cannot read the prompt from /no/such",
        ),
        (&["new", "docs", "x", "-F", "y"], 2, "cannot be used with"),
        (&["new"], 2, "PROJECT"),
        (
            &["--demo", "new", "docs", "x"],
            2,
            "mintwatch demo-server --write-config",
        ),
        (
            &["--demo", "send", "job_1", "x"],
            2,
            "mintwatch demo-server --write-config",
        ),
        (&["--config", "/no/such", "new", "docs", "x"], 2, "/no/such"),
    ] {
        for flags in [&[][..], &["--json"]] {
            setting
                .run(&[arguments, flags].concat())
                .code(code)
                .stdout(is_empty())
                .stderr(contains(says));
        }
    }
    for arguments in [["new", "docs", "x"], ["send", "job_1", "x"]] {
        let mut command = setting.home.run(&arguments);
        let refused = command.env_remove("MINTLIFY_API_KEY").assert();
        refused
            .code(4)
            .stderr(contains("no API key").and(contains("not set").count(1)));
    }
    assert_eq!(setting.server.requests().len(), 0);
    assert_eq!(setting.counted(), 0);
}

#[test]
fn the_server_may_be_down() {
    let mut setting = Setting::new();
    setting.server.stop();
    setting
        .run(&["new", "docs", "x"])
        .code(1)
        .stderr(contains("refused the connection").and(contains("may exist").not()));
    assert_eq!(setting.counted(), 0);
}

#[test]
fn the_prompt_comes_from_standard_input_or_a_file() {
    let setting = Setting::answering(created());
    let file = setting.home.path().join("prompt.md");
    fs::write(&file, "# From a file\n\nand more\n").unwrap();
    let file = file.to_str().unwrap();
    setting.run(&["new", "docs", "-F", file]).code(0);
    let mut piped = setting.home.run(&["send", "job_1", "--file", "-"]);
    piped.write_stdin("\npiped é\n").assert().code(0);
    assert_eq!(setting.prompts(), ["# From a file\n\nand more", "piped é"]);
    let label = setting.listed("p1")[1].1.clone();
    assert_eq!(label.as_deref(), Some("# From a file"));
}

#[test]
fn a_config_that_cannot_be_written_is_found_out_before_anything_is_sent() {
    let setting = Setting::answering(created());
    let config = setting.home.config_path();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o400)).unwrap();
    setting
        .run(&["new", "docs", "Do it"])
        .code(2)
        .stdout(is_empty())
        .stderr(contains("it is read-only"));
    assert_eq!((setting.prompts().len(), setting.counted()), (0, 0));
}

#[test]
fn a_config_with_another_name_is_not_cut_off_from_it() {
    let setting = Setting::answering(created());
    let config = setting.home.config_path();
    let other = config.with_file_name("other.toml");
    fs::hard_link(&config, &other).unwrap();
    setting
        .run(&["new", "docs", "Do it"])
        .code(2)
        .stdout(is_empty())
        .stderr(contains("it has another name too (a hard link)"));
    assert_eq!((setting.prompts().len(), setting.counted()), (0, 0));
    setting.run(&["add", "docs", "job_2"]).code(2);
    fs::remove_file(&other).unwrap();
    setting.run(&["add", "docs", "job_2"]).code(0);
}

/// Where the config becomes so only while the server is at work.
#[test]
fn a_job_that_cannot_be_listed_is_reported_with_the_command_that_lists_it() {
    let config = |setting: &Setting, mode| {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(setting.home.config_path(), mode).unwrap();
    };
    for flags in [&[][..], &["--json"]] {
        let gate = Gate::default();
        let setting = Setting::answering(created().behind(&gate));
        let mut new = setting.home.command();
        new.env("MINTLIFY_API_KEY", "mint_test_key")
            .args(["new", "docs", "Do it", "--tag", "a"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let new = new.spawn().unwrap();
        setting.server.wait_for_requests(1, support::PATIENT);
        config(&setting, 0o400);
        gate.open();
        let words = "mintwatch: the job was started, but is not watched: ";
        let command = format!("mintwatch add docs {ID} --label 'Do it' --tag a\n");
        new.wait_with_output()
            .unwrap()
            .assert()
            .code(1)
            .stdout(contains(ID))
            .stderr(
                starts_with(words)
                    .and(contains("read-only"))
                    .and(contains(command)),
            );
        assert_eq!(setting.counted(), 1);
        config(&setting, 0o600);
    }
}

// ---- on a terminal ----

#[test]
fn it_asks_first_and_no_means_no() {
    let setting = Setting::answering(created());
    for answer in ["n\r", "\r", "\u{4}"] {
        let mut terminal = setting.terminal(&["new", "docs", "Do it"], "false");
        terminal.wait_for("Start a job in docs? 0 of 100 writes this hour [y/N]");
        terminal.send(answer);
        assert_eq!(terminal.exit_code(), 1);
        terminal.wait_for("mintwatch: not sent");
    }
    assert_eq!(setting.prompts().len(), 0);

    let mut terminal = setting.terminal(&["new", "docs", "Do it"], "false");
    terminal.wait_for("[y/N]");
    terminal.send("y\r");
    assert_eq!(terminal.exit_code(), 0);
    terminal.wait_for(ID);

    let mut terminal = setting.terminal(&["send", "job_1", "More"], "false");
    terminal.wait_for("Send this to SDK quickstart in docs? 1 of 100 writes this hour [y/N]");
    terminal.send("yes\r");
    assert_eq!(terminal.exit_code(), 0);

    let mut terminal = setting.terminal(&["send", "job_1", "More", "--yes"], "false");
    assert_eq!(terminal.exit_code(), 0);
    assert_eq!(setting.prompts(), ["Do it", "More", "More"]);
}

/// What is typed while the editor is open, which does not read it, is no answer to what is asked next.
#[test]
fn what_was_typed_ahead_is_no_answer() {
    let setting = Setting::answering(created());
    let editor = "sh -c 'echo Do it > \"$0\"; echo opened; until [ -e go ]; do sleep 0.01; done'";
    let mut terminal = setting.terminal(&["new", "docs"], editor);
    terminal.wait_for("opened");
    terminal.send("y\r");
    terminal.wait_for("\ny");
    fs::write(setting.home.path().join("go"), "").unwrap();
    terminal.wait_for("[y/N]");
    terminal.send("n\r");
    assert_eq!(terminal.exit_code(), 1);
    assert_eq!(setting.prompts().len(), 0);
}

/// An editor that writes down what it sees, and `text` into the file that it is given.
fn editor(home: &Home, text: &str) -> String {
    let path = home.path().join("my editor");
    let script = format!(
        "[ \"$1\" = -w ] || exit 3\nenv > \"$HOME/seen\"\nls -l \"$2\" >> \"$HOME/seen\"\n\
         printf '{text}' > \"$2\"\n"
    );
    fs::write(&path, script).unwrap();
    // By its shell: a file that was written just now may still be open in another test's child.
    format!("sh '{}' -w", path.display())
}

#[test]
fn the_prompt_is_written_in_the_editor_which_sees_no_key() {
    let setting = Setting::answering(created());
    let editor = editor(&setting.home, "Written here\\nand there\\n");
    let mut terminal = setting.terminal(&["new", "docs", "--yes"], &editor);
    assert_eq!(terminal.exit_code(), 0);
    terminal.wait_for(ID);
    assert_eq!(setting.prompts(), ["Written here\nand there"]);
    let seen = fs::read_to_string(setting.home.path().join("seen")).unwrap();
    assert!(seen.contains("HOME="), "{seen}");
    assert!(!seen.contains("mint_test_key"), "{seen}");
    let file = seen.lines().last().unwrap();
    assert!(file.starts_with("-rw------- "), "{file}");
    let path = &file[file.find('/').unwrap()..];
    assert!(!fs::exists(path).unwrap(), "{path} is left behind");
}

#[test]
fn an_editor_that_writes_nothing_or_fails_sends_nothing() {
    let setting = Setting::answering(created());
    let empty = editor(&setting.home, "\\n");
    for (editor, code, says) in [
        (empty.as_str(), 1, "not sent: the prompt is empty"),
        ("false", 1, "not sent: the editor ended with exit status: 1"),
        ("", 2, "or set EDITOR"),
    ] {
        let mut terminal = setting.terminal(&["send", "job_1"], editor);
        assert_eq!(terminal.exit_code(), code);
        terminal.wait_for(says);
    }
    assert_eq!(setting.prompts().len(), 0);
}

#[test]
fn what_was_written_is_kept_when_it_is_not_sent() {
    let setting = Setting::answering(Reply::too_many(None));
    let editor = editor(&setting.home, "Long work\\n");
    let mut terminal = setting.terminal(&["new", "docs"], &editor);
    terminal.wait_for("[y/N]");
    terminal.send("y\r");
    assert_eq!(terminal.exit_code(), 1);
    terminal.wait_for("Your prompt is kept in");
    let wire = String::from_utf8(terminal.wire()).unwrap();
    let (_, path) = wire.split_once("kept in ").unwrap();
    assert_eq!(fs::read_to_string(path.trim()).unwrap(), "Long work\n");
    fs::remove_file(path.trim()).unwrap();
}

#[test]
fn ctrl_c_during_a_write_reports_that_it_may_have_happened() {
    let setting = Setting::new();
    setting.server.set_default(Reply::HangBeforeHeaders);
    let config = setting.home.config_path();
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("\"1s\"", "\"1h\"")).unwrap();
    let mut terminal = setting.terminal(&["new", "docs", "Do it", "--yes"], "false");
    setting.server.wait_for_requests(1, support::PATIENT);
    terminal.send("\u{3}");
    assert_eq!(terminal.exit_code(), 130);
    terminal.wait_for("the job may exist all the same");
    assert_eq!(setting.prompts(), ["Do it"]);
}

// ---- with the demo server ----

/// A server that is killed with the test.
struct DemoServer(Child);

impl Drop for DemoServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn from_a_prompt_to_a_pull_request() {
    let home = Home::new();
    let path = home.path().join("demo.toml");
    let path = path.to_str().unwrap();
    let mut command = home.command();
    // A job takes minutes there, which are seconds at this speed.
    let flags = [
        "--speed",
        "200",
        "--latency",
        "0s",
        "--errors",
        "0",
        "--write-config",
        path,
    ];
    command
        .arg("demo-server")
        .args(flags)
        .stdout(Stdio::piped());
    let mut server = DemoServer(command.spawn().unwrap());
    let out = BufReader::new(server.0.stdout.take().unwrap());
    let announced = out
        .lines()
        .map_while(Result::ok)
        .any(|line| line.starts_with("config "));
    assert!(announced);

    let text = fs::read_to_string(path).unwrap();
    let (settings, _) = text.split_once("[[projects]]").unwrap();
    let project = "[[projects]]\nid = \"64f0c1e2\"\nname = \"docs\"\n";
    fs::write(path, format!("{settings}{project}")).unwrap();
    let run = |arguments: &[&str]| {
        home.run(&[&["--config", path], arguments].concat())
            .assert()
    };
    // Not each of its jobs ends with a pull request.
    let opened = (0..20).any(|_| {
        let made = run(&["new", "docs", "Document the retry policy", "--json"]).code(0);
        let id = json_of(&made)["id"].as_str().unwrap().to_owned();
        run(&["send", &id, "And the limits"])
            .code(0)
            .stderr("sent\n");
        let waited = run(&["wait", &id, "--json"]);
        let job = json_of(&waited)["jobs"][0].clone();
        assert_eq!(job["label"], "Document the retry policy");
        let link = job["prLink"].as_str();
        if let Some(link) = link {
            let opened = run(&["open", &id, "--print"]).code(0);
            opened.stdout(format!("{link}\n"));
        }
        link.is_some()
    });
    assert!(opened);
}
