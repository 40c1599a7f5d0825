//! What the engine has stored of what polls find and of what the user does, and what it learns from
//! the store.
//!
//! It must not know when something reaches the disk.

use jiff::Timestamp;

use super::{Command, Engine};
use crate::board::{Restore, Row};
use crate::event::Event;
use crate::failure::Failure;
use crate::job::{Acknowledgement, Job, JobKey};
use crate::poll::schedule::Pace;
use crate::store::{Found, News, Sighting};

impl Engine {
    pub(super) fn listen_to_store(&mut self) {
        let Some(store) = &self.store else { return };
        let commands = self.commands.clone();
        store.listen(move |news| {
            if let Some(commands) = commands.upgrade() {
                let _ = commands.send(Command::Store(news));
            }
        });
    }

    /// `reply` as it is to be stored; `None` where it is no news, or where there is no store.
    pub(super) fn sighting(&self, job: &JobKey, reply: &Job, at: Timestamp) -> Option<Sighting> {
        self.store.as_ref()?;
        let board = self.board.borrow();
        let row = board.row(job)?;
        (!row.is_stored(reply)).then(|| Sighting {
            key: job.clone(),
            at,
            job: reply.clone(),
            is_late: row.is_late(at),
        })
    }

    /// How soon `job` wants to be seen again that `reply` tells of.
    pub(super) fn pace(&self, job: &JobKey, reply: &Job, at: Timestamp) -> Pace {
        let board = self.board.borrow();
        let row = board.row(job);
        let finished_for = row.and_then(|row| row.progress_after(reply, at).finished_for(at));
        Pace::new(reply.status.as_ref(), finished_for)
    }

    /// Has a good reply stored as far as it is news. Its events are told once that is done.
    pub(super) fn remember(
        &mut self,
        job: &JobKey,
        sighting: Option<Sighting>,
        events: Vec<Event>,
    ) {
        match (&self.store, sighting) {
            (Some(store), Some(sighting)) => store.record(sighting, events),
            (Some(store), None) => store.touch(job.clone(), Timestamp::now()),
            (None, _) => self.deliver(events),
        }
    }

    /// Has it stored that polls of `job` fail, where they have not failed so before.
    pub(super) fn remember_failure(&self, job: &JobKey, failure: &Failure) {
        let Some(store) = &self.store else { return };
        let board = self.board.borrow();
        let before = board.row(job).and_then(|row| row.error.as_ref());
        let is_same =
            |before: &Failure| (before.kind, &before.message) == (failure.kind, &failure.message);
        if !before.is_some_and(is_same) {
            store.fail(job.clone(), failure.clone());
        }
    }

    /// Tells the store which jobs the config lists.
    pub(super) fn remember_watched(&self) {
        let Some(store) = self.store.as_ref().filter(|_| self.is_whole) else {
            return;
        };
        let board = self.board.borrow();
        store.watch(board.rows().iter().map(Row::key).cloned().collect());
    }

    /// Has all stored that is known: what has been stored before may be gone.
    fn remember_all(&self) {
        let Some(store) = &self.store else { return };
        let board = self.board.borrow();
        store.acknowledge(board.acknowledgements());
        board
            .seen_at()
            .into_iter()
            .for_each(|at| store.mark_seen(at));
        for row in board.rows() {
            if let Some((job, at)) = row.job.clone().zip(row.fetched_at) {
                let sighting = Sighting {
                    key: row.key().clone(),
                    at,
                    job,
                    is_late: false,
                };
                store.record(sighting, Vec::new());
            }
            if let Some(error) = &row.error {
                store.fail(row.key().clone(), error.clone());
            }
        }
    }

    pub(super) fn restore(&mut self, found: Found) {
        let mut events = Vec::new();
        self.board.send_modify(|board| {
            events = board.restore(found.jobs, found.seen_at, Restore::Values);
        });
        // The store has them already: it has had the values to compare with.
        self.deliver(events);
    }

    pub(super) fn on_news(&mut self, news: News) {
        match news {
            News::Recorded(events) => self.deliver(events),
            News::Reopened => {
                self.remember_watched();
                self.remember_all();
            }
            News::Marks {
                acknowledged,
                seen_at,
            } => {
                // One of a clock that was ahead is no later than now.
                let seen_at = seen_at.map(|at| at.min(Timestamp::now()));
                self.board
                    .send_if_modified(|board| board.follow(&acknowledged, seen_at));
            }
        }
    }

    pub(super) fn acknowledge(&mut self, acknowledgements: Vec<Acknowledgement>) {
        self.board
            .send_modify(|board| board.acknowledge(&acknowledgements));
        if let Some(store) = &self.store {
            store.acknowledge(acknowledgements);
        }
    }

    pub(super) fn mark_seen(&mut self, at: Timestamp) {
        self.board.send_modify(|board| board.mark_seen(at));
        if let Some(store) = &self.store {
            store.mark_seen(at);
        }
    }
}
