//! The store, on a real file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::event::Change;
use crate::failure::ErrorKind;
use crate::job::Status;
use crate::pull_request::PullRequest;

const SERVER: &str = "https://api.test";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("state/store.db")
    }

    fn open(&self) -> Database {
        let (database, opened) = Database::open(&self.path(), SERVER).unwrap();
        assert_eq!(opened, Opened::default());
        database
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + seconds).unwrap()
}

fn job(status: Status) -> Job {
    Job {
        status: Some(status),
        branch: Some("mintlify/sdk".into()),
        created_at: Some(at(0)),
        ..Job::default()
    }
}

fn saw(id: &str, job: Job, seconds: i64) -> Sighting {
    Sighting {
        key: JobKey::new("p", id),
        at: at(seconds),
        job,
        is_late: false,
    }
}

fn late(sighting: Sighting) -> Sighting {
    Sighting {
        is_late: true,
        ..sighting
    }
}

fn status(from: Status, to: Status) -> Change {
    let (from, to) = (Some(from), Some(to));
    Change::Status { from, to }
}

#[test]
fn what_is_stored_is_there_in_the_next_run() {
    let folder = Folder::new();
    let done = Job {
        pull_request: Some(PullRequest::new("https://github.com/acme/docs/pull/412")),
        model: Some("sonnet".into()),
        repository: Some("https://github.com/acme/docs".into()),
        archived_at: Some(at(9)),
        ..job(Status::Completed)
    };
    let mut database = folder.open();
    assert_eq!(
        database
            .record(vec![saw("a", job(Status::Active), 1)])
            .unwrap(),
        []
    );
    let events = database.record(vec![saw("a", done.clone(), 5)]).unwrap();
    let changes: Vec<_> = events
        .iter()
        .map(|event| event.event.change.clone())
        .collect();
    let link = done.pull_request.clone().unwrap();
    let want = [
        status(Status::Active, Status::Completed),
        Change::PullRequest(link),
    ];
    assert_eq!(changes, want);
    drop(database);

    let database = folder.open();
    let stored = StoredJob {
        key: JobKey::new("p", "a"),
        job: done,
        fetched_at: at(5),
        changed_at: Some(at(5)),
        progress: Progress {
            started_at: Some(at(0)),
            finished_at: Some(at(5)),
            finished_by: Some(at(5)),
        },
        acknowledged: None,
        error: None,
    };
    assert_eq!(events[0].ran, Some(Duration::from_secs(5)));
    assert_eq!(events[1].ran, None);
    assert_eq!(database.jobs().unwrap(), [stored]);
    assert_eq!(database.events(at(0), 9).unwrap(), events);
    assert_eq!(database.events(at(6), 9).unwrap(), []);
}

#[test]
fn its_file_is_for_the_user_alone() {
    let folder = Folder::new();
    drop(folder.open());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.path()), 0o600);
    assert_eq!(mode(folder.path().parent().unwrap()), 0o700);
}

#[test]
fn jobs_of_another_server_are_others() {
    let folder = Folder::new();
    folder
        .open()
        .record(vec![saw("a", job(Status::Active), 1)])
        .unwrap();
    let (mut other, _) = Database::open(&folder.path(), "https://other.test").unwrap();
    assert_eq!(other.jobs().unwrap(), []);
    assert_eq!(
        other
            .record(vec![saw("a", job(Status::Failed), 2)])
            .unwrap(),
        []
    );
    assert_eq!(folder.open().jobs().unwrap()[0].job, job(Status::Active));
}

#[test]
fn of_two_runs_that_see_a_change_one_records_it() {
    let folder = Folder::new();
    let (mut one, mut other) = (folder.open(), folder.open());
    one.record(vec![saw("a", job(Status::Active), 1)]).unwrap();
    let failed = saw("a", job(Status::Failed), 2);
    assert_eq!(one.record(vec![failed.clone()]).unwrap().len(), 1);
    let later = Sighting {
        at: at(3),
        ..failed
    };
    assert_eq!(other.record(vec![later]).unwrap(), []);
    // One that was on its way for long changes nothing back.
    let late = saw("a", job(Status::Active), 1);
    assert_eq!(other.record(vec![late]).unwrap(), []);
    assert_eq!(one.events(at(0), 9).unwrap().len(), 1);
    assert_eq!(one.jobs().unwrap()[0].job.status, Some(Status::Failed));
}

#[test]
fn what_changed_while_no_run_was_watching_says_since_when_it_can_have() {
    let folder = Folder::new();
    let mut database = folder.open();
    database
        .record(vec![saw("a", job(Status::Active), 1)])
        .unwrap();
    database.touch(&[(JobKey::new("p", "a"), at(60))]).unwrap();
    let found = database
        .record(vec![late(saw("a", job(Status::Failed), 9_000))])
        .unwrap();
    assert_eq!(found[0].event.since, Some(at(60)));
    assert_eq!(found[0].event.at, at(9_000));
    let found = database
        .record(vec![saw("a", job(Status::Active), 9_010)])
        .unwrap();
    assert_eq!(found[0].event.since, None);
    assert_eq!(database.jobs().unwrap()[0].progress.finished_at, None);
}

#[test]
fn a_finish_that_was_not_seen_has_no_time() {
    let folder = Folder::new();
    let mut database = folder.open();
    database
        .record(vec![saw("a", job(Status::Completed), 1)])
        .unwrap();
    database
        .record(vec![saw("a", job(Status::Archived), 2)])
        .unwrap();
    assert_eq!(database.jobs().unwrap()[0].progress.finished_at, None);
    database
        .record(vec![saw("a", job(Status::Active), 3)])
        .unwrap();
    database
        .record(vec![saw("a", job(Status::Failed), 4)])
        .unwrap();
    database
        .record(vec![saw("a", job(Status::Archived), 5)])
        .unwrap();
    assert_eq!(
        database.jobs().unwrap()[0].progress.finished_at,
        Some(at(4))
    );
}

#[test]
fn events_are_bounded_in_age() {
    let folder = Folder::new();
    let mut database = folder.open();
    for (second, status) in [
        (1, Status::Active),
        (2, Status::Failed),
        (3, Status::Active),
    ] {
        database
            .record(vec![saw("a", job(status), second)])
            .unwrap();
    }
    database.prune(at(3)).unwrap();
    assert_eq!(database.events(at(0), 9).unwrap().len(), 1);
}

#[test]
fn a_file_that_is_no_database_is_moved_aside() {
    let folder = Folder::new();
    fs::create_dir(folder.path().parent().unwrap()).unwrap();
    fs::write(folder.path(), "not a database ".repeat(1_000)).unwrap();
    let (database, opened) = Database::open(&folder.path(), SERVER).unwrap();
    assert_eq!(database.jobs().unwrap(), []);
    let moved = opened.moved_to.unwrap();
    assert!(moved.ends_with("store.db.corrupt"));
    assert!(fs::read_to_string(moved).unwrap().starts_with("not a"));
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let folder = Folder::new();
    let database = folder.open();
    database
        .connection
        .pragma_update(None, "user_version", 99)
        .unwrap();
    drop(database);
    let before = fs::read(folder.path()).unwrap();
    let error = Database::open(&folder.path(), SERVER).unwrap_err();
    assert!(
        error.to_string().contains("newer mintwatch (schema 99)"),
        "{error}"
    );
    assert_eq!(fs::read(folder.path()).unwrap(), before);
}

#[test]
fn a_place_that_cannot_be_written_is_said() {
    let folder = Folder::new();
    fs::write(folder.0.path().join("state"), "").unwrap();
    let error = Database::open(&folder.path(), SERVER).unwrap_err();
    assert!(
        error.to_string().contains("nothing is remembered"),
        "{error}"
    );
}

/// Somebody else can write the file.
#[test]
fn what_others_have_written_is_cleaned_or_passed_over() {
    let folder = Folder::new();
    let mut database = folder.open();
    database
        .record(vec![
            saw("a", job(Status::Active), 1),
            saw("b", job(Status::Active), 1),
        ])
        .unwrap();
    database
        .connection
        .execute_batch(
            "UPDATE jobs SET branch = 'a' || char(27) || '[31m', model = x'ff00', created_at = 9e99,
                 changed_at = 9223372036854775807, pull_request = 'javascript:alert(1)'
             WHERE job = 'a';
             UPDATE jobs SET fetched_at = 'yesterday' WHERE job = 'b';
             INSERT INTO events (at, base_url, project, job, kind) VALUES
                 (-9223372036854775807, 'https://api.test', 'p', 'a', 'status'),
                 (1, 'https://api.test', 'p', 'a', 'nonsense');",
        )
        .unwrap();
    let jobs = database.jobs().unwrap();
    assert_eq!(jobs.len(), 1);
    let job = &jobs[0].job;
    assert!(!job.branch.as_ref().unwrap().contains('\u{1b}'));
    assert_eq!(
        (&job.model, job.created_at, jobs[0].changed_at),
        (&None, None, None)
    );
    assert!(job.pull_request.as_ref().unwrap().link().is_err());
    assert_eq!(database.events(Timestamp::MIN, 9).unwrap(), []);
    // It is written over as any other.
    database.record(vec![saw("b", Job::default(), 9)]).unwrap();
}

#[test]
fn a_locked_file_is_an_error_and_not_an_endless_wait() {
    let folder = Folder::new();
    let (mut one, mut other) = (folder.open(), folder.open());
    other.connection.busy_timeout(Duration::ZERO).unwrap();
    let held = one.begin().unwrap();
    assert!(
        other
            .record(vec![saw("a", job(Status::Active), 1)])
            .is_err()
    );
    drop(held);
    assert!(other.record(vec![saw("a", job(Status::Active), 1)]).is_ok());
}

fn store(database: &mut Database, batch: &Batch) {
    assert_eq!(database.store(batch).unwrap(), []);
}

#[test]
fn a_store_of_the_first_schema_becomes_the_newest() {
    let folder = Folder::new();
    fs::create_dir(folder.path().parent().unwrap()).unwrap();
    fs::write(folder.path(), include_bytes!("../../tests/stores/v1.db")).unwrap();
    for _ in 0..2 {
        let database = folder.open();
        let jobs = database.jobs().unwrap();
        let finished = jobs.iter().map(|job| job.progress.finished_at);
        assert_eq!(finished.collect::<Vec<_>>(), [Some(at(5)), None]);
        assert_eq!(jobs[0].progress.finished_by, Some(at(5)));
        assert_eq!(jobs[0].job.branch.as_deref(), Some("mintlify/sdk"));
        let events = database.events(at(0), 9).unwrap();
        let since = events.iter().map(|event| event.event.since);
        assert_eq!(since.collect::<Vec<_>>(), [Some(at(1)), Some(at(1))]);
    }
    // All that the newest schema has can be stored in it.
    store(
        &mut folder.open(),
        &Batch {
            sightings: vec![saw("b", job(Status::Active), 9)],
            failures: HashMap::from([(
                JobKey::new("p", "b"),
                Failure::new(ErrorKind::Timeout, "late"),
            )]),
            acknowledgements: vec![acknowledged("b", Status::Active)],
            seen_at: Some(at(9)),
            watched: Some(("/config.toml".into(), HashSet::new())),
        },
    );
}

fn acknowledged(id: &str, status: Status) -> Acknowledgement {
    Acknowledgement {
        key: JobKey::new("p", id),
        seen: Some(Fingerprint::from(&job(status))),
    }
}

#[test]
fn what_is_acknowledged_stays_so_until_the_job_changes() {
    let folder = Folder::new();
    let mut database = folder.open();
    let is_acknowledged = |database: &Database| {
        let stored = database.jobs().unwrap()[0].acknowledged.is_some();
        assert_eq!(database.acknowledged().unwrap().len(), usize::from(stored));
        stored
    };
    let failed = || vec![saw("a", job(Status::Failed), 1)];
    database.record(failed()).unwrap();
    let acknowledge = || Batch {
        acknowledgements: vec![acknowledged("a", Status::Failed)],
        ..Batch::default()
    };
    store(&mut database, &acknowledge());
    assert!(is_acknowledged(&folder.open()));
    database
        .record(vec![saw("a", job(Status::Failed), 2)])
        .unwrap();
    assert!(is_acknowledged(&database));
    // What it was before it changed is not what it is after it has changed back.
    database
        .record(vec![saw("a", job(Status::Active), 3)])
        .unwrap();
    database
        .record(vec![saw("a", job(Status::Failed), 4)])
        .unwrap();
    assert!(!is_acknowledged(&database));
    // The job has changed since the user has looked.
    database
        .record(vec![saw("a", job(Status::Active), 5)])
        .unwrap();
    store(&mut database, &acknowledge());
    assert!(!is_acknowledged(&database));

    database
        .record(vec![saw("a", job(Status::Failed), 6)])
        .unwrap();
    store(&mut database, &acknowledge());
    let taken_back = Acknowledgement {
        key: JobKey::new("p", "a"),
        seen: None,
    };
    store(
        &mut database,
        &Batch {
            acknowledgements: vec![taken_back],
            ..Batch::default()
        },
    );
    assert!(!is_acknowledged(&database));
}

#[test]
fn the_last_error_is_stored_until_a_poll_succeeds() {
    let folder = Folder::new();
    let mut database = folder.open();
    let failure = Failure::new(ErrorKind::NotFound, "no such job");
    database
        .record(vec![saw("a", job(Status::Active), 1)])
        .unwrap();
    store(
        &mut database,
        &Batch {
            failures: HashMap::from([(JobKey::new("p", "a"), failure.clone())]),
            ..Batch::default()
        },
    );
    assert_eq!(database.jobs().unwrap()[0].error, Some(failure));
    database
        .record(vec![saw("a", job(Status::Active), 2)])
        .unwrap();
    assert_eq!(database.jobs().unwrap()[0].error, None);
}

#[test]
fn the_mark_of_what_was_seen_only_moves_on() {
    let folder = Folder::new();
    let mut database = folder.open();
    for (second, want) in [(5, 5), (3, 5), (8, 8)] {
        store(
            &mut database,
            &Batch {
                seen_at: Some(at(second)),
                ..Batch::default()
            },
        );
        assert_eq!(folder.open().seen_at().unwrap(), Some(at(want)));
    }
}

#[test]
fn each_config_has_jobs_of_its_own_and_what_none_lists_is_forgotten() {
    let folder = Folder::new();
    let mut database = folder.open();
    let saw = ["a", "b", "c"].map(|id| saw(id, job(Status::Active), 1));
    database.record(saw.to_vec()).unwrap();
    let watch = |config: &str, ids: &[&str]| Batch {
        watched: Some((
            config.to_owned(),
            ids.iter().map(|id| JobKey::new("p", *id)).collect(),
        )),
        ..Batch::default()
    };
    store(&mut database, &watch("/one", &["a", "b"]));
    store(&mut database, &watch("/other", &["b", "never seen"]));
    let ids = |config| {
        let jobs = database.watched_jobs(config).unwrap();
        let ids = jobs.iter().map(|job| job.key.id.to_string());
        ids.collect::<Vec<_>>().join(" ")
    };
    assert_eq!([ids("/one"), ids("/other"), ids("/no")], ["a b", "b", ""]);
    store(&mut database, &watch("/one", &["b"]));
    database.prune(at(1)).unwrap();
    assert_eq!(database.jobs().unwrap().len(), 3);
    database.prune(at(2)).unwrap();
    let left = database.jobs().unwrap();
    assert_eq!(
        left.iter().map(|job| &*job.key.id).collect::<Vec<_>>(),
        ["b"]
    );
}

#[test]
fn a_full_disk_is_an_error_that_tears_nothing() {
    let folder = Folder::new();
    let mut database = folder.open();
    database
        .record(vec![saw("a", job(Status::Active), 1)])
        .unwrap();
    let pages: i64 = database
        .connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    database
        .connection
        .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
        .unwrap();
    let many = (0..500).map(|n| saw(&format!("job_{n}"), job(Status::Failed), 2));
    let mut many: Vec<_> = many.collect();
    many.insert(0, saw("a", job(Status::Failed), 2));
    let error = database.record(many).unwrap_err();
    assert_eq!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DiskFull)
    );
    // Not the one job that had room either.
    assert_eq!(database.jobs().unwrap()[0].job, job(Status::Active));
    assert_eq!(database.events(at(0), 9).unwrap(), []);
}
