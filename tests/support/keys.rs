//! Keys as test input: `"Gk<enter>/sdk<esc>"`.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

/// The events of a sequence: letters stand for themselves, `<name>` for a named key, `<^x>` for
/// Ctrl-X.
pub fn keys(sequence: &str) -> Vec<Event> {
    let mut rest = sequence;
    let mut events = Vec::new();
    while let Some(letter) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let key = if let Some((name, after)) = named {
            rest = after;
            named_key(name)
        } else {
            rest = &rest[letter.len_utf8()..];
            KeyEvent::from(KeyCode::Char(letter))
        };
        events.push(Event::Key(key));
    }
    events
}

fn named_key(name: &str) -> KeyEvent {
    if let Some(letter) = name.strip_prefix('^') {
        let letter = letter.chars().next().unwrap();
        return KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
    }
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "backtab" => KeyCode::BackTab,
        "space" => KeyCode::Char(' '),
        "down" => KeyCode::Down,
        "up" => KeyCode::Up,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "pagedown" => KeyCode::PageDown,
        "backspace" => KeyCode::Backspace,
        other => panic!("no key is called {other}"),
    };
    code.into()
}
