//! Cuts what comes from the terminal into characters, control sequences and pastes.
//!
//! Whatever comes in, [`Reader::on_silence`] ends it, so that the next key is a key again, and the
//! memory that is held is bounded. This file must not know clocks or the terminal.

use std::collections::VecDeque;
use std::time::Duration;

use crossterm::event::{Event, KeyEvent, KeyModifiers};

use super::decode;

/// A key that begins as a sequence does, as Esc or Alt-[, is a key when nothing follows for so long.
const KEY_PATIENCE: Duration = Duration::from_millis(50);
/// The rest of a sequence may be late over SSH, and must not be taken for keys.
const SEQUENCE_PATIENCE: Duration = Duration::from_millis(500);
/// However it trickles in, the rest of a sequence is not waited for any longer: these are keys.
const LONGEST_SEQUENCE: Duration = Duration::from_secs(2);
/// So may the rest of a paste, however long that is.
const PASTE_PATIENCE: Duration = Duration::from_millis(800);

/// Longer parameters are of nothing that is a key.
const MOST_PARAMETERS: usize = 64;
/// A longer paste comes in pieces.
const PASTE_PIECE: usize = 1 << 20;
const PASTE_END: &[u8] = b"\x1b[201~";

const ESC: u8 = 0x1b;
pub(super) const CTRL_C: u8 = 0x03;

/// What the bytes so far are the beginning of.
#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    /// A character of several bytes.
    Character {
        bytes: Vec<u8>,
        alt: bool,
    },
    Escape,
    /// `ESC [` or `ESC O`, and the parameters so far.
    Sequence {
        first: u8,
        parameters: Vec<u8>,
    },
    /// `ESC [ [`.
    Console,
    /// `ESC [ M`, and the bytes so far.
    Mouse(Vec<u8>),
    /// A string that ends with `ESC \` or BEL: always a reply.
    Text {
        first: u8,
        is_empty: bool,
    },
    TextEscape,
    /// Pasted text, and how much of [`PASTE_END`] has come after it.
    Paste {
        text: Vec<u8>,
        ending: usize,
    },
}

#[derive(Debug, Default)]
pub(super) struct Reader {
    state: State,
    events: VecDeque<Event>,
}

impl Reader {
    pub(super) fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// How long to wait for what is missing before [`Self::on_silence`]; `None` where nothing is.
    pub(super) fn patience(&self) -> Option<Duration> {
        match &self.state {
            State::Ground => None,
            State::Escape | State::Text { is_empty: true, .. } => Some(KEY_PATIENCE),
            State::Sequence { parameters, .. } if parameters.is_empty() => Some(KEY_PATIENCE),
            State::Paste { .. } => Some(PASTE_PATIENCE),
            _ => Some(SEQUENCE_PATIENCE),
        }
    }

    /// How long what has begun may last although more of it comes.
    pub(super) fn longest(&self) -> Duration {
        match self.state {
            State::Paste { .. } => Duration::MAX,
            _ => LONGEST_SEQUENCE,
        }
    }

    /// Nothing more comes: what could be a key is one, and the rest of a sequence is dropped.
    pub(super) fn on_silence(&mut self) {
        match std::mem::take(&mut self.state) {
            State::Escape => self.push_key(decode::character(ESC.into()), false),
            State::Sequence { first, parameters } if parameters.is_empty() => {
                self.push_key(decode::character(first.into()), true);
            }
            State::Text {
                first,
                is_empty: true,
            } => {
                self.push_key(decode::character(first.into()), true);
            }
            State::Paste { text, .. } => self.push_paste(&text),
            _ => {}
        }
    }

    pub(super) fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.state = self.step(*byte);
        }
    }

    fn step(&mut self, byte: u8) -> State {
        match std::mem::take(&mut self.state) {
            State::Ground => self.on_ground(byte, false),
            State::Character { bytes, alt } => self.on_character(bytes, alt, byte),
            State::TextEscape if byte == b'\\' => State::Ground,
            State::Escape | State::TextEscape => self.on_escape(byte),
            State::Sequence { first, parameters } => self.on_sequence(first, parameters, byte),
            State::Console => self.on_console(byte),
            State::Mouse(bytes) => self.on_mouse(bytes, byte),
            State::Text { first, .. } => self.on_text(first, byte),
            State::Paste { text, ending } => self.on_paste(text, ending, byte),
        }
    }

    fn on_ground(&mut self, byte: u8, alt: bool) -> State {
        match byte {
            ESC => return State::Escape,
            0..=0x7f => self.push_key(decode::character(byte.into()), alt),
            0xc2..=0xf4 => {
                let bytes = vec![byte];
                return State::Character { bytes, alt };
            }
            // No character begins so.
            _ => {}
        }
        State::Ground
    }

    fn on_character(&mut self, mut bytes: Vec<u8>, alt: bool, byte: u8) -> State {
        if !is_continuation(byte) {
            return self.on_ground(byte, false);
        }
        bytes.push(byte);
        match std::str::from_utf8(&bytes) {
            Ok(text) => text
                .chars()
                .for_each(|c| self.push_key(decode::character(c), alt)),
            // Only its end is missing.
            Err(error) if error.error_len().is_none() => {
                return State::Character { bytes, alt };
            }
            Err(_) => {}
        }
        State::Ground
    }

    fn on_escape(&mut self, byte: u8) -> State {
        match byte {
            ESC => {
                self.push_key(decode::character(ESC.into()), false);
                State::Escape
            }
            b'[' | b'O' => State::Sequence {
                first: byte,
                parameters: Vec::new(),
            },
            b'P' | b'X' | b']' | b'^' | b'_' => State::Text {
                first: byte,
                is_empty: true,
            },
            _ => self.on_ground(byte, true),
        }
    }

    fn on_sequence(&mut self, first: u8, mut parameters: Vec<u8>, byte: u8) -> State {
        match byte {
            b'[' if first == b'[' && parameters.is_empty() => State::Console,
            b'M' if first == b'[' && parameters.is_empty() => State::Mouse(Vec::new()),
            0x20..=0x3f => {
                // One more than the most says that there were too many.
                if parameters.len() <= MOST_PARAMETERS {
                    parameters.push(byte);
                }
                State::Sequence { first, parameters }
            }
            b'~' if first == b'[' && parameters == b"200" => State::Paste {
                text: Vec::new(),
                ending: 0,
            },
            0x40..=0x7e => {
                self.on_whole_sequence(first, &parameters, byte.into());
                State::Ground
            }
            // It was torn, and this is a key.
            _ => self.on_ground(byte, false),
        }
    }

    fn on_whole_sequence(&mut self, first: u8, parameters: &[u8], last: char) {
        if parameters.len() > MOST_PARAMETERS {
            return;
        }
        let Ok(parameters) = std::str::from_utf8(parameters) else {
            return;
        };
        let event = match first {
            b'O' => decode::single_shift(parameters, last),
            _ => decode::control_sequence(parameters, last),
        };
        self.events.extend(event);
    }

    fn on_console(&mut self, byte: u8) -> State {
        if !(0x20..0x7f).contains(&byte) {
            return self.on_ground(byte, false);
        }
        self.events.extend(decode::console_key(byte.into()));
        State::Ground
    }

    fn on_mouse(&mut self, mut bytes: Vec<u8>, byte: u8) -> State {
        if byte < 0x20 {
            return self.on_ground(byte, false);
        }
        bytes.push(byte);
        let Ok(bytes) = <[u8; 3]>::try_from(bytes.as_slice()) else {
            return State::Mouse(bytes);
        };
        self.events.extend(decode::plain_mouse(bytes));
        State::Ground
    }

    fn on_text(&mut self, first: u8, byte: u8) -> State {
        match byte {
            ESC => State::TextEscape,
            // BEL, and what cancels a sequence.
            0x07 | 0x18 | 0x1a => State::Ground,
            CTRL_C => self.on_ground(byte, false),
            _ => State::Text {
                first,
                is_empty: false,
            },
        }
    }

    fn on_paste(&mut self, mut text: Vec<u8>, mut ending: usize, byte: u8) -> State {
        if byte == PASTE_END[ending] {
            ending += 1;
            if ending == PASTE_END.len() {
                self.push_paste(&text);
                return State::Ground;
            }
            return State::Paste { text, ending };
        }
        text.extend_from_slice(&PASTE_END[..ending]);
        let is_long = text.len() >= PASTE_PIECE;
        // Between two characters; what has more bytes than one can have is no text.
        if is_long && (!is_continuation(byte) || text.len() > PASTE_PIECE + 8) {
            self.push_paste(&text);
            text.clear();
        }
        if byte == ESC {
            return State::Paste { text, ending: 1 };
        }
        text.push(byte);
        State::Paste { text, ending: 0 }
    }

    fn push_paste(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(text).into_owned();
        self.events.push_back(Event::Paste(text));
    }

    fn push_key(&mut self, mut key: KeyEvent, alt: bool) {
        if alt {
            key.modifiers |= KeyModifiers::ALT;
        }
        self.events.push_back(Event::Key(key));
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

#[cfg(test)]
mod tests;
