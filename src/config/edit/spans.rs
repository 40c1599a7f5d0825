//! Where the jobs of each project stand in the text of a config.
//!
//! This file must not know what is to change there.

use std::ops::Range;

use toml_edit::{Array, Document, Item, Table, TableLike, TomlError, Value};

/// A project in the text.
pub(super) struct ProjectPlace {
    /// Its id.
    pub(super) id: String,
    /// Its jobs.
    pub(super) jobs: Jobs,
}

/// The ways to list the jobs of a project.
pub(super) enum Jobs {
    /// `jobs = […]`
    Array {
        /// The array with its brackets.
        span: Range<usize>,
        /// Each item: the id of the job, and its place.
        items: Vec<(String, Range<usize>)>,
    },
    /// `[[projects.jobs]]`, once for each job.
    Tables(Vec<JobTable>),
    /// Not at all, in a `[[projects]]`.
    Missing {
        /// Where its first key begins.
        first: usize,
        /// Where its last value ends.
        end: usize,
    },
    /// Not at all, in a `projects = [{ … }]`.
    MissingInline {
        /// Where its last value ends.
        end: usize,
    },
}

/// One `[[projects.jobs]]`.
pub(super) struct JobTable {
    /// The id of the job.
    pub(super) id: String,
    /// The header with its brackets.
    pub(super) header: Range<usize>,
    /// Where its first key begins.
    pub(super) first: usize,
    /// Where its last value ends.
    pub(super) end: usize,
}

/// The projects of `text`, a valid config, in the order of the file. What has no place in it, which
/// a valid config does not have, is left out.
pub(super) fn projects(text: &str) -> Result<Vec<ProjectPlace>, TomlError> {
    let document = Document::parse(text)?;
    let projects = match document.get("projects") {
        Some(Item::ArrayOfTables(tables)) => tables
            .iter()
            .filter_map(|table| project(table, false))
            .collect(),
        Some(Item::Value(Value::Array(array))) => array
            .iter()
            .filter_map(Value::as_inline_table)
            .filter_map(|table| project(table, true))
            .collect(),
        _ => Vec::new(),
    };
    Ok(projects)
}

fn project(table: &dyn TableLike, inline: bool) -> Option<ProjectPlace> {
    let jobs = match table.get("jobs") {
        Some(Item::Value(Value::Array(array))) => array_jobs(array)?,
        Some(Item::ArrayOfTables(tables)) => {
            Jobs::Tables(tables.iter().filter_map(job_table).collect())
        }
        _ if inline => Jobs::MissingInline { end: end(table)? },
        _ => Jobs::Missing {
            first: first(table)?,
            end: end(table)?,
        },
    };
    Some(ProjectPlace {
        id: id(table)?,
        jobs,
    })
}

fn array_jobs(array: &Array) -> Option<Jobs> {
    let item = |value: &Value| {
        let id = match value {
            Value::String(id) => id.value().clone(),
            Value::InlineTable(table) => id(table)?,
            _ => return None,
        };
        Some((id, value.span()?))
    };
    Some(Jobs::Array {
        span: array.span()?,
        items: array.iter().map(item).collect::<Option<_>>()?,
    })
}

fn job_table(table: &Table) -> Option<JobTable> {
    Some(JobTable {
        id: id(table)?,
        header: table.span()?,
        first: first(table)?,
        end: end(table)?,
    })
}

fn id(table: &dyn TableLike) -> Option<String> {
    table.get("id")?.as_str().map(String::from)
}

/// Where the first key begins of those that stand below the table's own header.
fn first(table: &dyn TableLike) -> Option<usize> {
    let starts = table.iter().filter_map(|(name, item)| match item {
        Item::Value(_) => Some(table.key(name)?.span()?.start),
        _ => None,
    });
    starts.min()
}

/// Where the last value ends of those that stand below the table's own header.
fn end(table: &dyn TableLike) -> Option<usize> {
    let ends = table.iter().filter_map(|(_, item)| match item {
        Item::Value(Value::InlineTable(dotted)) if dotted.is_dotted() => end(dotted),
        Item::Value(value) => Some(value.span()?.end),
        Item::Table(dotted) if dotted.is_dotted() => end(dotted),
        _ => None,
    });
    ends.max()
}
