//! Where the jobs of each project stand in the text of a config.
//!
//! This file must not know what is to change there.

use std::ops::Range;

use toml_edit::{Array, Document, Item, Table, TableLike, TomlError, Value};

pub(super) struct ProjectSpans {
    pub(super) id: String,
    pub(super) jobs: JobSpans,
}

/// The ways to list the jobs of a project.
pub(super) enum JobSpans {
    /// `jobs = […]`, with its brackets and the id of each item.
    Array {
        span: Range<usize>,
        items: Vec<(String, Range<usize>)>,
    },
    /// `[[projects.jobs]]`, once for each job.
    Tables(Vec<TableSpans>),
    /// Not at all, in a `[[projects]]`.
    Missing(EntrySpans),
    /// Not at all, in a `projects = [{ … }]`, whose last value ends here.
    MissingInline(usize),
}

pub(super) struct TableSpans {
    pub(super) id: String,
    /// With its brackets.
    pub(super) header: Range<usize>,
    pub(super) entries: EntrySpans,
}

/// The entries below a table's own header: where the first key begins, and the last value ends.
pub(super) type EntrySpans = Range<usize>;

/// The projects of `text`, a valid config, in the order of the file. What has no span, which a
/// valid config does not have, is left out.
pub(super) fn projects(text: &str) -> Result<Vec<ProjectSpans>, TomlError> {
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

fn project(table: &dyn TableLike, inline: bool) -> Option<ProjectSpans> {
    let jobs = match table.get("jobs") {
        Some(Item::Value(Value::Array(array))) => array_jobs(array)?,
        Some(Item::ArrayOfTables(tables)) => {
            JobSpans::Tables(tables.iter().filter_map(job_table).collect())
        }
        _ if inline => JobSpans::MissingInline(end(table)?),
        _ => JobSpans::Missing(entries(table)?),
    };
    Some(ProjectSpans {
        id: id(table)?,
        jobs,
    })
}

fn array_jobs(array: &Array) -> Option<JobSpans> {
    let item = |value: &Value| {
        let id = match value {
            Value::String(id) => id.value().clone(),
            Value::InlineTable(table) => id(table)?,
            _ => return None,
        };
        Some((id, value.span()?))
    };
    Some(JobSpans::Array {
        span: array.span()?,
        items: array.iter().map(item).collect::<Option<_>>()?,
    })
}

fn job_table(table: &Table) -> Option<TableSpans> {
    Some(TableSpans {
        id: id(table)?,
        header: table.span()?,
        entries: entries(table)?,
    })
}

fn id(table: &dyn TableLike) -> Option<String> {
    table.get("id")?.as_str().map(String::from)
}

fn entries(table: &dyn TableLike) -> Option<EntrySpans> {
    let starts = table.iter().filter_map(|(name, item)| match item {
        Item::Value(_) => Some(table.key(name)?.span()?.start),
        _ => None,
    });
    Some(starts.min()?..end(table)?)
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
