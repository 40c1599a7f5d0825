//! The messages in the footer, one at a time: what was done, what changed, what went wrong.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use super::App;
use crate::view::theme::Role;

/// How many messages wait at most; what happened stands in the details and among the errors too.
const MAX_WAITING: usize = 4;

#[derive(Debug)]
pub struct Message {
    pub text: String,
    pub role: Role,
    /// Whether it is shown again after an answer to a key has hidden it.
    returns: bool,
    shown_at: Timestamp,
    until: Timestamp,
}

impl Message {
    fn show(self, now: Timestamp) -> Self {
        Self {
            shown_at: now,
            until: after(now, self.time()),
            ..self
        }
    }

    /// How long it is shown.
    fn time(&self) -> Duration {
        match self.role {
            Role::Bad => Duration::from_secs(30),
            _ => Duration::from_secs(6),
        }
    }

    /// How long it is shown while another one waits.
    fn least_time(&self) -> Duration {
        match self.role {
            Role::Bad => Duration::from_secs(6),
            _ => Duration::from_secs(3),
        }
    }

    fn make_way(&mut self) {
        self.until = self.until.min(after(self.shown_at, self.least_time()));
    }

    /// Whether its time has passed, or the clock has been set back so far that it would stay for long.
    fn is_over(&self, now: Timestamp) -> bool {
        let left = self.until.duration_since(now);
        left.is_zero() || left.is_negative() || left.unsigned_abs() > 2 * self.time()
    }
}

fn after(now: Timestamp, time: Duration) -> Timestamp {
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}

/// The message that is shown, and those that wait for their turn.
#[derive(Debug, Default)]
pub struct Messages {
    shown: Option<Message>,
    waiting: VecDeque<Message>,
}

impl Messages {
    pub fn shown(&self) -> Option<&Message> {
        self.shown.as_ref()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn changes_at(&self) -> Option<Timestamp> {
        self.shown.as_ref().map(|message| message.until)
    }

    /// Returns whether another message is shown than before.
    pub(super) fn on_time(&mut self, now: Timestamp) -> bool {
        let mut changed = false;
        while let Some(over) = self.shown.take_if(|message| message.is_over(now)) {
            // Also that of the next may have passed, as after a sleep.
            self.show_next(over.until.min(now));
            changed = true;
        }
        changed
    }

    fn show_next(&mut self, now: Timestamp) {
        let next = self.waiting.pop_front();
        self.shown = next.map(|message| message.show(now));
        self.share();
    }

    /// An answer to a key is not waited for.
    fn answer(&mut self, message: Message, now: Timestamp) {
        let before = self.shown.replace(message.show(now));
        if let Some(news) = before.filter(|message| message.returns && !message.is_over(now)) {
            self.waiting.push_front(news);
        }
        self.share();
    }

    fn push(&mut self, message: Message, now: Timestamp) {
        self.waiting.retain(|known| known.text != message.text);
        self.waiting.push_back(message);
        let is_known = |shown: &Message| self.waiting.iter().any(|new| new.text == shown.text);
        if self.shown.as_ref().is_none_or(is_known) {
            self.show_next(now);
        }
        self.share();
    }

    /// Gives each its turn: the shown one makes way, and of too many the oldest goes.
    fn share(&mut self) {
        if let Some(shown) = self.shown.as_mut().filter(|_| !self.waiting.is_empty()) {
            shown.make_way();
        }
        while self.waiting.len() > MAX_WAITING {
            let goes = self.waiting.iter().position(|news| news.role != Role::Bad);
            self.waiting.remove(goes.unwrap_or(0));
        }
    }
}

impl App {
    /// Shows the answer to a key.
    pub fn show_message(&mut self, text: impl Into<String>, role: Role, now: Timestamp) {
        self.messages.answer(message(text, role, false, now), now);
        self.dirty = true;
    }

    /// Shows what became of what was asked for: at once, and again where an answer hides it.
    pub(super) fn show_outcome(&mut self, text: impl Into<String>, role: Role, now: Timestamp) {
        self.messages.answer(message(text, role, true, now), now);
        self.dirty = true;
    }

    /// Shows what nobody has asked for, once what is shown has been read.
    pub fn show_news(&mut self, text: impl Into<String>, role: Role, now: Timestamp) {
        self.messages.push(message(text, role, true, now), now);
        self.dirty = true;
    }
}

fn message(text: impl Into<String>, role: Role, returns: bool, now: Timestamp) -> Message {
    Message {
        text: text.into(),
        role,
        returns,
        shown_at: now,
        until: now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Step {
        Answer(&'static str),
        News(&'static str),
        Error(&'static str),
        Time,
    }
    use Step::{Answer, Error, News, Time};

    #[test]
    fn each_message_has_its_turn() {
        for steps in [
            &[(0, News("a"), "a"), (5, Time, "a"), (6, Time, "")][..],
            // News wait until what is shown has been read.
            &[
                (0, News("started"), "started"),
                (1, News("config"), "started"),
                (3, Time, "config"),
                (9, Time, ""),
            ],
            // An answer comes at once, and what it hid comes back.
            &[
                (0, News("started"), "started"),
                (1, Answer("copied"), "copied"),
                (4, Time, "started"),
                (10, Time, ""),
            ],
            &[(0, Answer("a"), "a"), (1, Answer("b"), "b"), (7, Time, "")],
            &[(0, Error("a"), "a"), (29, Time, "a"), (30, Time, "")],
            &[(0, Error("a"), "a"), (1, News("b"), "a"), (6, Time, "b")],
            // The same again is shown for longer, not twice.
            &[
                (0, News("a"), "a"),
                (1, News("b"), "a"),
                (2, News("a"), "b"),
                (5, Time, "a"),
                (11, Time, ""),
            ],
            // Of many the oldest go, but for errors.
            &[
                (0, News("a"), "a"),
                (0, Error("b"), "a"),
                (0, News("c"), "a"),
                (0, News("d"), "a"),
                (0, News("e"), "a"),
                (0, News("f"), "a"),
                (3, Time, "b"),
                (9, Time, "d"),
            ],
            // The machine slept.
            &[(0, News("a"), "a"), (0, News("b"), "a"), (60, Time, "")],
            // The clock was set back by a day.
            &[(86_400, News("a"), "a"), (0, Time, "")],
        ] {
            let mut messages = Messages::default();
            for (at, step, want) in steps {
                let now = Timestamp::from_second(*at).unwrap();
                let text = |text, role, returns| message(text, role, returns, now);
                match step {
                    Answer(words) => messages.answer(text(*words, Role::Good, false), now),
                    News(words) => messages.push(text(*words, Role::Good, true), now),
                    Error(words) => messages.push(text(*words, Role::Bad, true), now),
                    Time => drop(messages.on_time(now)),
                }
                let shown = messages.shown().map_or("", |message| &message.text);
                assert_eq!(shown, *want, "{at}");
            }
        }
    }
}
