//! The message in the footer: what was done, what changed, what went wrong.

use std::time::Duration;

use jiff::Timestamp;

use super::App;
use crate::view::theme::Role;

/// How long a message is shown.
const MESSAGE_TIME: Duration = Duration::from_secs(6);
/// How long a message is shown that says what went wrong.
const ERROR_TIME: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Message {
    pub text: String,
    pub role: Role,
    pub(super) until: Timestamp,
}

impl Message {
    /// Whether its time has passed, or the clock has been set back so far that it would stay for long.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        let left = self.until.duration_since(now);
        left.is_zero() || left.is_negative() || left.unsigned_abs() > 2 * ERROR_TIME
    }
}

impl App {
    /// Shows a message for a while.
    pub fn show_message(&mut self, text: impl Into<String>, role: Role, now: Timestamp) {
        let time = match role {
            Role::Bad => ERROR_TIME,
            _ => MESSAGE_TIME,
        };
        self.message = Some(Message {
            text: text.into(),
            role,
            until: now.checked_add(time).unwrap_or(Timestamp::MAX),
        });
        self.dirty = true;
    }
}
