//! What the engine does about keys that are missing or refused: their jobs wait, and say why, while a
//! new key is looked for.
//!
//! It must not know how a key is resolved.

use std::time::Duration;

use super::{Command, Engine, Log, now};
use crate::config::KeySource;
use crate::failure::{ErrorKind, Failure};
use crate::job::JobKey;
use crate::key::{self, ApiKey, KeyError};
use crate::poll::schedule::KeyIndex;

/// How often a key file is read again after its key was refused or missing.
const KEY_RECHECK: Duration = Duration::from_secs(30);
/// How often a lost key is looked for at most, however often it is asked for.
const KEY_BY_HAND: Duration = Duration::from_secs(5);

impl Engine {
    pub(super) fn suspend_keyless_projects(&mut self) {
        for index in 0..self.keys.len() {
            if let Err(error) = &self.keys[index].key {
                let failure = no_key(error);
                self.suspend_key(index, &failure, Log::Once);
            }
        }
    }

    /// Marks all rows of a key that is missing or was refused, and looks for a new one where that
    /// disturbs nobody (a command might ask for a fingerprint).
    pub(super) fn suspend_key(&mut self, index: KeyIndex, failure: &Failure, log: Log) {
        self.schedule.refuse_key(index);
        self.key_failures.insert(index, failure.clone());
        self.block_key(index, failure, log);
        if matches!(self.keys[index].source, KeySource::File(_)) {
            // The first time at once: the file may hold a new key already.
            let searched = self.key_searches.contains_key(&index);
            let wait = if searched {
                KEY_RECHECK
            } else {
                Duration::ZERO
            };
            self.look_for_key(index, false, wait);
        }
    }

    pub(super) fn block_key(&mut self, index: KeyIndex, failure: &Failure, log: Log) {
        let key_of = self.key_of.clone();
        let uses_key = |job: &JobKey| key_of.get(&job.project) == Some(&index);
        self.block(uses_key, failure, log);
    }

    /// Resolves a key again, off to the side: at once where a person asked for it.
    pub(super) fn look_for_key(&mut self, index: KeyIndex, asked_for: bool, wait: Duration) {
        let source = self.keys[index].source.clone();
        let environment = self.environment.clone();
        let commands = self.commands.clone();
        let search = tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let key = key::resolve(&source, &environment).await;
            if let Some(commands) = commands.upgrade() {
                let _ = commands.send(Command::KeyResolved {
                    source,
                    key,
                    asked_for,
                });
            }
        });
        if let Some(before) = self.key_searches.insert(index, search.abort_handle()) {
            before.abort();
        }
    }

    /// At once, but at most once in [`KEY_BY_HAND`] however long a key is held.
    pub(super) fn look_for_key_by_hand(&mut self, index: KeyIndex) {
        let source = self.keys[index].source.clone();
        let last = self.keys_sought_at.get(&source);
        let at = last.map_or_else(now, |last| now().max(*last + KEY_BY_HAND));
        if last.is_none_or(|last| *last <= now()) {
            self.keys_sought_at.insert(source, at);
            self.look_for_key(index, true, at.saturating_duration_since(now()));
        }
    }

    pub(super) fn try_key(
        &mut self,
        index: KeyIndex,
        key: Result<ApiKey, KeyError>,
        asked_for: bool,
    ) {
        let changed = self.keys[index].key != key;
        match key {
            Ok(key) if changed || asked_for => {
                self.keys[index].key = Ok(key);
                self.key_searches.remove(&index);
                self.key_failures.remove(&index);
                self.schedule.renew_key(index, now());
            }
            Ok(_) => self.look_for_key(index, false, KEY_RECHECK),
            Err(error) => self.suspend_key(index, &no_key(&error), Log::Once),
        }
    }
}

fn no_key(error: &KeyError) -> Failure {
    Failure::new(ErrorKind::Auth, error.to_string())
}
