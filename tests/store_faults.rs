//! What a run does with a store that others use, or that cannot be used.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rustix::process::{Pid, Signal, kill_process};

use support::command::{CANARY, Home, binary};
use support::fake_server::FakeServer;
use support::reply::Reply;
use support::terminal::Terminal;
use support::{PATIENT, until_blocking};

const SIZE: (u16, u16) = (120, 20);

/// A home whose config lists so many jobs of `server`.
fn home(server: &FakeServer, jobs: usize) -> Home {
    let home = Home::new();
    let ids: Vec<_> = (0..jobs).map(|n| format!("\"job_{n}\"")).collect();
    home.write_config(&format!(
        "base_url = \"{}\"\n[poll]\nactive = \"100ms\"\n[[projects]]\nid = \"p\"\njobs = [{}]\n",
        server.base_url(),
        ids.join(", ")
    ));
    home
}

fn store(home: &Home) -> PathBuf {
    home.path().join(".local/state/mintwatch/store.db")
}

/// The store, to look into. A change that a killed run has left half made is taken back first.
fn open(home: &Home) -> Connection {
    Connection::open_with_flags(store(home), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap()
}

/// From what to what each job has changed, by the job, in the order in which it was stored.
fn changes(home: &Home) -> HashMap<String, Vec<(String, String)>> {
    let store = open(home);
    let mut statement = store
        .prepare("SELECT job, before, after FROM events WHERE kind = 'status' ORDER BY id")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))));
    let mut changes: HashMap<String, Vec<_>> = HashMap::new();
    for (job, change) in rows.unwrap().map(Result::unwrap) {
        changes.entry(job).or_default().push(change);
    }
    changes
}

/// Each change begins where the one before it has ended.
fn assert_unbroken(changes: &HashMap<String, Vec<(String, String)>>) {
    for (job, changes) in changes {
        for pair in changes.windows(2) {
            assert_eq!(pair[0].1, pair[1].0, "{job}: {changes:?}");
        }
    }
}

/// A `watch --json`, and the lines that it has printed.
struct Watch {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Watch {
    fn start(command: Command) -> Self {
        Self::start_with(command, CANARY)
    }

    fn start_with(mut command: Command, key: &str) -> Self {
        command
            .args(["watch", "--json"])
            .env("MINTLIFY_API_KEY", key)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let shared = Arc::clone(&lines);
        let reader = thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                shared.lock().unwrap().push(line);
            }
        });
        Self {
            child,
            lines,
            reader: Some(reader),
        }
    }

    /// How many lines tell of a change to `status`.
    fn count(&self, status: &str) -> usize {
        let to = format!("\"to\":\"{status}\"");
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|line| line.contains(&to)).count()
    }

    fn wait_for(&self, status: &str, count: usize) {
        let what = format!("{count} jobs to be told as {status}");
        until_blocking(PATIENT, &what, || self.count(status) >= count);
    }

    fn terminate(&self) {
        let id = Pid::from_child(&self.child);
        kill_process(id, Signal::TERM).unwrap();
    }

    /// Waits for the end, and gives what it has said on standard error.
    fn end(&mut self) -> String {
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        let mut said = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        said
    }

    fn leave(&mut self) -> String {
        self.terminate();
        self.end()
    }

    /// Kills it, and gives the lines that it has printed whole.
    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.end();
        std::mem::take(&mut *self.lines.lock().unwrap())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Of a test that fails; otherwise it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until the run that has `key` knows all jobs: it asks for one again only when it does. What
/// comes then is a change.
fn wait_until_known(server: &FakeServer, jobs: usize, key: &str) {
    let sent = format!("Bearer {key}");
    let all_known = || {
        let mut asked: HashMap<_, usize> = HashMap::new();
        for request in server.requests() {
            if request.header("authorization") == Some(&sent) {
                *asked.entry(request.path).or_default() += 1;
            }
        }
        asked.values().filter(|times| **times > 1).count() == jobs
    };
    until_blocking(PATIENT, "a run to know all jobs", all_known);
}

#[test]
fn two_runs_record_each_change_once() {
    const JOBS: usize = 50;
    const STEPS: usize = 10;
    let server = FakeServer::start();
    server.set_default(Reply::job("s0"));
    let home = home(&server, JOBS);
    let keys = ["mint_one", "mint_other"];
    let mut runs = keys.map(|key| Watch::start_with(home.command(), key));
    for key in keys {
        wait_until_known(&server, JOBS, key);
    }
    for step in 1..=STEPS {
        let status = format!("s{step}");
        server.set_default(Reply::job(&status));
        for run in &runs {
            run.wait_for(&status, JOBS);
        }
    }
    for run in &mut runs {
        assert_eq!(run.leave(), "");
        assert_eq!(run.lines.lock().unwrap().len(), JOBS * STEPS);
    }
    let steps = (1..=STEPS).map(|step| (format!("s{}", step - 1), format!("s{step}")));
    let steps: Vec<_> = steps.collect();
    let changes = changes(&home);
    assert_eq!(changes.len(), JOBS);
    for (job, changes) in changes {
        assert_eq!(changes, steps, "{job}");
    }
}

/// How often, in all; in `LANES` homes at a time, since a run is waiting for most of its life.
const KILLS: usize = 200;
const LANES: usize = 4;

#[test]
fn whenever_a_run_is_killed_its_store_is_whole_and_has_what_was_told() {
    let lanes = (0..LANES).map(|lane| thread::spawn(move || kill_often(lane)));
    let lanes: Vec<_> = lanes.collect();
    let told: usize = lanes.into_iter().map(|lane| lane.join().unwrap()).sum();
    assert!(told > 0);
}

/// Kills runs, and returns how many lines they have told.
fn kill_often(lane: usize) -> usize {
    let server = FakeServer::start();
    server.set_default(Reply::job("s0"));
    let home = home(&server, 5);
    let mut told = Vec::new();
    for round in 0..KILLS / LANES {
        let before = server.requests().len();
        let run = Watch::start(home.command());
        // At another moment each time: while it opens the store, or while jobs change.
        let mut moment = u64::try_from((round * 7 + lane * 3) % 45).unwrap();
        if round % 2 == 1 {
            server.wait_for_requests(before + 5, PATIENT);
            moment *= 4;
        }
        server.set_default(Reply::job(&format!("s{round}")));
        thread::sleep(Duration::from_millis(moment));
        told.extend(run.kill());
    }
    let sound: String = open(&home)
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
    let changes = changes(&home);
    assert_unbroken(&changes);
    for line in &told {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let [job, from, to] = ["id", "from", "to"].map(|name| event[name].as_str().unwrap());
        let change = (String::from(from), String::from(to));
        assert!(changes[job].contains(&change), "{line} is not stored");
    }
    told.len()
}

fn dashboard(home: &Home) -> Terminal {
    Terminal::start(home, &[binary()], &[("MINTLIFY_API_KEY", CANARY)], SIZE)
}

/// A store that another process keeps for itself until this is dropped.
fn lock_store(home: &Home) -> Connection {
    let other = Connection::open(store(home)).unwrap();
    other.busy_timeout(PATIENT).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    other
}

#[test]
fn a_locked_store_keeps_nobody_from_polling_or_leaving() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let home = home(&server, 2);
    home.run(&["list"]).assert().success();
    let lock = lock_store(&home);
    let mut watch = Watch::start_with(home.command(), "mint_watch");
    wait_until_known(&server, 2, "mint_watch");
    let mut terminal = dashboard(&home);
    terminal.wait_for("2 active");
    server.set_default(Reply::job("failed"));
    terminal.wait_for("2 failed");
    watch.wait_for("failed", 2);
    terminal.send("q");
    watch.terminate();
    assert_eq!(terminal.exit_code(), 0);
    assert_eq!(watch.end(), "");
    drop(lock);
    // The next run sees what these could not store.
    let mut next = Watch::start(home.command());
    until_blocking(PATIENT, "it to be stored", || {
        changes(&home).values().map(Vec::len).sum::<usize>() == 2
    });
    next.leave();
}

#[test]
fn a_newer_store_and_one_of_another_program_are_left_alone_and_named() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    for (sql, want) in [
        (
            "PRAGMA user_version = 99",
            "written by a newer mintwatch (schema 99)",
        ),
        (
            "CREATE TABLE jobs (id INTEGER)",
            "it is the database of another program",
        ),
    ] {
        let home = home(&server, 2);
        let folder = home.path().join(".local/state/mintwatch");
        fs::create_dir_all(&folder).unwrap();
        let other = Connection::open(store(&home)).unwrap();
        other.execute_batch(sql).unwrap();
        drop(other);
        let before = fs::read(store(&home)).unwrap();
        let output = home.run(&["list"]).assert().success().get_output().clone();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.matches('\n').count(), 1, "{said}");
        assert!(said.contains(want), "{said}");
        assert!(String::from_utf8(output.stdout).unwrap().contains("job_1"));
        assert_eq!(fs::read(store(&home)).unwrap(), before);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}

#[test]
fn a_dashboard_draws_what_others_have_filled_the_store_with() {
    let mut server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let home = home(&server, 3);
    home.run(&["list"]).assert().success();
    server.stop();
    let other = Connection::open(store(&home)).unwrap();
    let text = "char(27) || ']0;owned' || char(7) || char(8238) || char(155) || '31m'
        || replace(hex(zeroblob(50000)), '0', 'x')";
    let most = i64::MAX;
    other
        .execute_batch(&format!(
            "UPDATE jobs SET branch = {text}, model = {text}, status = {text}, repository = {text},
                 pull_request = 'javascript:alert(1)//' || {text}, created_at = {most},
                 changed_at = -{most}, finished_at = {most}, archived_at = -1, started_at = -{most};
             UPDATE jobs SET fetched_at = {most} WHERE job = 'job_1';
             UPDATE jobs SET fetched_at = 253402207200999, created_at = -377705023201000
                 WHERE job = 'job_2';
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 60000)
                 INSERT INTO events (at, base_url, project, job, kind, before, after, ran)
                 SELECT (i % 3 - 1) * {most}, base_url, 'p', 'job_' || (i % 3), 'status', 'active',
                     'failed', (i % 2 * 2 - 1) * {most} FROM n, (SELECT DISTINCT base_url FROM jobs);
             INSERT INTO events (at, base_url, project, job, kind, before, after, ran)
                 SELECT fetched_at, base_url, 'p', 'job_0', 'status', {text}, {text}, {most}
                 FROM jobs WHERE job = 'job_0';"
        ))
        .unwrap();
    drop(other);
    let mut terminal = dashboard(&home);
    terminal.wait_for("31mxxx");
    terminal.send("c");
    terminal.wait_for("C marks all as seen");
    terminal.send("\u{1b}");
    terminal.wait_until_gone("C marks all as seen");
    terminal.send("\r");
    terminal.wait_for("Pull request");
    terminal.send("o");
    terminal.wait_for("link refused");
    terminal.send("qq");
    assert_eq!(terminal.exit_code(), 0);
    let wire = String::from_utf8_lossy(&terminal.wire()).into_owned();
    for hostile in ["\u{1b}]0;owned", "\u{202e}", "\u{9b}"] {
        assert!(!wire.contains(hostile), "{hostile:?}");
    }
}

/// A user whom the system does not know has no home folder, except where `HOME` names one.
#[test]
fn without_a_home_folder_nothing_is_remembered_or_written() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    const STRANGER: u32 = 54_321;
    if !rustix::process::geteuid().is_root() {
        // Only root can run a program as somebody else.
        return;
    }
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let home = home(&server, 2);
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    for (from, name) in [
        (binary().as_ref(), "mintwatch"),
        (&*home.config_path(), "config"),
    ] {
        fs::copy(from, folder.path().join(name)).unwrap();
    }
    for verb in ["list", "doctor"] {
        let mut command = Command::new(folder.path().join("mintwatch"));
        command
            .args([verb, "--config", "config"])
            .current_dir(folder.path())
            .env_clear()
            .env("MINTLIFY_API_KEY", CANARY)
            .uid(STRANGER)
            .gid(STRANGER);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said, "", "{shown}");
        let want = match verb {
            "list" => (Some(0), "job_1"),
            _ => (Some(1), "no home folder, so that nothing is remembered"),
        };
        assert_eq!(output.status.code(), want.0);
        assert!(shown.contains(want.1), "{shown}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}
