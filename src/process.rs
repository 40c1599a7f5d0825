//! This process: the signals and closed pipes that end it, and its core dumps.
//!
//! This file must not know what the process does.

use std::io;
use std::os::fd::AsFd;
use std::task::Poll;

use futures_util::{Stream, StreamExt, stream};
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
    first_of(ending_kinds())
}

/// Each signal that asks the dashboard to end, and the end of its terminal.
pub fn stops() -> impl Stream<Item = Exit> {
    let signals = stream::select_all(ending_kinds().map(signals));
    let closed = stream::once(async {
        closed(io::stdin()).await;
        Exit::Done
    });
    stream::select(signals, closed)
}

/// Whether a key of the terminal may have sent the signal, and so have sent it to every program that has the
/// terminal.
pub fn may_be_typed(exit: Exit) -> bool {
    let kinds = [SignalKind::interrupt(), SignalKind::quit()];
    kinds
        .iter()
        .any(|kind| exit == Exit::Signal(kind.as_raw_value()))
}

/// Completes when Ctrl-C or SIGTERM asks a verb to end. Other signals keep their default action, and
/// `nohup` works.
pub fn interrupted() -> impl Future<Output = Exit> {
    first_of([SignalKind::interrupt(), SignalKind::terminate()])
}

/// Each time that the program is continued after a stop; from this call on.
pub fn continuations() -> impl Stream<Item = ()> + Unpin {
    signals(SignalKind::from_raw(Signal::CONT.as_raw())).map(drop)
}

fn ending_kinds() -> [SignalKind; 4] {
    [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::quit(),
    ]
}

fn first_of<const N: usize>(kinds: [SignalKind; N]) -> impl Future<Output = Exit> {
    let mut signals = stream::select_all(kinds.map(signals));
    // Where none can be taken, the other ways to end remain.
    async move { signals.select_next_some().await }
}

/// Each signal of this kind; none where the system does not give them.
fn signals(kind: SignalKind) -> impl Stream<Item = Exit> + Unpin {
    let exit = Exit::Signal(kind.as_raw_value());
    let mut signals = signal(kind).ok();
    stream::poll_fn(move |context| match &mut signals {
        Some(signals) => signals.poll_recv(context).map(|got| got.map(|()| exit)),
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
