//! How things look: styles by role in the terminal's own 16 colours, and the glyphs.
//!
//! Colour never carries a meaning alone. Only the 16 colours and attributes are used, so that the
//! user's own palette keeps both light and dark terminals readable. This file must not know rows.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Plain text.
    Plain,
    /// A job at work.
    Active,
    /// A thing that went well.
    Good,
    /// A thing that went wrong.
    Bad,
    /// A thing that waits for the user.
    NeedsYou,
    /// Of little weight: stale values, archived jobs, separators.
    Muted,
    /// Titles and the view that is chosen.
    Strong,
    /// A key in the footer or the help.
    Key,
    /// A link.
    Link,
}

/// The marks that stand before words, one cell each.
#[derive(Clone, Copy, Debug)]
pub struct Glyphs {
    /// Status `active`.
    pub active: &'static str,
    /// Status `completed`.
    pub completed: &'static str,
    /// Status `failed`.
    pub failed: &'static str,
    /// Status `archived`.
    pub archived: &'static str,
    /// Any other status.
    pub other: &'static str,
    /// A row that needs you.
    pub needs_you: &'static str,
    /// A marked row.
    pub marked: &'static str,
    /// Nothing to show.
    pub none: &'static str,
    /// Where text was cut.
    pub ellipsis: &'static str,
    /// Sorted upwards.
    pub ascending: &'static str,
    /// Sorted downwards.
    pub descending: &'static str,
    /// Between facts on one line.
    pub dot: &'static str,
    /// A rule between two panes, upright and level.
    pub rules: [&'static str; 2],
}

const UNICODE: Glyphs = Glyphs {
    active: "●",
    completed: "✓",
    failed: "✗",
    archived: "▪",
    other: "?",
    needs_you: "!",
    marked: "*",
    none: "–",
    ellipsis: "…",
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
    none: "-",
    ellipsis: "~",
    ascending: "^",
    descending: "v",
    dot: "|",
    rules: ["|", "-"],
};

/// The looks of this run.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    color: bool,
    ascii: bool,
}

impl Theme {
    /// A theme with or without colour, in Unicode or in ASCII alone.
    pub fn new(color: bool, ascii: bool) -> Self {
        Self { color, ascii }
    }

    /// The marks of this theme.
    pub fn glyphs(self) -> &'static Glyphs {
        if self.ascii { &ASCII } else { &UNICODE }
    }

    /// Whether colour may be used.
    pub fn has_color(self) -> bool {
        self.color
    }

    /// Whether only ASCII may reach the terminal.
    pub fn is_ascii(self) -> bool {
        self.ascii
    }

    /// The style of `role`.
    pub fn style(self, role: Role) -> Style {
        let (color, modifier) = match role {
            Role::Plain => (Color::Reset, Modifier::empty()),
            Role::Active => (Color::Cyan, Modifier::empty()),
            Role::Good => (Color::Green, Modifier::empty()),
            Role::Bad => (Color::Red, Modifier::empty()),
            Role::NeedsYou => (Color::Magenta, Modifier::BOLD),
            Role::Muted => (Color::Reset, Modifier::DIM),
            Role::Strong => (Color::Reset, Modifier::BOLD),
            Role::Key => (Color::Cyan, Modifier::BOLD),
            Role::Link => (Color::Reset, Modifier::UNDERLINED),
        };
        let style = Style::new().add_modifier(modifier);
        if self.color && color != Color::Reset {
            style.fg(color)
        } else {
            style
        }
    }

    /// The style of the row that is selected.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

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
    fn without_colour_no_role_sets_one() {
        let theme = Theme::new(false, false);
        for role in [
            Role::Active,
            Role::Good,
            Role::Bad,
            Role::NeedsYou,
            Role::Key,
        ] {
            assert_eq!(theme.style(role).fg, None);
        }
    }
}
