//! A question that waits for a yes.

use std::time::Duration;

use jiff::Timestamp;

use super::{App, Compose, Effect, Mode};
use crate::job::ProjectId;
use crate::mintlify::write::WRITES_AN_HOUR;
use crate::text;

/// What is typed sooner than this after a question was drawn was typed before it was read.
const READ_AFTER: Duration = Duration::from_millis(50);

/// Follows the question, however little room there is.
const ANSWERS: &str = " y/n";

/// A question, and the effect of a yes.
#[derive(Debug)]
pub struct Question {
    /// Such as `Stop watching`.
    pub(super) act: &'static str,
    /// What it is done to, such as `3 jobs`.
    pub(super) object: String,
    /// What else is to be known, where there is room.
    pub(super) note: &'static str,
    /// The project that a yes writes to, and how many writes it has had this hour once that is
    /// known.
    pub(super) writes: Option<(ProjectId, Option<usize>)>,
    pub(super) effect: Effect,
    /// The text that was being written, to go on with after a no.
    pub(super) behind: Option<Box<Compose>>,
    /// Since when it has been on the screen, with nothing waiting that was typed before.
    seen_at: Option<Timestamp>,
}

impl Question {
    pub(super) fn new(act: &'static str, object: impl Into<String>, effect: Effect) -> Self {
        Self {
            act,
            object: object.into(),
            note: "",
            writes: None,
            effect,
            behind: None,
            seen_at: None,
        }
    }

    /// The question in `width` cells: first what is only good to know is left out, then what it is
    /// about is cut. `ellipsis` stands for what is cut.
    pub fn fit(&self, width: usize, ellipsis: &str) -> String {
        let Self { act, object, .. } = self;
        let question = format!("{act} {object}?");
        let room = width.saturating_sub(text::width(ANSWERS));
        let whole = [&question, self.note, &self.count_text()];
        let parts = whole.into_iter().filter(|part| !part.is_empty());
        let whole = parts.collect::<Vec<_>>().join(" ");
        if text::width(&whole) <= room {
            return whole + ANSWERS;
        }
        let around = text::width(act) + " ?".len();
        let object = text::truncate(object, room.saturating_sub(around), ellipsis);
        let question = format!("{act} {object}?");
        text::truncate(&question, room, ellipsis).into_owned() + ANSWERS
    }

    fn count_text(&self) -> String {
        match &self.writes {
            Some((_, Some(count))) => format!("{count} of {WRITES_AN_HOUR} writes this hour."),
            _ => String::new(),
        }
    }

    /// Whether what is typed `now` can be an answer. A clock that was put back is no reason to wait.
    pub(super) fn takes_answers(&self, now: Timestamp) -> bool {
        let since = self.seen_at.map(|seen_at| now.duration_since(seen_at));
        since.is_some_and(|since| since.unsigned_abs() >= READ_AFTER)
    }

    /// Whether Enter is a yes: where nothing is written, and no text is lost.
    pub(super) fn takes_enter(&self) -> bool {
        !matches!(self.effect, Effect::Perform(_) | Effect::Quit)
    }
}

impl App {
    /// Whether a question is asked that nobody can have seen yet.
    pub fn has_unseen_question(&self) -> bool {
        matches!(&self.mode, Mode::Confirm(question) if question.seen_at.is_none())
    }

    /// Whether it is asked whether to leave.
    pub(super) fn asks_to_leave(&self) -> bool {
        matches!(&self.mode, Mode::Confirm(question) if question.effect == Effect::Quit)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_is_about_and_the_answers_stay_longest() {
        let mut question = Question::new("Start a job in", "my docs", Effect::None);
        question.writes = Some(("p".into(), Some(3)));
        question.note = "Really.";
        for (width, want) in [
            (
                80,
                "Start a job in my docs? Really. 3 of 100 writes this hour. y/n",
            ),
            (40, "Start a job in my docs? y/n"),
            (27, "Start a job in my docs? y/n"),
            (25, "Start a job in my d…? y/n"),
            (12, "Start a… y/n"),
            (4, " y/n"),
            (0, " y/n"),
        ] {
            let fitted = question.fit(width, "…");
            assert_eq!(fitted, want, "{width}");
        }
    }
}
