//! The config as it is written: TOML into types that remember where each value stood.
//!
//! Unknown keys and wrong types end here, in words that suit a person. This file must not know
//! which values make sense.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use super::error::Fault;
use super::fast;
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
    pub(super) poll: RawPoll,
    #[serde(default)]
    pub(super) ui: RawUi,
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

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[cfg_attr(test, derive(Debug))]
pub(super) struct RawPoll {
    pub(super) active: Option<Spanned<String>>,
    pub(super) finished: Option<Spanned<String>>,
    pub(super) timeout: Option<Spanned<String>>,
    pub(super) concurrency: Option<Spanned<i64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[cfg_attr(test, derive(Debug))]
pub(super) struct RawUi {
    pub(super) columns: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) sort: Option<Spanned<String>>,
    pub(super) view: Option<Spanned<String>>,
    pub(super) theme: Option<Spanned<String>>,
    pub(super) ascii: Option<Spanned<RawSwitch>>,
    pub(super) mouse: Option<bool>,
    pub(super) title: Option<bool>,
}

/// `true`, `false` or a word.
#[cfg_attr(test, derive(Debug))]
pub(super) enum RawSwitch {
    Is(bool),
    Word(String),
}

/// Actions and their keys.
#[derive(Default)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct RawKeys(pub(super) Vec<(Spanned<String>, Spanned<RawChords>)>);

/// One key, or several in an array.
#[cfg_attr(test, derive(Debug))]
pub(super) enum RawChords {
    One(String),
    Several(Vec<Spanned<String>>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with the `id` of a project")]
#[cfg_attr(test, derive(Debug))]
pub(super) struct RawProject {
    pub(super) id: Spanned<String>,
    pub(super) name: Option<String>,
    pub(super) key: Option<Spanned<RawKey>>,
    #[serde(default)]
    pub(super) jobs: Vec<Spanned<RawJob>>,
}

#[cfg_attr(test, derive(Debug))]
pub(super) enum RawJob {
    Id(String),
    Table(RawJobTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct RawJobTable {
    pub(super) id: Spanned<String>,
    pub(super) label: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
}

// By hand, since `#[serde(untagged)]` reads into a buffer that knows no places, and then says only
// that no variant fits.
impl<'de> Deserialize<'de> for RawJob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JobVisitor)
    }
}

struct JobVisitor;

impl<'de> Visitor<'de> for JobVisitor {
    type Value = RawJob;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a job id in quotes, or a table such as `{ id = \"job_02\" }`")
    }

    fn visit_str<E: de::Error>(self, id: &str) -> Result<RawJob, E> {
        Ok(RawJob::Id(id.to_owned()))
    }

    fn visit_string<E: de::Error>(self, id: String) -> Result<RawJob, E> {
        Ok(RawJob::Id(id))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawJob, A::Error> {
        RawJobTable::deserialize(MapAccessDeserializer::new(map)).map(RawJob::Table)
    }
}

impl<'de> Deserialize<'de> for RawSwitch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SwitchVisitor)
    }
}

struct SwitchVisitor;

impl Visitor<'_> for SwitchVisitor {
    type Value = RawSwitch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`\"auto\"`, `true` or `false`")
    }

    fn visit_bool<E: de::Error>(self, is: bool) -> Result<RawSwitch, E> {
        Ok(RawSwitch::Is(is))
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<RawSwitch, E> {
        Ok(RawSwitch::Word(word.to_owned()))
    }
}

impl<'de> Deserialize<'de> for RawKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(KeysVisitor)
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = RawKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table such as `{ open = \"o\" }`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawKeys, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(RawKeys(entries))
    }
}

impl<'de> Deserialize<'de> for RawChords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChordsVisitor)
    }
}

struct ChordsVisitor;

impl<'de> Visitor<'de> for ChordsVisitor {
    type Value = RawChords;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key such as `\"o\"`, or several such as `[\"o\", \"ctrl-o\"]`")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<RawChords, E> {
        Ok(RawChords::One(key.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut keys: A) -> Result<RawChords, A::Error> {
        let mut several = Vec::new();
        while let Some(key) = keys.next_element()? {
            several.push(key);
        }
        Ok(RawChords::Several(several))
    }
}

/// `text` as TOML of the right shape.
pub(super) fn parse(text: &str) -> Result<RawConfig, Fault> {
    if let Some(raw) = fast::parse(text) {
        return Ok(raw);
    }
    toml::from_str(text)
        .map_err(|error| Fault::new(error.span().unwrap_or_default(), reword(error.message())))
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

/// So many letters are enough of a beginning to guess the rest from.
const MIN_BEGINNING: usize = 3;

/// The one of `known` that `name` may be a slip of: in a few letters, in their case, or by having
/// typed its beginning only.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let near_enough = (wanted.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|known| {
            let own = known.to_lowercase();
            let begins = wanted.chars().count() >= MIN_BEGINNING && own.starts_with(&wanted);
            let distance = strsim::osa_distance(&wanted, &own);
            (if begins { distance.min(1) } else { distance }, known)
        })
        .filter(|(distance, _)| *distance <= near_enough)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
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
        "a boolean" => format!("expected `true` or `false`, found {found}"),
        "a sequence" => format!("expected an array, found {found}"),
        other => format!("expected {other}, found {found}"),
    }
}
