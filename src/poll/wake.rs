//! Tells when the machine has been asleep.
//!
//! The clocks that timers run on stand still while a laptop sleeps, so after waking they would wait
//! for the rest of their time, and connections would be trusted that died in the meantime.

use std::time::Duration;

/// Sleeps shorter than this are left to the timers; longer ones are told of at once.
const NAP: Duration = Duration::from_mins(5);
/// Two clocks that read this far apart more than before have a sleep between them.
const ASLEEP: Duration = Duration::from_secs(2);

/// Calls `woke` after each sleep of the machine, from a thread of its own, until it returns false.
///
/// The thread wakes once in [`NAP`]. Where the system has no clock that goes on in sleep, or no
/// thread can be had, nothing is told, and the timers alone remain.
#[cfg(target_os = "linux")]
pub(super) fn watch(woke: impl Fn() -> bool + Send + 'static) {
    let watch = move || {
        let mut asleep_before = asleep_in_all();
        while nap() {
            let asleep = asleep_in_all();
            if asleep.saturating_sub(asleep_before) > ASLEEP && !woke() {
                return;
            }
            asleep_before = asleep;
        }
    };
    // Without the thread a sleep is noticed when the next timer is due.
    let _ = std::thread::Builder::new()
        .name(String::from("wake"))
        .spawn(watch);
}

/// See the other system's: here nothing can be told.
#[cfg(not(target_os = "linux"))]
pub(super) fn watch(_woke: impl Fn() -> bool + Send + 'static) {}

/// How long the machine has been asleep since it was started: `CLOCK_BOOTTIME` counts it and
/// `CLOCK_MONOTONIC` does not (`clock_gettime(2)`).
#[cfg(target_os = "linux")]
fn asleep_in_all() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
    read(ClockId::Boottime).saturating_sub(read(ClockId::Monotonic))
}

/// Waits on the clock that goes on in sleep; whether there is such a clock.
#[cfg(target_os = "linux")]
fn nap() -> bool {
    use rustix::thread::{ClockId, NanosleepRelativeResult, clock_nanosleep_relative};
    let Ok(nap) = NAP.try_into() else {
        return false;
    };
    !matches!(
        clock_nanosleep_relative(ClockId::Boottime, &nap),
        NanosleepRelativeResult::Err(_)
    )
}
