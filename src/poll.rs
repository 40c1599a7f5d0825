//! The polling task: the only writer of the board.
//!
//! It asks the [`Schedule`] which jobs are due, polls them concurrently through the API client,
//! and puts what it learns on the board; transitions go out on a channel of their own, so that none
//! is lost when readers fall behind. It must not know the screen.

mod config;
mod engine;
pub mod schedule;
mod suspend;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle};

pub use config::{KeySlot, PollerConfig, into_watched_jobs, key_source, key_sources};

use crate::board::{Board, Transition, Watched};
use crate::job::JobKey;
use crate::key::{ApiKey, KeyError};
use engine::Engine;
use schedule::KeyIndex;

/// What the rest of the program asks of the poller.
#[derive(Debug)]
enum Command {
    Poll(Vec<JobKey>),
    PollAll,
    /// The machine was suspended.
    Resumed,
    Watch(Vec<Watched>),
    Restart(Vec<Watched>, Box<PollerConfig>),
    KeyResolved {
        index: KeyIndex,
        key: Result<ApiKey, KeyError>,
        asked_for: bool,
    },
}

/// The running poller. Dropping it stops the polls.
#[derive(Debug)]
pub struct Poller {
    board: watch::Receiver<Board>,
    transitions: mpsc::UnboundedReceiver<Transition>,
    handle: PollerHandle,
    task: JoinHandle<()>,
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
}

impl PollerHandle {
    /// Watches these jobs from now on; what is known of those that stay is kept.
    pub fn watch(&self, watched: Vec<Watched>) {
        let _ = self.0.send(Command::Watch(watched));
    }

    /// Watches these jobs and polls by another setup from now on.
    pub fn restart(&self, watched: Vec<Watched>, setup: PollerConfig) {
        let _ = self.0.send(Command::Restart(watched, Box::new(setup)));
    }
}

impl Poller {
    /// Starts polling `watched`, in that order, on the current tokio runtime.
    pub fn start(watched: Vec<Watched>, setup: PollerConfig) -> Self {
        let (board_tx, board) = watch::channel(Board::new(watched));
        let (transitions_tx, transitions) = mpsc::unbounded_channel();
        let (commands_tx, commands) = mpsc::unbounded_channel();
        let engine = Engine::new(setup, board_tx, transitions_tx, commands_tx.downgrade());
        let task = tokio::spawn(engine.run(commands));
        Self {
            board,
            transitions,
            handle: PollerHandle(commands_tx),
            task,
        }
    }

    /// The shared state. Its channel closes when the poller has ended.
    pub fn board(&self) -> watch::Receiver<Board> {
        self.board.clone()
    }

    /// The next transition; `None` when the poller has ended. Cancel-safe.
    pub async fn next_transition(&mut self) -> Option<Transition> {
        self.transitions.recv().await
    }

    /// Watches for suspensions of the machine, after which every job is polled once.
    pub fn watch_for_sleep(&self) {
        let commands = self.handle.0.downgrade();
        suspend::watch(move || {
            let commands = commands.upgrade();
            commands.is_some_and(|commands| commands.send(Command::Resumed).is_ok())
        });
    }

    /// Asks for polls out of turn.
    pub fn handle(&self) -> PollerHandle {
        self.handle.clone()
    }

    /// Waits until every row has been fetched or has failed since the start.
    pub async fn first_round(&mut self) {
        let told = |board: &Board| {
            board
                .rows()
                .iter()
                .all(|row| row.fetched_at.is_some() || row.error.is_some())
        };
        // An error means that the poller has ended; its rows then say all that is known.
        let _ = self.board.wait_for(told).await;
    }

    /// Waits for the poller to end by itself, which it does only by a fault of the program.
    pub async fn ended(&mut self) -> Result<(), JoinError> {
        (&mut self.task).await
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.task.abort();
    }
}
