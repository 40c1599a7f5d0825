//! The messages in the footer, one at a time: what was done, what changed, what went wrong.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ratatui::layout::Size;

use super::super::layout::{self, Areas};
use super::{App, Copied, Mode};
use crate::text;
use crate::view::theme::Role;

/// How long a message is shown.
const SHORT: Duration = Duration::from_secs(6);
/// How long a message is shown that has something to select by hand.
const TO_SELECT: Duration = Duration::from_secs(15);
/// How long a message is shown that says what went wrong.
const LONG: Duration = Duration::from_secs(30);

/// After this time an answer has been read.
const READ_AFTER: SignedDuration = SignedDuration::from_secs(2);
/// How many messages wait at most; what happened stands in the details and among the errors too.
const MAX_WAITING: usize = 4;

/// How a message came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It answers a key: it is shown at once, and once.
    Answer,
    /// What became of what was asked for: shown at once, and again where an answer has hidden it.
    Outcome,
    /// Nobody has asked for it: it waits for its turn.
    Report,
    /// The same, and cut where it has no room, since the screen shows the change elsewhere: it moves
    /// no line of the table.
    News,
}

#[derive(Debug)]
pub struct Message {
    pub text: String,
    pub role: Role,
    kind: Kind,
    /// What it is about, where that was sent to the terminal's clipboard.
    pub(super) copied: Option<Copied>,
    shown_at: Timestamp,
    until: Timestamp,
}

impl Message {
    fn new(text: impl Into<String>, role: Role, kind: Kind) -> Self {
        Self {
            text: text.into(),
            role,
            kind,
            copied: None,
            shown_at: Timestamp::MIN,
            until: Timestamp::MIN,
        }
    }

    fn show(self, now: Timestamp) -> Self {
        Self {
            shown_at: now,
            until: after(now, self.time()),
            ..self
        }
    }

    fn time(&self) -> Duration {
        match self.role {
            Role::Bad => LONG,
            _ if self.copied.is_some() => TO_SELECT,
            _ => SHORT,
        }
    }

    /// How long it is shown while another one waits.
    fn least_time(&self) -> Duration {
        match self.role {
            Role::Bad => SHORT,
            _ => SHORT / 2,
        }
    }

    /// Whether nobody has asked for it, so that it leaves the keys their place.
    pub fn is_news(&self) -> bool {
        self.kind == Kind::News
    }

    /// In the lines of a footer of `width` cells. A single line is behind a space; where there are
    /// several, none is, so that a link in them is selected by hand as it is.
    pub fn lines(&self, width: usize) -> Vec<&str> {
        if self.kind == Kind::News || text::width(&self.text) < width {
            vec![&self.text]
        } else {
            text::wrap_words(&self.text, width)
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
    /// Whether the screen is hidden: nothing on it is read then.
    is_held: bool,
}

impl Messages {
    pub fn shown(&self) -> Option<&Message> {
        self.shown.as_ref()
    }

    pub(super) fn shown_mut(&mut self) -> Option<&mut Message> {
        self.shown.as_mut()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn changes_at(&self) -> Option<Timestamp> {
        let shown = self.shown.as_ref().filter(|_| !self.is_held);
        shown.map(|message| message.until)
    }

    /// Returns whether another message is shown than before.
    pub(super) fn on_time(&mut self, now: Timestamp) -> bool {
        if self.is_held {
            return false;
        }
        let mut changed = false;
        while let Some(over) = self.shown.take_if(|message| message.is_over(now)) {
            // Also that of the next may have passed, as after a sleep.
            self.show_next(over.until.min(now));
            changed = true;
        }
        changed
    }

    /// A key was pressed: an answer to an earlier one that has been read makes way.
    pub(super) fn on_key(&mut self, now: Timestamp) {
        let is_read = |message: &mut Message| {
            let since = now.duration_since(message.shown_at);
            message.kind == Kind::Answer && message.role != Role::Bad && since >= READ_AFTER
        };
        if self.shown.take_if(is_read).is_some() {
            self.show_next(now);
        }
    }

    /// While the screen is hidden, no message ends.
    pub(super) fn hold(&mut self) {
        self.is_held = true;
    }

    /// The screen is shown again: what is on it has its whole time.
    pub(super) fn resume(&mut self, now: Timestamp) {
        self.is_held = false;
        self.shown = self.shown.take().map(|message| message.show(now));
        self.share();
    }

    fn show_next(&mut self, now: Timestamp) {
        let next = self.waiting.pop_front();
        self.shown = next.map(|message| message.show(now));
        self.share();
    }

    /// An answer to a key is not waited for.
    fn answer(&mut self, message: Message, now: Timestamp) {
        let before = self.shown.replace(message.show(now));
        if let Some(news) =
            before.filter(|message| message.kind != Kind::Answer && !message.is_over(now))
        {
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
            let goes = [Kind::News, Kind::Report].into_iter().find_map(|kind| {
                let can_go = |news: &Message| news.kind == kind && news.role != Role::Bad;
                self.waiting.iter().position(can_go)
            });
            self.waiting.remove(goes.unwrap_or(0));
        }
    }
}

impl App {
    /// Shows the answer to a key, whole: where it needs more than a line, the table has fewer.
    pub fn show_message(&mut self, text: impl Into<String>, role: Role, now: Timestamp) {
        self.answer(Message::new(text, role, Kind::Answer), now);
    }

    /// Says that something was sent to the terminal's clipboard.
    pub fn show_copied(&mut self, copied: Copied, now: Timestamp) {
        let message = Message::new(copied.message(""), Role::Plain, Kind::Answer);
        let copied = Some(copied);
        self.answer(Message { copied, ..message }, now);
    }

    pub(super) fn show_outcome(&mut self, text: impl Into<String>, role: Role, now: Timestamp) {
        self.answer(Message::new(text, role, Kind::Outcome), now);
    }

    pub(super) fn show_report(&mut self, text: impl Into<String>, role: Role, now: Timestamp) {
        self.push(Message::new(text, role, Kind::Report), now);
    }

    pub(super) fn show_news(&mut self, text: impl Into<String>, role: Role, now: Timestamp) {
        self.push(Message::new(text, role, Kind::News), now);
    }

    fn answer(&mut self, message: Message, now: Timestamp) {
        self.messages.answer(message, now);
        self.fit_listing();
        self.dirty = true;
    }

    fn push(&mut self, message: Message, now: Timestamp) {
        self.messages.push(message, now);
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
    /// went wrong whole; a question and the columns to sort by have a line of their own.
    fn footer_lines(&self, size: Size) -> u16 {
        let message = self.messages.shown();
        let shown =
            message.filter(|_| !matches!(self.mode, Mode::Errors | Mode::Confirm(_) | Mode::Sort));
        let lines = shown.map_or(1, |message| message.lines(size.width.into()).len());
        let lines = u16::try_from(lines).unwrap_or(u16::MAX);
        lines.min(size.height / 2).max(1)
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
    fn what_became_of_a_request_is_not_crowded_out() {
        let now = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut messages = Messages::default();
        messages.answer(message("started", Kind::Outcome), now(0));
        for news in ["a", "b", "c", "d"] {
            messages.push(message(news, Kind::News), now(0));
        }
        messages.answer(message("polling", Kind::Answer), now(1));
        messages.on_time(now(4));
        assert_eq!(messages.shown().unwrap().text, "started");
    }

    #[test]
    fn the_next_key_takes_an_answer_away_that_has_been_read() {
        let now = |seconds| Timestamp::from_second(seconds).unwrap();
        for (kind, seconds, stays) in [
            (Kind::Answer, 1, true),
            (Kind::Answer, 2, false),
            (Kind::Outcome, 2, true),
            (Kind::News, 2, true),
        ] {
            let mut messages = Messages::default();
            messages.answer(message("text", kind), now(0));
            messages.on_key(now(seconds));
            assert_eq!(messages.shown().is_some(), stays, "{kind:?} {seconds}");
        }
    }

    #[test]
    fn a_message_waits_for_the_screen() {
        let now = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut messages = Messages::default();
        messages.answer(message("started", Kind::Outcome), now(0));
        messages.hold();
        messages.on_time(now(60));
        assert_eq!(messages.changes_at(), None);
        messages.resume(now(60));
        messages.on_time(now(65));
        assert_eq!(messages.shown().unwrap().text, "started");
        messages.on_time(now(66));
        assert!(messages.shown().is_none());
    }

    fn message(words: &str, kind: Kind) -> Message {
        Message::new(words, Role::Good, kind)
    }

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
                match step {
                    Answer(words) => messages.answer(message(words, Kind::Answer), now),
                    News(words) => messages.push(message(words, Kind::News), now),
                    Error(words) => {
                        messages.push(Message::new(*words, Role::Bad, Kind::Report), now);
                    }
                    Time => drop(messages.on_time(now)),
                }
                let shown = messages.shown().map_or("", |message| &message.text);
                assert_eq!(shown, *want, "{at}");
            }
        }
    }
}
