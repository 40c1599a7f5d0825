//! Draws what changed about jobs, the newest first and by day, and which of it is new.
//!
//! Only the lines on the screen are formatted, however many changes there are.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ZonedDateTime};
use ratatui::layout::{Constraint, Layout, Rect};

use super::app::JobChange;
use super::keys::Action;
use super::layout::header_and_rows;
use super::painter::Painter;
use crate::job::JobKey;
use crate::text;
use crate::time::{age, duration_in_words};
use crate::view::columns::{status_glyph, status_role};
use crate::view::plural;
use crate::view::theme::Role;

/// Below this width, the ages have no room.
const ROOMY: u16 = 60;
/// The most cells of a job's title.
const MAX_TITLE: u16 = 40;

/// A line below the title.
enum Entry<'a> {
    Day(ZonedDateTime),
    /// A change, and whether it is the selected one.
    Change(&'a JobChange, bool),
}

/// Draws the changes, and returns how far they are scrolled.
pub(super) fn draw(painter: &mut Painter, area: Rect) -> usize {
    let [head, body] = header_and_rows(area);
    let style = painter.style(Role::Strong);
    let title = format!(" {}", title(painter));
    painter.text(head, &title, style);
    let height = usize::from(body.height);
    let (entries, selected) = entries(painter);
    let top = top(painter.app.scroll, selected, entries.len(), height);
    let shown = &entries[top..entries.len().min(top + height)];
    let width = title_width(painter, shown, area.width);
    for (line, entry) in body.rows().zip(shown) {
        match entry {
            Entry::Day(day) => draw_day(painter, line, day),
            Entry::Change(change, selected) => draw_change(painter, line, change, *selected, width),
        }
    }
    top
}

/// What is new, and what the user can do about it.
fn title(painter: &Painter) -> String {
    let Painter { app, board, .. } = painter;
    let seen_at = board.seen_at();
    let since = seen_at.map(|at| format!(" since {}", moment(painter, at)));
    let since = since.unwrap_or_default();
    let new: Vec<&JobChange> = app.changes().new_since(seen_at).collect();
    let jobs: HashSet<&JobKey> = new.iter().map(|change| &change.key).collect();
    if app.changes().is_empty() {
        return String::from("No job has changed yet.");
    } else if new.is_empty() {
        return format!("Nothing new{since}");
    }
    let (new, jobs) = (new.len(), jobs.len());
    let mark = app.keys.hint(Action::MarkSeen, "marks all as seen");
    let (change, job) = (plural("change", new), plural("job", jobs));
    format!("{new} new {change} of {jobs} {job}{since}: {mark}")
}

/// The changes below their days, and which of the lines is selected.
fn entries<'a>(painter: &Painter<'a>) -> (Vec<Entry<'a>>, usize) {
    let (changes, zone) = (painter.app.changes(), (painter.app.time_zone)());
    let mut entries = Vec::with_capacity(changes.len() + 8);
    let (mut selected, mut day) = (0, (Timestamp::MAX, Timestamp::MAX));
    for (nth, change) in changes.newest_first().enumerate() {
        if change.at < day.0 || change.at >= day.1 {
            let local = change.at.to_zoned_datetime(zone.clone());
            day = day_of(&local);
            entries.push(Entry::Day(local));
        }
        let is_selected = nth == changes.cursor();
        if is_selected {
            selected = entries.len();
        }
        entries.push(Entry::Change(change, is_selected));
    }
    (entries, selected)
}

/// When the day of `local` begins and ends.
fn day_of(local: &ZonedDateTime) -> (Timestamp, Timestamp) {
    let midnight = local.start_of_day().ok();
    let next = midnight
        .as_ref()
        .and_then(|midnight| midnight.checked_add(Span::new().days(1)).ok());
    (
        midnight.map_or(local.timestamp(), |midnight| midnight.timestamp()),
        next.map_or(Timestamp::MAX, |next| next.timestamp()),
    )
}

/// The first line that is shown: the selected one is, and its day where it is the first of all.
fn top(scroll: usize, selected: usize, entries: usize, height: usize) -> usize {
    let lowest = (selected + 1).saturating_sub(height);
    let highest = if selected == 1 { 0 } else { selected };
    let fullest = entries.saturating_sub(height);
    scroll
        .clamp(lowest, highest.max(lowest))
        .min(fullest.max(lowest))
}

/// The cells that the titles of the jobs get.
fn title_width(painter: &Painter, shown: &[Entry], width: u16) -> u16 {
    let titles = shown.iter().filter_map(|entry| match entry {
        Entry::Day(_) => None,
        Entry::Change(change, _) => Some(text::width(job_title(painter, change))),
    });
    let widest = u16::try_from(titles.max().unwrap_or_default()).unwrap_or(u16::MAX);
    widest.min(MAX_TITLE).min(width / 3)
}

/// What a person calls the job, as long as it is watched.
fn job_title<'a>(painter: &Painter<'a>, change: &'a JobChange) -> &'a str {
    let row = painter.board.row(&change.key);
    row.map_or(&*change.key.id, |row| row.title())
}

fn draw_day(painter: &mut Painter, line: Rect, day: &ZonedDateTime) {
    let today = painter
        .now
        .to_zoned_datetime(day.time_zone().clone())
        .date();
    let text = match today.since(day.date()).map(|span| span.get_days()) {
        Ok(0) => String::from("Today"),
        Ok(1) => String::from("Yesterday"),
        _ => day.strftime("%A, %-d %B %Y").to_string(),
    };
    let style = painter.style(Role::Muted);
    painter.text(line, &format!(" {text}"), style);
}

fn draw_change(
    painter: &mut Painter,
    line: Rect,
    change: &JobChange,
    is_selected: bool,
    width: u16,
) {
    let seen_at = painter.board.seen_at();
    let is_new = seen_at.is_none_or(|seen| change.at > seen);
    let role = match is_new {
        true if change.is_failure() => Role::Bad,
        true => Role::Plain,
        false => Role::Muted,
    };
    let selected = is_selected.then(|| painter.app.theme.selected());
    if let Some(style) = selected {
        painter.buffer.set_style(line, style);
    }
    let ages = if line.width < ROOMY { 0 } else { 5 };
    let cells = [3, 6, ages, width + 2, 2].map(Constraint::Length);
    let [mark, clock, ago, job, status, what] =
        Layout::horizontal(cells.into_iter().chain([Constraint::Fill(1)])).areas(line);
    let sign = if is_new { painter.glyphs().new } else { "" };
    if let Some(got) = change.status() {
        let style = selected.unwrap_or_else(|| painter.app.theme.mark(status_role(got)));
        painter.text(status, status_glyph(got, painter.glyphs()), style);
    }
    let title = painter.truncate(job_title(painter, change), usize::from(width));
    for (area, text, role) in [
        (mark, format!(" {sign}"), Role::NeedsYou),
        (clock, format(painter, change.at, "%H:%M"), Role::Muted),
        (ago, age(change.at, painter.now), Role::Muted),
        (job, title, if is_new { Role::Strong } else { Role::Muted }),
        (what, words(painter, change), role),
    ] {
        let style = selected.unwrap_or_else(|| painter.style(role));
        painter.text(area, &text, style);
    }
}

/// The change, with what else is known of it.
pub(super) fn words(painter: &Painter, change: &JobChange) -> String {
    let ran = change
        .ran
        .map(|ran| format!("ran {}", duration_in_words(ran)));
    let since = change.since.map(|since| {
        let since = moment(painter, since);
        format!("found late, changed since {since}")
    });
    let words = [Some(change.text()), ran, since];
    let words: Vec<String> = words.into_iter().flatten().collect();
    words.join(&format!(" {} ", painter.glyphs().dot))
}

/// As `18:04` today, `Mon 18:04` within a week, and else with its date.
pub(super) fn moment(painter: &Painter, at: Timestamp) -> String {
    let zone = (painter.app.time_zone)();
    let days = days_between(at, painter.now, &zone);
    let form = match days {
        0 => "%H:%M",
        1..7 => "%a %H:%M",
        _ => "%Y-%m-%d %H:%M",
    };
    format(painter, at, form)
}

fn days_between(at: Timestamp, now: Timestamp, zone: &TimeZone) -> i32 {
    let date = |at: Timestamp| at.to_zoned_datetime(zone.clone()).date();
    let days = date(now).since(date(at)).map(|span| span.get_days());
    days.unwrap_or(i32::MAX)
}

fn format(painter: &Painter, at: Timestamp, form: &str) -> String {
    painter.app.format_time(at, form)
}
