//! The filter: which rows match the words that a user typed.
//!
//! Every word must occur in one of the row's fields; `!word` must occur in none, `^word` begins a
//! field and `word$` ends one. Lower-case words match any case.

use crate::board::Row;
use crate::pull_request::PullRequest;

#[derive(Debug, Default)]
pub struct Filter {
    text: String,
    words: Vec<Word>,
}

impl Filter {
    /// Replaces the words by those of `text`; with none, everything matches.
    pub fn set(&mut self, text: &str) {
        text.trim().clone_into(&mut self.text);
        self.words = text.split_whitespace().filter_map(Word::parse).collect();
    }

    /// What [`Self::set`] was given, trimmed.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn matches(&self, row: &Row) -> bool {
        self.words.iter().all(|word| {
            let tags = row.watched.tags.iter().map(String::as_str);
            word.negative
                != fields(row)
                    .flatten()
                    .chain(tags)
                    .any(|field| word.hits(field))
        })
    }
}

/// One word of the filter. Plain words match as they are, not letter by letter: a row that matches
/// by accident is worse here than one letter more to type.
#[derive(Debug)]
struct Word {
    text: String,
    negative: bool,
    at_start: bool,
    at_end: bool,
}

impl Word {
    /// `None` for a word that is still being typed: a lone `!`, `^` or `$`.
    fn parse(raw: &str) -> Option<Self> {
        let (negative, raw) = strip(raw, |raw| raw.strip_prefix('!'));
        let (at_start, raw) = strip(raw, |raw| raw.strip_prefix('^'));
        let (at_end, raw) = strip(raw, |raw| raw.strip_suffix('$'));
        let word = Self {
            text: raw.to_owned(),
            negative,
            at_start,
            at_end,
        };
        (!raw.is_empty()).then_some(word)
    }

    /// A word in lower case matches any case.
    fn hits(&self, field: &str) -> bool {
        let any_case = !self.text.chars().any(char::is_uppercase);
        if any_case && field.chars().any(char::is_uppercase) {
            self.occurs_in(&field.to_lowercase())
        } else {
            self.occurs_in(field)
        }
    }

    fn occurs_in(&self, field: &str) -> bool {
        match (self.at_start, self.at_end) {
            (true, true) => field == self.text,
            (true, false) => field.starts_with(&self.text),
            (false, true) => field.ends_with(&self.text),
            (false, false) => field.contains(&self.text),
        }
    }
}

fn strip(raw: &str, how: impl Fn(&str) -> Option<&str>) -> (bool, &str) {
    how(raw).map_or((false, raw), |rest| (true, rest))
}

fn fields(row: &Row) -> impl Iterator<Item = Option<&str>> {
    let watched = &row.watched;
    let job = row.job.as_ref();
    [
        watched.label.as_deref(),
        Some(&*watched.key.id),
        watched.project.name.as_deref(),
        Some(&*watched.key.project),
        job.and_then(|job| job.branch.as_deref()),
        job.and_then(|job| job.model.as_deref()),
        Some(row.status_word()),
        job.and_then(|job| job.pull_request.as_ref())
            .map(PullRequest::as_str),
    ]
    .into_iter()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::board::{Board, Project, Update, Watched};
    use crate::job::{Job, JobKey, Status};

    fn row() -> Row {
        let key = JobKey::new("64f0c1e2", "job_02");
        let watched = Watched {
            key: key.clone(),
            project: Arc::new(Project {
                id: "64f0c1e2".into(),
                name: Some("docs".into()),
            }),
            label: Some("SDK quickstart".into()),
            tags: vec!["release".into()],
        };
        let mut board = Board::new([watched]);
        let job = Job {
            status: Some(Status::Completed),
            branch: Some("mintlify/café".into()),
            model: Some("sonnet".into()),
            pull_request: Some(PullRequest::new("https://github.com/acme/docs/pull/412")),
            ..Job::default()
        };
        board.apply(
            &key,
            Update::Fetched {
                job,
                fresh_for: None,
            },
            Timestamp::UNIX_EPOCH,
        );
        board.rows()[0].clone()
    }

    #[test]
    fn filter_table() {
        let row = row();
        let mut filter = Filter::default();
        for (text, want) in [
            ("", true),
            ("  ", true),
            ("sdk", true),
            ("SDK", true),
            ("Sdk", false),
            ("quick job_02", true),
            ("quick nothing", false),
            ("64f0", true),
            ("docs", true),
            ("mintlify/", true),
            ("café", true),
            ("CAFÉ", false),
            ("k/412", false),
            ("l/412", true),
            ("!", true),
            ("^", true),
            ("^docs$", true),
            ("sonnet", true),
            ("release", true),
            ("completed", true),
            ("/412", true),
            ("active", false),
            ("rlse", false),
            ("!active", true),
            ("!release", false),
            ("!docs", false),
            ("^sdk", true),
            ("^quick", false),
            ("start$", true),
        ] {
            filter.set(text);
            assert_eq!(filter.matches(&row), want, "{text:?}");
        }
    }
}
