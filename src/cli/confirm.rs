//! The question before something is written, and how many writes to the API there were.
//!
//! This file must not know what is written.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{QueueSelector, tcflush};

use crate::mintlify::write::WRITES_AN_HOUR;

/// Whether there is somebody to ask.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks `question` on the terminal: anything but a yes is a no.
pub fn ask(question: &str) -> io::Result<bool> {
    // What was typed before the question could be seen is no answer to it.
    let _ = tcflush(io::stdin(), QueueSelector::IFlush);
    confirm(question, &mut io::stdin().lock(), &mut io::stderr())
}

/// `question` with the project's writes of this hour, where those are known.
pub fn with_count(question: &str, this_hour: Option<usize>) -> String {
    let count = this_hour.map_or_else(
        || String::from("This hour's writes are not known"),
        |count| format!("{count} of {WRITES_AN_HOUR} writes this hour"),
    );
    format!("{question} {count}")
}

fn confirm(question: &str, input: &mut dyn BufRead, err: &mut dyn Write) -> io::Result<bool> {
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    let read = input.read_line(&mut answer)?;
    if read == 0 {
        // At the end of the input, nobody pressed Enter.
        writeln!(err)?;
    }
    let answer = answer.trim().to_lowercase();
    Ok(matches!(answer.as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (answer, want) in [
            ("y\n", true),
            (" YES \r\n", true),
            ("y", true),
            ("\n", false),
            ("", false),
            ("n\n", false),
            ("yep\n", false),
        ] {
            let mut printed = Vec::new();
            let agreed = confirm("Do it?", &mut answer.as_bytes(), &mut printed);
            assert_eq!(agreed.unwrap(), want, "{answer:?}");
            assert!(printed.starts_with(b"Do it? [y/N] "));
        }
    }

    #[test]
    fn the_count_is_shown() {
        for (count, want) in [
            (Some(3), "Do it? 3 of 100 writes this hour"),
            (None, "Do it? This hour's writes are not known"),
        ] {
            assert_eq!(with_count("Do it?", count), want);
        }
    }
}
