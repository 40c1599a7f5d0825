//! From what is written to what makes sense: each value checked where it stands.
//!
//! This file must not know how TOML is read or how an error is shown.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;

use super::location::{Diagnostic, Source, line_number};
use super::raw::{RawConfig, RawJob, RawKey, RawProject};
use super::settings::{Config, JobConfig, KeySource, ProjectConfig};
use super::ui;
use crate::base_url::{BaseUrl, BaseUrlError};
use crate::text;

/// The settings that `raw`, read from `source`, stands for; a relative key file is looked for
/// beside it.
pub(super) fn config(mut raw: RawConfig, source: Source) -> Result<Config, Diagnostic> {
    let folder = source.path.parent().unwrap_or(Path::new(""));
    raw.ui.locate_names(source);
    Ok(Config {
        base_url: base_url(raw.base_url)?,
        key: key(raw.key, folder)?.unwrap_or_default(),
        poll: raw.poll,
        ui: raw.ui,
        keys: ui::keys(raw.keys, source),
        projects: projects(raw.projects.unwrap_or_default(), source.text, folder)?,
    })
}

fn base_url(raw: Option<Spanned<String>>) -> Result<BaseUrl, Diagnostic> {
    let raw = raw.unwrap_or_else(|| Spanned::new(0..0, BaseUrl::MINTLIFY.to_owned()));
    let url = raw.get_ref().parse();
    url.map_err(|error: BaseUrlError| Diagnostic::new(raw.span(), error.to_string()))
}

fn key(raw: Option<Spanned<RawKey>>, folder: &Path) -> Result<Option<KeySource>, Diagnostic> {
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
        _ => Err(Diagnostic::new(
            span,
            "the key comes from exactly one of `env`, `file` and `command`",
        )),
    }
    .map(Some)
}

/// A key in place of its source would be shown as the source's name.
fn refuse_key(raw: &str, span: &Range<usize>, instead: &str) -> Result<(), Diagnostic> {
    if raw.trim_start().starts_with("mint_") {
        let message = format!("this looks like a key: give {instead}");
        return Err(Diagnostic::new(span.clone(), message));
    }
    Ok(())
}

fn env_source(raw: Spanned<String>) -> Result<KeySource, Diagnostic> {
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
        return Err(Diagnostic::new(
            span,
            "not the name of an environment variable: letters, digits and `_`",
        ));
    }
    Ok(KeySource::Env(name))
}

fn file_source(raw: &Spanned<String>, folder: &Path) -> Result<KeySource, Diagnostic> {
    let path = Path::new(raw.get_ref());
    if path.as_os_str().is_empty() {
        return Err(Diagnostic::new(
            raw.span(),
            "the path of the key file is empty",
        ));
    }
    let instead = "the path of the file that holds it (`./mint_...` if that is its name)";
    refuse_key(raw.get_ref(), &raw.span(), instead)?;
    if path.starts_with("~") {
        return Ok(KeySource::File(path.to_owned()));
    }
    Ok(KeySource::File(folder.join(path)))
}

fn command_source(raw: Spanned<Vec<String>>) -> Result<KeySource, Diagnostic> {
    let Some(program) = raw.get_ref().first().filter(|name| !name.is_empty()) else {
        return Err(Diagnostic::new(
            raw.span(),
            "the command is empty: name a program, then its arguments",
        ));
    };
    let instead = "the program that prints it (`./mint_...` if that is its name)";
    refuse_key(program, &raw.span(), instead)?;
    Ok(KeySource::Command(raw.into_inner()))
}

fn projects(
    raw: Vec<RawProject>,
    text: &str,
    folder: &Path,
) -> Result<Vec<ProjectConfig>, Diagnostic> {
    let mut ids = UniqueIds::new("project", text, raw.len());
    raw.into_iter()
        .map(|raw| {
            Ok(ProjectConfig {
                id: ids.add(id(&raw.id)?, raw.id.span())?,
                name: raw.name.as_deref().and_then(clean_text),
                key: key(raw.key, folder)?,
                jobs: jobs(raw.jobs, text)?,
            })
        })
        .collect()
}

fn jobs(raw: Vec<RawJob>, text: &str) -> Result<Vec<JobConfig>, Diagnostic> {
    let mut ids = UniqueIds::new("job", text, raw.len());
    raw.into_iter()
        .map(|raw| {
            Ok(JobConfig {
                id: ids.add(id(&raw.id)?, raw.id.span())?,
                label: raw.label.as_deref().and_then(clean_text),
                tags: raw.tags.iter().filter_map(|tag| clean_text(tag)).collect(),
            })
        })
        .collect()
}

/// Cleaned text, where anything is left of it.
pub(super) fn clean_text(raw: &str) -> Option<String> {
    Some(text::clean(raw)).filter(|clean| !clean.is_empty())
}

/// An id that can stand in a path of the API and on the screen, or why it cannot.
fn id(raw: &Spanned<String>) -> Result<Arc<str>, Diagnostic> {
    match invalid_id(raw.get_ref()) {
        Some(why) => Err(Diagnostic::new(raw.span(), why)),
        None => Ok(raw.get_ref().as_str().into()),
    }
}

/// Why `id` cannot be one, where it cannot.
pub(super) fn invalid_id(id: &str) -> Option<String> {
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
struct UniqueIds<'a> {
    what: &'static str,
    text: &'a str,
    starts: HashMap<Arc<str>, usize>,
}

impl<'a> UniqueIds<'a> {
    fn new(what: &'static str, text: &'a str, count: usize) -> Self {
        Self {
            what,
            text,
            starts: HashMap::with_capacity(count),
        }
    }

    /// `id`, unless it was there before.
    fn add(&mut self, id: Arc<str>, span: Range<usize>) -> Result<Arc<str>, Diagnostic> {
        match self.starts.entry(id) {
            Entry::Vacant(free) => Ok(free.insert_entry(span.start).key().clone()),
            Entry::Occupied(first) => {
                let line = line_number(self.text, *first.get());
                let message = format!("this {} is listed twice, first on line {line}", self.what);
                Err(Diagnostic::new(span, message))
            }
        }
    }
}
