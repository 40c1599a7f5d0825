//! The line at the bottom: on its left a question, a message or what there is to know of the board, on
//! its right the keys that are of use now.
//!
//! This file must not know what a key does.

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::app::{App, Mode};
use super::keys::{Action, ActiveBinding};
use super::painter::Painter;
use super::parts::{fit, heaviest};
use crate::board::Row;
use crate::job::Status;
use crate::text;
use crate::view::theme::Role;

/// The keys have this part of the line beside any text that fits into the rest, so that they keep
/// their place while a message is shown.
const PART_OF_KEYS: (usize, usize) = (3, 5);

pub(super) fn draw(painter: &mut Painter, area: Rect) {
    let width = usize::from(area.width);
    let part_of_keys = width * PART_OF_KEYS.0 / PART_OF_KEYS.1;
    let text = text(painter, width);
    let problems: usize = problems(painter).iter().map(|part| part.width() + 3).sum();
    let room = match &text {
        Some(text) => width.saturating_sub(text.width() + 2).min(part_of_keys),
        None => width.saturating_sub(problems + 2).max(part_of_keys),
    };
    let keys = key_hints(painter, room);
    let left = text.unwrap_or_else(|| summary(painter, width.saturating_sub(keys.width() + 2)));
    painter.ends(area, left, keys);
}

/// What is to be said now, if anything is.
fn text(painter: &Painter, width: usize) -> Option<Line<'static>> {
    let app = painter.app;
    let room = width.saturating_sub(1);
    let (text, role) = match (&app.mode, app.messages.shown()) {
        (Mode::Confirm(question), _) => {
            (question.fit(room, painter.glyphs().ellipsis), Role::Strong)
        }
        (_, Some(message)) => (message.text.clone(), message.role),
        (_, None) => (app.leaving_text(room)?, Role::Strong),
    };
    let text = painter.truncate(&text, room);
    Some(Line::from(painter.span(format!(" {text}"), role)))
}

/// The footer while there is nothing to say: problems, then the projects, as far as there is room.
fn summary(painter: &Painter, room: usize) -> Line<'static> {
    let mut parts = problems(painter);
    parts.extend(projects(painter));
    let gap = format!(" {} ", painter.glyphs().dot);
    let mut line = fit(parts, &gap, room.saturating_sub(1));
    line.spans.insert(0, Span::raw(" "));
    line
}

/// How many jobs are failing and stale.
fn problems(painter: &Painter) -> Vec<Span<'static>> {
    let app = painter.app;
    let why = app.keys.key_of(Action::Errors);
    let why = why.map_or_else(String::new, |key| format!(", {key} says why"));
    let errors = painter.board.counts().errors;
    let counts = [
        (errors, format!("failing{why}"), Role::Bad),
        (app.stale_rows(), String::from("stale"), Role::Plain),
    ];
    let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
    let spans = counts.map(|(count, word, role)| painter.span(format!("{count} {word}"), role));
    spans.collect()
}

/// How many jobs each project has, where that is short enough to be of use.
fn projects(painter: &Painter) -> Vec<Span<'static>> {
    let projects = painter.board.projects();
    let texts = if projects.len() > 4 {
        vec![format!("{} projects", projects.len())]
    } else {
        let title_and_count = projects.iter().map(|(project, count)| {
            let title = painter.truncate(project.title(), 16);
            format!("{title}: {count}")
        });
        title_and_count.collect()
    };
    let spans = texts
        .into_iter()
        .map(|text| painter.span(text, Role::Plain));
    spans.collect()
}

/// A key, what it does, and its weight: the lightest go first where there is little room.
type Hint = (String, Cow<'static, str>, u8);

/// The keys that are of use now, as many as there is room for.
fn key_hints(painter: &Painter, room: usize) -> Line<'static> {
    let fixed = |key: &str, word| (key.to_owned(), Cow::Borrowed(word), u8::MAX);
    let hints = match &painter.app.mode {
        Mode::Confirm(_) => Vec::new(),
        Mode::Filter(_) => vec![fixed("Enter", "keep"), fixed("Esc", "clear")],
        Mode::Compose(compose) => {
            let tab = fixed("Tab", "other project");
            let tab = Some(tab).filter(|_| compose.can_switch_project());
            let rest = [fixed("Ctrl-S", "send"), fixed("Esc", "later")];
            tab.into_iter().chain(rest).collect()
        }
        Mode::Table | Mode::Details | Mode::Errors | Mode::Help => bound_hints(painter),
    };
    let mut line = Line::default();
    let width = |(key, word, _): &Hint| text::width(key) + text::width(word) + 3;
    for (key, word, _) in heaviest(hints, room, width, |(.., weight)| *weight) {
        line.push_span(painter.span(key, Role::Key));
        line.push_span(format!(" {word}  "));
    }
    line
}

/// The hints of the keys in use that do something now.
fn bound_hints(painter: &Painter) -> Vec<Hint> {
    let app = painter.app;
    let row = app.listing.selected_row(painter.board);
    let bindings = app.keys.bindings().iter();
    let useful = bindings.filter(|active| is_useful(active.binding.action, app, row));
    useful.filter_map(|active| hint(active, app)).collect()
}

fn hint(active: &ActiveBinding, app: &App) -> Option<Hint> {
    let &(word, weight) = active.binding.footer.first()?;
    let word = match active.binding.action {
        Action::Mark => Cow::Owned(format!("{} {word}", app.listing.marked())),
        _ => Cow::Borrowed(word),
    };
    Some((active.chords.first()?.to_string(), word, weight))
}

/// Whether a key does something in the present state that is worth a hint.
fn is_useful(action: Action, app: &App, row: Option<&Row>) -> bool {
    if matches!(app.mode, Mode::Help | Mode::Errors) {
        return action == Action::Back;
    }
    let has_pull_request = row.is_some_and(|row| row.pull_request().is_some());
    let has_failed = row.is_some_and(|row| row.status() == Some(&Status::Failed));
    let in_table = matches!(app.mode, Mode::Table);
    let any_marked = app.listing.marked() > 0;
    match action {
        Action::OpenPullRequest | Action::CopyLink => has_pull_request || any_marked,
        Action::FollowUp => has_failed || any_marked,
        Action::Mark => in_table && any_marked,
        Action::Details => in_table && row.is_some(),
        Action::Filter | Action::Quit => in_table,
        Action::Back => !in_table || any_marked || !app.listing.filter().is_empty(),
        _ => true,
    }
}
