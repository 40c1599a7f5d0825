//! Tables and properties of the schedule.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::job::Status;

const ACTIVE: Duration = Duration::from_secs(10);
const FINISHED: Duration = Duration::from_mins(5);
// The contract's figures, and not the constants of the code, which may be wrong.
const TICK: Duration = Duration::from_millis(50);
const LEAST_BACKOFF: Duration = Duration::from_secs(9);
const MAX_BACKOFF: Duration = Duration::from_mins(5);
const LONGEST_HOLD: Duration = Duration::from_hours(1);
const LIMITS: Limits = Limits {
    active: ACTIVE,
    finished: FINISHED,
    concurrency: 4,
};

fn jobs(count: usize) -> Vec<(JobKey, KeyIndex)> {
    (0..count)
        .map(|at| (JobKey::new("p", format!("job_{at}")), 0))
        .collect()
}

fn schedule(count: usize, now: Instant) -> Schedule {
    let mut schedule = Schedule::new(LIMITS, 7);
    schedule.add(jobs(count), Start::Spread, now);
    schedule
}

/// Polls the only job once, ends it so, and returns how long the next poll waits.
fn wait_after(schedule: &mut Schedule, outcome: Outcome, now: Instant) -> Option<Duration> {
    let job = schedule.take_due(now).expect("the job is due");
    schedule.finish(&job, outcome, now);
    schedule.next_due().map(|due| due - now)
}

fn within(wait: Option<Duration>, from: Duration, to: Duration) {
    let wait = wait.expect("the job waits for another poll");
    assert!(
        (from..=to).contains(&wait),
        "{wait:?} is not within {from:?} and {to:?}"
    );
}

#[test]
fn the_start_is_spread_in_order_over_at_most_one_interval() {
    let start = Instant::now();
    let mut schedule = Schedule::new(
        Limits {
            concurrency: 5_000,
            ..LIMITS
        },
        1,
    );
    schedule.add(jobs(3_000), Start::Spread, start);
    assert_eq!(schedule.next_due(), Some(start));
    assert_eq!(schedule.take_due(start), Some(JobKey::new("p", "job_0")));
    assert_eq!(schedule.take_due(start), None);
    assert_eq!(schedule.next_due(), Some(start + TICK));
    let first_tick = std::iter::from_fn(|| schedule.take_due(start + TICK)).count();
    assert_eq!(first_tick, 5, "a job each 10 ms");
    let polled = std::iter::from_fn(|| schedule.take_due(start + ACTIVE)).count();
    assert_eq!(polled, 2_994);
}

#[test]
fn a_single_round_polls_each_job_once_however_it_ends() {
    let now = Instant::now();
    let mut schedule = Schedule::new(LIMITS, 1);
    schedule.add(jobs(8), Start::Once, now);
    let failed = Outcome::Failed {
        retry_after: None,
        own_fault: false,
    };
    let seen = Outcome::Seen(Pace::Active);
    let outcomes = [
        failed,
        failed,
        failed,
        failed,
        Outcome::Forbidden { retry_after: None },
        seen,
        failed,
        seen,
    ];
    for outcome in outcomes {
        let job = schedule.take_due(now).unwrap();
        schedule.finish(&job, outcome, now);
    }
    assert_eq!(schedule.next_due(), None);
}

#[test]
fn intervals_follow_the_status_with_a_tenth_of_jitter() {
    for (status, interval) in [
        (Some(Status::Active), Some(ACTIVE)),
        (Some(Status::from_api("paused")), Some(ACTIVE)),
        (None, Some(ACTIVE)),
        (Some(Status::Completed), Some(FINISHED)),
        (Some(Status::Failed), Some(FINISHED)),
        (Some(Status::Archived), None),
    ] {
        let now = Instant::now();
        let mut schedule = schedule(1, now);
        let pace = Pace::new(status.as_ref(), None);
        let wait = wait_after(&mut schedule, Outcome::Seen(pace), now);
        assert_eq!(
            schedule.fresh_for(pace),
            interval.map(|interval| interval * 2)
        );
        match interval {
            Some(interval) => within(wait, interval.mul_f64(0.9), interval.mul_f64(1.1) + TICK),
            None => assert_eq!(wait, None, "archived jobs are polled once"),
        }
    }
}

#[test]
fn failures_back_off_to_five_minutes_and_a_success_forgets_them() {
    let mut now = Instant::now();
    let mut schedule = schedule(1, now);
    let mut longest = Duration::ZERO;
    for failure in 1..40_u32 {
        let ceiling = ACTIVE
            .saturating_mul(1 << (failure - 1).min(16))
            .min(MAX_BACKOFF);
        let wait = wait_after(
            &mut schedule,
            Outcome::Failed {
                retry_after: None,
                own_fault: false,
            },
            now,
        );
        within(wait, LEAST_BACKOFF, ceiling.max(ACTIVE.mul_f64(1.1)) + TICK);
        longest = longest.max(wait.unwrap());
        now += wait.unwrap();
    }
    assert!(
        longest > MAX_BACKOFF / 2,
        "full jitter reaches far: {longest:?}"
    );
    let wait = wait_after(&mut schedule, Outcome::Seen(Pace::Active), now);
    within(wait, ACTIVE.mul_f64(0.9), ACTIVE.mul_f64(1.1) + TICK);
    now += wait.unwrap();
    let wait = wait_after(
        &mut schedule,
        Outcome::Failed {
            retry_after: None,
            own_fault: false,
        },
        now,
    );
    within(wait, LEAST_BACKOFF, ACTIVE.mul_f64(1.1) + TICK);
}

#[test]
fn retry_after_holds_the_whole_project_for_at_most_an_hour() {
    let now = Instant::now();
    for (asked, obeyed) in [
        (Duration::from_secs(40), Duration::from_secs(40)),
        (Duration::from_secs(1_000_000_000), LONGEST_HOLD),
        (Duration::MAX, LONGEST_HOLD),
    ] {
        let mut schedule = Schedule::new(LIMITS, 3);
        schedule.add(jobs(3), Start::Spread, now);
        schedule.add([(JobKey::new("other", "job"), 0)], Start::Spread, now);
        let first = schedule.take_due(now).unwrap();
        schedule.finish(
            &first,
            Outcome::Failed {
                retry_after: Some(asked),
                own_fault: false,
            },
            now,
        );
        let asked_by_hand = JobKey::new("p", "job_1");
        schedule.poll_now(&asked_by_hand, now);
        let just_before = now + obeyed.mul_f64(0.999);
        assert_eq!(
            schedule.take_due(just_before),
            Some(JobKey::new("other", "job"))
        );
        assert_eq!(schedule.take_due(just_before), None);
        let after = now + obeyed + MAX_BACKOFF;
        let polled = std::iter::from_fn(|| schedule.take_due(after)).count();
        assert_eq!(polled, 3, "after {obeyed:?} the project goes on");
    }
}

#[test]
fn a_reply_that_was_under_way_does_not_lift_the_hold() {
    let now = Instant::now();
    let mut schedule = schedule(2, now);
    let soon = now + TICK;
    let (first, second) = (
        schedule.take_due(soon).unwrap(),
        schedule.take_due(soon).unwrap(),
    );
    let hold = Duration::from_mins(2);
    schedule.finish(
        &first,
        Outcome::Failed {
            retry_after: Some(hold),
            own_fault: false,
        },
        soon,
    );
    schedule.finish(&second, Outcome::Seen(Pace::Active), soon);
    assert_eq!(schedule.take_due(soon + hold.mul_f64(0.99)), None);
}

#[test]
fn a_hold_delays_what_is_due_before_its_end_and_nothing_else() {
    let now = Instant::now();
    let soon = now + Duration::from_secs(1);
    let mut schedule = Schedule::new(
        Limits {
            concurrency: 9,
            ..LIMITS
        },
        3,
    );
    schedule.add(jobs(5), Start::Spread, now);
    schedule.add([(JobKey::new("other", "job"), 0)], Start::Spread, now);
    let project: ProjectId = "p".into();
    assert!(schedule.held_jobs(&project, now).is_empty());
    let mut in_order: Vec<_> = std::iter::from_fn(|| schedule.take_due(soon)).collect();
    in_order.retain(|job| job.project == project);
    let hold = Outcome::Failed {
        retry_after: Some(2 * ACTIVE),
        own_fault: false,
    };
    for (job, outcome) in in_order.iter().zip([
        Outcome::Seen(Pace::Once),
        Outcome::Seen(Pace::Finished(Duration::ZERO)),
        Outcome::Seen(Pace::Active),
        hold,
    ]) {
        schedule.finish(job, outcome, soon);
    }
    let want = ["job_2", "job_3"].map(|id| JobKey::new("p", id));
    assert_eq!(schedule.held_jobs(&project, now), HashSet::from(want));
}

#[test]
fn a_refused_key_stops_its_jobs_alone_until_it_is_renewed() {
    let now = Instant::now();
    let mut schedule = schedule(3, now);
    schedule.add([(JobKey::new("other", "job"), 1)], Start::Spread, now);
    let first = schedule.take_due(now).unwrap();
    schedule.finish(&first, Outcome::KeyRefused, now);
    let later = now + Duration::from_hours(10);
    assert_eq!(schedule.take_due(later), Some(JobKey::new("other", "job")));
    assert_eq!(schedule.take_due(later), None);
    assert_eq!(
        schedule.next_due(),
        None,
        "nothing wakes us for a refused key"
    );
    schedule.poll_now(&JobKey::new("p", "job_1"), later);
    assert_eq!(schedule.take_due(later), None);
    schedule.renew_key(0, later);
    let polled = std::iter::from_fn(|| schedule.take_due(later + ACTIVE)).count();
    assert_eq!(polled, 3);
}

#[test]
fn a_forbidden_job_is_tried_every_five_minutes_and_delays_no_other() {
    let now = Instant::now();
    let mut schedule = schedule(2, now);
    let first = schedule.take_due(now).unwrap();
    schedule.finish(&first, Outcome::Forbidden { retry_after: None }, now);
    let second = schedule
        .take_due(now + TICK)
        .expect("the other job goes on");
    schedule.finish(&second, Outcome::Seen(Pace::Once), now);
    let wait = schedule.next_due().map(|due| due - now);
    within(wait, Duration::from_secs(270), Duration::from_secs(331));
}

#[test]
fn retry_after_of_a_refusal_holds_the_whole_project_too() {
    let now = Instant::now();
    let mut schedule = schedule(2, now);
    let first = schedule.take_due(now).unwrap();
    let retry_after = Some(Duration::from_mins(2));
    schedule.finish(&first, Outcome::Forbidden { retry_after }, now);
    let almost = now + Duration::from_secs(119);
    assert_eq!(schedule.take_due(almost), None);
    let after = now + Duration::from_secs(131);
    let polled = std::iter::from_fn(|| schedule.take_due(after)).count();
    assert_eq!(polled, 2);
}

/// A server that asks for no time at all, or for less than a healthy job waits, is not hammered.
#[test]
fn a_refused_job_is_never_polled_sooner_than_a_healthy_one() {
    for asked in [Duration::ZERO, Duration::from_secs(1)] {
        let start = Instant::now();
        let mut schedule = schedule(1, start);
        let job = schedule.take_due(start).unwrap();
        let retry_after = Some(asked);
        schedule.finish(&job, Outcome::Forbidden { retry_after }, start);
        let wait = schedule.next_due().unwrap() - start;
        assert!(wait >= ACTIVE.mul_f64(0.9), "{asked:?}: {wait:?}");
    }
}

#[test]
fn by_hand_a_job_is_asked_for_at_most_once_a_second() {
    let start = Instant::now();
    let mut schedule = schedule(3, start);
    let mut polls = [0; 3];
    // `R` and `r` held down for ten seconds: 30 of each a second.
    for press in 0..300_u32 {
        let now = start + Duration::from_secs(10) * press / 300;
        schedule.poll_all(now);
        for (job, _) in jobs(3) {
            schedule.poll_now(&job, now);
        }
        while let Some(job) = schedule.take_due(now) {
            let at: usize = job.id.trim_start_matches("job_").parse().unwrap();
            polls[at] += 1;
            schedule.finish(&job, Outcome::Seen(Pace::Finished(Duration::ZERO)), now);
        }
    }
    assert!(
        polls.iter().all(|polls| (9..=10).contains(polls)),
        "{polls:?}"
    );
}

#[test]
fn failing_jobs_fill_only_half_of_the_places() {
    let mut now = Instant::now();
    let mut schedule = schedule(8, now);
    now += ACTIVE;
    for _ in 0..2 {
        let hanging: Vec<_> = std::iter::from_fn(|| schedule.take_due(now)).collect();
        assert_eq!(hanging.len(), 4);
        for job in hanging {
            schedule.finish(
                &job,
                Outcome::Failed {
                    retry_after: None,
                    own_fault: false,
                },
                now,
            );
        }
    }
    now += MAX_BACKOFF;
    let failing: Vec<_> = std::iter::from_fn(|| schedule.take_due(now)).collect();
    assert_eq!(
        failing.len(),
        2,
        "two of four places stay free for healthy jobs"
    );
    let fresh = JobKey::new("p", "fresh");
    schedule.add([(fresh.clone(), 0)], Start::Spread, now);
    assert_eq!(schedule.take_due(now), Some(fresh));
}

#[test]
fn a_server_that_answers_again_is_asked_about_all_that_had_backed_off() {
    let mut now = Instant::now();
    let mut schedule = schedule(4, now);
    for _ in 0..12 {
        while let Some(job) = schedule.take_due(now) {
            schedule.finish(
                &job,
                Outcome::Failed {
                    retry_after: None,
                    own_fault: false,
                },
                now,
            );
        }
        now = schedule.next_due().unwrap();
    }
    let first = schedule.take_due(now).unwrap();
    schedule.finish(&first, Outcome::Seen(Pace::Active), now);
    let soon = now + ACTIVE.mul_f64(0.5);
    let mut polled = HashSet::new();
    while let Some(job) = schedule.take_due(soon) {
        schedule.finish(&job, Outcome::Seen(Pace::Active), soon);
        polled.insert(job);
    }
    assert_eq!(
        polled.len(),
        3,
        "the other three follow within one interval"
    );
}

/// How the polls of a job end in a simulated hour.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Active,
    Finished,
    ServerError,
    Missing,
    /// Fails for the first half of the hour.
    Mended,
}

impl Kind {
    fn outcome(self, elapsed: Duration) -> Outcome {
        let failed = |own_fault| Outcome::Failed {
            retry_after: None,
            own_fault,
        };
        match self {
            Self::Active => Outcome::Seen(Pace::Active),
            Self::Finished => Outcome::Seen(Pace::Finished(Duration::ZERO)),
            Self::Mended if elapsed > Duration::from_mins(30) => Outcome::Seen(Pace::Active),
            Self::ServerError | Self::Mended => failed(false),
            Self::Missing => failed(true),
        }
    }
}

/// When each job of one project is polled in an hour; each poll takes no time.
fn simulated_hour(kinds: &[Kind], seed: u64) -> Vec<Vec<Duration>> {
    let start = Instant::now();
    let limits = Limits {
        concurrency: 32,
        ..LIMITS
    };
    let mut schedule = Schedule::new(limits, seed);
    schedule.add(jobs(kinds.len()), Start::Spread, start);
    let mut polls = vec![Vec::new(); kinds.len()];
    let mut now = start;
    while now < start + Duration::from_hours(1) {
        while let Some(job) = schedule.take_due(now) {
            let at: usize = job.id.trim_start_matches("job_").parse().unwrap();
            polls[at].push(now - start);
            schedule.finish(&job, kinds[at].outcome(now - start), now);
        }
        now = schedule.next_due().unwrap();
    }
    polls
}

#[test]
fn in_a_partial_outage_failing_jobs_back_off_whatever_their_neighbours_do() {
    let kinds: Vec<Kind> = (0..50)
        .map(|at| {
            if at % 5 == 0 {
                Kind::ServerError
            } else {
                Kind::Active
            }
        })
        .collect();
    for (kind, polls) in kinds.iter().zip(simulated_hour(&kinds, 7)) {
        match kind {
            Kind::Active => assert!(polls.len() > 320, "{} polls", polls.len()),
            _ => assert!(polls.len() < 60, "{} polls of a failing job", polls.len()),
        }
    }
}

#[test]
fn a_poll_that_succeeds_now_and_then_ends_no_outage_that_never_was() {
    let mut kinds = vec![Kind::Finished; 8];
    kinds.push(Kind::ServerError);
    let polls = simulated_hour(&kinds, 7).pop().unwrap();
    assert!(polls.len() < 45, "{} polls of a failing job", polls.len());
}

#[test]
fn a_job_that_is_mended_in_a_partial_outage_is_seen_again_within_the_longest_back_off() {
    let polls = simulated_hour(&[Kind::Active, Kind::Mended], 7).remove(1);
    let half = Duration::from_mins(30);
    let first = polls.iter().find(|at| **at > half).unwrap();
    assert!(*first < half + MAX_BACKOFF + TICK, "{first:?}");
}

#[test]
fn a_job_that_does_not_exist_backs_off_whatever_the_others_do() {
    let mut now = Instant::now();
    let mut schedule = schedule(4, now);
    let healthy = JobKey::new("p", "job_0");
    let mut polls_of_missing = 0;
    let end = now + Duration::from_mins(30);
    while now < end {
        while let Some(job) = schedule.take_due(now) {
            let outcome = if job == healthy {
                Outcome::Seen(Pace::Active)
            } else {
                polls_of_missing += 1;
                Outcome::Failed {
                    retry_after: None,
                    own_fault: true,
                }
            };
            schedule.finish(&job, outcome, now);
        }
        now = schedule.next_due().unwrap();
    }
    assert!(
        polls_of_missing < 120,
        "{polls_of_missing} polls of three jobs in half an hour"
    );
}

#[test]
fn after_sleep_each_waiting_job_is_polled_once() {
    let now = Instant::now();
    let mut schedule = schedule(4, now);
    for pace in [
        Pace::Active,
        Pace::Finished(Duration::ZERO),
        Pace::Once,
        Pace::Active,
    ] {
        let job = schedule.take_due(now + ACTIVE).unwrap();
        schedule.finish(&job, Outcome::Seen(pace), now);
    }
    let later = now + ACTIVE + Duration::from_secs(1);
    schedule.poll_now(&JobKey::new("p", "job_3"), later);
    assert!(
        schedule.take_due(later).is_some(),
        "one is in flight when the lid closes"
    );
    let woken = now + Duration::from_hours(9);
    schedule.resume(woken);
    let mut polls = Vec::new();
    while let Some(job) = schedule.take_due(woken + TICK) {
        schedule.finish(&job, Outcome::Seen(Pace::Finished(Duration::ZERO)), woken);
        polls.push(job);
    }
    let distinct: HashSet<_> = polls.iter().collect();
    assert_eq!((polls.len(), distinct.len()), (3, 3), "archived jobs rest");
}

#[test]
fn jobs_that_leave_free_their_places_and_are_not_polled_again() {
    let now = Instant::now();
    let mut schedule = schedule(6, now);
    let soon = now + ACTIVE;
    let taken: Vec<_> = std::iter::from_fn(|| schedule.take_due(soon)).collect();
    assert_eq!(taken.len(), LIMITS.concurrency);
    let stays = HashSet::from([taken[0].clone(), JobKey::new("p", "job_5")]);
    schedule.keep_only(&stays);
    schedule.finish(&taken[1], Outcome::Seen(Pace::Active), soon);
    assert_eq!(schedule.take_due(soon), Some(JobKey::new("p", "job_5")));
    assert_eq!(schedule.take_due(soon + MAX_BACKOFF), None);
    schedule.finish(&taken[0], Outcome::Seen(Pace::Active), soon);
    assert_eq!(schedule.take_due(soon + 2 * ACTIVE), Some(taken[0].clone()));
}

#[test]
fn poll_all_asks_for_archived_jobs_too_and_never_doubles_a_poll() {
    let now = Instant::now();
    let mut schedule = schedule(3, now);
    let first = schedule.take_due(now).unwrap();
    schedule.finish(&first, Outcome::Seen(Pace::Once), now);
    let in_flight = schedule.take_due(now + ACTIVE).unwrap();
    schedule.poll_all(now + ACTIVE);
    schedule.poll_now(&in_flight, now + ACTIVE);
    let polled: Vec<_> = std::iter::from_fn(|| schedule.take_due(now + ACTIVE * 2)).collect();
    assert_eq!(polled.len(), 2);
    assert!(!polled.contains(&in_flight) && polled.contains(&first));
}

#[test]
fn intervals_have_a_tenth_of_jitter_so_that_jobs_drift_apart() {
    let now = Instant::now();
    let limits = Limits {
        concurrency: 200,
        ..LIMITS
    };
    let mut schedule = Schedule::new(limits, 5);
    schedule.add(jobs(200), Start::AtOnce, now);
    while let Some(job) = schedule.take_due(now) {
        schedule.finish(&job, Outcome::Seen(Pace::Active), now);
    }
    let mut waits = Vec::new();
    while let Some(due) = schedule.next_due() {
        schedule.take_due(due);
        waits.push(due - now);
    }
    assert_eq!(waits.len(), 200);
    within(
        waits.first().copied(),
        Duration::from_secs(9),
        Duration::from_millis(9_200),
    );
    within(
        waits.last().copied(),
        Duration::from_millis(10_800),
        Duration::from_millis(11_050),
    );
    waits.dedup();
    assert!(waits.len() > 30, "{waits:?}");
}

#[test]
fn what_becomes_due_between_two_ticks_starts_at_the_second() {
    let now = Instant::now();
    let limits = Limits {
        concurrency: 1_000,
        ..LIMITS
    };
    let mut schedule = Schedule::new(limits, 9);
    schedule.add(jobs(1_000), Start::AtOnce, now);
    while let Some(job) = schedule.take_due(now) {
        schedule.finish(
            &job,
            Outcome::Seen(Pace::Active),
            now + Duration::from_micros(123),
        );
    }
    let mut wakes = 0;
    while let Some(due) = schedule.next_due() {
        assert_eq!((due - now).as_nanos() % TICK.as_nanos(), 0);
        while schedule.take_due(due).is_some() {}
        wakes += 1;
    }
    assert!(
        wakes <= 42,
        "{wakes} wakes in the 2 s over which the jobs are due"
    );
}

#[test]
fn what_waits_for_a_place_or_a_person_waits_for_no_tick() {
    let now = Instant::now();
    let between = now + Duration::from_millis(17);
    for start in [Start::AtOnce, Start::Once] {
        let mut schedule = Schedule::new(LIMITS, 9);
        schedule.add(jobs(1), Start::Spread, now);
        schedule.add(jobs(9), start, between);
        for _ in 0..9 {
            // A backlog: each time that a place is free, at whatever moment.
            let job = schedule.take_due(between).expect("at once");
            schedule.finish(&job, Outcome::Seen(Pace::Active), between);
        }
        let by_hand = between + Duration::from_millis(1_006);
        let job = JobKey::new("p", "job_3");
        schedule.poll_now(&job, by_hand);
        assert_eq!(schedule.take_due(by_hand), Some(job));
    }
}

#[test]
fn retry_after_is_never_cut_short_by_a_tick() {
    let now = Instant::now();
    let mut schedule = Schedule::new(LIMITS, 3);
    schedule.add(jobs(2), Start::AtOnce, now);
    let job = schedule.take_due(now).unwrap();
    let hold = Duration::from_micros(1_049_999);
    let outcome = Outcome::Failed {
        retry_after: Some(hold),
        own_fault: false,
    };
    schedule.finish(&job, outcome, now);
    let just_before = now + Duration::from_micros(1_049_998);
    assert_eq!(schedule.take_due(just_before), None);
    let due = schedule.next_due().unwrap();
    assert!(due >= now + hold, "{:?}", due - now);
}

proptest! {
    /// Whatever the mix: no job is polled sooner after a poll than a healthy one would be, not even
    /// when an outage ends.
    #[test]
    fn in_any_mix_no_job_is_polled_more_often_than_its_healthy_pace(
        kinds in prop::collection::vec(
            prop::sample::select(vec![
                Kind::Active, Kind::Finished, Kind::ServerError, Kind::Missing, Kind::Mended,
            ]),
            1..12,
        ),
        seed in any::<u64>(),
    ) {
        for (kind, polls) in kinds.iter().zip(simulated_hour(&kinds, seed)) {
            let interval = match kind {
                Kind::Finished => FINISHED,
                _ => ACTIVE,
            };
            let least = interval.mul_f64(0.9).saturating_sub(TICK);
            let gaps = polls.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
            let early: Vec<_> = gaps.filter(|gap| *gap < least).collect();
            prop_assert!(early.is_empty(), "{kind:?}: {early:?}");
        }
    }

    /// Whatever happens: no poll is doubled, the cap holds, and nothing is ever forgotten.
    #[test]
    fn polls_are_never_doubled_and_jobs_never_lost(
        steps in prop::collection::vec((0_u8..12, 0_u64..20_000), 1..300),
        seed in any::<u64>(),
    ) {
        let mut now = Instant::now();
        let mut schedule = Schedule::new(LIMITS, seed);
        schedule.add(jobs(9), Start::Spread, now);
        let mut in_flight: Vec<JobKey> = Vec::new();
        let mut rng = fastrand::Rng::with_seed(seed);
        for (step, millis) in steps {
            now += Duration::from_millis(millis);
            let some_job = JobKey::new("p", format!("job_{}", rng.usize(0..9)));
            let outcome = match step {
                0 | 1 => Outcome::Seen(Pace::Active),
                2 => Outcome::Seen(Pace::Finished(Duration::ZERO)),
                3 | 4 => Outcome::Failed { retry_after: None, own_fault: false },
                5 => Outcome::Failed { retry_after: Some(Duration::from_millis(millis)), own_fault: false },
                6 => Outcome::Forbidden { retry_after: Some(Duration::from_millis(millis)).filter(|_| millis % 2 == 0) },
                7 => { schedule.poll_now(&some_job, now); continue }
                8 => { schedule.poll_all(now); continue }
                9 => { schedule.resume(now); in_flight.clear(); continue }
                _ => {
                    while let Some(job) = schedule.take_due(now) {
                        prop_assert!(!in_flight.contains(&job), "{job} is doubled");
                        in_flight.push(job);
                        prop_assert!(in_flight.len() <= LIMITS.concurrency);
                    }
                    continue
                }
            };
            if !in_flight.is_empty() {
                let job = in_flight.swap_remove(rng.usize(0..in_flight.len()));
                schedule.finish(&job, outcome, now);
            }
        }
        for job in in_flight.drain(..) {
            schedule.finish(&job, Outcome::Seen(Pace::Active), now);
        }
        now += LONGEST_HOLD;
        let mut seen = HashSet::new();
        while seen.len() < 9 {
            let due = schedule.next_due();
            prop_assert!(due.is_some(), "{} of 9 jobs are left waiting", seen.len());
            now = now.max(due.unwrap_or(now));
            while let Some(job) = schedule.take_due(now) {
                schedule.finish(&job, Outcome::Seen(Pace::Once), now);
                seen.insert(job);
            }
        }
    }
}
