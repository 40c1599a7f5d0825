//! Keys that act on jobs: open, copy and poll the marked rows, or else the selected one.

use jiff::Timestamp;

use super::super::keys::Action;
use super::{App, Effect, Mode, Question};
use crate::board::{Board, Row};
use crate::failure::ErrorKind;
use crate::job::{Acknowledgement, Fingerprint, Job, JobKey};
use crate::link::{Link, LinkError};
use crate::time;
use crate::view::theme::Role;
use crate::view::views::ViewId;
use crate::view::{plural, why_no_pull_request};

/// Opening more than this many at once is asked about first.
const ASK_ABOVE: usize = 5;

impl App {
    /// What a key acts on: in the details the job that they show.
    pub(super) fn targets<'a>(&self, board: &'a Board) -> Vec<&'a Row> {
        match self.mode {
            Mode::Details | Mode::Changes => self.selected_row(board).into_iter().collect(),
            _ => self.listing.targets(board),
        }
    }

    /// The job that the screen is about: of the selected change, or of the selected row.
    pub fn selected_row<'a>(&self, board: &'a Board) -> Option<&'a Row> {
        match self.mode {
            Mode::Changes => board.row(&self.changes.selected()?.key),
            _ => self.listing.selected_row(board),
        }
    }

    pub(super) fn open(
        &mut self,
        board: &Board,
        what: &str,
        link: impl Fn(&Row) -> Option<Result<Link, LinkError>>,
        now: Timestamp,
    ) -> Effect {
        let found = self.collect(board, what, link, now);
        match found.into_iter().collect() {
            Ok(links) => self.open_links(links, what),
            Err(error) => self.show_link_error(&error, now),
        }
    }

    fn open_links(&mut self, links: Vec<Link>, what: &str) -> Effect {
        match links.len() {
            0 => Effect::None,
            1..=ASK_ABOVE => Effect::Open(links),
            many => {
                let object = format!("{many} {}", plural(what, many));
                self.mode = Mode::Confirm(Question::new("Open", object, Effect::Open(links)));
                Effect::None
            }
        }
    }

    pub(super) fn show_link_error(&mut self, error: &LinkError, now: Timestamp) -> Effect {
        self.show_message(error.to_string(), Role::Bad, now);
        Effect::None
    }

    /// Copies what would be opened: a link that is refused, as one that may have been cut, is not
    /// copied either.
    pub(super) fn copy_links(&mut self, board: &Board, now: Timestamp) -> Effect {
        let found = self.collect(board, "link", pull_request, now);
        match found.into_iter().collect::<Result<Vec<Link>, _>>() {
            Ok(links) if links.is_empty() => Effect::None,
            Ok(links) => Effect::Copy(links.iter().map(Link::to_string).collect(), "link"),
            Err(error) => self.show_link_error(&error, now),
        }
    }

    pub(super) fn copy_ids(&mut self, board: &Board, now: Timestamp) -> Effect {
        let id = |row: &Row| Some(row.key().id.to_string());
        match self.collect(board, "job id", id, now) {
            ids if ids.is_empty() => Effect::None,
            ids => Effect::Copy(ids, "job id"),
        }
    }

    /// What `get` finds in the targets; where that is nothing, a message says so.
    fn collect<T>(
        &mut self,
        board: &Board,
        what: &str,
        get: impl Fn(&Row) -> Option<T>,
        now: Timestamp,
    ) -> Vec<T> {
        let why = |row: &Row| match what {
            _ if row.job.is_none() => ": it was not seen yet",
            "branch" => "",
            _ => why_no_pull_request(row.status()),
        };
        let targets = self.targets(board);
        let found: Vec<T> = targets.iter().filter_map(|row| get(row)).collect();
        if found.is_empty() {
            let text = match targets.as_slice() {
                [] => String::from("no job is selected"),
                [row] => format!("{} has no {what}{}", row.title(), why(row)),
                many => format!("none of the {} marked jobs has a {what}", many.len()),
            };
            self.show_message(text, Role::Muted, now);
        }
        found
    }

    /// Has jobs need nobody until they change; where none of them needs the user, takes that back.
    pub(super) fn acknowledge(&mut self, board: &Board, now: Timestamp) -> Effect {
        let targets = self.targets(board);
        let needing: Vec<&Row> = targets
            .iter()
            .copied()
            .filter(|row| row.needs_you())
            .collect();
        let those = |of: &[&Row], seen: fn(&Job) -> Option<Fingerprint>| {
            let jobs = of.iter().map(|row| Acknowledgement {
                key: row.key().clone(),
                seen: row.job.as_ref().and_then(seen),
            });
            Effect::Acknowledge(jobs.collect())
        };
        let what = |of: &[&Row]| match of {
            [row] => row.title().to_owned(),
            many => format!("{} jobs", many.len()),
        };
        if !needing.is_empty() {
            let view = Action::View(ViewId::ACKNOWLEDGED);
            let (until, shows) = match needing.len() {
                1 => ("it changes", self.keys.hint(view, "shows it")),
                _ => ("they change", self.keys.hint(view, "shows them")),
            };
            let text = format!("acknowledged {}, until {until}; {shows}", what(&needing));
            let effect = those(&needing, |job| Some(Fingerprint::from(job)));
            // They may be on the screen no more, and nothing acts on what is not.
            self.listing.clear_marks();
            self.show_message(text, Role::Good, now);
            return effect;
        }
        let quiet: Vec<&Row> = targets
            .iter()
            .copied()
            .filter(|row| row.is_acknowledged())
            .collect();
        if !quiet.is_empty() {
            let needs = if quiet.len() == 1 { "needs" } else { "need" };
            let text = format!("{} {needs} you again", what(&quiet));
            self.show_message(text, Role::Good, now);
            return those(&quiet, |_| None);
        }
        let text = match targets.as_slice() {
            [] => String::from("no job is selected"),
            [row] => format!("{} does not need you", row.title()),
            many => format!("none of the {} marked jobs needs you", many.len()),
        };
        self.show_message(text, Role::Muted, now);
        Effect::None
    }

    pub(super) fn mark_seen(&mut self, board: &Board, now: Timestamp) -> Effect {
        let text = match board.counts().new {
            0 => String::from("nothing has changed since you looked"),
            1 => String::from("marked the change as seen"),
            new => format!("marked the changes of {new} jobs as seen"),
        };
        self.show_message(text, Role::Muted, now);
        Effect::MarkSeen(now)
    }

    pub(super) fn poll(&mut self, board: &Board, now: Timestamp) -> Effect {
        let targets = self.targets(board);
        let text = match targets.as_slice() {
            [] => return Effect::None,
            [row] => self.poll_message(row, now),
            many => format!("polling {} jobs", many.len()),
        };
        self.show_message(text, Role::Muted, now);
        Effect::Poll(job_keys(&targets))
    }

    fn poll_message(&self, row: &Row, now: Timestamp) -> String {
        let error = row.error.as_ref();
        if error.is_some_and(|error| error.kind == ErrorKind::Auth) {
            let retry = self.keys.hint(Action::PollAll, "looks for it again");
            return format!("no valid key: {retry}");
        }
        match error.and_then(|error| error.retry_at) {
            Some(at) if at > now => {
                format!("the server lets us ask again in {}", time::until(at, now))
            }
            _ => format!("polling {}", row.title()),
        }
    }
}

pub(super) fn job_keys(rows: &[&Row]) -> Vec<JobKey> {
    rows.iter().map(|row| row.key().clone()).collect()
}

pub(super) fn pull_request(row: &Row) -> Option<Result<Link, LinkError>> {
    let link = row.pull_request()?.link();
    Some(link.cloned().map_err(Clone::clone))
}

pub(super) fn branch(row: &Row) -> Option<Result<Link, LinkError>> {
    let page = row.job.as_ref().and_then(Job::branch_url)?;
    Some(Link::parse(&page))
}
