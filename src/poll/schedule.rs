//! When each job is polled next: a pure value, without clocks, tasks or the network.
//!
//! The poller asks [`Schedule::take_due`] what to poll, tells [`Schedule::finish`] how it went, and
//! sleeps until [`Schedule::next_due`]. The time is always an argument; the only randomness is a
//! seeded generator, so that every run of a test is the same. It must not know the board.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::job::{JobKey, ProjectId};

mod earlier;
mod limits;
mod pace;
mod project;
mod ticks;

pub use limits::Limits;
pub use pace::Pace;

use limits::SPREAD_STEP;
use project::ProjectState;
use ticks::Ticks;

/// The longest `Retry-After` that is obeyed.
pub const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);
/// A job is asked for by hand at most once in this time, however long a key is held.
const BY_HAND: Duration = Duration::from_secs(1);
/// How often a job that we may not see is tried again.
pub const FORBIDDEN_PROBE: Duration = Duration::from_mins(5);

/// How the first polls are started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// One after the other, so that a board left open does not poll in bursts.
    Spread,
    /// As fast as the places in flight allow.
    AtOnce,
    /// As fast as that, and each job a single time.
    Once,
}

/// How a poll ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The job was seen.
    Seen(Pace),
    /// It failed in a way that may pass. Where the server said how long to wait, its whole project
    /// waits.
    Failed {
        /// What `Retry-After` said.
        retry_after: Option<Duration>,
        /// Whether the fault is the job's own, as when there is no such job: it says nothing about
        /// the server.
        own_fault: bool,
    },
    /// We may not see it (403). Where the server said how long to wait, its whole project waits.
    Forbidden { retry_after: Option<Duration> },
    /// The key was refused (401): nothing is polled with it until [`Schedule::renew_key`].
    KeyRefused,
}

/// Which of the run's keys a job is polled with.
pub type KeyIndex = usize;

#[derive(Debug)]
struct Entry {
    project: ProjectId,
    key: KeyIndex,
    pace: Pace,
    failures: u32,
    /// When the first of these failures was.
    failing_since: Option<Instant>,
    /// Whether the last failure was the job's own.
    own_fault: bool,
    /// Whether it was refused the last time (403), and waits for its next probe.
    forbidden: bool,
    state: State,
    /// When its last poll started.
    polled_at: Option<Instant>,
    /// Tells the entry's live place in the queue from those that it left behind.
    ticket: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting(Instant),
    InFlight,
    /// Nothing to wait for: archived, or its key is refused.
    Parked,
}

type Queue = BinaryHeap<Reverse<(Instant, u64, JobKey)>>;

/// Decides which job is polled when.
#[derive(Debug)]
pub struct Schedule {
    limits: Limits,
    /// Nothing is polled again by itself.
    single_round: bool,
    rng: fastrand::Rng,
    entries: HashMap<JobKey, Entry>,
    projects: HashMap<ProjectId, ProjectState>,
    refused_keys: Vec<KeyIndex>,
    ticks: Ticks,
    /// Healthy jobs, and jobs whose last poll failed: the second may fill only half of the places in
    /// flight, so that hanging jobs never keep the others waiting.
    queues: [Queue; 2],
    in_flight: [usize; 2],
    next_ticket: u64,
}

impl Schedule {
    /// An empty schedule whose jitter comes from `seed`.
    pub fn new(limits: Limits, seed: u64) -> Self {
        Self {
            limits,
            single_round: false,
            rng: fastrand::Rng::with_seed(seed),
            entries: HashMap::new(),
            projects: HashMap::new(),
            refused_keys: Vec::new(),
            ticks: Ticks::default(),
            queues: [Queue::new(), Queue::new()],
            in_flight: [0, 0],
            next_ticket: 0,
        }
    }

    /// Takes on `jobs`, each with the key that it is polled with, in the order given: their first
    /// polls are spread from `now` on, a few at each tick, or all due at once. A job that is already
    /// here stays as it is.
    pub fn add(
        &mut self,
        jobs: impl IntoIterator<Item = (JobKey, KeyIndex)>,
        start: Start,
        now: Instant,
    ) {
        self.single_round = start == Start::Once;
        self.ticks.start(now);
        let step = match start {
            Start::Spread => SPREAD_STEP,
            Start::AtOnce | Start::Once => Duration::ZERO,
        };
        let mut due = now;
        let last = now + self.limits.longest_spread();
        for (job, key) in jobs {
            if self.entries.contains_key(&job) {
                continue;
            }
            let project = job.project.clone();
            let state = self.projects.entry(project.clone());
            state.or_insert_with(|| ProjectState::new(now));
            let entry = Entry {
                project,
                key,
                pace: Pace::Active,
                failures: 0,
                failing_since: None,
                own_fault: false,
                forbidden: false,
                state: State::Parked,
                polled_at: None,
                ticket: 0,
            };
            self.entries.insert(job.clone(), entry);
            let tick = self.ticks.at_or_after(due);
            self.wait_until(&job, if start == Start::Spread { tick } else { due });
            due = (due + step).min(last);
        }
    }

    /// Forgets all jobs but these; replies of the others that are under way are ignored.
    pub fn keep_only(&mut self, jobs: &HashSet<JobKey>) {
        self.retain(|job| jobs.contains(job));
    }

    /// Forgets these projects and their jobs, with what their servers asked for.
    pub fn forget(&mut self, projects: &HashSet<ProjectId>) {
        self.retain(|job| !projects.contains(&job.project));
        self.projects
            .retain(|project, _| !projects.contains(project));
    }

    fn retain(&mut self, stays: impl Fn(&JobKey) -> bool) {
        let in_flight = &mut self.in_flight;
        self.entries.retain(|job, entry| {
            let stays = stays(job);
            if !stays && entry.state == State::InFlight {
                in_flight[entry.queue()] -= 1;
            }
            stays
        });
    }

    /// How long a reply of this pace counts as fresh: twice its interval; `None` for ever.
    pub fn fresh_for(&self, pace: Pace) -> Option<Duration> {
        self.limits.interval(pace).map(|interval| interval * 2)
    }

    /// When [`Self::take_due`] next has something to give; `None` while nothing waits, or while
    /// every place in flight is taken.
    pub fn next_due(&mut self) -> Option<Instant> {
        self.next_queue().map(|(due, _)| due)
    }

    /// A job whose poll is due at `now`; it counts as in flight until [`Self::finish`].
    pub fn take_due(&mut self, now: Instant) -> Option<JobKey> {
        loop {
            let (_, queue) = self.next_queue().filter(|(due, _)| *due <= now)?;
            let Reverse((_, _, job)) = self.queues[queue].pop()?;
            if self.key_is_refused(&job) {
                self.set_state(&job, State::Parked);
            } else if let Some(until) = self.held_until(&job).filter(|until| *until > now) {
                let window = self.limits.spread_window(self.entries.len());
                let due = until + self.up_to(window);
                self.wait_until_tick(&job, due);
            } else {
                if let Some(entry) = self.entries.get_mut(&job) {
                    entry.state = State::InFlight;
                    entry.polled_at = Some(now);
                }
                self.in_flight[queue] += 1;
                return Some(job);
            }
        }
    }

    /// Takes back a job that [`Self::take_due`] gave, with how its poll ended.
    pub fn finish(&mut self, job: &JobKey, outcome: Outcome, now: Instant) {
        let Some(entry) = self.entries.get_mut(job) else {
            return;
        };
        if entry.state != State::InFlight {
            return;
        }
        let queue = entry.queue();
        self.in_flight[queue] -= 1;
        entry.state = State::Parked;
        entry.forbidden = matches!(outcome, Outcome::Forbidden { .. });
        match outcome {
            Outcome::Seen(pace) => self.seen(job, pace, now),
            Outcome::Failed {
                retry_after,
                own_fault,
            } => self.failed(job, retry_after, own_fault, now),
            Outcome::Forbidden { retry_after } => {
                let healthy = self.limits.healthy(entry.pace);
                let wait = self.jittered(retry_after.map_or(FORBIDDEN_PROBE, |_| healthy));
                self.hold(job, retry_after, now);
                self.wait_again(job, now + wait);
            }
            Outcome::KeyRefused => {
                let key = entry.key;
                self.refuse_key(key);
            }
        }
    }

    /// Polls `job` as soon as a place is free, unless it is in flight already, and [`BY_HAND`] after
    /// its last poll at the earliest. A `Retry-After` of its project is still obeyed.
    pub fn poll_now(&mut self, job: &JobKey, now: Instant) {
        let Some(entry) = self.entries.get(job) else {
            return;
        };
        let earliest = entry.polled_at.map_or(now, |at| now.max(at + BY_HAND));
        self.bring_forward(job, earliest);
    }

    /// Polls every job once, archived ones too, spread from `now` on and not by the tick: a person
    /// waits for it.
    pub fn poll_all(&mut self, now: Instant) {
        let jobs: Vec<JobKey> = self.entries.keys().cloned().collect();
        for (job, due) in self.spread_over(jobs, now) {
            self.poll_now(&job, due);
        }
    }

    /// After sleep, when polls in flight have been given up: every job that waits or was in flight
    /// is polled once, spread from `now` on.
    pub fn resume(&mut self, now: Instant) {
        self.in_flight = [0, 0];
        for entry in self
            .entries
            .values_mut()
            .filter(|entry| entry.state == State::InFlight)
        {
            entry.state = State::Waiting(now);
        }
        let waiting = |entry: &Entry| matches!(entry.state, State::Waiting(_));
        let jobs = self.jobs_where(waiting);
        self.spread(jobs, now);
    }

    /// Polls with `key` may start again: its jobs are polled once, spread from `now` on.
    pub fn renew_key(&mut self, key: KeyIndex, now: Instant) {
        self.refused_keys.retain(|refused| *refused != key);
        let jobs = self.jobs_where(|entry| entry.key == key);
        self.spread(jobs, now);
    }

    /// Stops all polls with `key`, as when the server refuses it.
    pub fn refuse_key(&mut self, key: KeyIndex) {
        if !self.refused_keys.contains(&key) {
            self.refused_keys.push(key);
        }
    }

    /// The jobs of `project` that its hold delays: not those that would not be polled before its end
    /// (archived ones never), since nothing would come to say that it is over.
    pub fn held_jobs(&self, project: &ProjectId, now: Instant) -> HashSet<JobKey> {
        let until = self.projects.get(project).and_then(|own| own.held_until);
        let Some(until) = until.filter(|until| *until > now) else {
            return HashSet::new();
        };
        let delayed = |entry: &Entry| matches!(entry.state, State::Waiting(due) if due < until);
        self.jobs_where(|entry| &entry.project == project && delayed(entry))
            .into_iter()
            .collect()
    }

    /// The keys whose polls are stopped.
    pub fn refused_keys(&self) -> &[KeyIndex] {
        &self.refused_keys
    }

    fn seen(&mut self, job: &JobKey, pace: Pace, now: Instant) {
        let failing_since = self.entries.get_mut(job).and_then(|entry| {
            entry.pace = pace;
            entry.failures = 0;
            entry.failing_since.take()
        });
        if let Some(interval) = self.limits.interval(pace) {
            let due = now + self.jittered(interval);
            self.wait_again(job, due);
        }
        let answered_at = self.project(job, now).answered(now);
        let was_down = now.saturating_duration_since(answered_at) > self.limits.outage();
        if was_down && failing_since.is_some() && !self.single_round {
            self.recover(&job.project.clone(), answered_at, now);
        }
    }

    fn project(&mut self, job: &JobKey, now: Instant) -> &mut ProjectState {
        let state = self.projects.entry(job.project.clone());
        state.or_insert_with(|| ProjectState::new(now))
    }

    fn failed(
        &mut self,
        job: &JobKey,
        retry_after: Option<Duration>,
        own_fault: bool,
        now: Instant,
    ) {
        self.hold(job, retry_after, now);
        let (failures, pace) = self
            .entries
            .get_mut(job)
            .map_or((1, Pace::Active), |entry| {
                entry.failures = entry.failures.saturating_add(1);
                entry.failing_since.get_or_insert(now);
                entry.own_fault = own_fault;
                (entry.failures, entry.pace)
            });
        let due = now + self.backoff(failures, pace);
        self.wait_again(job, due);
    }

    /// The server asks the project of `job` to wait.
    fn hold(&mut self, job: &JobKey, retry_after: Option<Duration>, now: Instant) {
        if let Some(wait) = retry_after {
            let until = now + wait.min(MAX_RETRY_AFTER);
            let project = self.project(job, now);
            project.held_until = project.held_until.max(Some(until));
        }
    }

    /// Full jitter up to the longest back-off, but never sooner than a healthy job of this pace.
    fn backoff(&mut self, failures: u32, pace: Pace) -> Duration {
        let longer = self.up_to(self.limits.longest_backoff(failures));
        longer.max(self.jittered(self.limits.healthy(pace)))
    }

    fn key_is_refused(&self, job: &JobKey) -> bool {
        self.entries
            .get(job)
            .is_some_and(|entry| self.refused_keys.contains(&entry.key))
    }

    fn set_state(&mut self, job: &JobKey, state: State) {
        if let Some(entry) = self.entries.get_mut(job) {
            entry.state = state;
        }
    }

    fn held_until(&self, job: &JobKey) -> Option<Instant> {
        self.projects.get(&job.project)?.held_until
    }

    /// `interval` and up to 10% more or less.
    fn jittered(&mut self, interval: Duration) -> Duration {
        interval.mul_f64(0.9 + self.rng.f64() * 0.2)
    }

    fn up_to(&mut self, window: Duration) -> Duration {
        window.mul_f64(self.rng.f64())
    }

    fn spread(&mut self, jobs: Vec<JobKey>, now: Instant) {
        for (job, due) in self.spread_over(jobs, now) {
            let in_flight = |entry: &Entry| entry.state == State::InFlight;
            if !self.entries.get(&job).is_some_and(in_flight) {
                self.wait_until_tick(&job, due);
            }
        }
    }

    fn spread_over(&mut self, jobs: Vec<JobKey>, now: Instant) -> Vec<(JobKey, Instant)> {
        let window = self.limits.spread_window(jobs.len());
        let due = |job| (job, now + self.up_to(window));
        jobs.into_iter().map(due).collect()
    }

    fn jobs_where(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<JobKey> {
        self.entries
            .iter()
            .filter(|(_, entry)| wanted(entry))
            .map(|(job, _)| job.clone())
            .collect()
    }

    fn wait_again(&mut self, job: &JobKey, due: Instant) {
        if !self.single_round {
            self.wait_until_tick(job, due);
        }
    }

    /// Late, and never early: a server that says `Retry-After` is taken at its word.
    fn wait_until_tick(&mut self, job: &JobKey, due: Instant) {
        let tick = self.ticks.at_or_after(due);
        self.wait_until(job, tick);
    }

    /// Polls `job` at `due` unless it is in flight or due before that.
    fn bring_forward(&mut self, job: &JobKey, due: Instant) {
        match self.entries.get(job).map(|entry| entry.state) {
            None | Some(State::InFlight) => {}
            Some(State::Waiting(before)) if before <= due => {}
            Some(State::Waiting(_) | State::Parked) => self.wait_until(job, due),
        }
    }

    fn wait_until(&mut self, job: &JobKey, due: Instant) {
        let Some(entry) = self.entries.get_mut(job) else {
            return;
        };
        self.next_ticket += 1;
        entry.ticket = self.next_ticket;
        entry.state = State::Waiting(due);
        self.queues[entry.queue()].push(Reverse((due, entry.ticket, job.clone())));
    }

    /// The queue whose head is due first, among those that may fill a place now.
    fn next_queue(&mut self) -> Option<(Instant, usize)> {
        let [healthy, failing] = self.in_flight;
        if healthy + failing >= self.limits.concurrency.max(1) {
            return None;
        }
        let failing_may_go = failing < (self.limits.concurrency / 2).max(1);
        (0..=usize::from(failing_may_go))
            .filter_map(|queue| Some((self.head(queue)?, queue)))
            .min()
    }

    /// When the live head of a queue is due; places that their jobs have left are dropped.
    fn head(&mut self, queue: usize) -> Option<Instant> {
        loop {
            let Reverse((due, ticket, job)) = self.queues[queue].peek()?;
            let live = self.entries.get(job).is_some_and(|entry| {
                entry.ticket == *ticket && matches!(entry.state, State::Waiting(_))
            });
            if live {
                return Some(*due);
            }
            self.queues[queue].pop();
        }
    }
}

impl Entry {
    fn queue(&self) -> usize {
        usize::from(self.failures > 0)
    }
}

#[cfg(test)]
mod tests;
