//! What this run has seen change, kept for the details.

use std::collections::VecDeque;
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::event::{Change, Event};
use crate::job::{JobKey, Status};

/// More events than this push the oldest out.
const MAX_EVENTS: usize = 1_000;

#[derive(Debug, Default)]
pub struct History(VecDeque<Event>);

/// What one reply changed about a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryLine {
    pub at: Timestamp,
    /// As `active to completed, pull request #412`.
    pub text: String,
    /// Whether the job has failed.
    pub is_failure: bool,
}

impl History {
    pub(super) fn push(&mut self, event: Event) {
        if self.0.len() == MAX_EVENTS {
            self.0.pop_front();
        }
        self.0.push_back(event);
    }

    /// The changes to one job, oldest first.
    pub fn lines_for(&self, key: &JobKey) -> Vec<HistoryLine> {
        let mut lines: Vec<HistoryLine> = Vec::new();
        for event in self.0.iter().filter(|event| &event.key == key) {
            match lines.last_mut().filter(|line| line.at == event.at) {
                Some(line) => line.add(&event.change),
                None => lines.push(HistoryLine::new(event)),
            }
        }
        lines
    }
}

impl HistoryLine {
    fn new(event: &Event) -> Self {
        Self {
            at: event.at,
            text: event.change.to_string(),
            is_failure: is_failure(&event.change),
        }
    }

    fn add(&mut self, change: &Change) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, ", {change}");
        self.is_failure |= is_failure(change);
    }
}

fn is_failure(change: &Change) -> bool {
    matches!(
        change,
        Change::Status {
            to: Some(Status::Failed),
            ..
        }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pull_request::PullRequest;

    fn event(second: i64, key: &JobKey, change: Change) -> Event {
        Event {
            at: Timestamp::from_second(second).unwrap(),
            since: None,
            key: key.clone(),
            change,
        }
    }

    fn status(from: Status, to: Status) -> Change {
        Change::Status {
            from: Some(from),
            to: Some(to),
        }
    }

    #[test]
    fn what_one_reply_brought_is_one_line() {
        let (a, b) = (JobKey::new("p", "a"), JobKey::new("p", "b"));
        let link = PullRequest::new("https://github.com/acme/docs/pull/7");
        let mut history = History::default();
        for event in [
            event(1, &a, status(Status::Active, Status::Failed)),
            event(1, &b, status(Status::Active, Status::Completed)),
            event(1, &a, Change::PullRequest(link)),
            event(2, &a, status(Status::Failed, Status::Active)),
        ] {
            history.push(event);
        }
        let lines = history.lines_for(&a);
        let told: Vec<_> = lines
            .iter()
            .map(|line| (&*line.text, line.is_failure))
            .collect();
        assert_eq!(
            told,
            [
                ("active to failed, pull request #7", true),
                ("failed to active", false)
            ]
        );
    }

    #[test]
    fn it_is_bounded() {
        let key = JobKey::new("p", "a");
        let mut history = History::default();
        for second in 0..3_000 {
            history.push(event(second, &key, status(Status::Active, Status::Failed)));
        }
        assert_eq!(history.lines_for(&key).len(), 1_000);
    }
}
