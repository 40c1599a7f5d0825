//! One key with its modifiers: read from an event or from the config, and shown.
//!
//! This file must not know what a key does.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::config::nearest;

/// The keys that have a name. The first name of a key is how it is shown; the config may use all.
const NAMES: [(&str, KeyCode); 20] = [
    ("Space", KeyCode::Char(' ')),
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Shift-Tab", KeyCode::BackTab),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Return", KeyCode::Enter),
    ("Escape", KeyCode::Esc),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
];

/// Ctrl with these letters cannot be told from another key: a terminal sends the same bytes.
const SAME_AS: [(char, &str); 2] = [('i', "tab"), ('m', "enter")];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chord {
    code: KeyCode,
    ctrl: bool,
}

impl Chord {
    pub const fn key(code: KeyCode) -> Self {
        Self { code, ctrl: false }
    }

    pub(super) fn char(c: char) -> Self {
        Self::key(KeyCode::Char(c))
    }

    pub const fn ctrl(c: char) -> Self {
        Self {
            code: KeyCode::Char(c),
            ctrl: true,
        }
    }

    /// `None` where Alt was held, which no key here has.
    pub fn from_event(event: &KeyEvent) -> Option<Self> {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let code = event.code;
        (!event.modifiers.contains(KeyModifiers::ALT)).then_some(Self { code, ctrl })
    }

    /// The event of this key.
    pub fn event(self) -> KeyEvent {
        let modifiers = if self.ctrl {
            KeyModifiers::CONTROL
        } else {
            KeyModifiers::NONE
        };
        KeyEvent::new(self.code, modifiers)
    }

    /// Reads a key as the config writes it; the error says why it is none. Case matters only for
    /// single letters.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut letters = text.chars();
        if let (Some(letter), None) = (letters.next(), letters.next())
            && !letter.is_whitespace()
            && !letter.is_control()
        {
            return Ok(Self::char(letter));
        }
        let name = text.to_ascii_lowercase();
        if let Some(letter) = name.strip_prefix("ctrl-") {
            return parse_ctrl(text, letter);
        }
        let named = NAMES
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known));
        let code = named.map(|(_, code)| *code).or_else(|| function_key(&name));
        code.map(Self::key).ok_or_else(|| no_key(text))
    }
}

fn parse_ctrl(text: &str, letter: &str) -> Result<Chord, String> {
    let &[letter @ b'a'..=b'z'] = letter.as_bytes() else {
        return Err(format!(
            "`{text}` is not a key: Ctrl goes with a letter, such as `ctrl-d`"
        ));
    };
    let letter = char::from(letter);
    match SAME_AS.iter().find(|(known, _)| *known == letter) {
        Some((_, same)) => Err(format!(
            "a terminal sends `ctrl-{letter}` as `{same}`: write `{same}`"
        )),
        None => Ok(Chord::ctrl(letter)),
    }
}

fn function_key(name: &str) -> Option<KeyCode> {
    let number = name.strip_prefix('f')?.parse().ok()?;
    (1..=12).contains(&number).then_some(KeyCode::F(number))
}

fn no_key(text: &str) -> String {
    if text.is_empty() {
        return String::from("the key is empty");
    }
    match nearest(text, NAMES.map(|(name, _)| name)) {
        Some(near) => format!(
            "`{text}` is not a key: did you mean `{}`?",
            near.to_lowercase()
        ),
        None => format!("`{text}` is not a key such as `o`, `ctrl-d`, `pgdn` or `f5`"),
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = NAMES.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::Char(c) if self.ctrl => write!(f, "Ctrl-{}", c.to_ascii_uppercase()),
            KeyCode::Char(c) => write!(f, "{c}"),
            code => write!(f, "{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_as_people_write_them() {
        for (text, chord, shown) in [
            ("j", Chord::char('j'), "j"),
            ("G", Chord::char('G'), "G"),
            ("é", Chord::char('é'), "é"),
            ("-", Chord::char('-'), "-"),
            ("space", Chord::char(' '), "Space"),
            ("ctrl-c", Chord::ctrl('c'), "Ctrl-C"),
            ("Ctrl-C", Chord::ctrl('c'), "Ctrl-C"),
            ("pgdn", Chord::key(KeyCode::PageDown), "PgDn"),
            ("PageDown", Chord::key(KeyCode::PageDown), "PgDn"),
            ("enter", Chord::key(KeyCode::Enter), "Enter"),
            ("escape", Chord::key(KeyCode::Esc), "Esc"),
            ("shift-tab", Chord::key(KeyCode::BackTab), "Shift-Tab"),
            ("f12", Chord::key(KeyCode::F(12)), "F12"),
        ] {
            assert_eq!(Chord::parse(text), Ok(chord), "{text}");
            assert_eq!(chord.to_string(), shown);
            assert_eq!(Chord::parse(shown), Ok(chord), "{shown}");
        }
    }

    #[test]
    fn what_is_no_key_is_said() {
        for (text, why) in [
            ("", "the key is empty"),
            ("pgdwn", "`pgdwn` is not a key: did you mean `pgdn`?"),
            ("spce", "`spce` is not a key: did you mean `space`?"),
            (
                "f13",
                "`f13` is not a key such as `o`, `ctrl-d`, `pgdn` or `f5`",
            ),
            (
                " ",
                "` ` is not a key such as `o`, `ctrl-d`, `pgdn` or `f5`",
            ),
            (
                "ctrl-",
                "`ctrl-` is not a key: Ctrl goes with a letter, such as `ctrl-d`",
            ),
            (
                "ctrl-é",
                "`ctrl-é` is not a key: Ctrl goes with a letter, such as `ctrl-d`",
            ),
            ("ctrl-i", "a terminal sends `ctrl-i` as `tab`: write `tab`"),
        ] {
            assert_eq!(Chord::parse(text), Err(why.into()), "{text}");
        }
    }
}
