//! The engine by itself, on a clock that the test moves.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::Arc;

use super::super::schedule::Limits;
use super::*;
use crate::board::{Project, Watched};
use crate::job::Status;

thread_local! {
    /// Each test has a thread, and so a clock, of its own.
    static CLOCK: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Stands still until [`advance`].
pub(super) fn now() -> Instant {
    let now = CLOCK.get().unwrap_or_else(Instant::now);
    CLOCK.set(Some(now));
    now
}

fn advance(time: Duration) {
    CLOCK.set(Some(now() + time));
}

fn engine() -> (
    Engine,
    mpsc::UnboundedReceiver<Command>,
    mpsc::UnboundedSender<Command>,
) {
    let limits = Limits {
        active: Duration::from_secs(30),
        finished: Duration::from_secs(30),
        concurrency: 1,
    };
    let config = PollerConfig {
        base_url: "http://127.0.0.1:9".parse().unwrap(),
        timeout: Duration::from_secs(30),
        limits,
        start: Start::AtOnce,
        keys: Vec::new(),
        key_of: HashMap::new(),
        environment: Environment::default(),
        other_jobs: HashSet::default(),
        keys_stay: false,
        memory: None,
    };
    let (commands, received) = mpsc::unbounded_channel();
    let (board, _) = watch::channel(Board::default());
    (
        Engine::new(config, board, commands.downgrade()),
        received,
        commands,
    )
}

#[tokio::test]
async fn a_panic_in_a_poll_ends_the_poller_instead_of_freezing_the_board() {
    let (mut engine, received, _commands) = engine();
    engine
        .in_flight
        .spawn(async { panic!("a fault of the program") });
    let ended = tokio::spawn(engine.run(received)).await;
    assert!(ended.unwrap_err().is_panic());
}

#[tokio::test]
async fn every_consumer_gets_every_event_whatever_the_others_do() {
    let (mut engine, _received, _commands) = engine();
    let key = JobKey::new("p", "a");
    engine
        .board
        .send_modify(|board| board.set_watched([watched(&key)]));
    let [mut quick, mut slow, gone] = [(); 3].map(|()| {
        let (consumer, events) = mpsc::unbounded_channel();
        engine.handle_command(Command::Subscribe(consumer));
        events
    });
    drop(gone);
    for status in [Status::Active, Status::Failed, Status::Active] {
        let job = Job {
            status: Some(status),
            ..Job::default()
        };
        engine.seen(&key, job);
        let _ = quick.try_recv();
    }
    drop(engine);
    let left: Vec<String> = std::iter::from_fn(|| slow.try_recv().ok())
        .map(|event| event.change.to_string())
        .collect();
    assert_eq!(left, ["active to failed", "failed to active"]);
    assert!(quick.recv().await.is_none(), "a queue ends with the poller");
}

fn watched(key: &JobKey) -> Watched {
    Watched {
        key: key.clone(),
        project: Arc::new(Project {
            id: key.project.clone(),
            name: None,
        }),
        label: None,
        tags: Vec::new(),
    }
}

#[tokio::test]
async fn the_poller_ends_with_its_last_asker() {
    let (engine, received, commands) = engine();
    drop(commands);
    tokio::spawn(engine.run(received)).await.unwrap();
}

const ACTIVE: Duration = Duration::from_secs(10);

/// Projects `p` and `q`, two jobs each, by these keys, at this interval.
fn two_projects(keys: [&str; 2], active: Duration) -> (Vec<Watched>, PollerConfig) {
    let jobs = ["p/a", "p/b", "q/a", "q/b"].map(|job| job.split_once('/').unwrap());
    let watched = jobs.map(|(project, id)| watched(&JobKey::new(project, id)));
    let slots = keys.map(|key| KeySlot {
        source: KeySource::Env(format!("KEY_OF_{key}")),
        key: Ok(ApiKey::parse(key).unwrap()),
    });
    let config = PollerConfig {
        base_url: "http://127.0.0.1:9".parse().unwrap(),
        timeout: Duration::from_secs(20),
        limits: Limits {
            active,
            finished: 30 * active,
            concurrency: 9,
        },
        start: Start::Spread,
        keys: slots.into(),
        key_of: [("p".into(), 0), ("q".into(), 1)].into(),
        environment: Environment::default(),
        other_jobs: HashSet::default(),
        keys_stay: false,
        memory: None,
    };
    (watched.into(), config)
}

/// An engine at work on [`two_projects`], and its commands.
fn engine_at_work(
    keys: [&str; 2],
) -> (
    Engine,
    [mpsc::UnboundedSender<Command>; 1],
    mpsc::UnboundedReceiver<Command>,
) {
    let (watched, config) = two_projects(keys, ACTIVE);
    let (commands, received) = mpsc::unbounded_channel();
    let (board, _) = watch::channel(Board::new(watched));
    let mut engine = Engine::new(config, board, commands.downgrade());
    engine.renew_connections();
    engine.schedule_all();
    (engine, [commands], received)
}

/// Lets so much time pass in which each poll that is due is answered at once with an active job, and
/// returns what was polled.
fn polled_within(engine: &mut Engine, time: Duration) -> Vec<String> {
    let end = now() + time;
    let mut polled = Vec::new();
    loop {
        engine.start_due();
        let rows: Vec<JobKey> = {
            let board = engine.board.borrow();
            let polling = board.rows().iter().filter(|row| row.polling);
            polling.map(|row| row.key().clone()).collect()
        };
        for job in rows {
            polled.push(job.to_string());
            let active = Job {
                status: Some(Status::Active),
                ..Job::default()
            };
            engine.seen(&job, active);
        }
        if now() >= end {
            polled.sort();
            return polled;
        }
        advance(Duration::from_millis(50));
    }
}

#[tokio::test]
async fn a_reload_of_an_interval_asks_for_no_job_more_often_than_its_pace() {
    let (mut engine, _commands, _received) = engine_at_work(["mint_p", "mint_q"]);
    let mut polled = polled_within(&mut engine, Duration::from_secs(1));
    assert_eq!(polled.len(), 4);
    for edit in 0..60 {
        let active = ACTIVE + Duration::from_secs(edit % 2);
        let (watched, config) = two_projects(["mint_p", "mint_q"], active);
        engine.handle_command(Command::Restart(watched, Box::new(config)));
        polled.extend(polled_within(&mut engine, Duration::from_millis(200)));
    }
    assert!((8..=12).contains(&polled.len()), "{polled:?}");
}

#[tokio::test]
async fn a_shorter_interval_is_kept_from_the_last_poll_on() {
    let (mut engine, _commands, _received) = engine_at_work(["mint_p", "mint_q"]);
    let (watched, config) = two_projects(["mint_p", "mint_q"], 60 * ACTIVE);
    engine.handle_command(Command::Restart(watched, Box::new(config)));
    assert_eq!(polled_within(&mut engine, 3 * ACTIVE).len(), 4);
    let (watched, config) = two_projects(["mint_p", "mint_q"], ACTIVE);
    engine.handle_command(Command::Restart(watched, Box::new(config)));
    let polled = polled_within(&mut engine, ACTIVE / 2);
    assert_eq!(
        polled.len(),
        4,
        "they were due by the new interval: {polled:?}"
    );
}

#[tokio::test]
async fn a_reload_polls_at_once_only_what_is_new_or_has_another_key() {
    let (mut engine, _commands, _received) = engine_at_work(["mint_p", "mint_q"]);
    polled_within(&mut engine, Duration::from_secs(1));
    let (mut watched, config) = two_projects(["mint_p", "mint_other"], ACTIVE);
    watched.insert(0, self::watched(&JobKey::new("p", "new")));
    engine.handle_command(Command::Restart(watched.clone(), Box::new(config)));
    let polled = polled_within(&mut engine, Duration::from_secs(1));
    assert_eq!(polled, ["p/new", "q/a", "q/b"]);

    let (_, mut config) = two_projects(["mint_p", "mint_other"], ACTIVE);
    config.base_url = "http://127.0.0.1:10".parse().unwrap();
    engine.handle_command(Command::Restart(watched, Box::new(config)));
    let polled = polled_within(&mut engine, Duration::from_secs(1));
    assert_eq!(polled, ["p/a", "p/b", "p/new", "q/a", "q/b"]);
}

#[tokio::test]
async fn a_key_that_was_refused_stays_refused_through_a_reload_until_it_is_another() {
    let (mut engine, _commands, _received) = engine_at_work(["mint_p", "mint_q"]);
    polled_within(&mut engine, Duration::from_secs(1));
    let refused = Failure::new(ErrorKind::Auth, "the key was refused");
    engine.suspend_key(1, &refused, Log::Never);
    let (mut watched, config) = two_projects(["mint_p", "mint_q"], 2 * ACTIVE);
    watched.push(self::watched(&JobKey::new("q", "new")));
    engine.handle_command(Command::Restart(watched.clone(), Box::new(config)));
    let polled = polled_within(&mut engine, 2 * ACTIVE);
    assert!(polled.iter().all(|job| job.starts_with("p/")), "{polled:?}");
    let new = engine.board.borrow().row(&JobKey::new("q", "new")).cloned();
    let why = new.unwrap().error;
    assert_eq!(why, Some(refused), "a new row says why it is not polled");

    let (_, config) = two_projects(["mint_p", "mint_better"], 2 * ACTIVE);
    engine.handle_command(Command::Restart(watched, Box::new(config)));
    let polled = polled_within(&mut engine, Duration::from_secs(1));
    assert_eq!(polled, ["q/a", "q/b", "q/new"]);
}

#[tokio::test]
async fn a_reply_to_a_poll_that_was_given_up_changes_nothing() {
    let (mut engine, _commands, _received) = engine_at_work(["mint_p", "mint_q"]);
    engine.start_due();
    let job = JobKey::new("p", "a");
    let given_up = engine.polls[&job].id();
    let (watched, config) = two_projects(["mint_better", "mint_q"], ACTIVE);
    engine.handle_command(Command::Restart(watched, Box::new(config)));
    assert!(!engine.board.borrow().row(&job).unwrap().polling);
    advance(Duration::from_secs(1));
    engine.start_due();
    let late = (
        job.clone(),
        ApiKey::parse("mint_p").unwrap(),
        Ok((Job::default(), None)),
    );
    engine.handle_reply(Ok((given_up, late)));
    let row = engine.board.borrow().row(&job).cloned().unwrap();
    assert!(row.polling && row.fetched_at.is_none());
}

#[tokio::test]
async fn a_held_key_polls_each_job_once_a_second_at_most() {
    let (mut engine, _commands, _received) = engine_at_work(["mint_p", "mint_q"]);
    let mut polled = Vec::new();
    for _ in 0..200 {
        engine.handle_command(Command::PollAll);
        polled.extend(polled_within(&mut engine, Duration::from_millis(50)));
    }
    for job in ["p/a", "p/b", "q/a", "q/b"] {
        let polls = polled.iter().filter(|polled| *polled == job).count();
        assert!((8..=11).contains(&polls), "{polls} polls of {job}");
    }
}

#[tokio::test]
async fn a_held_key_looks_for_a_lost_key_every_five_seconds_at_most() {
    let (mut engine, _commands, _received) = engine_at_work(["mint_p", "mint_q"]);
    engine.schedule.refuse_key(0);
    let mut searches = HashSet::new();
    for _ in 0..200 {
        engine.handle_command(Command::PollAll);
        searches.insert(engine.key_searches[&0].id());
        advance(Duration::from_millis(50));
    }
    let searches = searches.len();
    assert!((2..=3).contains(&searches), "{searches} searches in 10 s");
}

#[tokio::test]
async fn a_search_for_a_key_that_has_left_the_config_ends_without_effect() {
    let (mut engine, _commands, mut received) = engine_at_work(["mint_p", "mint_q"]);
    engine.look_for_key(1, true, Duration::ZERO);
    let found = received.recv().await.unwrap();
    let (watched, mut config) = two_projects(["mint_p", "mint_q"], ACTIVE);
    config.keys.pop();
    config.key_of.remove(&ProjectId::from("q"));
    engine.handle_command(Command::Restart(watched, Box::new(config)));
    engine.handle_command(found);
}
