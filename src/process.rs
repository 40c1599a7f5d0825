//! This process: the signals that end it, the other ends of its input and output, and its memory.
//!
//! This file must not know what the process is at work on.

use std::io;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::exit::Exit;

/// Forbids core dumps: they would hold the key. Where the limit cannot be set, nothing is lost but
/// that.
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

/// Ready when a signal asks the dashboard to end. From this call on, not only from the first poll,
/// the signals no longer end the process at once; the same holds for the others here.
pub fn ending_signal() -> impl Future<Output = Exit> {
    first_of([
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::quit(),
    ])
}

/// Ready when a signal asks the dashboard to end, or when the terminal is gone.
pub fn stopped() -> impl Future<Output = Exit> {
    let signal = ending_signal();
    async {
        tokio::select! {
            exit = signal => exit,
            () = closed(io::stdin()) => Exit::Done,
        }
    }
}

/// Ready when Ctrl-C or SIGTERM asks a verb to end. The others stay with the system, which also lets
/// `nohup` have its way.
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
            // Not to be had: the other ways out remain.
            Err(_) => std::future::pending().await,
        };
        Exit::Signal(kind.as_raw_value())
    }
}

/// Ready when nobody reads standard output any more.
pub async fn unread() {
    closed(io::stdout()).await;
}

/// Ready when the other end of `end` is closed. For a terminal SIGHUP tells of it too, but it may be
/// ignored, and reading a dead terminal in a loop would burn a core.
async fn closed(end: impl AsFd + Send + 'static) {
    let (gone, told) = oneshot::channel();
    let watch = move || {
        if wait_for_hang_up(&end).is_ok() {
            let _ = gone.send(());
        }
    };
    let started = std::thread::Builder::new()
        .name(String::from("hang-up"))
        .spawn(watch);
    if started.is_err() || told.await.is_err() {
        // Nothing that can be watched: the signals remain.
        std::future::pending::<()>().await;
    }
}

/// Blocks until the other end is gone. It asks for no event, so that it wakes for nothing else.
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

/// Whether `poll` says that the other end is gone. It is an error where this end cannot be polled:
/// macOS says so of `/dev/tty`, at once and each time.
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
    fn what_poll_says_of_the_other_end() {
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
