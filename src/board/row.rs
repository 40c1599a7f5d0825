//! A watched job as we know it, and what follows from that.
//!
//! This file must not know how rows are filled.

use std::time::Duration;

use jiff::Timestamp;

use super::Watched;
use crate::event::Change;
use crate::failure::{ErrorKind, Failure};
use crate::job::{Fingerprint, Job, JobKey, Status};
use crate::progress::{Look, Progress, is_gap};
use crate::pull_request::PullRequest;

/// How far the values of a row can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Seen within twice its poll interval.
    Fresh,
    /// Values from before: polls fail, or none has come back for long.
    Stale,
    /// Values that an earlier run stored; this one has not seen the job yet.
    Restored,
    NeverSeen,
}

/// What the store has of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// Nothing, or more than the job: why polls failed.
    Nothing,
    /// What the row has, or will have once it is written.
    Same,
    /// This, which no poll of this run has seen.
    Earlier(Box<Job>),
}

/// A watched job as we know it.
#[derive(Clone, Debug)]
pub struct Row {
    pub watched: Watched,
    /// As the last good reply told it, at `fetched_at`.
    pub job: Option<Job>,
    pub fetched_at: Option<Timestamp>,
    /// How long that reply counts as fresh; `None` for ever (archived jobs).
    pub fresh_for: Option<Duration>,
    /// Why the last poll failed, if it did.
    pub error: Option<Failure>,
    /// Since when polls fail in this way, if the last one did.
    pub failing_since: Option<Timestamp>,
    pub polling: bool,
    /// Whether its values come from an earlier run.
    pub is_restored: bool,
    /// When a poll last found another status or pull request, if one has.
    pub changed_at: Option<Timestamp>,
    /// Whether that is news to the user: they have not said since that they have seen it.
    pub is_new: bool,
    /// When it began and ended its work; `None` where no poll of any run has seen it.
    pub progress: Option<Progress>,
    /// What the store has of it.
    pub(super) stored: Stored,
    /// What the user has acknowledged of it, which another run may have seen before this one.
    pub(super) acknowledged: Option<Fingerprint>,
    /// The board's revision that last changed what a table shows of it.
    pub revision: u64,
}

impl Row {
    pub(super) fn new(watched: Watched) -> Self {
        Self {
            watched,
            job: None,
            fetched_at: None,
            fresh_for: None,
            error: None,
            failing_since: None,
            polling: false,
            is_restored: false,
            changed_at: None,
            is_new: false,
            progress: None,
            stored: Stored::Nothing,
            acknowledged: None,
            revision: 0,
        }
    }

    pub fn key(&self) -> &JobKey {
        &self.watched.key
    }

    /// What a person calls it: its label, else its branch, else its id.
    pub fn title(&self) -> &str {
        let branch = self.job.as_ref().and_then(Job::short_branch);
        let branch = branch.filter(|_| self.watched.label.is_none());
        branch.unwrap_or_else(|| self.watched.title())
    }

    pub fn status(&self) -> Option<&Status> {
        self.job.as_ref()?.status.as_ref()
    }

    /// Since when it has been as it is, where that is known: a change that was seen, else what the
    /// API tells of a status.
    pub fn since(&self) -> Option<Timestamp> {
        let job = self.job.as_ref()?;
        let told = match job.status {
            // With a pull request it has been woken since.
            Some(Status::Active) if job.pull_request.is_none() => job.created_at,
            Some(Status::Archived) => job.archived_at,
            _ => None,
        };
        self.changed_at.or(told)
    }

    /// What it is called in a list of jobs: only a job that was never seen is `not seen`.
    pub fn status_word(&self) -> &str {
        match &self.job {
            None => "not seen",
            Some(job) => Status::word(job.status.as_ref()),
        }
    }

    /// Its pull request, where one is known.
    pub fn pull_request(&self) -> Option<&PullRequest> {
        self.job.as_ref()?.pull_request.as_ref()
    }

    /// Whether a person has something to do, and has not acknowledged it.
    pub fn needs_you(&self) -> bool {
        self.would_need_you() && !self.matches_acknowledged()
    }

    /// Whether it would need the user, had they not acknowledged it.
    pub fn is_acknowledged(&self) -> bool {
        self.would_need_you() && self.matches_acknowledged()
    }

    fn matches_acknowledged(&self) -> bool {
        let seen = self.acknowledged.as_ref().zip(self.job.as_ref());
        seen.is_some_and(|(seen, job)| *seen == Fingerprint::from(job))
    }

    /// What was acknowledged of a job that is another now is nothing any more.
    pub(super) fn check_acknowledged(&mut self) {
        if !self.matches_acknowledged() {
            self.acknowledged = None;
        }
    }

    fn would_need_you(&self) -> bool {
        self.job.as_ref().is_some_and(Job::needs_you)
    }

    /// Whether it cannot be polled for want of a key: there is none, or it was refused (401), or it
    /// has never been allowed to see the job (403). A job that was seen before may be seen again:
    /// the address of a laptop changes.
    pub fn lacks_key(&self) -> bool {
        match self.error.as_ref().map(|error| error.kind) {
            Some(ErrorKind::Auth) => true,
            Some(kind) => kind.blames_key() && self.job.is_none(),
            None => false,
        }
    }

    /// How far its values can be trusted at `now`.
    pub fn freshness(&self, now: Timestamp) -> Freshness {
        if self.fetched_at.is_none() {
            Freshness::NeverSeen
        } else if self.is_restored {
            Freshness::Restored
        } else if self.error.is_some() || self.goes_stale_at().is_some_and(|at| at <= now) {
            Freshness::Stale
        } else {
            Freshness::Fresh
        }
    }

    /// Whether nothing has seen it for so long that nobody can know when it changed, should a poll
    /// at `now` find it changed. Polls that are as seldom as they are to be are no gap.
    pub fn is_late(&self, now: Timestamp) -> bool {
        let is_stale = self.goes_stale_at().is_some_and(|at| at <= now);
        let was_unwatched = self.is_restored || is_stale;
        self.fetched_at
            .is_none_or(|seen| was_unwatched && is_gap(seen, now))
    }

    /// Whether the store has `job` and no error, so that a poll that finds it is no news to it.
    pub fn is_stored(&self, job: &Job) -> bool {
        let stored = match &self.stored {
            Stored::Nothing => None,
            Stored::Same => self.job.as_ref(),
            Stored::Earlier(job) => Some(&**job),
        };
        self.error.is_none() && stored == Some(job)
    }

    /// Whether an earlier run, whose values are not shown, has seen another status or pull request.
    pub(super) fn differs_from_earlier(&self, job: &Job) -> bool {
        matches!(&self.stored, Stored::Earlier(before) if !Change::between(before, job).is_empty())
    }

    /// When it began and ended its work, should a poll at `now` find `job`.
    pub fn progress_after(&self, job: &Job, now: Timestamp) -> Progress {
        let look = Look {
            at: now,
            job,
            before: self.job.as_ref().zip(self.fetched_at),
        };
        Progress::after(self.progress, look)
    }

    /// When its values go stale unless a poll succeeds before.
    pub fn goes_stale_at(&self) -> Option<Timestamp> {
        self.fetched_at?.checked_add(self.fresh_for?).ok()
    }
}
