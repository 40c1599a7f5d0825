//! The jobs of the simulation: two dozen with titles and scripts, and as many generated ones as are
//! asked for.
//!
//! The scripts show every kind of event within the first three minutes; after that the jobs get
//! follow-ups forever. Few jobs are ever archived: a client need not poll an archived job again, and
//! would see the simulation come to rest. This file must not know ids or HTTP.

use fastrand::Rng;

use super::timeline::{FOREVER, Phase, State, Timeline, between};

/// Ids and names.
pub(super) const PROJECTS: [(&str, &str); 3] = [
    ("64f0c1e2", "docs"),
    ("64f0c1f7", "api"),
    ("64f0c20b", "sdk"),
];

/// The models that a job can run on; the first is the default.
pub(super) const MODELS: [&str; 2] = ["sonnet", "opus"];

const DOCS: usize = 0;
const API: usize = 1;
const SDK: usize = 2;

const SONNET: usize = 0;
const OPUS: usize = 1;

const STARTING: State = State::Starting;
const WORKING: State = State::Working;
const FAILED: State = State::Failed;
const PULL: State = State::Completed { pull_request: true };
const UNCHANGED: State = State::Completed {
    pull_request: false,
};
const ARCHIVED: State = State::Archived { pull_request: true };
const ARCHIVED_UNCHANGED: State = State::Archived {
    pull_request: false,
};

/// A job without an id.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// An index in [`PROJECTS`].
    pub(super) project: usize,
    /// Also names the branch.
    pub(super) title: String,
    /// Whether the title is the job's label in the config.
    pub(super) labelled: bool,
    pub(super) tags: Vec<&'static str>,
    pub(super) model: &'static str,
    /// Seconds since it was created.
    pub(super) age: f64,
    pub(super) timeline: Timeline,
}

/// Project, title, tags, model, age in minutes, script. A title that starts with `~` is no label.
type Fixture = (
    usize,
    &'static str,
    &'static [&'static str],
    usize,
    f64,
    &'static [Phase],
);

#[rustfmt::skip] // one job a line reads as the table that it is
const FIXTURES: [Fixture; 24] = [
    (SDK, "SDK quickstart", &["release"], SONNET, 0.2, &[(STARTING, 14.0), (WORKING, 50.0), (PULL, 150.0)]),
    (DOCS, "Release notes 4.2", &["release"], OPUS, 130.0, &[(PULL, 48.0), (WORKING, 70.0), (PULL, 180.0)]),
    (API, "Idempotency guide", &["api-ref"], SONNET, 41.0, &[(FAILED, 66.0), (WORKING, 60.0), (PULL, 150.0)]),
    (DOCS, "Onboarding checklist", &["growth"], SONNET, 7_300.0, &[(ARCHIVED_UNCHANGED, FOREVER)]),
    (API, "Webhooks reference", &["api-ref", "release"], OPUS, 6.0, &[(WORKING, 28.0), (PULL, 140.0)]),
    (API, "Error codes table", &["api-ref"], SONNET, 52.0, &[(UNCHANGED, 18.0), (PULL, 190.0)]),
    (DOCS, "Broken links sweep", &["upkeep"], SONNET, 3.0, &[(WORKING, 42.0), (UNCHANGED, 130.0)]),
    (API, "Rate limits page", &["api-ref", "billing"], SONNET, 310.0, &[(PULL, 85.0), (ARCHIVED, FOREVER)]),
    (SDK, "Python snippets", &["python"], SONNET, 9.0, &[(WORKING, 75.0), (FAILED, 90.0)]),
    (SDK, "TypeScript types", &["typescript"], OPUS, 5_900.0, &[(ARCHIVED, FOREVER)]),
    (DOCS, "Billing FAQ", &["billing"], SONNET, 4.0, &[(WORKING, 58.0), (UNCHANGED, 22.0), (PULL, 160.0)]),
    (SDK, "Go client reference", &["go", "api-ref"], OPUS, 1_500.0, &[(PULL, 210.0), (WORKING, 80.0), (PULL, 200.0)]),
    (API, "OAuth scopes", &["auth", "api-ref"], SONNET, 12.0, &[(WORKING, 100.0), (PULL, 200.0)]),
    (DOCS, "~Style pass on tutorials", &[], SONNET, 1_580.0, &[(UNCHANGED, 120.0), (WORKING, 90.0), (UNCHANGED, 140.0)]),
    (DOCS, "Migration to v4", &["release"], OPUS, 25.0, &[(WORKING, 135.0), (PULL, 240.0)]),
    (API, "OpenAPI descriptions", &["api-ref"], SONNET, 8_800.0, &[(ARCHIVED, FOREVER)]),
    (DOCS, "SSO setup guide", &["auth"], SONNET, 185.0, &[(PULL, 420.0), (ARCHIVED, FOREVER)]),
    (API, "Pagination examples", &["api-ref"], SONNET, 2.0, &[(WORKING, 165.0), (UNCHANGED, 90.0)]),
    (DOCS, "Self-hosting guide", &["infra"], OPUS, 440.0, &[(FAILED, 170.0), (WORKING, 100.0), (FAILED, 120.0)]),
    (DOCS, "Glossary", &["upkeep"], SONNET, 2_950.0, &[(UNCHANGED, 150.0), (ARCHIVED_UNCHANGED, FOREVER)]),
    (SDK, "~Streaming examples", &["python", "typescript"], OPUS, 1.0, &[(WORKING, 190.0), (PULL, 200.0)]),
    (API, "~Batch endpoints", &[], SONNET, 2_890.0, &[(ARCHIVED, FOREVER)]),
    (SDK, "Retry helpers", &["release"], SONNET, 490.0, &[(UNCHANGED, 260.0), (WORKING, 60.0), (PULL, 150.0)]),
    (DOCS, "Quickstart rewrite", &["growth", "release"], OPUS, 4_400.0, &[(ARCHIVED_UNCHANGED, FOREVER)]),
];

/// `count` jobs: the named ones first, then generated ones in the same mix.
pub(super) fn drafts(count: usize, rng: &mut Rng) -> Vec<Draft> {
    (0..count)
        .map(|n| match FIXTURES.get(n) {
            Some(fixture) => named(fixture, rng),
            None => generated(n, rng),
        })
        .collect()
}

fn named(&(project, title, tags, model, minutes, script): &Fixture, rng: &mut Rng) -> Draft {
    let age = minutes * 60.0;
    Draft {
        project,
        title: title.trim_start_matches('~').to_owned(),
        labelled: !title.starts_with('~'),
        tags: tags.to_vec(),
        model: MODELS[model],
        age,
        timeline: timeline(script, age, rng),
    }
}

/// Job number `n`, with the script of a named job at another speed.
fn generated(n: usize, rng: &mut Rng) -> Draft {
    const TOPICS: [&str; 12] = [
        "Webhooks", "Auth", "Invoices", "Search", "Uploads", "Teams", "Quotas", "Events",
        "Exports", "Audits", "Tokens", "Regions",
    ];
    const KINDS: [&str; 8] = [
        "guide",
        "reference",
        "quickstart",
        "FAQ",
        "examples",
        "tutorial",
        "changelog",
        "overview",
    ];
    const TAGS: [&str; 6] = ["release", "billing", "api-ref", "auth", "upkeep", "growth"];

    let (_, _, _, model, _, script) = FIXTURES[n % FIXTURES.len()];
    let topic = TOPICS[rng.usize(..TOPICS.len())];
    let kind = KINDS[rng.usize(..KINDS.len())];
    let pace = between(rng, 0.3, 3.0);
    let script: Vec<Phase> = script
        .iter()
        .map(|&(state, seconds)| (state, seconds * pace))
        .collect();
    let age = generated_age(script[0].0, rng);
    Draft {
        project: rng.usize(..PROJECTS.len()),
        title: format!("{topic} {kind} {n}"),
        labelled: true,
        tags: vec![TAGS[rng.usize(..TAGS.len())]],
        model: MODELS[model],
        age,
        timeline: timeline(&script, age, rng),
    }
}

/// Seconds since a job in `state` was created: minutes for an active one, up to days for others.
fn generated_age(state: State, rng: &mut Rng) -> f64 {
    const MINUTE: f64 = 60.0;
    const DAY: f64 = 24.0 * 60.0 * MINUTE;
    match state {
        State::Starting => 1.0,
        State::Working => between(rng, MINUTE, 30.0 * MINUTE),
        State::Completed { .. } | State::Failed => between(rng, 40.0 * MINUTE, 2.0 * DAY),
        State::Archived { .. } => between(rng, 2.0 * DAY, 9.0 * DAY),
    }
}

/// The timeline of a job that is in the first state of `script` when the simulation begins.
fn timeline(script: &[Phase], age: f64, rng: &mut Rng) -> Timeline {
    let phases = script.to_vec();
    match script {
        // Archived half its age ago: `archivedAt` must lie in the past.
        [(State::Archived { .. }, _)] => Timeline::new(age / -2.0, phases),
        [.., (State::Archived { .. }, _)] => Timeline::new(0.0, phases),
        _ => Timeline::new(0.0, phases).with_follow_ups(rng),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_named_jobs_come_first_and_titles_are_unique() {
        let drafts = drafts(500, &mut Rng::with_seed(7));
        assert_eq!(drafts.len(), 500);
        assert_eq!(drafts[0].title, "SDK quickstart");
        let titles: HashSet<_> = drafts.iter().map(|draft| &draft.title).collect();
        assert_eq!(titles.len(), 500);
        for project in 0..PROJECTS.len() {
            assert!(drafts.iter().any(|draft| draft.project == project));
        }
    }

    #[test]
    fn a_job_is_no_younger_than_its_archiving() {
        for draft in drafts(1_000, &mut Rng::with_seed(7)) {
            let (state, since) = draft.timeline.at(0.0);
            if matches!(state, State::Archived { .. }) {
                assert!(-draft.age < since && since < 0.0, "{draft:?}");
            }
        }
    }

    #[test]
    fn generated_jobs_keep_the_mix() {
        let drafts = drafts(2_400, &mut Rng::with_seed(7));
        let count = |wanted: fn(State) -> bool| {
            drafts
                .iter()
                .filter(|draft| wanted(draft.timeline.at(0.0).0))
                .count()
        };
        assert_eq!(count(|state| matches!(state, STARTING | WORKING)), 900);
        assert_eq!(count(|state| matches!(state, State::Completed { .. })), 800);
        assert_eq!(count(|state| state == State::Failed), 200);
        assert_eq!(count(|state| matches!(state, State::Archived { .. })), 500);
    }
}
