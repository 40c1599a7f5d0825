//! The binary in a real pseudo-terminal: what a person sees, and that the terminal comes back.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::time::Duration;

use mintwatch::tui::terminal::TerminalGuard;
use rustix::process::Signal;
use support::PATIENT;
use support::command::{Home, binary};
use support::fake_server::FakeServer;
use support::reply::Reply;
use support::terminal::Terminal;
use tokio_util::task::TaskTracker;

const SIZE: (u16, u16) = (100, 30);

fn demo(home: &Home) -> Terminal {
    let terminal = Terminal::start(home, &[binary(), "--demo"], &[], SIZE);
    terminal.wait_for("mintwatch demo");
    terminal
}

/// The dashboard of three active jobs that stay as they are.
fn quiet(home: &Home, server: &FakeServer) -> Terminal {
    quiet_with(home, server, "")
}

/// The same with more in its config.
fn quiet_with(home: &Home, server: &FakeServer, more: &str) -> Terminal {
    server.set_default(Reply::job("active"));
    home.write_config(&format!(
        "base_url = \"{}\"\n{more}\n[[projects]]\nid = \"docs\"\njobs = [\"job_a\", \"job_b\", \"job_c\"]\n",
        server.base_url()
    ));
    let key = [("MINTLIFY_API_KEY", "mint_test_key")];
    let terminal = Terminal::start(home, &[binary()], &key, SIZE);
    terminal.wait_for("3 active");
    terminal
}

#[test]
fn a_person_looks_round_the_demo_and_leaves() {
    let home = Home::new();
    let mut terminal = demo(&home);
    terminal.wait_for("24 jobs");
    terminal.wait_for("completed");
    terminal.wait_for("#");
    terminal.send("?");
    terminal.wait_for("next job");
    terminal.send("\u{1b}");
    terminal.wait_until_gone("next job");
    terminal.send("\r");
    terminal.wait_for("Repository");
    terminal.send("\u{1b}");
    terminal.wait_until_gone("Repository");
    terminal.send("/zzzz");
    terminal.wait_for("Nothing here matches /zzzz");
    terminal.resize(40, 12);
    // The tabs in their short form.
    terminal.wait_for("│2:");
    terminal.send("\u{1b}");
    terminal.wait_until_gone("zzzz");
    terminal.resize(100, 30);
    terminal.wait_for("MODEL");
    // Esc has been taken by itself, and does not begin a sequence with what comes next.
    terminal.wait_for("? help");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn keys_move_the_selection_and_the_title_tells_the_counts() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut terminal = quiet(&home, &server);
    terminal.wait_for_bytes(0, "mintwatch: 3 active, 0 need you\u{7}");
    let mut before = terminal.selected();
    for key in [
        "j", "\u{1b}[B", "k", "\u{1b}[A", "G", "g", "\u{1b}[F", "\u{1b}[H",
    ] {
        terminal.send(key);
        terminal.wait_for_other_selection(before.as_ref());
        before = terminal.selected();
    }
    terminal.send("\u{3}");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn ctrl_l_draws_everything_anew() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut terminal = quiet(&home, &server);
    let before = terminal.written();
    terminal.send("\u{c}");
    terminal.wait_for_bytes(before, "\u{1b}[2J");
    terminal.wait_for_bytes(before, "job_b");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn a_suspended_dashboard_gives_the_terminal_back_and_comes_back() {
    let (home, server) = (Home::new(), FakeServer::start());
    drop(quiet(&home, &server));
    let script = format!(
        "n=0; {}; \
         while :; do n=$((n+1)); echo STOPPED $n; read answer; test $answer = on || break; fg; done",
        binary()
    );
    let key = [("MINTLIFY_API_KEY", "mint_test_key")];
    let mut terminal = Terminal::start(&home, &["sh", "-mc", &script], &key, SIZE);
    for round in 1..=5 {
        // Each time by its number: until it stops, the program itself still reads what is typed.
        let stopped = format!("STOPPED {round}");
        terminal.wait_for("3 active");
        terminal.send("\u{1a}");
        terminal.wait("the shell's screen", |screen| {
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.contents().contains(&stopped)
        });
        terminal.send("on\r");
        terminal.wait("the dashboard", vt100::Screen::alternate_screen);
    }
    terminal.wait_for("job_b");
    terminal.send("q");
    terminal.wait_for("STOPPED 6");
    terminal.send("off\r");
    terminal.exit_code();
    terminal.assert_restored();
}

/// The reload that an action brings about says nothing over what the action says.
#[test]
fn what_an_action_says_outlives_the_reload_that_it_brings_about() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut terminal = quiet(&home, &server);
    terminal.send("/job_b\r");
    terminal.wait_until_gone("job_a");
    terminal.send("x");
    terminal.answer("Stop watching job_b?", "y");
    terminal.wait_for("Nothing here matches");
    terminal.wait_for("no longer watching 1 job");
    terminal.send("\u{1b}");
    terminal.wait("the message beside the reloaded rows", |screen| {
        let text = screen.contents();
        text.contains("job_a") && text.contains("no longer watching 1 job")
    });
}

#[test]
fn a_changed_config_shows_at_once_and_a_broken_one_is_said() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut terminal = quiet(&home, &server);
    terminal.send("/job_b\r");
    terminal.wait_until_gone("job_a");
    let config = |jobs: &str| {
        home.write_config(&format!(
            "base_url = \"{}\"\n[[projects]]\nid = \"docs\"\njobs = [{jobs}]\n",
            server.base_url()
        ));
    };
    config("\"job_b\", \"job_bb\"");
    terminal.wait_for("job_bb");
    terminal.wait_for("2 active");
    assert!(
        terminal.selected().unwrap().contains("job_b "),
        "{:?}",
        terminal.selected()
    );
    config("nonsense");
    terminal.wait_for("config.toml:4:9");
    terminal.wait_for("job_bb");
    terminal.send("e");
    terminal.wait_for("4 | jobs = [nonsense]");
    terminal.wait_for("  |         ^");
    config("\"job_b\", \"job_bb\"");
    terminal.wait_until_gone("nonsense");
    terminal.wait_for("Nothing has failed");
    terminal.send("\u{1b}");
    // Another config: everything is polled again, known values stay.
    home.write_config(&format!(
        "base_url = \"{}\"\n[poll]\nactive = \"200ms\"\n[[projects]]\nid = \"docs\"\njobs = [\"job_b\"]\n",
        server.base_url()
    ));
    terminal.wait_until_gone("job_bb");
    server.set("docs", "job_b", Reply::job("failed"));
    terminal.wait_for("1 failed");
    // Another key for leaving, and other columns.
    home.write_config(&format!(
        "base_url = \"{}\"\n[keys]\nquit = \"z\"\n[ui]\ncolumns = [\"job\", \"pr\"]\n\
         [[projects]]\nid = \"docs\"\njobs = [\"job_b\"]\n",
        server.base_url()
    ));
    terminal.wait_until_gone("BRANCH");
    terminal.send("z");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn each_signal_ends_it_and_the_terminal_comes_back() {
    for (signal, number) in [
        (Signal::TERM, 15),
        (Signal::INT, 2),
        (Signal::HUP, 1),
        (Signal::QUIT, 3),
    ] {
        let (home, server) = (Home::new(), FakeServer::start());
        let mut terminal = quiet(&home, &server);
        terminal.signal(signal);
        assert_eq!(terminal.exit_code(), 128 + number);
        terminal.assert_restored();
    }
}

#[test]
fn a_closed_terminal_ends_it() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut terminal = quiet(&home, &server);
    terminal.close();
    terminal.exit_code();
}

#[test]
fn a_closed_terminal_ends_it_where_sighup_is_ignored() {
    let (home, server) = (Home::new(), FakeServer::start());
    drop(quiet(&home, &server));
    let script = format!("trap '' HUP; exec {}", binary());
    let key = [("MINTLIFY_API_KEY", "mint_test_key")];
    let mut terminal = Terminal::start(&home, &["sh", "-c", &script], &key, SIZE);
    terminal.wait_for("3 active");
    terminal.close();
    terminal.exit_code();
}

#[test]
fn a_closed_terminal_ends_it_where_no_sighup_comes() {
    let (home, server) = (Home::new(), FakeServer::start());
    drop(quiet(&home, &server));
    let key = [("MINTLIFY_API_KEY", "mint_test_key")];
    let mut terminal = Terminal::start_without_sighup(&home, &[binary()], &key, SIZE);
    terminal.wait_for("3 active");
    terminal.close();
    terminal.exit_code();
}

#[test]
fn a_terminal_that_nobody_reads_stops_neither_polls_nor_signals() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut terminal = quiet_with(&home, &server, "[poll]\nactive = \"100ms\"");
    terminal.stall();
    // Far more frames than the system keeps for a reader.
    for round in 1..=50 {
        terminal.send("\u{c}");
        let polls = server.requests_of("docs", "job_b").len() + 1;
        server.wait_for_requests_of("docs", "job_b", polls, PATIENT);
        assert!(polls > round);
    }
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.exit_code(), 128 + 15);
    terminal.assert_line_discipline_restored();
}

#[test]
fn a_terminal_that_cannot_be_drawn_on_is_told_so_in_plain_text() {
    let home = Home::new();
    for (term, words) in [("dumb", "TERM is dumb"), ("", "TERM is not set")] {
        let mut terminal = Terminal::start(&home, &[binary(), "--demo"], &[("TERM", term)], SIZE);
        assert_eq!(terminal.exit_code(), 2);
        let wire = String::from_utf8(terminal.wire()).unwrap();
        assert!(
            wire.contains(words) && wire.contains("mintwatch list"),
            "{wire}"
        );
        assert!(!wire.contains('\u{1b}'), "{wire}");
    }
}

#[test]
fn pasted_text_and_torn_sequences_are_no_keys() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut terminal = quiet(&home, &server);
    terminal.send("\u{1b}[200~qqq\u{3}q\u{1b}[201~");
    terminal.send("/job_b\u{1b}[200~q\u{1b}[201~");
    terminal.wait_for("Nothing here matches /job_bq");
    terminal.send("\u{1b}");
    terminal.wait_for("job_c");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn an_ascii_locale_and_no_color_are_heeded() {
    let home = Home::new();
    let variables = [("LANG", "C"), ("NO_COLOR", "1")];
    let mut terminal = Terminal::start(&home, &[binary(), "--demo"], &variables, SIZE);
    terminal.wait_for("completed");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    let wire = String::from_utf8(terminal.wire()).unwrap();
    assert!(wire.is_ascii());
    let coloured = (30..=37)
        .chain(90..=97)
        .map(|code| format!("\u{1b}[{code}m"));
    for sequence in coloured.chain([String::from("\u{1b}[38;")]) {
        assert!(!wire.contains(&sequence), "{sequence:?}");
    }
}

/// What turns the mouse on and off.
const MOUSE: [&str; 4] = ["1000h", "1006h", "1006l", "1000l"];

#[test]
fn the_mouse_is_taken_only_where_asked_and_given_back() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut terminal = quiet(&home, &server);
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    let wire = String::from_utf8(terminal.wire()).unwrap();
    assert!(!wire.contains("\u{1b}[?100"), "not asked for");

    let mut terminal = quiet_with(&home, &server, "[ui]\nmouse = true");
    let before = terminal.selected();
    // A click on the second row, at column 10 and line 5 from 1.
    terminal.send("\u{1b}[<0;10;5M\u{1b}[<0;10;5m");
    terminal.wait_for_other_selection(before.as_ref());
    let before = terminal.selected();
    terminal.send("\u{1b}[<64;10;5M");
    terminal.wait_for_other_selection(before.as_ref());
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
    let wire = String::from_utf8(terminal.wire()).unwrap();
    let count = |mode: &str| wire.matches(&format!("\u{1b}[?{mode}")).count();
    assert_eq!(MOUSE.map(count), [1; 4]);
}

#[test]
fn the_mouse_is_given_back_while_suspended() {
    let (home, server) = (Home::new(), FakeServer::start());
    drop(quiet_with(&home, &server, "[ui]\nmouse = true"));
    let script = format!("{}; echo STOPPED; read answer; fg", binary());
    let key = [("MINTLIFY_API_KEY", "mint_test_key")];
    let mut terminal = Terminal::start(&home, &["sh", "-mc", &script], &key, SIZE);
    terminal.wait_for("3 active");
    let off =
        |screen: &vt100::Screen| screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None;
    terminal.wait("the mouse", |screen| !off(screen));
    terminal.send("\u{1a}");
    terminal.wait("the shell with its mouse", |screen| {
        off(screen) && screen.contents().contains("STOPPED")
    });
    terminal.send("on\r");
    terminal.wait("the mouse again", |screen| !off(screen));
    terminal.send("q");
    terminal.exit_code();
    terminal.assert_restored();
}

#[test]
fn the_mouse_and_the_title_follow_the_config() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut terminal = quiet(&home, &server);
    let off =
        |screen: &vt100::Screen| screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None;
    let config = |looks: &str| {
        home.write_config(&format!(
            "base_url = \"{}\"\n{looks}\n[[projects]]\nid = \"docs\"\njobs = [\"job_a\"]\n",
            server.base_url()
        ));
    };
    config("[ui]\nmouse = true\ntitle = false\nascii = true\ntheme = \"plain\"");
    terminal.wait("the mouse", |screen| !off(screen));
    terminal.wait_for("o active");
    terminal.wait_for_bytes(0, "\u{1b}[23;2t\u{1b}[22;2t");
    config("");
    terminal.wait("the mouse given back", off);
    terminal.wait_for("● active");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn what_the_config_says_of_looks_is_heeded_and_the_flags_win() {
    let (home, server) = (Home::new(), FakeServer::start());
    let looks =
        "[ui]\ntheme = \"plain\"\nascii = true\ntitle = false\ncolumns = [\"job\", \"status\"]";
    let mut terminal = quiet_with(&home, &server, looks);
    terminal.wait_for("o active");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    let wire = String::from_utf8(terminal.wire()).unwrap();
    assert!(wire.is_ascii() && !wire.contains("BRANCH"));
    assert!(!wire.contains("\u{1b}]"), "no title");
    let coloured = |wire: &str| wire.contains("\u{1b}[38;") || wire.contains("\u{1b}[36m");
    assert!(!coloured(&wire));

    let key = [("MINTLIFY_API_KEY", "mint_test_key")];
    let arguments = [binary(), "--color", "always"];
    let mut terminal = Terminal::start(&home, &arguments, &key, SIZE);
    terminal.wait_for("3 active");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    assert!(coloured(&String::from_utf8(terminal.wire()).unwrap()));
}

#[test]
fn a_wrong_key_or_column_is_told_before_anything_is_drawn() {
    let (home, server) = (Home::new(), FakeServer::start());
    drop(quiet(&home, &server));
    for (more, words) in [
        (
            "[keys]\nopne = \"x\"",
            "3:1: unknown action `opne`: did you mean `open`?",
        ),
        ("[ui]\nview = \"mien\"", "3:8: unknown view `mien`"),
    ] {
        home.write_config(&format!("# The top.\n{more}\n"));
        // Without an API key: the config is looked at first.
        let mut terminal = Terminal::start(&home, &[binary()], &[], (200, 30));
        assert_eq!(terminal.exit_code(), 2);
        let wire = String::from_utf8(terminal.wire()).unwrap();
        assert!(wire.contains(words) && wire.contains('^'), "{wire}");
        assert!(!wire.contains('\u{1b}'), "{wire}");
    }
}

#[test]
fn a_megabyte_that_is_pasted_is_taken_in_and_acts_on_nothing() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut terminal = quiet(&home, &server);
    terminal.send("/\u{1b}[200~");
    let line = "q\u{7}x o\r".repeat(1 << 10);
    for _ in 0..(1 << 20) / line.len() {
        terminal.send(&line);
    }
    terminal.send("\u{1b}[201~");
    terminal.wait_for("Nothing here matches");
    terminal.send("\u{1b}");
    terminal.wait_for("job_c");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
    assert!(home.config_path().exists());
}

#[test]
fn any_size_at_any_time_is_survived() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut terminal = quiet(&home, &server);
    let mut rng = fastrand::Rng::with_seed(7);
    for round in 0..2_000 {
        let (columns, rows) = match round % 50 {
            0 => (0, 0),
            1 => (1, 1),
            _ => (rng.u16(0..250), rng.u16(0..80)),
        };
        terminal.resize_window(columns, rows);
        let keys = ["j", "p", "\r", "\u{1b}", "?", "e", "s", "k"];
        if round % 20 == 0 {
            terminal.send(keys[rng.usize(0..keys.len())]);
        }
    }
    terminal.resize(100, 30);
    // Out of whatever is open, and once more, since q only goes back from there.
    terminal.send("\u{1b}");
    terminal.wait_for("3 active");
    terminal.send("\u{3}");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}

/// Runs one of the tests below in a terminal, as a program of its own.
fn panicking(home: &Home, name: &str) -> Terminal {
    let this = std::env::current_exe().unwrap();
    let argv = [
        this.to_str().unwrap(),
        "--exact",
        name,
        "--ignored",
        "--nocapture",
    ];
    Terminal::start(home, &argv, &[], SIZE)
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    let home = Home::new();
    for name in ["child_panics_in_the_loop", "child_panics_in_the_background"] {
        let mut terminal = panicking(&home, name);
        assert_ne!(terminal.exit_code(), 0, "{name}");
        terminal.assert_restored();
        let wire = String::from_utf8_lossy(&terminal.wire()).into_owned();
        let (back, told) = (
            wire.rfind("?1049l").unwrap(),
            wire.find("a fault of").unwrap(),
        );
        assert!(back < told, "{name}: {wire:?}");
    }
}

fn take_terminal() -> TerminalGuard {
    TerminalGuard::take(true, &TaskTracker::new(), Duration::ZERO).unwrap()
}

#[test]
#[ignore = "run by a_panic_gives_the_terminal_back_before_it_is_told, in a terminal"]
fn child_panics_in_the_loop() {
    let _modes = take_terminal();
    panic!("a fault of the loop");
}

#[test]
#[ignore = "run by a_panic_gives_the_terminal_back_before_it_is_told, in a terminal"]
fn child_panics_in_the_background() {
    let modes = take_terminal();
    let ended = std::thread::spawn(|| panic!("a fault of the background")).join();
    // What the dashboard does when its poller has ended.
    modes.restore();
    assert!(ended.is_ok(), "the background has ended");
}
