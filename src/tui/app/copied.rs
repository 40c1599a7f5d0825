//! What is said of a copy: no more than is known.
//!
//! OSC 52 gives no answer, so that nobody can tell whether a terminal has copied what it was sent. The
//! message has the link whole, for a selection by hand. tmux does answer, and a moment later.

use super::App;
use crate::view::plural;

/// What was sent to the terminal's clipboard.
#[derive(Debug)]
pub struct Copied {
    text: String,
    /// The lines, for a selection by hand.
    label: String,
    /// Why it was copied, where the user has asked for something else.
    reason: &'static str,
}

impl Copied {
    /// `lines` were copied, each of which is a `what`.
    pub fn new(lines: &[String], what: &str, reason: &'static str) -> Self {
        let label = match lines {
            [line] => line.clone(),
            many => {
                let (count, all) = (many.len(), many.join(" "));
                format!("{count} {}: {all}", plural(what, count))
            }
        };
        Self {
            text: lines.join("\n"),
            label,
            reason,
        }
    }

    /// `arrived` is where it is known to be.
    pub(super) fn message(&self, arrived: &str) -> String {
        let Self { label, reason, .. } = self;
        format!("{reason}sent to the terminal{arrived}: {label}")
    }
}

impl App {
    /// tmux has `text` in its buffer: the message about it says so, if it is still shown.
    pub(super) fn on_in_tmux(&mut self, text: &str) {
        let message = self.messages.shown_mut();
        let copied = message.as_ref().and_then(|message| message.copied.as_ref());
        let told = copied.filter(|copied| copied.text == text);
        let told = told.map(|copied| copied.message("; tmux has it"));
        if let (Some(message), Some(told)) = (message, told) {
            message.text = told;
            self.fit_listing();
            self.dirty = true;
        }
    }
}
