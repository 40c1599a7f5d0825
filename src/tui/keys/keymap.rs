//! The keys in use: the defaults, except for the actions that the config gives others.
//!
//! This file must not know where keys are shown or what an action does.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{Action, BINDINGS, Binding, Chord};
use crate::config::{ConfigError, KeySetting, Located};

/// Always quits, whatever the config says.
const QUIT: Chord = Chord::ctrl('c');

/// An action with the keys in use.
#[derive(Clone, Debug)]
pub struct ActiveBinding {
    pub binding: &'static Binding,
    /// Empty where the config takes the keys away.
    pub chords: Vec<Chord>,
}

/// The keys in use, in the order of the table.
#[derive(Clone, Debug)]
pub struct Keymap(Vec<ActiveBinding>);

impl Default for Keymap {
    fn default() -> Self {
        let active = |binding: &'static Binding| ActiveBinding {
            binding,
            chords: binding.default_chords(),
        };
        Self(BINDINGS.iter().map(active).collect())
    }
}

/// A key that the config gives to an action.
struct ConfiguredKey<'a> {
    chord: Chord,
    action: Action,
    written: &'a Located<String>,
}

impl Keymap {
    /// The defaults, except for what `settings` says.
    pub fn new(settings: &[KeySetting]) -> Result<Self, ConfigError> {
        let mut keymap = Self::default();
        let mut configured = Vec::new();
        for setting in settings {
            let active = keymap.find(&setting.action)?;
            active.chords.clear();
            for written in &setting.keys.value {
                let chord =
                    Chord::parse(&written.value).map_err(|why| written.location.error(&why))?;
                active.chords.push(chord);
                configured.push(ConfiguredKey {
                    chord,
                    action: active.binding.action,
                    written,
                });
            }
            if active.chords.iter().all(|chord| *chord == QUIT)
                && active.binding.action == Action::Quit
            {
                let why = "`quit` needs a key besides Ctrl-C";
                return Err(setting.keys.location.error(why));
            }
        }
        keymap.always_quit();
        (0..configured.len()).try_for_each(|index| keymap.check(index, &configured))?;
        Ok(keymap)
    }

    fn find(&mut self, name: &Located<String>) -> Result<&mut ActiveBinding, ConfigError> {
        let known = BINDINGS.iter().map(|binding| binding.name);
        let found = self.0.iter_mut().find(|b| b.binding.name == name.value);
        found.ok_or_else(|| name.unknown("action", &name.value, known))
    }

    fn always_quit(&mut self) {
        let quit = self.0.iter_mut().find(|b| b.binding.action == Action::Quit);
        if let Some(quit) = quit.filter(|quit| !quit.chords.contains(&QUIT)) {
            quit.chords.push(QUIT);
        }
    }

    /// Whether the key at `index` of those in the config belongs to a single action.
    fn check(&self, index: usize, configured: &[ConfiguredKey]) -> Result<(), ConfigError> {
        let key = &configured[index];
        let text = &key.written.value;
        let fault = |why: String| Err(key.written.location.error(&why));
        if key.chord == QUIT && key.action != Action::Quit {
            return fault(format!("`{text}` always quits"));
        }
        let same = |other: &&ConfiguredKey| other.chord == key.chord;
        if let Some(first) = configured[..index].iter().find(same) {
            let (line, other) = (first.written.location.line(), self.name(first.action));
            return fault(if first.action == key.action {
                format!("`{text}` is listed twice")
            } else {
                format!("`{text}` is already a key of `{other}`, on line {line}")
            });
        }
        // Where the config names it once more, the error is reported there.
        if configured[index + 1..].iter().any(|other| same(&other)) {
            return Ok(());
        }
        let mut others = self.0.iter().filter(|b| b.binding.action != key.action);
        match others.find(|active| active.chords.contains(&key.chord)) {
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
        self.binding(action).map_or("", |b| b.binding.name)
    }

    fn binding(&self, action: Action) -> Option<&ActiveBinding> {
        self.0.iter().find(|b| b.binding.action == action)
    }

    /// In the order of the help screen.
    pub fn bindings(&self) -> &[ActiveBinding] {
        &self.0
    }

    /// The first key of an action, as it is shown.
    pub fn key_of(&self, action: Action) -> Option<String> {
        self.chord_of(action).map(|chord| chord.to_string())
    }

    pub fn chord_of(&self, action: Action) -> Option<Chord> {
        self.binding(action)?.chords.first().copied()
    }

    /// Tells the user what the key of `action` does: `R looks for keys again`. Where the config has
    /// taken its keys away, the action is named as `[keys]` calls it, so that it can be given one.
    pub fn hint(&self, action: Action, does: &str) -> String {
        match self.key_of(action) {
            Some(key) => format!("{key} {does}"),
            None => format!("{} (no key bound) {does}", self.name(action)),
        }
    }

    /// The action of `event` while no text is typed.
    pub fn action(&self, event: &KeyEvent) -> Option<Action> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let chord = Chord::from_event(event)?;
        let active = self.0.iter().find(|b| b.chords.contains(&chord));
        active.map(|active| active.binding.action)
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
        let active = keymap.bindings().iter().find(|b| b.binding.name == name);
        let chords = active.unwrap().chords.iter().map(ToString::to_string);
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
        assert_eq!(keymap.hint(Action::Quit, "quits"), "q quits");
        let unbound = keymap.hint(Action::Down, "goes down");
        assert_eq!(unbound, "down (no key bound) goes down");
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
        let told: Vec<&str> = config.keys.iter().map(|key| &*key.action.value).collect();
        let known: Vec<&str> = BINDINGS.iter().map(|binding| binding.name).collect();
        assert_eq!(told, known);
        let keymap = Keymap::new(&config.keys).unwrap();
        for ActiveBinding { binding, chords } in keymap.bindings() {
            assert_eq!(chords, &binding.default_chords(), "{}", binding.name);
        }
    }
}
