//! The thread that the poller runs on, with a runtime of its own: neither a busy server nor a
//! terminal that nobody reads can make the one wait for the other.
//!
//! This file must not know what runs on it.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::mpsc;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};

/// How long dropping waits for the thread: it ends at once unless the machine is too busy for that,
/// and then takes along what it started, such as a key command.
const MAX_WAIT: Duration = Duration::from_millis(200);

/// How long the task lets its starter go first.
const HEAD_START: Duration = Duration::from_millis(50);

/// A task on a thread of its own. Dropping it ends both.
#[derive(Debug)]
pub(super) struct TaskThread {
    task: JoinHandle<()>,
    runtime: Handle,
    /// The thread ends when this is dropped.
    stop: Option<oneshot::Sender<Infallible>>,
    /// Closed by the thread as its last act.
    ended: mpsc::Receiver<Infallible>,
}

impl TaskThread {
    /// Starts `task` as soon as the starter's own task waits for something, as after its first frame:
    /// on a busy machine the two would get in each other's way. A starter that never waits holds it
    /// up for [`HEAD_START`] at most.
    pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let task = runtime.spawn(task);
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let (ending, ended) = mpsc::channel();
        let starter_waits = when_the_caller_waits();
        std::thread::Builder::new()
            .name(String::from("poller"))
            .spawn(move || {
                let _ending = ending;
                let _ = starter_waits.recv_timeout(HEAD_START);
                run(runtime, stopped);
            })?;
        Ok(Self {
            task,
            runtime: handle,
            stop: Some(stop),
            ended,
        })
    }

    /// For more tasks on the thread.
    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Waits for the task to end by itself. Cancel-safe.
    pub(super) async fn ended(&mut self) -> Result<(), JoinError> {
        (&mut self.task).await
    }
}

/// Closed when the calling task first waits for something; at once where no task calls.
fn when_the_caller_waits() -> mpsc::Receiver<Infallible> {
    let (waits, receiver) = mpsc::channel();
    if let Ok(runtime) = Handle::try_current() {
        // A new task has its turn when the one that runs now gives up its own.
        runtime.spawn(async move { drop(waits) });
    }
    receiver
}

/// Runs the tasks of `runtime` until `stopped`.
fn run(runtime: Runtime, stopped: oneshot::Receiver<Infallible>) {
    // Nothing is ever sent: the error is that the other end was dropped.
    let _ = runtime.block_on(stopped);
    // Without this, dropping the runtime would wait for look-ups of names that are under way.
    runtime.shutdown_background();
}

impl Drop for TaskThread {
    fn drop(&mut self) {
        self.stop = None;
        let _ = self.ended.recv_timeout(MAX_WAIT);
    }
}

#[cfg(test)]
mod tests {
    use std::thread::ThreadId;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_and_the_thread_ends_with_its_owner() {
        let mut thread = TaskThread::spawn(async { panic!("a fault of the program") }).unwrap();
        let error = thread.ended().await.unwrap_err();
        assert!(
            error.to_string().contains("a fault of the program"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn dropping_it_drops_the_task_wherever_it_waits() {
        let (dropped, watched) = oneshot::channel::<Infallible>();
        let thread = TaskThread::spawn(async {
            let _dropped = dropped;
            std::future::pending::<()>().await;
        });
        drop(thread.unwrap());
        assert!(watched.await.is_err());
    }

    #[tokio::test]
    async fn children_and_timers_work_on_it_and_nothing_of_it_runs_here() {
        let (tell, told) = oneshot::channel::<(ThreadId, bool)>();
        let task = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let status = tokio::process::Command::new("true").status().await.unwrap();
            let _ = tell.send((std::thread::current().id(), status.success()));
        };
        let mut thread = TaskThread::spawn(task).unwrap();
        let (id, success) = told.await.unwrap();
        assert!(success);
        assert_ne!(id, std::thread::current().id());
        thread.ended().await.unwrap();
    }
}
