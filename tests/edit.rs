//! `add` and `rm` as processes: what they print, their exit codes, and what is left of the config
//! when many run at once, or are killed.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mintwatch::config::Config;
use tempfile::TempDir;

const CONFIG: &str = "\
# My jobs.
[[projects]]
id = \"p1\"
name = \"docs\" # the site
jobs = [
  \"job_1\", # one
  { id = \"job_2\", label = \"SDK quickstart\" },
]

[[projects]]
id = \"p2\"
";

struct Home {
    folder: TempDir,
}

impl Home {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.toml"), config).unwrap();
        Self { folder }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.config()).unwrap()
    }

    /// The ids of the jobs of the first project.
    fn ids(&self) -> Vec<String> {
        let config = Config::load(&self.config()).unwrap();
        let jobs = config.projects[0].jobs.iter();
        jobs.map(|job| job.id.to_string()).collect()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("mintwatch"));
        command.arg("--config").arg(self.config());
        command
    }

    /// Runs `mintwatch` with `words`: its exit code, and its two outputs.
    fn run(&self, words: &[&str], input: &str) -> (i32, String, String) {
        let mut command = assert_cmd::Command::from_std(self.command());
        let output = command.args(words).write_stdin(input).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap();
        (code, text(output.stdout), text(output.stderr))
    }

    fn unfinished(&self) -> usize {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let unfinished = |path: &PathBuf| path.extension().is_some_and(|end| end == "tmp");
        paths.filter(unfinished).count()
    }
}

#[test]
fn add_says_what_it_did() {
    let added = |lines: &str| CONFIG.replace("start\" },\n", &format!("start\" }},\n{lines}"));
    let reply = "{\"id\": \"x\", \"status\": \"active\"}\n{\"id\": \"y\"}";
    for (words, input, out, err, after) in [
        (
            &["add", "docs", "x"][..],
            "",
            "p1/x\n",
            "",
            added("  \"x\",\n"),
        ),
        (
            &["add", "p1", "x", "job_1", "x"],
            "",
            "p1/x\n",
            "p1/job_1 already exists\n",
            added("  \"x\",\n"),
        ),
        (
            &["add", "docs", "job_2", "--label", "L"],
            "",
            "",
            "p1/job_2 already exists\n",
            CONFIG.into(),
        ),
        (
            &[
                "add", "docs", "x", "--label", "My job", "--tag", "a", "--tag", "b",
            ],
            "",
            "p1/x\n",
            "",
            added("  { id = \"x\", label = \"My job\", tags = [\"a\", \"b\"] },\n"),
        ),
        (
            &["add", "docs", "-"],
            "# mine\nx\n\nhttps://h/job/y # c\n",
            "p1/x\np1/y\n",
            "",
            added("  \"x\",\n  \"y\",\n"),
        ),
        (
            &["add", "docs", "-"],
            reply,
            "p1/x\np1/y\n",
            "",
            added("  \"x\",\n  \"y\",\n"),
        ),
        (
            &[
                "add",
                "docs",
                "https://api.mintlify.com/v2/agent/p1/job/x?a=b",
            ],
            "",
            "p1/x\n",
            "",
            added("  \"x\",\n"),
        ),
        (
            &["add", "p2", reply],
            "",
            "p2/x\np2/y\n",
            "",
            format!("{CONFIG}jobs = [\n  \"x\",\n  \"y\",\n]\n"),
        ),
    ] {
        let home = Home::new(CONFIG);
        assert_eq!(
            home.run(words, input),
            (0, out.into(), err.into()),
            "{words:?}"
        );
        assert_eq!(home.text(), after, "{words:?}");
    }
}

#[test]
fn rm_says_what_it_did() {
    for (words, out, line) in [
        (
            &["rm", "job_1", "docs/job_1"][..],
            "p1/job_1\n",
            "  \"job_1\", # one\n",
        ),
        (&["rm", "p1/job_1"], "p1/job_1\n", "  \"job_1\", # one\n"),
        (
            &["rm", "SDK quickstart"],
            "p1/job_2\n",
            "  { id = \"job_2\", label = \"SDK quickstart\" },\n",
        ),
    ] {
        let home = Home::new(CONFIG);
        assert_eq!(
            home.run(words, ""),
            (0, out.into(), String::new()),
            "{words:?}"
        );
        assert_eq!(home.text(), CONFIG.replace(line, ""), "{words:?}");
    }
}

#[test]
fn what_is_wrong_exits_2_and_writes_nothing() {
    let home = Home::new(CONFIG);
    for (words, input, want) in [
        (
            &["add", "dcos", "x"][..],
            "",
            "no project is called \"dcos\"; did you mean \"docs\"?",
        ),
        (&["add", "docs", ""], "", "no job id: give an id"),
        (
            &["add", "docs", "x", "a b"],
            "",
            "\"a b\" is no job id: an id has neither spaces nor `/`",
        ),
        (
            &[
                "add",
                "docs",
                "x",
                "https://api.mintlify.com/v2/agent/p2/job/y",
            ],
            "",
            "y is in the project p2, not in the one chosen: choose that, or give the id alone",
        ),
        (
            &["add", "docs", "-"],
            "{\"jobs\": [{\"project\": {\"id\": \"p2\"}, \"id\": \"y\"}]}",
            "standard input: y is in the project p2, ",
        ),
        (
            &["add", "docs", "-"],
            "# none\n",
            "standard input: no job id: ",
        ),
        (
            &["add", "docs", "x", "y", "--label", "L"],
            "",
            "--label names one job, and 2 were given",
        ),
        (&["add", "docs"], "", "required arguments were not provided"),
        (
            &["--demo", "add", "docs", "x"],
            "",
            "the demo has no config file to edit",
        ),
        (
            &["--demo", "rm", "job_1"],
            "",
            "the demo has no config file to edit",
        ),
        (
            &["rm", "job_1", "jbo_1"],
            "",
            "no watched job is called \"jbo_1\"; did you mean \"job_1\"?",
        ),
        (
            &["rm", "nothing like it"],
            "",
            "`mintwatch list` shows those that are",
        ),
        (&["rm"], "", "required arguments were not provided"),
    ] {
        let (code, out, err) = home.run(words, input);
        assert_eq!((code, out), (2, String::new()), "{words:?}: {err}");
        assert!(err.contains(want), "{words:?}: {err}");
        assert_eq!(home.text(), CONFIG, "{words:?}");
    }
    fs::write(home.config(), "jobs = []").unwrap();
    let (code, _, err) = home.run(&["add", "docs", "x"], "");
    assert_eq!(code, 2);
    assert!(err.contains("config.toml:1:1: unknown key `jobs`"), "{err}");
    fs::remove_file(home.config()).unwrap();
    let (code, _, err) = home.run(&["add", "docs", "x"], "");
    assert_eq!(code, 2);
    assert!(err.contains("`mintwatch init` writes one"), "{err}");
}

#[test]
fn each_verb_explains_itself_with_examples() {
    let home = Home::new(CONFIG);
    for verb in ["add", "rm"] {
        let (code, out, _) = home.run(&[verb, "--help"], "");
        assert_eq!(code, 0);
        assert!(out.contains("Examples:") && out.contains("JOB"), "{out}");
    }
}

#[test]
fn many_at_once_lose_nothing() {
    let home = Home::new("[[projects]]\nid = \"p\"\njobs = [\n]\n");
    let all_at_once = |verb: &[&str], code: i32| {
        let start = |number: usize| {
            let mut command = home.command();
            command.args(verb).arg(format!("j{number}"));
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        };
        let children: Vec<_> = (0..20).map(start).collect();
        for mut child in children {
            assert_eq!(child.wait().unwrap().code(), Some(code));
        }
    };
    all_at_once(&["add", "p"], 0);
    let mut ids = home.ids();
    ids.sort();
    let mut want: Vec<String> = (0..20).map(|number| format!("j{number}")).collect();
    want.sort();
    assert_eq!(ids, want);
    all_at_once(&["add", "p"], 0);
    all_at_once(&["rm"], 0);
    assert_eq!(home.text(), "[[projects]]\nid = \"p\"\njobs = [\n]\n");
    assert_eq!(home.unfinished(), 0);
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_config_or_the_new_one() {
    let mut text = String::from("[[projects]]\nid = \"p\"\njobs = [\n");
    for number in 0..500 {
        let _ = writeln!(
            text,
            "  {{ id = \"j{number}\", label = \"Job {number}\" }}, # {number}"
        );
    }
    let home = Home::new(&(text + "]\n"));
    let start = Instant::now();
    assert_eq!(home.run(&["add", "p", "first"], "").0, 0);
    let whole = start.elapsed();
    for number in 0..200 {
        let old = home.text();
        let id = format!("x{number}");
        let mut child = home
            .command()
            .args(["add", "p", &id])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(whole.mul_f64(fastrand::f64() * 1.2));
        child.kill().unwrap();
        child.wait().unwrap();
        let new = home.text();
        assert!(Config::parse(&new, Path::new("x")).is_ok());
        let added = old.replace("\n]", &format!("\n  \"{id}\",\n]"));
        assert!(new == old || new == added, "{number}");
        assert!(home.unfinished() <= 1, "{number}");
    }
    assert_eq!(home.run(&["add", "p", "last"], "").0, 0);
    assert_eq!(home.unfinished(), 0);
    assert_eq!(home.ids().last().unwrap(), "last");
}

#[test]
fn a_symlink_and_the_mode_stay() {
    let home = Home::new("");
    let real = home.folder.path().join("dotfiles");
    fs::create_dir(&real).unwrap();
    let real = real.join("mintwatch.toml");
    fs::write(&real, CONFIG).unwrap();
    fs::set_permissions(&real, Permissions::from_mode(0o640)).unwrap();
    fs::remove_file(home.config()).unwrap();
    symlink("dotfiles/mintwatch.toml", home.config()).unwrap();
    assert_eq!(home.run(&["add", "docs", "x"], "").0, 0);
    assert!(home.config().is_symlink());
    assert_eq!(home.ids(), ["job_1", "job_2", "x"]);
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o640
    );
}

#[test]
fn a_config_that_nobody_may_write_stays() {
    let home = Home::new(CONFIG);
    fs::set_permissions(home.config(), Permissions::from_mode(0o444)).unwrap();
    let (code, out, err) = home.run(&["add", "docs", "x"], "");
    assert_eq!((code, out), (2, String::new()));
    assert!(err.contains("config.toml: it is read-only: "), "{err}");
    assert_eq!(home.text(), CONFIG);
}

#[test]
fn a_folder_that_may_not_be_written_is_said() {
    let home = Home::new(CONFIG);
    let program = home.folder.path().join("mintwatch");
    fs::copy(assert_cmd::cargo::cargo_bin!("mintwatch"), &program).unwrap();
    fs::set_permissions(home.config(), Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(home.folder.path(), Permissions::from_mode(0o555)).unwrap();
    let mut command = Command::new(program);
    command
        .arg("--config")
        .arg(home.config())
        .args(["add", "docs", "x"]);
    if fs::File::create(home.folder.path().join("x")).is_ok() {
        // An administrator may write everywhere: become someone else.
        command.uid(65_534).gid(65_534);
    }
    let output = command.output().unwrap();
    fs::set_permissions(home.folder.path(), Permissions::from_mode(0o755)).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(
        err.contains("may not do so in ") && err.contains("chmod u+w"),
        "{err}"
    );
    assert_eq!(home.text(), CONFIG);
}

#[test]
fn a_change_that_waits_for_another_happens_after_it() {
    let home = Home::new(CONFIG);
    let lock = fs::File::create(home.folder.path().join(".config.toml.lock")).unwrap();
    lock.lock().unwrap();
    let mut child = home
        .command()
        .args(["add", "docs", "x"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // Not before the lock is free; what the other process has written stays.
    thread::sleep(Duration::from_millis(50));
    assert_eq!(child.try_wait().unwrap(), None);
    let other = CONFIG.replace("  \"job_1\", # one\n", "");
    fs::write(home.config(), other).unwrap();
    drop(lock);
    assert!(child.wait().unwrap().success());
    assert_eq!(home.ids(), ["job_2", "x"]);
}
