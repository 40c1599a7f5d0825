//! Copying text to the clipboard of the user's terminal, over SSH and in tmux too.
//!
//! OSC 52 asks the terminal (<https://invisible-island.net/xterm/ctlseqs/ctlseqs.html>). tmux drops
//! it from programs in its panes unless `set-clipboard` is `on`, but forwards its own buffers, so
//! inside tmux both are used. This file must not know what is copied.

use std::io::{self, Write};
use std::process::{Child, Command, Stdio};
use std::thread;

use crossterm::clipboard::CopyToClipboard;
use crossterm::execute;

use crate::environment::Environment;
use crate::text;

const MAX_BYTES: usize = 64 * 1024;

/// Sends `text`, cleaned line by line, to the clipboard of the terminal, which is `out`.
///
/// Terminals do not report whether they copied it; tmux does, and `in_tmux` is called once it has it.
/// Empty text is not sent: it would clear the clipboard.
pub fn copy(
    text: &str,
    environment: &Environment,
    out: &mut impl Write,
    in_tmux: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let lines = clean_lines(text);
    if lines.is_empty() {
        return Ok(());
    }
    execute!(out, CopyToClipboard::to_clipboard_from(&lines))?;
    if environment.in_tmux() {
        load_tmux_buffer(lines, environment, in_tmux);
    }
    Ok(())
}

/// The lines of `text`, each cleaned, without empty ones and those past the limit: half a link would
/// lead elsewhere.
fn clean_lines(text: &str) -> String {
    let mut lines = String::new();
    let cleaned = text.lines().map(text::clean);
    for line in cleaned.filter(|line| !line.is_empty()) {
        if lines.len() + 1 + line.len() > MAX_BYTES {
            break;
        }
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(&line);
    }
    lines
}

/// A failure is ignored: OSC 52 may have reached the terminal.
fn load_tmux_buffer(
    text: String,
    environment: &Environment,
    loaded: impl FnOnce() + Send + 'static,
) {
    // `-w` passes the buffer on to the terminal, since tmux 3.2.
    let forward = tmux(&["load-buffer", "-w", "-"], environment);
    let store = tmux(&["load-buffer", "-"], environment);
    // Started before the thread, so that the text arrives even if the program ends right after.
    let Ok(child) = feed(forward, &text) else {
        return;
    };
    let wait = move || {
        if succeeds(child) || feed(store, &text).is_ok_and(succeeds) {
            loaded();
        }
    };
    let _ = thread::Builder::new().name("tmux".into()).spawn(wait);
}

fn succeeds(mut child: Child) -> bool {
    child.wait().is_ok_and(|status| status.success())
}

/// The value of tmux's `set-clipboard`; `None` where tmux does not answer.
pub fn tmux_set_clipboard(environment: &Environment) -> Option<String> {
    let mut command = tmux(&["show-options", "-sv", "set-clipboard"], environment);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let value = text::clean(&String::from_utf8_lossy(&output.stdout));
    (!value.is_empty()).then_some(value)
}

fn tmux(arguments: &[&str], environment: &Environment) -> Command {
    let mut command = Command::new("tmux");
    command.args(arguments);
    environment.detach(&mut command);
    command.stdin(Stdio::piped());
    command
}

fn feed(mut command: Command, text: &str) -> io::Result<Child> {
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A child that does not read reports that by its exit status.
        let _ = input.write_all(text.as_bytes());
    }
    Ok(child)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `copy` writes to the terminal outside tmux.
    fn copied(text: &str) -> String {
        let environment = Environment::new([("TERM", "xterm")], &[] as &[&str]);
        let mut out = Vec::new();
        copy(text, &environment, &mut out, || unreachable!("no tmux")).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_bytes_are_osc_52() {
        for (text, payload) in [
            (
                "https://github.com/acme/docs/pull/412",
                "aHR0cHM6Ly9naXRodWIuY29tL2FjbWUvZG9jcy9wdWxsLzQxMg==",
            ),
            ("a\nb", "YQpi"),
            ("日本", "5pel5pys"),
        ] {
            assert_eq!(copied(text), format!("\u{1b}]52;c;{payload}\u{1b}\\"));
        }
    }

    #[test]
    fn nothing_is_written_for_nothing() {
        for text in ["", "\n\n", "\u{202e}\u{1b}"] {
            assert_eq!(copied(text), "");
        }
    }

    #[test]
    fn clean_lines_table() {
        for (text, want) in [
            ("one", "one"),
            ("one\ntwo\n", "one\ntwo"),
            ("one\r\n\n  two\t", "one\ntwo"),
            ("a\rb", "a b"),
            ("\u{1b}]52;c;eA==\u{7}\nx\u{202e}y", "]52;c;eA==\nxy"),
            ("a\u{2028}b", "a b"),
        ] {
            assert_eq!(clean_lines(text), want, "{text:?}");
        }
    }

    #[test]
    fn long_text_is_cut_between_lines() {
        let line = "x".repeat(1_000);
        let lines = clean_lines(&format!("{line}\n").repeat(100));
        assert_eq!(lines.lines().count(), 65);
        assert!(lines.len() <= MAX_BYTES && lines.lines().all(|one| one == line));
    }
}
