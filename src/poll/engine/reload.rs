//! What the engine does when the config has changed: it polls what is new, and goes on with the rest.
//!
//! It must not know where the config comes from.

use std::collections::{HashMap, HashSet};

use super::{Engine, Log, key_index, now};
use crate::board::Watched;
use crate::failure::Failure;
use crate::job::{JobKey, ProjectId};
use crate::key::ApiKey;
use crate::poll::config::{KeySlot, PollerConfig};
use crate::poll::schedule::{KeyIndex, Start};

impl Engine {
    /// Watches these jobs from now on: what is known of those that stay is kept.
    pub(super) fn watch(&mut self, watched: Vec<Watched>) {
        self.board.send_modify(|board| board.set_watched(watched));
        let keys: HashSet<JobKey> = {
            let board = self.board.borrow();
            board.rows().iter().map(|row| row.key().clone()).collect()
        };
        self.give_up_polls(|job| !keys.contains(job));
        self.schedule.keep_only(&keys);
        self.start = Start::Spread;
        self.schedule_all();
        self.tell_key_failures();
    }

    /// Watches these jobs and polls by another configuration from now on. Only what is new is polled
    /// for it, and what is asked for at another place or with another key. Jobs and keys change in one
    /// step, so that no job is ever polled with the key of another project.
    pub(super) fn restart(&mut self, watched: Vec<Watched>, mut config: PollerConfig) {
        if config.keys_stay {
            config.keys = self.newer_keys(config.keys);
        }
        let changed = self.changed_projects(&config);
        let refused = self.refusals_that_stay(&config);
        self.give_up_polls(|job| changed.contains(&job.project));
        self.schedule.forget(&changed);
        self.holds.retain(|project, _| !changed.contains(project));
        for (_, search) in self.key_searches.drain() {
            search.abort();
        }
        let connections_change =
            (&self.base_url, self.timeout) != (&config.base_url, config.timeout);
        if self.base_url != config.base_url {
            // Its jobs are others, whatever their ids.
            self.store = None;
        }
        self.base_url = config.base_url;
        self.timeout = config.timeout;
        self.keys = config.keys;
        self.key_of = config.key_of;
        self.environment = config.environment;
        self.other_jobs = config.other_jobs;
        let key_of = |job: &JobKey| key_index(&self.key_of, job);
        self.schedule.reconfigure(config.limits, key_of, now());
        if connections_change {
            self.renew_connections();
        }
        self.key_failures.clear();
        self.watch(watched);
        self.suspend_keyless_projects();
        for (index, failure) in refused {
            self.suspend_key(index, &failure, Log::Never);
        }
    }

    /// `slots` with the keys that have been found for their sources meanwhile.
    fn newer_keys(&self, slots: Vec<KeySlot>) -> Vec<KeySlot> {
        let newer = |slot: KeySlot| {
            let own = self.keys.iter().find(|own| own.source == slot.source);
            own.cloned().unwrap_or(slot)
        };
        slots.into_iter().map(newer).collect()
    }

    /// The projects that are watched now whose jobs `config` would have us ask for at another place or
    /// with another key.
    fn changed_projects(&self, config: &PollerConfig) -> HashSet<ProjectId> {
        let key = |keys: &'_ [KeySlot], key_of: &HashMap<_, KeyIndex>, project: &ProjectId| {
            let index = *key_of.get(project)?;
            keys.get(index).map(|slot| slot.key.clone())
        };
        let elsewhere = self.base_url != config.base_url;
        let changed = |project: &&ProjectId| {
            let before = key(&self.keys, &self.key_of, project);
            elsewhere || before != key(&config.keys, &config.key_of, project)
        };
        self.key_of.keys().filter(changed).cloned().collect()
    }

    /// Which keys of `config` have been refused at the same place, and why.
    fn refusals_that_stay(&self, config: &PollerConfig) -> Vec<(KeyIndex, Failure)> {
        if self.base_url != config.base_url {
            return Vec::new();
        }
        let refused: Vec<(&ApiKey, &Failure)> = self
            .key_failures
            .iter()
            .filter_map(|(index, failure)| {
                Some((self.keys.get(*index)?.key.as_ref().ok()?, failure))
            })
            .collect();
        let failure = |slot: &KeySlot| {
            let key = slot.key.as_ref().ok()?;
            let found = refused.iter().find(|(refused, _)| *refused == key)?;
            Some(found.1.clone())
        };
        let slots = config.keys.iter().enumerate();
        slots
            .filter_map(|(index, slot)| Some((index, failure(slot)?)))
            .collect()
    }

    /// Says on rows that have come why nothing is polled with their key.
    fn tell_key_failures(&mut self) {
        for (index, failure) in self.key_failures.clone() {
            self.block_key(index, &failure, Log::Never);
        }
    }
}
