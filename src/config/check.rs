//! From what is written to what makes sense: each value checked where it stands.
//!
//! This file must not know how TOML is read or how an error is shown.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::location::{Diagnostic, Source, line_number};
use super::raw::{RawConfig, RawJob, RawKey, RawProject};
use super::redact::begins_as_secret;
use super::settings::StoreConfig;
use super::settings::{Config, JobConfig, KeySource, ProjectConfig};
use super::ui;
use super::{github, redact_keys};
use crate::base_url::{BaseUrl, BaseUrlError};
use crate::text;

/// The settings that `raw`, read from `source`, stands for; a relative key file is looked for
/// beside it.
pub(super) fn config(mut raw: RawConfig, source: Source) -> Result<Config, Diagnostic> {
    let folder = source.path.parent().unwrap_or(Path::new(""));
    raw.ui.locate_names(source);
    Ok(Config {
        base_url: base_url(raw.base_url)?,
        key: key(raw.key, "key", folder)?.unwrap_or_default(),
        poll: raw.poll,
        github: github::check(raw.github, source.text, folder)?,
        store: store(raw.store, folder),
        ui: raw.ui,
        keys: ui::keys(raw.keys, source),
        projects: projects(raw.projects.unwrap_or_default(), source.text, folder)?,
    })
}

/// A relative path starts at the folder of the config, as that of a key file does.
fn store(raw: StoreConfig, folder: &Path) -> StoreConfig {
    let path = raw.path.map(|path| in_folder(&path, folder));
    StoreConfig { path, ..raw }
}

fn in_folder(path: &Path, folder: &Path) -> PathBuf {
    if path.starts_with("~") {
        path.to_owned()
    } else {
        folder.join(path)
    }
}

fn base_url(raw: Option<Spanned<String>>) -> Result<BaseUrl, Diagnostic> {
    let raw = raw.unwrap_or_else(|| Spanned::new(0..0, BaseUrl::MINTLIFY.to_owned()));
    let url = raw.get_ref().parse();
    url.map_err(|error: BaseUrlError| Diagnostic::new(raw.span(), error.to_string()))
}

/// Where a key or a token comes from; `what` says which.
pub(super) fn key(
    raw: Option<Spanned<RawKey>>,
    what: &str,
    folder: &Path,
) -> Result<Option<KeySource>, Diagnostic> {
    let Some(raw) = raw else { return Ok(None) };
    let (table, raw) = (raw.span(), raw.into_inner());
    let (span, source) = match (raw.env, raw.file, raw.command) {
        (Some(name), None, None) => (name.span(), env_source(name.into_inner(), what)),
        (None, Some(path), None) => (path.span(), file_source(path.get_ref(), what, folder)),
        (None, None, Some(argv)) => (argv.span(), command_source(argv.into_inner(), what)),
        _ => {
            let why = format!("the {what} comes from exactly one of `env`, `file` and `command`");
            (table, Err(why))
        }
    };
    source.map(Some).map_err(|why| Diagnostic::new(span, why))
}

/// A key in place of its source would be shown as the source's name.
fn refuse_key(raw: &str, what: &str, instead: &str) -> Result<(), String> {
    if begins_as_secret(raw) {
        return Err(format!("this looks like a {what}: give {instead}"));
    }
    Ok(())
}

fn env_source(name: String, what: &str) -> Result<KeySource, String> {
    refuse_key(
        &name,
        what,
        "the name of the environment variable that holds it",
    )?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty()
        || name.starts_with(|c: char| c.is_ascii_digit())
        || !name.chars().all(is_name)
    {
        let why = "not the name of an environment variable: letters, digits and `_`";
        return Err(why.to_owned());
    }
    Ok(KeySource::Env(name))
}

fn file_source(path: &str, what: &str, folder: &Path) -> Result<KeySource, String> {
    if path.is_empty() {
        return Err(format!("the path of the {what} file is empty"));
    }
    let instead = "the path of the file that holds it (`./mint_...` if that is its name)";
    refuse_key(path, what, instead)?;
    Ok(KeySource::File(in_folder(Path::new(path), folder)))
}

fn command_source(argv: Vec<String>, what: &str) -> Result<KeySource, String> {
    let Some(program) = argv.first().filter(|name| !name.is_empty()) else {
        return Err("the command is empty: name a program, then its arguments".to_owned());
    };
    let instead = "the program that prints it (`./mint_...` if that is its name)";
    refuse_key(program, what, instead)?;
    Ok(KeySource::Command(argv))
}

fn projects(
    raw: Vec<RawProject>,
    text: &str,
    folder: &Path,
) -> Result<Vec<ProjectConfig>, Diagnostic> {
    let ids = raw.iter().map(|project| &project.id);
    check_names("project", ids, invalid_id, text)?;
    let project = |raw: RawProject| {
        Ok(ProjectConfig {
            id: raw.id.get_ref().as_str().into(),
            name: raw.name.and_then(clean_text),
            key: key(raw.key, "key", folder)?,
            jobs: jobs(raw.jobs, text)?,
        })
    };
    // By value, so that what is done with makes room for what comes.
    raw.into_iter().map(project).collect()
}

fn jobs(raw: Vec<RawJob>, text: &str) -> Result<Vec<JobConfig>, Diagnostic> {
    check_names("job", raw.iter().map(|job| &job.id), invalid_id, text)?;
    let job = |raw: RawJob| job(raw.id.get_ref(), raw.label, raw.tags);
    Ok(raw.into_iter().map(job).collect())
}

/// A job with this valid id and its text cleaned.
pub(super) fn job(id: &str, label: Option<String>, tags: Vec<String>) -> JobConfig {
    JobConfig {
        id: id.into(),
        label: label.and_then(clean_text),
        tags: tags.into_iter().filter_map(clean_text).collect(),
    }
}

/// Whether each of `names` can be one, as `invalid` says, and none stands there twice.
pub(super) fn check_names<'a>(
    kind: &str,
    names: impl ExactSizeIterator<Item = &'a Spanned<String>>,
    invalid: impl Fn(&str) -> Option<String>,
    text: &str,
) -> Result<(), Diagnostic> {
    let mut starts = HashMap::with_capacity(names.len());
    for name in names {
        if let Some(why) = invalid(name.get_ref()) {
            return Err(Diagnostic::new(name.span(), why));
        }
        if let Some(first) = starts.insert(name.get_ref(), name.span().start) {
            let line = line_number(text, first);
            let why = format!("this {kind} is listed twice, first on line {line}");
            return Err(Diagnostic::new(name.span(), why));
        }
    }
    Ok(())
}

/// Cleaned text, where anything is left of it.
fn clean_text(raw: String) -> Option<String> {
    Some(text::into_clean(raw)).filter(|clean| !clean.is_empty())
}

/// Why `id` can stand neither in a path of the API nor on the screen, where that is so.
pub(super) fn invalid_id(id: &str) -> Option<String> {
    if id.is_empty() {
        return Some("the id is empty".to_owned());
    }
    if id.chars().nth(text::MAX_CHARS).is_some() {
        let most = text::MAX_CHARS;
        return Some(format!("the id is longer than {most} characters"));
    }
    if id == "." || id == ".." {
        return Some(format!("`{id}` is not an id"));
    }
    if id.contains(|c: char| c.is_whitespace() || c == '/') {
        return Some("an id has neither spaces nor `/`".to_owned());
    }
    if redact_keys(id) != id {
        return Some("this looks like an API key, which is no id".to_owned());
    }
    let is_plain = id.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain && text::clean(id) != id {
        return Some("the id has characters that cannot be shown".to_owned());
    }
    None
}
