//! Editing a config as text: jobs come and go, and every other byte stays.
//!
//! The text is changed where a TOML parser found the jobs, not written again; the result is read
//! once more, and has to mean what was wanted, or there is none. This file must not know files.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::Value;

use super::error::shown;
use super::{Config, ConfigError, JobConfig, ProjectConfig, check, nearest, redact_keys};
use crate::job::{JobId, JobKey};
use crate::text::clean;
use array::ArrayText;
use spans::{EntrySpans, JobSpans, TableSpans};

mod array;
mod spans;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    pub id: JobId,
    pub label: Option<String>,
    pub tags: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    /// The text from now on; `None` where nothing changed.
    pub text: Option<String>,
    pub changed: Vec<JobKey>,
    /// What was already listed, or was not listed and so cannot be removed.
    pub unchanged: Vec<JobKey>,
}

/// Why a config was not edited. Its `Display` is meant for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("no project is called \"{0}\"; {1}")]
    NoSuchProject(String, String),
    #[error("several projects are called \"{0}\"; say which by its id: {1}")]
    Ambiguous(String, String),
    #[error("\"{0}\" cannot be added: {1}")]
    InvalidId(String, String),
    #[error("cannot edit {}: its jobs are listed in a way that mintwatch does not know how to \
             change; edit it by hand", shown(.0))]
    Unknown(PathBuf),
}

/// Adds `jobs` to the project with this id or unique name, in `text`, the contents of `path`.
pub fn add(text: &str, path: &Path, project: &str, jobs: &[NewJob]) -> Result<Edited, EditError> {
    let mut want = Config::parse(text, path)?;
    let project = find_project(&mut want.projects, project)?;
    let mut edited = Edited::default();
    let before = project.jobs.len();
    for job in jobs {
        let job = checked(job)?;
        let key = JobKey::new(project.id.clone(), job.id.clone());
        if project.jobs.iter().any(|known| known.id == job.id) {
            edited.unchanged.push(key);
        } else {
            project.jobs.push(job);
            edited.changed.push(key);
        }
    }
    if !edited.changed.is_empty() {
        let new = insert(text, &project.id, &project.jobs[before..]);
        edited.text = Some(verified(new, path, &want)?);
    }
    Ok(edited)
}

/// Removes `jobs` from `text`, the contents of `path`.
pub fn remove(text: &str, path: &Path, jobs: &[JobKey]) -> Result<Edited, EditError> {
    let mut want = Config::parse(text, path)?;
    let mut edited = Edited::default();
    for key in jobs {
        let list = if take_out(&mut want, key) {
            &mut edited.changed
        } else {
            &mut edited.unchanged
        };
        list.push(key.clone());
    }
    if !edited.changed.is_empty() {
        let new = delete(text, &edited.changed);
        edited.text = Some(verified(new, path, &want)?);
    }
    Ok(edited)
}

/// Whether the job was there.
fn take_out(config: &mut Config, key: &JobKey) -> bool {
    let mut projects = config.projects.iter_mut();
    projects
        .find(|project| project.id == key.project)
        .is_some_and(|project| {
            let before = project.jobs.len();
            project.jobs.retain(|job| job.id != key.id);
            project.jobs.len() < before
        })
}

/// The edited text, if it says exactly what it should.
fn verified(new: Option<String>, path: &Path, want: &Config) -> Result<String, EditError> {
    let means_it = |text: &String| Config::parse(text, path).is_ok_and(|config| config == *want);
    new.filter(means_it)
        .ok_or_else(|| EditError::Unknown(path.to_owned()))
}

/// The project with this id, else the only one with this name.
pub fn find_project<'a>(
    projects: &'a mut [ProjectConfig],
    name: &str,
) -> Result<&'a mut ProjectConfig, EditError> {
    let by_id = projects.iter().position(|project| *project.id == *name);
    let is_called = |(_, project): &(usize, &ProjectConfig)| project.name.as_deref() == Some(name);
    let mut by_name = projects.iter().enumerate().filter(is_called);
    match (by_id, by_name.next(), by_name.next()) {
        (Some(at), ..) | (None, Some((at, _)), None) => Ok(&mut projects[at]),
        (None, None, _) => Err(no_such_project(projects, name)),
        (None, Some(_), Some(_)) => Err(ambiguous(projects, name)),
    }
}

fn no_such_project(projects: &[ProjectConfig], name: &str) -> EditError {
    let titles: Vec<&str> = projects
        .iter()
        .map(|project| project.name.as_deref().unwrap_or(&project.id))
        .collect();
    let ids = projects.iter().map(|project| &*project.id);
    let known: Vec<&str> = titles.iter().copied().chain(ids).collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None if titles.is_empty() => format!(
            "the config has none yet: add the lines `[[projects]]` and `id = \"{}\"` to it",
            shown_name(name)
        ),
        None => format!("the config has {}", titles.join(", ")),
    };
    EditError::NoSuchProject(shown_name(name), hint)
}

fn ambiguous(projects: &[ProjectConfig], name: &str) -> EditError {
    let same = projects
        .iter()
        .filter(|project| project.name.as_deref() == Some(name));
    let ids: Vec<&str> = same.map(|project| &*project.id).collect();
    EditError::Ambiguous(shown_name(name), ids.join(", "))
}

fn shown_name(name: &str) -> String {
    clean(&redact_keys(name))
}

/// `job` as the config will say it.
fn checked(job: &NewJob) -> Result<JobConfig, EditError> {
    match check::invalid_id(&job.id) {
        Some(why) => Err(EditError::InvalidId(shown_name(&job.id), why)),
        None => Ok(check::job(&job.id, job.label.clone(), job.tags.clone())),
    }
}

struct Splice(Range<usize>, String);

fn spliced(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort_by_key(|Splice(range, _)| range.start);
    let mut new = String::with_capacity(text.len());
    let mut at = 0;
    for Splice(range, replacement) in splices {
        new += text.get(at..range.start)?;
        new += &replacement;
        at = range.end;
    }
    Some(new + text.get(at..)?)
}

fn insert(text: &str, project: &str, jobs: &[JobConfig]) -> Option<String> {
    let projects = spans::projects(text).ok()?;
    let project = projects.into_iter().find(|known| known.id == project)?;
    let splice = match project.jobs {
        JobSpans::Array { span, items } => {
            let mut array = ArrayText::new(text, &span, &items, line_break(text))?;
            for job in jobs {
                array.push(item(job));
            }
            Splice(span, array.into_text())
        }
        JobSpans::Tables(tables) => after_tables(text, tables.last()?, jobs),
        JobSpans::Missing(entries) => whole_array(text, &entries, jobs),
        JobSpans::MissingInline(end) => {
            let items: Vec<String> = jobs.iter().map(item).collect();
            Splice(end..end, format!(", jobs = [{}]", items.join(", ")))
        }
    };
    spliced(text, vec![splice])
}

/// A `jobs` of its own line below the keys of a project.
fn whole_array(text: &str, entries: &EntrySpans, jobs: &[JobConfig]) -> Splice {
    let start = format!("{}{}", line_break(text), indent(text, entries.start));
    let items = jobs.iter().map(|job| format!("{start}  {},", item(job)));
    let items: Vec<String> = items.collect();
    let at = line_end(text, entries.end);
    Splice(at..at, format!("{start}jobs = [{}{start}]", items.concat()))
}

/// More tables below the last one, written like it.
fn after_tables(text: &str, last: &TableSpans, jobs: &[JobConfig]) -> Splice {
    let line_break = line_break(text);
    let blank = if follows_blank_line(text, last.header.start) {
        line_break
    } else {
        ""
    };
    let header = format!(
        "{blank}{line_break}{}{}",
        indent(text, last.header.start),
        &text[last.header.clone()]
    );
    let start = format!("{line_break}{}", indent(text, last.entries.start));
    let tables = jobs.iter().flat_map(|job| {
        let pairs = pairs(job).into_iter().map(|pair| format!("{start}{pair}"));
        std::iter::once(header.clone()).chain(pairs)
    });
    let at = line_end(text, last.entries.end);
    Splice(at..at, tables.collect())
}

fn delete(text: &str, jobs: &[JobKey]) -> Option<String> {
    let gone: HashSet<(&str, &str)> = jobs.iter().map(|key| (&*key.project, &*key.id)).collect();
    let mut splices = Vec::new();
    for project in spans::projects(text).ok()? {
        let goes = |id: &str| gone.contains(&(&project.id, id));
        match &project.jobs {
            JobSpans::Array { span, items } => {
                let mut array = ArrayText::new(text, span, items, line_break(text))?;
                for (at, (id, _)) in items.iter().enumerate().rev() {
                    if goes(id) {
                        array.remove(at);
                    }
                }
                splices.push(Splice(span.clone(), array.into_text()));
            }
            JobSpans::Tables(tables) => {
                let gone = tables.iter().filter(|table| goes(&table.id));
                splices.extend(gone.map(|table| without_table(text, table)));
            }
            JobSpans::Missing(_) | JobSpans::MissingInline(_) => {}
        }
    }
    spliced(text, splices)
}

/// The table with the line break before it, and with the blank line that sets it off.
fn without_table(text: &str, table: &TableSpans) -> Splice {
    let mut start = line_start(text, table.header.start);
    if follows_blank_line(text, start) {
        start = before_line_break(text, start);
    }
    Splice(
        before_line_break(text, start)..line_end(text, table.entries.end),
        String::new(),
    )
}

/// `job` as an item of an array: only its id, or a table.
fn item(job: &JobConfig) -> String {
    if job.label.is_none() && job.tags.is_empty() {
        return quoted(&job.id);
    }
    format!("{{ {} }}", pairs(job).join(", "))
}

fn pairs(job: &JobConfig) -> Vec<String> {
    let mut pairs = vec![format!("id = {}", quoted(&job.id))];
    if let Some(label) = &job.label {
        pairs.push(format!("label = {}", quoted(label)));
    }
    if !job.tags.is_empty() {
        let tags: Value = job.tags.iter().map(String::as_str).collect();
        pairs.push(format!("tags = {tags}"));
    }
    pairs
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn line_break(text: &str) -> &'static str {
    match text.split_once('\n') {
        Some((line, _)) if line.ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |at| at + 1)
}

/// The end of the line of the byte `at`, before its line break.
fn line_end(text: &str, at: usize) -> usize {
    match text[at..].find('\n') {
        Some(length) => before_line_break(text, at + length + 1),
        None => text.len(),
    }
}

/// The byte `at`, which starts a line, moved back over the line break before it.
fn before_line_break(text: &str, at: usize) -> usize {
    let line = text[..at].strip_suffix('\n').unwrap_or(&text[..at]);
    line.strip_suffix('\r').unwrap_or(line).len()
}

/// The white space at the start of the line of the byte `at`.
fn indent(text: &str, at: usize) -> &str {
    let line = &text[line_start(text, at)..at];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Whether the line before that of the byte `at` is empty.
fn follows_blank_line(text: &str, at: usize) -> bool {
    let before = before_line_break(text, line_start(text, at));
    before > 0 && text[..before].ends_with('\n')
}

#[cfg(test)]
mod tests;
