//! Writing a prompt for a new job or a follow-up, and pasting ids to watch.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;

use super::super::keys::{self, Action};
use super::super::text_area::TextArea;
use super::act::job_keys;
use super::drafts::DraftKey;
use super::{App, Effect, Mode, Question};
use crate::base_url::KEYS_PAGE;
use crate::board::{Board, Project, Row};
use crate::config::ids::parse_pasted_ids;
use crate::job::{JobId, JobKey, ProjectId};
use crate::view::theme::Role;

/// What a text is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    NewJob,
    FollowUp,
    AddJobs,
}

/// What the user asks to have done outside the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    Create {
        project: ProjectId,
        prompt: String,
    },
    FollowUp {
        jobs: Vec<JobKey>,
        prompt: String,
    },
    /// Watch more jobs.
    Add {
        project: ProjectId,
        ids: Vec<JobId>,
    },
    /// Stop watching jobs.
    Remove {
        jobs: Vec<JobKey>,
    },
}

/// A text that is being written, and for what.
#[derive(Debug)]
pub struct Compose {
    purpose: Purpose,
    pub area: TextArea,
    projects: Vec<Arc<Project>>,
    /// Which of the projects, of which there is at least one.
    chosen: usize,
    jobs: Vec<JobKey>,
    /// What the jobs of a follow-up are called.
    recipients: String,
}

impl Request {
    /// Whether it came of this text.
    pub(super) fn was_written_as(&self, text: &str) -> bool {
        match self {
            Self::Create { prompt, .. } | Self::FollowUp { prompt, .. } => prompt == text.trim(),
            Self::Add { project, ids } => {
                parse_pasted_ids(text.trim(), project, &[]).is_ok_and(|written| written == *ids)
            }
            Self::Remove { .. } => false,
        }
    }
}

impl Compose {
    /// What stands above the text.
    pub fn title(&self) -> String {
        let project = self.project().title();
        match self.purpose {
            Purpose::NewJob => format!("New job in {project}"),
            Purpose::AddJobs => format!("Ids or links of jobs in {project} to watch"),
            Purpose::FollowUp => format!("Follow-up to {}", self.recipients),
        }
    }

    pub fn can_switch_project(&self) -> bool {
        self.purpose != Purpose::FollowUp && self.projects.len() > 1
    }

    pub(super) fn draft_key(&self) -> DraftKey {
        let project = || self.project().id.clone();
        match self.purpose {
            Purpose::NewJob => DraftKey::NewJob(project()),
            Purpose::FollowUp => DraftKey::follow_up(&self.jobs),
            Purpose::AddJobs => DraftKey::AddJobs(project()),
        }
    }

    fn project(&self) -> &Project {
        &self.projects[self.chosen]
    }

    fn step_project(&mut self, step: isize) {
        let chosen = self.chosen.checked_add_signed(step);
        let last = self.projects.len() - 1;
        self.chosen = chosen.map_or(last, |chosen| if chosen > last { 0 } else { chosen });
    }

    fn request(&self) -> Result<Request, String> {
        let prompt = self.area.text().trim().to_owned();
        if prompt.is_empty() {
            return Err(String::from("nothing is written yet"));
        }
        let project = self.project().id.clone();
        let jobs = self.jobs.clone();
        Ok(match self.purpose {
            Purpose::NewJob => Request::Create { project, prompt },
            Purpose::FollowUp => Request::FollowUp { jobs, prompt },
            Purpose::AddJobs => {
                let known: Vec<ProjectId> = self
                    .projects
                    .iter()
                    .map(|project| project.id.clone())
                    .collect();
                let ids = parse_pasted_ids(&prompt, &project, &known);
                let ids = ids.map_err(|error| error.to_string())?;
                Request::Add { project, ids }
            }
        })
    }
}

impl App {
    /// Opens the editor, with what was written before and not sent.
    pub(super) fn compose(&mut self, purpose: Purpose, board: &Board, now: Timestamp) {
        let targets = self.targets(board);
        if let Some((what, next)) = self.no_project() {
            return self.show_message(format!("{what} {next}"), Role::Muted, now);
        }
        if purpose == Purpose::FollowUp && targets.is_empty() {
            return self.show_message("no job is selected", Role::Muted, now);
        }
        let selected = targets.first().map(|row| &row.key().project);
        let is_selected = |project: &Arc<Project>| Some(&project.id) == selected;
        let mut compose = Compose {
            purpose,
            area: TextArea::default(),
            projects: self.projects.clone(),
            chosen: self.projects.iter().position(is_selected).unwrap_or(0),
            jobs: job_keys(&targets),
            recipients: title_or_count(&targets),
        };
        compose.area = self.drafts.get(&compose.draft_key());
        self.mode = Mode::Compose(compose);
    }

    /// That there is no project for a job to be in, and how to add one.
    pub fn no_project(&self) -> Option<(String, String)> {
        let what = String::from("No project is in the config yet.");
        let next = format!(
            "List one under [[projects]] in {}, which is reread when it changes; ids of projects are \
             on the page of the API keys: {KEYS_PAGE}",
            self.config_name()
        );
        self.projects.is_empty().then_some((what, next))
    }

    pub(super) fn on_compose_key(
        &mut self,
        mut compose: Compose,
        key: &KeyEvent,
        now: Timestamp,
    ) -> Effect {
        match key.code {
            KeyCode::Esc => {
                if !compose.area.is_blank() {
                    self.show_message("not sent; the text is kept", Role::Muted, now);
                }
                self.drafts.keep(compose.draft_key(), compose.area);
                return Effect::None;
            }
            _ if keys::is_ctrl(key, 's') || keys::is_ctrl(key, 'd') => {
                return self.send(compose, now);
            }
            KeyCode::Tab => self.switch_project(&mut compose, 1),
            KeyCode::BackTab => self.switch_project(&mut compose, -1),
            _ if !is_text(key) && self.keys.action(key) == Some(Action::Editor) => {
                let (text, about) = (compose.area.text().to_owned(), compose.title());
                self.mode = Mode::Compose(compose);
                self.messages.hold();
                return Effect::Edit { text, about };
            }
            _ => compose.area.on_key(key),
        }
        self.mode = Mode::Compose(compose);
        if keys::is_ctrl(key, 'z') {
            Effect::Suspend
        } else {
            Effect::None
        }
    }

    /// Goes `step` projects on. A text that is being written goes along, where the other project has
    /// none; one that was kept for a project stays with it.
    fn switch_project(&mut self, compose: &mut Compose, step: isize) {
        if !compose.can_switch_project() {
            return;
        }
        let key = compose.draft_key();
        compose.step_project(step);
        let other = self.drafts.get(&compose.draft_key());
        let is_kept = self.drafts.get(&key).text() == compose.area.text();
        if is_kept || !other.is_blank() {
            let area = std::mem::replace(&mut compose.area, other);
            self.drafts.keep(key, area);
        } else {
            self.drafts.remove(&key);
        }
    }

    /// The editor has ended. Where nothing came of it, the text stays.
    pub(super) fn on_edited(&mut self, edited: Result<String, String>, now: Timestamp) {
        self.messages.resume(now);
        let Mode::Compose(compose) = &mut self.mode else {
            return;
        };
        let (why, role) = match edited {
            Ok(text) if !text.trim().is_empty() => {
                compose.area = TextArea::new(text.trim());
                return;
            }
            Ok(_) => (String::from("nothing was written"), Role::Muted),
            Err(why) => (why, Role::Bad),
        };
        self.show_message(format!("{why}; the text is as it was"), role, now);
    }

    fn send(&mut self, compose: Compose, now: Timestamp) -> Effect {
        let request = match compose.request() {
            Ok(request) => request,
            Err(why) => {
                self.show_message(why, Role::Bad, now);
                self.mode = Mode::Compose(compose);
                return Effect::None;
            }
        };
        // Until it is known to have worked: a refusal must not cost the text.
        self.drafts.keep(compose.draft_key(), compose.area.clone());
        let (act, object, project) = match &request {
            Request::Create { project, .. } => {
                ("Start a job in", compose.project().title(), project.clone())
            }
            Request::FollowUp { jobs, .. } => match jobs.first() {
                Some(job) => ("Send to", &*compose.recipients, job.project.clone()),
                None => return Effect::None,
            },
            Request::Add { .. } | Request::Remove { .. } => return Effect::Perform(request),
        };
        // How many writes the project has had is counted meanwhile.
        let mut question = Question::new(act, object, Effect::Perform(request));
        question.writes = Some((project.clone(), None));
        self.mode = Mode::Confirm(question);
        Effect::CountWrites(project)
    }

    /// Asks before jobs are no longer watched.
    pub(super) fn stop_watching(&mut self, board: &Board, now: Timestamp) {
        let targets = self.targets(board);
        let stay = match targets.len() {
            0 => return self.show_message("no job is selected", Role::Muted, now),
            1 => "It stays in Mintlify.",
            _ => "They stay in Mintlify.",
        };
        let jobs = job_keys(&targets);
        let effect = Effect::Perform(Request::Remove { jobs });
        let mut question = Question::new("Stop watching", title_or_count(&targets), effect);
        question.note = stay;
        self.mode = Mode::Confirm(question);
    }
}

/// Whether `key` is a character of the text.
fn is_text(key: &KeyEvent) -> bool {
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    matches!(key.code, KeyCode::Char(_)) && !ctrl
}

/// The title of a single job, else how many there are.
fn title_or_count(jobs: &[&Row]) -> String {
    match jobs {
        [row] => row.title().to_owned(),
        many => format!("{} jobs", many.len()),
    }
}
