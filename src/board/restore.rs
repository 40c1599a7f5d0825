//! What earlier runs have left, on a board that this one has not filled yet.
//!
//! This file must not know where it was stored.

use super::{Board, Counts};
use crate::store::StoredJob;

impl Board {
    /// Shows what earlier runs have stored of jobs that this one has not seen yet.
    pub fn restore(&mut self, stored: impl IntoIterator<Item = StoredJob>) {
        self.revision += 1;
        for stored in stored {
            let Some(&at) = self.index.get(&stored.key) else {
                continue;
            };
            let row = &mut self.rows[at];
            if row.fetched_at.is_none() {
                row.job = Some(stored.job);
                row.fetched_at = Some(stored.fetched_at);
                row.changed_at = stored.changed_at;
                row.is_restored = true;
                row.revision = self.revision;
            }
        }
        self.counts = Counts::new(&self.rows);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::board::{Freshness, Project, Update, Watched};
    use crate::event::Change;
    use crate::job::{Job, JobKey, Status};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn job(status: Status) -> Job {
        Job {
            status: Some(status),
            ..Job::default()
        }
    }

    fn stored(id: &str) -> StoredJob {
        StoredJob {
            key: JobKey::new("p", id),
            job: job(Status::Active),
            fetched_at: at(5),
            changed_at: None,
            finished_at: None,
        }
    }

    fn fetched(status: Status) -> Update {
        Update::Fetched {
            job: job(status),
            fresh_for: None,
        }
    }

    #[test]
    fn a_restored_row_counts_and_is_not_fresh_until_it_is_seen() {
        let project = Arc::new(Project {
            id: "p".into(),
            name: None,
        });
        let mut board = Board::new(["a", "b", "c"].map(|id| Watched {
            key: JobKey::new("p", id),
            project: Arc::clone(&project),
            label: None,
            tags: Vec::new(),
        }));
        let key = |id| JobKey::new("p", id);
        board.apply(&key("b"), fetched(Status::Failed), at(9));
        // What has left the config is passed over, and what was seen in this run stays.
        board.restore(["a", "b", "gone"].map(stored));
        let freshness = |board: &Board, id| board.row(&key(id)).unwrap().freshness(at(10));
        assert_eq!(freshness(&board, "a"), Freshness::Restored);
        assert_eq!(freshness(&board, "b"), Freshness::Fresh);
        assert_eq!(freshness(&board, "c"), Freshness::NeverSeen);
        assert_eq!((board.counts().active, board.counts().failed), (1, 1));
        // A change since then is an event.
        let events = board.apply(&key("a"), fetched(Status::Completed), at(20));
        assert!(matches!(events[0].change, Change::Status { .. }));
        assert_eq!(freshness(&board, "a"), Freshness::Fresh);
    }
}
