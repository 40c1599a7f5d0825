//! Texts that were written and not sent, each kept for what it was written for, and leaving while there
//! are any.

use std::collections::BTreeSet;

use crossterm::event::KeyEvent;

use super::super::text_area::TextArea;
use super::{App, Effect, Mode, Question, Request};
use crate::board::Board;
use crate::job::{JobKey, ProjectId};

/// More drafts than this push the oldest out.
const MAX_DRAFTS: usize = 50;

/// What a text is written for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DraftKey {
    NewJob(ProjectId),
    FollowUp(BTreeSet<JobKey>),
    AddJobs(ProjectId),
}

#[derive(Debug)]
struct Draft {
    key: DraftKey,
    area: TextArea,
}

/// The oldest first.
#[derive(Debug, Default)]
pub(super) struct Drafts(Vec<Draft>);

impl DraftKey {
    pub(super) fn follow_up(jobs: &[JobKey]) -> Self {
        Self::FollowUp(jobs.iter().cloned().collect())
    }
}

impl Request {
    /// What its text was written for; `None` where it has none.
    pub(super) fn draft_key(&self) -> Option<DraftKey> {
        match self {
            Self::Create { project, .. } => Some(DraftKey::NewJob(project.clone())),
            Self::FollowUp { jobs, .. } => Some(DraftKey::follow_up(jobs)),
            Self::Add { project, .. } => Some(DraftKey::AddJobs(project.clone())),
            Self::Remove { .. } => None,
        }
    }
}

impl Drafts {
    /// The text for `key`, empty where none is kept.
    pub(super) fn get(&self, key: &DraftKey) -> TextArea {
        let draft = self.0.iter().find(|draft| draft.key == *key);
        draft.map_or_else(TextArea::default, |draft| draft.area.clone())
    }

    /// Keeps a text in place of the one before; a blank one is none.
    pub(super) fn keep(&mut self, key: DraftKey, area: TextArea) {
        self.remove(&key);
        if area.is_blank() {
            return;
        }
        if self.0.len() == MAX_DRAFTS {
            self.0.remove(0);
        }
        self.0.push(Draft { key, area });
    }

    pub(super) fn remove(&mut self, key: &DraftKey) {
        self.0.retain(|draft| draft.key != *key);
    }

    /// `request` is done: its text is no longer needed. What has been written since is of the next one.
    pub(super) fn on_done(&mut self, request: &Request) {
        self.0.retain(|draft| !draft.became(request));
    }

    /// `request` is still to reach `remaining` of its jobs: its text is now for them, unless there is
    /// one for them already.
    pub(super) fn on_remaining(&mut self, request: &Request, remaining: &[JobKey]) {
        let key = DraftKey::follow_up(remaining);
        if self.0.iter().any(|draft| draft.key == key) {
            return;
        }
        if let Some(draft) = self.0.iter_mut().find(|draft| draft.became(request)) {
            draft.key = key;
        }
    }
}

impl Draft {
    /// Whether `request` came of it.
    fn became(&self, request: &Request) -> bool {
        request.draft_key().as_ref() == Some(&self.key) && request.was_written_as(self.area.text())
    }
}

impl App {
    /// Leaves, or first asks where a text would be lost. `key` has asked to leave.
    pub(super) fn leave_or_ask(&mut self, key: &KeyEvent, board: &Board) -> Effect {
        if self.is_leaving() {
            return self.leave(key);
        }
        if let Mode::Compose(compose) = &self.mode {
            self.drafts.keep(compose.draft_key(), compose.area.clone());
        }
        let Some(unsent) = self.unsent(board) else {
            return self.leave(key);
        };
        let mut question = Question::new("Drop", unsent, Effect::Quit);
        question.note = "It is unsent.";
        if let Mode::Compose(compose) = std::mem::replace(&mut self.mode, Mode::Table) {
            question.behind = Some(Box::new(compose));
        }
        self.mode = Mode::Confirm(question);
        Effect::None
    }

    /// The texts that leaving loses, such as "the text for SDK quickstart"; `None` where there
    /// are none. One that is being sent is waited for.
    fn unsent(&self, board: &Board) -> Option<String> {
        let unsent = self.drafts.0.iter().filter(|draft| {
            let mut requests = self.under_way().iter();
            !requests.any(|request| draft.became(request))
        });
        match unsent.collect::<Vec<_>>().as_slice() {
            [] => None,
            [draft] => Some(self.name_of_draft(&draft.key, board)),
            many => Some(format!("{} unsent texts", many.len())),
        }
    }

    fn name_of_draft(&self, key: &DraftKey, board: &Board) -> String {
        let project = |id: &ProjectId| {
            let project = self.projects.iter().find(|project| project.id == *id);
            project.map_or_else(|| id.to_string(), |project| project.title().to_owned())
        };
        match key {
            DraftKey::NewJob(id) => format!("the prompt for {}", project(id)),
            DraftKey::AddJobs(id) => format!("the ids for {}", project(id)),
            DraftKey::FollowUp(jobs) => {
                let jobs: Vec<&JobKey> = jobs.iter().collect();
                let recipients = match jobs.as_slice() {
                    [job] => board
                        .row(job)
                        .map_or(&*job.id, crate::board::Row::title)
                        .to_owned(),
                    many => format!("{} jobs", many.len()),
                };
                format!("the text for {recipients}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(job: &str) -> DraftKey {
        DraftKey::follow_up(&[JobKey::new("p", job)])
    }

    #[test]
    fn they_are_bounded_and_the_oldest_goes_first() {
        let mut drafts = Drafts::default();
        for number in 0..=MAX_DRAFTS {
            drafts.keep(key(&number.to_string()), TextArea::new("text"));
        }
        assert_eq!(drafts.0.len(), MAX_DRAFTS);
        assert!(drafts.get(&key("0")).is_blank());
        assert!(!drafts.get(&key("1")).is_blank());
        drafts.keep(key("1"), TextArea::new(" \n"));
        assert_eq!(drafts.0.len(), MAX_DRAFTS - 1);
    }

    #[test]
    fn a_set_of_jobs_has_no_order() {
        let (a, b) = (JobKey::new("p", "a"), JobKey::new("p", "b"));
        let mut drafts = Drafts::default();
        let both = DraftKey::follow_up(&[a.clone(), b.clone()]);
        drafts.keep(both, TextArea::new("text"));
        assert!(!drafts.get(&DraftKey::follow_up(&[b.clone(), a])).is_blank());
        assert!(drafts.get(&DraftKey::follow_up(&[b])).is_blank());
    }
}
