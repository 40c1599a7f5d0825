//! Draws all that is known of one job: every field, full links on lines of their own, times both
//! absolute and relative, and what happened to it in this run.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::app::App;
use super::keys::Action;
use crate::board::{Board, Freshness, Row};
use crate::failure::ErrorKind;
use crate::job::Job;
use crate::text;
use crate::time::{age, next_change, next_countdown, until};
use crate::view::columns::{status_glyph, status_role};
use crate::view::theme::Role;

/// Draws the details of the selected job, and returns how far they are scrolled.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    app: &App,
    board: &Board,
    now: Timestamp,
) -> usize {
    let lines = match app.listing.selected_row(board) {
        Some(row) => Page::new(app, area.width, now).lines(row, board),
        None => vec![Line::from(" No job is selected.")],
    };
    draw_lines(buffer, area, lines, app.scroll)
}

/// Draws `lines` scrolled by `scroll`, and returns how far they are: scrolling ends with the last
/// line.
pub(super) fn draw_lines(
    buffer: &mut Buffer,
    area: Rect,
    lines: Vec<Line>,
    scroll: usize,
) -> usize {
    let scroll = scroll.min(lines.len().saturating_sub(usize::from(area.height)));
    let rows = (area.top()..area.bottom()).map(|y| Rect {
        y,
        height: 1,
        ..area
    });
    for (line, row) in lines.into_iter().skip(scroll).zip(rows) {
        line.render(row, buffer);
    }
    scroll
}

/// When a time in the details of `row` will next read differently.
pub(super) fn next_time_change(row: &Row, now: Timestamp) -> Option<Timestamp> {
    let job = row.job.as_ref();
    let error = row.error.as_ref();
    let ages = [
        job.and_then(|job| job.created_at),
        job.and_then(|job| job.archived_at),
        row.fetched_at,
        row.failing_since,
    ];
    let retry_at = error
        .and_then(|error| error.retry_at)
        .filter(|at| *at > now);
    let ages = ages.into_iter().flatten().map(|at| next_change(at, now));
    ages.chain(retry_at.map(|at| next_countdown(at, now))).min()
}

struct Page<'a> {
    app: &'a App,
    width: usize,
    now: Timestamp,
    lines: Vec<Line<'static>>,
}

impl<'a> Page<'a> {
    fn new(app: &'a App, width: u16, now: Timestamp) -> Self {
        Self {
            app,
            width: usize::from(width),
            now,
            lines: Vec::new(),
        }
    }

    fn lines(mut self, row: &Row, board: &Board) -> Vec<Line<'static>> {
        self.title(row);
        self.links(row);
        self.facts(row);
        self.problems(row);
        self.history(row, board);
        self.lines
    }

    fn title(&mut self, row: &Row) {
        let status = row.status();
        let word = status.map_or("not known", |status| status.as_str());
        let status_text = format!("{} {word}", status_glyph(status, self.app.theme.glyphs()));
        self.text(row.watched.title(), Role::Strong);
        let mut line = Line::from(vec![
            Span::raw(" "),
            self.span(status_text, status_role(status)),
        ]);
        if row.needs_you() {
            let sign = self.app.theme.glyphs().needs_you;
            line.push_span(self.span(format!("   {sign} needs you"), Role::NeedsYou));
        }
        if row.polling {
            line.push_span(self.span(String::from("   being polled"), Role::Muted));
        }
        self.lines.push(line);
        self.blank();
    }

    fn links(&mut self, row: &Row) {
        if let Some(pull_request) = row.pull_request() {
            self.link("Pull request", pull_request.as_str());
        }
        let job = row.job.as_ref();
        if let Some(repository) = job.and_then(|job| job.repository.as_deref()) {
            self.link("Repository", repository);
        }
        if let Some(branch) = job.and_then(Job::branch_url) {
            self.link("Branch page", &branch);
        }
    }

    fn facts(&mut self, row: &Row) {
        let watched = &row.watched;
        self.fact("Job", &watched.key.id);
        let project = match &watched.project.name {
            Some(name) => format!("{name} ({})", watched.project.id),
            None => watched.project.id.to_string(),
        };
        self.fact("Project", &project);
        if !watched.tags.is_empty() {
            self.fact("Tags", &watched.tags.join(", "));
        }
        if let Some(job) = &row.job {
            self.fact("Branch", job.branch.as_deref().unwrap_or("none"));
            self.fact("Model", job.model.as_deref().unwrap_or("not given"));
            self.time("Created", job.created_at);
            if job.archived_at.is_some() {
                self.time("Archived", job.archived_at);
            }
        }
        self.time("Seen", row.fetched_at);
    }

    fn problems(&mut self, row: &Row) {
        let stale = row.freshness(self.now) == Freshness::Stale;
        let Some(error) = &row.error else {
            if stale {
                self.blank();
                self.text("No reply for longer than two poll intervals.", Role::Bad);
            }
            return;
        };
        self.blank();
        self.text(&error.message, Role::Bad);
        if error.kind == ErrorKind::Auth {
            let keys = &self.app.keys;
            let retry = keys.hint(Action::PollAll, "looks for the key again.");
            self.text(&format!("Once that is fixed, {retry}"), Role::Plain);
        }
        if let Some(since) = row.failing_since {
            let text = format!("Polls fail since {}", self.moment(since));
            self.text(&text, Role::Muted);
        }
        if let Some(at) = error.retry_at.filter(|at| *at > self.now) {
            let text = format!("The server lets us ask again in {}", until(at, self.now));
            self.text(&text, Role::Muted);
        }
        if stale {
            self.text("The values shown are the last that were seen.", Role::Muted);
        }
    }

    fn history(&mut self, row: &Row, board: &Board) {
        let mut events: Vec<(Timestamp, String, Role)> = self
            .app
            .history()
            .lines_of(row.key())
            .into_iter()
            .rev()
            .map(|line| (line.at, line.text, Role::Plain))
            .collect();
        let errors = board.errors().filter(|error| &error.key == row.key());
        events.extend(errors.map(|error| (error.at, error.to_string(), Role::Bad)));
        if events.is_empty() {
            return;
        }
        events.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        self.blank();
        self.text("In this run", Role::Strong);
        for (at, text, role) in events {
            let text = format!("{}  {text}", self.app.clock_time(at));
            self.text(&text, role);
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
            let line = vec![self.span(name, Role::Muted), Span::raw(piece.to_owned())];
            self.lines.push(Line::from(line));
        }
    }

    fn time(&mut self, name: &str, at: Option<Timestamp>) {
        let text = at.map_or_else(|| String::from("never"), |at| self.moment(at));
        self.fact(name, &text);
    }

    fn moment(&self, at: Timestamp) -> String {
        format!("{} ({} ago)", self.app.date_time(at), age(at, self.now))
    }

    fn text(&mut self, text: &str, role: Role) {
        for piece in text::wrap(text, self.width.saturating_sub(2)) {
            let span = self.span(piece.to_owned(), role);
            self.lines.push(Line::from(vec![Span::raw(" "), span]));
        }
    }

    fn blank(&mut self) {
        self.lines.push(Line::default());
    }

    fn span(&self, text: String, role: Role) -> Span<'static> {
        Span::styled(text, self.app.theme.style(role))
    }
}
