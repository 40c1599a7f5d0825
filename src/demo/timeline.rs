//! The timeline of one simulated job: its state at each second of the simulated time.
//!
//! A timeline is planned beforehand and looked up, never stepped, so that a job that nobody asks for
//! costs nothing. This file must not know projects, ids or HTTP.

use fastrand::Rng;

/// The duration of a state that only a follow-up ends.
pub(super) const FOREVER: f64 = f64::INFINITY;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// Active, with no branch yet.
    Starting,
    /// Active, with a branch.
    Working,
    /// Without a pull request, nothing changed, or one is created later.
    Completed {
        pull_request: bool,
    },
    Failed,
    Archived {
        pull_request: bool,
    },
}

/// A state and its duration in simulated seconds.
pub(super) type Phase = (State, f64);

/// How a prompt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    PullRequest,
    /// Completed, and a pull request is created a while later.
    LatePullRequest,
    NothingChanged,
    Failure,
}

impl Outcome {
    /// A prompt with the word "fail" or "nothing" asks for that outcome.
    pub(super) fn from_prompt(prompt: &str) -> Self {
        let has = |wanted: &str| {
            prompt
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| word.eq_ignore_ascii_case(wanted))
        };
        if has("fail") {
            Self::Failure
        } else if has("nothing") {
            Self::NothingChanged
        } else {
            Self::PullRequest
        }
    }

    /// The phases after the work, `seconds` in total.
    fn phases(self, seconds: f64) -> Vec<Phase> {
        let completed = |pull_request| State::Completed { pull_request };
        match self {
            Self::PullRequest => vec![(completed(true), seconds)],
            Self::LatePullRequest => {
                let without = seconds.min(30.0);
                vec![
                    (completed(false), without),
                    (completed(true), seconds - without),
                ]
            }
            Self::NothingChanged => vec![(completed(false), seconds)],
            Self::Failure => vec![(State::Failed, seconds)],
        }
    }
}

/// A script, then a cycle that repeats (or the script's last state forever).
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    start: f64,
    script: Vec<Phase>,
    cycle: Vec<Phase>,
}

impl Timeline {
    /// Begins at the simulated second `start` and stays in the last state of `script`.
    pub(super) fn new(start: f64, script: Vec<Phase>) -> Self {
        Self {
            start,
            script,
            cycle: Vec::new(),
        }
    }

    /// Sends follow-ups forever after the script.
    pub(super) fn with_follow_ups(mut self, rng: &mut Rng) -> Self {
        self.cycle = follow_ups(rng);
        self
    }

    /// The timeline after a prompt: of a new job, or of an existing one if `follow_up`.
    pub(super) fn for_prompt(start: f64, follow_up: bool, outcome: Outcome, rng: &mut Rng) -> Self {
        let starting = if follow_up { 0.0 } else { 5.0 };
        let mut script = vec![
            (State::Starting, starting),
            (State::Working, between(rng, 20.0, 60.0)),
        ];
        script.extend(outcome.phases(FOREVER));
        Self::new(start, script)
    }

    /// The state at the simulated second `now`, and the second at which it began.
    pub(super) fn at(&self, now: f64) -> (State, f64) {
        let script_ends = self.start + total(&self.script);
        if now < script_ends || self.cycle.is_empty() {
            return find(&self.script, self.start, now);
        }
        let period = total(&self.cycle);
        let turn = ((now - script_ends) / period).floor();
        find(&self.cycle, script_ends + turn * period, now)
    }
}

/// The phase at `now` where the first of `phases` begins at `start`.
fn find(phases: &[Phase], start: f64, now: f64) -> (State, f64) {
    let mut began = start;
    let mut found = (State::Starting, start);
    for &(state, seconds) in phases {
        found = (state, began);
        began += seconds;
        if now < began {
            break;
        }
    }
    found
}

fn total(phases: &[Phase]) -> f64 {
    phases.iter().map(|(_, seconds)| seconds).sum()
}

/// Follow-ups with every outcome, in random order.
fn follow_ups(rng: &mut Rng) -> Vec<Phase> {
    let mut outcomes = [
        Outcome::PullRequest,
        Outcome::PullRequest,
        Outcome::LatePullRequest,
        Outcome::NothingChanged,
        Outcome::Failure,
    ];
    rng.shuffle(&mut outcomes);
    let mut phases = Vec::new();
    for outcome in outcomes {
        phases.push((State::Working, between(rng, 60.0, 180.0)));
        phases.extend(outcome.phases(between(rng, 80.0, 260.0)));
    }
    phases
}

/// A random number from `low` up to `high`.
pub(super) fn between(rng: &mut Rng, low: f64, high: f64) -> f64 {
    low + rng.f64() * (high - low)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTING: State = State::Starting;
    const WORKING: State = State::Working;
    const PULL: State = State::Completed { pull_request: true };
    const UNCHANGED: State = State::Completed {
        pull_request: false,
    };

    #[test]
    fn a_state_is_looked_up_by_its_second() {
        let timeline = Timeline {
            start: -10.0,
            script: vec![(STARTING, 20.0), (WORKING, 30.0)],
            cycle: vec![(PULL, 5.0), (State::Failed, 15.0)],
        };
        for (now, state, since) in [
            (-99.0, STARTING, -10.0),
            (0.0, STARTING, -10.0),
            (9.5, STARTING, -10.0),
            (10.0, WORKING, 10.0),
            (39.5, WORKING, 10.0),
            (40.0, PULL, 40.0),
            (45.0, State::Failed, 45.0),
            (59.5, State::Failed, 45.0),
            (60.0, PULL, 60.0),
            (20_040.0, PULL, 20_040.0),
            (20_046.0, State::Failed, 20_045.0),
        ] {
            assert_eq!(timeline.at(now), (state, since), "second {now}");
        }
    }

    #[test]
    fn a_timeline_without_a_cycle_stays_where_its_script_ends() {
        let timeline = Timeline::new(0.0, vec![(WORKING, 3.0), (UNCHANGED, FOREVER)]);
        assert_eq!(timeline.at(2.0), (WORKING, 0.0));
        assert_eq!(timeline.at(1e12), (UNCHANGED, 3.0));
    }

    #[test]
    fn a_cycle_holds_every_outcome() {
        let cycle = follow_ups(&mut Rng::with_seed(3));
        for state in [WORKING, PULL, UNCHANGED, State::Failed] {
            assert!(cycle.iter().any(|phase| phase.0 == state), "{state:?}");
        }
        let late = cycle
            .windows(2)
            .any(|pair| pair[0].0 == UNCHANGED && pair[1].0 == PULL);
        assert!(late, "a pull request after completing: {cycle:?}");
    }

    #[test]
    fn a_prompt_decides_how_its_job_ends() {
        for (prompt, want) in [
            ("Document the retries", Outcome::PullRequest),
            ("Please FAIL.", Outcome::Failure),
            ("Describe the failover", Outcome::PullRequest),
            ("change nothing", Outcome::NothingChanged),
        ] {
            assert_eq!(Outcome::from_prompt(prompt), want, "{prompt}");
        }
    }

    #[test]
    fn a_follow_up_has_its_branch_at_once_and_a_new_one_later() {
        let mut rng = Rng::with_seed(1);
        let new = Timeline::for_prompt(100.0, false, Outcome::Failure, &mut rng);
        let follow_up = Timeline::for_prompt(100.0, true, Outcome::Failure, &mut rng);
        assert_eq!(new.at(100.0).0, STARTING);
        assert_eq!(new.at(106.0).0, WORKING);
        assert_eq!(follow_up.at(100.0).0, WORKING);
        assert_eq!(follow_up.at(1_000.0).0, State::Failed);
    }
}
