//! What the user types and does with the window, as a stream.
//!
//! A thread of its own reads the terminal, blocked while there is nothing: that works for whatever
//! standard input is, where polling does not, as for `/dev/tty` on macOS. Time and changes of the
//! size are the stream's, so that none of them can hold up another.

use std::io;

use crossterm::event::Event;
use crossterm::terminal;
use futures_util::{Stream, stream};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, read};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::capped_size;
use super::reader::{CTRL_C, Reader};

/// How much is read at once, and how many such pieces wait: more waits in the terminal until the
/// program has caught up.
const CHUNK: usize = 4 * 1024;
const CHUNKS_WAITING: usize = 4;

/// What comes in from the terminal. It ends when the terminal is gone.
pub fn input() -> io::Result<impl Stream<Item = io::Result<Event>>> {
    let input = Input {
        chunks: read_in_background()?,
        resizes: signal(SignalKind::window_change())?,
        reader: Reader::default(),
        deadline: None,
        began: None,
    };
    Ok(stream::unfold(input, async |mut input| {
        let event = input.next().await?;
        Some((event, input))
    }))
}

struct Input {
    chunks: mpsc::Receiver<io::Result<Vec<u8>>>,
    resizes: Signal,
    reader: Reader,
    /// When what has begun is not waited for any longer.
    deadline: Option<Instant>,
    /// When it began.
    began: Option<Instant>,
}

impl Input {
    async fn next(&mut self) -> Option<io::Result<Event>> {
        loop {
            if let Some(event) = self.reader.next_event() {
                return Some(Ok(event));
            }
            let deadline = self.deadline;
            tokio::select! {
                biased;
                Some(()) = self.resizes.recv() => {
                    if let Ok((columns, rows)) = terminal::size() {
                        let size = capped_size((columns, rows).into());
                        return Some(Ok(Event::Resize(size.width, size.height)));
                    }
                }
                chunk = self.chunks.recv() => match chunk? {
                    Ok(bytes) => self.read(&bytes),
                    Err(error) => return Some(Err(error)),
                },
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    self.end_what_has_begun();
                }
            }
        }
    }

    fn read(&mut self, bytes: &[u8]) {
        let now = Instant::now();
        let is_late = self
            .began
            .is_some_and(|began| now - began >= self.reader.longest());
        // Ctrl-C that comes alone was pressed, whatever it comes in.
        if is_late || bytes == [CTRL_C] {
            self.end_what_has_begun();
        }
        self.reader.read(bytes);
        let patience = self.reader.patience();
        self.began = patience.and(self.began.or(Some(now)));
        self.deadline = patience.map(|patience| now + patience);
    }

    fn end_what_has_begun(&mut self) {
        self.reader.on_silence();
        self.deadline = None;
        self.began = None;
    }
}

/// The thread ends with the process, or when nobody listens any more.
fn read_in_background() -> io::Result<mpsc::Receiver<io::Result<Vec<u8>>>> {
    let (send, chunks) = mpsc::channel(CHUNKS_WAITING);
    let read = move || {
        while let Some(chunk) = read_chunk().transpose() {
            let failed = chunk.is_err();
            if send.blocking_send(chunk).is_err() || failed {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name(String::from("input"))
        .spawn(read)?;
    Ok(chunks)
}

/// What has come in, once there is something; `None` where the terminal is gone.
fn read_chunk() -> io::Result<Option<Vec<u8>>> {
    let tty = io::stdin();
    let mut chunk = vec![0; CHUNK];
    loop {
        match read(&tty, &mut chunk) {
            Ok(0) | Err(Errno::IO) => return Ok(None),
            Ok(count) => {
                chunk.truncate(count);
                return Ok(Some(chunk));
            }
            Err(Errno::INTR) => {}
            // Another program that shares the terminal has set it so.
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::new(&tty, PollFlags::IN)], None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
