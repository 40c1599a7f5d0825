//! What comes from the terminal besides keys, in a real pseudo-terminal: replies that nobody asked
//! for, torn sequences, sizes of nothing a person has, and a stop that the program does not see.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use rustix::process::Signal;
use support::command::{Home, binary};
use support::fake_server::FakeServer;
use support::reply::Reply;
use support::terminal::Terminal;
use support::{PATIENT, until_blocking};

const SIZE: (u16, u16) = (100, 30);

/// The dashboard of three active jobs that stay as they are.
fn start(home: &Home, server: &FakeServer) -> Terminal {
    server.set_default(Reply::job("active"));
    home.write_config(&format!(
        "base_url = \"{}\"\n[[projects]]\nid = \"docs\"\njobs = [\"job_a\", \"job_b\", \"job_c\"]\n",
        server.base_url()
    ));
    let key = [("MINTLIFY_API_KEY", "mint_test_key")];
    let terminal = Terminal::start(home, &[binary()], &key, SIZE);
    terminal.wait_for("3 active");
    terminal
}

/// Whole replies, and sequences that never end.
const STRAY: [&str; 14] = [
    "\u{1b}[?997;1n",
    "\u{1b}[?2026;2$y",
    "\u{1b}[?1;0;256S",
    "\u{1b}[?62;22c",
    "\u{1b}[>0;10;1c",
    "\u{1b}[5;1R",
    "\u{1b}[8;24;80t",
    "\u{1b}[?1u",
    "\u{1b}]11;rgb:0000/0000/0000\u{7}",
    "\u{1b}]52;c;bnEgeA==\u{1b}\\",
    "\u{1b}P>|XTerm(390)\u{1b}\\",
    "\u{1b}[200~never ends: q n x",
    "\u{1b}[<0;1",
    "\u{1b}]11;rgb:",
];

#[test]
fn after_any_stray_reply_the_next_key_works_and_none_is_taken_for_keys() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut terminal = start(&home, &server);
    for stray in STRAY {
        terminal.send(stray);
        // A person does not type at the moment in which a reply comes in.
        std::thread::sleep(std::time::Duration::from_secs(1));
        terminal.send("?");
        terminal.wait_for("next job");
        terminal.send("?");
        terminal.wait_until_gone("next job");
        terminal.wait_for("3 active");
    }
    terminal.send("\u{1b}[?997;1n");
    terminal.resize(30, 20);
    terminal.wait("another size", |screen| {
        !screen.contents().contains("BRANCH")
    });
    terminal.send("\u{3}");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn a_stop_that_it_does_not_see_is_made_good_when_it_is_continued() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut terminal = start(&home, &server);
    terminal.signal(Signal::STOP);
    terminal.make_cooked();
    terminal.scribble("\u{1b}[2J\u{1b}[?25h\u{1b}[?2004l$ fg");
    let before = terminal.written();
    terminal.signal(Signal::CONT);
    terminal.wait_for_bytes(before, "job_b");
    terminal.wait("the modes and the rows", |screen| {
        screen.hide_cursor() && screen.bracketed_paste() && screen.contents().contains("job_c")
    });
    terminal.wait_until_raw();
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn a_size_that_no_screen_has_is_survived_and_takes_bounded_memory() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut terminal = start(&home, &server);
    for (columns, rows) in [
        (32_767, 30),
        (32_767, 32_767),
        (u16::MAX, 1),
        (1, u16::MAX),
        (u16::MAX, u16::MAX),
    ] {
        let before = terminal.written();
        terminal.resize_window(columns, rows);
        terminal.wait_for_bytes(before, "\u{1b}[2J");
        assert!(terminal.peak_memory() < 512 << 20, "{columns}x{rows}");
    }
    terminal.resize_window(100, 30);
    terminal.wait_for("3 active");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn keys_that_keep_coming_are_not_swallowed_for_ever() {
    let (home, server) = (Home::new(), FakeServer::start());
    let mut terminal = start(&home, &server);
    let before = terminal.selected();
    terminal.send("\u{1b}]11;rgb:");
    until_blocking(PATIENT, "a key that acts", || {
        std::thread::sleep(std::time::Duration::from_millis(100));
        terminal.send("j");
        terminal.selected() != before
    });
    terminal.send("\u{1b}[200~never ends");
    // Apart from it, as a person presses it.
    std::thread::sleep(std::time::Duration::from_millis(200));
    terminal.send("\u{3}");
    assert_eq!(terminal.exit_code(), 0);
}
