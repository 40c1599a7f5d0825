//! Writing a prompt for a new job or a follow-up, and pasting ids to watch.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent};
use jiff::Timestamp;

use super::super::keys;
use super::super::text_area::TextArea;
use super::{App, Effect, Mode, Question};
use crate::board::{Board, Project};
use crate::config::ids::parse_ids;
use crate::job::{JobId, JobKey, ProjectId};
use crate::view::plural;
use crate::view::theme::Role;

/// What a text is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The prompt of a new job.
    NewJob,
    /// A follow-up to jobs.
    FollowUp,
    /// Ids of jobs to watch.
    AddJobs,
}

/// What the user asks to have done outside the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Make a new job.
    Create {
        /// The id of its project.
        project: ProjectId,
        /// What the agent is to do.
        prompt: String,
    },
    /// Send a follow-up to jobs.
    FollowUp {
        /// The jobs.
        jobs: Vec<JobKey>,
        /// What the agent is to do.
        prompt: String,
    },
    /// Watch more jobs.
    Add {
        /// The id of their project.
        project: ProjectId,
        /// Their ids.
        ids: Vec<JobId>,
    },
    /// Stop watching jobs.
    Remove {
        /// The jobs.
        jobs: Vec<JobKey>,
    },
}

/// A text that is being written, and for what.
#[derive(Debug)]
pub struct Compose {
    /// What it is for.
    pub purpose: Purpose,
    /// The text.
    pub area: TextArea,
    projects: Vec<Arc<Project>>,
    chosen: usize,
    jobs: Vec<JobKey>,
    /// What the jobs of a follow-up are called.
    titles: Vec<String>,
}

impl Compose {
    /// What stands above the text.
    pub fn title(&self) -> String {
        let project = self.project().map_or("", Project::title);
        match (self.purpose, self.titles.as_slice()) {
            (Purpose::NewJob, _) => format!("New job in {project}"),
            (Purpose::AddJobs, _) => format!("Ids or links of jobs in {project} to watch"),
            (Purpose::FollowUp, [title]) => format!("Follow-up to {title}"),
            (Purpose::FollowUp, titles) => format!("Follow-up to {} jobs", titles.len()),
        }
    }

    /// Whether another project can be chosen.
    pub fn has_choice(&self) -> bool {
        self.purpose != Purpose::FollowUp && self.projects.len() > 1
    }

    fn project(&self) -> Option<&Project> {
        self.projects.get(self.chosen).map(|project| &**project)
    }

    fn request(&self) -> Result<Request, String> {
        let text = self.area.text().trim();
        if text.is_empty() {
            return Err(String::from("nothing is written yet"));
        }
        let project = self.project().map(|project| project.id.clone());
        let project = project.ok_or("no project is in the config");
        let prompt = text.to_owned();
        Ok(match self.purpose {
            Purpose::NewJob => Request::Create {
                project: project?,
                prompt,
            },
            Purpose::FollowUp => Request::FollowUp {
                jobs: self.jobs.clone(),
                prompt,
            },
            Purpose::AddJobs => {
                let ids = parse_ids(text).map_err(|error| error.to_string())?;
                Request::Add {
                    project: project?,
                    ids,
                }
            }
        })
    }
}

impl App {
    /// Begins to write a text; what was written before and not sent is taken up again.
    pub(super) fn compose(&mut self, purpose: Purpose, board: &Board, now: Timestamp) {
        let projects = self.projects.clone();
        let targets = self.targets(board);
        let selected = targets.first().map(|row| row.key().project.clone());
        let jobs: Vec<JobKey> = targets.iter().map(|row| row.key().clone()).collect();
        let titles = targets
            .iter()
            .map(|row| row.watched.title().to_owned())
            .collect();
        if projects.is_empty() {
            return self.say("no project is in the config yet", Role::Muted, now);
        }
        if purpose == Purpose::FollowUp && jobs.is_empty() {
            return self.say("no job is selected", Role::Muted, now);
        }
        let here = |project: &Arc<Project>| Some(&project.id) == selected.as_ref();
        let chosen = projects.iter().position(here).unwrap_or(0);
        let area = TextArea::new(&self.drafts[purpose as usize]);
        self.mode = Mode::Compose(Compose {
            purpose,
            area,
            projects,
            chosen,
            jobs,
            titles,
        });
        self.dirty = true;
    }

    /// The text for `purpose` has done its work.
    pub fn forget_draft(&mut self, purpose: Purpose) {
        self.drafts[purpose as usize].clear();
    }

    pub(super) fn on_compose_key(
        &mut self,
        mut compose: Compose,
        key: &KeyEvent,
        now: Timestamp,
    ) -> Effect {
        if key.code == KeyCode::Esc {
            self.keep_draft(&compose, now);
            return Effect::None;
        }
        if keys::is_ctrl(key, 's') || keys::is_ctrl(key, 'd') {
            return self.send(compose, now);
        }
        if key.code == KeyCode::Tab && compose.has_choice() {
            compose.chosen = (compose.chosen + 1) % compose.projects.len();
        } else {
            compose.area.on_key(key);
        }
        let suspend = keys::is_ctrl(key, 'z');
        self.mode = Mode::Compose(compose);
        if suspend {
            Effect::Suspend
        } else {
            Effect::None
        }
    }

    fn keep_draft(&mut self, compose: &Compose, now: Timestamp) {
        compose
            .area
            .text()
            .clone_into(&mut self.drafts[compose.purpose as usize]);
        if !compose.area.text().trim().is_empty() {
            self.say("not sent; the text is kept", Role::Muted, now);
        }
    }

    fn send(&mut self, compose: Compose, now: Timestamp) -> Effect {
        let request = match compose.request() {
            Ok(request) => request,
            Err(why) => {
                self.say(why, Role::Bad, now);
                self.mode = Mode::Compose(compose);
                return Effect::None;
            }
        };
        // Until it is known to have worked: a refusal must not cost the text.
        compose
            .area
            .text()
            .clone_into(&mut self.drafts[compose.purpose as usize]);
        match &request {
            Request::Create { project, .. } => {
                let title = compose.project().map_or("", Project::title);
                let question = format!("Start a job in {title}?");
                self.ask_to_write(question, project.clone(), request)
            }
            Request::FollowUp { jobs, .. } => {
                let question = format!("Send it to {} {}?", jobs.len(), plural("job", jobs.len()));
                match jobs.first().map(|job| job.project.clone()) {
                    Some(project) => self.ask_to_write(question, project, request),
                    None => Effect::None,
                }
            }
            Request::Add { .. } | Request::Remove { .. } => Effect::Perform(request),
        }
    }

    /// Asks before `request` writes to `project`; how many writes it has had is counted meanwhile.
    fn ask_to_write(&mut self, question: String, project: ProjectId, request: Request) -> Effect {
        self.mode = Mode::Confirm(Question {
            text: question,
            writes: Some((project.clone(), None)),
            effect: Effect::Perform(request),
        });
        Effect::CountWrites(project)
    }

    /// Asks before jobs are no longer watched.
    pub(super) fn stop_watching(&mut self, board: &Board, now: Timestamp) {
        let targets = self.targets(board);
        let jobs: Vec<JobKey> = targets.iter().map(|row| row.key().clone()).collect();
        let question = match targets.as_slice() {
            [] => return self.say("no job is selected", Role::Muted, now),
            [row] => format!(
                "Stop watching {}? It stays in Mintlify.",
                row.watched.title()
            ),
            many => format!(
                "Stop watching {} {}? They stay in Mintlify.",
                many.len(),
                plural("job", many.len())
            ),
        };
        let effect = Effect::Perform(Request::Remove { jobs });
        self.mode = Mode::Confirm(Question::new(question, effect));
    }
}
