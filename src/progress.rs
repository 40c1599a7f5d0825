//! When a job began and ended its work, as far as polls have seen it: the API does not say.
//!
//! This file must not know who polls, or where this is kept.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::job::{Job, Status};

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

/// The longest that a poll may come after the one before and still tell when something happened.
const EXACT: SignedDuration = SignedDuration::from_mins(2);

/// Whether nobody can know when a job changed that was seen at `before` and is found changed at `at`.
pub fn is_gap(before: Timestamp, at: Timestamp) -> bool {
    at.duration_since(before) > EXACT
}

/// A poll of a job.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    pub at: Timestamp,
    /// What it found.
    pub job: &'a Job,
    /// What the one before had found, and when, as far as that is known.
    pub before: Option<(&'a Job, Timestamp)>,
}

impl Progress {
    /// What is known once a poll has looked.
    #[must_use]
    pub fn after(known: Option<Self>, look: Look) -> Self {
        let Look { at, job, before } = look;
        let is_finished = job.is_finished();
        let seen_at = before.and_then(|(_, before)| (!is_gap(before, at)).then_some(at));
        match known {
            // It worked between the two polls, for who knows how long.
            Some(_)
                if is_finished && before.is_some_and(|(before, _)| finished_again(before, job)) =>
            {
                Self {
                    finished_by: Some(at),
                    ..Self::default()
                }
            }
            Some(known) if known.finished_by.is_some() == is_finished => known,
            Some(known) if is_finished => Self {
                finished_at: seen_at,
                finished_by: Some(at),
                ..known
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

/// Whether a finished job has finished in another way: it is woken and finishes, but not by archiving.
fn finished_again(before: &Job, after: &Job) -> bool {
    let is_archived = after.status == Some(Status::Archived);
    before.is_finished() && !is_archived && before.status != after.status
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

    /// What is known after polls, each a minute and the status that it found.
    fn after(polls: &[(i64, &str)]) -> Progress {
        let (mut known, mut before): (_, Option<(Job, Timestamp)>) = (None, None);
        for (minute, status) in polls {
            let (job, at) = (job(Status::from_api(status)), at(*minute));
            let look = Look {
                at,
                job: &job,
                before: before.as_ref().map(|(job, at)| (job, *at)),
            };
            known = Some(Progress::after(known, look));
            before = Some((job, at));
        }
        known.unwrap_or_default()
    }

    #[test]
    fn progress_table() {
        for (polls, started, finished, finished_by) in [
            (&[(5, "active")][..], Some(1), None, None),
            (&[(8, "active"), (9, "failed")], Some(1), Some(9), Some(9)),
            // Nothing has looked for long.
            (&[(5, "active"), (9, "failed")], Some(1), None, Some(9)),
            (
                &[(8, "active"), (9, "failed"), (20, "failed")],
                Some(1),
                Some(9),
                Some(9),
            ),
            (&[(5, "completed")], Some(1), None, Some(5)),
            (&[(5, "completed"), (6, "archived")], Some(1), None, Some(5)),
            // It was woken and has finished between two looks.
            (&[(5, "completed"), (10, "failed")], None, None, Some(10)),
            (&[(5, "completed"), (6, "active")], Some(6), None, None),
            (&[(5, "completed"), (10, "active")], None, None, None),
            (
                &[(5, "completed"), (7, "active"), (9, "completed")],
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
        let look = Look {
            at: at(5),
            job: &woken,
            before: None,
        };
        assert_eq!(Progress::after(None, look).started_at, None);
    }

    #[test]
    fn lengths() {
        let done = after(&[(8, "active"), (9, "completed")]);
        assert_eq!(done.ran(), Some(Duration::from_mins(8)));
        assert_eq!(done.finished_for(at(11)), Some(Duration::from_mins(2)));
        // The clock was put back.
        assert_eq!(done.finished_for(at(8)), Some(Duration::ZERO));
        assert_eq!(after(&[(5, "active")]).finished_for(at(8)), None);
        assert_eq!(after(&[(5, "active"), (9, "failed")]).ran(), None);
    }
}
