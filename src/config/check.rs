//! From what is written to what makes sense: each value checked where it stands.
//!
//! This file must not know how TOML is read or how a fault is shown.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::fmt::friendly::SpanParser;
use toml::Spanned;

use super::error::{Fault, line_number};
use super::raw::{RawConfig, RawJob, RawJobTable, RawKey, RawPoll, RawProject};
use super::settings::{Config, JobConfig, KeySource, PollSettings, ProjectConfig};
use super::ui::{self, Source};
use crate::base_url::{BaseUrl, BaseUrlError};
use crate::text;

/// The intervals and the timeout that make sense: neither a busy loop nor longer than a day.
const DURATIONS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);
const CONCURRENCY: RangeInclusive<usize> = 1..=256;

/// The settings that `raw`, read from `text` of the file at `path`, stands for; a relative key file
/// is looked for beside it.
pub(super) fn config(raw: RawConfig, text: &str, path: &Path) -> Result<Config, Fault> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let source = Source { path, text };
    Ok(Config {
        base_url: base_url(raw.base_url)?,
        key: key(raw.key, folder)?.unwrap_or_default(),
        poll: poll(raw.poll)?,
        ui: ui::ui(raw.ui, source)?,
        keys: ui::keys(raw.keys, source),
        projects: projects(raw.projects.unwrap_or_default(), text, folder)?,
    })
}

fn base_url(raw: Option<Spanned<String>>) -> Result<BaseUrl, Fault> {
    let raw = raw.unwrap_or_else(|| Spanned::new(0..0, BaseUrl::MINTLIFY.to_owned()));
    let url = raw.get_ref().parse();
    url.map_err(|error: BaseUrlError| Fault::new(raw.span(), error.to_string()))
}

fn key(raw: Option<Spanned<RawKey>>, folder: &Path) -> Result<Option<KeySource>, Fault> {
    let Some(raw) = raw else { return Ok(None) };
    let span = raw.span();
    match raw.into_inner() {
        RawKey {
            env: Some(name),
            file: None,
            command: None,
        } => env_source(name),
        RawKey {
            env: None,
            file: Some(path),
            command: None,
        } => file_source(&path, folder),
        RawKey {
            env: None,
            file: None,
            command: Some(argv),
        } => command_source(argv),
        _ => Err(Fault::new(
            span,
            "the key comes from exactly one of `env`, `file` and `command`",
        )),
    }
    .map(Some)
}

/// A key in place of its source would be shown as the source's name.
fn refuse_key(raw: &str, span: &Range<usize>, instead: &str) -> Result<(), Fault> {
    if raw.trim_start().starts_with("mint_") {
        let message = format!("this looks like a key: give {instead}");
        return Err(Fault::new(span.clone(), message));
    }
    Ok(())
}

fn env_source(raw: Spanned<String>) -> Result<KeySource, Fault> {
    let span = raw.span();
    let name = raw.into_inner();
    refuse_key(
        &name,
        &span,
        "the name of the environment variable that holds it",
    )?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty()
        || name.starts_with(|c: char| c.is_ascii_digit())
        || !name.chars().all(is_name)
    {
        return Err(Fault::new(
            span,
            "not the name of an environment variable: letters, digits and `_`",
        ));
    }
    Ok(KeySource::Env(name))
}

fn file_source(raw: &Spanned<String>, folder: &Path) -> Result<KeySource, Fault> {
    let path = Path::new(raw.get_ref());
    if path.as_os_str().is_empty() {
        return Err(Fault::new(raw.span(), "the path of the key file is empty"));
    }
    let instead = "the path of the file that holds it (`./mint_...` if that is its name)";
    refuse_key(raw.get_ref(), &raw.span(), instead)?;
    if path.starts_with("~") {
        return Ok(KeySource::File(path.to_owned()));
    }
    Ok(KeySource::File(folder.join(path)))
}

fn command_source(raw: Spanned<Vec<String>>) -> Result<KeySource, Fault> {
    let Some(program) = raw.get_ref().first().filter(|name| !name.is_empty()) else {
        return Err(Fault::new(
            raw.span(),
            "the command is empty: name a program, then its arguments",
        ));
    };
    let instead = "the program that prints it (`./mint_...` if that is its name)";
    refuse_key(program, &raw.span(), instead)?;
    Ok(KeySource::Command(raw.into_inner()))
}

fn poll(raw: RawPoll) -> Result<PollSettings, Fault> {
    let default = PollSettings::default();
    Ok(PollSettings {
        active: duration(raw.active, default.active)?,
        finished: duration(raw.finished, default.finished)?,
        timeout: duration(raw.timeout, default.timeout)?,
        concurrency: concurrency(raw.concurrency, default.concurrency)?,
    })
}

fn duration(raw: Option<Spanned<String>>, default: Duration) -> Result<Duration, Fault> {
    let Some(raw) = raw else { return Ok(default) };
    let duration = SpanParser::new()
        .parse_unsigned_duration(raw.get_ref())
        .map_err(|_| Fault::new(raw.span(), "not a duration such as `10s` or `1m 30s`"))?;
    if DURATIONS.contains(&duration) {
        Ok(duration)
    } else {
        Err(Fault::new(
            raw.span(),
            "expected a duration from `100ms` to `24h`",
        ))
    }
}

fn concurrency(raw: Option<Spanned<i64>>, default: usize) -> Result<usize, Fault> {
    let Some(raw) = raw else { return Ok(default) };
    usize::try_from(*raw.get_ref())
        .ok()
        .filter(|number| CONCURRENCY.contains(number))
        .ok_or_else(|| {
            let (least, most) = CONCURRENCY.into_inner();
            Fault::new(
                raw.span(),
                format!("expected a number from {least} to {most}"),
            )
        })
}

fn projects(raw: Vec<RawProject>, text: &str, folder: &Path) -> Result<Vec<ProjectConfig>, Fault> {
    let mut seen = Seen::new("project", text, raw.len());
    raw.into_iter()
        .map(|raw| {
            Ok(ProjectConfig {
                id: seen.once(id(&raw.id)?, raw.id.span())?,
                name: raw.name.as_deref().and_then(words),
                key: key(raw.key, folder)?,
                jobs: jobs(raw.jobs, text)?,
            })
        })
        .collect()
}

fn jobs(raw: Vec<Spanned<RawJob>>, text: &str) -> Result<Vec<JobConfig>, Fault> {
    let mut seen = Seen::new("job", text, raw.len());
    raw.into_iter()
        .map(|raw| {
            let table = job_table(raw);
            Ok(JobConfig {
                id: seen.once(id(&table.id)?, table.id.span())?,
                label: table.label.as_deref().and_then(words),
                tags: table.tags.iter().filter_map(|tag| words(tag)).collect(),
            })
        })
        .collect()
}

/// A job that is only an id is a table with nothing else.
fn job_table(raw: Spanned<RawJob>) -> RawJobTable {
    let span = raw.span();
    match raw.into_inner() {
        RawJob::Table(table) => table,
        RawJob::Id(id) => RawJobTable {
            id: Spanned::new(span, id),
            label: None,
            tags: Vec::new(),
        },
    }
}

/// Cleaned text, where anything is left of it.
pub(super) fn words(raw: &str) -> Option<String> {
    Some(text::clean(raw)).filter(|clean| !clean.is_empty())
}

/// An id that can stand in a path of the API and on the screen, or why it cannot.
fn id(raw: &Spanned<String>) -> Result<Arc<str>, Fault> {
    match odd_id(raw.get_ref()) {
        Some(why) => Err(Fault::new(raw.span(), why)),
        None => Ok(raw.get_ref().as_str().into()),
    }
}

/// Why `id` cannot be one, where it cannot.
pub(super) fn odd_id(id: &str) -> Option<String> {
    if id.is_empty() {
        return Some("the id is empty".to_owned());
    }
    if id.chars().nth(text::MAX_CHARS).is_some() {
        return Some(format!(
            "the id is longer than {} characters",
            text::MAX_CHARS
        ));
    }
    if id == "." || id == ".." {
        return Some(format!("`{id}` is not an id"));
    }
    if id.contains(|c: char| c.is_whitespace() || c == '/') {
        return Some("an id has neither spaces nor `/`".to_owned());
    }
    let is_plain = id.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain && text::clean(id) != id {
        return Some("the id has characters that cannot be shown".to_owned());
    }
    None
}

/// The ids of one list so far, and where each stands.
struct Seen<'a> {
    what: &'static str,
    text: &'a str,
    places: HashMap<Arc<str>, usize>,
}

impl<'a> Seen<'a> {
    fn new(what: &'static str, text: &'a str, count: usize) -> Self {
        Self {
            what,
            text,
            places: HashMap::with_capacity(count),
        }
    }

    /// `id`, unless it was there before.
    fn once(&mut self, id: Arc<str>, span: Range<usize>) -> Result<Arc<str>, Fault> {
        match self.places.entry(id) {
            Entry::Vacant(free) => Ok(free.insert_entry(span.start).key().clone()),
            Entry::Occupied(first) => {
                let line = line_number(self.text, *first.get());
                let message = format!("this {} is listed twice, first on line {line}", self.what);
                Err(Fault::new(span, message))
            }
        }
    }
}
