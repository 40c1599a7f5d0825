//! The style of output: colour, glyphs and width, from the flags, the environment and the terminal.
//!
//! This file must not know what is printed.

use std::io::{self, IsTerminal};

use clap::ColorChoice;
use ratatui::style::{Color, Modifier, Style};

use super::context::Context;
use crate::view::theme::Theme;

#[derive(Clone, Copy, Debug)]
pub struct OutputStyle {
    pub theme: Theme,
    /// The most cells of a line; `None` if unlimited.
    pub width: Option<u16>,
}

impl OutputStyle {
    pub fn for_stdout(context: &Context) -> Self {
        Self::of(context, io::stdout().is_terminal())
    }

    pub fn for_stderr(context: &Context) -> Self {
        Self::of(context, io::stderr().is_terminal())
    }

    fn of(context: &Context, is_terminal: bool) -> Self {
        let size = is_terminal.then(crossterm::terminal::size);
        Self {
            theme: context.theme(is_terminal),
            width: size.and_then(Result::ok).map(|(columns, _)| columns),
        }
    }
}

pub fn theme(color: ColorChoice, is_terminal: bool) -> Theme {
    let no_color = std::env::var("NO_COLOR").ok();
    let color = wants_color(color, is_terminal, no_color.as_deref());
    Theme::new(color, !locale_is_utf8())
}

/// `no_color` is the value of `NO_COLOR` (<https://no-color.org>: any but the empty one counts).
fn wants_color(choice: ColorChoice, is_terminal: bool, no_color: Option<&str>) -> bool {
    match choice {
        ColorChoice::Auto => is_terminal && no_color.is_none_or(str::is_empty),
        ColorChoice::Always => true,
        ColorChoice::Never => false,
    }
}

pub fn locale_is_utf8() -> bool {
    is_utf8(|name| std::env::var(name).ok())
}

/// The first of these variables that is set decides (POSIX.1-2017, XBD 8.2).
fn is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(set)
        .unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[derive(Debug, thiserror::Error)]
pub enum NoTerminal {
    #[error(
        "the dashboard needs a terminal; in scripts use `mintwatch list`, or `mintwatch list --json`"
    )]
    NotATerminal,
    /// With the value of `TERM`.
    #[error("the dashboard cannot draw on this terminal (TERM is {0}); use `mintwatch list`")]
    Dumb(String),
}

pub fn require_terminal() -> Result<(), NoTerminal> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(NoTerminal::NotATerminal);
    }
    check_term()
}

/// Whether a line can be rewritten in place.
pub fn can_rewrite(output: &impl IsTerminal) -> bool {
    output.is_terminal() && check_term().is_ok()
}

fn check_term() -> Result<(), NoTerminal> {
    let problem = match std::env::var("TERM").as_deref() {
        Err(_) | Ok("") => "not set",
        Ok("dumb") => "dumb",
        Ok(_) => return Ok(()),
    };
    Err(NoTerminal::Dumb(problem.into()))
}

/// `text` in this style of `theme`, as ANSI sequences (ECMA-48 SGR, and aixterm's for bright colours).
pub fn paint(theme: Theme, style: Style, text: &str) -> String {
    let color = match style.fg {
        Some(Color::LightRed) => "91",
        Some(Color::LightBlue) => "94",
        Some(Color::LightMagenta) => "95",
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

    #[test]
    fn color_table() {
        use ColorChoice::{Always, Auto, Never};
        for (choice, is_terminal, no_color, want) in [
            (Auto, true, None, true),
            (Auto, true, Some(""), true),
            (Auto, true, Some("1"), false),
            (Auto, false, None, false),
            (Always, false, Some("1"), true),
            (Never, true, None, false),
        ] {
            assert_eq!(
                wants_color(choice, is_terminal, no_color),
                want,
                "{choice:?}"
            );
        }
    }
}
