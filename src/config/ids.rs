//! Job ids as people have them at hand: typed, as links, or inside replies of the API.
//!
//! This file must not know which ids are in the config already.

use std::collections::HashSet;

use serde_json::{Deserializer, Value};
use url::Url;

use super::{check, redact};
use crate::job::JobId;

/// The most cells of a wrong text that a message repeats.
const MAX_SHOWN: usize = 60;

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
}

/// The job ids in `text`, each once, in their order: ids or links one a line, or JSON: a job as the
/// API returns it, an array of them, or one after the other. Blank lines and `#` comments are
/// skipped.
pub fn parse_ids(text: &str) -> Result<Vec<JobId>, IdsError> {
    let mut ids = Vec::new();
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    while !rest.is_empty() {
        rest = if rest.starts_with(['{', '[', '"']) {
            take_json(rest, &mut ids)?
        } else {
            take_line(rest, &mut ids)?
        }
        .trim_start();
    }
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    if ids.is_empty() {
        return Err(IdsError::Nothing);
    }
    ids.iter().try_for_each(|id| check(id))?;
    Ok(ids)
}

fn take_line<'a>(text: &'a str, ids: &mut Vec<JobId>) -> Result<&'a str, IdsError> {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    // An id has no spaces, so what follows one and a `#` is a comment.
    let end = line
        .match_indices('#')
        .map(|(at, _)| at)
        .find(|at| *at == 0 || line[..*at].ends_with(char::is_whitespace));
    let word = line[..end.unwrap_or(line.len())].trim();
    if !word.is_empty() {
        ids.push(from_word(word)?);
    }
    Ok(rest)
}

/// The id that is `word`, or that is in it where it is a link.
fn from_word(word: &str) -> Result<JobId, IdsError> {
    if !word.starts_with("https://") && !word.starts_with("http://") {
        return Ok(word.into());
    }
    let no_job = || IdsError::Link(shown(word));
    let url = Url::parse(word).map_err(|_| no_job())?;
    let segments: Vec<&str> = url.path().split('/').collect();
    // The last one, since a project could be called `job`.
    let pairs = segments.iter().zip(segments.iter().skip(1));
    let id = pairs
        .rev()
        .find(|(name, id)| **name == "job" && !id.is_empty());
    match id {
        Some((_, id)) if !id.contains('%') => Ok((*id).into()),
        _ => Err(no_job()),
    }
}

/// Takes one JSON value from the start of `text`, with the comma after it.
fn take_json<'a>(text: &'a str, ids: &mut Vec<JobId>) -> Result<&'a str, IdsError> {
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    match values.next() {
        Some(Ok(value)) => from_json(&value, ids)?,
        Some(Err(error)) => return Err(IdsError::NotJson(shown(text), error.to_string())),
        None => return Ok(""),
    }
    let rest = text.get(values.byte_offset()..).unwrap_or_default();
    Ok(rest.trim_start().strip_prefix(',').unwrap_or(rest))
}

fn from_json(value: &Value, ids: &mut Vec<JobId>) -> Result<(), IdsError> {
    match value {
        Value::String(word) => ids.push(from_word(word)?),
        Value::Array(values) => values.iter().try_for_each(|value| from_json(value, ids))?,
        Value::Object(object) => match (object.get("id"), object.get("jobs")) {
            (Some(Value::String(id)), _) => ids.push(id.as_str().into()),
            // What `mintwatch list --json` prints.
            (None, Some(jobs @ Value::Array(_))) => from_json(jobs, ids)?,
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
            ("https://x/v2/agent/job/job/job/", vec!["job"]),
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
            assert_eq!(parse_ids(text), Ok(want), "{text}");
        }
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
            assert_eq!(parse_ids(text).unwrap_err().to_string(), want, "{text}");
        }
    }
}
