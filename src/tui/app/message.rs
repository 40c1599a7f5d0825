//! The message in the footer: what was done, what changed, what went wrong.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::layout::Size;

use super::super::layout::{self, Areas};
use super::{App, Copied, Mode};
use crate::text;
use crate::view::theme::Role;

/// How long a message is shown.
const SHORT: Duration = Duration::from_secs(6);
/// How long a message is shown that has something to select by hand.
pub(super) const TO_SELECT: Duration = Duration::from_secs(15);
/// How long a message is shown that says what went wrong.
const LONG: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Message {
    pub text: String,
    pub role: Role,
    pub(super) until: Timestamp,
    /// Whether it is cut where it has no room, since the screen shows the same elsewhere.
    pub is_brief: bool,
    /// What it is about, where that was sent to the terminal's clipboard.
    pub(super) copied: Option<Copied>,
}

impl Message {
    pub(super) fn new(text: String, role: Role, time: Duration, now: Timestamp) -> Self {
        Self {
            text,
            role,
            until: now.checked_add(time).unwrap_or(Timestamp::MAX),
            is_brief: false,
            copied: None,
        }
    }

    /// Whether its time has passed, or the clock has been set back so far that it would stay for long.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        let left = self.until.duration_since(now);
        left.is_zero() || left.is_negative() || left.unsigned_abs() > 2 * LONG
    }

    /// In the lines of a footer of `width` cells. A single line is behind a space; where there are
    /// several, none is, so that a link in them is selected by hand as it is.
    pub fn lines(&self, width: usize) -> Vec<&str> {
        if self.is_brief || text::width(&self.text) < width {
            vec![&self.text]
        } else {
            text::wrap_words(&self.text, width)
        }
    }
}

impl App {
    /// Shows a message for a while, whole: where it needs more than a line, the table has fewer.
    pub fn show_message(&mut self, text: impl Into<String>, role: Role, now: Timestamp) {
        let time = if role == Role::Bad { LONG } else { SHORT };
        self.set_message(Message::new(text.into(), role, time, now));
    }

    /// Shows a message that moves no line of the table: nobody has asked for it just now.
    pub(super) fn show_news(&mut self, text: String, role: Role, now: Timestamp) {
        self.show_message(text, role, now);
        if let Some(message) = &mut self.message {
            message.is_brief = true;
        }
        self.fit_listing();
    }

    pub(super) fn set_message(&mut self, message: Message) {
        self.message = Some(message);
        self.fit_listing();
        self.dirty = true;
    }

    /// The parts of the screen.
    pub(super) fn areas(&self) -> Areas {
        self.areas_in(self.size)
    }

    /// The parts of a screen of this size.
    pub fn areas_in(&self, size: Size) -> Areas {
        layout::areas(size, self.pane).with_footer(self.footer_lines(size))
    }

    /// As many as the message needs, up to half of the screen. The errors need none, which show what
    /// went wrong whole, and a question has a line of its own.
    fn footer_lines(&self, size: Size) -> u16 {
        let message = self.message.as_ref();
        let shown = message.filter(|_| !matches!(self.mode, Mode::Errors | Mode::Confirm(_)));
        let lines = shown.map_or(1, |message| message.lines(size.width.into()).len());
        let lines = u16::try_from(lines).unwrap_or(u16::MAX);
        lines.min(size.height / 2).max(1)
    }
}
