//! The shared state: one [`Row`] for each watched job, their counts, and this run's errors.
//!
//! The poller is the only writer, through [`Board::apply`]; everyone else reads. This file must not
//! know I/O or clocks: the time is always an argument.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::ProjectConfig;
use crate::event::{Change, Event};
use crate::failure::{ErrorKind, Failure};
use crate::job::{Job, JobKey, ProjectId};

mod counts;
mod memory;
mod row;

pub use counts::Counts;
pub use memory::Restore;
use memory::is_new;
use row::Stored;
pub use row::{Freshness, Row};

/// How many of this run's errors are kept; the oldest go first.
const MAX_ERRORS: usize = 500;

/// A Mintlify project as the screen names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its id, as the API wants it.
    pub id: ProjectId,
    pub name: Option<String>,
}

impl From<&ProjectConfig> for Project {
    fn from(config: &ProjectConfig) -> Self {
        Self {
            id: config.id.clone(),
            name: config.name.clone(),
        }
    }
}

impl Project {
    /// What a person calls it: its name, else its id.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

/// A job as the config lists it.
#[derive(Clone, Debug)]
pub struct Watched {
    pub key: JobKey,
    pub project: Arc<Project>,
    pub label: Option<String>,
    pub tags: Vec<String>,
}

impl Watched {
    /// A job of which only the key is known.
    pub fn unlisted(key: JobKey, project: Arc<Project>) -> Self {
        let (label, tags) = (None, Vec::new());
        Self {
            key,
            project,
            label,
            tags,
        }
    }

    /// What a person calls it as long as nothing else is known: its label, else its id.
    pub fn title(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.key.id)
    }
}

/// What the poller learnt of one job.
#[derive(Debug)]
pub enum Update {
    Started,
    Fetched {
        /// The job as the reply told it.
        job: Job,
        /// How long that counts as fresh; `None` for ever.
        fresh_for: Option<Duration>,
    },
    Failed(Failure),
    /// Polls cannot even be tried, for a reason that is not this job's own: its key is refused, or
    /// its project is held. As [`Update::Failed`], but not one of the run's errors.
    Blocked(Failure),
}

/// A fault of this run; the same fault of the same job again only counts up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedError {
    /// When it happened last.
    pub at: Timestamp,
    pub key: JobKey,
    pub title: String,
    pub kind: ErrorKind,
    pub message: String,
    /// How often in a row.
    pub times: u32,
}

/// What happened, and how often: `server error (503) (5 times)`.
impl fmt::Display for LoggedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.times {
            1 => f.write_str(&self.message),
            times => write!(f, "{} ({times} times)", self.message),
        }
    }
}

/// All rows: the shared state.
#[derive(Clone, Debug, Default)]
pub struct Board {
    rows: Vec<Row>,
    index: HashMap<JobKey, usize>,
    counts: Counts,
    projects: Vec<(Arc<Project>, usize)>,
    errors: VecDeque<LoggedError>,
    /// Up to when the user has said that they have seen what changed.
    seen_at: Option<Timestamp>,
    revision: u64,
}

impl Board {
    /// A board of never-seen rows, in the order given. A key that comes twice is taken once.
    pub fn new(watched: impl IntoIterator<Item = Watched>) -> Self {
        let mut board = Self::default();
        board.set_watched(watched);
        board
    }

    /// Watches these jobs from now on, in this order. What is known of those that stay is kept.
    pub fn set_watched(&mut self, watched: impl IntoIterator<Item = Watched>) {
        let mut before: HashMap<JobKey, Row> = self
            .rows
            .drain(..)
            .map(|row| (row.key().clone(), row))
            .collect();
        self.index.clear();
        let watched = watched.into_iter();
        let (count, _) = watched.size_hint();
        self.rows.reserve(count);
        self.index.reserve(count);
        for watched in watched {
            if self.index.contains_key(&watched.key) {
                continue;
            }
            self.index.insert(watched.key.clone(), self.rows.len());
            let row = match before.remove(&watched.key) {
                Some(row) => Row { watched, ..row },
                None => Row::new(watched),
            };
            self.rows.push(row);
        }
        self.counts = Counts::new(&self.rows);
        self.projects = projects(&self.rows);
        self.revision += 1;
        for row in &mut self.rows {
            row.revision = self.revision;
        }
    }

    /// The polls of these jobs that are in flight have been given up.
    pub fn abandon_polls(&mut self, of: impl Fn(&JobKey) -> bool) {
        for row in self.rows.iter_mut().filter(|row| of(row.key())) {
            row.polling = false;
        }
    }

    /// The rows, in the order of the config.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub fn row(&self, key: &JobKey) -> Option<&Row> {
        self.index.get(key).map(|at| &self.rows[*at])
    }

    /// How many rows there are of each sort.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether there are rows, and none of their last polls has got through to the server.
    pub fn is_offline(&self) -> bool {
        let kind = |row: &Row| row.error.as_ref().map(|error| error.kind);
        let fails = |row: &Row| kind(row) == Some(ErrorKind::Network);
        !self.rows.is_empty() && self.rows.iter().all(fails)
    }

    /// The projects that have rows, in the order of the config, and how many rows each has. Those
    /// that a person calls the same are one.
    pub fn projects(&self) -> &[(Arc<Project>, usize)] {
        &self.projects
    }

    /// This run's errors, oldest first.
    pub fn errors(&self) -> impl DoubleEndedIterator<Item = &LoggedError> + ExactSizeIterator {
        self.errors.iter()
    }

    /// Goes up when something that a table shows has changed, or will by itself earlier than it
    /// would have; a poll that only confirms what is known leaves it alone.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Takes what the poller learnt of `key` at `now`. An unknown key is ignored: its job may have
    /// left the config while the poll was in flight. A change of status comes before one of the pull
    /// request.
    pub fn apply(&mut self, key: &JobKey, update: Update, now: Timestamp) -> Vec<Event> {
        let Some(&at) = self.index.get(key) else {
            return Vec::new();
        };
        match update {
            Update::Started => self.rows[at].polling = true,
            Update::Fetched { job, fresh_for } => return self.fetched(at, job, fresh_for, now),
            Update::Failed(failure) => {
                self.log_error(at, &failure, now);
                self.rows[at].polling = false;
                self.set_error(at, failure, now);
            }
            Update::Blocked(failure) => self.set_error(at, failure, now),
        }
        Vec::new()
    }

    fn fetched(
        &mut self,
        at: usize,
        job: Job,
        fresh_for: Option<Duration>,
        now: Timestamp,
    ) -> Vec<Event> {
        let row = &mut self.rows[at];
        let events = events(row, &job, now);
        let shown = row.freshness(now) != Freshness::Fresh || row.job.as_ref() != Some(&job);
        let progress = row.progress_after(&job, now);
        let stale_at = row.goes_stale_at();
        row.fetched_at = Some(now);
        row.is_restored = false;
        row.fresh_for = fresh_for;
        row.polling = false;
        // A reader that waits for the next row to go stale must learn of one that does so earlier.
        let sooner = row
            .goes_stale_at()
            .is_some_and(|at| stale_at.is_none_or(|before| at < before));
        if shown || sooner {
            self.counts.remove(row);
            if !events.is_empty() || row.differs_from_earlier(&job) {
                row.changed_at = Some(now);
                row.is_new = is_new(row, self.seen_at);
            }
            row.progress = Some(progress);
            // One that says the same is not worth the memory of a second one.
            if row.job.as_ref() != Some(&job) {
                row.job = Some(job);
                row.check_acknowledged();
            }
            row.error = None;
            row.failing_since = None;
            self.counts.add(row);
            self.revision += 1;
            row.revision = self.revision;
        }
        row.stored = Stored::Same;
        events
    }

    fn set_error(&mut self, at: usize, failure: Failure, now: Timestamp) {
        let row = &mut self.rows[at];
        let before = row.error.as_ref();
        if before == Some(&failure) {
            return;
        }
        if before.is_none_or(|before| before.kind != failure.kind) {
            row.failing_since = Some(now);
        }
        self.counts.errors += usize::from(before.is_none());
        row.error = Some(failure);
        self.revision += 1;
        row.revision = self.revision;
    }

    fn log_error(&mut self, at: usize, error: &Failure, now: Timestamp) {
        let row = &self.rows[at];
        let again = row
            .error
            .as_ref()
            .is_some_and(|before| before.message == error.message);
        let logged = self
            .errors
            .iter()
            .rposition(|logged| &logged.key == row.key())
            .filter(|logged| again && self.errors[*logged].message == error.message);
        // Taken out and put back at the end: the log stays in the order of the times it shows.
        let before = logged.and_then(|logged| self.errors.remove(logged));
        if self.errors.len() == MAX_ERRORS {
            self.errors.pop_front();
        }
        self.errors.push_back(LoggedError {
            at: now,
            key: row.key().clone(),
            title: row.title().to_owned(),
            kind: error.kind,
            message: error.message.clone(),
            times: before.map_or(1, |before| before.times.saturating_add(1)),
        });
    }
}

/// What happens to `row` where a poll has found `job`.
fn events(row: &Row, job: &Job, now: Timestamp) -> Vec<Event> {
    let changes = row.job.as_ref().map(|before| Change::between(before, job));
    let event = |change| Event {
        at: now,
        since: row.fetched_at.filter(|_| row.is_late(now)),
        key: row.key().clone(),
        change,
    };
    changes.unwrap_or_default().into_iter().map(event).collect()
}

fn projects(rows: &[Row]) -> Vec<(Arc<Project>, usize)> {
    let mut projects: Vec<(Arc<Project>, usize)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    // The rows of a project follow each other, so that a title is looked up once for each.
    for same in rows.chunk_by(|a, b| Arc::ptr_eq(&a.watched.project, &b.watched.project)) {
        let project = &same[0].watched.project;
        let place = *places.entry(project.title()).or_insert(projects.len());
        match projects.get_mut(place) {
            Some((_, count)) => *count += same.len(),
            None => projects.push((Arc::clone(project), same.len())),
        }
    }
    projects
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Status;
    use crate::pull_request::PullRequest;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn board(ids: &[&str]) -> Board {
        let project = Arc::new(Project {
            id: "p".into(),
            name: Some("docs".into()),
        });
        Board::new(ids.iter().map(|id| Watched {
            key: JobKey::new("p", *id),
            project: Arc::clone(&project),
            label: None,
            tags: Vec::new(),
        }))
    }

    #[test]
    fn the_rows_of_each_project_are_counted_by_what_a_person_calls_it() {
        let watch = |names: &[(&str, Option<&str>)]| {
            let watched = names.iter().enumerate().map(|(at, (id, name))| Watched {
                key: JobKey::new(*id, format!("job_{at}")),
                project: Arc::new(Project {
                    id: (*id).into(),
                    name: name.map(str::to_owned),
                }),
                label: None,
                tags: Vec::new(),
            });
            watched.collect::<Vec<_>>()
        };
        let counted = |board: &Board| {
            let projects = board.projects().iter();
            let counted = projects.map(|(project, count)| (project.title().to_owned(), *count));
            counted.collect::<Vec<_>>()
        };
        let mut board = Board::new(watch(&[
            ("b", None),
            ("a", Some("docs")),
            ("b", None),
            ("c", Some("docs")),
        ]));
        assert_eq!(counted(&board), [("b".into(), 2), ("docs".into(), 2)]);
        board.set_watched(watch(&[("a", None)]));
        assert_eq!(counted(&board), [("a".into(), 1)]);
    }

    #[test]
    fn a_row_is_called_by_its_label_else_its_branch_else_its_id() {
        let mut board = board(&["a"]);
        let key = JobKey::new("p", "a");
        assert_eq!(board.rows()[0].title(), "a");
        for (branch, want) in [
            (Some("mintlify/sdk"), "sdk"),
            (Some("fix/sdk"), "fix/sdk"),
            (Some("mintlify/"), "mintlify/"),
            (None, "a"),
        ] {
            let job = Job {
                branch: branch.map(str::to_owned),
                ..Job::default()
            };
            let fetched = Update::Fetched {
                job,
                fresh_for: None,
            };
            board.apply(&key, fetched, NOW);
            assert_eq!(board.rows()[0].title(), want);
        }
        board.rows[0].watched.label = Some("SDK".into());
        assert_eq!(board.rows()[0].title(), "SDK");
    }

    #[test]
    fn a_row_is_as_it_is_since_its_last_change_or_since_the_api_says_so() {
        let mut board = board(&["a"]);
        let key = JobKey::new("p", "a");
        for (status, seconds, want) in [
            (Status::Completed, 10, None),
            (Status::Completed, 20, None),
            (Status::Active, 30, Some(30)),
            (Status::Active, 40, Some(30)),
            (Status::Failed, 50, Some(50)),
        ] {
            let job = Job {
                status: Some(status),
                created_at: Some(at(1)),
                ..Job::default()
            };
            let fetched = Update::Fetched {
                job,
                fresh_for: None,
            };
            board.apply(&key, fetched, at(seconds));
            assert_eq!(board.rows()[0].since(), want.map(at));
        }
        for (status, want) in [(Status::Active, 1), (Status::Archived, 2)] {
            let job = Job {
                status: Some(status),
                created_at: Some(at(1)),
                archived_at: Some(at(2)),
                ..Job::default()
            };
            let row = Row {
                job: Some(job),
                ..Row::new(board.rows()[0].watched.clone())
            };
            assert_eq!(row.since(), Some(at(want)));
        }
    }

    #[test]
    fn a_row_that_will_go_stale_sooner_than_it_would_have_is_news() {
        let mut board = board(&["a"]);
        let key = JobKey::new("p", "a");
        for (fetched_at, fresh_for, is_news) in [
            (0, Some(600), true),
            (300, Some(600), false),
            (600, Some(20), true),
            (610, Some(20), false),
            (615, None, false),
            (620, Some(600), true),
        ] {
            let before = board.revision();
            let fetched = Update::Fetched {
                job: job(Status::Active, None),
                fresh_for: fresh_for.map(Duration::from_secs),
            };
            board.apply(&key, fetched, at(fetched_at));
            assert_eq!(board.revision() != before, is_news, "at {fetched_at}");
        }
    }

    fn job(status: Status, link: Option<&str>) -> Job {
        Job {
            status: Some(status),
            pull_request: link.map(PullRequest::new),
            ..Job::default()
        }
    }

    fn fetched(job: Job) -> Update {
        Update::Fetched {
            job,
            fresh_for: Some(Duration::from_secs(20)),
        }
    }

    fn failed(kind: ErrorKind, message: &str) -> Update {
        Update::Failed(Failure::new(kind, message))
    }

    #[test]
    fn the_first_sight_of_a_job_is_no_event() {
        let mut board = board(&["a"]);
        let key = JobKey::new("p", "a");
        assert_eq!(
            board.apply(&key, fetched(job(Status::Failed, None)), NOW),
            []
        );
        assert!(board.row(&key).unwrap().needs_you());
    }

    #[test]
    fn event_table() {
        const PR: Option<&str> = Some("https://github.com/acme/docs/pull/1");
        let key = JobKey::new("p", "a");
        let (active, completed) = (Status::Active, Status::Completed);
        let unknown = Job {
            status: None,
            ..job(active.clone(), PR)
        };
        for (before, after, want) in [
            (job(active.clone(), None), job(active.clone(), None), vec![]),
            (
                job(active.clone(), None),
                job(completed.clone(), PR),
                vec!["active to completed", "pull request #1"],
            ),
            (
                job(completed.clone(), None),
                job(completed.clone(), PR),
                vec!["pull request #1"],
            ),
            (
                job(completed.clone(), PR),
                job(active, PR),
                vec!["completed to active"],
            ),
            (
                job(completed.clone(), PR),
                unknown,
                vec!["completed to unknown"],
            ),
            (job(completed.clone(), PR), job(completed, None), vec![]),
        ] {
            let mut board = board(&["a"]);
            board.apply(&key, fetched(before), NOW);
            let events = board.apply(&key, fetched(after), at(5));
            assert!(
                events
                    .iter()
                    .all(|event| event.at == at(5) && event.key == key)
            );
            let said: Vec<_> = events
                .iter()
                .map(|event| event.change.to_string())
                .collect();
            assert_eq!(said, want);
        }
    }

    #[test]
    fn a_failure_keeps_the_last_good_values() {
        let mut board = board(&["a"]);
        let key = JobKey::new("p", "a");
        board.apply(&key, fetched(job(Status::Active, None)), NOW);
        assert_eq!(board.row(&key).unwrap().freshness(at(1)), Freshness::Fresh);
        board.apply(
            &key,
            failed(ErrorKind::Timeout, "no reply within 20s"),
            at(10),
        );
        let row = board.row(&key).unwrap();
        assert_eq!(row.status(), Some(&Status::Active));
        assert_eq!(row.fetched_at, Some(NOW));
        assert_eq!(row.freshness(at(10)), Freshness::Stale);
        board.apply(&key, fetched(job(Status::Active, None)), at(20));
        assert_eq!(board.row(&key).unwrap().error, None);
        assert_eq!(board.row(&key).unwrap().freshness(at(20)), Freshness::Fresh);
    }

    #[test]
    fn a_fault_that_goes_on_keeps_its_beginning() {
        let mut board = board(&["a"]);
        let key = JobKey::new("p", "a");
        board.apply(&key, failed(ErrorKind::Server, "500"), at(1));
        board.apply(&key, failed(ErrorKind::Server, "503"), at(9));
        assert_eq!(board.row(&key).unwrap().failing_since, Some(at(1)));
        board.apply(&key, failed(ErrorKind::Network, "refused"), at(12));
        assert_eq!(board.row(&key).unwrap().failing_since, Some(at(12)));
        board.apply(&key, fetched(job(Status::Active, None)), at(15));
        assert_eq!(board.row(&key).unwrap().failing_since, None);
    }

    #[test]
    fn a_row_goes_stale_by_age_alone() {
        let mut board = board(&["a"]);
        let key = JobKey::new("p", "a");
        assert_eq!(
            board.row(&key).unwrap().freshness(NOW),
            Freshness::NeverSeen
        );
        board.apply(&key, fetched(job(Status::Active, None)), NOW);
        assert_eq!(board.row(&key).unwrap().freshness(at(19)), Freshness::Fresh);
        assert_eq!(board.row(&key).unwrap().freshness(at(20)), Freshness::Stale);
        board.apply(
            &key,
            Update::Fetched {
                job: job(Status::Archived, None),
                fresh_for: None,
            },
            at(20),
        );
        assert_eq!(
            board.row(&key).unwrap().freshness(at(1_000_000)),
            Freshness::Fresh
        );
    }

    #[test]
    fn counts_follow_every_change() {
        let mut board = board(&["a", "b", "c", "d"]);
        let key = |id: &str| JobKey::new("p", id);
        let pr = Some("https://github.com/acme/docs/pull/1");
        board.apply(&key("a"), fetched(job(Status::Active, None)), NOW);
        board.apply(&key("a"), fetched(job(Status::Completed, pr)), NOW);
        board.apply(
            &key("b"),
            fetched(job(Status::from_api("paused"), None)),
            NOW,
        );
        board.apply(&key("b"), failed(ErrorKind::Network, "x"), NOW);
        board.apply(&key("c"), fetched(job(Status::Failed, None)), NOW);
        assert_eq!(
            board.counts(),
            Counts {
                total: 4,
                completed: 1,
                failed: 1,
                other: 1,
                unknown: 1,
                needs_you: 2,
                new: 1,
                errors: 1,
                ..Counts::default()
            }
        );
        assert_eq!(board.counts(), Counts::new(board.rows()));
    }

    #[test]
    fn a_poll_that_confirms_what_is_known_changes_nothing_shown() {
        let mut board = board(&["a"]);
        let key = JobKey::new("p", "a");
        board.apply(&key, fetched(job(Status::Active, None)), NOW);
        let before = board.revision();
        board.apply(&key, Update::Started, at(9));
        board.apply(&key, fetched(job(Status::Active, None)), at(10));
        assert_eq!(board.revision(), before);
        board.apply(&key, fetched(job(Status::Active, None)), at(99));
        assert_ne!(
            board.revision(),
            before,
            "it had gone stale: its age leaves the screen"
        );
    }

    #[test]
    fn the_same_error_again_counts_up_and_the_log_is_bounded() {
        let mut board = board(&["a", "b"]);
        let key = JobKey::new("p", "a");
        for second in 0..5 {
            board.apply(&key, failed(ErrorKind::Server, "503"), at(second));
        }
        let logged = board.errors().next().unwrap();
        assert_eq!(
            (board.errors().len(), logged.times, logged.at),
            (1, 5, at(4))
        );
        let other = JobKey::new("p", "b");
        board.apply(&other, failed(ErrorKind::Server, "503"), at(5));
        board.apply(&key, failed(ErrorKind::Server, "503"), at(6));
        let newest = board.errors().next_back().unwrap();
        assert_eq!((&newest.key, newest.times, newest.at), (&key, 6, at(6)));
        for second in 0..2_000 {
            board.apply(
                &key,
                failed(ErrorKind::Server, &format!("{second}")),
                at(second),
            );
        }
        assert_eq!(board.errors().len(), MAX_ERRORS);
    }

    #[test]
    fn jobs_that_stay_keep_what_is_known_of_them() {
        let mut board = board(&["a", "b", "b"]);
        assert_eq!(
            board.counts().total,
            2,
            "a job that comes twice is taken once"
        );
        let (a, b) = (JobKey::new("p", "a"), JobKey::new("p", "b"));
        board.apply(&a, fetched(job(Status::Failed, None)), NOW);
        board.apply(&b, fetched(job(Status::Active, None)), NOW);
        let before = board.revision();
        let mut watched = board.rows()[0].watched.clone();
        watched.label = Some(String::from("renamed"));
        let new = Watched {
            key: JobKey::new("p", "new"),
            ..watched.clone()
        };
        board.set_watched([new, watched]);
        assert_ne!(board.revision(), before);
        assert_eq!(board.row(&a).unwrap().status(), Some(&Status::Failed));
        assert_eq!(board.row(&a).unwrap().title(), "renamed");
        assert!(board.row(&b).is_none());
        let counts = board.counts();
        assert_eq!(
            (counts.total, counts.failed, counts.active, counts.unknown),
            (2, 1, 0, 1)
        );
    }

    #[test]
    fn a_reply_for_a_job_that_left_is_ignored() {
        let mut board = board(&["a"]);
        let gone = JobKey::new("p", "gone");
        assert_eq!(
            board.apply(&gone, fetched(job(Status::Active, None)), NOW),
            []
        );
        assert_eq!(board.counts().total, 1);
    }
}
