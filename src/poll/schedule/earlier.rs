//! When waits come to an end sooner than they were to: with shorter intervals, and when a server is
//! back.
//!
//! No job is polled for it sooner after its last poll than a healthy one would be.

use std::time::{Duration, Instant};

use super::{Entry, KeyIndex, Limits, Pace, Schedule, State};
use crate::job::{JobKey, ProjectId};

impl Schedule {
    /// Other limits and other keys from now on; none of the keys counts as refused. Nothing is polled
    /// for it, but what waits longer than it would by the new limits waits as long as that from its
    /// last poll on, and what is late by then is spread from `now` on.
    pub fn reconfigure(
        &mut self,
        limits: Limits,
        key_of: impl Fn(&JobKey) -> KeyIndex,
        now: Instant,
    ) {
        self.limits = limits;
        self.refused_keys.clear();
        for (job, entry) in &mut self.entries {
            entry.key = key_of(job);
        }
        let jobs = self.jobs_where(|entry| entry.waits_too_long(&limits));
        let window = limits.spread_window(jobs.len());
        for job in jobs {
            let (last, wait) = (self.last_poll(&job), self.healthy_wait(&job));
            let due = last.map_or(now, |last| last + wait);
            let due = if due < now {
                now + self.up_to(window)
            } else {
                due
            };
            let tick = self.ticks.at_or_after(due);
            self.bring_forward(&job, tick);
        }
    }

    /// The server of a project answers again a job that had failed, after none of its polls had
    /// succeeded since `down_since`: what has failed since then is polled within one interval, though
    /// no sooner than an active job would be. What failed before fails by itself.
    pub(super) fn recover(&mut self, project: &ProjectId, down_since: Instant, now: Instant) {
        let failing = |entry: &Entry| {
            entry.failing_since.is_some_and(|since| since >= down_since)
                && !entry.own_fault
                && &entry.project == project
        };
        let jobs = self.jobs_where(failing);
        for (job, due) in self.spread_over(jobs, now) {
            let earliest = self.last_poll(&job).unwrap_or(now) + self.jittered(self.limits.active);
            let tick = self.ticks.at_or_after(due.max(earliest));
            self.bring_forward(&job, tick);
        }
    }

    fn last_poll(&self, job: &JobKey) -> Option<Instant> {
        self.entries.get(job)?.polled_at
    }

    /// How long a healthy job of this one's pace waits.
    fn healthy_wait(&mut self, job: &JobKey) -> Duration {
        let pace = self
            .entries
            .get(job)
            .map_or(Pace::Active, |entry| entry.pace);
        let interval = self.limits.interval(pace);
        self.jittered(interval.unwrap_or(self.limits.active))
    }
}

impl Entry {
    /// Whether it waits longer since its last poll than it would after the same by these limits.
    fn waits_too_long(&self, limits: &Limits) -> bool {
        let (State::Waiting(due), Some(last)) = (self.state, self.polled_at) else {
            return false;
        };
        let most = limits.longest_wait(self.pace, self.failures);
        !self.forbidden && most.is_some_and(|most| due > last + most)
    }
}
