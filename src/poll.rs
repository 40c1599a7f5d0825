//! The poller: the only writer of the board, on a thread of its own.
//!
//! It asks the [`Schedule`] which jobs are due, polls them concurrently through the API client,
//! and puts what it learns on the board; events go to each consumer in a queue of its own, so that
//! none is lost when readers fall behind. It must not know the screen.

mod config;
mod engine;
pub mod schedule;
mod suspend;
mod thread;

use std::io;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinError;

pub use config::{KeySlot, Memory, PollerConfig, into_watched_jobs, key_source, key_sources};

use crate::board::{Board, Watched};
use crate::config::KeySource;
use crate::event::Event;
use crate::job::{Acknowledgement, JobKey};
use crate::key::{ApiKey, KeyError};
use crate::store::{Found, News};
use engine::Engine;
use thread::TaskThread;

/// What the rest of the program asks of the poller.
#[derive(Debug)]
enum Command {
    Poll(Vec<JobKey>),
    PollAll,
    Subscribe(mpsc::UnboundedSender<Event>),
    /// The machine was suspended.
    Resumed,
    Watch(Vec<Watched>),
    Restore(Found),
    Store(News),
    Acknowledge(Vec<Acknowledgement>),
    MarkSeen(Timestamp),
    Restart(Vec<Watched>, Box<PollerConfig>),
    KeyResolved {
        source: KeySource,
        key: Result<ApiKey, KeyError>,
        asked_for: bool,
    },
}

/// The running poller. Dropping it stops the polls.
#[derive(Debug)]
pub struct Poller {
    board: watch::Receiver<Board>,
    handle: PollerHandle,
    thread: TaskThread,
}

/// Asks the poller for polls out of turn.
#[derive(Clone, Debug)]
pub struct PollerHandle(mpsc::UnboundedSender<Command>);

impl PollerHandle {
    /// Polls these jobs now.
    pub fn poll(&self, jobs: Vec<JobKey>) {
        // A poller that has ended is noticed by its board's readers; there is nobody to tell here.
        let _ = self.0.send(Command::Poll(jobs));
    }

    /// Polls every job now, and looks again for keys that are missing or were refused.
    pub fn poll_all(&self) {
        let _ = self.0.send(Command::PollAll);
    }

    /// Watches these jobs from now on; what is known of those that stay is kept.
    pub fn watch(&self, watched: Vec<Watched>) {
        let _ = self.0.send(Command::Watch(watched));
    }

    /// Shows what earlier runs have stored, of jobs that this one has not seen yet.
    pub fn restore(&self, found: Found) {
        let _ = self.0.send(Command::Restore(found));
    }

    /// The user acknowledges jobs, or takes that back.
    pub fn acknowledge(&self, acknowledgements: Vec<Acknowledgement>) {
        let _ = self.0.send(Command::Acknowledge(acknowledgements));
    }

    /// The user has seen what changed up to `at`.
    pub fn mark_seen(&self, at: Timestamp) {
        let _ = self.0.send(Command::MarkSeen(at));
    }

    /// Watches these jobs and polls by another configuration from now on.
    pub fn restart(&self, watched: Vec<Watched>, config: PollerConfig) {
        let _ = self.0.send(Command::Restart(watched, Box::new(config)));
    }
}

impl Poller {
    /// Starts polling `watched`, in that order. It is an error if the system gives no thread for it.
    pub fn start(watched: Vec<Watched>, mut config: PollerConfig) -> io::Result<Self> {
        let mut board = Board::new(watched);
        if let Some(memory) = &mut config.memory {
            let found = std::mem::take(&mut memory.found);
            board.restore(found.jobs, found.seen_at, memory.restore);
        }
        let (board_tx, board) = watch::channel(board);
        let (commands_tx, commands) = mpsc::unbounded_channel();
        let engine = Engine::new(config, board_tx, commands_tx.downgrade());
        Ok(Self {
            board,
            handle: PollerHandle(commands_tx),
            thread: TaskThread::spawn(engine.run(commands))?,
        })
    }

    /// The shared state. Its channel closes when the poller has ended.
    pub fn board(&self) -> watch::Receiver<Board> {
        self.board.clone()
    }

    /// The events from now on in a queue of their own, which ends when the poller has ended.
    ///
    /// Right after the start this misses none: the first sight of a job is no event.
    pub fn subscribe(&self) -> mpsc::UnboundedReceiver<Event> {
        let (consumer, events) = mpsc::unbounded_channel();
        let _ = self.handle.0.send(Command::Subscribe(consumer));
        events
    }

    /// Watches for suspensions of the machine, after which every job is polled once.
    pub fn watch_for_sleep(&self) {
        let commands = self.handle.0.downgrade();
        suspend::watch(move || {
            let commands = commands.upgrade();
            commands.is_some_and(|commands| commands.send(Command::Resumed).is_ok())
        });
    }

    /// The runtime of its thread, for everything else that goes to the network.
    pub fn runtime(&self) -> &Handle {
        self.thread.runtime()
    }

    /// Asks for polls out of turn.
    pub fn handle(&self) -> PollerHandle {
        self.handle.clone()
    }

    /// Waits until every row has been fetched or has failed since the start.
    pub async fn first_round(&mut self) {
        let is_complete = |board: &Board| {
            board
                .rows()
                .iter()
                .all(|row| row.fetched_at.is_some() || row.error.is_some())
        };
        // An error means that the poller has ended; its rows then say all that is known.
        let _ = self.board.wait_for(is_complete).await;
    }

    /// Waits for the poller to end by itself, which it does only by a fault of the program.
    pub async fn ended(&mut self) -> Result<(), JoinError> {
        self.thread.ended().await
    }
}
