//! Draws all that is known of one job: every field, full links on lines of their own, times both
//! absolute and relative, and what happened to it in this run.

use std::cmp::Reverse;

use jiff::Timestamp;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::changes;
use super::keys::Action;
use super::painter::Painter;
use crate::board::{Freshness, Row};
use crate::failure::{ErrorKind, Failure};
use crate::job::Job;
use crate::link::Link;
use crate::progress::Progress;
use crate::text;
use crate::time::{age, duration_in_words, next_change, next_countdown, until};
use crate::view::columns::{status_glyph, status_role};
use crate::view::theme::Role;

/// The most changes of a job that are told.
const MOST_CHANGES: usize = 100;

/// Draws the details of the selected job, and returns how far they are scrolled.
pub(super) fn draw(painter: &mut Painter, area: Rect) -> usize {
    let lines = match painter.app.listing.selected_row(painter.board) {
        Some(row) => page(painter, usize::from(area.width), row),
        None => vec![Line::from(" No job is selected.")],
    };
    painter.scrolled(area, lines)
}

/// When a time in the details of `row` will next read differently.
pub(super) fn next_time_change(row: &Row, now: Timestamp) -> Option<Timestamp> {
    let job = row.job.as_ref();
    let ages = [
        job.and_then(|job| job.created_at),
        job.and_then(|job| job.archived_at),
        row.fetched_at,
        row.failing_since,
        row.progress.and_then(|progress| progress.finished_at),
        row.since(),
    ];
    let retry_at = row.error.as_ref().and_then(|error| error.retry_at);
    let retry_at = retry_at.filter(|at| *at > now);
    let ages = ages.into_iter().flatten().map(|at| next_change(at, now));
    ages.chain(retry_at.map(|at| next_countdown(at, now))).min()
}

fn page(painter: &Painter, width: usize, row: &Row) -> Vec<Line<'static>> {
    let mut page = Page {
        painter,
        width,
        lines: Vec::new(),
    };
    page.title(row);
    page.links(row);
    page.facts(row);
    page.problems(row);
    page.history(row);
    page.lines
}

struct Page<'a> {
    painter: &'a Painter<'a>,
    width: usize,
    lines: Vec<Line<'static>>,
}

impl Page<'_> {
    fn title(&mut self, row: &Row) {
        let glyphs = self.painter.glyphs();
        let status = row.status();
        let mark = status_glyph(status, glyphs);
        let mut line = Line::from(" ");
        line.extend(
            self.painter
                .marked(mark, row.status_word(), status_role(status)),
        );
        if let Some(since) = row.since() {
            let text = format!(" for {}", age(since, self.painter.now));
            line.push_span(self.painter.span(text, Role::Plain));
        }
        if row.needs_you() {
            let needs_you = self
                .painter
                .marked(glyphs.needs_you, "needs you", Role::NeedsYou);
            line.push_span("   ");
            line.extend(needs_you);
        } else if row.is_acknowledged() {
            let acknowledged =
                self.painter
                    .marked(glyphs.acknowledged, "acknowledged", Role::Muted);
            line.push_span("   ");
            line.extend(acknowledged);
        }
        if row.polling {
            line.push_span(self.painter.span("   being polled", Role::Muted));
        }
        self.text(row.title(), Role::Strong);
        self.lines.push(line);
        self.blank();
    }

    fn links(&mut self, row: &Row) {
        if let Some(pull_request) = row.pull_request() {
            self.link("Pull request", pull_request.as_str());
        }
        let job = row.job.as_ref();
        if let Some(repository) = job.and_then(|job| job.repository.as_deref()) {
            // As it would open: the host in ASCII.
            let link = Link::parse(repository);
            self.link("Repository", link.as_ref().map_or(repository, Link::as_str));
        }
        if let Some(branch) = job.and_then(Job::branch_url) {
            self.link("Branch page", &branch);
        }
    }

    fn facts(&mut self, row: &Row) {
        let watched = &row.watched;
        self.fact("Job", &watched.key.id);
        let id = &watched.project.id;
        let project = match &watched.project.name {
            Some(name) => format!("{name} ({id})"),
            None => id.to_string(),
        };
        self.fact("Project", &project);
        if !watched.tags.is_empty() {
            self.fact("Tags", &watched.tags.join(", "));
        }
        if let Some(job) = &row.job {
            self.fact("Branch", job.branch.as_deref().unwrap_or("none"));
            self.fact("Model", job.model.as_deref().unwrap_or("not given"));
            self.time("Created", job.created_at);
            self.progress(row.progress.unwrap_or_default());
            if job.archived_at.is_some() {
                self.time("Archived", job.archived_at);
            }
        }
        self.time("Seen", row.fetched_at);
    }

    /// When its work ended, and how long that took, as far as polls have seen it.
    fn progress(&mut self, progress: Progress) {
        let Some(finished_at) = progress.finished_at else {
            return;
        };
        let ran = progress.ran().map(duration_in_words);
        let ran = ran.map_or_else(String::new, |ran| format!(", ran {ran}"));
        self.fact("Finished", &format!("{}{ran}", self.moment(finished_at)));
    }

    fn problems(&mut self, row: &Row) {
        let stale = row.freshness(self.painter.now) == Freshness::Stale;
        if row.is_restored {
            self.blank();
            let text = "From an earlier run: this one has not seen it yet.";
            self.text(text, Role::Muted);
        }
        if let Some(error) = &row.error {
            self.blank();
            self.failure(error, row.failing_since);
            if stale {
                self.text("The values shown are the last that were seen.", Role::Muted);
            }
        } else if stale {
            self.blank();
            self.text("No reply for longer than two poll intervals.", Role::Bad);
        }
    }

    fn failure(&mut self, error: &Failure, since: Option<Timestamp>) {
        let now = self.painter.now;
        self.text(&error.message, Role::Bad);
        if error.kind == ErrorKind::Auth {
            let keys = &self.painter.app.keys;
            let retry = keys.hint(Action::PollAll, "looks for the key again.");
            self.text(&format!("Once that is fixed, {retry}"), Role::Plain);
        }
        if let Some(since) = since {
            let text = format!("Polls fail since {}", self.moment(since));
            self.text(&text, Role::Muted);
        }
        if let Some(at) = error.retry_at.filter(|at| *at > now) {
            let text = format!("The server lets us ask again in {}", until(at, now));
            self.text(&text, Role::Muted);
        }
    }

    fn history(&mut self, row: &Row) {
        let Painter { app, board, .. } = self.painter;
        let changes = app.changes().of_job(row.key()).take(MOST_CHANGES);
        let errors = board.errors().filter(|error| &error.key == row.key());
        let not_done = app.not_done().iter();
        let not_done = not_done.filter(|refusal| refusal.is_about(row.key()));
        let mut events: Vec<(Timestamp, String, Role)> = changes
            .map(|change| (change.at, changes::words(self.painter, change), Role::Plain))
            .chain(errors.map(|error| (error.at, error.to_string(), Role::Bad)))
            .chain(not_done.map(|refusal| (refusal.at, refusal.message.clone(), Role::Bad)))
            .collect();
        if events.is_empty() {
            return;
        }
        events.sort_by_key(|(at, ..)| Reverse(*at));
        self.blank();
        self.text("What happened", Role::Strong);
        for (at, text, role) in events {
            self.text(
                &format!("{}  {text}", changes::moment(self.painter, at)),
                role,
            );
        }
    }

    fn link(&mut self, name: &str, link: &str) {
        self.text(name, Role::Muted);
        self.text(link, Role::Link);
        self.blank();
    }

    fn fact(&mut self, name: &str, value: &str) {
        const NAMES: usize = 10;
        let mut name = format!(" {name:<NAMES$}");
        for piece in text::wrap(value, self.width.saturating_sub(NAMES + 2)) {
            let name = std::mem::replace(&mut name, " ".repeat(NAMES + 1));
            let name = self.painter.span(name, Role::Muted);
            let line = vec![name, Span::raw(piece.to_owned())];
            self.lines.push(Line::from(line));
        }
    }

    fn time(&mut self, name: &str, at: Option<Timestamp>) {
        let text = at.map_or_else(|| String::from("never"), |at| self.moment(at));
        self.fact(name, &text);
    }

    fn moment(&self, at: Timestamp) -> String {
        let Painter { app, now, .. } = self.painter;
        format!("{} ({} ago)", app.date_time(at), age(at, *now))
    }

    fn text(&mut self, text: &str, role: Role) {
        for piece in text::wrap(text, self.width.saturating_sub(2)) {
            let span = self.painter.span(piece.to_owned(), role);
            self.lines.push(Line::from(vec![Span::raw(" "), span]));
        }
    }

    fn blank(&mut self) {
        self.lines.push(Line::default());
    }
}
