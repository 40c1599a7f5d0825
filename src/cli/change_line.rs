//! A change as a line, for people or as JSON (NDJSON). The keys of the JSON are a contract with
//! scripts: they may be added, never changed.
//!
//! This file must not know where changes come from.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::json::{ProjectEntry, rounded};
use crate::board::{Board, Row};
use crate::event::{Change, Event};
use crate::job::Status;
use crate::pull_request::PullRequest;
use crate::time::{age, duration_in_words};
use crate::view::theme::Theme;

/// How lines are written.
#[derive(Debug)]
pub struct LineFormat {
    pub json: bool,
    pub theme: Theme,
    /// For lines that are not JSON.
    pub time_zone: TimeZone,
    /// Where lines that are not JSON tell how long ago it was: the time to count from.
    pub now: Option<Timestamp>,
}

/// What a line tells; it also is the JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeLine<'a> {
    at: Timestamp,
    project: ProjectEntry<'a>,
    id: &'a str,
    label: Option<&'a str>,
    #[serde(rename = "event")]
    kind: &'static str,
    from: Option<&'a str>,
    to: Option<&'a str>,
    pr_link: Option<&'a str>,
    since: Option<Timestamp>,
    /// In seconds.
    ran: Option<u64>,
    #[serde(skip)]
    change: &'a Change,
}

impl<'a> ChangeLine<'a> {
    /// `ran` is how long the job had run, where it ended its work by this. A job that is not on `board`
    /// is told by its ids.
    pub fn new(event: &'a Event, ran: Option<Duration>, board: &'a Board) -> Self {
        let row = board.row(&event.key);
        let line = Self {
            at: rounded(event.at),
            project: row.map_or_else(
                || ProjectEntry::unnamed(&event.key.project),
                |row| ProjectEntry::new(&row.watched.project),
            ),
            id: &event.key.id,
            label: row.and_then(|row| row.watched.label.as_deref()),
            kind: "status",
            from: None,
            to: None,
            pr_link: row.and_then(Row::pull_request).map(PullRequest::as_str),
            since: event.since.map(rounded),
            ran: ran.map(|ran| ran.as_secs()),
            change: &event.change,
        };
        match &event.change {
            Change::Status { from, to } => Self {
                from: from.as_ref().map(Status::as_str),
                to: to.as_ref().map(Status::as_str),
                ..line
            },
            Change::PullRequest(pull_request) => Self {
                kind: "pull_request",
                pr_link: Some(pull_request.as_str()),
                ..line
            },
        }
    }

    /// The line with its end.
    pub fn render(&self, format: &LineFormat) -> serde_json::Result<String> {
        if format.json {
            return Ok(serde_json::to_string(self)? + "\n");
        }
        let line = self.to_text(format) + "\n";
        Ok(format.theme.printable(line).into_owned())
    }

    fn to_text(&self, format: &LineFormat) -> String {
        let at = self.at.to_zoned_datetime(format.time_zone.clone());
        let (project, job) = (self.project.title(), self.label.unwrap_or(self.id));
        let mut text = format!(
            "{}  {project}  {job}  {}",
            at.strftime("%F %T"),
            self.change
        );
        if let Change::PullRequest(pull_request) = self.change {
            text = format!("{text}  {}", pull_request.as_str());
        }
        let notes = self.notes(format);
        if notes.is_empty() {
            return text;
        }
        format!("{text}  ({})", notes.join("; "))
    }

    fn notes(&self, format: &LineFormat) -> Vec<String> {
        let ago = format.now.map(|now| format!("{} ago", age(self.at, now)));
        let late = self.since.map(|since| {
            let since = since.to_zoned_datetime(format.time_zone.clone());
            format!("found late, changed since {}", since.strftime("%F %H:%M"))
        });
        let ran = self.ran.map(Duration::from_secs);
        let ran = ran.map(|ran| format!("ran {}", duration_in_words(ran)));
        ago.into_iter().chain(late).chain(ran).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::board::{Project, Update, Watched};
    use crate::job::{Job, JobKey};

    const LINK: &str = "https://github.com/acme/docs/pull/412";

    fn board() -> (Board, JobKey) {
        let project = Arc::new(Project {
            id: "p".into(),
            name: Some("docs".into()),
        });
        let key = JobKey::new("p", "job_02");
        let board = Board::new([Watched {
            key: key.clone(),
            project,
            label: Some("SDK \"x\"".into()),
            tags: Vec::new(),
        }]);
        (board, key)
    }

    fn seen(status: Option<&str>, link: Option<&str>) -> Update {
        Update::Fetched {
            job: Job {
                status: status.map(Status::from_api),
                pull_request: link.map(PullRequest::new),
                ..Job::default()
            },
            fresh_for: None,
        }
    }

    /// What is printed after a job was seen in one way and then in another.
    fn lines(
        json: bool,
        before: (Option<&str>, Option<&str>),
        after: (Option<&str>, Option<&str>),
    ) -> Vec<String> {
        let (mut board, key) = board();
        board.apply(&key, seen(before.0, before.1), Timestamp::UNIX_EPOCH);
        let events = board.apply(&key, seen(after.0, after.1), Timestamp::UNIX_EPOCH);
        let lines = events.iter().map(|event| render(json, event, &board));
        lines.collect()
    }

    fn format(json: bool) -> LineFormat {
        LineFormat {
            json,
            theme: Theme::new(false, false),
            time_zone: TimeZone::UTC,
            now: None,
        }
    }

    fn render(json: bool, event: &Event, board: &Board) -> String {
        let line = ChangeLine::new(event, None, board).render(&format(json));
        line.unwrap().strip_suffix('\n').unwrap().to_owned()
    }

    #[test]
    fn json_table() {
        let line = |event: &str, from: &str, to: &str, link: &str| {
            format!(
                r#"{{"at":"1970-01-01T00:00:00Z","project":{{"id":"p","name":"docs"}},"id":"job_02","label":"SDK \"x\"","event":"{event}","from":{from},"to":{to},"prLink":{link},"since":null,"ran":null}}"#
            )
        };
        let quoted = format!("\"{LINK}\"");
        for (before, after, want) in [
            (
                (Some("active"), None),
                (Some("completed"), None),
                vec![line("status", "\"active\"", "\"completed\"", "null")],
            ),
            (
                (Some("active"), None),
                (Some("completed"), Some(LINK)),
                vec![
                    line("status", "\"active\"", "\"completed\"", &quoted),
                    line("pull_request", "null", "null", &quoted),
                ],
            ),
            (
                (Some("completed"), None),
                (Some("completed"), Some(LINK)),
                vec![line("pull_request", "null", "null", &quoted)],
            ),
            (
                (Some("completed"), Some(LINK)),
                (None, Some(LINK)),
                vec![line("status", "\"completed\"", "null", &quoted)],
            ),
            (
                (None, None),
                (Some("on hold"), None),
                vec![line("status", "null", "\"on hold\"", "null")],
            ),
            (
                (Some("completed"), Some(LINK)),
                (Some("completed"), None),
                vec![],
            ),
            ((Some("active"), None), (Some("active"), None), vec![]),
        ] {
            assert_eq!(lines(true, before, after), want, "{before:?} {after:?}");
        }
    }

    #[test]
    fn lines_for_people() {
        assert_eq!(
            lines(false, (Some("active"), None), (None, Some(LINK))),
            [
                "1970-01-01 00:00:00  docs  SDK \"x\"  active to unknown",
                "1970-01-01 00:00:00  docs  SDK \"x\"  pull request #412  \
                 https://github.com/acme/docs/pull/412",
            ]
        );
    }

    #[test]
    fn a_job_that_has_left_is_told_by_its_ids() {
        let event = Event {
            at: Timestamp::UNIX_EPOCH,
            since: None,
            key: JobKey::new("p", "job_gone"),
            change: Change::Status {
                from: Some(Status::Active),
                to: Some(Status::Failed),
            },
        };
        let (board, _) = board();
        assert_eq!(
            render(false, &event, &board),
            "1970-01-01 00:00:00  p  job_gone  active to failed"
        );
        let want = r#"{"at":"1970-01-01T00:00:00Z","project":{"id":"p","name":null},"id":"job_gone","label":null,"event":"status","from":"active","to":"failed","prLink":null,"since":null,"ran":null}"#;
        assert_eq!(render(true, &event, &board), want);
    }

    #[test]
    fn how_long_ago_how_late_and_how_long_it_ran_stand_in_parentheses() {
        let (board, key) = board();
        let at = |minutes: i64| Timestamp::from_second(minutes * 60).unwrap();
        let event = |since| Event {
            at: at(90),
            since,
            key: key.clone(),
            change: Change::Status {
                from: Some(Status::Active),
                to: Some(Status::Failed),
            },
        };
        let ran = Some(Duration::from_mins(42));
        let (late, seen) = (event(Some(at(4))), event(None));
        for (event, ran, now, want) in [
            (&seen, None, None, ""),
            (&seen, ran, None, "  (ran 42m)"),
            (&seen, ran, Some(at(100)), "  (10m ago; ran 42m)"),
            (
                &late,
                None,
                Some(at(300)),
                "  (3h ago; found late, changed since 1970-01-01 00:04)",
            ),
        ] {
            let format = LineFormat {
                now,
                ..format(false)
            };
            let line = ChangeLine::new(event, ran, &board).render(&format).unwrap();
            let before = "1970-01-01 01:30:00  docs  SDK \"x\"  active to failed";
            assert_eq!(line, format!("{before}{want}\n"));
        }
        let line = |event, ran| ChangeLine::new(event, ran, &board).render(&format(true));
        let ends = line(&late, ran).unwrap();
        assert!(
            ends.ends_with("\"since\":\"1970-01-01T00:04:00Z\",\"ran\":2520}\n"),
            "{ends}"
        );
    }
}
