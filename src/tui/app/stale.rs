//! How many rows are stale: all rows are counted only when the number can have changed, so that a
//! frame does not look at rows that it does not show.

use jiff::Timestamp;

use crate::board::{Board, Freshness};

#[derive(Debug, Default)]
pub(super) struct StaleRows {
    pub(super) count: usize,
    /// When the next row goes stale, as of the last count; polls only put it off.
    pub(super) next_at: Option<Timestamp>,
    /// The board's revision and the time of the last count.
    counted_at: Option<(u64, Timestamp)>,
}

impl StaleRows {
    /// Counts again where a row can have gone stale or fresh: the board has changed, the time of
    /// the next one has come, or the clock was set back. Returns whether others may be stale.
    pub(super) fn update(&mut self, board: &Board, now: Timestamp) -> bool {
        let is_current = |(revision, at)| revision == board.revision() && at <= now;
        let is_due = self.next_at.is_some_and(|at| at <= now);
        if self.counted_at.is_some_and(is_current) && !is_due {
            return false;
        }
        let (mut count, mut next_at) = (0, Timestamp::MAX);
        for row in board.rows() {
            match (row.freshness(now), row.goes_stale_at()) {
                (Freshness::Stale, _) => count += 1,
                (Freshness::Fresh, Some(at)) => next_at = next_at.min(at),
                _ => {}
            }
        }
        self.next_at = Some(next_at).filter(|at| *at < Timestamp::MAX);
        self.counted_at = Some((board.revision(), now));
        std::mem::replace(&mut self.count, count) != count || is_due
    }
}
