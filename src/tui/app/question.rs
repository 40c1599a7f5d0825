//! A question that waits for a yes.

use std::fmt;

use super::{App, Effect, Mode};
use crate::job::ProjectId;
use crate::mintlify::write::WRITES_AN_HOUR;

/// A question, and the effect of a yes.
#[derive(Debug)]
pub struct Question {
    pub(super) text: String,
    /// The project that a yes writes to, and how many writes it has had this hour once that is
    /// known.
    pub(super) writes: Option<(ProjectId, Option<usize>)>,
    pub(super) effect: Effect,
}

impl Question {
    pub(super) fn new(text: impl Into<String>, effect: Effect) -> Self {
        Self {
            text: text.into(),
            writes: None,
            effect,
        }
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
