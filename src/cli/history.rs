//! `mintwatch history`: prints what changed, as earlier runs have stored it.

use std::collections::{HashMap, HashSet};
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap_complete::ArgValueCompleter;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::change_line::{ChangeLine, LineFormat};
use super::completions;
use super::context::Context;
use super::error::{CommandError, CommandResult};
use super::select::{self, SelectError};
use super::stored::Stored;
use crate::board::{Board, Project, Watched};
use crate::exit::Exit;
use crate::job::{JobKey, ProjectId};
use crate::store::StoredEvent;
use crate::time;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mintwatch history                      of the last 24 hours
  mintwatch history --since 7d \"SDK quickstart\"
  mintwatch history --since 90d --json | jq -r 'select(.to == \"failed\") | .id'
  mintwatch history --json | jq 'select(.ran) | .ran / 60'    minutes of work, job by job

What the dashboard, `list`, `wait` and `watch` saw change, oldest first; neither the network nor a key
is needed. Jobs that have left the config keep their history. Where nothing polled a job for long,
its change was found late: it happened at some time between the two that are told.

With --json, each line is one object, with the keys of `watch --json`. `since` is null, or the time
since when a change that was found late can have happened. `ran` is null, or for how many seconds
the job had been at work, where it ended its work by this and that was seen. `prLink` of a `status`
is the job's pull request as last seen.

Exit codes: 0 done, also where nothing changed; 1 nothing is stored, or it cannot be read; 2 usage or
config.")]
pub struct HistoryArgs {
    /// Only these jobs: ids, PROJECT/JOB, or labels; or ids of jobs that have left the config
    #[arg(value_name = "JOB", add = ArgValueCompleter::new(completions::jobs))]
    pub jobs: Vec<String>,
    /// How far back, such as 90m, 36h or 7d
    #[arg(long, value_name = "D", default_value = "24h", value_parser = parse_since)]
    pub since: Duration,
    /// Print one JSON object a line (NDJSON)
    #[arg(long)]
    pub json: bool,
}

fn parse_since(text: &str) -> Result<Duration, &'static str> {
    time::parse_long_duration(text).ok_or("expected a duration, such as 90m, 36h or 7d")
}

impl HistoryArgs {
    pub fn execute(&self, context: &Context) -> CommandResult {
        let mut stored = Stored::open(context)?;
        let now = Timestamp::now();
        let since = now.checked_sub(self.since).unwrap_or(Timestamp::MIN);
        let events = stored.check(stored.database.events(since, usize::MAX))?;
        let watched = std::mem::take(&mut stored.watched);
        let known = with_others(watched.clone(), &stored, &events)?;
        let chosen = self.choose(&watched, &known)?;
        let format = LineFormat {
            json: self.json,
            theme: context.theme(io::stdout().is_terminal()),
            time_zone: TimeZone::system(),
            now: Some(now),
        };
        let board = stored.board(known)?;
        let is_chosen = |event: &&StoredEvent| {
            chosen
                .as_ref()
                .is_none_or(|keys| keys.contains(&event.event.key))
        };
        print(events.iter().filter(is_chosen), &board, &format)?;
        Ok(Exit::Done)
    }

    /// The jobs that the arguments name, `None` for all. What another verb would take for a job is the
    /// same job here, whatever else is known.
    fn choose(
        &self,
        watched: &[Watched],
        known: &[Watched],
    ) -> Result<Option<HashSet<JobKey>>, SelectError> {
        let find = |name: &String| match select::job(watched, name) {
            Err(SelectError::NoSuchJob(..)) => select::job(known, name),
            found => found,
        };
        let keys = self.jobs.iter().map(|name| Ok(find(name)?.key.clone()));
        let keys: HashSet<JobKey> = keys.collect::<Result<_, _>>()?;
        Ok(Some(keys).filter(|_| !self.jobs.is_empty()))
    }
}

/// `watched`, and the jobs that only the store knows.
fn with_others(
    mut watched: Vec<Watched>,
    stored: &Stored,
    events: &[StoredEvent],
) -> Result<Vec<Watched>, CommandError> {
    let jobs = stored.check(stored.database.jobs())?;
    let mut projects: HashMap<ProjectId, Arc<Project>> = HashMap::new();
    for config in &stored.config.projects {
        projects.insert(config.id.clone(), Arc::new(Project::from(config)));
    }
    let mut seen: HashSet<JobKey> = watched.iter().map(|job| job.key.clone()).collect();
    let stored = jobs.into_iter().map(|job| job.key);
    for key in stored.chain(events.iter().map(|event| event.event.key.clone())) {
        if seen.insert(key.clone()) {
            let unnamed = || {
                Arc::new(Project {
                    id: key.project.clone(),
                    name: None,
                })
            };
            let project = projects.entry(key.project.clone()).or_insert_with(unnamed);
            watched.push(Watched::unlisted(key, Arc::clone(project)));
        }
    }
    Ok(watched)
}

fn print<'a>(
    events: impl Iterator<Item = &'a StoredEvent>,
    board: &Board,
    format: &LineFormat,
) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for StoredEvent { event, ran } in events {
        let line = ChangeLine::new(event, *ran, board).render(format)?;
        out.write_all(line.as_bytes())?;
    }
    out.flush()
}
