//! Keys that act on jobs: open, copy and poll the marked rows, or else the selected one.

use jiff::Timestamp;

use super::super::keys::Action;
use super::{App, Effect, Mode, Question};
use crate::board::{Board, Row};
use crate::failure::ErrorKind;
use crate::job::{Job, JobKey};
use crate::link::{Link, LinkError};
use crate::time;
use crate::view::theme::Role;
use crate::view::{plural, why_no_pull_request};

/// Opening more than this many at once is asked about first.
const ASK_ABOVE: usize = 5;

impl App {
    /// What a key acts on: in the details the job that they show.
    pub(super) fn targets<'a>(&self, board: &'a Board) -> Vec<&'a Row> {
        match self.mode {
            Mode::Details => self.listing.selected_row(board).into_iter().collect(),
            _ => self.listing.targets(board),
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
            Err(refused) => self.refuse_link(&refused, now),
        }
    }

    fn open_links(&mut self, links: Vec<Link>, what: &str) -> Effect {
        if links.is_empty() {
            return Effect::None;
        }
        let question = format!("Open {} {}?", links.len(), plural(what, links.len()));
        self.ask_if_many(links.len(), question, Effect::Open(links))
    }

    pub(super) fn refuse_link(&mut self, why: &LinkError, now: Timestamp) -> Effect {
        self.say(why.to_string(), Role::Bad, now);
        Effect::None
    }

    pub(super) fn copy(
        &mut self,
        board: &Board,
        what: &'static str,
        line: impl Fn(&Row) -> Option<String>,
        now: Timestamp,
    ) -> Effect {
        match self.collect(board, what, line, now) {
            lines if lines.is_empty() => Effect::None,
            lines => Effect::Copy(lines, what),
        }
    }

    /// What the targets have to give; says so where it is nothing.
    fn collect<T>(
        &mut self,
        board: &Board,
        what: &str,
        of: impl Fn(&Row) -> Option<T>,
        now: Timestamp,
    ) -> Vec<T> {
        let why = |row: &Row| match what {
            "branch" => "",
            _ => why_no_pull_request(row.status()),
        };
        let targets = self.targets(board);
        let found: Vec<T> = targets.iter().filter_map(|row| of(row)).collect();
        if found.is_empty() {
            let text = match targets.as_slice() {
                [] => String::from("no job is selected"),
                [row] => format!("{} has no {what}{}", row.watched.title(), why(row)),
                many => format!("none of the {} marked jobs has a {what}", many.len()),
            };
            self.say(text, Role::Muted, now);
        }
        found
    }

    fn ask_if_many(&mut self, count: usize, question: String, effect: Effect) -> Effect {
        if count <= ASK_ABOVE {
            return effect;
        }
        self.mode = Mode::Confirm(Question::new(question, effect));
        Effect::None
    }

    pub(super) fn poll(&mut self, board: &Board, now: Timestamp) -> Effect {
        let targets = self.targets(board);
        let keys: Vec<JobKey> = targets.iter().map(|row| row.key().clone()).collect();
        let text = match targets.as_slice() {
            [] => return Effect::None,
            [row]
                if row
                    .error
                    .as_ref()
                    .is_some_and(|error| error.kind == ErrorKind::Auth) =>
            {
                let retry = self.keys.hint(Action::PollAll, "looks for it again");
                format!("no valid key: {retry}")
            }
            [row] => match row.error.as_ref().and_then(|error| error.retry_at) {
                Some(at) if at > now => {
                    format!("the server lets us ask again in {}", time::until(at, now))
                }
                _ => format!("polling {}", row.watched.title()),
            },
            many => format!("polling {} jobs", many.len()),
        };
        self.say(text, Role::Muted, now);
        Effect::Poll(keys)
    }
}

pub(super) fn pull_request(row: &Row) -> Option<Result<Link, LinkError>> {
    let link = row.pull_request()?.link();
    Some(link.cloned().map_err(Clone::clone))
}

pub(super) fn pull_request_text(row: &Row) -> Option<String> {
    Some(row.pull_request()?.as_str().to_owned())
}

pub(super) fn branch(row: &Row) -> Option<Result<Link, LinkError>> {
    let page = row.job.as_ref().and_then(Job::branch_url)?;
    Some(Link::parse(&page))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "one of the functions that `collect` takes"
)]
pub(super) fn job_id(row: &Row) -> Option<String> {
    Some(row.key().id.to_string())
}
