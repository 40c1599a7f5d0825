//! The keys in use: those of the table, but for the actions that the config gives others.
//!
//! This file must not know where keys are shown or what an action does.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{Action, BINDINGS, Binding, Chord};
use crate::config::{ConfigError, KeySetting, Written, nearest};

/// Whatever the config says, this quits.
const QUIT: Chord = Chord::ctrl('c');

/// One line of the table of keys, with the keys in use.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The line.
    pub binding: &'static Binding,
    /// The keys that do it; none where the config takes them away.
    pub chords: Vec<Chord>,
}

/// The keys in use, in the order of the table.
#[derive(Clone, Debug)]
pub struct Keymap(Vec<Bound>);

impl Default for Keymap {
    fn default() -> Self {
        let bound = |binding: &'static Binding| Bound {
            binding,
            chords: binding.chords.to_vec(),
        };
        Self(BINDINGS.iter().map(bound).collect())
    }
}

/// A key that the config names, and the action that it is given to.
struct Named<'a> {
    chord: Chord,
    action: Action,
    written: &'a Written,
}

impl Keymap {
    /// The table, but for what `settings` says.
    pub fn new(settings: &[KeySetting]) -> Result<Self, ConfigError> {
        let mut keymap = Self::default();
        let mut named = Vec::new();
        for setting in settings {
            let bound = keymap.find(&setting.action)?;
            bound.chords.clear();
            for written in &setting.keys.names {
                let chord = Chord::parse(&written.text).map_err(|why| written.place.fault(&why))?;
                bound.chords.push(chord);
                named.push(Named {
                    chord,
                    action: bound.binding.action,
                    written,
                });
            }
            if bound.chords.iter().all(|chord| *chord == QUIT)
                && bound.binding.action == Action::Quit
            {
                let why = "`quit` needs a key besides Ctrl-C";
                return Err(setting.keys.place.fault(why));
            }
        }
        keymap.always_quit();
        (0..named.len()).try_for_each(|at| keymap.check(at, &named))?;
        Ok(keymap)
    }

    fn find(&mut self, name: &Written) -> Result<&mut Bound, ConfigError> {
        let bound = self.0.iter_mut().find(|b| b.binding.name == name.text);
        bound.ok_or_else(|| {
            let names = BINDINGS.iter().map(|binding| binding.name);
            let what = format!("unknown action `{}`", name.text);
            name.place.fault(&match nearest(&name.text, names.clone()) {
                Some(near) => format!("{what}: did you mean `{near}`?"),
                None => format!("{what}: known are {}", names.collect::<Vec<_>>().join(", ")),
            })
        })
    }

    fn always_quit(&mut self) {
        let quit = self.0.iter_mut().find(|b| b.binding.action == Action::Quit);
        if let Some(quit) = quit.filter(|quit| !quit.chords.contains(&QUIT)) {
            quit.chords.push(QUIT);
        }
    }

    /// Whether the key at `at` of those that the config names does one thing only.
    fn check(&self, at: usize, named: &[Named]) -> Result<(), ConfigError> {
        let key = &named[at];
        let text = &key.written.text;
        let fault = |why: String| Err(key.written.place.fault(&why));
        if key.chord == QUIT && key.action != Action::Quit {
            return fault(format!("`{text}` always quits"));
        }
        if let Some(first) = named[..at].iter().find(|named| named.chord == key.chord) {
            let (line, other) = (first.written.place.line(), self.name(first.action));
            return fault(if first.action == key.action {
                format!("`{text}` is there twice")
            } else {
                format!("`{text}` is a key of `{other}` already, on line {line}")
            });
        }
        // Where the config names it once more, that place will be told.
        if named[at + 1..].iter().any(|named| named.chord == key.chord) {
            return Ok(());
        }
        let mut others = self.0.iter().filter(|b| b.binding.action != key.action);
        match others.find(|bound| bound.chords.contains(&key.chord)) {
            Some(other) => {
                let other = other.binding.name;
                fault(format!(
                    "`{text}` is a key of `{other}` by default: give `{other}` another one too"
                ))
            }
            None => Ok(()),
        }
    }

    fn name(&self, action: Action) -> &'static str {
        let bound = self.0.iter().find(|b| b.binding.action == action);
        bound.map_or("", |bound| bound.binding.name)
    }

    /// The lines of the table with their keys.
    pub fn bindings(&self) -> &[Bound] {
        &self.0
    }

    /// The first key of an action, as it is shown.
    pub fn key_of(&self, action: Action) -> Option<String> {
        let bound = self.0.iter().find(|b| b.binding.action == action)?;
        bound.chords.first().map(ToString::to_string)
    }

    /// What `event` asks for on the table and the panes, if anything.
    pub fn action(&self, event: &KeyEvent) -> Option<Action> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let chord = Chord::of(event)?;
        let bound = self.0.iter().find(|bound| bound.chords.contains(&chord));
        bound.map(|bound| bound.binding.action)
    }
}

/// Whether `event` is Ctrl with this letter: the keys that work even where text is typed.
pub fn is_ctrl(event: &KeyEvent, letter: char) -> bool {
    event.code == KeyCode::Char(letter) && event.modifiers.contains(KeyModifiers::CONTROL)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use super::*;
    use crate::config::{Config, EXAMPLE};

    fn keymap(text: &str) -> Result<Keymap, ConfigError> {
        let config = Config::parse(text, Path::new("/home/a/config.toml")).unwrap();
        Keymap::new(&config.keys)
    }

    fn shown(keymap: &Keymap, name: &str) -> String {
        let bound = keymap.bindings().iter().find(|b| b.binding.name == name);
        let chords = bound.unwrap().chords.iter().map(ToString::to_string);
        chords.collect::<Vec<_>>().join(" ")
    }

    fn action(keymap: &Keymap, letter: char) -> Option<Action> {
        keymap.action(&KeyEvent::from(KeyCode::Char(letter)))
    }

    #[test]
    fn named_actions_lose_their_own_keys_and_others_keep_them() {
        for (text, name, want) in [
            ("", "down", "j Down"),
            ("keys.open = 'z'", "open", "z"),
            ("keys.open = ['z', 'Ctrl-X', 'F5']", "open", "z Ctrl-X F5"),
            ("keys.open = []", "open", ""),
            ("keys.page-down = 'left'", "page-down", "Left"),
            ("keys.quit = 'z'", "quit", "z Ctrl-C"),
            ("keys.quit = ['ctrl-c', 'z']", "quit", "Ctrl-C z"),
            // Two that change places.
            ("keys = { down = 'k', up = 'j' }", "down", "k"),
            ("keys = { down = 'k', up = 'j' }", "up", "j"),
            ("keys = { open = 'y', copy-link = [] }", "open", "y"),
        ] {
            assert_eq!(shown(&keymap(text).unwrap(), name), want, "{text}");
        }
        let keymap = keymap("[keys]\nopen = 'z'\ndown = []").unwrap();
        assert_eq!(action(&keymap, 'z'), Some(Action::OpenPullRequest));
        assert_eq!([action(&keymap, 'o'), action(&keymap, 'j')], [None, None]);
        assert_eq!(keymap.key_of(Action::Down), None);
        assert_eq!(keymap.key_of(Action::Quit), Some("q".into()));
    }

    /// Each fault that a key can have, as it is printed.
    #[test]
    fn every_fault_in_words() {
        let mut shown = String::new();
        for text in [
            "[keys]\nopne = \"x\"",
            "[keys]\nopen = \"x\"\n\"a b\" = \"z\"",
            "[keys]\nopen = \"\"",
            "[keys]\nopen = [\"x\", \"pgdwn\"]",
            "[keys]\nopen = \"hyper-x\"",
            "[keys]\nopen = \"ctrl-m\"",
            "[keys]\nopen = \"j\"",
            "[keys]\nopen = \"x\"\n# The same.\nfilter = [\"t\", \"x\"]",
            "[keys]\nopen = [\"x\", \"x\"]",
            "[keys]\nopen = \"return\"",
            "[keys]\nopen = \"j\"\ndown = \"j\"",
            "[keys]\nopen = \"ctrl-c\"",
            "[keys]\nquit = []",
            "[keys]\nquit = \"ctrl-c\"",
            "[keys]\nquit = \"mint_canary42_Canary\"",
        ] {
            let error = keymap(text).expect_err(text);
            let _ = writeln!(shown, "{error}\n");
        }
        assert!(!shown.to_lowercase().contains("canary"), "{shown}");
        insta::assert_snapshot!(shown);
    }

    /// The example's `[keys]`, with its comments in use, names every action with its own keys.
    #[test]
    fn the_example_has_every_action_with_its_keys() {
        let (_, section) = EXAMPLE.split_once("\n[keys]\n").unwrap();
        let lines = section.lines().take_while(|line| !line.is_empty());
        let in_use = lines.filter_map(|line| line.strip_prefix('#'));
        let code: Vec<&str> = in_use.filter(|line| !line.starts_with(' ')).collect();
        let text = format!("[keys]\n{}", code.join("\n"));
        let config = Config::parse(&text, Path::new("config.toml")).unwrap();
        let told: Vec<&str> = config.keys.iter().map(|key| &*key.action.text).collect();
        let known: Vec<&str> = BINDINGS.iter().map(|binding| binding.name).collect();
        assert_eq!(told, known);
        let keymap = Keymap::new(&config.keys).unwrap();
        for bound in keymap.bindings() {
            assert_eq!(bound.chords, bound.binding.chords, "{}", bound.binding.name);
        }
    }
}
