//! Everything that a person asks for that writes: new jobs, follow-ups, and which jobs are watched.
//!
//! The dashboard and the verbs both act through here. Each write to the API is made once, and what
//! became of it is returned; nothing here asks, prints or draws.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::board::{Project, Watched};
use crate::config::edit::{self, EditError, Edited, NewJob};
use crate::config::{Config, ConfigError, edit_file, redact_keys};
use crate::environment::Environment;
use crate::failure::{ErrorKind, Failure};
use crate::http::SetupError;
use crate::job::{Job, JobId, JobKey, ProjectId};
use crate::key::{self, ApiKey, KeyError};
use crate::mintlify::Client;
use crate::mintlify::write::WriteError;
use crate::poll::key_source;
use crate::store::{Database, OpenError};
use crate::text;

/// The most cells of a label that is taken from a prompt.
const MAX_LABEL: usize = 60;

/// Why something could not even be tried.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// Not its source too: whoever prints the causes would say it twice.
    #[error("no API key: {0}")]
    Key(KeyError),
    #[error(transparent)]
    Client(#[from] SetupError),
    #[error(transparent)]
    Edit(#[from] EditError),
    #[error("this project has left the config")]
    ProjectGone,
}

impl From<KeyError> for ActionError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<ConfigError> for ActionError {
    fn from(error: ConfigError) -> Self {
        Self::Edit(error.into())
    }
}

/// Why writes could not be counted.
#[derive(Debug, thiserror::Error)]
enum StoreError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("the count of an older version: {0}")]
    Import(#[from] std::io::Error),
}

/// Acts for a person on the projects of one config file. Clones act for the same person.
#[derive(Clone, Debug)]
pub struct Actions {
    /// The config in force, its jobs taken out.
    config: Arc<Mutex<Config>>,
    path: PathBuf,
    /// The hash of the text that was last written to the config here.
    written: Arc<AtomicU64>,
    /// Told of each text that was written to the config here.
    edited: Arc<Notify>,
    /// The file that writes are counted in; `None` where nothing is stored.
    store: Option<PathBuf>,
    /// The writes that are being counted: nobody waits for a file that another run has locked.
    counting: TaskTracker,
}

impl Actions {
    /// Acts on `config`, which is in the file at `path`, and keeps count of writes in the store at
    /// `store`.
    pub fn new(config: Config, path: PathBuf, store: Option<PathBuf>) -> Self {
        Self {
            config: Arc::new(Mutex::new(config)),
            path,
            written: Arc::default(),
            edited: Arc::default(),
            store,
            counting: TaskTracker::new(),
        }
    }

    /// Whether `text`, that of the config, is what was last written here: news to nobody.
    pub fn has_written(&self, text: &[u8]) -> bool {
        self.written.load(Ordering::SeqCst) == hash(text)
    }

    /// Waits until a text has been written to the config here since the last such wait ended: the
    /// system need not tell of it.
    pub async fn edited(&self) {
        self.edited.notified().await;
    }

    /// The config in force. A panic while it was locked leaves it whole all the same.
    pub fn config(&self) -> MutexGuard<'_, Config> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The projects of the config, in its order.
    pub fn projects(&self) -> Vec<Arc<Project>> {
        let config = self.config();
        let projects = config.projects.iter();
        projects
            .map(|project| Arc::new(Project::from(project)))
            .collect()
    }

    /// The project with this id, else the only one with this name.
    pub fn find_project(&self, name: &str) -> Result<Project, EditError> {
        let mut config = self.config();
        Ok(Project::from(&*edit::find_project(
            &mut config.projects,
            name,
        )?))
    }

    /// How many writes `project` has had this hour, over all runs of the program; `None` where that
    /// is not known.
    pub async fn writes_this_hour(&self, project: &ProjectId) -> Option<usize> {
        self.counted().await;
        let (project, now) = (project.to_owned(), Timestamp::now());
        let read = self.in_store(move |database| {
            database.import_old_writes(now)?;
            Ok(database.writes_this_hour(&project, now)?)
        })?;
        let count = tokio::task::spawn_blocking(read).await.ok()?;
        count
            .inspect_err(|error| tracing::warn!(%error, "cannot read this hour's writes"))
            .ok()
    }

    /// `work` on the store, for the server of the config in force, on a thread that may wait; `None`
    /// without a store.
    fn in_store<T, W>(&self, work: W) -> Option<impl FnOnce() -> Result<T, StoreError> + use<T, W>>
    where
        W: FnOnce(&mut Database) -> Result<T, StoreError>,
    {
        let path = self.store.clone()?;
        let base_url = self.config().base_url.to_string();
        Some(move || work(&mut Database::open(&path, &base_url)?.0))
    }

    /// What it takes to write to `projects`: one client, and each key once. A key command runs again,
    /// since keys are not kept for this.
    pub async fn writer(&self, projects: &[&ProjectId]) -> Result<Writer, ActionError> {
        let (client, mut sources, mut environment) = {
            let config = self.config();
            let environment = Environment::from_process(&config.key_variables());
            let client = Client::new(&config.base_url, config.poll.timeout)?;
            let mut sources = Vec::new();
            for id in projects {
                let project = config.projects.iter().find(|own| own.id == **id);
                let project = project.ok_or(ActionError::ProjectGone)?;
                sources.push(((*id).clone(), key_source(&config, project).clone()));
            }
            (client, sources, environment)
        };
        // The commands last, so that they do not see what was read before.
        sources.sort_by_key(|(_, source)| source.is_command());
        let mut resolved: HashMap<_, ApiKey> = HashMap::new();
        let mut keys = HashMap::new();
        for (project, source) in sources {
            let key = match resolved.get(&source) {
                Some(key) => key.clone(),
                None => key::resolve(&source, &environment).await?,
            };
            environment = environment.without(key.secret());
            keys.insert(project, key.clone());
            resolved.insert(source, key);
        }
        Ok(Writer {
            client,
            keys,
            environment,
            actions: self.clone(),
        })
    }

    /// Lists `jobs` in the config, in the project with this id or unique name.
    pub async fn add(&self, project: &str, jobs: Vec<NewJob>) -> Result<Edited, EditError> {
        let project = project.to_owned();
        self.edit(move |text, path| edit::add(text, path, &project, &jobs))
            .await
    }

    pub async fn remove(&self, jobs: Vec<JobKey>) -> Result<Edited, EditError> {
        self.edit(move |text, path| edit::remove(text, path, &jobs))
            .await
    }

    /// Whether the config can be edited: asked before a job is created, which could not be listed
    /// otherwise.
    pub async fn check_editable(&self) -> Result<(), EditError> {
        self.edit(|_, _| Ok(Edited::default())).await.map(drop)
    }

    /// Edits the config on a thread for blocking work: another writer may hold its lock.
    async fn edit(
        &self,
        change: impl FnOnce(&str, &Path) -> Result<Edited, EditError> + Send + 'static,
    ) -> Result<Edited, EditError> {
        let (path, written) = (self.path.clone(), Arc::clone(&self.written));
        let edited = Arc::clone(&self.edited);
        let unwritable = |reason: String| ConfigError::Unwritable {
            path: self.path.clone(),
            reason,
        };
        let edit = move || {
            let mut done = Edited::default();
            let is_written = edit_file(&path, |text| {
                done = change(text, &path)?;
                let new = done.text.take();
                if let Some(new) = &new {
                    written.store(hash(new.as_bytes()), Ordering::SeqCst);
                }
                Ok::<_, EditError>(new)
            })?;
            if is_written {
                edited.notify_one();
            }
            Ok(done)
        };
        tokio::task::spawn_blocking(edit)
            .await
            .unwrap_or_else(|error| Err(unwritable(error.to_string()).into()))
    }

    /// Counts a write, unless it surely did not happen, and does not wait for that. The count is a help
    /// only: where it cannot be kept, the write itself still stands.
    pub fn count_write(&self, project: &ProjectId, error: Option<&WriteError>) {
        if error.is_some_and(|error| !error.may_have_happened) {
            return;
        }
        let (project, now) = (project.to_owned(), Timestamp::now());
        let count = self.in_store(move |database| {
            database.count_write(&project, now)?;
            Ok(database.import_old_writes(now)?)
        });
        let Some(count) = count else { return };
        self.counting.spawn_blocking(move || {
            if let Err(error) = count() {
                tracing::warn!(%error, "cannot count a write");
            }
        });
    }

    /// Waits until every write is counted: before the program ends.
    pub async fn counted(&self) {
        self.counting.close();
        self.counting.wait().await;
    }
}

#[derive(Debug)]
pub struct Writer {
    client: Client,
    keys: HashMap<ProjectId, ApiKey>,
    environment: Environment,
    actions: Actions,
}

#[derive(Debug)]
pub struct Created {
    /// The job as the config lists it, or would.
    pub watched: Watched,
    /// The job as the reply described it.
    pub job: Job,
    /// Why it is not listed, if it is not.
    pub listed: Result<(), EditError>,
}

/// Why a follow-up did not reach all its jobs.
#[derive(Debug, thiserror::Error)]
#[error("{error}{}", if *.sent == 0 { String::new() } else { format!("; before, it was sent to {sent} of {jobs}") })]
pub struct FollowUpError {
    /// How many jobs it reached before.
    pub sent: usize,
    /// How many it was for.
    pub jobs: usize,
    pub error: WriteError,
}

impl FollowUpError {
    /// Those of `jobs`, which it was for, that it is to be sent to again: it has surely not reached
    /// them. Where there are none, the one that is in doubt. `None` where it has reached no job.
    pub fn remaining(&self, jobs: &[JobKey]) -> Option<Vec<JobKey>> {
        let in_doubt = self.error.may_have_happened;
        let (_, rest) = jobs.split_at_checked(self.sent)?;
        let remaining = match rest {
            [_, not_reached @ ..] if in_doubt && !not_reached.is_empty() => not_reached,
            rest => rest,
        };
        (self.sent > 0 || in_doubt).then(|| remaining.to_vec())
    }
}

impl Writer {
    /// Creates a job in `project` and lists it in the config. Where `label` is not given, the first
    /// line of the prompt is the label.
    pub async fn create(
        &self,
        project: &Project,
        prompt: &str,
        label: Option<&str>,
        tags: &[String],
    ) -> Result<Created, WriteError> {
        let key = self.key(&project.id)?;
        let created = self.client.create_job(&project.id, prompt, key).await;
        let result = match created {
            Ok(created) => {
                let new = new_job(created.id, prompt, label, tags);
                let listed = self.actions.add(&project.id, vec![new.clone()]).await;
                Ok(Created {
                    watched: watched(project, new),
                    job: created.job,
                    listed: listed.map(drop),
                })
            }
            Err(error) => Err(error),
        };
        self.actions.count_write(&project.id, result.as_ref().err());
        result
    }

    /// Sends a follow-up to `jobs`, one after the other, since each counts against the limit of its
    /// project; it stops at the first that fails.
    pub async fn follow_up(
        &self,
        jobs: &[JobKey],
        prompt: &str,
    ) -> Result<Vec<Job>, FollowUpError> {
        let mut replies = Vec::new();
        for job in jobs {
            let reply = self.send(job, prompt).await;
            replies.push(reply.map_err(|error| FollowUpError {
                sent: replies.len(),
                jobs: jobs.len(),
                error,
            })?);
        }
        Ok(replies)
    }

    /// What an editor may see: no key.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    async fn send(&self, job: &JobKey, prompt: &str) -> Result<Job, WriteError> {
        let key = self.key(&job.project)?;
        let reply = self.client.send_message(job, prompt, key).await;
        self.actions.count_write(&job.project, reply.as_ref().err());
        reply
    }

    fn key(&self, project: &ProjectId) -> Result<&ApiKey, WriteError> {
        self.keys.get(project).ok_or_else(|| WriteError {
            failure: Failure::new(ErrorKind::Auth, "no API key was looked for in this project"),
            may_have_happened: false,
        })
    }
}

/// The job `id` as the config is to list it: with the label given, else the first line of the prompt.
fn new_job(id: JobId, prompt: &str, label: Option<&str>, tags: &[String]) -> NewJob {
    let label = label.map_or_else(|| label_from_prompt(prompt), text::clean);
    let tags = tags.iter().map(|tag| text::clean(tag));
    NewJob {
        id,
        label: Some(label).filter(|label| !label.is_empty()),
        tags: tags.filter(|tag| !tag.is_empty()).collect(),
    }
}

/// The first line of a prompt: the API gives a job no title.
fn label_from_prompt(prompt: &str) -> String {
    let lines = prompt.lines().map(|line| text::clean(&redact_keys(line)));
    let first = lines.into_iter().find(|line| !line.is_empty());
    text::truncate(&first.unwrap_or_default(), MAX_LABEL, "…").into_owned()
}

fn hash(text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn watched(project: &Project, job: NewJob) -> Watched {
    Watched {
        key: JobKey::new(project.id.clone(), job.id),
        project: Arc::new(project.clone()),
        label: job.label,
        tags: job.tags,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_table() {
        let long = "word ".repeat(30);
        let cut = format!("{}…", &long[..59]);
        let wide = "日".repeat(60);
        let cut_wide = format!("{}…", "日".repeat(29));
        for (prompt, want) in [
            ("Fix the links", "Fix the links"),
            ("  Fix\tthe links \r\nand more", "Fix the links"),
            ("\u{200b}\n\n# Title\n", "# Title"),
            ("a\u{1b}[31mb\u{202e}", "a[31mb"),
            ("use mint_secret1", "use mint_*******"),
            (&long, &cut),
            (&wide, &cut_wide),
            ("", ""),
        ] {
            assert_eq!(label_from_prompt(prompt), want, "{prompt:?}");
        }
    }

    #[test]
    fn a_new_job_takes_what_was_given_and_else_the_prompt() {
        let tags = |tags: &[&str]| tags.iter().map(ToString::to_string).collect::<Vec<_>>();
        let job = new_job("job_1".into(), "Do\nit", None, &[]);
        assert_eq!(job.label.as_deref(), Some("Do"));
        let job = new_job(
            "job_1".into(),
            "Do",
            Some("it's \n mine"),
            &tags(&["a", " ", "b c"]),
        );
        assert_eq!(job.label.as_deref(), Some("it's mine"));
        assert_eq!(job.tags, ["a", "b c"]);
        assert_eq!(new_job("job_1".into(), "Do", Some(""), &[]).label, None);
    }
}
