//! The user's editor on the prompt that is being written, in a real pseudo-terminal: what it sees, that
//! it has the terminal for itself, and that both come back.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::fs;

use rustix::process::Signal;
use support::PATIENT;
use support::command::{Home, binary};
use support::fake_server::FakeServer;
use support::reply::Reply;
use support::terminal::Terminal;

/// Writes down what it sees, says so, and puts the line that is typed into the file.
const EDITOR: &str = "cp \"$1\" \"$HOME/document\"; env > \"$HOME/environment\"
echo EDITING; read line; echo \"$line\" > \"$1\"";

/// A dashboard with a follow-up that is being written, and `EDITOR` set to a script.
struct Writing {
    home: Home,
    server: FakeServer,
    terminal: Terminal,
}

impl Writing {
    fn new(script: &str) -> Self {
        let home = Home::new();
        let path = home.path().join("editor");
        fs::write(&path, script).unwrap();
        // By its shell: a file that was written just now may still be open in another test's child.
        Self::with_editor(home, &format!("sh '{}'", path.display()))
    }

    fn with_editor(home: Home, editor: &str) -> Self {
        let server = FakeServer::start();
        server.set_default(Reply::job("active"));
        home.write_config(&format!(
            "base_url = \"{}\"\n[poll]\nactive = \"200ms\"\n[[projects]]\nid = \"docs\"\n\
             jobs = [\"job_a\"]\n",
            server.base_url()
        ));
        let variables = [
            ("MINTLIFY_API_KEY", "mint_test_key"),
            ("CURL_HEADER", "Authorization: Bearer mint_test_key"),
            ("EDITOR", editor),
        ];
        let mut terminal = Terminal::start(&home, &[binary()], &variables, (160, 24));
        terminal.wait_for("1 active");
        terminal.send("f");
        terminal.wait_for("Follow-up to job_a");
        terminal.send("# Mention pip");
        terminal.wait_for("# Mention pip");
        Self {
            home,
            server,
            terminal,
        }
    }

    fn open_editor(&mut self) {
        // Not what the editor before has left on its screen.
        let before = self.terminal.written();
        self.terminal.send("\u{5}");
        self.terminal.wait_for_bytes(before, "EDITING");
        self.terminal.assert_line_discipline_restored();
    }

    fn wait_for_polls(&self, more: usize) {
        let polls = self.server.requests_of("docs", "job_a").len() + more;
        self.server
            .wait_for_requests_of("docs", "job_a", polls, PATIENT);
    }

    fn leave(mut self) {
        self.terminal.send("\u{3}");
        self.terminal.answer("Drop the text for job_a?", "\u{3}");
        assert_eq!(self.terminal.exit_code(), 0);
        self.terminal.assert_restored();
    }

    fn seen(&self, file: &str) -> String {
        fs::read_to_string(self.home.path().join(file)).unwrap()
    }
}

#[test]
fn the_editor_has_the_terminal_sees_no_key_and_gives_both_back() {
    let mut writing = Writing::new(EDITOR);
    for round in 1..=3 {
        writing.open_editor();
        writing.terminal.wait("the editor's screen", |screen| {
            !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
        });
        writing.wait_for_polls(2);
        writing
            .terminal
            .send(&format!("quote{round} whole lines\r"));
        let text = format!("quote{round} whole lines");
        writing.terminal.wait("the text on our screen", |screen| {
            screen.alternate_screen() && screen.contents().contains(&text)
        });
        writing.terminal.wait_for("Follow-up to job_a");
        writing.terminal.wait_until_raw();
    }
    let document = writing.seen("document");
    let want = "quote2 whole lines\n\n<!-- mintwatch: Follow-up to job_a -->\n<!-- mintwatch: ";
    assert!(document.starts_with(want), "{document}");
    let environment = writing.seen("environment");
    assert!(environment.contains("HOME="), "{environment}");
    assert!(!environment.contains("mint_test_key"), "{environment}");
    writing.leave();
}

#[test]
fn an_editor_that_is_interrupted_fails_or_is_missing_leaves_the_text() {
    let mut writing = Writing::new(EDITOR);
    writing.open_editor();
    writing.terminal.send("\u{3}");
    writing.terminal.wait_for("the editor ended with signal: 2");
    writing.terminal.wait_for("; the text is as it was");
    writing.terminal.wait_for("# Mention pip");
    writing.leave();

    for (editor, said) in [
        ("false", "the editor ended with exit status: 1"),
        (
            "no-such-editor",
            "cannot start the editor no-such-editor ($EDITOR)",
        ),
        ("", "no editor is set: set VISUAL or EDITOR"),
    ] {
        let mut writing = Writing::with_editor(Home::new(), editor);
        writing.terminal.send("\u{5}");
        writing.terminal.wait_for(said);
        writing.terminal.wait_for("# Mention pip");
        writing.leave();
    }
}

#[test]
fn a_signal_ends_the_dashboard_and_the_editor() {
    let mut writing = Writing::new(EDITOR);
    writing.open_editor();
    writing.terminal.signal(Signal::TERM);
    assert_eq!(writing.terminal.exit_code(), 128 + 15);
    // Nobody has it any more, or the wire would not end.
    writing.terminal.assert_restored();
}

#[test]
fn a_refused_job_was_not_started() {
    let mut writing = Writing::new(EDITOR);
    writing.server.set_default(Reply::forbidden());
    writing.terminal.send("\u{1b}");
    writing.terminal.wait_for("the text is kept");
    writing.terminal.send("n");
    writing.terminal.wait_for("New job in docs");
    writing.terminal.send("Do it\u{13}");
    writing.terminal.answer("Start a job in docs?", "y");
    writing.terminal.wait_for("not started: not allowed (403)");
    writing.terminal.send("e");
    writing.terminal.wait("the list of errors", |screen| {
        let text = screen.contents();
        text.contains("new job") && text.contains("   not started: not allowed (403)")
    });
}
