//! What the user types and does with the window, as a stream.
//!
//! A thread of its own reads the terminal, blocked while there is nothing: that works for whatever
//! standard input is, where polling does not, as for `/dev/tty` on macOS. It reads only when it is asked
//! to, which it is while the stream is polled: what is typed while nobody polls it is for another
//! program that has the terminal. Time and changes of the size are the stream's, so that none of them
//! can hold up another.

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

/// How much is read at once: more waits in the terminal until the program has caught up.
const CHUNK: usize = 4 * 1024;

/// What comes in from the terminal. It ends when the terminal is gone.
pub fn input() -> io::Result<impl Stream<Item = io::Result<Event>>> {
    let input = Input {
        tty: TtyReader::start()?,
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
    tty: TtyReader,
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
                chunk = self.tty.next() => match chunk? {
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

/// The thread that reads. It ends with the process, or when nobody listens any more.
struct TtyReader {
    requests: mpsc::Sender<()>,
    chunks: mpsc::Receiver<io::Result<Vec<u8>>>,
    /// Whether it has been asked for a chunk that has not come.
    is_reading: bool,
}

impl TtyReader {
    fn start() -> io::Result<Self> {
        let (requests, mut asked) = mpsc::channel(1);
        let (send, chunks) = mpsc::channel(1);
        let read = move || {
            while asked.blocking_recv().is_some() {
                let Some(chunk) = read_chunk().transpose() else {
                    return;
                };
                if send.blocking_send(chunk).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name(String::from("input"))
            .spawn(read)?;
        Ok(Self {
            requests,
            chunks,
            is_reading: false,
        })
    }

    /// The next chunk; `None` where the terminal is gone. No chunk is lost where nobody waits to the end.
    async fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        if !self.is_reading {
            self.is_reading = true;
            // Where the thread has ended, there is no chunk either.
            let _ = self.requests.try_send(());
        }
        let chunk = self.chunks.recv().await;
        self.is_reading = false;
        chunk
    }
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
