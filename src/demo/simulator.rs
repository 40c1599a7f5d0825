//! The simulated world: projects and their jobs, and what the agent API answers about them.
//!
//! Time is an argument, and a job's state is looked up in its life, so that the same seed and the
//! same moments always give the same answers. This file must not know HTTP, latency or clocks.

use std::collections::{HashMap, VecDeque};

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::fixtures::{self, Draft};
use super::timeline::{Life, Outcome, State};

/// How many jobs and messages a project takes an hour.
const WRITES_AN_HOUR: usize = 100;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A job as the API tells it (`AgentJob` in the official contract).
///
/// The words are written here once more instead of being shared with the client, so that a slip in
/// the client's words cannot hide by being made on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AgentJob<'a> {
    pub(super) id: &'a str,
    pub(super) status: &'static str,
    pub(super) source: Source<'a>,
    pub(super) model: &'static str,
    pub(super) pr_link: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) archived_at: Option<Timestamp>,
}

/// Where a job works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Source<'a> {
    pub(super) repository: &'a str,
    #[serde(rename = "ref")]
    pub(super) branch: Option<&'a str>,
}

/// Why the API does not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no such project.
    NoProject,
    /// The project has no such job.
    NoJob,
    /// The project had its writes of this hour; the next is welcome in so many seconds.
    TooManyWrites { retry_after: i64 },
}

/// A project and its jobs.
pub(super) struct Project {
    /// Its id in the API.
    pub(super) id: &'static str,
    /// What people call it.
    pub(super) name: &'static str,
    /// Its jobs, in the order in which they were made.
    pub(super) jobs: Vec<SimulatedJob>,
    repository: String,
    places: HashMap<String, usize>,
    next_pull_request: u32,
    writes: VecDeque<Timestamp>,
}

/// A job of the simulation.
pub(super) struct SimulatedJob {
    /// Its id in the API.
    pub(super) id: String,
    /// What a config calls it; the API knows no labels.
    pub(super) label: Option<String>,
    /// Its tags in a config.
    pub(super) tags: Vec<&'static str>,
    branch: String,
    model: &'static str,
    pull_request: u32,
    created_at: Timestamp,
    life: Life,
}

/// All projects, and how fast their time runs.
pub(super) struct World {
    began: Timestamp,
    speed: f64,
    rng: Rng,
    projects: Vec<Project>,
}

impl World {
    /// A world of `count` jobs that begins at `now` and lives `speed` simulated seconds a second.
    pub(super) fn new(count: usize, speed: f64, mut rng: Rng, now: Timestamp) -> Self {
        let mut projects: Vec<_> = fixtures::PROJECTS
            .iter()
            .zip([388, 124, 57])
            .map(|(&(id, name), first_pull_request)| Project::new(id, name, first_pull_request))
            .collect();
        for draft in fixtures::drafts(count, &mut rng) {
            let created_at = shifted(now, -draft.age);
            projects[draft.project].add(draft, created_at, &mut rng);
        }
        Self {
            began: now,
            speed,
            rng,
            projects,
        }
    }

    /// The projects, with all their jobs.
    pub(super) fn projects(&self) -> &[Project] {
        &self.projects
    }

    /// The job at `now`.
    pub(super) fn get(
        &self,
        project: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<AgentJob<'_>, Refusal> {
        let project = &self.projects[self.place_of(project)?];
        let place = *project.places.get(id).ok_or(Refusal::NoJob)?;
        Ok(self.job_as_told(project, &project.jobs[place], now))
    }

    /// Begins a job that works on `prompt`.
    pub(super) fn create(
        &mut self,
        project: &str,
        prompt: &str,
        now: Timestamp,
    ) -> Result<AgentJob<'_>, Refusal> {
        let second = self.second(now);
        let place = self.place_of(project)?;
        let project = &mut self.projects[place];
        project.admit_write(now)?;
        let outcome = Outcome::of_prompt(prompt);
        let draft = Draft {
            project: place,
            title: prompt.to_owned(),
            labelled: false,
            tags: Vec::new(),
            model: fixtures::MODELS[0],
            age: 0.0,
            life: Life::asked_for(second, false, outcome, &mut self.rng),
        };
        let made = project.add(draft, shifted(now, 0.0), &mut self.rng);
        let project = &self.projects[place];
        Ok(self.job_as_told(project, &project.jobs[made], now))
    }

    /// Wakes a job to work on the follow-up `prompt`.
    pub(super) fn message(
        &mut self,
        project: &str,
        id: &str,
        prompt: &str,
        now: Timestamp,
    ) -> Result<AgentJob<'_>, Refusal> {
        let second = self.second(now);
        let place = self.place_of(project)?;
        let project = &mut self.projects[place];
        let woken = *project.places.get(id).ok_or(Refusal::NoJob)?;
        project.admit_write(now)?;
        let outcome = Outcome::of_prompt(prompt);
        project.jobs[woken].life = Life::asked_for(second, true, outcome, &mut self.rng);
        let project = &self.projects[place];
        Ok(self.job_as_told(project, &project.jobs[woken], now))
    }

    fn place_of(&self, id: &str) -> Result<usize, Refusal> {
        self.projects
            .iter()
            .position(|project| project.id == id)
            .ok_or(Refusal::NoProject)
    }

    /// How many simulated seconds have passed at `now`.
    fn second(&self, now: Timestamp) -> f64 {
        now.duration_since(self.began).as_secs_f64() * self.speed
    }

    /// When the simulated `second` was; before the world began, time was not sped up.
    fn moment(&self, second: f64) -> Timestamp {
        let real = if second > 0.0 {
            second / self.speed
        } else {
            second
        };
        shifted(self.began, real)
    }

    fn job_as_told<'a>(
        &self,
        project: &'a Project,
        job: &'a SimulatedJob,
        now: Timestamp,
    ) -> AgentJob<'a> {
        let (state, since) = job.life.at(self.second(now));
        let (status, has_pull_request) = match state {
            State::Starting | State::Working => ("active", false),
            State::Completed { pull_request } => ("completed", pull_request),
            State::Failed => ("failed", false),
            State::Archived { pull_request } => ("archived", pull_request),
        };
        AgentJob {
            id: &job.id,
            status,
            source: Source {
                repository: &project.repository,
                branch: (state != State::Starting).then_some(&job.branch),
            },
            model: job.model,
            pr_link: has_pull_request
                .then(|| format!("{}/pull/{}", project.repository, job.pull_request)),
            created_at: job.created_at,
            archived_at: matches!(state, State::Archived { .. }).then(|| self.moment(since)),
        }
    }
}

impl Project {
    fn new(id: &'static str, name: &'static str, first_pull_request: u32) -> Self {
        Self {
            id,
            name,
            jobs: Vec::new(),
            repository: format!("https://github.com/acme/{name}"),
            places: HashMap::new(),
            next_pull_request: first_pull_request,
            writes: VecDeque::new(),
        }
    }

    /// Makes the drafted job; its place in `jobs`.
    fn add(&mut self, draft: Draft, created_at: Timestamp, rng: &mut Rng) -> usize {
        let place = self.jobs.len();
        let id = self.unused_id(rng);
        self.places.insert(id.clone(), place);
        self.jobs.push(SimulatedJob {
            id,
            branch: format!("mintlify/{}", slug(&draft.title)),
            label: draft.labelled.then_some(draft.title),
            tags: draft.tags,
            model: draft.model,
            pull_request: self.next_pull_request,
            created_at,
            life: draft.life,
        });
        self.next_pull_request += rng.u32(1..=3);
        place
    }

    fn unused_id(&self, rng: &mut Rng) -> String {
        loop {
            let id = job_id(rng);
            if !self.places.contains_key(&id) {
                return id;
            }
        }
    }

    /// Counts a write at `now`, unless the last hour is full.
    fn admit_write(&mut self, now: Timestamp) -> Result<(), Refusal> {
        while let Some(&oldest) = self.writes.front()
            && now.duration_since(oldest) >= HOUR
        {
            self.writes.pop_front();
        }
        match self.writes.front() {
            Some(&oldest) if self.writes.len() >= WRITES_AN_HOUR => {
                let wait = HOUR - now.duration_since(oldest);
                let retry_after = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
                Err(Refusal::TooManyWrites { retry_after })
            }
            _ => {
                self.writes.push_back(now);
                Ok(())
            }
        }
    }
}

/// `job_01K4TQ7MX9HZ`: a short form of the sortable ids that are in common use.
fn job_id(rng: &mut Rng) -> String {
    const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut id = String::from("job_01K");
    id.extend((0..9).map(|_| char::from(CROCKFORD[rng.usize(..32)])));
    id
}

/// The words of `title` as a part of a branch name.
fn slug(title: &str) -> String {
    let words: Vec<_> = title
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(5)
        .map(|word| word[..word.len().min(20)].to_ascii_lowercase())
        .collect();
    if words.is_empty() {
        String::from("update")
    } else {
        words.join("-")
    }
}

/// `start` moved by `seconds`, to the millisecond as the API tells times.
fn shifted(start: Timestamp, seconds: f64) -> Timestamp {
    SignedDuration::try_from_secs_f64(seconds)
        .and_then(|by| start.checked_add(by))
        .and_then(|moved| Timestamp::from_millisecond(moved.as_millisecond()))
        .unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    const DOCS: &str = "64f0c1e2";

    fn noon() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn after(seconds: i64) -> Timestamp {
        noon() + SignedDuration::from_secs(seconds)
    }

    fn world(jobs: usize) -> World {
        World::new(jobs, 1.0, Rng::with_seed(1), noon())
    }

    fn everything(world: &World, now: Timestamp) -> Vec<AgentJob<'_>> {
        let tell = |project| move |job| world.job_as_told(project, job, now);
        world
            .projects()
            .iter()
            .flat_map(|project| project.jobs.iter().map(tell(project)))
            .collect()
    }

    fn counts(world: &World, now: Timestamp) -> HashMap<&'static str, usize> {
        let mut counts = HashMap::new();
        for job in everything(world, now) {
            *counts.entry(job.status).or_default() += 1;
        }
        counts
    }

    /// What a person calls the change from `old` to `new`.
    fn event(old: &AgentJob<'_>, new: &AgentJob<'_>) -> Option<&'static str> {
        let pull_request = new.pr_link.is_some();
        match (old.status, new.status) {
            ("active", "active") if old.source.branch != new.source.branch => Some("branch"),
            ("active", "completed") if pull_request => Some("pull request"),
            ("active", "completed") => Some("nothing changed"),
            ("active", "failed") => Some("failed"),
            ("completed", "completed") if old.pr_link != new.pr_link => Some("late pull request"),
            ("completed" | "failed", "active") => Some("woken"),
            ("completed", "archived") => Some("archived"),
            (before, after) if before != after => panic!("no job goes from {before} to {after}"),
            _ => None,
        }
    }

    /// The kinds of events from second `from` to second `to`, and how many of each.
    fn events(world: &World, from: i64, to: i64) -> HashMap<&'static str, usize> {
        let mut seen = HashMap::new();
        for second in from..to {
            let before = everything(world, after(second));
            let later = everything(world, after(second + 1));
            for kind in before.iter().zip(&later).filter_map(|(a, b)| event(a, b)) {
                *seen.entry(kind).or_default() += 1;
            }
        }
        seen
    }

    #[test]
    fn the_first_glance_shows_a_mix() {
        let world = world(24);
        let counts = counts(&world, noon());
        let want = [
            ("active", 9),
            ("completed", 8),
            ("failed", 2),
            ("archived", 5),
        ];
        assert_eq!(counts, HashMap::from(want));
        let jobs = everything(&world, noon());
        let waiting = jobs
            .iter()
            .filter(|job| job.status == "completed" && job.pr_link.is_some());
        assert_eq!(waiting.count(), 4);
        assert!(jobs.iter().any(|job| job.model == "opus"));
    }

    #[test]
    fn three_minutes_show_an_event_of_each_kind() {
        let seen = events(&world(24), 0, 170);
        for kind in [
            "branch",
            "pull request",
            "nothing changed",
            "failed",
            "late pull request",
            "woken",
            "archived",
        ] {
            assert!(seen.contains_key(kind), "no {kind}: {seen:?}");
        }
    }

    #[test]
    fn it_still_moves_after_hours() {
        let world = world(24);
        for hour in [1, 2, 9, 50] {
            let from = hour * 3_600;
            let seen = events(&world, from, from + 600);
            for kind in ["pull request", "nothing changed", "failed", "woken"] {
                assert!(seen.contains_key(kind), "hour {hour}: no {kind}: {seen:?}");
            }
            assert_eq!(counts(&world, after(from))["archived"], 8);
        }
    }

    #[test]
    fn every_reply_is_coherent() {
        let world = world(240);
        for second in (0..7_200).step_by(97) {
            let now = after(second);
            for job in everything(&world, now) {
                assert!(job.created_at <= now, "{job:?}");
                assert_eq!(job.archived_at.is_some(), job.status == "archived");
                let archived_in_order = job
                    .archived_at
                    .is_none_or(|at| job.created_at <= at && at <= now);
                assert!(archived_in_order, "{job:?} at {now}");
                let link_allowed = matches!(job.status, "completed" | "archived");
                assert!(job.pr_link.is_none() || link_allowed, "{job:?}");
                assert!(job.source.branch.is_some() || job.status == "active");
            }
        }
    }

    #[test]
    fn speed_multiplies_time_and_archiving_keeps_real_time() {
        let fast = World::new(24, 60.0, Rng::with_seed(1), noon());
        let slow = world(24);
        assert_eq!(counts(&fast, after(7)), counts(&slow, after(420)));
        let archived: Vec<_> = everything(&fast, after(7))
            .iter()
            .filter_map(|job| job.archived_at)
            .filter(|at| *at > noon())
            .collect();
        assert_eq!(archived.len(), 3);
        assert!(archived.iter().all(|at| *at <= after(7)), "{archived:?}");
    }

    #[test]
    fn at_speed_zero_nothing_moves() {
        let mut still = World::new(24, 0.0, Rng::with_seed(1), noon());
        assert_eq!(everything(&still, noon()), everything(&still, after(9_999)));
        let made = still.create(DOCS, "anything", after(5)).unwrap();
        assert_eq!((made.status, made.created_at), ("active", after(5)));
    }

    #[test]
    fn the_same_seed_gives_the_same_world_and_ids_are_unique() {
        let (one, two) = (world(5_000), world(5_000));
        let jobs = everything(&one, after(77));
        assert_eq!(jobs, everything(&two, after(77)));
        let ids: HashSet<_> = jobs.iter().map(|job| job.id).collect();
        assert_eq!(ids.len(), 5_000);
        for project in one.projects() {
            for job in &project.jobs {
                assert_eq!(one.get(project.id, &job.id, noon()).unwrap().id, job.id);
            }
        }
    }

    #[test]
    fn a_created_job_lives_as_its_prompt_says() {
        for (prompt, status, linked) in [
            ("Write the quickstart", "completed", true),
            ("nothing to do", "completed", false),
            ("please fail", "failed", false),
        ] {
            let mut world = world(0);
            let made = world.create(DOCS, prompt, after(10)).unwrap();
            let id = made.id.to_owned();
            assert_eq!(made.status, "active");
            assert_eq!(made.source.branch, None);
            assert_eq!(made.created_at, after(10));
            let at_work = world.get(DOCS, &id, after(16)).unwrap();
            assert_eq!(at_work.status, "active");
            assert!(
                at_work
                    .source
                    .branch
                    .is_some_and(|name| name.starts_with("mintlify/"))
            );
            let done = world.get(DOCS, &id, after(9_000)).unwrap();
            assert_eq!((done.status, done.pr_link.is_some()), (status, linked));
        }
    }

    #[test]
    fn a_message_wakes_a_job_of_any_status() {
        let mut world = world(24);
        let docs = &world.projects()[0];
        let ids: Vec<_> = docs.jobs.iter().map(|job| job.id.clone()).collect();
        for id in ids {
            let before = world.get(DOCS, &id, after(1)).unwrap().pr_link;
            let woken = world.message(DOCS, &id, "Go on", after(1)).unwrap();
            assert_eq!(woken.status, "active");
            assert_eq!((woken.pr_link, woken.archived_at), (None, None));
            let done = world.get(DOCS, &id, after(300)).unwrap();
            assert_eq!(done.status, "completed");
            assert!(before.is_none() || before == done.pr_link, "the same link");
        }
    }

    #[test]
    fn unknown_names_are_refused() {
        let mut world = world(3);
        assert_eq!(world.get("nope", "x", noon()), Err(Refusal::NoProject));
        assert_eq!(world.get(DOCS, "x", noon()), Err(Refusal::NoJob));
        assert_eq!(world.create("nope", "x", noon()), Err(Refusal::NoProject));
        let refused = world.message(DOCS, "x", "y", noon());
        assert_eq!(refused, Err(Refusal::NoJob));
        let elsewhere = world.projects()[2].jobs[0].id.clone();
        assert_eq!(world.get(DOCS, &elsewhere, noon()), Err(Refusal::NoJob));
    }

    #[test]
    fn a_project_takes_a_hundred_writes_an_hour() {
        let mut world = world(3);
        let id = world.projects()[0].jobs[0].id.clone();
        for n in 0..50 {
            world.create(DOCS, "x", after(n)).unwrap();
            world.message(DOCS, &id, "x", after(n)).unwrap();
        }
        let refused = world.create(DOCS, "x", after(60)).map(|job| job.status);
        let wait = |retry_after| Err(Refusal::TooManyWrites { retry_after });
        assert_eq!(refused, wait(3_540));
        let half = noon() + SignedDuration::from_millis(60_500);
        let refused = world.message(DOCS, &id, "x", half).map(|job| job.status);
        assert_eq!(refused, wait(3_540));
        world.create("64f0c20b", "x", after(60)).unwrap();
        world.create(DOCS, "x", after(3_600)).unwrap();
        world.create(DOCS, "x", after(3_600)).unwrap();
        let refused = world.create(DOCS, "x", after(3_600)).map(|job| job.status);
        assert_eq!(refused, wait(1));
    }

    #[test]
    fn slug_table() {
        for (title, want) in [
            ("SDK quickstart", "sdk-quickstart"),
            ("Release notes 4.2", "release-notes-4-2"),
            ("one two three four five six", "one-two-three-four-five"),
            ("…日本\u{202e}", "update"),
            ("", "update"),
        ] {
            assert_eq!(slug(title), want);
        }
    }
}
