//! The worker step by step, at times of the test's own, on a real file.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::mpsc;

use super::*;
use crate::event::Change;
use crate::job::{Acknowledgement, Job, Status};
use crate::store::{Sighting, StoredEvent};

const SERVER: &str = "https://api.test";

/// A worker, with the ends of what it tells.
struct Rig {
    folder: tempfile::TempDir,
    worker: Worker,
    touched: TouchedJobs,
    finding: Receiver<Found>,
    told: Receiver<String>,
    news: Receiver<News>,
}

impl Rig {
    fn new() -> Self {
        Self::on(tempfile::tempdir().unwrap())
    }

    /// A worker that has not opened its store yet.
    fn on(folder: tempfile::TempDir) -> Self {
        let options = StoreOptions {
            path: folder.path().join("store.db"),
            base_url: SERVER.into(),
            config: "/config.toml".into(),
            keep: Duration::from_hours(24 * 36_500),
        };
        let (teller, told) = mpsc::channel();
        let (listener, news) = mpsc::channel();
        let (found, finding) = mpsc::channel();
        let touched = TouchedJobs::default();
        let tell = Box::new(move |problem: Option<String>| drop(problem.map(|it| teller.send(it))));
        let mut worker = Worker::new(options, touched.clone(), tell, found);
        let listen = Box::new(move |news| drop(listener.send(news)));
        worker.take(Request::Listen(listen));
        Self {
            folder,
            worker,
            touched,
            finding,
            told,
            news,
        }
    }

    fn opened() -> Self {
        let mut rig = Self::new();
        rig.worker.open().unwrap();
        rig
    }

    fn path(&self) -> &Path {
        &self.worker.options.path
    }

    fn saw(&mut self, job: &str, status: &str, seconds: i64) {
        let events = vec![event(job, status, seconds)];
        let saw = Box::new(saw(job, status, seconds));
        self.worker.take(Request::Record(saw, events));
    }

    fn store_now(&mut self) {
        self.worker.store_due(Instant::now());
    }

    /// What is done when the time for it has come to try again.
    fn try_again(&mut self) {
        let due = self.worker.store_at.unwrap();
        assert!(due > Instant::now());
        self.worker.store_due(due);
    }

    fn told(&self) -> Vec<String> {
        self.told.try_iter().collect()
    }

    /// To what the events that were given back have changed a job.
    fn given_back(&self) -> Vec<String> {
        let mut all = Vec::new();
        for news in self.news.try_iter() {
            if let News::Recorded(events) = news {
                all.extend(events.into_iter().map(|event| to(&event)));
            }
        }
        all
    }

    /// The status of each job, as another run finds it, and the events.
    fn stored(&self) -> (String, Vec<StoredEvent>) {
        let database = Database::open(self.path(), SERVER).unwrap().0;
        let jobs = database.jobs().unwrap();
        let statuses = jobs.iter().map(|stored| {
            let status = stored.job.status.as_ref().unwrap();
            format!("{} {status}", stored.key.id)
        });
        let events = database.events(Timestamp::MIN, 99).unwrap();
        (statuses.collect::<Vec<_>>().join(", "), events)
    }

    /// How often the file was written.
    fn writes(&self) -> u32 {
        let bytes = fs::read(self.path()).unwrap();
        // "File change counter": <https://www.sqlite.org/fileformat2.html>.
        u32::from_be_bytes(bytes[24..28].try_into().unwrap())
    }

    fn execute(&self, sql: &str) {
        let database = self.worker.database.as_ref().unwrap();
        database.connection.execute_batch(sql).unwrap();
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + seconds).unwrap()
}

fn saw(job: &str, status: &str, seconds: i64) -> Sighting {
    Sighting {
        key: JobKey::new("p", job),
        at: at(seconds),
        job: Job {
            status: Some(Status::from_api(status)),
            ..Job::default()
        },
        is_late: false,
    }
}

fn event(job: &str, status: &str, seconds: i64) -> Event {
    Event {
        at: at(seconds),
        since: None,
        key: JobKey::new("p", job),
        change: Change::Status {
            from: None,
            to: Some(Status::from_api(status)),
        },
    }
}

fn to(event: &Event) -> String {
    match &event.change {
        Change::Status { to: Some(to), .. } => to.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Has another process, as far as `SQLite` can tell, keep the file for itself.
fn lock_file(path: &Path) -> Database {
    let other = Database::open(path, SERVER).unwrap().0;
    other.connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
    other
}

#[test]
fn what_comes_while_the_file_is_locked_is_given_back_and_stored_later() {
    let mut rig = Rig::opened();
    let open = rig.worker.database.as_ref().unwrap();
    open.connection.busy_timeout(Duration::ZERO).unwrap();
    let lock = lock_file(rig.path());
    for (second, status) in [(1, "active"), (2, "completed"), (3, "failed")] {
        rig.saw("a", status, second);
        rig.store_now();
        assert_eq!(rig.given_back(), [status]);
    }
    rig.try_again();
    drop(lock);
    assert_eq!(rig.stored(), (String::new(), Vec::new()));
    rig.try_again();
    let (jobs, events) = rig.stored();
    assert_eq!(jobs, "a failed");
    assert_eq!(events.len(), 2);
    assert_eq!((rig.given_back(), rig.told()), (vec![], vec![]));
}

#[test]
fn a_file_that_is_locked_at_the_start_is_opened_later() {
    let mut rig = Rig::new();
    let mut other = Database::open(rig.path(), SERVER).unwrap().0;
    other.record(vec![saw("a", "active", 1)]).unwrap();
    drop(other);
    let lock = lock_file(rig.path());
    let error = rig.worker.open().unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    rig.saw("a", "failed", 2);
    rig.store_now();
    assert_eq!(rig.given_back(), ["failed"]);
    drop(lock);
    rig.try_again();
    // As it was before what is new was stored.
    let found = rig.finding.try_recv().unwrap();
    assert_eq!(found.jobs[0].job, saw("a", "active", 1).job);
    let (jobs, events) = rig.stored();
    assert_eq!((&*jobs, events.len()), ("a failed", 1));
    assert_eq!(rig.told(), [""; 0]);
}

#[test]
fn a_full_disk_is_said_once_and_what_is_new_is_stored_when_there_is_room() {
    let mut rig = Rig::opened();
    rig.saw("a", "active", 1);
    rig.store_now();
    assert_eq!(rig.given_back(), ["active"]);
    rig.execute("PRAGMA max_page_count = 1");
    for round in 1..=2_i64 {
        for n in 0..300 {
            rig.saw(&format!("job_{n}"), &format!("s{round}"), 1 + round);
        }
        rig.saw("a", &format!("s{round}"), 1 + round);
        match round {
            1 => rig.store_now(),
            _ => rig.try_again(),
        }
        assert_eq!(rig.given_back().len(), 301);
        assert_eq!(rig.stored().0, "a active");
    }
    let told = rig.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("full; what is new is not stored"));
    rig.execute("PRAGMA max_page_count = 1000000");
    rig.try_again();
    let (jobs, events) = rig.stored();
    assert_eq!(jobs.matches(" s2").count(), 301);
    assert_eq!(events.len(), 99);
    assert_eq!(to(&events[98].event), "s2");
    assert_eq!(rig.told(), [""; 0]);
}

#[test]
fn a_file_that_was_removed_or_cannot_be_written_is_opened_again() {
    let mut rig = Rig::opened();
    rig.saw("a", "active", 1);
    rig.store_now();
    for (second, fault) in ["PRAGMA query_only = 1", ""].into_iter().enumerate() {
        if fault.is_empty() {
            fs::remove_file(rig.path()).unwrap();
        }
        rig.execute(fault);
        rig.saw("a", "failed", 2 + i64::try_from(second).unwrap());
        rig.store_now();
        let told = rig.told();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("attempt to write a readonly database"));
        rig.try_again();
        assert_eq!(rig.stored().0, "a failed");
        assert_eq!(rig.told(), [""; 0]);
        let news: Vec<News> = rig.news.try_iter().collect();
        // Who thinks to know what is stored does so no more.
        assert!(news.iter().any(|news| matches!(news, News::Reopened)));
    }
}

#[test]
fn what_another_run_does_while_there_is_something_to_store_is_told_after_it() {
    let mut rig = Rig::opened();
    let other = Database::open(rig.path(), SERVER).unwrap().0;
    let mut other = other.of_config("/config.toml");
    rig.worker.take(Request::Watch(HashSet::new()));
    other
        .store(&Batch {
            seen_at: Some(at(7)),
            ..Batch::default()
        })
        .unwrap();
    rig.worker.take(Request::Changed);
    assert!(rig.news.try_recv().is_err());
    let due = rig.worker.store_at.unwrap();
    rig.worker.store_due(due);
    let news = rig.news.try_recv().unwrap();
    assert!(matches!(news, News::Marks { seen_at, .. } if seen_at == Some(at(7))));
}

/// Has the pages of the file, but the first, hold nothing that makes sense.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[4_096..].fill(0xff);
    // As if it had been written: what is cached of it does not hold any more.
    for counter in [24, 92] {
        bytes[counter + 3] = bytes[counter + 3].wrapping_add(1);
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_file_whose_pages_are_damaged_is_moved_aside() {
    let mut rig = Rig::opened();
    rig.saw("a", "active", 1);
    rig.store_now();
    let folder = rig.folder;
    rig.worker.database = None;
    damage(&rig.worker.options.path);

    // At the start.
    let mut rig = Rig::on(folder);
    rig.worker.open().unwrap();
    assert!(rig.finding.try_recv().unwrap().jobs.is_empty());
    let told = rig.told();
    assert!(told[0].contains("store.db.corrupt now, and a new one begins"));
    rig.saw("a", "active", 1);
    rig.store_now();
    assert_eq!(rig.stored().0, "a active");

    // Later.
    damage(rig.path());
    rig.saw("a", "failed", 2);
    rig.store_now();
    rig.try_again();
    assert_eq!(rig.stored().0, "a failed");
    assert_eq!(rig.told().len(), 2);
}

#[test]
fn polls_that_find_nothing_new_write_once_a_minute_and_at_the_end() {
    let mut rig = Rig::opened();
    rig.saw("a", "active", 1);
    rig.saw("b", "active", 1);
    rig.store_now();
    let touch = |rig: &mut Rig, second| {
        let mut touched = lock(&rig.touched);
        for job in ["a", "b"] {
            touched.insert(JobKey::new("p", job), at(second));
        }
        drop(touched);
        rig.worker.take(Request::Touched);
    };
    let (start, before) = (Instant::now(), rig.writes());
    for second in 0..58 {
        touch(&mut rig, second);
        rig.worker.take(Request::Changed);
        rig.worker.store_due(start + Duration::from_secs(59));
        assert_eq!(rig.writes(), before);
    }
    rig.worker.store_due(Instant::now() + TOUCH_INTERVAL);
    assert_eq!(rig.writes(), before + 1);
    // With no polls, nothing is due.
    assert_eq!((rig.worker.store_at, rig.worker.touch_at), (None, None));
    touch(&mut rig, 70);
    rig.worker.store_all();
    assert_eq!(rig.writes(), before + 2);
    rig.worker.store_all();
    assert_eq!(rig.writes(), before + 2);
    let jobs = Database::open(rig.path(), SERVER).unwrap().0.jobs();
    assert!(jobs.unwrap().iter().all(|job| job.fetched_at == at(70)));
}

/// Runs `work` on `folder` as a user who owns it: for root there is nothing that cannot be written.
#[cfg(target_os = "linux")]
fn as_owner(folder: &Path, work: impl FnOnce() + Send + 'static) {
    use rustix::thread::{set_thread_res_gid, set_thread_res_uid};
    const NOBODY: u32 = 65_534;
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        let files = fs::read_dir(folder).unwrap();
        let files = files.map(|file| file.unwrap().path());
        for path in files.chain([folder.to_owned()]) {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    let thread = std::thread::spawn(move || {
        if is_root {
            let (uid, gid) = (
                rustix::process::Uid::from_raw(NOBODY),
                rustix::process::Gid::from_raw(NOBODY),
            );
            set_thread_res_gid(gid, gid, gid).unwrap();
            set_thread_res_uid(uid, uid, uid).unwrap();
        }
        work();
    });
    thread.join().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_stored_is_shown_where_nothing_can_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let set_mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for (folder_mode, file_mode) in [(0o500, 0o400), (0o700, 0o400), (0o500, 0o600)] {
        let mut rig = Rig::opened();
        rig.saw("a", "active", 1);
        rig.store_now();
        rig.worker.database = None;
        let folder = rig.folder;
        let path = folder.path().to_owned();
        as_owner(&path, move || {
            set_mode(&folder.path().join("store.db"), file_mode);
            fs::remove_file(folder.path().join("store.db-journal")).unwrap();
            set_mode(folder.path(), folder_mode);
            let mut rig = Rig::on(folder);
            let opened = rig.worker.open();
            assert!(opened.is_ok(), "{folder_mode:o} {file_mode:o} {opened:?}");
            let found = rig.finding.try_recv().unwrap();
            assert_eq!(found.jobs[0].job, saw("a", "active", 1).job);
            rig.worker
                .take(Request::Watch(HashSet::from([JobKey::new("p", "a")])));
            rig.saw("a", "failed", 2);
            rig.store_now();
            rig.try_again();
            assert_eq!(rig.given_back(), ["failed"]);
            let told = rig.told();
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].contains("what is new is not stored as long as that lasts"));
            // It is stored as soon as it can be.
            set_mode(rig.folder.path(), 0o700);
            set_mode(rig.path(), 0o600);
            rig.try_again();
            assert_eq!(rig.stored().0, "a failed");
        });
    }
}

/// Such a file belongs to somebody else, or lies where nothing can be changed.
#[cfg(target_os = "linux")]
#[test]
fn one_that_cannot_be_closed_to_others_is_read_and_not_written() {
    use std::os::unix::fs::PermissionsExt;
    if !rustix::process::geteuid().is_root() {
        // Only root can give a file away.
        return;
    }
    let mut rig = Rig::opened();
    rig.saw("a", "active", 1);
    rig.store_now();
    rig.worker.database = None;
    let folder = rig.folder;
    let (path, file) = (folder.path().to_owned(), folder.path().join("store.db"));
    let before = fs::read(&file).unwrap();
    let other = tempfile::tempdir().unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    as_owner(other.path(), move || {
        let mut rig = Rig::on(folder);
        rig.worker.open().unwrap();
        assert_eq!(rig.finding.try_recv().unwrap().jobs.len(), 1);
        rig.saw("a", "failed", 2);
        rig.store_now();
        assert_eq!(rig.told().len(), 1);
        assert_eq!(fs::read(rig.path()).unwrap(), before);
        std::mem::forget(rig.folder);
    });
    fs::remove_dir_all(path).unwrap();
}

#[test]
fn a_poll_that_finds_nothing_new_does_not_hide_a_change_that_is_still_to_be_stored() {
    let mut rig = Rig::opened();
    rig.saw("a", "active", 0);
    rig.store_now();
    let held = Database::open(rig.path(), SERVER).unwrap().0;
    held.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let connection = &rig.worker.database.as_ref().unwrap().connection;
    connection.busy_timeout(Duration::ZERO).unwrap();
    rig.saw("a", "failed", 20);
    rig.store_now();
    lock(&rig.touched).insert(JobKey::new("p", "a"), at(40));
    drop(held);
    rig.worker.touch(Instant::now());
    rig.try_again();
    let (jobs, events) = rig.stored();
    assert_eq!((&*jobs, events.len()), ("a failed", 1));
}

#[test]
fn what_was_acknowledged_before_the_job_changed_is_not_what_it_becomes() {
    let mut rig = Rig::opened();
    rig.worker.store_at = None;
    rig.worker.is_failing = true;
    rig.saw("a", "failed", 1);
    let seen = Fingerprint::from(&saw("a", "failed", 1).job);
    rig.worker.take(Request::Acknowledge(vec![Acknowledgement {
        key: JobKey::new("p", "a"),
        seen: Some(seen),
    }]));
    rig.saw("a", "active", 2);
    rig.saw("a", "failed", 3);
    rig.worker.store(Instant::now());
    let database = Database::open(rig.path(), SERVER).unwrap().0;
    assert_eq!(database.jobs().unwrap()[0].acknowledged, None);
}

#[test]
fn what_a_clock_that_was_ahead_has_stored_is_no_later() {
    let mut rig = Rig::opened();
    rig.saw("a", "active", 200_000_000_000);
    rig.store_now();
    rig.saw("a", "failed", 0);
    rig.store_now();
    assert_eq!(rig.stored().0, "a failed");
}

#[test]
fn earlier_changes_are_given_once_the_store_can_be_opened() {
    let mut rig = Rig::new();
    let (tell, told) = mpsc::channel();
    let reader = Box::new(move |events: Vec<StoredEvent>| {
        let _ = tell.send(events.len());
    });
    rig.worker.take(Request::History(9, reader));
    // Whose they are is not known before.
    rig.worker.take(Request::Watch(HashSet::new()));
    rig.worker.database = None;
    rig.worker.is_failing = true;
    rig.worker.give_history();
    rig.worker.store(Instant::now());
    assert_eq!(told.try_recv(), Ok(0));
}
