//! What a person asks for, against a server of this process.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::fs;
use std::path::PathBuf;

use mintwatch::actions::Actions;
use mintwatch::config::Config;
use mintwatch::job::JobKey;
use rusqlite::Connection;
use support::command::counted_writes;
use support::fake_server::FakeServer;
use support::reply::Reply;
use tempfile::TempDir;

/// Actions on a config of two projects that share a key command, which notes each of its runs.
struct Setting {
    server: FakeServer,
    folder: TempDir,
    actions: Actions,
}

impl Setting {
    fn new() -> Self {
        let (server, folder) = (FakeServer::start(), tempfile::tempdir().unwrap());
        let (path, runs) = (
            folder.path().join("config.toml"),
            folder.path().join("runs"),
        );
        let command = format!("echo run >> '{}'; echo mint_test", runs.display());
        let text = format!(
            "base_url = \"{}\"\n[key]\ncommand = [\"sh\", \"-c\", \"{command}\"]\n\
             [[projects]]\nid = \"p1\"\njobs = [\"job_1\", \"job_2\"]\n\
             [[projects]]\nid = \"p2\"\njobs = [\"job_3\"]\n",
            server.base_url()
        );
        fs::write(&path, text).unwrap();
        let store = folder.path().join("store.db");
        let actions = Actions::new(Config::load(&path).unwrap(), path, Some(store));
        Self {
            server,
            folder,
            actions,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn key_commands_run(&self) -> usize {
        let runs = fs::read_to_string(self.path("runs")).unwrap_or_default();
        runs.lines().count()
    }
}

fn jobs() -> Vec<JobKey> {
    [("p1", "job_1"), ("p1", "job_2"), ("p2", "job_3")]
        .map(|(project, id)| JobKey::new(project, id))
        .to_vec()
}

#[tokio::test]
async fn a_follow_up_to_many_jobs_looks_for_the_key_once() {
    let setting = Setting::new();
    setting.server.set_default(Reply::job("active"));
    let jobs = jobs();
    let projects: Vec<_> = jobs.iter().map(|job| &job.project).collect();
    let writer = setting.actions.writer(&projects).await.unwrap();
    let replies = writer.follow_up(&jobs, "more").await.unwrap();
    assert_eq!(replies.len(), 3);
    assert_eq!(setting.key_commands_run(), 1);
    assert_eq!(setting.server.connections(), 1);
    assert_eq!(
        setting.actions.writes_this_hour(&"p1".into()).await,
        Some(2)
    );
    assert_eq!(
        setting.actions.writes_this_hour(&"p2".into()).await,
        Some(1)
    );
}

#[tokio::test]
async fn a_follow_up_stops_at_the_first_job_that_refuses_it_and_tells_how_far_it_came() {
    let setting = Setting::new();
    setting.server.set_default(Reply::job("active"));
    setting.server.set("p1", "job_2", Reply::forbidden());
    let jobs = jobs();
    let projects: Vec<_> = jobs.iter().map(|job| &job.project).collect();
    let writer = setting.actions.writer(&projects).await.unwrap();
    let error = writer.follow_up(&jobs, "more").await.unwrap_err();
    assert_eq!((error.sent, error.jobs), (1, 3));
    let text = error.to_string();
    assert!(text.ends_with("; before, it was sent to 1 of 3"), "{text}");
    assert_eq!(error.remaining(&jobs).unwrap(), jobs[1..]);
    assert!(setting.server.requests_of("p2", "job_3").is_empty());
    // A refusal did surely not happen, so that it is not counted.
    assert_eq!(
        setting.actions.writes_this_hour(&"p1".into()).await,
        Some(1)
    );
}

#[tokio::test]
async fn a_created_job_is_listed_and_where_it_cannot_be_that_is_told() {
    let setting = Setting::new();
    setting.server.set_default(Reply::job("active"));
    let project = setting.actions.find_project("p2").unwrap();
    let writer = setting.actions.writer(&[&project.id]).await.unwrap();
    let created = writer
        .create(&project, "Fix it\nsoon", None, &[])
        .await
        .unwrap();
    created.listed.unwrap();
    let config = Config::load(setting.actions.path()).unwrap();
    assert_eq!(config.projects[1].jobs[1].label.as_deref(), Some("Fix it"));

    fs::write(setting.actions.path(), "broken").unwrap();
    let created = writer.create(&project, "Fix it", None, &[]).await.unwrap();
    assert!(created.listed.is_err());
    assert_eq!(
        setting.actions.writes_this_hour(&"p2".into()).await,
        Some(2)
    );
}

#[tokio::test]
async fn a_follow_up_is_not_to_be_sent_again_to_the_job_that_may_have_got_it() {
    let setting = Setting::new();
    let jobs = jobs();
    let projects: Vec<_> = jobs.iter().map(|job| &job.project).collect();
    let writer = setting.actions.writer(&projects).await.unwrap();
    for (fails, remaining) in [
        ("job_1", Some(&jobs[1..])),
        ("job_2", Some(&jobs[2..])),
        ("job_3", Some(&jobs[2..])),
    ] {
        setting.server.set_default(Reply::job("active"));
        for job in &jobs {
            let reply = match &*job.id {
                id if id == fails => Reply::unavailable(),
                _ => Reply::job("active"),
            };
            setting.server.set(&job.project, &job.id, reply);
        }
        let error = writer.follow_up(&jobs, "more").await.unwrap_err();
        assert!(
            error.to_string().starts_with("it may have arrived"),
            "{error}"
        );
        assert_eq!(error.remaining(&jobs).as_deref(), remaining, "{fails}");
    }
    setting.server.set("p1", "job_1", Reply::forbidden());
    let error = writer.follow_up(&jobs, "more").await.unwrap_err();
    assert_eq!(error.remaining(&jobs), None);
}

/// Another run holds the count, for as long as it likes.
#[tokio::test]
async fn a_job_is_listed_and_told_before_it_is_counted() {
    let setting = Setting::new();
    setting.server.set_default(Reply::job("active"));
    let project = setting.actions.find_project("p2").unwrap();
    let writer = setting.actions.writer(&[&project.id]).await.unwrap();
    assert_eq!(
        setting.actions.writes_this_hour(&"p2".into()).await,
        Some(0)
    );
    let other = Connection::open(setting.path("store.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let created = writer.create(&project, "Fix it", None, &[]).await.unwrap();
    created.listed.unwrap();
    assert_eq!(counted_writes(&setting.path("store.db")), 0);
    other.execute_batch("ROLLBACK").unwrap();
    setting.actions.counted().await;
    assert_eq!(counted_writes(&setting.path("store.db")), 1);
}

#[tokio::test]
async fn writes_to_another_server_are_others() {
    let setting = Setting::new();
    let project = "p1".into();
    setting.actions.count_write(&project, None);
    assert_eq!(setting.actions.writes_this_hour(&project).await, Some(1));
    // As after a reload.
    let other = Config::parse("base_url = \"https://other.test\"", setting.actions.path());
    *setting.actions.config() = other.unwrap();
    assert_eq!(setting.actions.writes_this_hour(&project).await, Some(0));
}

#[tokio::test]
async fn where_there_is_no_store_or_it_cannot_be_read_the_count_is_not_known() {
    let setting = Setting::new();
    fs::write(setting.path("file"), "").unwrap();
    for store in [None, Some(setting.path("file/store.db"))] {
        let config = setting.actions.config().clone();
        let actions = Actions::new(config, setting.path("config.toml"), store);
        actions.count_write(&"p1".into(), None);
        assert_eq!(actions.writes_this_hour(&"p1".into()).await, None);
    }
}
