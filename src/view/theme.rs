//! Styles by role, in the terminal's own 16 colours, and glyphs in Unicode or ASCII.
//!
//! Colour never carries a meaning alone, and never colours text: of the 16 colours none can be read on
//! black and on white in the common palettes. Only marks have colours, the three that stand out on both
//! (`tests/contrast.rs` has the numbers); text is set off by attributes. This file must not know rows.

use std::borrow::Cow;

use ratatui::style::{Color, Modifier, Style};

use crate::text::{self, Cut};

/// What a piece of text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Plain,
    /// A job at work.
    Active,
    Good,
    Bad,
    /// What waits for the user.
    NeedsYou,
    /// Of little weight: stale values, archived jobs, separators.
    Muted,
    /// Titles and the chosen view.
    Strong,
    /// A key in the footer or the help.
    Key,
    Link,
}

/// The marks that stand before words, one cell each.
#[derive(Clone, Copy, Debug)]
pub struct Glyphs {
    pub active: &'static str,
    pub completed: &'static str,
    pub failed: &'static str,
    pub archived: &'static str,
    /// Any other status.
    pub other: &'static str,
    pub needs_you: &'static str,
    pub marked: &'static str,
    /// Would need the user, had they not acknowledged it.
    pub acknowledged: &'static str,
    /// Changed since the user has looked.
    pub new: &'static str,
    /// In place of a value that is missing.
    pub none: &'static str,
    pub ellipsis: &'static str,
    /// Before an age that is known only to be no greater.
    pub at_most: &'static str,
    pub ascending: &'static str,
    pub descending: &'static str,
    /// Between facts on one line.
    pub dot: &'static str,
    /// Between two panes: vertical and horizontal.
    pub rules: [&'static str; 2],
}

impl Glyphs {
    /// Beside the title of the column that rows are sorted by.
    pub fn arrow(&self, reversed: bool) -> &'static str {
        if reversed {
            self.descending
        } else {
            self.ascending
        }
    }
}

const UNICODE: Glyphs = Glyphs {
    active: "●",
    completed: "✓",
    failed: "✗",
    archived: "▪",
    other: "?",
    needs_you: "!",
    marked: "*",
    acknowledged: "~",
    new: "•",
    none: "–",
    ellipsis: "…",
    at_most: "≤",
    ascending: "▲",
    descending: "▼",
    dot: "·",
    rules: ["│", "─"],
};

const ASCII: Glyphs = Glyphs {
    active: "o",
    completed: "+",
    failed: "x",
    archived: "#",
    other: "?",
    needs_you: "!",
    marked: "*",
    acknowledged: "~",
    new: ">",
    none: "-",
    ellipsis: "~",
    at_most: "<",
    ascending: "^",
    descending: "v",
    dot: "|",
    rules: ["|", "-"],
};

/// What stands for a character that an ASCII terminal cannot show.
pub const ASCII_REPLACEMENT: char = '?';

#[derive(Clone, Copy, Debug)]
pub struct Theme {
    color: bool,
    ascii: bool,
}

impl Theme {
    pub fn new(color: bool, ascii: bool) -> Self {
        Self { color, ascii }
    }

    pub fn glyphs(self) -> &'static Glyphs {
        if self.ascii { &ASCII } else { &UNICODE }
    }

    pub fn has_color(self) -> bool {
        self.color
    }

    /// Whether only ASCII may reach the terminal.
    pub fn is_ascii(self) -> bool {
        self.ascii
    }

    /// `text` with nothing in it that the terminal cannot show.
    pub fn printable<'a>(self, text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
        let text = text.into();
        if !self.ascii || text.is_ascii() {
            return text;
        }
        let shown = |c: char| if c.is_ascii() { c } else { ASCII_REPLACEMENT };
        text.chars().map(shown).collect()
    }

    /// `text` cut to `width` cells. A single cell is left to the first character: in a status, that
    /// is the mark, which says more than an ellipsis.
    pub fn cut(self, cut: Cut, text: &str, width: usize) -> Cow<'_, str> {
        let ellipsis = if width == 1 {
            ""
        } else {
            self.glyphs().ellipsis
        };
        text::truncate_at(cut, text, width, ellipsis)
    }

    /// The style of text.
    pub fn style(self, role: Role) -> Style {
        let modifier = match role {
            Role::Plain | Role::Active | Role::Good => Modifier::empty(),
            Role::Bad | Role::NeedsYou | Role::Strong | Role::Key => Modifier::BOLD,
            Role::Muted => Modifier::DIM,
            Role::Link => Modifier::UNDERLINED,
        };
        Style::new().add_modifier(modifier)
    }

    /// The style of a mark that stands before text of this role.
    pub fn mark(self, role: Role) -> Style {
        let color = match role {
            Role::Active => Color::LightBlue,
            Role::Bad => Color::LightRed,
            Role::NeedsYou => Color::LightMagenta,
            Role::Plain | Role::Good | Role::Muted | Role::Strong | Role::Key | Role::Link => {
                return self.style(role);
            }
        };
        if self.color {
            self.style(role).fg(color)
        } else {
            self.style(role)
        }
    }

    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_glyph_is_one_cell() {
        for glyphs in [&UNICODE, &ASCII] {
            let all = [
                glyphs.active,
                glyphs.completed,
                glyphs.failed,
                glyphs.archived,
                glyphs.other,
                glyphs.needs_you,
                glyphs.marked,
                glyphs.none,
                glyphs.ellipsis,
                glyphs.at_most,
                glyphs.ascending,
                glyphs.descending,
                glyphs.dot,
                glyphs.rules[0],
                glyphs.rules[1],
            ];
            assert!(all.iter().all(|glyph| text::width(glyph) == 1), "{all:?}");
        }
    }

    #[test]
    fn text_is_cut_and_made_printable() {
        let (unicode, ascii) = (Theme::new(true, false), Theme::new(true, true));
        for (text, width, in_unicode, in_ascii) in [
            ("● active", 1, "●", "?"),
            ("● active", 4, "● a…", "? a~"),
            ("● active", 9, "● active", "? active"),
            ("日本", 1, "", ""),
            ("日本", 0, "", ""),
        ] {
            for (theme, want) in [(unicode, in_unicode), (ascii, in_ascii)] {
                let shown = theme.printable(theme.cut(Cut::End, text, width));
                assert_eq!(shown, want, "{text} in {width}");
            }
        }
    }

    #[test]
    fn without_colour_no_role_sets_one() {
        let theme = Theme::new(false, false);
        for role in [
            Role::Active,
            Role::Good,
            Role::Bad,
            Role::NeedsYou,
            Role::Key,
        ] {
            assert_eq!((theme.style(role).fg, theme.mark(role).fg), (None, None));
        }
    }
}
