//! The settings of the schedule, and the waits that follow from them without any chance.

use std::time::Duration;

use super::Pace;
use super::ticks::TICK;

/// A finished job is polled every hundredth of the time that it has been so, where that is longer than
/// the interval of the config: after a day every 15 minutes, after a week every 100.
const FINISHED_PART: u32 = 100;
/// But at least once a day, or when that is: a clock may have been wrong.
const MAX_FINISHED: Duration = Duration::from_hours(24);
/// The longest wait that failures back off to.
const MAX_BACKOFF: Duration = Duration::from_mins(5);
/// What a spread start leaves between two polls, up to one active interval or
/// [`MAX_SPREAD`] in all.
pub(super) const SPREAD_STEP: Duration = Duration::from_millis(10);
/// The longest that a spread takes: a person waits for the first values.
const MAX_SPREAD: Duration = Duration::from_secs(10);

/// The settings that the schedule needs.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Between two polls of an active job.
    pub active: Duration,
    /// Between two polls of a job that has just finished; see [`FINISHED_PART`].
    pub finished: Duration,
    /// The most polls in flight at once.
    pub concurrency: usize,
}

impl Limits {
    /// Between two polls of a job of this pace, before jitter; `None` where one poll is enough.
    pub(super) fn interval(&self, pace: Pace) -> Option<Duration> {
        match pace {
            Pace::Active => Some(self.active),
            Pace::Finished(since) => {
                Some(self.finished.max((since / FINISHED_PART).min(MAX_FINISHED)))
            }
            Pace::Once => None,
        }
    }

    /// How soon a job of this pace may be polled again by itself after a failure, before jitter.
    pub(super) fn healthy(&self, pace: Pace) -> Duration {
        match pace {
            // One that fails is not left so for as long as one that does not.
            Pace::Finished(_) => self.finished,
            Pace::Active | Pace::Once => self.active,
        }
    }

    /// The most that a job waits after so many failures: the active interval doubled with each, up
    /// to [`MAX_BACKOFF`].
    pub(super) fn longest_backoff(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        self.active.saturating_mul(1 << doublings).min(MAX_BACKOFF)
    }

    /// The most that a job of this pace waits after so many failures; `None` for ever.
    pub(super) fn longest_wait(&self, pace: Pace, failures: u32) -> Option<Duration> {
        let healthy = self.interval(pace)?.mul_f64(1.1) + TICK;
        let failing = (failures > 0).then(|| self.longest_backoff(failures) + TICK);
        Some(failing.map_or(healthy, |failing| failing.max(healthy)))
    }

    /// A project that answers after a longer silence than this was down.
    pub(super) fn outage(&self) -> Duration {
        self.active * 2
    }

    /// Over how long so many jobs are spread.
    pub(super) fn spread_window(&self, jobs: usize) -> Duration {
        let jobs = u32::try_from(jobs).unwrap_or(u32::MAX);
        SPREAD_STEP.saturating_mul(jobs).min(self.longest_spread())
    }

    pub(super) fn longest_spread(&self) -> Duration {
        self.active.min(MAX_SPREAD)
    }
}
