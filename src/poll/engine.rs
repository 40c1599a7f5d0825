//! The task behind the poller: polls what is due, puts what it learns on the board, and handles
//! commands.
//!
//! It is the only writer of the board. It must not know who asks.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

use super::Command;
use super::config::{KeySlot, PollerConfig};
use super::schedule::{self, KeyIndex, Outcome, Schedule, Start};
use crate::base_url::BaseUrl;
use crate::board::{Board, Row, Update};
use crate::config::KeySource;
use crate::environment::Environment;
use crate::event::Event;
use crate::failure::{ErrorKind, Failure};
use crate::job::{Job, JobId, JobKey, ProjectId};
use crate::key::ApiKey;
use crate::mintlify::Client;
use crate::store::StoreHandle;

mod keys;
mod reload;
mod remember;

/// How often it is tried to make an HTTP client where that failed.
const CLIENT_RETRY: Duration = Duration::from_secs(30);
/// Waking this much later than asked means that the process or the machine was asleep.
const OVERSLEPT: Duration = Duration::from_secs(5);

/// What a finished poll brings back: the job, the key that it was polled with, and the answer.
type Reply = (JobKey, ApiKey, Result<(Job, Option<JobId>), Failure>);

/// Whether a fault of many rows is among this run's errors: where no poll has put it there, once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Log {
    Once,
    Never,
}

pub(super) struct Engine {
    base_url: BaseUrl,
    timeout: Duration,
    /// None while this machine cannot make one, as without certificates.
    client: Option<Client>,
    /// When to try that again.
    renew_at: Instant,
    schedule: Schedule,
    start: Start,
    keys: Vec<KeySlot>,
    key_of: HashMap<ProjectId, KeyIndex>,
    environment: Environment,
    other_jobs: HashSet<JobId>,
    store: Option<StoreHandle>,
    /// Whether all jobs of the config are watched: then the store is told which they are.
    is_whole: bool,
    board: watch::Sender<Board>,
    /// The queues of those who consume events; none can make another lose one.
    consumers: Vec<mpsc::UnboundedSender<Event>>,
    /// For the tasks that look for keys; weak, so that the poller ends with its last handle.
    commands: mpsc::WeakUnboundedSender<Command>,
    in_flight: JoinSet<Reply>,
    /// The poll of each job that is under way: the replies of others, given up meanwhile, count for
    /// nothing.
    polls: HashMap<JobKey, AbortHandle>,
    /// The search for each lost key that is under way.
    key_searches: HashMap<KeyIndex, AbortHandle>,
    /// When each lost key was last looked for by hand, or will be.
    keys_sought_at: HashMap<KeySource, Instant>,
    /// Why nothing is polled with a key.
    key_failures: HashMap<KeyIndex, Failure>,
    /// Why each project waits that its server has asked to.
    holds: HashMap<ProjectId, Failure>,
}

impl Engine {
    pub(super) fn new(
        config: PollerConfig,
        board: watch::Sender<Board>,
        commands: mpsc::WeakUnboundedSender<Command>,
    ) -> Self {
        let mut engine = Self {
            base_url: config.base_url,
            timeout: config.timeout,
            client: None,
            renew_at: now(),
            schedule: Schedule::new(config.limits, fastrand::u64(..)),
            start: config.start,
            keys: config.keys,
            key_of: config.key_of,
            environment: config.environment,
            other_jobs: config.other_jobs,
            is_whole: config.memory.as_ref().is_some_and(|memory| memory.is_whole),
            store: config.memory.map(|memory| memory.store),
            board,
            consumers: Vec::new(),
            commands,
            in_flight: JoinSet::new(),
            polls: HashMap::new(),
            key_searches: HashMap::new(),
            keys_sought_at: HashMap::new(),
            key_failures: HashMap::new(),
            holds: HashMap::new(),
        };
        engine.listen_to_store();
        engine
    }

    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        // Only now, and not before the start: reading the system's certificates and scheduling
        // thousands of jobs take longer than the first frame may.
        self.renew_connections();
        self.schedule_all();
        self.suspend_keyless_projects();
        loop {
            self.start_due();
            let due = match self.client {
                Some(_) => self.schedule.next_due(),
                None => Some(self.renew_at),
            };
            tokio::select! {
                // Commands first, so that a new subscriber misses no event that follows.
                biased;
                command = commands.recv() => match command {
                    Some(command) => self.handle_command(command),
                    None => return,
                },
                Some(reply) = self.in_flight.join_next_with_id() => self.handle_reply(reply),
                () = sleep_until(due), if due.is_some() => {}
            }
            if due.is_some_and(|due| now().saturating_duration_since(due) > OVERSLEPT) {
                self.resume();
            } else if self.client.is_none() && now() >= self.renew_at {
                self.renew_connections();
            }
        }
    }

    fn schedule_all(&mut self) {
        let board = self.board.borrow();
        let keys: Vec<JobKey> = board.rows().iter().map(|row| row.key().clone()).collect();
        drop(board);
        let jobs: Vec<_> = keys
            .into_iter()
            .map(|job| (self.key_index(&job), job))
            .collect();
        let jobs = jobs.into_iter().map(|(key, job)| (job, key));
        self.schedule.add(jobs, self.start, now());
        self.remember_watched();
    }

    /// Drops the polls under way of these jobs.
    fn give_up_polls(&mut self, of: impl Fn(&JobKey) -> bool) {
        self.polls.retain(|job, poll| {
            let given_up = of(job);
            if given_up {
                poll.abort();
            }
            !given_up
        });
        self.board.send_modify(|board| board.abandon_polls(of));
    }

    fn renew_connections(&mut self) {
        match Client::new(&self.base_url, self.timeout) {
            Ok(client) => self.client = Some(client),
            Err(error) => {
                tracing::error!(%error, "cannot make an HTTP client");
                // Never the client from before: it would carry new keys to an old address.
                self.client = None;
                self.renew_at = now() + CLIENT_RETRY;
                let failure = Failure::new(ErrorKind::Network, error.to_string());
                self.block(|_| true, &failure, Log::Once);
            }
        }
    }

    fn start_due(&mut self) {
        let Some(client) = self.client.clone() else {
            return;
        };
        while let Some(job) = self.schedule.take_due(now()) {
            let index = self.key_index(&job);
            let Some(Ok(key)) = self.keys.get(index).map(|slot| slot.key.clone()) else {
                self.schedule.finish(&job, Outcome::KeyRefused, now());
                continue;
            };
            self.apply(&job, Update::Started);
            let (client, asked) = (client.clone(), job.clone());
            let poll = self.in_flight.spawn(async move {
                let reply = client.get_job_and_id(&asked, &key).await;
                (asked, key, reply)
            });
            self.polls.insert(job, poll);
        }
    }

    fn handle_reply(&mut self, reply: Result<(Id, Reply), JoinError>) {
        match reply {
            Ok((id, (job, key, reply))) => {
                if self.polls.get(&job).is_none_or(|poll| poll.id() != id) {
                    return;
                }
                self.polls.remove(&job);
                match reply {
                    Ok((_, Some(id))) if self.is_another(&job, &id) => {
                        let message = format!("the server answered with another job: {id}");
                        let failure = Failure::new(ErrorKind::Protocol, message);
                        self.failed(&job, &key, failure);
                    }
                    Ok((reply, _)) => self.seen(&job, reply),
                    Err(error) => self.failed(&job, &key, error),
                }
            }
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // Cancelled: only we cancel polls, and they are off the list then.
            Err(_) => {}
        }
    }

    /// Whether `id` is that of another job of the config than the one that was asked for. One that is
    /// not in it says nothing: a job is known by the id that it was asked for by.
    fn is_another(&self, asked: &JobKey, id: &JobId) -> bool {
        let is_watched = || {
            let board = self.board.borrow();
            board.rows().iter().any(|row| row.key().id == *id)
        };
        asked.id != *id && (self.other_jobs.contains(id) || is_watched())
    }

    fn seen(&mut self, job: &JobKey, reply: Job) {
        let at = Timestamp::now();
        let sighting = self.sighting(job, &reply, at);
        let pace = self.pace(job, &reply, at);
        let fresh_for = self.schedule.fresh_for(pace);
        let update = Update::Fetched {
            job: reply,
            fresh_for,
        };
        let events = self.apply_at(job, update, at);
        self.remember(job, sighting, events);
        self.schedule.finish(job, Outcome::Seen(pace), now());
        self.mark_held(&job.project);
    }

    fn failed(&mut self, job: &JobKey, key: &ApiKey, mut failure: Failure) {
        tracing::info!(%job, kind = failure.kind.as_str(), error = %failure, "poll failed");
        let index = self.key_index(job);
        let key_refused = failure.kind == ErrorKind::Auth && self.is_current(index, key);
        let outcome = match failure.kind {
            ErrorKind::Auth if key_refused => Outcome::KeyRefused,
            ErrorKind::Forbidden => Outcome::Forbidden {
                retry_after: failure.retry_at.map(wait_until),
            },
            kind => Outcome::Failed {
                retry_after: failure.retry_at.map(wait_until),
                own_fault: kind.is_own_fault(),
            },
        };
        // Only a wait that is kept is told, and only as long as it is kept.
        failure.retry_at = match outcome {
            Outcome::Failed { .. } | Outcome::Forbidden { .. } => {
                failure.retry_at.map(|at| at.min(latest_retry()))
            }
            _ => None,
        };
        self.remember_failure(job, &failure);
        self.apply(job, Update::Failed(failure.clone()));
        self.schedule.finish(job, outcome, now());
        if key_refused {
            self.suspend_key(index, &failure, Log::Never);
        } else if failure.retry_at.is_some() {
            self.holds.insert(job.project.clone(), failure);
            self.mark_held(&job.project);
        }
    }

    /// Says on the rows that the hold of `project` delays, if it has one, why they wait.
    fn mark_held(&mut self, project: &ProjectId) {
        let delayed = self.schedule.held_jobs(project, now());
        if let Some(hold) = self.holds.get(project).filter(|_| !delayed.is_empty()) {
            let hold = hold.clone();
            self.block(|job| delayed.contains(job), &hold, Log::Never);
        }
    }

    /// Whether `key` is the one in use: a refusal of an older one says nothing about its successor.
    fn is_current(&self, index: KeyIndex, key: &ApiKey) -> bool {
        self.keys
            .get(index)
            .is_some_and(|slot| slot.key.as_ref().is_ok_and(|current| current == key))
    }

    fn handle_command(&mut self, command: Command) {
        match command {
            Command::Poll(jobs) => {
                for job in &jobs {
                    self.schedule.poll_now(job, now());
                }
            }
            Command::Subscribe(consumer) => self.consumers.push(consumer),
            Command::PollAll => {
                self.schedule.poll_all(now());
                for index in self.schedule.refused_keys().to_vec() {
                    self.look_for_key_by_hand(index);
                }
            }
            Command::Resumed => self.resume(),
            Command::Watch(watched) => self.watch(watched),
            Command::Restore(found) => self.restore(found),
            Command::Store(news) => self.on_news(news),
            Command::Acknowledge(acknowledgements) => self.acknowledge(acknowledgements),
            Command::MarkSeen(at) => self.mark_seen(at),
            Command::Restart(watched, config) => self.restart(watched, *config),
            Command::KeyResolved {
                source,
                key,
                asked_for,
            } => {
                // One that has left the config meanwhile is nobody's key.
                let index = self.keys.iter().position(|slot| slot.source == source);
                if let Some(index) = index {
                    self.try_key(index, key, asked_for);
                }
            }
        }
    }

    /// Marks the rows of `jobs` whose polls something outside them prevents.
    fn block(&mut self, jobs: impl Fn(&JobKey) -> bool, failure: &Failure, log: Log) {
        let at = Timestamp::now();
        let board = self.board.borrow();
        let keys = board.rows().iter().map(Row::key);
        let blocked: Vec<JobKey> = keys.filter(|key| jobs(key)).cloned().collect();
        drop(board);
        for job in &blocked {
            self.remember_failure(job, failure);
        }
        self.board.send_modify(|board| {
            for (place, job) in blocked.iter().enumerate() {
                let update = match log {
                    Log::Once if place == 0 => Update::Failed(failure.clone()),
                    _ => Update::Blocked(failure.clone()),
                };
                board.apply(job, update, at);
            }
        });
    }

    /// Puts `update` on the board and wakes its readers if what they show has changed.
    fn apply(&mut self, job: &JobKey, update: Update) {
        self.apply_at(job, update, Timestamp::now());
    }

    fn apply_at(&mut self, job: &JobKey, update: Update, at: Timestamp) -> Vec<Event> {
        let mut events = Vec::new();
        self.board.send_if_modified(|board| {
            let before = board.revision();
            events = board.apply(job, update, at);
            board.revision() != before
        });
        events
    }

    /// Gives events to each consumer.
    fn deliver(&mut self, events: Vec<Event>) {
        for event in events {
            let delivered =
                |queue: &mpsc::UnboundedSender<Event>| queue.send(event.clone()).is_ok();
            self.consumers.retain(delivered);
        }
    }

    /// After a stop or a sleep every wait is over at once, and connections from before may be dead:
    /// polls in flight are given up, and each job is polled once, spread, over new connections.
    fn resume(&mut self) {
        tracing::info!("awake after a sleep: polling everything once");
        self.renew_connections();
        self.schedule.resume(now());
        // This also wakes the readers: rows have gone stale meanwhile, which they cannot know.
        self.give_up_polls(|_| true);
    }

    fn key_index(&self, job: &JobKey) -> KeyIndex {
        key_index(&self.key_of, job)
    }
}

fn key_index(key_of: &HashMap<ProjectId, KeyIndex>, job: &JobKey) -> KeyIndex {
    key_of.get(&job.project).copied().unwrap_or_default()
}

/// How long it is until `at`: no time where that is past.
fn wait_until(at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default()
}

/// The last moment that a hold can last to.
fn latest_retry() -> Timestamp {
    let latest = Timestamp::now().checked_add(schedule::MAX_RETRY_AFTER);
    latest.unwrap_or(Timestamp::MAX)
}

#[cfg(not(test))]
fn now() -> Instant {
    Instant::now()
}

async fn sleep_until(due: Option<Instant>) {
    if let Some(due) = due {
        tokio::time::sleep_until(due.into()).await;
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
use tests::now;
