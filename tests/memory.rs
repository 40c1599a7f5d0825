//! What a run leaves to the next one.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::fs;

use support::command::{CANARY, Home, binary};
use support::fake_server::FakeServer;
use support::reply::Reply;
use support::terminal::Terminal;

const SIZE: (u16, u16) = (120, 20);

fn home(server: &FakeServer, store: &str) -> Home {
    let home = Home::new();
    home.write_config(&format!(
        "base_url = \"{}\"\n[poll]\nactive = \"100ms\"\n[store]\n{store}\n\
         [[projects]]\nid = \"docs\"\njobs = [\"job_a\", \"job_b\"]\n",
        server.base_url()
    ));
    home
}

fn start(home: &Home, arguments: &[&str]) -> Terminal {
    let argv: Vec<&str> = std::iter::once(binary())
        .chain(arguments.iter().copied())
        .collect();
    Terminal::start(home, &argv, &[("MINTLIFY_API_KEY", CANARY)], SIZE)
}

fn leave(mut terminal: Terminal) {
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn the_last_known_board_stands_without_a_network_and_changes_are_told_with_one() {
    let mut server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let home = home(&server, "");
    let terminal = start(&home, &[]);
    terminal.wait_for("2 active");
    leave(terminal);

    server.stop();
    let terminal = start(&home, &[]);
    terminal.wait_for("no connection");
    terminal.wait_for("2 active");
    leave(terminal);

    server.set_default(Reply::job("failed"));
    server.restart();
    let store = home.path().join(".local/state/mintwatch/store.db");
    let store = rusqlite::Connection::open(store).unwrap();
    let an_hour_ago = "UPDATE jobs SET fetched_at = fetched_at - 3600000";
    store.execute(an_hour_ago, []).unwrap();
    drop(store);
    let mut terminal = start(&home, &[]);
    terminal.wait_for("jobs changed while nobody watched: c shows which");
    terminal.wait_for("2 failed");
    terminal.send("c");
    terminal.wait_for("2 new changes of 2 jobs: C marks all as seen");
    terminal.wait_for("active to failed · found late, changed since");
    terminal.send("C");
    terminal.wait_for("marked the changes of 2 jobs as seen");
    terminal.send("q");
    leave(terminal);

    // Told once: the next run has nothing new to tell, and still knows what there was.
    let mut terminal = start(&home, &[]);
    terminal.wait_for("2 failed");
    terminal.send("c");
    terminal.wait_for("Nothing new since");
    terminal.wait_for("active to failed · found late, changed since");
    terminal.send("q");
    leave(terminal);
}

#[test]
fn a_run_that_is_killed_has_stored_what_it_showed() {
    let mut server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let home = home(&server, "");
    let mut terminal = start(&home, &[]);
    terminal.wait_for("2 active");
    let stored = || {
        let path = home.path().join(".local/state/mintwatch/store.db");
        fs::read(path).is_ok_and(|bytes| bytes.windows(5).any(|part| part == b"job_b"))
    };
    support::until_blocking(support::PATIENT, "it to be stored", stored);
    terminal.close();
    server.stop();
    let terminal = start(&home, &[]);
    terminal.wait_for("2 active");
    leave(terminal);
}

#[test]
fn without_a_store_nothing_is_remembered() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    for (store, arguments) in [("enabled = false", &[][..]), ("", &["--no-store"])] {
        let home = home(&server, store);
        let terminal = start(&home, arguments);
        terminal.wait_for("2 active");
        leave(terminal);
        assert!(!home.path().join(".local/state/mintwatch/store.db").exists());
    }
}

#[test]
fn a_store_that_cannot_be_read_is_said_and_disturbs_nothing() {
    let server = FakeServer::start();
    server.set_default(Reply::job("active"));
    let home = home(&server, "");
    let folder = home.path().join(".local/state/mintwatch");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("store.db"), "no database ".repeat(500)).unwrap();
    let terminal = start(&home, &[]);
    terminal.wait_for("the store could not be read");
    terminal.wait_for("2 active");
    leave(terminal);
    assert!(folder.join("store.db.corrupt").exists());

    let home = self::home(&server, "path = \"/dev/null/store.db\"");
    let terminal = start(&home, &[]);
    terminal.wait_for("nothing is remembered in this run");
    terminal.wait_for("2 active");
    leave(terminal);
}

#[test]
fn the_demo_remembers_in_a_folder_of_its_own_that_goes_with_it() {
    let home = Home::new();
    let temporary = home.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let variables = [("TMPDIR", temporary.to_str().unwrap())];
    let terminal = Terminal::start(&home, &[binary(), "--demo"], &variables, SIZE);
    terminal.wait_for("24 jobs");
    terminal.wait_for("completed");
    leave(terminal);
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    assert!(!home.path().join(".local").exists());
}

#[test]
fn an_acknowledgement_of_another_run_is_shown_and_outlasts_a_restart() {
    let server = FakeServer::start();
    server.set_default(Reply::job("failed"));
    let home = home(&server, "");
    let ack = |arguments: &[&str]| {
        let both = [&["ack", "job_a", "job_b"], arguments].concat();
        home.run(&both)
            .assert()
            .code(0)
            .stdout("docs/job_a\ndocs/job_b\n");
    };
    let terminal = start(&home, &[]);
    terminal.wait_for("2 need you");
    // It is stored on a thread of its own.
    let stored = || {
        home.run(&["ack", "--undo", "job_a", "job_b"])
            .output()
            .unwrap()
    };
    let is_stored = || stored().status.success();
    support::until_blocking(support::PATIENT, "it to be stored", is_stored);
    ack(&[]);
    terminal.wait_for("nothing needs you");
    ack(&["--undo"]);
    terminal.wait_for("2 need you");
    ack(&[]);
    terminal.wait_for("nothing needs you");
    leave(terminal);

    let terminal = start(&home, &[]);
    terminal.wait_for("2 failed");
    terminal.wait_for("nothing needs you");
    server.set_default(Reply::job("active"));
    home.run(&["list"]).assert().code(0);
    server.set_default(Reply::job("failed"));
    home.run(&["list"]).assert().code(0);
    terminal.wait_for("2 need you");
    leave(terminal);
}
