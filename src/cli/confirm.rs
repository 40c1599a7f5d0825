//! The question before a write to the API.
//!
//! This file must not know what is written.

use std::io::{self, BufRead, Write};

use crate::mintlify::write::WRITES_AN_HOUR;

/// Asks `question` on `err`, with the project's writes of this hour where those are known, and reads
/// the answer from `input`: anything but a yes is a no.
pub fn confirm(
    question: &str,
    this_hour: Option<usize>,
    input: &mut dyn BufRead,
    err: &mut dyn Write,
) -> io::Result<bool> {
    let count = this_hour.map_or_else(
        || String::from("This hour's writes are not known"),
        |count| format!("{count} of {WRITES_AN_HOUR} writes this hour"),
    );
    write!(err, "{question} {count} [y/N] ")?;
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
            let agreed = confirm("Do it?", Some(3), &mut answer.as_bytes(), &mut Vec::new());
            assert_eq!(agreed.unwrap(), want, "{answer:?}");
        }
    }

    #[test]
    fn the_count_is_shown() {
        for (count, want) in [
            (Some(3), "Do it? 3 of 100 writes this hour [y/N] "),
            (None, "Do it? This hour's writes are not known [y/N] "),
        ] {
            let mut printed = Vec::new();
            confirm("Do it?", count, &mut &b"\n"[..], &mut printed).unwrap();
            assert_eq!(String::from_utf8(printed).unwrap(), want);
        }
    }
}
