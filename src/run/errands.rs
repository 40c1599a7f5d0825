//! What the screen asks to have done: the two writes, and changes to the list of watched jobs.
//!
//! Nothing here blocks the screen: each errand is a task, and how it went comes back as a notice.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::board::{Project, Watched};
use crate::cli::new::label_of;
use crate::config::edit::{self, EditError, Edited, NewJob};
use crate::config::{Config, edit_file};
use crate::job::JobKey;
use crate::key::{self, ApiKey};
use crate::mintlify::Client;
use crate::mintlify::write::{WRITES_AN_HOUR, WriteError};
use crate::poll::PollerHandle;
use crate::poll::key_source;
use crate::tui::Notice;
use crate::tui::app::{Purpose, Request};
use crate::tui::terminal::Errands;
use crate::view::{plural, theme::Role};
use crate::writes::Writes;

/// The config in force, its jobs taken out; the reload puts a new one in its place.
pub(super) type Shared = Arc<Mutex<Config>>;

/// Takes the lock; a panic while it was held leaves a config that is whole all the same.
pub(super) fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the watched jobs are listed.
#[derive(Clone)]
pub(super) enum List {
    /// In the config file, which the dashboard follows.
    File(PathBuf),
    /// In memory alone, with the key: the demo's.
    Memory(Arc<Mutex<Vec<Watched>>>, ApiKey),
}

/// Does the errands of the screen.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) config: Shared,
    pub(super) list: List,
    pub(super) handle: PollerHandle,
    pub(super) notices: mpsc::UnboundedSender<Notice>,
}

impl Errands for Desk {
    fn projects(&self) -> Vec<Arc<Project>> {
        let config = locked(&self.config);
        let project = |id: &Arc<str>, name: &Option<String>| {
            Arc::new(Project {
                id: Arc::clone(id),
                name: name.clone(),
            })
        };
        config
            .projects
            .iter()
            .map(|own| project(&own.id, &own.name))
            .collect()
    }

    fn question(&self, request: &Request) -> String {
        let (what, project) = match request {
            Request::Create { project, .. } => (
                format!("Start a job in {}?", self.title(project)),
                Arc::clone(project),
            ),
            Request::FollowUp { jobs, .. } => {
                let what = format!("Send it to {} {}?", jobs.len(), plural("job", jobs.len()));
                (
                    what,
                    jobs.first()
                        .map(|job| Arc::clone(&job.project))
                        .unwrap_or_default(),
                )
            }
            Request::Add { .. } | Request::Remove { .. } => return String::from("Sure? y/n"),
        };
        let writes = Writes::of_user().and_then(|own| own.this_hour(&project, Timestamp::now()));
        match writes {
            Some(writes) => format!("{what} {writes} of {WRITES_AN_HOUR} writes this hour. y/n"),
            None => format!("{what} y/n"),
        }
    }

    fn begin(&mut self, request: Request) {
        let desk = self.clone();
        tokio::spawn(async move {
            let notice = match request {
                Request::Create { project, prompt } => desk.create(&project, &prompt).await,
                Request::FollowUp { jobs, prompt } => desk.follow_up(jobs, &prompt).await,
                Request::Add { project, ids } => desk.add(&project, ids).await,
                Request::Remove { jobs } => desk.remove(jobs).await,
            };
            let notice = notice.unwrap_or_else(Notice::bad);
            // The screen may be gone meanwhile; then nobody is left to tell.
            let _ = desk.notices.send(notice);
        });
    }
}

impl Desk {
    async fn create(&self, project: &Arc<str>, prompt: &str) -> Result<Notice, String> {
        let (client, key) = self.caller(project).await?;
        let made = client.create_job(project, prompt, &key).await;
        count(project, made.as_ref().err());
        let made = made.map_err(|error| error.to_string())?;
        let label = Some(label_of(prompt)).filter(|label| !label.is_empty());
        let job = NewJob {
            id: made.id.clone(),
            label,
            tags: Vec::new(),
        };
        let notice = match self.list(project, vec![job]).await {
            Ok(_) => Notice::good(format!("started {}", made.id)),
            Err(error) => Notice::bad(format!(
                "started {}, but it is not watched: {error}",
                made.id
            )),
        };
        let select = Some(JobKey::new(Arc::clone(project), made.id));
        Ok(Notice {
            select,
            sent: Some(Purpose::NewJob),
            ..notice
        })
    }

    /// One after the other: each counts against the hour's limit of its project.
    async fn follow_up(&self, jobs: Vec<JobKey>, prompt: &str) -> Result<Notice, String> {
        for (sent, job) in jobs.iter().enumerate() {
            let (client, key) = self.caller(&job.project).await?;
            let told = client.send_message(job, prompt, &key).await;
            count(&job.project, told.as_ref().err());
            told.map_err(|error| match sent {
                0 => error.to_string(),
                sent => format!("sent to {sent} of {}, then: {error}", jobs.len()),
            })?;
        }
        let text = format!("sent to {} {}", jobs.len(), plural("job", jobs.len()));
        self.handle.poll(jobs);
        Ok(Notice {
            sent: Some(Purpose::FollowUp),
            ..Notice::good(text)
        })
    }

    async fn add(&self, project: &Arc<str>, ids: Vec<String>) -> Result<Notice, String> {
        let job = |id: String| NewJob {
            id,
            label: None,
            tags: Vec::new(),
        };
        let select = ids
            .first()
            .map(|id| JobKey::new(Arc::clone(project), id.as_str()));
        let edited = self
            .list(project, ids.into_iter().map(job).collect())
            .await?;
        let text = match (edited.changed.len(), edited.unchanged.len()) {
            (0, _) => String::from("watched already"),
            (new, 0) => format!("watching {new} more {}", plural("job", new)),
            (new, old) => format!(
                "watching {new} more {}; {old} were already",
                plural("job", new)
            ),
        };
        Ok(Notice {
            select,
            sent: Some(Purpose::AddJobs),
            ..Notice::good(text)
        })
    }

    async fn remove(&self, jobs: Vec<JobKey>) -> Result<Notice, String> {
        let text = format!(
            "no longer watching {} {}",
            jobs.len(),
            plural("job", jobs.len())
        );
        match &self.list {
            List::File(path) => {
                edit(path.clone(), move |text, path| {
                    edit::remove(text, path, &jobs)
                })
                .await?;
            }
            List::Memory(watched, _) => {
                let mut watched = locked(watched);
                watched.retain(|job| !jobs.contains(&job.key));
                self.handle.watch(watched.clone());
            }
        }
        Ok(Notice {
            role: Role::Plain,
            ..Notice::good(text)
        })
    }

    /// Lists more jobs; the dashboard follows the config by itself.
    async fn list(&self, project: &Arc<str>, jobs: Vec<NewJob>) -> Result<Edited, String> {
        match &self.list {
            List::File(path) => {
                let project = Arc::clone(project);
                edit(path.clone(), move |text, path| {
                    edit::add(text, path, &project, &jobs)
                })
                .await
            }
            List::Memory(watched, _) => {
                let title = self.projects().into_iter().find(|own| own.id == *project);
                let title = title.ok_or("this project has left the config")?;
                let mut watched = locked(watched);
                let new = jobs.into_iter().map(|job| Watched {
                    key: JobKey::new(Arc::clone(project), job.id),
                    project: Arc::clone(&title),
                    label: job.label,
                    tags: job.tags,
                });
                let before = watched.len();
                watched.extend(new);
                let changed = watched[before..]
                    .iter()
                    .map(|job| job.key.clone())
                    .collect();
                self.handle.watch(watched.clone());
                Ok(Edited {
                    changed,
                    ..Edited::default()
                })
            }
        }
    }

    /// What a call to `project` takes. A key command runs anew, since keys are not kept for this.
    async fn caller(&self, project: &Arc<str>) -> Result<(Client, ApiKey), String> {
        let (base_url, timeout, source) = {
            let config = locked(&self.config);
            let own = config.projects.iter().find(|own| own.id == *project);
            let own = own.ok_or("this project has left the config")?;
            let source = key_source(&config, own).clone();
            (config.base_url.clone(), config.poll.timeout, source)
        };
        let client = Client::new(&base_url, timeout).map_err(|error| error.to_string())?;
        let key = match &self.list {
            List::Memory(_, key) => key.clone(),
            List::File(_) => key::resolve(&source)
                .await
                .map_err(|error| error.to_string())?,
        };
        Ok((client, key))
    }

    fn title(&self, project: &str) -> String {
        let projects = self.projects();
        let own = projects.iter().find(|own| *own.id == *project);
        own.map_or_else(|| project.to_owned(), |own| own.title().to_owned())
    }
}

/// Counts a write, unless it surely did not happen.
fn count(project: &str, error: Option<&WriteError>) {
    if error.is_some_and(|error| !error.may_have_happened) {
        return;
    }
    let counted = Writes::of_user().map(|writes| writes.count(project, Timestamp::now()));
    if let Some(Err(error)) = counted {
        tracing::warn!(%error, "cannot count a write");
    }
}

/// Edits the config off to the side: another writer may hold its lock.
async fn edit(
    path: PathBuf,
    change: impl FnOnce(&str, &std::path::Path) -> Result<Edited, EditError> + Send + 'static,
) -> Result<Edited, String> {
    let edited = tokio::task::spawn_blocking(move || {
        let mut done = Edited::default();
        edit_file(&path, |text| {
            done = change(text, &path)?;
            Ok::<_, EditError>(done.text.take())
        })?;
        Ok::<_, EditError>(done)
    });
    match edited.await {
        Ok(edited) => edited.map_err(|error| error.to_string()),
        Err(error) => Err(format!("the config could not be changed: {error}")),
    }
}
