//! Editing a config as text: jobs come and go, and every byte that is not concerned stays.
//!
//! The text is changed at places that a TOML parser found, and not written anew; the outcome is
//! read again, and has to mean what was wanted, or there is none. This file must not know files.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::Value;

use super::error::shown;
use super::{Config, ConfigError, JobConfig, ProjectConfig, check, nearest, redact_keys};
use crate::job::JobKey;
use crate::text::clean;
use array::ArrayText;
use spans::{JobTable, Jobs};

mod array;
mod spans;

/// A job to add.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewJob {
    /// Its id, as the API wants it.
    pub id: String,
    /// What a person calls it.
    pub label: Option<String>,
    /// Words to filter by.
    pub tags: Vec<String>,
}

/// What an edit did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    /// The text from now on; `None` where nothing changed.
    pub text: Option<String>,
    /// The jobs that were added or removed.
    pub changed: Vec<JobKey>,
    /// The jobs that were there already, or that were not there to be removed.
    pub unchanged: Vec<JobKey>,
}

/// Why a config was not edited. Its `Display` is meant for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is no config, or none that could be edited or written.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No project has this id or name.
    #[error("no project is called \"{0}\"; {1}")]
    NoSuchProject(String, String),
    /// Several projects have this name.
    #[error("several projects are called \"{0}\"; say which by its id: {1}")]
    Ambiguous(String, String),
    /// Not the id of a job.
    #[error("\"{0}\" cannot be added: {1}")]
    InvalidId(String, String),
    /// The config is written in a way that was not thought of.
    #[error("cannot edit {}: its jobs are listed in a way that mintwatch does not know how to \
             change; edit it by hand", shown(.0))]
    Unknown(PathBuf),
}

/// Adds `jobs` to the project with this id or unique name, in `text`, the contents of `path`.
pub fn add(text: &str, path: &Path, project: &str, jobs: &[NewJob]) -> Result<Edited, EditError> {
    let mut want = Config::parse(text, path)?;
    let project = find_project(&mut want.projects, project)?;
    let id = project.id.clone();
    let mut edited = Edited::default();
    let mut items = Vec::new();
    for job in jobs {
        let job = checked(job)?;
        let key = JobKey::new(id.clone(), job.id.clone());
        if project.jobs.iter().any(|known| known.id == job.id) {
            edited.unchanged.push(key);
        } else {
            items.push(job.clone());
            project.jobs.push(job);
            edited.changed.push(key);
        }
    }
    if !items.is_empty() {
        let new = insert(text, &id, &items);
        edited.text = Some(verified(new, path, &want)?);
    }
    Ok(edited)
}

/// Removes `jobs` from `text`, the contents of `path`.
pub fn remove(text: &str, path: &Path, jobs: &[JobKey]) -> Result<Edited, EditError> {
    let mut want = Config::parse(text, path)?;
    let mut edited = Edited::default();
    for key in jobs {
        let listed = want
            .projects
            .iter_mut()
            .find(|known| known.id == key.project);
        let at = listed.and_then(|project| {
            let at = project.jobs.iter().position(|job| job.id == key.id)?;
            Some(project.jobs.remove(at))
        });
        let list = if at.is_some() {
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
    let with_id = projects.iter().position(|project| *project.id == *name);
    let mut with_name = projects
        .iter()
        .enumerate()
        .filter(|(_, project)| project.name.as_deref() == Some(name));
    let at = match (with_id, with_name.next(), with_name.next()) {
        (Some(at), ..) | (None, Some((at, _)), None) => at,
        (None, None, _) => return Err(no_such_project(projects, name)),
        (None, Some(_), Some(_)) => return Err(ambiguous(projects, name)),
    };
    projects
        .get_mut(at)
        .ok_or_else(|| EditError::NoSuchProject(clean(name), String::new()))
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
        None => Ok(JobConfig {
            id: job.id.as_str().into(),
            label: job.label.as_deref().and_then(check::clean_text),
            tags: job
                .tags
                .iter()
                .filter_map(|tag| check::clean_text(tag))
                .collect(),
        }),
    }
}

/// A change of the text at one place.
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
    let place = projects.into_iter().find(|place| place.id == project)?;
    let splice = match place.jobs {
        Jobs::Array { span, items } => {
            let places: Vec<_> = items.into_iter().map(|(_, place)| place).collect();
            let mut array = ArrayText::new(text, &span, &places, line_break(text))?;
            for job in jobs {
                array.push(item(job));
            }
            Splice(span, array.into_text())
        }
        Jobs::Tables(tables) => after_tables(text, tables.last()?, jobs),
        Jobs::Missing { first, end } => whole_array(text, first, end, jobs),
        Jobs::MissingInline { end } => {
            let items: Vec<String> = jobs.iter().map(item).collect();
            Splice(end..end, format!(", jobs = [{}]", items.join(", ")))
        }
    };
    spliced(text, vec![splice])
}

/// A `jobs` of its own line below the keys of a project.
fn whole_array(text: &str, first: usize, end: usize, jobs: &[JobConfig]) -> Splice {
    let start = format!("{}{}", line_break(text), indent(text, first));
    let items = jobs.iter().map(|job| format!("{start}  {},", item(job)));
    let items: Vec<String> = items.collect();
    let at = line_end(text, end);
    Splice(at..at, format!("{start}jobs = [{}{start}]", items.concat()))
}

/// More tables below the last one, written like it.
fn after_tables(text: &str, last: &JobTable, jobs: &[JobConfig]) -> Splice {
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
    let start = format!("{line_break}{}", indent(text, last.first));
    let tables = jobs.iter().flat_map(|job| {
        let pairs = pairs(job).into_iter().map(|pair| format!("{start}{pair}"));
        std::iter::once(header.clone()).chain(pairs)
    });
    let at = line_end(text, last.end);
    Splice(at..at, tables.collect())
}

fn delete(text: &str, jobs: &[JobKey]) -> Option<String> {
    let gone: HashSet<(&str, &str)> = jobs.iter().map(|key| (&*key.project, &*key.id)).collect();
    let mut splices = Vec::new();
    for place in spans::projects(text).ok()? {
        let goes = |id: &str| gone.contains(&(&place.id, id));
        match &place.jobs {
            Jobs::Array { span, items } => {
                let places: Vec<_> = items.iter().map(|(_, place)| place.clone()).collect();
                let mut array = ArrayText::new(text, span, &places, line_break(text))?;
                for (at, (id, _)) in items.iter().enumerate().rev() {
                    if goes(id) {
                        array.remove(at);
                    }
                }
                splices.push(Splice(span.clone(), array.into_text()));
            }
            Jobs::Tables(tables) => {
                let gone = tables.iter().filter(|table| goes(&table.id));
                splices.extend(gone.map(|table| without_table(text, table)));
            }
            Jobs::Missing { .. } | Jobs::MissingInline { .. } => {}
        }
    }
    spliced(text, splices)
}

/// The table with the line break before it, and with the blank line that sets it off.
fn without_table(text: &str, table: &JobTable) -> Splice {
    let mut start = line_start(text, table.header.start);
    if follows_blank_line(text, start) {
        start = before_line_break(text, start);
    }
    Splice(
        before_line_break(text, start)..line_end(text, table.end),
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

/// The keys and values of `job`.
fn pairs(job: &JobConfig) -> Vec<String> {
    let mut pairs = vec![format!("id = {}", quoted(&job.id))];
    if let Some(label) = &job.label {
        pairs.push(format!("label = {}", quoted(label)));
    }
    if !job.tags.is_empty() {
        let tags: Vec<String> = job.tags.iter().map(|tag| quoted(tag)).collect();
        pairs.push(format!("tags = [{}]", tags.join(", ")));
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
