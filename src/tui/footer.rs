//! The line at the bottom: on its left a question, a message or what there is to know of the board, on
//! its right the keys that are of use now.
//!
//! This file must not know what a key does.

use std::borrow::Cow;

use crossterm::event::KeyCode;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::app::{App, Message, Mode};
use super::keys::{Action, ActiveBinding, Chord};
use super::painter::Painter;
use super::parts::{fit, heaviest};
use crate::board::{Board, Row};
use crate::job::Status;
use crate::text::{self, Cut};
use crate::view::columns::ColumnId;
use crate::view::theme::Role;

/// The keys have this part of the line beside any text that fits into the rest, so that they keep
/// their place while a message is shown.
const PART_OF_KEYS: (usize, usize) = (3, 5);
/// After each key and its word.
const GAP: &str = "  ";

pub(super) fn draw(painter: &mut Painter, area: Rect) {
    if let Some(message) = painter.app.messages.shown().filter(|_| area.height > 1) {
        return draw_lines(painter, area, message);
    }
    let footer = Footer {
        app: painter.app,
        board: painter.board,
    };
    let (left, hints) = footer.parts(usize::from(area.width));
    let right = hints.iter().flat_map(|hint| footer.spans(hint)).collect();
    painter.ends(area, left, right);
}

/// Draws a message of several lines; the last one is cut where there are more than `area` has.
fn draw_lines(painter: &mut Painter, area: Rect, message: &Message) {
    let style = painter.style(message.role);
    let mut lines = message.lines(usize::from(area.width));
    let last = usize::from(area.height).saturating_sub(1);
    let rest = lines.split_off(last.min(lines.len())).join(" ");
    for (row, line) in area.rows().zip(lines.into_iter().chain([&*rest])) {
        painter.text(row, line, style);
    }
}

/// The key whose hint is drawn at `at`.
pub(super) fn key_at(at: Position, area: Rect, app: &App, board: &Board) -> Option<Chord> {
    if !area.contains(at) || area.height > 1 {
        return None;
    }
    let (left, hints) = Footer { app, board }.parts(usize::from(area.width));
    let all: usize = hints.iter().map(Hint::width).sum();
    if left.width() + all >= usize::from(area.width) {
        return None;
    }
    let mut from_right = usize::from(area.right() - at.x);
    let hit = hints.into_iter().rev().find(|hint| {
        let is_hit = from_right > text::width(GAP) && from_right <= hint.width();
        from_right = from_right.saturating_sub(hint.width());
        is_hit
    });
    hit.map(|hint| hint.chord)
}

/// A key and what it does.
struct Hint {
    chord: Chord,
    word: Cow<'static, str>,
    /// The lightest go first where there is little room.
    weight: u8,
}

impl Hint {
    fn fixed(chord: Chord, word: &'static str) -> Self {
        Self {
            chord,
            word: Cow::Borrowed(word),
            weight: u8::MAX,
        }
    }

    /// With the gap after it.
    fn width(&self) -> usize {
        let key = self.chord.to_string();
        text::width(&key) + 1 + text::width(&self.word) + text::width(GAP)
    }
}

/// What the line says depends on these alone.
struct Footer<'a> {
    app: &'a App,
    board: &'a Board,
}

impl Footer<'_> {
    /// What stands on the left of `width` cells, and the keys on the right.
    fn parts(&self, width: usize) -> (Line<'static>, Vec<Hint>) {
        let part_of_keys = width * PART_OF_KEYS.0 / PART_OF_KEYS.1;
        let text = self.text(width);
        let room = if let Some(text) = &text {
            width.saturating_sub(text.width() + 2).min(part_of_keys)
        } else {
            let problems = self.problems();
            let problems: usize = problems.iter().map(|part| part.width() + 3).sum();
            width.saturating_sub(problems + 2).max(part_of_keys / 2)
        };
        let mut hints = self.hints();
        // From the left the lightest: the others keep their place where those go.
        hints.sort_by_key(|hint| hint.weight);
        let hints = heaviest(hints, room, Hint::width, |hint| hint.weight);
        let of_keys: usize = hints.iter().map(Hint::width).sum();
        let left = text.unwrap_or_else(|| self.summary(width.saturating_sub(of_keys + 2)));
        (left, hints)
    }

    /// What is to be said now, if anything is.
    fn text(&self, width: usize) -> Option<Line<'static>> {
        let app = self.app;
        let room = width.saturating_sub(1);
        let ellipsis = app.theme.glyphs().ellipsis;
        let (text, role) = match (&app.mode, app.messages.shown()) {
            (Mode::Sort, _) => return Some(self.columns(room)),
            (Mode::Confirm(question), _) => (question.fit(room, ellipsis), Role::Strong),
            (_, Some(message)) => (message.text.clone(), message.role),
            (_, None) => (app.leaving_text(room)?, Role::Strong),
        };
        let part_of_text = width - width * PART_OF_KEYS.0 / PART_OF_KEYS.1;
        let room = match app.messages.shown() {
            Some(message) if message.is_news() => part_of_text.saturating_sub(3).max(room / 2),
            _ => room,
        };
        let text = text::truncate(&text, room, ellipsis);
        Some(Line::from(self.span(format!(" {text}"), role)))
    }

    /// The columns to sort by, each with its letter in upper case.
    fn columns(&self, room: usize) -> Line<'static> {
        let mut line = Line::from(" Sort by");
        for id in self.app.listing.columns() {
            let spans = self.column(*id);
            let cells: usize = spans.iter().map(Span::width).sum();
            if line.width() + cells > room {
                break;
            }
            line.extend(spans);
        }
        line
    }

    fn column(&self, id: ColumnId) -> Vec<Span<'static>> {
        let column = id.column();
        let title = column.title.to_lowercase();
        let (before, after) = title.split_once(column.letter).unwrap_or((&title, ""));
        let sort = self.app.listing.sort();
        let arrow = if sort.column == id {
            self.app.theme.glyphs().arrow(sort.reversed)
        } else {
            ""
        };
        let letter = column.letter.to_ascii_uppercase().to_string();
        vec![
            Span::raw(format!(" {before}")),
            self.span(letter, Role::Key),
            Span::raw(format!("{after}{arrow}")),
        ]
    }

    /// The footer while there is nothing to say: problems, then the projects, as far as there is room.
    fn summary(&self, room: usize) -> Line<'static> {
        let mut parts = self.problems();
        let of_problems: usize = parts.iter().map(|part| part.width() + 3).sum();
        parts.extend(self.projects(room.saturating_sub(of_problems)));
        let gap = format!(" {} ", self.app.theme.glyphs().dot);
        let parts = parts.into_iter().map(Line::from);
        let mut line = fit(parts, &gap, room.saturating_sub(1));
        line.spans.insert(0, Span::raw(" "));
        line
    }

    /// Whether the config is refused, and how many jobs are failing and stale.
    fn problems(&self) -> Vec<Span<'static>> {
        let app = self.app;
        let config_errors = usize::from(app.config_problem().is_some());
        let mut counts = vec![
            (config_errors, String::from("config error"), Role::Bad),
            (
                usize::from(app.store_problem().is_some()),
                String::from("store error"),
                Role::Bad,
            ),
            self.failing(),
            (app.stale_rows(), String::from("stale"), Role::Plain),
        ];
        counts.retain(|(count, ..)| *count > 0);
        if let (Some(key), Some((_, first, Role::Bad))) =
            (app.keys.key_of(Action::Errors), counts.first_mut())
        {
            *first = format!("{first}, {key} says why");
        }
        let counts = counts.into_iter();
        let spans = counts.map(|(count, word, role)| self.span(format!("{count} {word}"), role));
        spans.collect()
    }

    /// How many polls fail; where none gets through, that there is no network.
    fn failing(&self) -> (usize, String, Role) {
        let errors = self.board.counts().errors;
        let what = if self.board.is_offline() {
            "offline"
        } else {
            "failing"
        };
        (errors, what.to_owned(), Role::Bad)
    }

    /// How many jobs each project has, where that is short enough to be of use.
    fn projects(&self, room: usize) -> Vec<Span<'static>> {
        let projects = self.board.projects();
        let all = || vec![Span::raw(format!("{} projects", projects.len()))];
        if projects.len() > 4 {
            return all();
        }
        let ellipsis = self.app.theme.glyphs().ellipsis;
        let spans = projects.iter().map(|(project, count)| {
            let title = text::truncate_at(Cut::Middle, project.title(), 16, ellipsis);
            Span::raw(format!("{title}: {count}"))
        });
        let spans: Vec<Span> = spans.collect();
        let cells: usize = spans.iter().map(|span| span.width() + 3).sum();
        if cells > room { all() } else { spans }
    }

    /// The keys that are of use now.
    fn hints(&self) -> Vec<Hint> {
        let enter = Chord::key(KeyCode::Enter);
        let esc = Chord::key(KeyCode::Esc);
        match &self.app.mode {
            Mode::Confirm(_) => Vec::new(),
            Mode::Sort => vec![Hint::fixed(esc, "cancel")],
            Mode::Filter(_) => vec![Hint::fixed(enter, "keep"), Hint::fixed(esc, "clear")],
            Mode::Compose(compose) => {
                let tab = Hint::fixed(Chord::key(KeyCode::Tab), "other project");
                let tab = Some(tab).filter(|_| compose.can_switch_project());
                let send = Hint::fixed(Chord::ctrl('s'), "send");
                let rest = [send, Hint::fixed(esc, "later")];
                let editor = self.app.keys.chord_of(Action::Editor).map(|chord| Hint {
                    chord,
                    word: Cow::Borrowed("editor"),
                    weight: 1,
                });
                tab.into_iter().chain(editor).chain(rest).collect()
            }
            Mode::Table | Mode::Details | Mode::Changes | Mode::Errors | Mode::Help => {
                self.bound_hints()
            }
        }
    }

    /// The hints of the keys in use that do something now.
    fn bound_hints(&self) -> Vec<Hint> {
        let row = self.app.selected_row(self.board);
        let new = self.board.counts().new;
        let bindings = self.app.keys.bindings().iter();
        let useful = bindings.filter(|active| is_useful(active.binding.action, self.app, row, new));
        useful.filter_map(|active| hint(active, self.app)).collect()
    }

    fn spans(&self, hint: &Hint) -> [Span<'static>; 2] {
        [
            self.span(hint.chord.to_string(), Role::Key),
            Span::raw(format!(" {}{GAP}", hint.word)),
        ]
    }

    fn span(&self, text: impl Into<Cow<'static, str>>, role: Role) -> Span<'static> {
        Span::styled(text, self.app.theme.style(role))
    }
}

fn hint(active: &ActiveBinding, app: &App) -> Option<Hint> {
    let &(word, weight) = active.binding.footer.first()?;
    let word = match active.binding.action {
        Action::Mark => Cow::Owned(format!("{} {word}", app.listing.marked())),
        Action::Back if matches!(app.mode, Mode::Table) => Cow::Borrowed(app.back_clears()),
        _ => Cow::Borrowed(word),
    };
    let chord = *active.chords.first()?;
    Some(Hint {
        chord,
        word,
        weight,
    })
}

/// Whether a key does something in the present state that is worth a hint.
fn is_useful(action: Action, app: &App, row: Option<&Row>, new: usize) -> bool {
    if matches!(app.mode, Mode::Help | Mode::Errors) {
        return action == Action::Back;
    }
    let has_pull_request = row.is_some_and(|row| row.pull_request().is_some());
    let has_failed = row.is_some_and(|row| row.status() == Some(&Status::Failed));
    let in_table = matches!(app.mode, Mode::Table);
    let in_changes = matches!(app.mode, Mode::Changes);
    let any_marked = app.listing.marked() > 0;
    match action {
        Action::OpenPullRequest | Action::CopyLink => has_pull_request || any_marked,
        Action::FollowUp => has_failed || any_marked,
        Action::Mark => in_table && any_marked,
        Action::MarkRange => in_table && app.listing.marks_range(),
        Action::Acknowledge => row.is_some_and(Row::needs_you) || any_marked,
        Action::MarkSeen => in_changes && new > 0,
        Action::Details => (in_table || in_changes) && row.is_some(),
        Action::Filter | Action::Quit => in_table,
        Action::Back => !in_table || any_marked || !app.listing.filter().text().is_empty(),
        _ => true,
    }
}
