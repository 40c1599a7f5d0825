//! The config as it is written: TOML into types that remember where each value stood.
//!
//! Unknown keys and wrong types end here, in words that suit a person. This file must not know how
//! projects and jobs depend on each other.

use std::fmt::{self, Display};

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, Error as _, MapAccess, Visitor};
use toml::Spanned;

use super::error::nearest;
use super::fast;
use super::github::RawGithub;
use super::location::Diagnostic;
use super::settings::{PollConfig, StoreConfig};
use super::ui::{RawKeys, UiConfig};
use crate::text;

/// The most cells of a wrong key or value that a message repeats.
const MAX_FOUND: usize = 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct RawConfig {
    pub(super) base_url: Option<Spanned<String>>,
    pub(super) key: Option<Spanned<RawKey>>,
    #[serde(default)]
    pub(super) poll: PollConfig,
    #[serde(default)]
    pub(super) github: RawGithub,
    #[serde(default)]
    pub(super) store: StoreConfig,
    #[serde(default)]
    pub(super) ui: UiConfig,
    #[serde(default)]
    pub(super) keys: RawKeys,
    pub(super) projects: Option<Vec<RawProject>>,
}

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as `{ env = \"MINTLIFY_API_KEY\" }` (the key itself does not belong in this file)"
)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct RawKey {
    pub(super) env: Option<Spanned<String>>,
    pub(super) file: Option<Spanned<String>>,
    pub(super) command: Option<Spanned<Vec<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with the `id` of a project")]
#[cfg_attr(test, derive(Debug))]
pub(super) struct RawProject {
    pub(super) id: Spanned<String>,
    pub(super) name: Option<String>,
    pub(super) key: Option<Spanned<RawKey>>,
    #[serde(default, deserialize_with = "jobs")]
    pub(super) jobs: Vec<RawJob>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct RawJob {
    pub(super) id: Spanned<String>,
    pub(super) label: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
}

impl RawJob {
    pub(super) fn with_id(id: Spanned<String>) -> Self {
        let (label, tags) = (None, Vec::new());
        Self { id, label, tags }
    }
}

fn jobs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RawJob>, D::Error> {
    let job = |job: Spanned<IdOrTable>| {
        let span = job.span();
        match job.into_inner() {
            IdOrTable::Id(id) => RawJob::with_id(Spanned::new(span, id)),
            IdOrTable::Table(job) => job,
        }
    };
    let jobs = Vec::deserialize(deserializer)?;
    Ok(jobs.into_iter().map(job).collect())
}

enum IdOrTable {
    Id(String),
    Table(RawJob),
}

// By hand, since `#[serde(untagged)]` reads into a buffer that knows no spans, and then says only
// that no variant fits.
impl<'de> Deserialize<'de> for IdOrTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JobVisitor)
    }
}

struct JobVisitor;

impl<'de> Visitor<'de> for JobVisitor {
    type Value = IdOrTable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a job id in quotes, or a table such as `{ id = \"job_02\" }`")
    }

    fn visit_str<E: de::Error>(self, id: &str) -> Result<IdOrTable, E> {
        Ok(IdOrTable::Id(id.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<IdOrTable, A::Error> {
        RawJob::deserialize(MapAccessDeserializer::new(map)).map(IdOrTable::Table)
    }
}

/// What `parse` makes of the `T` that is written; its error is reported there.
pub(super) fn parsed<'de, D, T, U, E>(
    deserializer: D,
    parse: impl FnOnce(T) -> Result<U, E>,
) -> Result<U, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
    E: Display,
{
    parse(T::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// `text` as TOML of the right shape.
pub(super) fn parse(text: &str) -> Result<RawConfig, Diagnostic> {
    if let Some(raw) = fast::parse(text) {
        return Ok(raw);
    }
    toml::from_str(text)
        .map_err(|error| Diagnostic::new(error.span().unwrap_or_default(), reword(error.message())))
}

/// A message of serde or toml in the words of a config file; one that is not known stays as it is.
fn reword(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown field `")
        && let Some((name, known)) = rest.rsplit_once("`, expected ")
    {
        return unknown_key(name, known);
    }
    if let Some(rest) = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        && let Some((found, expected)) = rest.rsplit_once(", expected ")
    {
        return wrong_type(found, expected);
    }
    match message.strip_prefix("missing field ") {
        Some(name) => format!("{name} is missing"),
        None => message.to_owned(),
    }
}

fn unknown_key(name: &str, known: &str) -> String {
    // How toml hands a date to whoever asked for a table.
    if name.starts_with("$__toml") {
        return "a date does not belong here".to_owned();
    }
    let name = text::truncate(name, MAX_FOUND, "…");
    let names: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    match nearest(&name, names.iter().copied()) {
        Some(near) => format!("unknown key `{name}`: did you mean `{near}`?"),
        None => format!(
            "unknown key `{name}`: known here are `{}`",
            names.join("`, `")
        ),
    }
}

fn wrong_type(found: &str, expected: &str) -> String {
    let found = match found {
        "map" => "a table".into(),
        "sequence" => "an array".into(),
        value => text::truncate(value, MAX_FOUND, "…"),
    };
    match expected {
        "a string" => format!("expected text in quotes, found {found}"),
        "i64" if found.starts_with("integer") => "this number is too large".to_owned(),
        "i64" => format!("expected a whole number, found {found}"),
        "a sequence" if found == "a table" => {
            format!("expected an array, found {found}: an array of tables is written `[[name]]`")
        }
        "a map" => format!("expected a table such as `{{ open = \"o\" }}`, found {found}"),
        "a boolean" => format!("expected `true` or `false`, found {found}"),
        "a sequence" => format!("expected an array, found {found}"),
        other => format!("expected {other}, found {found}"),
    }
}
