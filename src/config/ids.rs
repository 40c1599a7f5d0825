//! Job ids as people have them at hand: typed, as links, or inside replies of the API.
//!
//! Some name their project too: that has to be the one that was chosen. This file must not know which
//! ids are in the config already.

use std::collections::HashSet;

use serde_json::{Deserializer, Value};
use url::Url;

use super::{check, redact};
use crate::job::{JobId, ProjectId};

/// The most cells of a wrong text that a message repeats.
const MAX_SHOWN: usize = 60;

/// Where a person finds the id of a job.
pub const WHERE_TO_FIND: &str =
    "the \"id\" in a reply of the API, or what stands after /job/ in a link";

/// Why there are no job ids in a text. Its `Display` is meant for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdsError {
    #[error(
        "no job id: give an id, a link such as https://…/job/ID, or a reply of the API as JSON"
    )]
    Nothing,
    #[error("\"{0}\" looks like an API key, and was not used as a job id")]
    Key(String),
    #[error("\"{0}\" is no job id: {1}")]
    Invalid(String, String),
    #[error("no job id in {0}: a link to a job ends in /job/ID")]
    Link(String),
    #[error("cannot read the JSON that starts with {0}: {1}")]
    NotJson(String, String),
    #[error("no job id in {0}: expected the JSON of a job, with its \"id\", or of several")]
    NoJob(String),
    /// With the job and the project that it is in.
    #[error("{0} is in the project {1}, not in the one chosen: choose that, or give the id alone")]
    OtherProject(String, String),
}

/// An id, and the project where what it stands in names one.
struct Found {
    project: Option<ProjectId>,
    /// Words that stand with the id: one that is the id of a project is meant as one.
    mentions: Vec<String>,
    id: JobId,
}

impl Found {
    /// The project that it is in, where that is another one than `chosen`.
    fn other_project(&self, chosen: &ProjectId, known: &[ProjectId]) -> Option<ProjectId> {
        let is_mentioned =
            |project: &&ProjectId| self.mentions.iter().any(|word| **word == ***project);
        let mentioned = match &self.project {
            Some(project) => Some(project),
            None if is_mentioned(&chosen) => None,
            None => known.iter().find(is_mentioned),
        };
        mentioned.filter(|project| *project != chosen).cloned()
    }
}

/// The ids of jobs of `project` in `text`, each once, in their order: ids or links one a line, or JSON:
/// a job as the API returns it, an array of them, or one after the other. Blank lines and `#` comments
/// are skipped. What names another project, such as one of the `known` ones, is refused.
pub fn parse_ids(
    text: &str,
    project: &ProjectId,
    known: &[ProjectId],
) -> Result<Vec<JobId>, IdsError> {
    ids_of(find(text, |_| false)?, project, known)
}

/// As [`parse_ids`], with several ids or links on a line too, between spaces or commas: as people
/// paste them.
pub fn parse_pasted_ids(
    text: &str,
    project: &ProjectId,
    known: &[ProjectId],
) -> Result<Vec<JobId>, IdsError> {
    let is_separator = |c: char| c == ',' || c.is_whitespace();
    ids_of(find(text, is_separator)?, project, known)
}

fn ids_of(
    found: Vec<Found>,
    project: &ProjectId,
    known: &[ProjectId],
) -> Result<Vec<JobId>, IdsError> {
    if found.is_empty() {
        return Err(IdsError::Nothing);
    }
    let mut seen = HashSet::new();
    let mut ids = Vec::new();
    for found in found {
        check(&found.id)?;
        if let Some(other) = found.other_project(project, known) {
            return Err(IdsError::OtherProject(shown(&found.id), shown(&other)));
        }
        let id = found.id;
        if seen.insert(id.clone()) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// `is_separator` tells what stands between the words of a line.
fn find(text: &str, is_separator: fn(char) -> bool) -> Result<Vec<Found>, IdsError> {
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    while !rest.is_empty() {
        rest = if rest.starts_with(['{', '[', '"']) {
            take_json(rest, &mut found)?
        } else {
            take_line(rest, is_separator, &mut found)?
        }
        .trim_start();
    }
    Ok(found)
}

fn take_line<'a>(
    text: &'a str,
    is_separator: fn(char) -> bool,
    found: &mut Vec<Found>,
) -> Result<&'a str, IdsError> {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    // An id has no spaces, so what follows one and a `#` is a comment.
    let end = line
        .match_indices('#')
        .map(|(at, _)| at)
        .find(|at| *at == 0 || line[..*at].ends_with(char::is_whitespace));
    let words = line[..end.unwrap_or(line.len())].split(is_separator);
    let words = words.map(str::trim).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    // Several words can be a sentence.
    let is_no_id = |word: &&&str| words.len() > 1 && !looks_like_an_id(word);
    if let Some(word) = words.iter().find(is_no_id) {
        let why = String::from("ids that share a line have a digit or a `_`");
        return Err(IdsError::Invalid(shown(word), why));
    }
    for word in words {
        found.push(from_word(word)?);
    }
    Ok(rest)
}

fn looks_like_an_id(word: &str) -> bool {
    word.contains(|c: char| c == '_' || c.is_ascii_digit() || c == '/')
}

/// The id that is `word`, or that is in it where it is a link.
fn from_word(word: &str) -> Result<Found, IdsError> {
    if word.starts_with("https://") || word.starts_with("http://") {
        return from_link(word);
    }
    Ok(Found {
        project: None,
        mentions: Vec::new(),
        id: word.into(),
    })
}

/// The id after the last `/job/`, since a project could be called `job`. A link of the API has
/// `/agent/PROJECT` before that.
fn from_link(word: &str) -> Result<Found, IdsError> {
    let no_job = || IdsError::Link(shown(word));
    let url = Url::parse(word).map_err(|_| no_job())?;
    let segments: Vec<&str> = url.path().split('/').collect();
    let mut pairs = segments.windows(2);
    let at = pairs.rposition(|pair| pair[0] == "job" && !pair[1].is_empty());
    let (before, after) = segments.split_at(at.ok_or_else(no_job)?);
    let in_path = before.iter().map(ToString::to_string);
    let in_query = url.query_pairs().map(|(_, value)| value.into_owned());
    let project = match before {
        [.., "agent", project] if !project.is_empty() => Some((*project).into()),
        _ => None,
    };
    match after {
        [_, id, ..] if !id.contains('%') => Ok(Found {
            project,
            mentions: in_path.chain(in_query).collect(),
            id: (*id).into(),
        }),
        _ => Err(no_job()),
    }
}

/// Takes one JSON value from the start of `text`, with the comma after it.
fn take_json<'a>(text: &'a str, found: &mut Vec<Found>) -> Result<&'a str, IdsError> {
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    match values.next() {
        Some(Ok(value)) => from_json(&value, found)?,
        Some(Err(error)) => return Err(IdsError::NotJson(shown(text), error.to_string())),
        None => return Ok(""),
    }
    let rest = text.get(values.byte_offset()..).unwrap_or_default();
    Ok(rest.trim_start().strip_prefix(',').unwrap_or(rest))
}

fn from_json(value: &Value, found: &mut Vec<Found>) -> Result<(), IdsError> {
    match value {
        Value::String(word) => found.push(from_word(word)?),
        Value::Array(values) => values
            .iter()
            .try_for_each(|value| from_json(value, found))?,
        Value::Object(object) => match (object.get("id"), object.get("jobs")) {
            (Some(Value::String(id)), _) => found.push(Found {
                // As programs name it; the API does not.
                mentions: object
                    .get("projectId")
                    .and_then(Value::as_str)
                    .map(String::from)
                    .into_iter()
                    .collect(),
                // Of `mintwatch list --json`.
                project: object
                    .get("project")
                    .and_then(|project| project["id"].as_str())
                    .map(ProjectId::from),
                id: id.as_str().into(),
            }),
            // What `mintwatch list --json` prints.
            (None, Some(jobs @ Value::Array(_))) => from_json(jobs, found)?,
            _ => return Err(IdsError::NoJob(shown(&value.to_string()))),
        },
        _ => return Err(IdsError::NoJob(shown(&value.to_string()))),
    }
    Ok(())
}

fn check(id: &str) -> Result<(), IdsError> {
    if id.starts_with("mint_") {
        return Err(IdsError::Key(shown(id)));
    }
    match check::invalid_id(id) {
        Some(why) => Err(IdsError::Invalid(shown(id), why)),
        None => Ok(()),
    }
}

fn shown(found: &str) -> String {
    redact::excerpt(found, MAX_SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_ids_table() {
        for (text, want) in [
            ("job_1", vec!["job_1"]),
            (
                " job_1\r\n\r\n# c\n\tjob_2 # c\njob_1\n",
                vec!["job_1", "job_2"],
            ),
            ("a#b", vec!["a#b"]),
            ("\u{feff}日本", vec!["日本"]),
            // Links.
            (
                "https://api.mintlify.com/v2/agent/p/job/job_1",
                vec!["job_1"],
            ),
            ("http://x/job/job_1/message?a=1#job/x", vec!["job_1"]),
            ("https://x/v2/agent/p/job/job/", vec!["job"]),
            ("https://x/agent/job/a", vec!["a"]),
            (
                "https://x/job/a\n\nhttps://x/job/b/\nc",
                vec!["a", "b", "c"],
            ),
            // JSON.
            (
                "{\"id\": \"a\", \"status\": \"active\", \"source\": {\"id\": \"x\"}}",
                vec!["a"],
            ),
            ("\n{\n  \"status\": null,\n  \"id\": \"a\"\n}\n", vec!["a"]),
            (
                "[{\"id\":\"a\"}, {\"id\":\"b\"}, \"c\"]",
                vec!["a", "b", "c"],
            ),
            (
                "{\"id\":\"a\"}\n{\"id\":\"b\"}\n\n{\"id\":\"a\"}\n",
                vec!["a", "b"],
            ),
            (
                "{\"id\":\"a\"}{\"id\":\"b\"},{\"id\":\"c\"}",
                vec!["a", "b", "c"],
            ),
            (
                "# from a script\n\"a\"\n{\"id\":\"b\"} # c\nc",
                vec!["a", "b", "c"],
            ),
            ("\"https://x/job/a\",\n\"b\",", vec!["a", "b"]),
            (
                "{\"jobs\":[{\"project\":{\"id\":\"p\"},\"id\":\"a\"}],\"counts\":{}}",
                vec!["a"],
            ),
        ] {
            let want: Vec<JobId> = want.into_iter().map(JobId::from).collect();
            assert_eq!(parse_ids(text, &"p".into(), &[]), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_mentions_another_known_project_is_refused() {
        let known = ["p".into(), "64f0c1f7".into()];
        for (text, is_refused) in [
            ("https://dash.test/acme/64f0c1f7/editor/job/job_1?x=1", true),
            ("https://dash.test/acme/job/job_1?project=64f0c1f7", true),
            ("{\"id\":\"job_1\",\"projectId\":\"64f0c1f7\"}", true),
            ("https://dash.test/acme/p/job/job_1?ref=64f0c1f7", false),
            ("https://dash.test/acme/job/64f0c1f7", false),
            ("https://dash.test/acme/other/job/job_1", false),
        ] {
            let ids = parse_ids(text, &"p".into(), &known);
            assert_eq!(ids.is_err(), is_refused, "{text}: {ids:?}");
        }
    }

    #[test]
    fn a_sentence_is_no_list_of_ids() {
        let parse = |text: &str| parse_pasted_ids(text, &"p".into(), &[]);
        for text in ["this is no id", "look at job_1", "a, b"] {
            assert!(matches!(parse(text), Err(IdsError::Invalid(..))), "{text}");
        }
        assert!(parse("mine").is_ok());
    }

    #[test]
    fn pasted_ids_may_share_a_line() {
        let parse = |text: &str| parse_pasted_ids(text, &"p".into(), &[]);
        for (text, want) in [
            ("a1 b1", vec!["a1", "b1"]),
            (
                "a1, b1,c1,,\n d1\te1,\n",
                vec!["a1", "b1", "c1", "d1", "e1"],
            ),
            ("https://x/job/a,https://x/job/b c1", vec!["a", "b", "c1"]),
            ("a1 b1 # c d\nb1, e1", vec!["a1", "b1", "e1"]),
            ("\"a\", \"b\"\nc1 d_", vec!["a", "b", "c1", "d_"]),
            ("{\"id\":\"a\"} b1, c1", vec!["a", "b1", "c1"]),
        ] {
            let want: Vec<JobId> = want.into_iter().map(JobId::from).collect();
            assert_eq!(parse(text), Ok(want), "{text}");
        }
        let key = parse("a1 mint_secret").unwrap_err();
        assert!(matches!(key, IdsError::Key(_)), "{key}");
        assert_eq!(parse(" , \n"), Err(IdsError::Nothing));
    }

    #[test]
    fn what_is_no_id_is_said() {
        let nothing = "no job id: give an id, a link such as https://…/job/ID, or a reply of the \
                       API as JSON";
        for (text, want) in [
            ("", nothing),
            (" \n# c\n", nothing),
            ("[]", nothing),
            (
                "a b",
                "\"a b\" is no job id: an id has neither spaces nor `/`",
            ),
            (
                "p/a",
                "\"p/a\" is no job id: an id has neither spaces nor `/`",
            ),
            ("..", "\"..\" is no job id: `..` is not an id"),
            ("{\"id\":\"\"}", "\"\" is no job id: the id is empty"),
            (
                "a\u{202e}b",
                "\"ab\" is no job id: the id has characters that cannot be shown",
            ),
            (
                "mint_secret",
                "\"mint_******\" looks like an API key, and was not used as a job id",
            ),
            (
                "https://x/v2/jobs",
                "no job id in https://x/v2/jobs: a link to a job ends in /job/ID",
            ),
            (
                "https://x/job/",
                "no job id in https://x/job/: a link to a job ends in /job/ID",
            ),
            (
                "https://x/job/a%20b",
                "no job id in https://x/job/a%20b: a link to a job ends in /job/ID",
            ),
            (
                "https://",
                "no job id in https://: a link to a job ends in /job/ID",
            ),
            (
                "{\"id\":",
                "cannot read the JSON that starts with {\"id\":: EOF while parsing a value at line 1 column 6",
            ),
            (
                "{\"error\":\"no\"}",
                "no job id in {\"error\":\"no\"}: expected the JSON of a job, with its \"id\", or of several",
            ),
            (
                "[3]",
                "no job id in 3: expected the JSON of a job, with its \"id\", or of several",
            ),
            (
                "{\"id\":3}",
                "no job id in {\"id\":3}: expected the JSON of a job, with its \"id\", or of several",
            ),
        ] {
            assert_eq!(
                parse_ids(text, &"p".into(), &[]).unwrap_err().to_string(),
                want,
                "{text}"
            );
        }
    }

    #[test]
    fn a_job_of_another_project_is_refused() {
        let own = "https://api.mintlify.com/v2/agent/p/job/a";
        let listed = r#"{"jobs":[{"project":{"id":"p2","name":"docs"},"id":"b"}]}"#;
        for (text, job, project) in [
            ("https://api.mintlify.com/v2/agent/p2/job/b", "b", "p2"),
            (
                "http://127.0.0.1:1/base/v1/agent/p2/job/b/message",
                "b",
                "p2",
            ),
            ("https://x/v2/agent/job/job/job", "job", "job"),
            ("https://x/agent/a%20p/job/b", "b", "a%20p"),
            ("https://x/agent/mint_secret/job/b", "b", "mint_******"),
            (&format!("{own}\nhttps://x/agent/p2/job/b"), "b", "p2"),
            (listed, "b", "p2"),
        ] {
            let error = parse_ids(text, &"p".into(), &[]).unwrap_err();
            assert_eq!(
                error,
                IdsError::OtherProject(job.into(), project.into()),
                "{text}"
            );
        }
    }
}
