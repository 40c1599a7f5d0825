//! What the user has asked for and is not done yet, and leaving meanwhile.
//!
//! A reply that nobody waits for may be about a job that is then in no config: leaving waits for it
//! once, and whoever insists is told what is in doubt.

use crossterm::event::KeyEvent;
use jiff::Timestamp;

use super::super::keys::{Action, Chord};
use super::super::notice::{Done, NotDone};
use super::{App, Effect, Request};
use crate::board::Board;
use crate::job::JobKey;
use crate::mintlify::write::{JOB_MAY_EXIST, MESSAGE_MAY_HAVE_ARRIVED, doubtful};
use crate::text;
use crate::view::theme::Role;

/// More than this many of what was not done push the oldest out.
const MAX_NOT_DONE: usize = 100;

/// Something that was asked for and not done, kept for the errors and the details.
#[derive(Clone, Debug)]
pub struct LoggedRefusal {
    pub at: Timestamp,
    pub request: Request,
    pub message: String,
    /// See [`NotDone::not_reached`].
    not_reached: Option<Vec<JobKey>>,
}

impl LoggedRefusal {
    pub fn is_about(&self, job: &JobKey) -> bool {
        match &self.request {
            Request::FollowUp { jobs, .. } => {
                self.not_reached.as_ref().unwrap_or(jobs).contains(job)
            }
            _ => false,
        }
    }
}

/// What leaving has to do with what is under way.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    requests: Vec<Request>,
    not_done: Vec<LoggedRefusal>,
    /// The key that leaves without waiting any longer, once leaving waits.
    leaving: Option<String>,
    /// Whether the user has left without waiting.
    insisted: bool,
    /// What became of requests since leaving began: told when the screen has gone.
    outcomes: Vec<String>,
}

impl Request {
    /// What it is called in a list of what went wrong.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create { .. } => "new job",
            Self::FollowUp { .. } => "follow-up",
            Self::Add { .. } => "watch more jobs",
            Self::Remove { .. } => "stop watching",
        }
    }

    /// What is waited for until it is done.
    fn awaited(&self) -> &'static str {
        match self {
            Self::Create { .. } => "the reply to your new job",
            Self::FollowUp { .. } => "the reply to your follow-up",
            Self::Add { .. } | Self::Remove { .. } => "the config to be written",
        }
    }

    /// What is not known where nobody waited for its end.
    fn left_behind(&self) -> String {
        let why = "mintwatch ended before there was a reply";
        match self {
            Self::Create { .. } => doubtful(JOB_MAY_EXIST, why),
            Self::FollowUp { .. } => doubtful(MESSAGE_MAY_HAVE_ARRIVED, why),
            Self::Add { .. } | Self::Remove { .. } => {
                String::from("the config may not be written: mintwatch ended before")
            }
        }
    }
}

impl App {
    pub(super) fn begin(&mut self, request: Request) {
        self.under_way.requests.push(request);
    }

    /// What was asked for and is not done yet.
    pub(super) fn under_way(&self) -> &[Request] {
        &self.under_way.requests
    }

    /// Whether leaving waits for what is under way.
    pub(super) fn is_leaving(&self) -> bool {
        self.under_way.leaving.is_some()
    }

    /// Leaves, or waits for what is under way; `key` pressed again leaves all the same.
    pub(super) fn leave(&mut self, key: &KeyEvent) -> Effect {
        let under_way = &mut self.under_way;
        if under_way.requests.is_empty() {
            return Effect::Quit;
        }
        if under_way.leaving.is_some() {
            under_way.insisted = true;
            return Effect::Quit;
        }
        // The `y` of an answer does not leave when it is pressed again.
        let quits = self.keys.action(key) == Some(Action::Quit);
        let pressed = Chord::from_event(key).filter(|_| quits);
        let key = pressed.map(|chord| chord.to_string());
        let key = key.or_else(|| self.keys.key_of(Action::Quit));
        under_way.leaving = Some(key.unwrap_or_default());
        self.messages.clear();
        Effect::None
    }

    /// What has come meanwhile was shown: it is not told again.
    pub(super) fn stay(&mut self) {
        self.under_way.leaving = None;
        self.under_way.outcomes.clear();
    }

    /// What leaving waits for, and how to leave all the same; `None` while nobody is leaving.
    pub fn leaving_text(&self, width: usize) -> Option<String> {
        let key = self.under_way.leaving.as_ref()?;
        let (waiting, leaves) = (self.waiting_for()?, format!("{key} again leaves"));
        let text = format!("{waiting}; {leaves}");
        let fits = text::width(&text) <= width;
        // Where there is no room for both, the way out comes first.
        Some(if fits {
            text
        } else {
            format!("{leaves}; {waiting}")
        })
    }

    /// Such as "waiting for the reply to your new job"; `None` where nothing is under way.
    pub fn waiting_for(&self) -> Option<String> {
        let first = self.under_way.requests.first()?.awaited();
        Some(format!("waiting for {first}"))
    }

    /// Whether the end of what is under way is to be waited for after the screen has gone.
    pub fn waits_for_replies(&self) -> bool {
        !self.under_way.insisted && !self.under_way.requests.is_empty()
    }

    /// What was asked for and not done, oldest first.
    pub fn not_done(&self) -> &[LoggedRefusal] {
        &self.under_way.not_done
    }

    /// What is to be told when the screen has gone: what became of requests since leaving began, and
    /// what remains in doubt.
    pub fn last_words(&self) -> impl Iterator<Item = String> {
        let UnderWay {
            requests, outcomes, ..
        } = &self.under_way;
        let left_behind = requests.iter().map(Request::left_behind);
        outcomes.iter().cloned().chain(left_behind)
    }

    /// From now on, what becomes of requests is told when the screen has gone.
    pub fn screen_has_gone(&mut self) {
        self.under_way.leaving.get_or_insert_default();
    }

    /// Takes what became of `request`, and leaves where only that was waited for.
    pub(super) fn on_ended(
        &mut self,
        request: Request,
        outcome: Result<Done, NotDone>,
        board: &Board,
        now: Timestamp,
    ) -> Effect {
        let requests = &mut self.under_way.requests;
        if let Some(index) = requests.iter().position(|known| *known == request) {
            requests.remove(index);
        }
        let text = match outcome {
            Ok(done) => self.on_done(&request, done, board, now),
            Err(not_done) => self.on_not_done(request, not_done, board, now),
        };
        let under_way = &mut self.under_way;
        if under_way.leaving.is_none() {
            return Effect::None;
        }
        under_way.outcomes.push(text);
        if under_way.requests.is_empty() {
            return Effect::Quit;
        }
        Effect::None
    }

    fn on_done(&mut self, request: &Request, done: Done, board: &Board, now: Timestamp) -> String {
        self.drafts.on_done(request);
        if let Some(job) = done.select {
            self.listing.select_job(job, board);
        }
        self.show_outcome(done.text.clone(), done.role, now);
        done.text
    }

    fn on_not_done(
        &mut self,
        request: Request,
        not_done: NotDone,
        board: &Board,
        now: Timestamp,
    ) -> String {
        let NotDone {
            message,
            not_reached,
            remaining,
        } = not_done;
        if let Some(remaining) = remaining {
            self.drafts.on_remaining(&request, &remaining);
            self.listing.mark_only(remaining, board);
        }
        let not_done = &mut self.under_way.not_done;
        if not_done.len() == MAX_NOT_DONE {
            not_done.remove(0);
        }
        not_done.push(LoggedRefusal {
            at: now,
            request,
            message: message.clone(),
            not_reached,
        });
        self.show_outcome(message.clone(), Role::Bad, now);
        message
    }
}
