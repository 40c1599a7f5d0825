//! `Retry-After` (RFC 9110 section 10.2.3). The time is an argument.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// `value` is seconds, or a date: then the wait starts at the reply's own `Date` where it has one, since
/// the server's clock may differ from ours. `None` where it is neither.
pub(super) fn wait(value: &str, date: Option<&str>, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Only overflow can fail here.
        return Some(value.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let until = http_date(value)?;
    let start = match date.and_then(http_date) {
        Some(date) => date,
        None => now.try_into().ok()?,
    };
    // A date in the past asks for no wait.
    Some(until.duration_since(start).unwrap_or_default())
}

/// Any of the three forms of RFC 9110 section 5.6.7.
fn http_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_table() {
        let now = "2015-10-21T07:28:00Z".parse().unwrap();
        let seconds = |n| Some(Duration::from_secs(n));
        let date = "Wed, 21 Oct 2015 07:28:00 GMT";
        for (value, date, want) in [
            ("0", None, seconds(0)),
            ("120", None, seconds(120)),
            (" 7 ", None, seconds(7)),
            ("1000000000", None, seconds(1_000_000_000)),
            ("18446744073709551616", None, Some(Duration::MAX)),
            (&*"9".repeat(400), None, Some(Duration::MAX)),
            ("-1", None, None),
            ("+5", None, None),
            ("1.5", None, None),
            ("1e9", None, None),
            ("5s", None, None),
            ("٣", None, None),
            ("", None, None),
            ("soon", None, None),
            // The three forms of a date.
            ("Wed, 21 Oct 2015 07:29:30 GMT", None, seconds(90)),
            ("Wednesday, 21-Oct-15 07:29:30 GMT", None, seconds(90)),
            ("Wed Oct 21 07:29:30 2015", None, seconds(90)),
            ("Tue, 06 Oct 2015 07:29:30 GMT", None, seconds(0)),
            ("Tue Oct  6 07:29:30 2015", None, seconds(0)),
            // From the reply's own clock, an hour behind ours.
            (
                "Wed, 21 Oct 2015 06:28:30 GMT",
                Some("Wed, 21 Oct 2015 06:28:00 GMT"),
                seconds(30),
            ),
            (
                "Wed, 21 Oct 2015 07:28:30 GMT",
                Some("garbage"),
                seconds(30),
            ),
            ("Wed, 21 Oct 2015 07:28:30 GMT", Some(date), seconds(30)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(date), seconds(0)),
            (
                "Fri, 31 Dec 9999 23:59:59 GMT",
                None,
                seconds(251_956_888_319),
            ),
            ("Wed, 32 Oct 2015 07:28:30 GMT", None, None),
            ("Wed, 21 Oct 2015 07:28:30 PST", None, None),
        ] {
            let got = wait(value, date, now);
            assert_eq!(got, want, "{value:?} {date:?}");
        }
    }
}
