//! When a job began and ended its work, as far as polls have seen it: the API does not say.
//!
//! This file must not know who polls, or where this is kept.

use std::time::Duration;

use jiff::Timestamp;

use crate::job::Job;

/// What is known of a job's last stretch of work, or of the one that is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// When that began.
    pub started_at: Option<Timestamp>,
    /// When a poll found it finished, and the poll before had found it at work.
    pub finished_at: Option<Timestamp>,
    /// When a poll first found it finished, which it may have been for long; `None` while at work.
    pub finished_by: Option<Timestamp>,
}

impl Progress {
    /// What is known once a poll has found `job` at `at`. It `is_late` where nothing has polled the
    /// job for long: then nobody knows when it changed.
    #[must_use]
    pub fn after(before: Option<Self>, job: &Job, at: Timestamp, is_late: bool) -> Self {
        let is_finished = job.is_finished();
        let seen_at = (!is_late).then_some(at);
        match before {
            Some(before) if before.finished_by.is_some() == is_finished => before,
            Some(before) if is_finished => Self {
                finished_at: seen_at,
                finished_by: Some(at),
                ..before
            },
            // A follow-up has woken it.
            Some(_) => Self {
                started_at: seen_at,
                ..Self::default()
            },
            None => Self {
                // With a pull request it may have been woken since it was created.
                started_at: job.created_at.filter(|_| job.pull_request.is_none()),
                finished_at: None,
                finished_by: is_finished.then_some(at),
            },
        }
    }

    /// How long it ran, where its beginning and its end are known.
    pub fn ran(&self) -> Option<Duration> {
        let ran = self.finished_at?.duration_since(self.started_at?);
        Duration::try_from(ran).ok()
    }

    /// For how long it has been finished at least; `None` while at work.
    pub fn finished_for(&self, now: Timestamp) -> Option<Duration> {
        let since = now.duration_since(self.finished_by?);
        Some(Duration::try_from(since).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Status;
    use crate::pull_request::PullRequest;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).unwrap()
    }

    fn job(status: Status) -> Job {
        Job {
            status: Some(status),
            created_at: Some(at(1)),
            ..Job::default()
        }
    }

    /// What is known after polls, each a minute and the status that it found; a `?` is a late one.
    fn after(polls: &[(i64, &str)]) -> Progress {
        let known = polls.iter().fold(None, |known, (minute, status)| {
            let is_late = status.ends_with('?');
            let job = job(Status::from_api(status.trim_end_matches('?')));
            Some(Progress::after(known, &job, at(*minute), is_late))
        });
        known.unwrap_or_default()
    }

    #[test]
    fn progress_table() {
        for (polls, started, finished, finished_by) in [
            (&[(5, "active?")][..], Some(1), None, None),
            (&[(5, "active?"), (9, "failed")], Some(1), Some(9), Some(9)),
            (&[(5, "active?"), (9, "failed?")], Some(1), None, Some(9)),
            (
                &[(5, "active?"), (9, "failed"), (20, "failed?")],
                Some(1),
                Some(9),
                Some(9),
            ),
            (&[(5, "completed?")], Some(1), None, Some(5)),
            (
                &[(5, "completed?"), (6, "archived")],
                Some(1),
                None,
                Some(5),
            ),
            (&[(5, "completed?"), (7, "active")], Some(7), None, None),
            (&[(5, "completed?"), (7, "active?")], None, None, None),
            (
                &[(5, "completed?"), (7, "active"), (9, "completed")],
                Some(7),
                Some(9),
                Some(9),
            ),
        ] {
            let want = Progress {
                started_at: started.map(at),
                finished_at: finished.map(at),
                finished_by: finished_by.map(at),
            };
            assert_eq!(after(polls), want, "{polls:?}");
        }
    }

    #[test]
    fn a_job_with_a_pull_request_may_have_been_woken() {
        let woken = Job {
            pull_request: Some(PullRequest::new("https://github.com/acme/docs/pull/1")),
            ..job(Status::Active)
        };
        assert_eq!(Progress::after(None, &woken, at(5), true).started_at, None);
    }

    #[test]
    fn lengths() {
        let done = after(&[(5, "active?"), (9, "completed")]);
        assert_eq!(done.ran(), Some(Duration::from_mins(8)));
        assert_eq!(done.finished_for(at(11)), Some(Duration::from_mins(2)));
        // The clock was put back.
        assert_eq!(done.finished_for(at(8)), Some(Duration::ZERO));
        assert_eq!(after(&[(5, "active?")]).finished_for(at(8)), None);
        assert_eq!(after(&[(5, "active?"), (9, "failed?")]).ran(), None);
    }
}
