//! Ages and durations as text.
//!
//! A quiet board must stay a quiet terminal, so an age has one unit and no seconds, and seldom
//! changes. The time is always an argument.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

/// The time from `then` to `now`: `<1m`, `3m`, `2h`, `4d` or `2y`. A time in the future, as from a
/// server whose clock is ahead, is `<1m`.
pub fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = seconds_between(then, now);
    match unit(seconds) {
        (1, _) => String::from("<1m"),
        (size, letter) => format!("{}{letter}", seconds / size),
    }
}

/// The time from `now` to `then`, in the same form.
pub fn until(then: Timestamp, now: Timestamp) -> String {
    age(now, then)
}

/// `length` in all its units: `30m`, `1h 30m`, `250ms`.
pub fn duration(length: Duration) -> String {
    let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
    format!("{length:#}")
}

/// `length` in its largest unit, or in two where that tells more: `42m`, `2h 5m`, `3d 4h`.
pub fn duration_in_words(length: Duration) -> String {
    let seconds = length.as_secs();
    match unit(seconds) {
        (1, _) => String::from("<1m"),
        (MINUTE, letter) => format!("{}{letter}", seconds / MINUTE),
        (size, letter) => {
            let (smaller, small_letter) = unit(size - 1);
            match seconds % size / smaller {
                0 => format!("{}{letter}", seconds / size),
                rest => format!("{}{letter} {rest}{small_letter}", seconds / size),
            }
        }
    }
}

/// A duration such as `90s` or `1h 30m`; `None` where `text` is none, or a negative one.
pub fn parse_duration(text: &str) -> Option<Duration> {
    Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()
}

/// The same with days of 24 hours, and weeks: `14d`, `2w`.
pub fn parse_long_duration(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    let days_are_even = SpanRelativeTo::days_are_24_hours();
    Duration::try_from(span.to_duration(days_are_even).ok()?).ok()
}

/// When [`age`] of `then` next changes.
pub fn next_change(then: Timestamp, now: Timestamp) -> Timestamp {
    let seconds = seconds_between(then, now);
    let size = match unit(seconds) {
        (1, _) => MINUTE,
        (size, _) => size,
    };
    let next = (seconds / size + 1) * size;
    then.checked_add(Duration::from_secs(next))
        .unwrap_or(Timestamp::MAX)
}

/// When [`until`] of `then` next changes.
pub fn next_countdown(then: Timestamp, now: Timestamp) -> Timestamp {
    let seconds = seconds_between(now, then);
    let left = match unit(seconds) {
        (1, _) => return then,
        (size, _) => seconds / size * size,
    };
    let at_unit = then.checked_sub(Duration::from_secs(left)).unwrap_or(now);
    at_unit.checked_add(Duration::from_secs(1)).unwrap_or(then)
}

fn seconds_between(then: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.duration_since(then).as_secs()).unwrap_or(0)
}

/// The unit for so many seconds: its size in seconds and its letter.
fn unit(seconds: u64) -> (u64, char) {
    match seconds {
        ..MINUTE => (1, 's'),
        MINUTE..HOUR => (MINUTE, 'm'),
        HOUR..DAY => (HOUR, 'h'),
        DAY..YEAR => (DAY, 'd'),
        YEAR.. => (YEAR, 'y'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn age_table() {
        for (seconds, want, changes_at) in [
            (0, "<1m", MINUTE),
            (59, "<1m", MINUTE),
            (60, "1m", 2 * MINUTE),
            (119, "1m", 2 * MINUTE),
            (HOUR - 1, "59m", HOUR),
            (HOUR, "1h", 2 * HOUR),
            (DAY - 1, "23h", DAY),
            (DAY, "1d", 2 * DAY),
            (400 * DAY, "1y", 2 * YEAR),
        ] {
            let (then, now) = (at(1_000_000), at(1_000_000 + seconds));
            assert_eq!(age(then, now), want);
            assert_eq!(next_change(then, now), at(1_000_000 + changes_at));
            assert!(next_change(then, now) > now);
        }
    }

    #[test]
    fn durations_read_as_people_write_them() {
        for (milliseconds, want) in [
            (0, "0s"),
            (250, "250ms"),
            (2_500, "2s 500ms"),
            (90_000, "1m 30s"),
            (1_800_000, "30m"),
            (5_400_000, "1h 30m"),
            (172_800_000, "48h"),
        ] {
            assert_eq!(duration(Duration::from_millis(milliseconds)), want);
        }
        let longest = duration(Duration::MAX);
        assert!(longest.starts_with("2562047788015215h"), "{longest}");
    }

    #[test]
    fn lengths_in_words() {
        for (seconds, want) in [
            (0, "<1m"),
            (59, "<1m"),
            (42 * MINUTE + 30, "42m"),
            (HOUR, "1h"),
            (2 * HOUR + 5 * MINUTE + 1, "2h 5m"),
            (3 * DAY + 4 * HOUR, "3d 4h"),
            (2 * YEAR + 40 * DAY, "2y 40d"),
        ] {
            assert_eq!(duration_in_words(Duration::from_secs(seconds)), want);
        }
    }

    #[test]
    fn long_duration_table() {
        for (text, hours) in [
            ("14d", Some(14 * 24)),
            ("36h", Some(36)),
            ("2w", Some(14 * 24)),
            ("1d 12h", Some(36)),
            ("0d", Some(0)),
            ("-1d", None),
            ("14", None),
            ("1mo", None),
            ("soon", None),
        ] {
            let want = hours.map(Duration::from_hours);
            assert_eq!(parse_long_duration(text), want, "{text}");
        }
    }

    #[test]
    fn a_clock_that_is_ahead_reads_as_just_now() {
        assert_eq!(age(at(500), at(0)), "<1m");
        assert!(next_change(at(500), at(0)) > at(500));
        assert_eq!(until(at(2_400), at(0)), "40m");
    }

    #[test]
    fn a_countdown_changes_when_it_reads_differently() {
        for (left, read, changes_after) in [
            (30, "<1m", 30),
            (90, "1m", 31),
            (2_400, "40m", 1),
            (HOUR, "1h", 1),
        ] {
            let (now, then) = (at(1_000), at(1_000 + left));
            assert_eq!(until(then, now), read);
            let next = next_countdown(then, now);
            assert_eq!(next, at(1_000 + changes_after));
            assert!(next > now);
        }
    }
}
