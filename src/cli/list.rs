//! `mintwatch list`: polls each job once, and prints a table or JSON.
//!
//! The table is the dashboard's own table of columns. This file must not know how jobs are polled.

use std::io::{self, Write};

use clap::Args;
use jiff::{Timestamp, Unit};
use ratatui::style::{Color, Modifier};
use serde::Serialize;

use super::select::{self, SelectError};
use crate::board::{Board, Counts, Freshness, Project, Row, Watched};
use crate::job::Status;
use crate::mintlify::ErrorKind;
use crate::text;
use crate::view::columns::{COLUMNS, Column, Context, fit};
use crate::view::theme::{Role, Theme};

/// What `list` takes.
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:
  mintwatch list                         every job
  mintwatch list --needs-you             what waits for you
  mintwatch list --project docs --status failed
  mintwatch list \"SDK quickstart\" --json | jq -r .jobs[0].prLink")]
pub struct ListArgs {
    /// Only these jobs: ids, PROJECT/JOB, or labels
    #[arg(value_name = "JOB")]
    pub jobs: Vec<String>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// Only jobs that failed, or whose pull request waits
    #[arg(long)]
    pub needs_you: bool,
    /// Only jobs with this status: active, completed, failed or archived
    #[arg(long, value_name = "S")]
    pub status: Option<String>,
    /// Only jobs of this project, by id or name
    #[arg(long, value_name = "P")]
    pub project: Option<String>,
}

impl ListArgs {
    /// Which of the watched jobs need to be polled at all.
    pub fn choose(&self, watched: Vec<Watched>) -> Result<Vec<Watched>, SelectError> {
        let watched = match &self.project {
            Some(project) => select::project(&watched, project)?,
            None => watched,
        };
        select::jobs(watched, &self.jobs)
    }

    /// The status asked for, cleaned, where neither the API's contract nor any job knows it.
    pub fn unknown_status(&self, board: &Board) -> Option<String> {
        let wanted = self.status.as_deref()?;
        let known = !matches!(Status::from_api(&wanted.to_lowercase()), Status::Other(_));
        let seen = board.rows().iter().any(|row| has_status(row, wanted));
        (!known && !seen).then(|| text::clean(wanted))
    }

    fn shows(&self, row: &Row) -> bool {
        (!self.needs_you || row.needs_you())
            && self
                .status
                .as_deref()
                .is_none_or(|wanted| has_status(row, wanted))
    }
}

fn has_status(row: &Row, wanted: &str) -> bool {
    row.status()
        .is_some_and(|status| status.as_str().eq_ignore_ascii_case(wanted))
}

/// How the table is printed.
#[derive(Clone, Copy, Debug)]
pub struct Looks {
    /// Colour and glyphs.
    pub theme: Theme,
    /// The cells that a line may take; `None` for as many as it needs.
    pub width: Option<u16>,
}

/// Prints what `args` ask for of `board`. Returns whether a key was missing or refused.
pub fn print(
    args: &ListArgs,
    board: &Board,
    looks: Looks,
    now: Timestamp,
    out: &mut dyn Write,
) -> io::Result<bool> {
    let rows: Vec<&Row> = board.rows().iter().filter(|row| args.shows(row)).collect();
    print_rows(&rows, args.json, looks, now, out)?;
    let no_key = |row: &Row| {
        row.error
            .as_ref()
            .is_some_and(|e| e.kind == ErrorKind::Auth)
    };
    Ok(board.rows().iter().any(no_key))
}

/// Prints `rows` as a table, or as one JSON object with their counts.
pub fn print_rows(
    rows: &[&Row],
    json: bool,
    looks: Looks,
    now: Timestamp,
    out: &mut dyn Write,
) -> io::Result<()> {
    if !json {
        return print_table(rows, looks, now, out);
    }
    serde_json::to_writer(&mut *out, &Listing::new(rows))?;
    writeln!(out)
}

/// Prints `row` as one JSON object, as it stands among the `jobs` of a listing.
pub fn print_job(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &JobEntry::new(row))?;
    writeln!(out)
}

fn print_table(rows: &[&Row], looks: Looks, now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    let context = Context {
        now,
        glyphs: looks.theme.glyphs(),
    };
    let columns = columns(rows, looks, &context);
    let titles = columns
        .iter()
        .map(|(column, width)| (column.title.into(), *width, Role::Strong));
    print_line(titles.collect(), looks.theme, out)?;
    for row in rows {
        let cells = columns.iter().map(|(column, width)| {
            let fresh = row.freshness(now) == Freshness::Fresh;
            let role = if fresh || column.tells_why {
                (column.role)(row)
            } else {
                Role::Muted
            };
            ((column.text)(row, &context), *width, role)
        });
        print_line(cells.collect(), looks.theme, out)?;
    }
    Ok(())
}

/// The columns that are printed, each as wide as its longest text or as there is room for.
fn columns(rows: &[&Row], looks: Looks, context: &Context) -> Vec<(&'static Column, usize)> {
    if let Some(width) = looks.width {
        let all: Vec<usize> = (0..COLUMNS.len()).collect();
        let fitted = fit(&all, width, 2).into_iter();
        return fitted
            .map(|(at, width)| (&COLUMNS[at], usize::from(width)))
            .collect();
    }
    let longest = |column: &Column| {
        let texts = rows
            .iter()
            .map(|row| text::width(&(column.text)(row, context)));
        texts.chain([column.title.len()]).max().unwrap_or_default()
    };
    COLUMNS
        .iter()
        .map(|column| (column, longest(column)))
        .collect()
}

fn print_line(
    cells: Vec<(std::borrow::Cow<'_, str>, usize, Role)>,
    theme: Theme,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut line = String::new();
    for (text, width, role) in cells {
        // A status squeezed to its mark is cut without an ellipsis: the mark is the message.
        let ellipsis = if width == 1 {
            ""
        } else {
            theme.glyphs().ellipsis
        };
        let shown = text::truncate(&text, width, ellipsis);
        let shown = if theme.is_ascii() {
            ascii(&shown)
        } else {
            shown.into_owned()
        };
        let pad = " ".repeat(width.saturating_sub(text::width(&shown)) + 2);
        line.push_str(&paint(theme, role, &shown));
        line.push_str(&pad);
    }
    writeln!(out, "{}", line.trim_end())
}

/// `text` with a question mark for whatever is not ASCII.
pub(super) fn ascii(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii() { c } else { '?' })
        .collect()
}

/// `text` in the colours of `role`, as ANSI sequences (ECMA-48 SGR).
pub(super) fn paint(theme: Theme, role: Role, text: &str) -> String {
    let style = theme.style(role);
    let color = match style.fg {
        Some(Color::Red) => "31",
        Some(Color::Green) => "32",
        Some(Color::Magenta) => "35",
        Some(Color::Cyan) => "36",
        _ => "",
    };
    let attribute = match style.add_modifier {
        Modifier::BOLD => "1",
        Modifier::DIM => "2",
        _ => "",
    };
    let codes: Vec<&str> = [attribute, color]
        .into_iter()
        .filter(|code| !code.is_empty())
        .collect();
    if !theme.has_color() || codes.is_empty() || text.is_empty() {
        return text.to_owned();
    }
    format!("\x1b[{}m{text}\x1b[0m", codes.join(";"))
}

/// What `list --json` prints.
#[derive(Serialize)]
struct Listing<'a> {
    jobs: Vec<JobEntry<'a>>,
    counts: Counts,
}

/// One job: the API's keys, plus ours.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JobEntry<'a> {
    project: ProjectEntry<'a>,
    id: &'a str,
    label: Option<&'a str>,
    tags: &'a [String],
    status: Option<&'a str>,
    repository: Option<&'a str>,
    branch: Option<&'a str>,
    model: Option<&'a str>,
    pr_link: Option<&'a str>,
    created_at: Option<Timestamp>,
    archived_at: Option<Timestamp>,
    needs_you: bool,
    fetched_at: Option<Timestamp>,
    error: Option<ErrorEntry<'a>>,
}

/// A project, as every JSON output names it.
#[derive(Debug, Serialize)]
pub(super) struct ProjectEntry<'a> {
    id: &'a str,
    name: Option<&'a str>,
}

impl<'a> ProjectEntry<'a> {
    pub(super) fn new(project: &'a Project) -> Self {
        Self {
            id: &project.id,
            name: project.name.as_deref(),
        }
    }

    pub(super) fn unnamed(id: &'a str) -> Self {
        Self { id, name: None }
    }

    /// What a person calls it.
    pub(super) fn title(&self) -> &'a str {
        self.name.unwrap_or(self.id)
    }
}

#[derive(Serialize)]
struct ErrorEntry<'a> {
    kind: ErrorKind,
    message: &'a str,
}

impl<'a> Listing<'a> {
    fn new(rows: &[&'a Row]) -> Self {
        let jobs = rows.iter().map(|row| JobEntry::new(row)).collect();
        Self {
            jobs,
            counts: Counts::new(rows.iter().copied()),
        }
    }
}

impl<'a> JobEntry<'a> {
    fn new(row: &'a Row) -> Self {
        let watched = &row.watched;
        let job = row.job.as_ref();
        Self {
            project: ProjectEntry::new(&watched.project),
            id: &watched.key.id,
            label: watched.label.as_deref(),
            tags: &watched.tags,
            status: row.status().map(Status::as_str),
            repository: job.and_then(|job| job.repository.as_deref()),
            branch: job.and_then(|job| job.branch.as_deref()),
            model: job.and_then(|job| job.model.as_deref()),
            pr_link: row.pull_request().map(|pull_request| pull_request.as_str()),
            created_at: job.and_then(|job| job.created_at),
            archived_at: job.and_then(|job| job.archived_at),
            needs_you: row.needs_you(),
            fetched_at: row
                .fetched_at
                .map(|at| at.round(Unit::Second).unwrap_or(at)),
            error: row.error.as_ref().map(|error| ErrorEntry {
                kind: error.kind,
                message: &error.message,
            }),
        }
    }
}
