//! What earlier runs have left, and what the user does about rows: acknowledges them, or has seen
//! what changed.
//!
//! This file must not know where it was stored.

use std::collections::HashMap;

use jiff::Timestamp;

use super::row::Stored;
use super::{Board, Counts, Row, Watched};
use crate::event::Event;
use crate::failure::Failure;
use crate::job::{Acknowledgement, Fingerprint, JobKey};
use crate::progress::{Look, Progress};
use crate::store::StoredJob;

/// What of earlier runs a board takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restore {
    /// All, so that jobs are shown as they were last seen.
    Values,
    /// What the user has acknowledged, and when jobs finished: what a job is like now, only a poll of
    /// this run tells.
    Facts,
}

impl Board {
    /// Takes what earlier runs have stored. `seen_at` is up to when the user has seen what changed.
    /// Returns what has changed of jobs that a poll of this run was faster to see.
    pub fn restore(
        &mut self,
        stored: impl IntoIterator<Item = StoredJob>,
        seen_at: Option<Timestamp>,
        what: Restore,
    ) -> Vec<Event> {
        self.revision += 1;
        self.seen_at = self.seen_at.max(seen_at);
        let mut polled = Vec::new();
        for stored in stored {
            let Some(&at) = self.index.get(&stored.key) else {
                continue;
            };
            let row = &mut self.rows[at];
            if what == Restore::Values && row.error.is_none() {
                let values = row.job.take().zip(row.fetched_at.take());
                polled.extend(values.map(|(job, fetched_at)| (at, job, row.fresh_for, fetched_at)));
            }
            row.take(stored, what);
            row.is_new = is_new(row, self.seen_at);
            row.revision = self.revision;
        }
        self.counts = Counts::new(&self.rows);
        // As if it had come first.
        let polled = polled.into_iter();
        polled
            .flat_map(|(at, job, fresh_for, fetched_at)| {
                self.fetched(at, job, fresh_for, fetched_at)
            })
            .collect()
    }

    /// A board that shows what earlier runs have stored, for want of a poll. A job can have failed that
    /// was never seen.
    pub fn offline(
        watched: impl IntoIterator<Item = Watched>,
        stored: impl IntoIterator<Item = StoredJob>,
        errors: impl IntoIterator<Item = (JobKey, Failure)>,
        seen_at: Option<Timestamp>,
    ) -> Self {
        let mut board = Self::new(watched);
        board.restore(stored, seen_at, Restore::Values);
        for (key, error) in errors {
            if let Some(&at) = board.index.get(&key) {
                board.rows[at].error = Some(error);
            }
        }
        board.counts = Counts::new(&board.rows);
        board
    }

    /// Takes what the user has acknowledged, or has taken back.
    pub fn acknowledge(&mut self, acknowledged: &[Acknowledgement]) {
        self.revision += 1;
        for Acknowledgement { key, seen } in acknowledged {
            if let Some(&at) = self.index.get(key) {
                self.set_acknowledged(at, seen.clone(), true);
            }
        }
    }

    /// What the user has acknowledged.
    pub fn acknowledgements(&self) -> Vec<Acknowledgement> {
        let acknowledged = self.rows.iter().filter(|row| row.acknowledged.is_some());
        let acknowledgement = |row: &Row| Acknowledgement {
            key: row.key().clone(),
            seen: row.acknowledged.clone(),
        };
        acknowledged.map(acknowledgement).collect()
    }

    /// Takes what the user has done in another run, and returns whether that changes anything.
    pub fn follow(
        &mut self,
        acknowledged: &HashMap<JobKey, Fingerprint>,
        seen_at: Option<Timestamp>,
    ) -> bool {
        let is_other = |row: &Row| row.acknowledged.as_ref() != acknowledged.get(row.key());
        let others: Vec<usize> = (0..self.rows.len())
            .filter(|at| is_other(&self.rows[*at]))
            .collect();
        let later = seen_at.filter(|_| seen_at > self.seen_at);
        self.revision += u64::from(!others.is_empty());
        for at in &others {
            let seen = acknowledged.get(self.rows[*at].key()).cloned();
            self.set_acknowledged(*at, seen, false);
        }
        if let Some(later) = later {
            self.mark_seen(later);
        }
        later.is_some() || !others.is_empty()
    }

    /// Where it `is_of_now`, what is not how the job is any more is nothing.
    fn set_acknowledged(&mut self, at: usize, seen: Option<Fingerprint>, is_of_now: bool) {
        let row = &mut self.rows[at];
        self.counts.remove(row);
        row.acknowledged = seen;
        if is_of_now {
            row.check_acknowledged();
        }
        self.counts.add(row);
        row.revision = self.revision;
    }

    /// The user has seen what changed up to `at`.
    pub fn mark_seen(&mut self, at: Timestamp) {
        self.seen_at = Some(at);
        self.revision += 1;
        for row in &mut self.rows {
            let is_new = is_new(row, self.seen_at);
            if row.is_new != is_new {
                row.is_new = is_new;
                row.revision = self.revision;
            }
        }
        self.counts = Counts::new(&self.rows);
    }

    /// Up to when the user has said that they have seen what changed.
    pub fn seen_at(&self) -> Option<Timestamp> {
        self.seen_at
    }
}

impl Row {
    fn take(&mut self, stored: StoredJob, what: Restore) {
        if self.acknowledged.is_none() {
            self.acknowledged = stored.acknowledged;
        }
        self.progress = Some(match (&self.job, self.fetched_at) {
            (Some(job), Some(at)) => {
                let before = Some((&stored.job, stored.fetched_at));
                Progress::after(Some(stored.progress), Look { at, job, before })
            }
            _ => stored.progress,
        });
        let is_plain = stored.error.is_none();
        if self.fetched_at.is_none() {
            self.changed_at = stored.changed_at;
        }
        if self.fetched_at.is_none() && what == Restore::Values {
            self.job = Some(stored.job);
            self.fetched_at = Some(stored.fetched_at);
            self.is_restored = true;
            self.stored = if is_plain {
                Stored::Same
            } else {
                Stored::Nothing
            };
        } else if self.fetched_at.is_none() && is_plain {
            self.stored = Stored::Earlier(Box::new(stored.job));
        }
    }
}

pub(super) fn is_new(row: &Row, seen_at: Option<Timestamp>) -> bool {
    row.changed_at
        .is_some_and(|changed| seen_at.is_none_or(|seen| changed > seen))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::board::{Freshness, Project, Update, Watched};
    use crate::event::Change;
    use crate::failure::ErrorKind;
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
            progress: Progress::default(),
            acknowledged: None,
            error: None,
        }
    }

    fn fetched(status: Status) -> Update {
        Update::Fetched {
            job: job(status),
            fresh_for: None,
        }
    }

    fn board(ids: &[&str]) -> Board {
        let project = Arc::new(Project {
            id: "p".into(),
            name: None,
        });
        Board::new(ids.iter().map(|id| Watched {
            key: key(id),
            project: Arc::clone(&project),
            label: None,
            tags: Vec::new(),
        }))
    }

    fn key(id: &str) -> JobKey {
        JobKey::new("p", id)
    }

    fn acknowledged(status: Status) -> Acknowledgement {
        Acknowledgement {
            key: key("a"),
            seen: Some(Fingerprint::from(&job(status))),
        }
    }

    #[test]
    fn an_acknowledged_job_needs_nobody_until_it_changes() {
        let mut board = board(&["a"]);
        let look = |board: &Board| {
            let counts = board.counts();
            assert_eq!(counts, Counts::new(board.rows()));
            (counts.needs_you, counts.acknowledged)
        };
        board.apply(&key("a"), fetched(Status::Failed), at(1));
        board.acknowledge(&[acknowledged(Status::Failed)]);
        assert_eq!(look(&board), (0, 1));
        board.apply(&key("a"), fetched(Status::Failed), at(2));
        assert_eq!(look(&board), (0, 1));
        // Back again, it is another failure.
        board.apply(&key("a"), fetched(Status::Active), at(3));
        board.apply(&key("a"), fetched(Status::Failed), at(4));
        assert_eq!(look(&board), (1, 0));
        board.acknowledge(&[acknowledged(Status::Completed)]);
        assert_eq!(look(&board), (1, 0));
        let other_run = HashMap::from([(key("a"), Fingerprint::from(&job(Status::Failed)))]);
        assert!(board.follow(&other_run, None));
        assert_eq!(look(&board), (0, 1));
        let revision = board.revision();
        assert!(!board.follow(&other_run, None));
        assert_eq!(board.revision(), revision);
        assert!(board.follow(&HashMap::new(), Some(at(9))));
        assert_eq!(look(&board), (1, 0));
    }

    #[test]
    fn another_run_can_have_seen_what_is_acknowledged_before_this_one() {
        let mut board = board(&["a"]);
        board.apply(&key("a"), fetched(Status::Active), at(1));
        let other_run = HashMap::from([(key("a"), Fingerprint::from(&job(Status::Failed)))]);
        board.follow(&other_run, None);
        board.apply(&key("a"), fetched(Status::Active), at(5));
        board.apply(&key("a"), fetched(Status::Failed), at(9));
        assert_eq!(
            (board.counts().needs_you, board.counts().acknowledged),
            (0, 1)
        );
        // And what is restored late takes back nothing that the user did meanwhile.
        board.restore(
            [StoredJob {
                job: job(Status::Failed),
                ..stored("a")
            }],
            None,
            Restore::Values,
        );
        assert_eq!(
            (board.counts().needs_you, board.counts().acknowledged),
            (0, 1)
        );
    }

    #[test]
    fn a_verb_knows_what_is_new_too() {
        let mut board = board(&["a", "b", "c"]);
        let changed = StoredJob {
            changed_at: Some(at(5)),
            ..stored("a")
        };
        board.restore(
            [changed, stored("b"), stored("c")],
            Some(at(4)),
            Restore::Facts,
        );
        board.apply(&key("a"), fetched(Status::Active), at(9));
        board.apply(&key("b"), fetched(Status::Failed), at(9));
        board.apply(&key("c"), fetched(Status::Active), at(9));
        let new = board.rows().iter().filter(|row| row.is_new);
        assert_eq!(
            new.map(|row| row.changed_at).collect::<Vec<_>>(),
            [Some(at(5)), Some(at(9))]
        );
        assert_eq!(board.counts(), Counts::new(board.rows()));
    }

    #[test]
    fn what_changed_is_new_until_it_is_marked_as_seen() {
        let mut board = board(&["a", "b"]);
        let changed = |id: &str| StoredJob {
            changed_at: Some(at(5)),
            ..stored(id)
        };
        board.restore([changed("a"), changed("b")], Some(at(4)), Restore::Values);
        assert_eq!(board.counts().new, 2);
        board.mark_seen(at(5));
        assert_eq!(board.counts().new, 0);
        board.apply(&key("a"), fetched(Status::Failed), at(9));
        assert_eq!(board.counts().new, 1);
        // The mark of another run comes late.
        board.follow(&HashMap::new(), Some(at(4)));
        assert_eq!(board.counts().new, 1);
        // One of a clock that was ahead is set back by the user.
        board.mark_seen(at(99));
        board.mark_seen(at(8));
        assert_eq!((board.counts().new, board.seen_at()), (1, Some(at(8))));
    }

    #[test]
    fn of_earlier_runs_a_verb_takes_facts_and_no_values() {
        let mut board = board(&["a"]);
        let failed = StoredJob {
            job: job(Status::Failed),
            progress: Progress {
                finished_at: Some(at(3)),
                finished_by: Some(at(3)),
                ..Progress::default()
            },
            acknowledged: Some(Fingerprint::from(&job(Status::Failed))),
            ..stored("a")
        };
        board.restore([failed], None, Restore::Facts);
        let row = board.row(&key("a")).unwrap();
        assert_eq!((&row.job, row.fetched_at), (&None, None));
        assert_eq!(board.counts().acknowledged, 0);
        let row = board.row(&key("a")).unwrap();
        assert!(row.is_stored(&job(Status::Failed)) && !row.is_stored(&job(Status::Active)));
        let events = board.apply(&key("a"), fetched(Status::Failed), at(9));
        assert_eq!(events, []);
        assert_eq!(board.counts().acknowledged, 1);
        let progress = board.row(&key("a")).unwrap().progress.unwrap();
        assert_eq!(progress.finished_at, Some(at(3)));
    }

    #[test]
    fn a_poll_that_is_faster_than_the_store_still_tells_what_changed() {
        let mut board = board(&["a", "b"]);
        board.apply(&key("a"), fetched(Status::Failed), at(900));
        board.apply(&key("b"), fetched(Status::Active), at(900));
        let events = board.restore(["a", "b"].map(stored), None, Restore::Values);
        let told: Vec<_> = events
            .iter()
            .map(|event| (&*event.key.id, event.since, event.at))
            .collect();
        assert_eq!(told, [("a", Some(at(5)), at(900))]);
        assert_eq!(board.counts(), Counts::new(board.rows()));
        assert_eq!((board.counts().failed, board.counts().new), (1, 1));
        assert!(board.rows().iter().all(|row| !row.is_restored));
    }

    #[test]
    fn off_line_a_board_shows_what_was_stored_and_why_polls_failed() {
        let watched = board(&["a", "b"]);
        let watched = watched.rows().iter().map(|row| row.watched.clone());
        let failure = Failure::new(ErrorKind::Timeout, "late");
        let errors = ["a", "b", "gone"].map(|id| (key(id), failure.clone()));
        let board = Board::offline(watched, [stored("a")], errors, None);
        for (id, fetched_at) in [("a", Some(at(5))), ("b", None)] {
            let row = board.row(&key(id)).unwrap();
            let error = Some(failure.clone());
            assert_eq!((row.fetched_at, &row.error), (fetched_at, &error));
        }
        let counts = board.counts();
        assert_eq!((counts.active, counts.unknown, counts.errors), (1, 1, 2));
    }

    #[test]
    fn a_restored_row_counts_and_is_not_fresh_until_it_is_seen() {
        let mut board = board(&["a", "b", "c"]);
        board.apply(&key("b"), fetched(Status::Failed), at(9));
        // What has left the config is passed over, and what was seen in this run stays.
        board.restore(["a", "b", "gone"].map(stored), None, Restore::Values);
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
