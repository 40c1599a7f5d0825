//! What changed about jobs, in this run and in earlier ones, and which of the changes is selected.
//!
//! This file must not know how they are drawn.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use crate::event::{Change, Event};
use crate::job::{JobKey, Status};
use crate::store::StoredEvent;

/// More changes than this push the oldest out.
pub const MAX_CHANGES: usize = 5_000;

/// What one reply changed about a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobChange {
    pub key: JobKey,
    /// When it was found.
    pub at: Timestamp,
    /// Where nothing watched the job before: since when it can have happened.
    pub since: Option<Timestamp>,
    /// How long the job had run, where it ended its work by this and that is known.
    pub ran: Option<Duration>,
    changes: Vec<Change>,
}

impl From<StoredEvent> for JobChange {
    fn from(StoredEvent { event, ran }: StoredEvent) -> Self {
        Self {
            key: event.key,
            at: event.at,
            since: event.since,
            ran,
            changes: vec![event.change],
        }
    }
}

impl JobChange {
    /// Whether one reply brought both: the store has milliseconds.
    fn is_at_once(&self, other: &Self) -> bool {
        self.key == other.key && self.at.as_millisecond() == other.at.as_millisecond()
    }

    /// As `active to completed, pull request #412`.
    pub fn text(&self) -> String {
        let changes = self.changes.iter().map(ToString::to_string);
        changes.collect::<Vec<_>>().join(", ")
    }

    /// The status that the job has got, where it has got another; the API may not have given one.
    pub fn status(&self) -> Option<Option<&Status>> {
        let mut statuses = self.changes.iter().filter_map(|change| match change {
            Change::Status { to, .. } => Some(to.as_ref()),
            Change::PullRequest(_) => None,
        });
        statuses.next_back()
    }

    /// Whether the job has failed.
    pub fn is_failure(&self) -> bool {
        self.status() == Some(Some(&Status::Failed))
    }
}

#[derive(Debug, Default)]
pub struct Changes {
    /// The oldest first.
    all: VecDeque<JobChange>,
    /// Which one is selected, counted from the newest.
    cursor: usize,
}

impl Changes {
    /// Takes what the store has of this run and of earlier ones, the oldest first.
    pub(super) fn restore(&mut self, stored: Vec<StoredEvent>) {
        let newer = std::mem::take(&mut self.all);
        for event in stored {
            self.append(JobChange::from(event));
        }
        for change in newer {
            if !self.all.iter().rev().any(|known| known.is_at_once(&change)) {
                self.append(change);
            }
        }
    }

    /// Takes what was found now, and returns what it is then part of; `None` where it was known.
    pub(super) fn push(&mut self, event: Event, ran: Option<Duration>) -> Option<&JobChange> {
        let new = JobChange::from(StoredEvent { event, ran });
        let is_known = |known: &JobChange| {
            known.is_at_once(&new) && new.changes.iter().all(|new| known.changes.contains(new))
        };
        if self.all.iter().rev().any(is_known) {
            return None;
        }
        self.append(new);
        self.all.back()
    }

    fn append(&mut self, new: JobChange) {
        let same = |last: &&mut JobChange| last.is_at_once(&new);
        if let Some(last) = self.all.back_mut().filter(same) {
            last.ran = last.ran.or(new.ran);
            return last.changes.extend(new.changes);
        }
        if self.all.len() == MAX_CHANGES {
            self.all.pop_front();
        }
        self.all.push_back(new);
        // The selection stays on its change, but for the newest: there one waits for what comes.
        if self.cursor > 0 {
            self.cursor = (self.cursor + 1).min(self.all.len() - 1);
        }
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn newest_first(&self) -> impl ExactSizeIterator<Item = &JobChange> {
        self.all.iter().rev()
    }

    /// Those of one job, the newest first.
    pub fn of_job(&self, key: &JobKey) -> impl Iterator<Item = &JobChange> {
        self.newest_first().filter(move |change| change.key == *key)
    }

    /// Those that have been found after `seen_at`, the newest first.
    pub fn new_since(&self, seen_at: Option<Timestamp>) -> impl Iterator<Item = &JobChange> {
        let is_new = move |change: &&JobChange| seen_at.is_none_or(|seen| change.at > seen);
        self.newest_first().filter(is_new)
    }

    /// Which one is selected, counted from the newest.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    pub fn selected(&self) -> Option<&JobChange> {
        self.newest_first().nth(self.cursor)
    }

    /// Moves the selection by so many changes, to older ones where positive.
    pub(super) fn step(&mut self, changes: isize) {
        let last = self.all.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(changes).min(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pull_request::PullRequest;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn event(second: i64, id: &str, change: Change) -> Event {
        Event {
            at: at(second),
            since: None,
            key: JobKey::new("p", id),
            change,
        }
    }

    fn status(from: Status, to: Status) -> Change {
        Change::Status {
            from: Some(from),
            to: Some(to),
        }
    }

    fn failed() -> Change {
        status(Status::Active, Status::Failed)
    }

    fn woken() -> Change {
        status(Status::Failed, Status::Active)
    }

    fn told(changes: &Changes) -> Vec<String> {
        let told = |change: &JobChange| format!("{} {}", change.key.id, change.text());
        changes.newest_first().map(told).collect()
    }

    #[test]
    fn what_one_reply_brought_is_one_change() {
        let mut changes = Changes::default();
        let link = PullRequest::new("https://github.com/acme/docs/pull/7");
        for event in [
            event(1, "a", failed()),
            event(1, "a", Change::PullRequest(link)),
            event(1, "b", failed()),
            event(2, "a", woken()),
        ] {
            changes.push(event, None);
        }
        assert_eq!(
            told(&changes),
            [
                "a failed to active",
                "b active to failed",
                "a active to failed, pull request #7",
            ]
        );
        let failures = changes.newest_first().map(JobChange::is_failure);
        assert_eq!(failures.collect::<Vec<_>>(), [false, true, true]);
        assert_eq!(changes.new_since(None).count(), 3);
        assert_eq!(changes.new_since(Some(at(1))).count(), 1);
        assert_eq!(changes.of_job(&JobKey::new("p", "a")).count(), 2);
    }

    #[test]
    fn what_the_store_and_a_poll_both_tell_is_there_once() {
        let stored = |second, id, change| StoredEvent {
            event: event(second, id, change),
            ran: None,
        };
        let mut changes = Changes::default();
        changes.push(event(8, "a", failed()), None);
        changes.push(event(9, "b", failed()), None);
        changes.restore(vec![
            stored(1, "a", failed()),
            stored(2, "a", woken()),
            stored(8, "a", failed()),
        ]);
        assert_eq!(changes.push(event(8, "a", failed()), None), None);
        let want = [
            "b active to failed",
            "a active to failed",
            "a failed to active",
            "a active to failed",
        ];
        assert_eq!(told(&changes), want);
    }

    #[test]
    fn it_is_bounded_and_the_selection_stays_on_its_change() {
        let mut changes = Changes::default();
        for second in 0..15_000 {
            let change = if second % 2 == 0 { failed() } else { woken() };
            changes.push(event(second, "a", change), None);
        }
        assert_eq!(changes.len(), MAX_CHANGES);
        changes.step(isize::MAX);
        assert_eq!(changes.cursor(), MAX_CHANGES - 1);
        changes.step(-5);
        let selected = changes.selected().cloned();
        changes.push(event(90_000, "b", failed()), None);
        assert_eq!(changes.selected().cloned(), selected);
        changes.step(isize::MIN);
        changes.push(event(90_001, "c", failed()), None);
        assert_eq!(&*changes.selected().unwrap().key.id, "c");
    }
}
