//! How output looks: colour, glyphs and width, from the flags, the environment and the terminal.
//!
//! This file must not know what is printed.

use std::io::IsTerminal;

use crate::cli::list::Looks;
use crate::cli::{ColorChoice, GlobalArgs};
use crate::config::{Ascii, Palette, UiSettings};
use crate::view::theme::Theme;

/// Colours and glyphs for an output that is a terminal or not.
pub(super) fn theme(global: &GlobalArgs, is_terminal: bool) -> Theme {
    let no_color = std::env::var("NO_COLOR").ok();
    let color = global.color.wants_color(is_terminal, no_color.as_deref());
    Theme::new(color, !is_utf8(|name| std::env::var(name).ok()))
}

/// The dashboard's: `--color` and `NO_COLOR` win over the config.
pub(super) fn dashboard_theme(global: &GlobalArgs, ui: &UiSettings) -> Theme {
    let plain = ui.theme == Palette::Plain && global.color == ColorChoice::Auto;
    let given = theme(global, true);
    let ascii = match ui.ascii {
        Ascii::Auto => given.is_ascii(),
        Ascii::Always => true,
        Ascii::Never => false,
    };
    Theme::new(given.has_color() && !plain, ascii)
}

/// How a table is printed on standard output.
pub(super) fn of_stdout(global: &GlobalArgs) -> Looks {
    let is_terminal = std::io::stdout().is_terminal();
    let size = is_terminal.then(crossterm::terminal::size);
    Looks {
        theme: theme(global, is_terminal),
        width: size.and_then(Result::ok).map(|(columns, _)| columns),
    }
}

/// Whether the locale's encoding is UTF-8: the first of these variables that is set decides
/// (POSIX.1-2017, XBD 8.2).
pub(super) fn is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(set)
        .unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
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
