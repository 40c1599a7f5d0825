//! What a whole control sequence says: a key or the mouse. Everything else is a reply to a question
//! that this program has not asked, and says nothing.
//!
//! After <https://invisible-island.net/xterm/ctlseqs/ctlseqs.html>. This file must not know where a
//! sequence ends.

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

/// What comes first in the parameters of a mouse event.
const SGR_MOUSE: char = '<';

/// Shift, Alt and Ctrl beside a button.
const MOUSE_MODIFIERS: u16 = 4 | 8 | 16;

/// The key of a single character, control characters included.
pub(super) fn character(c: char) -> KeyEvent {
    let control = |code: u32| {
        let letter = char::from_u32(code).unwrap_or_default();
        KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)
    };
    match c {
        '\r' => KeyCode::Enter.into(),
        '\t' => KeyCode::Tab.into(),
        '\u{1b}' => KeyCode::Esc.into(),
        '\u{7f}' => KeyCode::Backspace.into(),
        '\0' => control(' '.into()),
        '\u{1}'..='\u{1a}' => control(u32::from(c) + 0x60),
        '\u{1c}'..='\u{1f}' => control(u32::from(c) + 0x18),
        _ if c.is_uppercase() => KeyEvent::new(KeyCode::Char(c), KeyModifiers::SHIFT),
        _ => KeyCode::Char(c).into(),
    }
}

/// What `ESC [ parameters last` says.
pub(super) fn control_sequence(parameters: &str, last: char) -> Option<Event> {
    if let Some(mouse) = parameters.strip_prefix(SGR_MOUSE) {
        return sgr_mouse(mouse, last);
    }
    // Others than digits are of replies, as `?` and `$` are.
    let (number, modifiers) = parameters.split_once(';').unwrap_or((parameters, ""));
    let code = match (last, number) {
        ('~', _) => editing_key(number.parse().ok()?)?,
        ('u', _) => unicode_key(number)?,
        ('Z', "" | "1") => return Some(Event::Key(back_tab(modifiers)?)),
        (_, "" | "1") => named_key(last)?,
        _ => return None,
    };
    let key = key(code, modifiers)?;
    if code == KeyCode::Tab && key.modifiers.contains(KeyModifiers::SHIFT) {
        return back_tab(modifiers).map(Event::Key);
    }
    Some(Event::Key(key))
}

/// What `ESC O parameters last` says.
pub(super) fn single_shift(parameters: &str, last: char) -> Option<Event> {
    let code = match last {
        // Where a report of the cursor would have it, and `ESC O` begins none.
        'R' => KeyCode::F(3),
        'M' => KeyCode::Enter,
        _ => named_key(last)?,
    };
    key(code, parameters).map(Event::Key)
}

/// What `ESC [ [ last` says, on the console of Linux.
pub(super) fn console_key(last: char) -> Option<Event> {
    let number = u8::try_from(last).ok()?.checked_sub(b'A')?;
    (number < 5).then(|| Event::Key(KeyCode::F(number + 1).into()))
}

/// What the three bytes after `ESC [ M` say, of a terminal without SGR coordinates.
pub(super) fn plain_mouse([buttons, column, row]: [u8; 3]) -> Option<Event> {
    let place = |byte: u8| u16::from(byte).checked_sub(33);
    let kind = mouse_kind(u16::from(buttons.checked_sub(32)?), false)?;
    Some(mouse(kind, place(column)?, place(row)?))
}

fn sgr_mouse(parameters: &str, last: char) -> Option<Event> {
    let released = match last {
        'M' => false,
        'm' => true,
        _ => return None,
    };
    let mut numbers = parameters
        .split(';')
        .map(|number| number.parse::<u16>().ok());
    let (buttons, column, row) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let kind = mouse_kind(buttons, released)?;
    Some(mouse(kind, column.checked_sub(1)?, row.checked_sub(1)?))
}

fn mouse(kind: MouseEventKind, column: u16, row: u16) -> Event {
    Event::Mouse(MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    })
}

/// The left button and the wheel: nothing else of a mouse does anything, and the keys held beside
/// them change nothing.
fn mouse_kind(buttons: u16, released: bool) -> Option<MouseEventKind> {
    match (buttons & !MOUSE_MODIFIERS, released) {
        (0, false) => Some(MouseEventKind::Down(MouseButton::Left)),
        (0, true) => Some(MouseEventKind::Up(MouseButton::Left)),
        (64, _) => Some(MouseEventKind::ScrollUp),
        (65, _) => Some(MouseEventKind::ScrollDown),
        _ => None,
    }
}

/// `R` is not here: it ends a report of the cursor too, which nobody could tell from F3 with Shift.
fn named_key(last: char) -> Option<KeyCode> {
    Some(match last {
        'A' => KeyCode::Up,
        'B' => KeyCode::Down,
        'C' => KeyCode::Right,
        'D' => KeyCode::Left,
        'F' => KeyCode::End,
        'H' => KeyCode::Home,
        'P' => KeyCode::F(1),
        'Q' => KeyCode::F(2),
        'S' => KeyCode::F(4),
        _ => return None,
    })
}

fn editing_key(number: u8) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(number - 10),
        17..=21 => KeyCode::F(number - 11),
        23..=26 => KeyCode::F(number - 12),
        28..=29 => KeyCode::F(number - 13),
        31..=34 => KeyCode::F(number - 14),
        _ => return None,
    })
}

/// A key by its code point, as terminals tell it that are set so by their user.
fn unicode_key(number: &str) -> Option<KeyCode> {
    // After a colon: what the key would be with Shift.
    let number = number.split(':').next()?;
    let c = char::from_u32(number.parse().ok()?)?;
    // The keyboard protocol has the keys without a character in the private use area.
    let is_private = ('\u{e000}'..='\u{f8ff}').contains(&c);
    match character(c).code {
        _ if is_private => None,
        KeyCode::Char(_) if c.is_control() => None,
        code => Some(code),
    }
}

fn back_tab(modifiers: &str) -> Option<KeyEvent> {
    let mut key = key(KeyCode::BackTab, modifiers)?;
    key.modifiers |= KeyModifiers::SHIFT;
    Some(key)
}

/// The key with what is held beside it: `5`, or `5:3` where it is let go.
fn key(code: KeyCode, held: &str) -> Option<KeyEvent> {
    let held = held.split(';').next().unwrap_or_default();
    let (mask, kind) = held.split_once(':').unwrap_or((held, ""));
    let mask = match mask {
        "" => 0,
        mask => mask.parse::<u8>().ok()?.checked_sub(1)?,
    };
    let kind = match kind {
        "" | "1" => KeyEventKind::Press,
        "2" => KeyEventKind::Repeat,
        "3" => KeyEventKind::Release,
        _ => return None,
    };
    Some(KeyEvent::new_with_kind(code, modifiers(mask), kind))
}

fn modifiers(mask: u8) -> KeyModifiers {
    let bits = [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
    ];
    let held = bits.into_iter().filter(|(bit, _)| mask & bit != 0);
    held.map(|(_, modifier)| modifier).collect()
}
