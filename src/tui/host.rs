//! The [`Host`] of the real dashboard: the person's terminal, browser and clipboard, and the
//! actions that they ask for.
//!
//! Nothing here keeps the screen waiting, and a stuck screen keeps nothing here waiting: an action is
//! a task on the thread of the network, and what became of it comes back as a [`Notice`]. This file must
//! not know how anything is drawn.

mod running_editor;

use std::fmt::Display;
use std::io;

use crossterm::execute;
use crossterm::terminal::SetTitle;
use rustix::process::{Signal, kill_current_process_group};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

use super::Host;
use super::app::Request;
use super::notice::{Done, NotDone, Notice};
use super::terminal::{self, TerminalGuard};
use crate::actions::Actions;
use crate::config::edit::NewJob;
use crate::desktop::{self, Editor, Opened, Opener};
use crate::environment::Environment;
use crate::job::{JobId, JobKey, ProjectId};
use crate::link::Link;
use crate::poll::{Poller, PollerHandle};
use crate::text;
use crate::view::plural;
use crate::view::theme::Role;
use running_editor::RunningEditor;

pub struct TerminalHost<'a> {
    guard: &'a TerminalGuard,
    environment: watch::Receiver<Environment>,
    worker: Worker,
    runtime: Handle,
    /// The requests that are under way.
    requests: TaskTracker,
    editor: Option<RunningEditor>,
}

impl<'a> TerminalHost<'a> {
    /// Programs that are started see what `environment` has then. What is asked for is done on the thread of `poller`
    /// and kept track of in `requests`; what became of it goes to `notices`.
    pub fn new(
        guard: &'a TerminalGuard,
        environment: watch::Receiver<Environment>,
        actions: Actions,
        poller: &Poller,
        requests: TaskTracker,
        notices: mpsc::UnboundedSender<Notice>,
    ) -> Self {
        Self {
            guard,
            environment,
            worker: Worker {
                actions,
                poller: poller.handle(),
                notices,
            },
            runtime: poller.runtime().clone(),
            requests,
            editor: None,
        }
    }

    fn open_editor(&self, text: &str, about: &str) -> Result<RunningEditor, String> {
        let editor = Editor::new(&self.environment.borrow()).map_err(|error| error.to_string())?;
        let editor = editor.ok_or("no editor is set: set VISUAL or EDITOR")?;
        let open = editor
            .open(text, about)
            .map_err(|error| error.to_string())?;
        let worker = self.worker.clone();
        RunningEditor::watch(open, move |edited| worker.notify(Notice::Edited(edited)))
            .map_err(|error| format!("cannot wait for the editor: {error}"))
    }
}

impl Host for TerminalHost<'_> {
    fn open(&mut self, link: &Link) -> Result<Opened, String> {
        let opener = Opener::new(self.environment.borrow().clone());
        opener.open(link).map_err(|error| error.to_string())
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        let (worker, copied) = (self.worker.clone(), text.to_owned());
        let in_tmux = move || worker.notify(Notice::InTmux(copied));
        desktop::copy(text, &self.environment.borrow(), &mut io::stdout(), in_tmux)
    }

    fn set_title(&mut self, title: &str) -> io::Result<()> {
        execute!(io::stdout(), SetTitle(text::clean(title)))
    }

    fn reset_title(&mut self) -> io::Result<()> {
        terminal::reset_title()
    }

    fn take_mouse(&mut self, taken: bool) -> io::Result<()> {
        self.guard.take_mouse(taken)
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.guard.restore();
        // The kernel drops this where nobody could continue us: in a pane without a shell.
        kill_current_process_group(Signal::TSTP)?;
        self.guard.set()
    }

    fn resume(&mut self) -> io::Result<()> {
        self.guard.set_again()
    }

    fn edit(&mut self, text: &str, about: &str) {
        self.guard.restore();
        match self.open_editor(text, about) {
            Ok(editor) => self.editor = Some(editor),
            Err(why) => self.worker.notify(Notice::Edited(Err(why))),
        }
    }

    fn end_edit(&mut self) -> io::Result<()> {
        self.editor = None;
        self.guard.set()
    }

    fn count_writes(&mut self, project: &ProjectId) {
        let (worker, project) = (self.worker.clone(), project.clone());
        self.runtime.spawn(async move {
            let count = worker.actions.writes_this_hour(&project).await;
            worker.notify(Notice::WritesThisHour { project, count });
        });
    }

    fn perform(&mut self, request: Request) {
        let worker = self.worker.clone();
        let perform = async move {
            let outcome = worker.perform(&request).await;
            worker.notify(Notice::Ended(request, outcome));
        };
        self.requests.spawn_on(perform, &self.runtime);
    }
}

/// Does what the user asks for.
#[derive(Clone)]
struct Worker {
    actions: Actions,
    poller: PollerHandle,
    notices: mpsc::UnboundedSender<Notice>,
}

impl Worker {
    fn notify(&self, notice: Notice) {
        // The screen may be gone meanwhile; then nobody is left to tell.
        let _ = self.notices.send(notice);
    }

    async fn perform(&self, request: &Request) -> Result<Done, NotDone> {
        match request {
            Request::Create { project, prompt } => self.create(project, prompt).await,
            Request::FollowUp { jobs, prompt } => self.follow_up(jobs, prompt).await,
            Request::Add { project, ids } => self.add(project, ids).await,
            Request::Remove { jobs } => self.remove(jobs).await,
        }
    }

    async fn create(&self, project: &ProjectId, prompt: &str) -> Result<Done, NotDone> {
        let Self { actions, .. } = self;
        let project = actions.find_project(project).map_err(not_started)?;
        actions.check_editable().await.map_err(not_started)?;
        let writer = actions.writer(&[&project.id]).await.map_err(not_started)?;
        let created = writer.create(&project, prompt, None, &[]).await;
        let created = created.map_err(|error| {
            if error.may_have_happened {
                // It begins with the doubt.
                NotDone::because(error)
            } else {
                not_started(error)
            }
        })?;
        let key = created.watched.key;
        let (text, role) = match created.listed {
            Ok(()) => (format!("started {}", key.id), Role::Good),
            Err(error) => {
                let text = format!("started {}, but it is not watched: {error}", key.id);
                (text, Role::Bad)
            }
        };
        Ok(Done {
            text,
            role,
            select: Some(key),
        })
    }

    async fn follow_up(&self, jobs: &[JobKey], prompt: &str) -> Result<Done, NotDone> {
        let projects: Vec<_> = jobs.iter().map(|job| &job.project).collect();
        let writer = self.actions.writer(&projects).await;
        let writer = writer.map_err(NotDone::because)?;
        let sent = writer.follow_up(jobs, prompt).await;
        self.poller.poll(jobs.to_vec());
        sent.map_err(|error| NotDone {
            message: error.to_string(),
            not_reached: jobs.get(error.sent..).map(Into::into),
            remaining: error.remaining(jobs),
        })?;
        let text = format!("sent to {} {}", jobs.len(), plural("job", jobs.len()));
        Ok(done(text, None))
    }

    async fn add(&self, project: &ProjectId, ids: &[JobId]) -> Result<Done, NotDone> {
        let job = |id: &JobId| NewJob {
            id: id.clone(),
            label: None,
            tags: Vec::new(),
        };
        let first = ids.first();
        let select = first.map(|id| JobKey::new(project.clone(), id.clone()));
        let jobs = ids.iter().map(job).collect();
        let edited = self.actions.add(project, jobs).await;
        let edited = edited.map_err(NotDone::because)?;
        let text = match (edited.changed.len(), edited.unchanged.len()) {
            (0, _) => String::from("watched already"),
            (new, 0) => format!("watching {new} more {}", plural("job", new)),
            (new, old) => format!(
                "watching {new} more {}; {old} were already",
                plural("job", new)
            ),
        };
        Ok(done(text, select))
    }

    async fn remove(&self, jobs: &[JobKey]) -> Result<Done, NotDone> {
        let removed = self.actions.remove(jobs.to_vec()).await;
        removed.map_err(NotDone::because)?;
        let word = plural("job", jobs.len());
        let text = format!("no longer watching {} {word}", jobs.len());
        Ok(done(text, None))
    }
}

/// A new job was refused, or could not even be asked for.
fn not_started(error: impl Display) -> NotDone {
    NotDone::because(format_args!("not started: {error}"))
}

fn done(text: String, select: Option<JobKey>) -> Done {
    Done {
        text,
        role: Role::Good,
        select,
    }
}
