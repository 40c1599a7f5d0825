//! A question that waits for a yes.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::{App, Effect, Mode};
use crate::job::ProjectId;
use crate::mintlify::write::WRITES_AN_HOUR;

/// What is typed sooner than this after a question was drawn was typed before it was read.
const READ_AFTER: Duration = Duration::from_millis(50);

/// A question, and the effect of a yes.
#[derive(Debug)]
pub struct Question {
    pub(super) text: String,
    /// The project that a yes writes to, and how many writes it has had this hour once that is
    /// known.
    pub(super) writes: Option<(ProjectId, Option<usize>)>,
    pub(super) effect: Effect,
    /// Since when it has been on the screen, with nothing waiting that was typed before.
    seen_at: Option<Timestamp>,
}

impl Question {
    pub(super) fn new(text: impl Into<String>, effect: Effect) -> Self {
        Self {
            text: text.into(),
            writes: None,
            effect,
            seen_at: None,
        }
    }

    /// Whether what is typed `now` can be an answer. A clock that was put back is no reason to wait.
    pub(super) fn takes_answers(&self, now: Timestamp) -> bool {
        let since = self.seen_at.map(|seen_at| now.duration_since(seen_at));
        since.is_some_and(|since| since.unsigned_abs() >= READ_AFTER)
    }

    /// Whether Enter is a yes: where nothing is written.
    pub(super) fn takes_enter(&self) -> bool {
        !matches!(self.effect, Effect::Perform(_))
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if let Some((_, Some(count))) = &self.writes {
            write!(f, " {count} of {WRITES_AN_HOUR} writes this hour.")?;
        }
        f.write_str(" y/n")
    }
}

impl App {
    /// Whether a question is asked that nobody can have seen yet.
    pub fn has_unseen_question(&self) -> bool {
        matches!(&self.mode, Mode::Confirm(question) if question.seen_at.is_none())
    }

    /// The question has been drawn, and all that was typed before has been handled.
    pub fn on_question_seen(&mut self, now: Timestamp) {
        if let Mode::Confirm(question) = &mut self.mode {
            question.seen_at = Some(now);
        }
    }

    /// Adds the count to the question that it is for, if that is still asked.
    pub(super) fn set_write_count(&mut self, project: &ProjectId, count: Option<usize>) {
        if let Mode::Confirm(question) = &mut self.mode
            && let Some((writes_to, writes)) = &mut question.writes
            && writes_to == project
        {
            *writes = count;
            self.dirty = true;
        }
    }
}
