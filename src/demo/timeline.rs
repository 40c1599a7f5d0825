//! The life of one simulated job: which state it is in at which moment of the simulated time.
//!
//! A life is a plan made beforehand, so that a state is looked up and never stepped towards, and
//! one that nobody asks for costs nothing. This file must not know projects, ids or HTTP.

use fastrand::Rng;

/// How long a state lasts that nothing but a follow-up ends.
pub(super) const FOR_EVER: f64 = f64::INFINITY;

/// What a simulated job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// At work, with no branch yet.
    Starting,
    /// At work on its branch.
    Working,
    /// Done; without a pull request nothing changed, or it comes later.
    Completed { pull_request: bool },
    /// Given up.
    Failed,
    /// Put away, with the pull request that it had.
    Archived { pull_request: bool },
}

/// A state and how many simulated seconds it lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Phase {
    /// The state.
    pub(super) state: State,
    /// How long it lasts.
    pub(super) lasts: f64,
}

/// How an episode of work ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// With a pull request.
    PullRequest,
    /// Completed, with a pull request only a while later.
    LatePullRequest,
    /// Completed, with no file changed.
    NothingChanged,
    /// Failed.
    Failure,
}

impl Outcome {
    /// What a prompt leads to: a person can ask the simulation for a failure, or for nothing.
    pub(super) fn of_prompt(prompt: &str) -> Self {
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

    /// The phases after the work, `lasts` seconds together.
    fn phases(self, lasts: f64) -> Vec<Phase> {
        let completed = |pull_request| State::Completed { pull_request };
        let phase = |state, lasts| Phase { state, lasts };
        match self {
            Self::PullRequest => vec![phase(completed(true), lasts)],
            Self::LatePullRequest => {
                let without = lasts.min(30.0);
                vec![
                    phase(completed(false), without),
                    phase(completed(true), lasts - without),
                ]
            }
            Self::NothingChanged => vec![phase(completed(false), lasts)],
            Self::Failure => vec![phase(State::Failed, lasts)],
        }
    }
}

/// A plan of states: a script, then a cycle that repeats (or the script's last state for ever).
#[derive(Clone, Debug)]
pub(super) struct Life {
    start: f64,
    script: Vec<Phase>,
    cycle: Vec<Phase>,
}

impl Life {
    /// A life that begins at the simulated second `start` and stays in the last state of `script`.
    pub(super) fn once(start: f64, script: Vec<Phase>) -> Self {
        Self {
            start,
            script,
            cycle: Vec::new(),
        }
    }

    /// A life in which the job is woken again and again after its script.
    pub(super) fn endless(start: f64, script: Vec<Phase>, rng: &mut Rng) -> Self {
        Self {
            start,
            script,
            cycle: episodes(rng),
        }
    }

    /// The life of a job that a person made, or woke if `woken`, at the simulated second `start`.
    pub(super) fn asked_for(start: f64, woken: bool, outcome: Outcome, rng: &mut Rng) -> Self {
        let starting = if woken { 0.0 } else { 5.0 };
        let mut script = vec![
            Phase {
                state: State::Starting,
                lasts: starting,
            },
            Phase {
                state: State::Working,
                lasts: between(rng, 20.0, 60.0),
            },
        ];
        script.extend(outcome.phases(FOR_EVER));
        Self::once(start, script)
    }

    /// The state at the simulated second `now`, and the second in which it began.
    pub(super) fn at(&self, now: f64) -> (State, f64) {
        let script_ends = self.start + total(&self.script);
        if now < script_ends || self.cycle.is_empty() {
            return walk(&self.script, self.start, now);
        }
        let period = total(&self.cycle);
        let turn = ((now - script_ends) / period).floor();
        walk(&self.cycle, script_ends + turn * period, now)
    }
}

/// The phase that holds `now` where the first of `phases` begins at `start`.
fn walk(phases: &[Phase], start: f64, now: f64) -> (State, f64) {
    let mut began = start;
    let mut found = (State::Starting, start);
    for phase in phases {
        found = (phase.state, began);
        began += phase.lasts;
        if now < began {
            break;
        }
    }
    found
}

fn total(phases: &[Phase]) -> f64 {
    phases.iter().map(|phase| phase.lasts).sum()
}

/// Follow-ups with every outcome, in a mixed order.
fn episodes(rng: &mut Rng) -> Vec<Phase> {
    let mut outcomes = [
        Outcome::PullRequest,
        Outcome::PullRequest,
        Outcome::LatePullRequest,
        Outcome::NothingChanged,
        Outcome::Failure,
    ];
    rng.shuffle(&mut outcomes);
    let mut phases = Vec::with_capacity(2 * outcomes.len() + 1);
    for outcome in outcomes {
        phases.push(Phase {
            state: State::Working,
            lasts: between(rng, 60.0, 180.0),
        });
        phases.extend(outcome.phases(between(rng, 80.0, 260.0)));
    }
    phases
}

/// A number from `low` up to `high`.
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

    fn phases(table: &[(State, f64)]) -> Vec<Phase> {
        table
            .iter()
            .map(|&(state, lasts)| Phase { state, lasts })
            .collect()
    }

    #[test]
    fn a_life_is_looked_up_by_its_second() {
        let life = Life {
            start: -10.0,
            script: phases(&[(STARTING, 20.0), (WORKING, 30.0)]),
            cycle: phases(&[(PULL, 5.0), (State::Failed, 15.0)]),
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
            assert_eq!(life.at(now), (state, since), "second {now}");
        }
    }

    #[test]
    fn a_life_without_a_cycle_stays_where_its_script_ends() {
        let life = Life::once(0.0, phases(&[(WORKING, 3.0), (UNCHANGED, FOR_EVER)]));
        assert_eq!(life.at(2.0), (WORKING, 0.0));
        assert_eq!(life.at(1e12), (UNCHANGED, 3.0));
    }

    #[test]
    fn a_cycle_holds_every_outcome() {
        let cycle = episodes(&mut Rng::with_seed(3));
        for state in [WORKING, PULL, UNCHANGED, State::Failed] {
            assert!(cycle.iter().any(|phase| phase.state == state), "{state:?}");
        }
        let late = cycle
            .windows(2)
            .any(|pair| pair[0].state == UNCHANGED && pair[1].state == PULL);
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
            assert_eq!(Outcome::of_prompt(prompt), want, "{prompt}");
        }
    }

    #[test]
    fn a_woken_job_has_its_branch_at_once_and_a_new_one_later() {
        let mut rng = Rng::with_seed(1);
        let new = Life::asked_for(100.0, false, Outcome::Failure, &mut rng);
        let woken = Life::asked_for(100.0, true, Outcome::Failure, &mut rng);
        assert_eq!(new.at(100.0).0, STARTING);
        assert_eq!(new.at(106.0).0, WORKING);
        assert_eq!(woken.at(100.0).0, WORKING);
        assert_eq!(woken.at(1_000.0).0, State::Failed);
    }
}
