//! Follows the config file: a change is applied at once, and a broken file is reported while the
//! last good one stays.
//!
//! It must not know how jobs are polled, or who is told.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinError, spawn_blocking};

use super::resolve_keys;
use crate::actions::Actions;
use crate::config::watch::{FileWatch, Identity};
use crate::config::{self, Config, ConfigError};
use crate::environment::Environment;
use crate::poll::schedule::Start;
use crate::poll::{self, KeySlot, PollerConfig, PollerHandle};

/// An editor writes in steps: what comes within this time is one change.
const SETTLE: Duration = Duration::from_millis(100);
/// How often to look whether the path leads to another file, of which the system may not tell.
pub const LOOK_AGAIN: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub enum Reloaded {
    /// It is in force, with so many jobs; they are no longer in `config`.
    Applied {
        jobs: usize,
        config: Box<Config>,
        /// What programs that we start may see from now on, where the keys may be others.
        environment: Option<Environment>,
        /// Whether it was changed by an action of this program, which tells of it by itself.
        is_own: bool,
        /// Whether another store is to be used, which is opened by the next start.
        store_waits: bool,
    },
    /// It cannot be read, or says what it may not; the last good one stays.
    Refused(ConfigError),
}

/// Follows the config that `actions` act on.
pub struct Reload {
    pub actions: Actions,
    pub poller: PollerHandle,
    /// The keys of the config in force, and what programs that we start may see. They are looked for
    /// again only where the config has others: a command may ask a person for a fingerprint.
    pub keys: (Vec<KeySlot>, Environment),
    /// The file as it was when the config was read.
    pub loaded: Option<Identity>,
    /// [`LOOK_AGAIN`], but in tests.
    pub look_again: Duration,
    /// Checks what only the face knows the meaning of, before anything is applied.
    pub check: fn(&Config) -> Result<(), ConfigError>,
    /// Takes what became of each change; returns whether anybody is left to tell.
    pub notify: Box<dyn Fn(Reloaded) -> bool + Send + Sync>,
}

impl Reload {
    /// Starts on the current runtime, once the caller's own task waits, as after its first frame; it
    /// ends when nobody is left to tell.
    pub fn start(self) {
        tokio::spawn(async move {
            let (notify, changes) = mpsc::channel(1);
            let (path, loaded) = (self.actions.path().to_owned(), self.loaded);
            let watch = move || {
                FileWatch::new(&path, loaded, move || {
                    // A change that waits to be read covers this one too.
                    let _ = notify.try_send(());
                })
            };
            // It fails where the runtime ends: then so does this.
            if let Ok(watch) = spawn_blocking(watch).await {
                let _ = self.run(watch, changes).await;
            }
        });
    }

    /// Ends with an error where the runtime does.
    async fn run(
        mut self,
        watch: FileWatch,
        mut changes: mpsc::Receiver<()>,
    ) -> Result<(), JoinError> {
        let (mut watch, mut is_another) = look(watch).await?;
        // What changed since the config was loaded, and before there was a watch, is news too.
        let mut before = (!is_another).then_some(self.read().await?);
        let mut is_told = false;
        loop {
            if is_another || is_told {
                let text = self.read().await?;
                // The same text was touched, or its mode changed.
                if before.as_ref() != Some(&text) {
                    let change = self.reload(&text).await;
                    if !(self.notify)(change) {
                        return Ok(());
                    }
                    before = Some(text);
                }
            }
            is_told = self.wait(&mut changes).await;
            (watch, is_another) = look(watch).await?;
        }
    }

    /// Waits until it is time to look at the file; returns whether that is since it was changed.
    async fn wait(&self, changes: &mut mpsc::Receiver<()>) -> bool {
        tokio::select! {
            Some(()) = changes.recv() => {}
            () = self.actions.edited() => {}
            () = tokio::time::sleep(self.look_again) => return false,
        }
        tokio::time::sleep(SETTLE).await;
        let _ = changes.try_recv();
        true
    }

    async fn read(&self) -> Result<Result<String, ConfigError>, JoinError> {
        let path = self.actions.path().to_owned();
        spawn_blocking(move || config::read(&path)).await
    }

    async fn reload(&mut self, text: &Result<String, ConfigError>) -> Reloaded {
        let config = match text {
            Ok(text) => Config::parse(text, self.actions.path()),
            Err(error) => Err(error.clone()),
        };
        let is_own = |text: &String| self.actions.has_written(text.as_bytes());
        match config {
            Ok(config) => self.apply(config, text.as_ref().is_ok_and(is_own)).await,
            Err(error) => Reloaded::Refused(error),
        }
    }

    async fn apply(&mut self, mut config: Config, is_own: bool) -> Reloaded {
        if let Err(error) = (self.check)(&config) {
            return Reloaded::Refused(error);
        }
        let watched = poll::into_watched_jobs(&mut config);
        let jobs = watched.len();
        let mut environment = None;
        let store_waits = {
            let before = self.actions.config();
            (&before.store, &before.base_url) != (&config.store, &config.base_url)
        };
        if config == *self.actions.config() {
            self.poller.watch(watched);
        } else {
            let keys_stay = poll::key_sources(&config) == poll::key_sources(&self.actions.config());
            if !keys_stay {
                self.keys = resolve_keys(&config).await;
                environment = Some(self.keys.1.clone());
            }
            let (keys, seen) = self.keys.clone();
            self.poller.restart(
                watched,
                PollerConfig {
                    keys_stay,
                    ..PollerConfig::new(&config, keys, seen, Start::Spread)
                },
            );
            *self.actions.config() = config.clone();
        }
        Reloaded::Applied {
            jobs,
            config: Box::new(config),
            environment,
            is_own,
            store_waits,
        }
    }
}

/// Looks at the file off to the side, since a disk may be slow; returns whether it is another.
async fn look(mut watch: FileWatch) -> Result<(FileWatch, bool), JoinError> {
    let look = move || {
        let is_another = watch.look();
        (watch, is_another)
    };
    spawn_blocking(look).await
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};

    use tempfile::TempDir;

    use super::*;
    use crate::config::edit::NewJob;
    use crate::poll::Poller;

    const PATIENT: Duration = Duration::from_secs(30);

    fn config(jobs: &[&str]) -> String {
        // Nothing listens there, and nothing needs to.
        format!(
            "base_url = \"http://127.0.0.1:9\"\n[key]\nfile = \"/missing\"\n\
             [[projects]]\nid = \"p\"\njobs = {jobs:?}\n"
        )
    }

    /// A config that is followed, in a folder where it may be moved about.
    struct Followed {
        home: TempDir,
        actions: Actions,
        poller: Poller,
        told: mpsc::UnboundedReceiver<Reloaded>,
    }

    impl Followed {
        /// Follows `path` in a folder that `prepare` fills; `meanwhile` happens after it was loaded.
        fn start(path: &str, prepare: impl FnOnce(&Path), meanwhile: impl FnOnce(&Path)) -> Self {
            Self::looking_again(Duration::from_millis(20), path, prepare, meanwhile)
        }

        fn looking_again(
            look_again: Duration,
            path: &str,
            prepare: impl FnOnce(&Path),
            meanwhile: impl FnOnce(&Path),
        ) -> Self {
            let home = tempfile::tempdir().unwrap();
            prepare(home.path());
            let path = home.path().join(path);
            let loaded = Identity::of(&path);
            let mut config = Config::load(&path).unwrap();
            meanwhile(home.path());
            let watched = poll::into_watched_jobs(&mut config);
            let poller_config =
                PollerConfig::new(&config, Vec::new(), Environment::default(), Start::Spread);
            let poller = Poller::start(watched, poller_config).unwrap();
            let actions = Actions::new(config, path, None);
            let (notify, told) = mpsc::unbounded_channel();
            Reload {
                actions: actions.clone(),
                poller: poller.handle(),
                keys: (Vec::new(), Environment::default()),
                loaded,
                look_again,
                check: |_| Ok(()),
                notify: Box::new(move |change| notify.send(change).is_ok()),
            }
            .start();
            Self {
                home,
                actions,
                poller,
                told,
            }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.home.path().join(name)
        }

        async fn shows(&mut self, jobs: &[&str]) {
            let mut board = self.poller.board();
            let is_shown = board.wait_for(|board| {
                let shown: Vec<&str> = board.rows().iter().map(|row| &*row.key().id).collect();
                shown == jobs
            });
            let shown = tokio::time::timeout(PATIENT, is_shown).await;
            shown.unwrap_or_else(|_| panic!("never {jobs:?}")).unwrap();
        }

        /// What is at `path` by now is shown, an edit from outside is, and one of our own.
        async fn follows(&mut self, path: &str) {
            self.shows(&["moved"]).await;
            fs::write(self.path(path), config(&["moved", "outside"])).unwrap();
            self.shows(&["moved", "outside"]).await;
            self.add_own().await;
            self.shows(&["moved", "outside", "own"]).await;
        }

        async fn add_own(&self) {
            let own = NewJob {
                id: "own".into(),
                label: None,
                tags: Vec::new(),
            };
            self.actions.add("p", vec![own]).await.unwrap();
        }
    }

    fn write(path: &Path, jobs: &[&str]) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, config(jobs)).unwrap();
    }

    #[tokio::test]
    async fn a_config_whose_folder_is_replaced_is_followed() {
        let prepare = |home: &Path| write(&home.join("folder/config.toml"), &["first"]);
        let mut followed = Followed::start("folder/config.toml", prepare, |_| {});
        followed.shows(&["first"]).await;
        fs::rename(followed.path("folder"), followed.path("away")).unwrap();
        write(&followed.path("folder/config.toml"), &["moved"]);
        followed.follows("folder/config.toml").await;
    }

    #[tokio::test]
    async fn a_config_whose_folder_is_a_link_that_is_swapped_is_followed() {
        let prepare = |home: &Path| {
            write(&home.join("old/config.toml"), &["first"]);
            write(&home.join("new/config.toml"), &["moved"]);
            symlink("old", home.join("folder")).unwrap();
        };
        let mut followed = Followed::start("folder/config.toml", prepare, |_| {});
        followed.shows(&["first"]).await;
        symlink("new", followed.path("link")).unwrap();
        fs::rename(followed.path("link"), followed.path("folder")).unwrap();
        followed.follows("folder/config.toml").await;
    }

    #[tokio::test]
    async fn an_edit_of_our_own_is_seen_where_the_system_tells_of_none() {
        let prepare = |home: &Path| {
            write(&home.join("old/config.toml"), &["first"]);
            write(&home.join("new/config.toml"), &["moved"]);
            symlink("old", home.join("folder")).unwrap();
        };
        let hour = Duration::from_hours(1);
        let mut followed = Followed::looking_again(hour, "folder/config.toml", prepare, |_| {});
        followed.shows(&["first"]).await;
        symlink("new", followed.path("link")).unwrap();
        fs::rename(followed.path("link"), followed.path("folder")).unwrap();
        followed.add_own().await;
        followed.shows(&["moved", "own"]).await;
    }

    #[tokio::test]
    async fn a_config_that_is_a_link_to_another_file_by_now_is_followed() {
        let prepare = |home: &Path| {
            write(&home.join("old/a.toml"), &["first"]);
            write(&home.join("new/b.toml"), &["moved"]);
            symlink("old/a.toml", home.join("config.toml")).unwrap();
        };
        let mut followed = Followed::start("config.toml", prepare, |_| {});
        followed.shows(&["first"]).await;
        symlink("new/b.toml", followed.path("link")).unwrap();
        fs::rename(followed.path("link"), followed.path("config.toml")).unwrap();
        followed.follows("new/b.toml").await;
    }

    /// It may ask a person for a fingerprint.
    #[tokio::test]
    async fn a_key_command_runs_again_only_where_the_key_comes_from_elsewhere() {
        let text = |command: &str, jobs: &[&str], active: u32| {
            let key = format!("command = [\"sh\", \"-c\", \"{command}\"]");
            let interval = format!("\n[poll]\nactive = \"{active}s\"\n");
            config(jobs).replace("file = \"/missing\"", &key) + &interval
        };
        let runs = |home: &Path| fs::read_to_string(home.join("runs")).unwrap_or_default();
        let command =
            |home: &Path| format!("echo run >> '{}'; echo mint_x", home.join("runs").display());
        let prepare = |home: &Path| {
            fs::write(home.join("config.toml"), text(&command(home), &["a"], 10)).unwrap();
        };
        let mut followed = Followed::start("config.toml", prepare, |_| {});
        let path = followed.path("config.toml");
        let command = command(followed.home.path());
        fs::write(&path, text(&command, &["a", "b"], 20)).unwrap();
        followed.shows(&["a", "b"]).await;
        assert_eq!(runs(followed.home.path()), "");
        fs::write(&path, text(&format!(" {command}"), &["a"], 20)).unwrap();
        followed.shows(&["a"]).await;
        assert_eq!(runs(followed.home.path()), "run\n");
    }

    #[tokio::test]
    async fn what_changed_between_the_start_and_the_first_look_is_shown() {
        let prepare = |home: &Path| write(&home.join("config.toml"), &["first"]);
        let meanwhile = |home: &Path| write(&home.join("config.toml"), &["first", "meanwhile"]);
        let mut followed = Followed::start("config.toml", prepare, meanwhile);
        followed.shows(&["first", "meanwhile"]).await;
        assert!(matches!(
            followed.told.recv().await,
            Some(Reloaded::Applied {
                jobs: 2,
                is_own: false,
                ..
            })
        ));
    }
}
