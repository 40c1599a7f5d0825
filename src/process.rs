//! This process: the signals and closed pipes that end it, and its core dumps.
//!
//! This file must not know what the process does.

use std::io;
use std::os::fd::AsFd;
use std::task::Poll;

use futures_util::{Stream, stream};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::exit::Exit;

/// Forbids core dumps: they would hold the key. A failure is ignored.
pub fn forbid_core_dumps() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Core);
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum,
        },
    );
}

/// Completes when a signal asks the dashboard to end. The signals are taken from this call on, not only
/// from the first poll; so are those of the functions below.
pub fn ending_signal() -> impl Future<Output = Exit> {
    first_of([
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::quit(),
    ])
}

/// Completes when a signal asks the dashboard to end, or when its terminal is closed.
pub fn stopped() -> impl Future<Output = Exit> {
    let signal = ending_signal();
    async {
        tokio::select! {
            exit = signal => exit,
            () = closed(io::stdin()) => Exit::Done,
        }
    }
}

/// Completes when Ctrl-C or SIGTERM asks a verb to end. Other signals keep their default action, and
/// `nohup` works.
pub fn interrupted() -> impl Future<Output = Exit> {
    first_of([SignalKind::interrupt(), SignalKind::terminate()])
}

fn first_of<const N: usize>(kinds: [SignalKind; N]) -> impl Future<Output = Exit> {
    let waits = kinds.map(|kind| Box::pin(wait_for(kind)));
    async { futures_util::future::select_all(waits).await.0 }
}

fn wait_for(kind: SignalKind) -> impl Future<Output = Exit> {
    let signals = signal(kind);
    async move {
        match signals {
            Ok(mut signals) => signals.recv().await,
            // The other ways to end remain.
            Err(_) => std::future::pending().await,
        };
        Exit::Signal(kind.as_raw_value())
    }
}

/// Each time that the program is continued after a stop; from this call on.
pub fn continuations() -> impl Stream<Item = ()> + Unpin {
    let mut signals = signal(SignalKind::from_raw(Signal::CONT.as_raw())).ok();
    // Without the signal a person can still start the program again.
    stream::poll_fn(move |context| match &mut signals {
        Some(signals) => signals.poll_recv(context),
        None => Poll::Pending,
    })
}

/// Completes when the reader of standard output has closed it.
pub async fn output_closed() {
    closed(io::stdout()).await;
}

/// Completes when the other end of `end` is closed. For a terminal there is SIGHUP too, but it may be
/// ignored, and reading a dead terminal in a loop would use a whole core.
async fn closed(end: impl AsFd + Send + 'static) {
    let (notify, closed) = oneshot::channel();
    let watch = move || {
        if wait_for_hang_up(&end).is_ok() {
            let _ = notify.send(());
        }
    };
    let started = std::thread::Builder::new()
        .name(String::from("hang-up"))
        .spawn(watch);
    if started.is_err() || closed.await.is_err() {
        // It cannot be watched: the signals remain.
        std::future::pending::<()>().await;
    }
}

/// Blocks until the other end is closed. `poll` reports that even where no event is asked for.
fn wait_for_hang_up(end: &impl AsFd) -> io::Result<()> {
    let mut watched = [PollFd::new(end, PollFlags::empty())];
    loop {
        match poll(&mut watched, None) {
            Ok(_) if is_hung_up(watched[0].revents())? => return Ok(()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// An error means that this end cannot be polled, as `/dev/tty` on macOS.
fn is_hung_up(revents: PollFlags) -> io::Result<bool> {
    if revents.contains(PollFlags::NVAL) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    Ok(revents.intersects(PollFlags::HUP | PollFlags::ERR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hang_up_table() {
        for (revents, want) in [
            (PollFlags::empty(), Some(false)),
            (PollFlags::IN, Some(false)),
            (PollFlags::HUP, Some(true)),
            (PollFlags::ERR, Some(true)),
            (PollFlags::IN | PollFlags::HUP, Some(true)),
            (PollFlags::NVAL, None),
            (PollFlags::NVAL | PollFlags::ERR, None),
        ] {
            assert_eq!(is_hung_up(revents).ok(), want, "{revents:?}");
        }
    }
}
