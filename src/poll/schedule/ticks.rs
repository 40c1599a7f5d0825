//! The moments at which polls that are due start together, since waking up costs more than a poll.

use std::time::{Duration, Instant};

/// From one tick to the next.
pub(super) const TICK: Duration = Duration::from_millis(50);

/// The ticks since the first job came.
#[derive(Debug, Default)]
pub(super) struct Ticks {
    first: Option<Instant>,
}

impl Ticks {
    /// Counts from `now` on, unless that has begun.
    pub(super) fn start(&mut self, now: Instant) {
        self.first.get_or_insert(now);
    }

    /// The tick at which a poll starts that is due at `due`: late, and never early, so that
    /// `Retry-After` holds.
    pub(super) fn at_or_after(&self, due: Instant) -> Instant {
        let since = self.first.map(|first| due.saturating_duration_since(first));
        let beyond = since.map_or(0, |since| since.as_nanos() % TICK.as_nanos());
        match u64::try_from(beyond) {
            Ok(beyond @ 1..) => due + TICK.saturating_sub(Duration::from_nanos(beyond)),
            _ => due,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_never_early_and_less_than_50_ms_late() {
        let first = Instant::now();
        let mut ticks = Ticks::default();
        assert_eq!(ticks.at_or_after(first), first);
        ticks.start(first);
        ticks.start(first + Duration::from_millis(7));
        for (due, tick) in [
            (0, 0),
            (1, 50),
            (49, 50),
            (50, 50),
            (51, 100),
            (3_600_001, 3_600_050),
        ] {
            let [due, tick] = [due, tick].map(|millis| first + Duration::from_millis(millis));
            assert_eq!(ticks.at_or_after(due), tick, "{:?}", due - first);
        }
        let nearly = first + Duration::from_nanos(49_999_999);
        assert_eq!(ticks.at_or_after(nearly), first + Duration::from_millis(50));
    }
}
