//! What the engine has stored of what polls find.
//!
//! It must not know when that reaches the disk.

use jiff::Timestamp;

use super::Engine;
use crate::job::{Job, JobKey};
use crate::store::Sighting;

impl Engine {
    /// Has `reply` stored, as far as it is news.
    pub(super) fn remember(&self, job: &JobKey, reply: &Job) {
        let Some(recorder) = &self.recorder else {
            return;
        };
        let at = Timestamp::now();
        let board = self.board.borrow();
        let Some(row) = board.row(job) else { return };
        let is_first = row.is_restored || row.fetched_at.is_none();
        if !is_first && row.error.is_none() && row.job.as_ref() == Some(reply) {
            return recorder.touch(job.clone(), at);
        }
        recorder.record(Sighting {
            key: job.clone(),
            at,
            job: reply.clone(),
            is_first,
        });
    }
}
