//! Notices that the machine was suspended.
//!
//! Timers stand still while a laptop sleeps, so after waking they would wait for the rest of their
//! time, and connections would be trusted that died in the meantime. [`Instant`] stands still too
//! (`CLOCK_MONOTONIC`, on macOS `CLOCK_UPTIME_RAW`) and [`SystemTime`] does not, so a suspension is a
//! difference between their steps. This file must not know what is polled.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How often the clocks are compared. Shorter sleeps are mostly left to the timers.
const NAP: Duration = Duration::from_mins(5);
/// Clocks whose steps differ by more have a suspension between them. Within a [`NAP`], the daemons
/// that keep the time correct the wall clock by less than a fifth of a second, or set it at once.
const SUSPENDED: Duration = Duration::from_secs(2);

/// Both clocks, read at one moment.
#[derive(Clone, Copy, Debug)]
struct Clocks {
    wall: SystemTime,
    running: Instant,
}

impl Clocks {
    fn now() -> Self {
        Self {
            wall: SystemTime::now(),
            running: Instant::now(),
        }
    }
}

/// Calls `resumed` after each suspension of the machine, from a thread of its own, until it returns
/// false. Where no thread can be had, the timers alone remain.
pub(super) fn watch(resumed: impl Fn() -> bool + Send + 'static) {
    let watch = move || {
        let mut before = Clocks::now();
        loop {
            nap();
            let now = Clocks::now();
            if was_suspended(before, now) && !resumed() {
                return;
            }
            before = now;
        }
    };
    // Without the thread a suspension is noticed when the next timer is due.
    let _ = thread::Builder::new()
        .name(String::from("suspend"))
        .spawn(watch);
}

/// Whether the machine was suspended between two readings. A wall clock that was set forward looks
/// the same, which costs one spread poll of each job; one that was set back may hide a suspension.
fn was_suspended(before: Clocks, now: Clocks) -> bool {
    let wall = now.wall.duration_since(before.wall).unwrap_or_default();
    let running = now.running.saturating_duration_since(before.running);
    wall.saturating_sub(running) > SUSPENDED
}

/// Waits on the clock that goes on in suspension, so that a long one is noticed at once.
#[cfg(target_os = "linux")]
fn nap() {
    use rustix::thread::{ClockId, NanosleepRelativeResult, clock_nanosleep_relative};
    let done = NAP
        .try_into()
        .map(|nap| clock_nanosleep_relative(ClockId::Boottime, &nap));
    if !matches!(
        done,
        Ok(NanosleepRelativeResult::Ok | NanosleepRelativeResult::Interrupted(_))
    ) {
        thread::sleep(NAP);
    }
}

/// There is no such clock to wait on here: a suspension is noticed within a [`NAP`] after it.
#[cfg(not(target_os = "linux"))]
fn nap() {
    thread::sleep(NAP);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspension_is_a_wall_clock_that_went_further() {
        let start = Clocks::now();
        for (running, wall, want, what) in [
            (300.0, 300.0, false, "a nap"),
            (
                301.0,
                300.8,
                false,
                "a nap in which the wall clock was slowed",
            ),
            (
                300.0,
                301.9,
                false,
                "a nap in which the wall clock was hurried",
            ),
            (900.0, 900.0, false, "a process that was stopped"),
            (300.0, 302.1, true, "a short sleep"),
            (10.0, 28_810.0, true, "a night"),
            (0.0, 28_800.0, true, "a night that began just after a nap"),
            (300.0, -3_300.0, false, "a wall clock that was set back"),
            (300.0, 3_900.0, true, "a wall clock that was set forward"),
        ] {
            let wall_step = Duration::from_secs_f64(f64::abs(wall));
            let now = Clocks {
                wall: if wall < 0.0 {
                    start.wall - wall_step
                } else {
                    start.wall + wall_step
                },
                running: start.running + Duration::from_secs_f64(running),
            };
            assert_eq!(was_suspended(start, now), want, "{what}");
        }
    }
}
