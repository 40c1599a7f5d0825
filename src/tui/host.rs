//! The [`Host`] of the real dashboard: the person's terminal, browser and clipboard, and the
//! actions that they ask for.
//!
//! Nothing here keeps the screen waiting: an action is a task, and what became of it comes back as a
//! [`Notice`]. This file must not know how anything is drawn.

use std::io;

use crossterm::execute;
use crossterm::terminal::SetTitle;
use rustix::process::{Signal, kill_current_process_group};
use tokio::sync::mpsc;

use super::Host;
use super::app::{Purpose, Request};
use super::notice::Notice;
use super::terminal::TerminalGuard;
use crate::actions::Actions;
use crate::config::edit::NewJob;
use crate::desktop::{self, Environment, Opened, Opener};
use crate::job::{JobId, JobKey, ProjectId};
use crate::link::Link;
use crate::poll::PollerHandle;
use crate::text;
use crate::view::plural;
use crate::view::theme::Role;

pub struct TerminalHost<'a> {
    guard: &'a TerminalGuard,
    environment: Environment,
    opener: Opener,
    actor: Actor,
}

impl<'a> TerminalHost<'a> {
    /// Programs that are started see `environment`; what became of an action goes to `notices`.
    pub fn new(
        guard: &'a TerminalGuard,
        environment: Environment,
        actions: Actions,
        poller: PollerHandle,
        notices: mpsc::UnboundedSender<Notice>,
    ) -> Self {
        Self {
            guard,
            opener: Opener::new(environment.clone()),
            environment,
            actor: Actor {
                actions,
                poller,
                notices,
            },
        }
    }
}

impl Host for TerminalHost<'_> {
    fn open(&mut self, link: &Link) -> Result<Opened, String> {
        self.opener.open(link).map_err(|error| error.to_string())
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        desktop::copy(text, &self.environment, &mut io::stdout())
    }

    fn set_title(&mut self, title: &str) -> io::Result<()> {
        execute!(io::stdout(), SetTitle(text::clean(title)))
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.guard.restore();
        // The kernel drops this where nobody could continue us: in a pane without a shell.
        kill_current_process_group(Signal::TSTP)?;
        self.guard.set()
    }

    fn count_writes(&mut self, project: &ProjectId) {
        let (actor, project) = (self.actor.clone(), project.clone());
        tokio::spawn(async move {
            let count = actor.actions.writes_this_hour(&project).await;
            actor.notify(Notice::WritesThisHour { project, count });
        });
    }

    fn perform(&mut self, request: Request) {
        let actor = self.actor.clone();
        tokio::spawn(async move {
            let notice = actor.perform(request).await;
            actor.notify(notice.unwrap_or_else(Notice::bad));
        });
    }
}

/// Does what the person asks for, off the screen's back.
#[derive(Clone)]
struct Actor {
    actions: Actions,
    poller: PollerHandle,
    notices: mpsc::UnboundedSender<Notice>,
}

impl Actor {
    fn notify(&self, notice: Notice) {
        // The screen may be gone meanwhile; then nobody is left to tell.
        let _ = self.notices.send(notice);
    }

    async fn perform(&self, request: Request) -> Result<Notice, String> {
        match request {
            Request::Create { project, prompt } => self.create(&project, &prompt).await,
            Request::FollowUp { jobs, prompt } => self.follow_up(jobs, &prompt).await,
            Request::Add { project, ids } => self.add(&project, ids).await,
            Request::Remove { jobs } => self.remove(jobs).await,
        }
    }

    async fn create(&self, project: &ProjectId, prompt: &str) -> Result<Notice, String> {
        let project = self.actions.find_project(project).map_err(message)?;
        self.actions.check_editable().await.map_err(message)?;
        let writer = self.actions.writer(&[&project.id]).await.map_err(message)?;
        let created = writer.create(&project, prompt, None, &[]).await;
        let created = created.map_err(message)?;
        let key = created.watched.key;
        let (text, role) = match created.listed {
            Ok(()) => (format!("started {}", key.id), Role::Good),
            Err(error) => {
                let text = format!("started {}, but it is not watched: {error}", key.id);
                (text, Role::Bad)
            }
        };
        Ok(Notice::Done {
            text,
            role,
            purpose: Purpose::NewJob,
            select: Some(key),
        })
    }

    async fn follow_up(&self, jobs: Vec<JobKey>, prompt: &str) -> Result<Notice, String> {
        let projects: Vec<_> = jobs.iter().map(|job| &job.project).collect();
        let writer = self.actions.writer(&projects).await.map_err(message)?;
        writer.follow_up(&jobs, prompt).await.map_err(message)?;
        let text = format!("sent to {} {}", jobs.len(), plural("job", jobs.len()));
        self.poller.poll(jobs);
        Ok(done(text, Purpose::FollowUp, None))
    }

    async fn add(&self, project: &ProjectId, ids: Vec<JobId>) -> Result<Notice, String> {
        let job = |id: JobId| NewJob {
            id,
            label: None,
            tags: Vec::new(),
        };
        let first = ids.first();
        let select = first.map(|id| JobKey::new(project.clone(), id.clone()));
        let jobs = ids.into_iter().map(job).collect();
        let edited = self.actions.add(project, jobs).await.map_err(message)?;
        let text = match (edited.changed.len(), edited.unchanged.len()) {
            (0, _) => String::from("watched already"),
            (new, 0) => format!("watching {new} more {}", plural("job", new)),
            (new, old) => format!(
                "watching {new} more {}; {old} were already",
                plural("job", new)
            ),
        };
        Ok(done(text, Purpose::AddJobs, select))
    }

    async fn remove(&self, jobs: Vec<JobKey>) -> Result<Notice, String> {
        let word = plural("job", jobs.len());
        let text = format!("no longer watching {} {word}", jobs.len());
        self.actions.remove(jobs).await.map_err(message)?;
        Ok(Notice::plain(text))
    }
}

fn done(text: String, purpose: Purpose, select: Option<JobKey>) -> Notice {
    Notice::Done {
        text,
        role: Role::Good,
        purpose,
        select,
    }
}

fn message(error: impl std::fmt::Display) -> String {
    error.to_string()
}
