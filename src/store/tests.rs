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
fn to_open_a_store_writes_nothing() {
    let folder = Folder::new();
    let saw = vec![saw("a", job(Status::Active), 1)];
    folder.open().record(saw).unwrap();
    let before = fs::read(folder.path()).unwrap();
    let mut database = folder.open();
    database.prune(at(0)).unwrap();
    // Nor has it to wait for a run that writes.
    let held = database.begin().unwrap();
    assert_eq!(folder.open().jobs().unwrap().len(), 1);
    drop(held);
    assert_eq!(fs::read(folder.path()).unwrap(), before);
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
    let touched = HashMap::from([(JobKey::new("p", "a"), at(60))]);
    database.touch(&touched).unwrap();
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
    assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
}

/// What opening it to read says, and whether the folder is as before.
fn read_only(folder: &Folder) -> String {
    let before = fs::read(folder.path()).ok();
    let opened = Database::open_read_only(&folder.path(), SERVER, Duration::ZERO);
    assert_eq!(fs::read(folder.path()).ok(), before);
    opened.map_or_else(
        |error| error.to_string(),
        |database| format!("{} jobs", database.jobs().unwrap().len()),
    )
}

#[test]
fn to_be_read_a_store_stays_as_it_is() {
    let folder = Folder::new();
    let said = read_only(&folder);
    assert!(said.contains("nothing is stored yet"), "{said}");
    assert!(!folder.path().parent().unwrap().exists());
    fs::create_dir(folder.path().parent().unwrap()).unwrap();
    for (bytes, want) in [
        (&b""[..], "older mintwatch"),
        (
            include_bytes!("../../tests/stores/v1.db"),
            "older mintwatch",
        ),
        (&b"not a database ".repeat(99), "not a database"),
    ] {
        fs::write(folder.path(), bytes).unwrap();
        let said = read_only(&folder);
        assert!(said.contains(want), "{said}");
    }
    fs::remove_file(folder.path()).unwrap();
    let mut database = folder.open();
    database
        .record(vec![saw("a", job(Status::Active), 1)])
        .unwrap();
    assert_eq!(read_only(&folder), "1 jobs");
    // A reader waits for nobody who only begins to write.
    let held = database.begin().unwrap();
    assert_eq!(read_only(&folder), "1 jobs");
    drop(held);
    let newer = |database: &Database| {
        let pragma = database.connection.pragma_update(None, "user_version", 99);
        pragma.unwrap();
    };
    newer(&database);
    assert!(read_only(&folder).contains("newer mintwatch (schema 99)"));
}

#[test]
fn what_is_opened_to_be_read_cannot_be_changed() {
    let folder = Folder::new();
    drop(folder.open());
    let mut database = Database::open_read_only(&folder.path(), SERVER, PATIENCE).unwrap();
    let sighting = saw("a", job(Status::Active), 1);
    assert!(database.record(vec![sighting]).is_err());
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
             INSERT INTO jobs (base_url, project, job, fetched_at)
                 VALUES ('https://api.test', 'p', 'gone' || char(27) || '[31m', 5);
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
            watched: Some(HashSet::new()),
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
fn the_mark_of_what_was_seen_is_where_the_user_set_it_last() {
    let folder = Folder::new();
    let mut database = folder.open();
    for (second, want) in [(5, 5), (3, 3), (8, 8)] {
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
    let watch = |ids: &[&str]| Batch {
        watched: Some(ids.iter().map(|id| JobKey::new("p", *id)).collect()),
        seen_at: Some(at(1)),
        ..Batch::default()
    };
    store(&mut folder.open().of_config("/one"), &watch(&["a", "b"]));
    store(
        &mut folder.open().of_config("/other"),
        &watch(&["b", "never seen"]),
    );
    let changed = ["a", "b", "c"].map(|id| super::tests::saw(id, job(Status::Failed), 1));
    database.record(changed.to_vec()).unwrap();
    let told = |config: &str| {
        let database = folder.open().of_config(config);
        let events = database.events(at(0), 9).unwrap();
        let ids = events.iter().map(|event| event.event.key.id.to_string());
        (
            ids.collect::<Vec<_>>().join(" "),
            database.seen_at().unwrap(),
        )
    };
    // What no config lists is told by all: it has been in one of them.
    assert_eq!(told("/one"), ("a b c".into(), Some(at(1))));
    assert_eq!(told("/other"), ("b c".into(), Some(at(1))));
    assert_eq!(told("/new"), ("c".into(), None));
    store(&mut folder.open().of_config("/one"), &watch(&["b"]));
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

/// What stands where the store is to be.
fn stands(folder: &Folder, bytes: &[u8]) {
    fs::create_dir_all(folder.path().parent().unwrap()).unwrap();
    fs::write(folder.path(), bytes).unwrap();
}

#[test]
fn a_file_that_was_cut_is_moved_aside_and_an_empty_one_is_a_new_one() {
    let folder = Folder::new();
    let many = (0..500).map(|n| saw(&format!("job_{n}"), job(Status::Failed), 2));
    folder.open().record(many.collect()).unwrap();
    let whole = fs::read(folder.path()).unwrap();
    for length in [99, 100, 512, 4_095, 4_096, 10_000, whole.len() - 4_096] {
        stands(&folder, &whole[..length]);
        let (mut database, opened) = Database::open(&folder.path(), SERVER).unwrap();
        let moved = opened
            .moved_to
            .unwrap_or_else(|| panic!("{length} is sound"));
        assert_eq!(fs::read(moved).unwrap(), whole[..length]);
        assert_eq!(database.jobs().unwrap(), []);
        let saw = vec![saw("a", job(Status::Active), 1)];
        database.record(saw).unwrap();
    }
    stands(&folder, b"");
    assert_eq!(folder.open().jobs().unwrap(), []);
}

#[test]
fn what_another_program_has_made_is_left_alone() {
    for foreign in [
        "CREATE TABLE jobs (id INTEGER PRIMARY KEY, queue TEXT)",
        "CREATE TABLE notes (text TEXT); PRAGMA journal_mode = WAL",
        "CREATE TABLE notes (text TEXT); PRAGMA user_version = 1",
        "CREATE TABLE jobs (id INTEGER); CREATE TABLE events (kind TEXT); PRAGMA user_version = 2",
    ] {
        let folder = Folder::new();
        stands(&folder, b"");
        let other = Connection::open(folder.path()).unwrap();
        other.execute_batch(foreign).unwrap();
        other.close().unwrap();
        let before = fs::read(folder.path()).unwrap();
        let error = Database::open(&folder.path(), SERVER).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("the database of another program"), "{error}");
        assert_eq!(fs::read(folder.path()).unwrap(), before, "{foreign}");
        let StoreState::Unreadable(why) = check(&folder.path()).state else {
            panic!("{foreign} is sound");
        };
        assert_eq!(why, "it is the database of another program");
    }
}

#[test]
fn what_is_no_file_is_left_alone() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path().join("in it")).unwrap();
    let error = Database::open(&folder.path(), SERVER).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("it is not a regular file"), "{error}");
    assert!(folder.path().join("in it").exists());
}

/// Somebody else has filled every column with the worst that it can hold.
#[test]
fn the_worst_that_others_can_write_is_cleaned_capped_and_survived() {
    let folder = Folder::new();
    let mut database = folder.open();
    let text =
        "char(27) || ']0;x' || char(7) || replace(hex(zeroblob(50000)), '0', char(8238, 955))";
    let row = |job: &str, text: &str, number: &str| {
        format!(
            "INSERT INTO jobs VALUES ('{SERVER}', 'p', '{job}', {text}, {text}, {text}, {text},
                 {text}, {number}, {number}, {number}, {number}, {number}, {number}, {number});
             INSERT INTO errors VALUES ('{SERVER}', 'p', '{job}', 'timeout', {text});
             INSERT INTO acknowledgements VALUES ('{SERVER}', 'p', '{job}', {text});
             INSERT INTO events (at, since, base_url, project, job, kind, before, after, ran)
                 VALUES ({number}, {number}, '{SERVER}', 'p', '{job}', 'status', {text}, {text}, {number}),
                     ({number}, {number}, '{SERVER}', 'p', '{job}', 'pull_request', {text}, {text}, {number}),
                     (1, 1, '{SERVER}', 'p', '{job}', {text}, {number}, {number}, {text});"
        )
    };
    for (at, number) in [
        "9223372036854775807",
        "-9223372036854775808",
        "253402207200999",
        "-1",
        "9e999",
        "x'00ff'",
        "'now'",
        "0",
    ]
    .into_iter()
    .enumerate()
    {
        let rows =
            row(&format!("job_{at}"), text, number) + &row(&format!("job_1{at}"), number, number);
        database.connection.execute_batch(&rows).unwrap();
    }
    database
        .connection
        .execute_batch(&format!(
            "INSERT INTO marks VALUES ('', '{SERVER}', 9223372036854775807);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 60000)
             INSERT INTO events (at, base_url, project, job, kind, after, ran)
                 SELECT i, '{SERVER}', 'p', 'job_' || i, 'status', 'failed', -i FROM n;
             WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 100000)
             INSERT INTO watched SELECT '/c', '{SERVER}', 'p', 'job_' || i FROM n;"
        ))
        .unwrap();
    let jobs = database.jobs().unwrap();
    assert!(!jobs.is_empty());
    for stored in &jobs {
        let Job {
            status,
            repository,
            branch,
            model,
            pull_request,
            ..
        } = &stored.job;
        let status = status.as_ref().map(Status::as_str);
        let link = pull_request.as_ref().map(PullRequest::as_str);
        let error = stored.error.as_ref().map(|error| &*error.message);
        let seen = stored.acknowledged.as_ref().map(Fingerprint::as_str);
        let texts = [repository, branch, model].map(Option::as_deref);
        for text in texts
            .into_iter()
            .chain([status, link, error, seen])
            .flatten()
        {
            assert_eq!(crate::text::clean(text), *text);
        }
        let opened = pull_request.as_ref().map(PullRequest::link);
        assert!(opened.is_none_or(|link| link.is_err()));
        let words = stored.progress.ran().map(crate::time::duration_in_words);
        assert!(words.is_none_or(|words| words.len() < 30));
    }
    assert_eq!(database.seen_at().unwrap(), None);
    assert!(!database.acknowledged().unwrap().is_empty());
    for event in database.events(Timestamp::MIN, usize::MAX).unwrap() {
        let words = event.ran.map(crate::time::duration_in_words);
        assert!(words.is_none_or(|words| words.len() < 30));
    }
    database.prune(Timestamp::MIN).unwrap();
    let count = "SELECT count(*) FROM events";
    let left: u32 = database
        .connection
        .query_row(count, [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 50_000);
    // All of it is written over as any other.
    let saw = jobs.iter().map(|stored| Sighting {
        key: stored.key.clone(),
        ..saw("", job(Status::Failed), 9)
    });
    database.record(saw.collect()).unwrap();
}

#[test]
fn a_summary_counts_what_one_config_lists_and_is_as_old_as_what_still_changes() {
    let folder = Folder::new();
    let mut database = folder.open();
    let link = Some(PullRequest::new("https://github.com/acme/docs/pull/1"));
    let review = Job {
        pull_request: link,
        ..job(Status::Completed)
    };
    let key = |id| JobKey::new("p", id);
    let listed = ["a", "b", "c", "d", "e", "never"].map(key);
    let sightings = vec![
        saw("b", job(Status::Failed), 2),
        saw("a", job(Status::Active), 3),
        saw("c", review.clone(), 9),
        saw("d", review.clone(), 4),
        saw("e", job(Status::Active), 1),
        saw("of another config", job(Status::Failed), 99),
    ];
    database
        .store(&Batch {
            watched: Some(listed.into_iter().collect()),
            sightings,
            failures: HashMap::from(["e", "never", "of another config"].map(|id| {
                let failure = Failure::new(ErrorKind::Timeout, "late");
                (key(id), failure)
            })),
            acknowledgements: vec![Acknowledgement {
                key: key("c"),
                seen: Some(Fingerprint::from(&review)),
            }],
            ..Batch::default()
        })
        .unwrap();
    let summary = database.summary().unwrap();
    let counts = (summary.needs_you, summary.active, summary.completed);
    assert_eq!((counts, summary.failed, summary.errors), ((2, 2, 2), 1, 2));
    assert_eq!(summary.seen_at(), Some(at(3)));
    // Nothing is followed any more.
    let done = saw("a", job(Status::Archived), 10);
    database.record(vec![done]).unwrap();
    let summary = database.summary().unwrap();
    assert_eq!((summary.archived, summary.seen_at()), (1, Some(at(10))));
    let other = database.of_config("/other");
    assert_eq!(other.summary().unwrap(), Summary::default());
    assert_eq!(Summary::default().seen_at(), None);
}

#[test]
fn a_file_that_others_have_put_code_into_is_not_opened() {
    let folder = Folder::new();
    let endless = "CREATE VIEW forever AS WITH RECURSIVE n (i) AS
        (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n;";
    folder.open().connection.execute_batch(endless).unwrap();
    assert!(Database::open(&folder.path(), SERVER).is_err());
}
