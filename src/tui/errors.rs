//! Draws what is wrong with the config, while it is, and the errors of this run, the newest first: polls
//! that failed, and what was asked for and not done.

use std::cmp::Reverse;

use jiff::Timestamp;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::app::ConfigProblem;
use super::painter::Painter;
use crate::text;
use crate::view::theme::Role;

/// Draws the errors, and returns how far they are scrolled.
pub(super) fn draw(painter: &mut Painter, area: Rect) -> usize {
    let width = usize::from(area.width.saturating_sub(2));
    let errors = entries(painter);
    let config = painter.app.config_problem();
    let mut lines = vec![title(painter, errors.len() + usize::from(config.is_some()))];
    lines.extend(
        config
            .into_iter()
            .flat_map(|problem| config_lines(painter, problem, width)),
    );
    // One outage fails many jobs with the same message: those in a row share an entry.
    for same in errors.chunk_by(|a, b| a.message == b.message) {
        lines.extend(lines_of(painter, same, width));
    }
    painter.scrolled(area, lines)
}

struct Entry<'a> {
    at: Timestamp,
    title: &'a str,
    message: &'a str,
    /// The message, and how often it came in a row.
    text: String,
}

fn entries<'a>(painter: &Painter<'a>) -> Vec<Entry<'a>> {
    let polls = painter.board.errors().rev().map(|error| Entry {
        at: error.at,
        title: &error.title,
        message: &error.message,
        text: error.to_string(),
    });
    let not_done = painter.app.not_done().iter().map(|refusal| Entry {
        at: refusal.at,
        title: refusal.request.name(),
        message: &refusal.message,
        text: refusal.message.clone(),
    });
    let store = painter.app.store_problem().map(|(since, problem)| Entry {
        at: *since,
        title: "store",
        message: problem,
        text: problem.clone(),
    });
    let mut entries: Vec<_> = polls.chain(not_done).chain(store).collect();
    entries.sort_by_key(|entry| Reverse(entry.at));
    entries
}

fn title(painter: &Painter, errors: usize) -> Line<'static> {
    let text = match errors {
        0 => String::from(" Nothing has failed in this run."),
        1 => String::from(" One error in this run"),
        many => format!(" {many} errors in this run, the newest first"),
    };
    Line::from(painter.span(text, Role::Strong))
}

/// The error as the command line prints it.
fn config_lines(painter: &Painter, problem: &ConfigProblem, width: usize) -> Vec<Line<'static>> {
    let time = painter.app.clock_time(problem.since);
    let head = format!("{time}  config: the last good one stays until this is fixed");
    let head = text::wrap(&head, width).into_iter();
    let head = head.map(|line| (format!(" {line}"), Role::Muted));
    let error = problem.error.wrapped(width.saturating_sub(2)).into_iter();
    let error = error.map(|line| (format!("   {line}"), Role::Plain));
    let lines = head.chain(error);
    lines
        .map(|(line, role)| Line::from(painter.span(line, role)))
        .collect()
}

fn lines_of(painter: &Painter, same: &[Entry], width: usize) -> Vec<Line<'static>> {
    let [error, others @ ..] = same else {
        return Vec::new();
    };
    let (more, message) = match others.len() {
        0 => (String::new(), &*error.text),
        more => (format!(" and {more} more"), error.message),
    };
    let time = painter.app.clock_time(error.at);
    let head = painter.truncate(&format!("{time}  {}{more}", error.title), width);
    let mut lines = vec![Line::from(painter.span(format!(" {head}"), Role::Muted))];
    for line in text::wrap(message, width.saturating_sub(2)) {
        lines.push(Line::from(painter.span(format!("   {line}"), Role::Plain)));
    }
    lines
}
