//! What the schedule knows of a project as a whole: whether its server asked it to wait, and since
//! when none of its polls has succeeded.

use std::time::Instant;

#[derive(Debug)]
pub(super) struct ProjectState {
    pub(super) held_until: Option<Instant>,
    /// When one of its polls last succeeded; at first, when it came to the schedule.
    answered_at: Instant,
}

impl ProjectState {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            held_until: None,
            answered_at: now,
        }
    }

    /// A poll has succeeded; returns when the last one before it had.
    pub(super) fn answered(&mut self, now: Instant) -> Instant {
        std::mem::replace(&mut self.answered_at, now)
    }
}
