//! What the schedule knows of a project as a whole: whether its server asked it to wait, and since
//! when none of its polls has succeeded.

use std::time::Duration;
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

    /// How long no poll had succeeded before this one.
    pub(super) fn answered_since(&mut self, now: Instant) -> Duration {
        now.saturating_duration_since(std::mem::replace(&mut self.answered_at, now))
    }
}
