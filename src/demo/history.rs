//! What an earlier run of mintwatch would have stored of the simulated jobs: two days of history, up
//! to the start of the simulation.
//!
//! A timeline begins with the simulation, so that what went before is made up here. This file must
//! not know HTTP, or where the history is stored.

use fastrand::Rng;
use jiff::SignedDuration;

use super::simulator::{AgentJob, Simulator};
use super::timeline::{State, between};
use crate::job::{Job, JobKey, Status};
use crate::pull_request::PullRequest;
use crate::store::{Batch, Sighting};

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
/// For how long the earlier run has watched, in seconds.
const WATCHED: f64 = 48.0 * HOUR;
/// When the user has last said that they have seen what changed.
const SEEN: SignedDuration = SignedDuration::from_hours(8);

/// The longest that an agent works, and that a pull request comes later than the end of the work.
const LONGEST_WORK: f64 = 11.0 * MINUTE;
const LATEST_LINK: f64 = 4.0 * MINUTE;

const PULL: State = State::Completed { pull_request: true };
const UNCHANGED: State = State::Completed {
    pull_request: false,
};

/// A state of a job, and its beginning: a second of the simulated time, negative before the start.
type Stretch = (State, f64);

/// All jobs, their sightings oldest first. The last of each job tells what the API says when the
/// simulation begins.
pub(super) fn history(simulator: &Simulator) -> Batch {
    let mut rng = simulator.rng();
    let mut sightings = Vec::new();
    for project in simulator.projects() {
        for job in &project.jobs {
            let created = simulator.created(job);
            let past = past(job.timeline.at(0.0), created, &mut rng);
            let sighting = |(at, (state, since))| Sighting {
                key: JobKey::new(project.id, &*job.id),
                at: simulator.timestamp(at),
                job: decode(&simulator.describe_as(project, job, state, since)),
                is_late: false,
            };
            sightings.extend(seen(&past).into_iter().map(sighting));
        }
    }
    sightings.sort_by_key(|sighting| sighting.at);
    Batch {
        sightings,
        seen_at: simulator.timestamp(0.0).checked_sub(SEEN).ok(),
        ..Batch::default()
    }
}

/// How a job that was `created` then came to the state that it has at the start; oldest first.
fn past((state, since): Stretch, created: f64, rng: &mut Rng) -> Vec<Stretch> {
    let (outcome, end) = match state {
        State::Starting | State::Working => return vec![(state, created)],
        State::Archived { pull_request } => (State::Completed { pull_request }, since),
        State::Completed { .. } | State::Failed => (state, 0.0),
    };
    let (mut past, mut began) = (Vec::new(), created);
    loop {
        let longest = LONGEST_WORK.min((end - began) / 2.0);
        let done = began + between(rng, 0.2, 1.0) * longest;
        let follow_up = done + between(rng, 5.0 * HOUR, 20.0 * HOUR);
        let is_last = follow_up + LONGEST_WORK + LATEST_LINK > end;
        past.push((State::Working, began));
        let outcome = if is_last {
            outcome
        } else {
            earlier(outcome, rng)
        };
        if outcome == PULL && rng.u8(..3) == 0 {
            past.push((UNCHANGED, done));
            let late = LATEST_LINK.min((end - done) / 2.0);
            past.push((PULL, done + between(rng, 0.2, 1.0) * late));
        } else {
            past.push((outcome, done));
        }
        if is_last {
            break;
        }
        began = follow_up;
    }
    if state != outcome {
        past.push((state, since));
    }
    past
}

/// How a stretch of work ended, where a follow-up came after it and led to `outcome`.
fn earlier(outcome: State, rng: &mut Rng) -> State {
    match rng.u8(..3) {
        0 => State::Failed,
        _ if outcome == State::Failed => UNCHANGED,
        _ => outcome,
    }
}

/// When polls of the earlier run found each state of `past`, and the last one once more at the start.
fn seen(past: &[Stretch]) -> Vec<(f64, Stretch)> {
    let ends = past.iter().skip(1).map(|&(_, began)| began).chain([0.0]);
    // It did not begin in the middle of a job's work: it would not know when that had begun.
    let missed = |(state, began): Stretch, end| {
        end <= -WATCHED || (state == State::Working && began < -WATCHED)
    };
    let watched = past.iter().zip(ends);
    let watched = watched.filter(|&(&stretch, end)| !missed(stretch, end));
    let first = watched.map(|(&stretch, _)| (stretch.1.max(-WATCHED), stretch));
    first.chain(past.last().map(|&last| (0.0, last))).collect()
}

/// A reply as a client takes it.
fn decode(job: &AgentJob<'_>) -> Job {
    Job {
        status: Some(Status::from_api(job.status)),
        repository: Some(job.source.repository.to_owned()),
        branch: job.source.branch.map(ToOwned::to_owned),
        model: Some(job.model.to_owned()),
        pull_request: job.pr_link.clone().map(PullRequest::new),
        created_at: Some(job.created_at),
        archived_at: job.archived_at,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use jiff::Timestamp;

    use super::*;
    use crate::event::Change;
    use crate::mintlify;
    use crate::store::{Database, StoredEvent};

    const SERVER: &str = "http://127.0.0.1:9/";

    fn noon() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn simulator(jobs: usize, seed: u64) -> Simulator {
        Simulator::new(jobs, 1.0, Rng::with_seed(seed).fork(), noon())
    }

    fn stored(simulator: &Simulator) -> (tempfile::TempDir, Database, Vec<StoredEvent>) {
        let folder = tempfile::tempdir().unwrap();
        let (mut database, _) = Database::open(&folder.path().join("store.db"), SERVER).unwrap();
        let events = database.store(&history(simulator)).unwrap();
        (folder, database, events)
    }

    #[test]
    fn two_days_show_an_event_of_each_kind() {
        let (_folder, _, events) = stored(&simulator(24, 24));
        assert!((20..=40).contains(&events.len()), "{}", events.len());
        let age = |event: &StoredEvent| noon().duration_since(event.event.at);
        let ages: Vec<_> = events.iter().map(age).collect();
        assert!(ages.is_sorted_by(|a, b| a >= b), "{ages:?}");
        assert!(ages[0] > SignedDuration::from_hours(24), "{ages:?}");
        assert!(ages[0] <= SignedDuration::from_hours(48), "{ages:?}");
        assert!(ages.iter().all(SignedDuration::is_positive), "{ages:?}");
        let told: Vec<_> = events
            .iter()
            .map(|event| event.event.change.to_string())
            .collect();
        for kind in [
            "active to completed",
            "active to failed",
            "completed to active",
            "failed to active",
            "completed to archived",
            "pull request #",
        ] {
            assert!(told.iter().any(|told| told.starts_with(kind)), "{told:?}");
        }
    }

    #[test]
    fn what_happened_to_a_job_happened_in_order() {
        for seed in 20..30 {
            let (_folder, _, events) = stored(&simulator(60, seed));
            let mut last = HashMap::new();
            for StoredEvent { event, ran } in &events {
                let Change::Status { from, to } = &event.change else {
                    continue;
                };
                let before = last.insert(&event.key, to);
                assert!(before.is_none_or(|before| before == from), "{event:?}");
                let longest = std::time::Duration::from_secs_f64(LONGEST_WORK);
                assert!(ran.is_none_or(|ran| ran <= longest), "{event:?}: {ran:?}");
            }
        }
    }

    #[test]
    fn the_last_values_are_those_of_the_first_replies() {
        for (jobs, seed) in [(24, 24), (300, 7)] {
            let simulator = simulator(jobs, seed);
            let (_folder, database, _) = stored(&simulator);
            let stored = database.jobs().unwrap();
            assert_eq!(stored.len(), jobs);
            for job in stored {
                let (project, id) = (&*job.key.project, &*job.key.id);
                let reply = simulator.get(project, id, noon()).unwrap();
                let reply = serde_json::to_vec(&reply).unwrap();
                assert_eq!(job.job, mintlify::decode(&reply).unwrap());
                assert_eq!(job.fetched_at, noon());
            }
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_history() {
        let (_one, _, events) = stored(&simulator(24, 24));
        let (_two, _, again) = stored(&simulator(24, 24));
        assert_eq!(events, again);
    }
}
