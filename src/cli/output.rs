//! How output looks: colour, glyphs and width, from the flags, the environment and the terminal.
//!
//! This file must not know what is printed.

use std::io::{self, IsTerminal};

use ratatui::style::{Color, Modifier};

use super::ColorChoice;
use super::context::Context;
use crate::view::theme::{Role, Theme};

/// How a table is printed.
#[derive(Clone, Copy, Debug)]
pub struct OutputStyle {
    /// Colour and glyphs.
    pub theme: Theme,
    /// The cells that a line may take; `None` for as many as it needs.
    pub width: Option<u16>,
}

impl OutputStyle {
    /// For a table on standard output.
    pub fn for_stdout(context: &Context) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let size = is_terminal.then(crossterm::terminal::size);
        Self {
            theme: context.theme(is_terminal),
            width: size.and_then(Result::ok).map(|(columns, _)| columns),
        }
    }
}

/// Colours and glyphs for an output that is a terminal or not.
pub fn theme(color: ColorChoice, is_terminal: bool) -> Theme {
    let no_color = std::env::var("NO_COLOR").ok();
    let color = color.wants_color(is_terminal, no_color.as_deref());
    Theme::new(color, !locale_is_utf8())
}

pub fn locale_is_utf8() -> bool {
    is_utf8(|name| std::env::var(name).ok())
}

/// Whether the locale's encoding is UTF-8: the first of these variables that is set decides
/// (POSIX.1-2017, XBD 8.2).
fn is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(set)
        .unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// Why the dashboard cannot be drawn here.
#[derive(Debug, thiserror::Error)]
pub enum NoTerminal {
    /// Standard input or output is a pipe or a file.
    #[error(
        "the dashboard needs a terminal; in scripts use `mintwatch list`, or `mintwatch list --json`"
    )]
    NotATerminal,
    /// `TERM` names no terminal that can be drawn on.
    #[error("the dashboard cannot draw on this terminal (TERM is {0}); use `mintwatch list`")]
    Dumb(String),
}

/// Whether the dashboard can be drawn on standard output.
pub fn require_terminal() -> Result<(), NoTerminal> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(NoTerminal::NotATerminal);
    }
    check_term()
}

/// Whether a line on `output` can be rewritten in place.
pub fn can_rewrite(output: &impl IsTerminal) -> bool {
    output.is_terminal() && check_term().is_ok()
}

fn check_term() -> Result<(), NoTerminal> {
    match std::env::var("TERM").as_deref() {
        Err(_) | Ok("") => Err(NoTerminal::Dumb(String::from("not set"))),
        Ok("dumb") => Err(NoTerminal::Dumb(String::from("dumb"))),
        Ok(_) => Ok(()),
    }
}

/// `text` in the colours of `role`, as ANSI sequences (ECMA-48 SGR).
pub fn paint(theme: Theme, role: Role, text: &str) -> String {
    let style = theme.style(role);
    let color = match style.fg {
        Some(Color::Red) => "31",
        Some(Color::Green) => "32",
        Some(Color::Magenta) => "35",
        Some(Color::Cyan) => "36",
        _ => "",
    };
    let attribute = match style.add_modifier {
        Modifier::BOLD => "1",
        Modifier::DIM => "2",
        _ => "",
    };
    let codes: Vec<&str> = [attribute, color]
        .into_iter()
        .filter(|code| !code.is_empty())
        .collect();
    if !theme.has_color() || codes.is_empty() || text.is_empty() {
        return text.to_owned();
    }
    format!("\x1b[{}m{text}\x1b[0m", codes.join(";"))
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locale_table() {
        for (variables, want) in [
            (vec![("LANG", "en_US.UTF-8")], true),
            (vec![("LANG", "C.utf8")], true),
            (vec![("LANG", "C")], false),
            (vec![], false),
            (vec![("LC_ALL", "C"), ("LANG", "en_US.UTF-8")], false),
            (vec![("LC_ALL", ""), ("LANG", "en_US.UTF-8")], true),
            (vec![("LC_CTYPE", "de_DE.UTF-8"), ("LANG", "C")], true),
        ] {
            let variable = |name: &str| {
                variables
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| (*value).into())
            };
            assert_eq!(is_utf8(variable), want, "{variables:?}");
        }
    }
}
