//! The simulated API's state: projects, their jobs, and the response to each request.
//!
//! Time is an argument, and a job's state is looked up in its timeline, so that the same seed and the
//! same times always give the same responses. This file must not know HTTP, latency or clocks.

use std::collections::{HashMap, VecDeque};

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::fixtures::{self, Draft};
use super::timeline::{Outcome, State, Timeline};

/// Jobs and follow-ups that a project accepts an hour.
const WRITES_AN_HOUR: usize = 100;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// `AgentJob` of the official contract.
///
/// Not shared with the client, so that a misspelt name cannot hide by being misspelt on both sides.
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Source<'a> {
    pub(super) repository: &'a str,
    #[serde(rename = "ref")]
    pub(super) branch: Option<&'a str>,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NoProject,
    NoJob,
    /// The project has used up its writes of this hour; `retry_after` is in seconds.
    TooManyWrites {
        retry_after: i64,
    },
}

pub(super) type JobResult<'a> = Result<AgentJob<'a>, Refusal>;

pub(super) struct Project {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// In order of creation.
    pub(super) jobs: Vec<SimulatedJob>,
    repository: String,
    /// Indices in `jobs`.
    by_id: HashMap<String, usize>,
    next_pull_request: u32,
    /// Of the last hour, oldest first.
    writes: VecDeque<Timestamp>,
}

pub(super) struct SimulatedJob {
    pub(super) id: String,
    /// In the config only: the API knows neither labels nor tags.
    pub(super) label: Option<String>,
    pub(super) tags: Vec<&'static str>,
    pub(super) timeline: Timeline,
    branch: String,
    model: &'static str,
    pull_request: u32,
    created_at: Timestamp,
}

pub(super) struct Simulator {
    started_at: Timestamp,
    speed: f64,
    rng: Rng,
    projects: Vec<Project>,
}

impl Simulator {
    /// A simulation of `count` jobs that starts at `now`, at `speed` simulated seconds a second.
    pub(super) fn new(count: usize, speed: f64, mut rng: Rng, now: Timestamp) -> Self {
        let mut projects: Vec<_> = fixtures::PROJECTS
            .iter()
            .zip([388, 124, 57])
            .map(|(&(id, name), first_pull_request)| Project::new(id, name, first_pull_request))
            .collect();
        for draft in fixtures::drafts(count, &mut rng) {
            let created_at = add_seconds(now, -draft.age);
            projects[draft.project].add(draft, created_at, &mut rng);
        }
        Self {
            started_at: now,
            speed,
            rng,
            projects,
        }
    }

    pub(super) fn projects(&self) -> &[Project] {
        &self.projects
    }

    /// Random numbers that depend on the seed alone; taking some changes no job.
    pub(super) fn rng(&self) -> Rng {
        self.rng.clone()
    }

    pub(super) fn get(&self, project: &str, id: &str, now: Timestamp) -> JobResult<'_> {
        let project = &self.projects[self.project_index(project)?];
        let job = &project.jobs[project.job_index(id)?];
        Ok(self.describe(project, job, now))
    }

    pub(super) fn create(&mut self, project: &str, prompt: &str, now: Timestamp) -> JobResult<'_> {
        let index = self.project_index(project)?;
        let timeline = self.start_work(index, false, prompt, now)?;
        let draft = Draft {
            project: index,
            title: prompt.to_owned(),
            labelled: false,
            tags: Vec::new(),
            model: fixtures::MODELS[0],
            age: 0.0,
            timeline,
        };
        let job = self.projects[index].add(draft, add_seconds(now, 0.0), &mut self.rng);
        let project = &self.projects[index];
        Ok(self.describe(project, &project.jobs[job], now))
    }

    /// Sends a follow-up, which makes the job active again.
    pub(super) fn message(
        &mut self,
        project: &str,
        id: &str,
        prompt: &str,
        now: Timestamp,
    ) -> JobResult<'_> {
        let index = self.project_index(project)?;
        let job = self.projects[index].job_index(id)?;
        self.projects[index].jobs[job].timeline = self.start_work(index, true, prompt, now)?;
        let project = &self.projects[index];
        Ok(self.describe(project, &project.jobs[job], now))
    }

    fn project_index(&self, id: &str) -> Result<usize, Refusal> {
        self.projects
            .iter()
            .position(|project| project.id == id)
            .ok_or(Refusal::NoProject)
    }

    /// Counts a write, and plans what it leads to.
    fn start_work(
        &mut self,
        project: usize,
        follow_up: bool,
        prompt: &str,
        now: Timestamp,
    ) -> Result<Timeline, Refusal> {
        self.projects[project].count_write(now)?;
        let (start, outcome) = (self.elapsed(now), Outcome::from_prompt(prompt));
        let timeline = Timeline::for_prompt(start, follow_up, outcome, &mut self.rng);
        Ok(timeline)
    }

    /// Simulated seconds since the start.
    fn elapsed(&self, now: Timestamp) -> f64 {
        now.duration_since(self.started_at).as_secs_f64() * self.speed
    }

    /// When a job that was there at the start was created, in seconds; negative.
    pub(super) fn created(&self, job: &SimulatedJob) -> f64 {
        let age = self.started_at.duration_since(job.created_at);
        -age.as_secs_f64()
    }

    /// The inverse of [`Self::elapsed`]; before the start, time ran at its real speed.
    pub(super) fn timestamp(&self, elapsed: f64) -> Timestamp {
        let speed = if elapsed > 0.0 { self.speed } else { 1.0 };
        add_seconds(self.started_at, elapsed / speed)
    }

    fn describe<'a>(
        &self,
        project: &'a Project,
        job: &'a SimulatedJob,
        now: Timestamp,
    ) -> AgentJob<'a> {
        let (state, since) = job.timeline.at(self.elapsed(now));
        self.describe_as(project, job, state, since)
    }

    /// A reply about a job that has been in `state` since that second.
    pub(super) fn describe_as<'a>(
        &self,
        project: &'a Project,
        job: &'a SimulatedJob,
        state: State,
        since: f64,
    ) -> AgentJob<'a> {
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
            archived_at: (status == "archived").then(|| self.timestamp(since)),
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
            by_id: HashMap::new(),
            next_pull_request: first_pull_request,
            writes: VecDeque::new(),
        }
    }

    fn job_index(&self, id: &str) -> Result<usize, Refusal> {
        self.by_id.get(id).copied().ok_or(Refusal::NoJob)
    }

    /// Returns the index of the new job.
    fn add(&mut self, draft: Draft, created_at: Timestamp, rng: &mut Rng) -> usize {
        let index = self.jobs.len();
        let id = self.unused_id(rng);
        self.by_id.insert(id.clone(), index);
        self.jobs.push(SimulatedJob {
            id,
            branch: format!("mintlify/{}", slug(&draft.title)),
            label: draft.labelled.then_some(draft.title),
            tags: draft.tags,
            model: draft.model,
            pull_request: self.next_pull_request,
            created_at,
            timeline: draft.timeline,
        });
        self.next_pull_request += rng.u32(1..=3);
        index
    }

    fn unused_id(&self, rng: &mut Rng) -> String {
        loop {
            let id = job_id(rng);
            if !self.by_id.contains_key(&id) {
                return id;
            }
        }
    }

    /// Counts a write at `now`, unless the limit of the last hour is reached.
    fn count_write(&mut self, now: Timestamp) -> Result<(), Refusal> {
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

/// `job_01K4TQ7MX9HZ`: a short form of a ULID.
fn job_id(rng: &mut Rng) -> String {
    const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut id = String::from("job_01K");
    id.extend((0..9).map(|_| char::from(CROCKFORD[rng.usize(..32)])));
    id
}

/// The first words of `title`, for a branch name.
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

/// Rounded to milliseconds, as in the API.
fn add_seconds(start: Timestamp, seconds: f64) -> Timestamp {
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

    fn simulator(jobs: usize) -> Simulator {
        Simulator::new(jobs, 1.0, Rng::with_seed(1), noon())
    }

    fn everything(simulator: &Simulator, now: Timestamp) -> Vec<AgentJob<'_>> {
        let describe = |project| move |job| simulator.describe(project, job, now);
        simulator
            .projects()
            .iter()
            .flat_map(|project| project.jobs.iter().map(describe(project)))
            .collect()
    }

    fn counts(simulator: &Simulator, now: Timestamp) -> HashMap<&'static str, usize> {
        let mut counts = HashMap::new();
        for job in everything(simulator, now) {
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
    fn events(simulator: &Simulator, from: i64, to: i64) -> HashMap<&'static str, usize> {
        let mut seen = HashMap::new();
        for second in from..to {
            let before = everything(simulator, after(second));
            let later = everything(simulator, after(second + 1));
            for kind in before.iter().zip(&later).filter_map(|(a, b)| event(a, b)) {
                *seen.entry(kind).or_default() += 1;
            }
        }
        seen
    }

    #[test]
    fn the_first_glance_shows_a_mix() {
        let simulator = simulator(24);
        let counts = counts(&simulator, noon());
        let want = [
            ("active", 9),
            ("completed", 8),
            ("failed", 2),
            ("archived", 5),
        ];
        assert_eq!(counts, HashMap::from(want));
        let jobs = everything(&simulator, noon());
        let waiting = jobs
            .iter()
            .filter(|job| job.status == "completed" && job.pr_link.is_some());
        assert_eq!(waiting.count(), 4);
        assert!(jobs.iter().any(|job| job.model == "opus"));
    }

    #[test]
    fn three_minutes_show_an_event_of_each_kind() {
        let seen = events(&simulator(24), 0, 170);
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
        let simulator = simulator(24);
        for hour in [1, 2, 9, 50] {
            let from = hour * 3_600;
            let seen = events(&simulator, from, from + 600);
            for kind in ["pull request", "nothing changed", "failed", "woken"] {
                assert!(seen.contains_key(kind), "hour {hour}: no {kind}: {seen:?}");
            }
            assert_eq!(counts(&simulator, after(from))["archived"], 8);
        }
    }

    #[test]
    fn every_reply_is_coherent() {
        let simulator = simulator(240);
        for second in (0..7_200).step_by(97) {
            let now = after(second);
            for job in everything(&simulator, now) {
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
        let fast = Simulator::new(24, 60.0, Rng::with_seed(1), noon());
        let slow = simulator(24);
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
        let mut still = Simulator::new(24, 0.0, Rng::with_seed(1), noon());
        assert_eq!(everything(&still, noon()), everything(&still, after(9_999)));
        let made = still.create(DOCS, "anything", after(5)).unwrap();
        assert_eq!((made.status, made.created_at), ("active", after(5)));
    }

    #[test]
    fn the_same_seed_gives_the_same_jobs_and_ids_are_unique() {
        let (one, two) = (simulator(5_000), simulator(5_000));
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
    fn the_prompt_decides_how_a_created_job_ends() {
        for (prompt, status, linked) in [
            ("Write the quickstart", "completed", true),
            ("nothing to do", "completed", false),
            ("please fail", "failed", false),
        ] {
            let mut simulator = simulator(0);
            let made = simulator.create(DOCS, prompt, after(10)).unwrap();
            let id = made.id.to_owned();
            assert_eq!(made.status, "active");
            assert_eq!(made.source.branch, None);
            assert_eq!(made.created_at, after(10));
            let at_work = simulator.get(DOCS, &id, after(16)).unwrap();
            assert_eq!(at_work.status, "active");
            assert!(
                at_work
                    .source
                    .branch
                    .is_some_and(|name| name.starts_with("mintlify/"))
            );
            let done = simulator.get(DOCS, &id, after(9_000)).unwrap();
            assert_eq!((done.status, done.pr_link.is_some()), (status, linked));
        }
    }

    #[test]
    fn a_message_wakes_a_job_of_any_status() {
        let mut simulator = simulator(24);
        let docs = &simulator.projects()[0];
        let ids: Vec<_> = docs.jobs.iter().map(|job| job.id.clone()).collect();
        for id in ids {
            let before = simulator.get(DOCS, &id, after(1)).unwrap().pr_link;
            let woken = simulator.message(DOCS, &id, "Go on", after(1)).unwrap();
            assert_eq!(woken.status, "active");
            assert_eq!((woken.pr_link, woken.archived_at), (None, None));
            let done = simulator.get(DOCS, &id, after(300)).unwrap();
            assert_eq!(done.status, "completed");
            assert!(before.is_none() || before == done.pr_link, "the same link");
        }
    }

    #[test]
    fn unknown_names_are_refused() {
        let mut simulator = simulator(3);
        assert_eq!(simulator.get("nope", "x", noon()), Err(Refusal::NoProject));
        assert_eq!(simulator.get(DOCS, "x", noon()), Err(Refusal::NoJob));
        assert_eq!(
            simulator.create("nope", "x", noon()),
            Err(Refusal::NoProject)
        );
        let refused = simulator.message(DOCS, "x", "y", noon());
        assert_eq!(refused, Err(Refusal::NoJob));
        let elsewhere = simulator.projects()[2].jobs[0].id.clone();
        assert_eq!(simulator.get(DOCS, &elsewhere, noon()), Err(Refusal::NoJob));
    }

    #[test]
    fn a_project_takes_a_hundred_writes_an_hour() {
        let mut simulator = simulator(3);
        let id = simulator.projects()[0].jobs[0].id.clone();
        for n in 0..50 {
            simulator.create(DOCS, "x", after(n)).unwrap();
            simulator.message(DOCS, &id, "x", after(n)).unwrap();
        }
        let refused = simulator.create(DOCS, "x", after(60)).map(|job| job.status);
        let wait = |retry_after| Err(Refusal::TooManyWrites { retry_after });
        assert_eq!(refused, wait(3_540));
        let half = noon() + SignedDuration::from_millis(60_500);
        let refused = simulator
            .message(DOCS, &id, "x", half)
            .map(|job| job.status);
        assert_eq!(refused, wait(3_540));
        simulator.create("64f0c20b", "x", after(60)).unwrap();
        simulator.create(DOCS, "x", after(3_600)).unwrap();
        simulator.create(DOCS, "x", after(3_600)).unwrap();
        let refused = simulator
            .create(DOCS, "x", after(3_600))
            .map(|job| job.status);
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
