//! The filter: which rows match the words that a user typed.
//!
//! Every word must occur in one of the row's fields; `key:word` in that field alone, as in
//! `status:failed`; `needs:you`, `is:stale`, `is:acknowledged` and `is:new` are of the row as a whole. `!word` must not match,
//! `^word` begins a field and `word$` ends one. Lower-case words match any case.

use std::ops::Range;

use jiff::Timestamp;

use super::columns::{branch, model};
use crate::board::{Freshness, Row};
use crate::job::Job;

/// Whether a word is found in a value.
type Found<'a> = &'a dyn Fn(&str) -> bool;

/// A field of a row that words are looked for in, and the key that names it.
struct Field {
    key: &'static str,
    /// Whether the word is found in any of its values.
    any: fn(&Row, Found) -> bool,
}

/// What is looked for is what the table draws and what identifies a row.
const FIELDS: &[Field] = &[
    Field {
        key: "job",
        any: |row, found| found(row.title()) || found(&row.key().id),
    },
    Field {
        key: "project",
        any: |row, found| {
            let project = &row.watched.project;
            project.name.as_deref().is_some_and(found) || found(&project.id)
        },
    },
    Field {
        key: "tag",
        any: |row, found| row.watched.tags.iter().any(|tag| found(tag)),
    },
    Field {
        key: "branch",
        any: |row, found| {
            let short = row.job.as_ref().and_then(Job::short_branch);
            branch(row).is_some_and(found) || short.is_some_and(found)
        },
    },
    Field {
        key: "model",
        any: |row, found| model(row).is_some_and(found),
    },
    Field {
        key: "status",
        any: |row, found| found(row.status_word()),
    },
    Field {
        key: "",
        any: |row, found| {
            let link = row.pull_request();
            link.is_some_and(|link| found(link.as_str()) || found(&link.short()))
        },
    },
    Field {
        key: "",
        any: |row, found| row.needs_you() && found("needs you"),
    },
];

/// What a row as a whole is, such as `is:stale`.
struct Quality {
    key: &'static str,
    value: &'static str,
    holds: fn(&Row, Timestamp) -> bool,
}

const QUALITIES: &[Quality] = &[
    Quality {
        key: "needs",
        value: "you",
        holds: |row, _| row.needs_you(),
    },
    Quality {
        key: "is",
        value: "stale",
        holds: |row, now| row.freshness(now) == Freshness::Stale,
    },
    Quality {
        key: "is",
        value: "acknowledged",
        holds: |row, _| row.is_acknowledged(),
    },
    Quality {
        key: "is",
        value: "new",
        holds: |row, _| row.is_new,
    },
];

#[derive(Debug, Default)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

impl Filter {
    /// Replaces the words by those of `text`; with none, everything matches.
    pub fn set(&mut self, text: &str) {
        text.trim().clone_into(&mut self.text);
        self.terms = text.split_whitespace().filter_map(Term::parse).collect();
    }

    /// What [`Self::set`] was given, trimmed.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn matches(&self, row: &Row, now: Timestamp) -> bool {
        self.terms.iter().all(|term| term.holds(row, now))
    }

    /// The parts of `text`, which a column of this name shows, that words were found in.
    pub fn found_in(&self, column: &str, text: &str) -> Vec<Range<usize>> {
        let positive = self.terms.iter().filter(|term| !term.negative);
        let words = positive.filter_map(|term| match &term.test {
            Test::Anywhere(word) => Some(word),
            Test::InField(key, word) if *key == column => Some(word),
            Test::InField(..) | Test::Quality(..) => None,
        });
        words.flat_map(|word| word.places_in(text)).collect()
    }
}

/// One word of the filter, with its key.
#[derive(Debug)]
struct Term {
    negative: bool,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Anywhere(Word),
    InField(&'static str, Word),
    /// A key of [`QUALITIES`] and what its value begins with.
    Quality(&'static str, String),
}

impl Term {
    /// `None` for a word that is still being typed: a lone `!`, `^` or `$`, or a key without a value.
    fn parse(raw: &str) -> Option<Self> {
        let (negative, raw) = strip(raw, |raw| raw.strip_prefix('!'));
        let test = match Key::split_off(raw) {
            Some((Key::Field(key), value)) => Test::InField(key, Word::parse(value)?),
            Some((Key::Quality(_), "")) => return None,
            Some((Key::Quality(key), value)) => Test::Quality(key, value.to_lowercase()),
            None => Test::Anywhere(Word::parse(raw)?),
        };
        Some(Self { negative, test })
    }

    fn holds(&self, row: &Row, now: Timestamp) -> bool {
        let found = match &self.test {
            Test::Anywhere(word) => FIELDS.iter().any(|field| word.is_in(field, row)),
            Test::InField(key, word) => {
                let mut fields = FIELDS.iter().filter(|field| field.key == *key);
                fields.any(|field| word.is_in(field, row))
            }
            Test::Quality(key, start) => {
                let mut named = QUALITIES.iter().filter(|quality| quality.key == *key);
                named.any(|quality| quality.value.starts_with(start) && (quality.holds)(row, now))
            }
        };
        found != self.negative
    }
}

enum Key {
    Field(&'static str),
    Quality(&'static str),
}

impl Key {
    /// The key that `raw` begins with, and what follows its colon.
    fn split_off(raw: &str) -> Option<(Self, &str)> {
        let (name, value) = raw.split_once(':').filter(|(name, _)| !name.is_empty())?;
        let name = name.to_lowercase();
        let field = FIELDS.iter().find(|field| field.key == name);
        let quality = QUALITIES.iter().find(|quality| quality.key == name);
        let key = match (field, quality) {
            (Some(field), _) => Self::Field(field.key),
            (None, quality) => Self::Quality(quality?.key),
        };
        Some((key, value))
    }
}

/// Plain words match as they are, not letter by letter: a row that matches by accident is worse here
/// than one letter more to type.
#[derive(Debug)]
struct Word {
    text: String,
    at_start: bool,
    at_end: bool,
}

impl Word {
    fn parse(raw: &str) -> Option<Self> {
        let (at_start, raw) = strip(raw, |raw| raw.strip_prefix('^'));
        let (at_end, raw) = strip(raw, |raw| raw.strip_suffix('$'));
        let word = Self {
            text: raw.to_owned(),
            at_start,
            at_end,
        };
        (!raw.is_empty()).then_some(word)
    }

    fn is_in(&self, field: &Field, row: &Row) -> bool {
        (field.any)(row, &|value| self.hits(value))
    }

    /// A word in lower case matches any case.
    fn any_case(&self) -> bool {
        !self.text.chars().any(char::is_uppercase)
    }

    fn hits(&self, field: &str) -> bool {
        if self.any_case() && field.chars().any(char::is_uppercase) {
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

    /// Where in `text` it occurs, as bytes.
    fn places_in(&self, text: &str) -> Vec<Range<usize>> {
        let starts = text.char_indices().map(|(start, _)| start);
        let places =
            starts.filter_map(|start| Some(start..start + self.length_at(&text[start..])?));
        let allowed = |place: &Range<usize>| {
            (!self.at_start || place.start == 0) && (!self.at_end || place.end == text.len())
        };
        places.filter(allowed).collect()
    }

    /// How many bytes at the start of `text` are this word.
    fn length_at(&self, text: &str) -> Option<usize> {
        let mut chars = text.chars();
        for wanted in self.text.chars() {
            let found = chars.next()?;
            let same = found == wanted || (self.any_case() && found.to_lowercase().eq([wanted]));
            if !same {
                return None;
            }
        }
        Some(text.len() - chars.as_str().len())
    }
}

fn strip(raw: &str, how: impl Fn(&str) -> Option<&str>) -> (bool, &str) {
    how(raw).map_or((false, raw), |rest| (true, rest))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::board::{Board, Project, Update, Watched};
    use crate::job::{JobKey, Status};
    use crate::pull_request::PullRequest;

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
            // What is drawn.
            ("#412", true),
            ("#41", true),
            ("#42", false),
            ("needs", true),
            ("!needs", false),
            // In one field alone.
            ("status:completed", true),
            ("status:comp", true),
            ("status:sdk", false),
            ("!status:failed", true),
            ("Status:completed", true),
            ("status:", true),
            ("!status:", true),
            ("project:docs", true),
            ("project:^docs$", true),
            ("project:64f0", true),
            ("project:sdk", false),
            ("tag:release", true),
            ("tag:docs", false),
            ("model:sonnet", true),
            ("branch:café", true),
            ("branch:sonnet", false),
            ("job:quick", true),
            ("^café", true),
            ("branch:^café", true),
            ("needs:you", true),
            ("!needs:you", false),
            ("needs:", true),
            ("needs:nobody", false),
            ("is:stale", false),
            ("!is:stale", true),
            ("is:something", false),
            // No keys.
            ("https://github.com", true),
            ("://", true),
            ("colour:red", false),
        ] {
            filter.set(text);
            let now = Timestamp::UNIX_EPOCH;
            assert_eq!(filter.matches(&row, now), want, "{text:?}");
        }
    }

    #[test]
    fn the_words_of_a_row_that_was_not_seen_are_found() {
        let mut row = row();
        row.job = None;
        let mut filter = Filter::default();
        for (text, want) in [("seen", true), ("status:not", true), ("needs", false)] {
            filter.set(text);
            assert_eq!(
                filter.matches(&row, Timestamp::UNIX_EPOCH),
                want,
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_row_is_stale_from_when_its_values_are() {
        let mut row = row();
        row.fresh_for = Some(std::time::Duration::from_secs(20));
        let mut filter = Filter::default();
        filter.set("is:stale");
        for (seconds, want) in [(19, false), (20, true)] {
            let now = Timestamp::from_second(seconds).unwrap();
            assert_eq!(filter.matches(&row, now), want, "{seconds}");
        }
    }

    #[test]
    fn found_in_table() {
        let mut filter = Filter::default();
        for (text, column, shown, want) in [
            ("sdk", "job", "SDK and sdk", &[(0, 3), (8, 11)][..]),
            ("SDK", "job", "SDK and sdk", &[(0, 3)]),
            ("", "job", "SDK", &[]),
            ("!sdk", "job", "SDK", &[]),
            ("aa", "job", "aaa", &[(0, 2), (1, 3)]),
            ("é", "job", "Éa é", &[(0, 2), (4, 6)]),
            ("ı", "job", "Iı", &[(1, 3)]),
            ("#41", "pr", "#412", &[(0, 3)]),
            ("status:fail", "status", "✗ failed", &[(4, 8)]),
            ("status:fail", "job", "failed", &[]),
            ("needs:you", "job", "you", &[]),
            ("^sdk", "job", "sdk sdk", &[(0, 3)]),
            ("sdk$", "job", "sdk sdk", &[(4, 7)]),
            ("a b", "job", "abc", &[(0, 1), (1, 2)]),
        ] {
            filter.set(text);
            let found = filter.found_in(column, shown).into_iter();
            let found: Vec<_> = found.map(|place| (place.start, place.end)).collect();
            assert_eq!(found, want, "{text} in {shown}");
        }
    }
}
