//! The real terminal: its modes, which come back however the program ends, its signals, and the
//! [`Host`] that opens and copies.
//!
//! This file must not know jobs or the state of the screen.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste, Event};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, SetTitle};
use crossterm::{cursor, execute, queue, terminal};
use futures_util::{Stream, stream};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Signal, kill_current_process_group};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use super::app::Request;
use super::{Exit, Host};
use crate::board::Project;
use crate::desktop::{self, Environment, Opened, Opener};
use crate::link::Link;
use crate::text;

mod forced_exit;

/// Puts the title on the terminal's stack and takes it back from there (XTWINOPS 22 and 23 of
/// <https://invisible-island.net/xterm/ctlseqs/ctlseqs.html>); terminals without it ignore it.
const PUSH_TITLE: &str = "\x1b[22;2t";
const POP_TITLE: &str = "\x1b[23;2t";
/// Clicks and the wheel, told with SGR coordinates; not every movement, which would wake the program
/// for nothing (modes 1000 and 1006, same page).
const TAKE_MOUSE: &str = "\x1b[?1000h\x1b[?1006h";
const LEAVE_MOUSE: &str = "\x1b[?1006l\x1b[?1000l";
/// One frame goes out in one write.
const FRAME_BYTES: usize = 64 * 1024;

/// More inputs than this wait in the terminal until the program has caught up.
const INPUTS_WAITING: usize = 1_024;

/// The signals that end the dashboard.
const ENDING_SIGNALS: [SignalKind; 4] = [
    SignalKind::interrupt(),
    SignalKind::terminate(),
    SignalKind::hangup(),
    SignalKind::quit(),
];

/// The terminal as the dashboard draws on it.
pub type Screen = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

/// Why the dashboard cannot be drawn here.
#[derive(Debug, thiserror::Error)]
pub enum NoTerminal {
    /// Standard input or output is a pipe or a file.
    #[error(
        "the dashboard needs a terminal; in scripts use `mintwatch list`, or `mintwatch list --json`"
    )]
    NotATerminal,
    /// `TERM` names no terminal that can be drawn on.
    #[error("the dashboard cannot draw on this terminal (TERM is {0}); use `mintwatch list`")]
    Dumb(String),
}

/// Whether the dashboard can be drawn here.
pub fn check() -> Result<(), NoTerminal> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(NoTerminal::NotATerminal);
    }
    check_term()
}

/// Whether a line on `output` can be rewritten in place.
pub fn can_rewrite(output: &impl IsTerminal) -> bool {
    output.is_terminal() && check_term().is_ok()
}

fn check_term() -> Result<(), NoTerminal> {
    match std::env::var("TERM").as_deref() {
        Err(_) | Ok("") => Err(NoTerminal::Dumb(String::from("not set"))),
        Ok("dumb") => Err(NoTerminal::Dumb(String::from("dumb"))),
        Ok(_) => Ok(()),
    }
}

/// The modes of the terminal that are set; dropping it puts them back.
#[derive(Debug)]
pub struct TerminalGuard {
    /// Shared with the panic hook, and with the thread that watches for signals.
    modes: Arc<Modes>,
}

#[derive(Debug)]
struct Modes {
    set: AtomicBool,
    /// From before the first is set until after the last is put back.
    taken: AtomicBool,
    mouse: bool,
}

impl TerminalGuard {
    /// Takes the terminal over, and sees to it that a panic gives it back before it is reported, and
    /// a signal although nobody reads it.
    ///
    /// With `mouse`, clicks and the wheel come in as input, and no longer select text there.
    pub fn take(mouse: bool) -> io::Result<Self> {
        let modes = Arc::new(Modes {
            set: AtomicBool::new(false),
            taken: AtomicBool::new(false),
            mouse,
        });
        restore_on_panic(Arc::clone(&modes));
        forced_exit::watch(Arc::clone(&modes));
        let guard = Self { modes };
        guard.set()?;
        Ok(guard)
    }

    fn set(&self) -> io::Result<()> {
        self.modes.set()
    }

    /// Gives the terminal back.
    pub fn restore(&self) {
        self.modes.restore();
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        self.restore();
    }
}

fn restore_on_panic(modes: Arc<Modes>) {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        modes.restore();
        report(panic);
    }));
}

impl Modes {
    fn set(&self) -> io::Result<()> {
        // First the flags: if a step fails, those before it are still undone.
        self.taken.store(true, Ordering::SeqCst);
        self.set.store(true, Ordering::SeqCst);
        terminal::enable_raw_mode()?;
        let mut out = io::stdout();
        out.write_all(PUSH_TITLE.as_bytes())?;
        execute!(
            out,
            EnterAlternateScreen,
            EnableBracketedPaste,
            cursor::Hide
        )?;
        if self.mouse {
            out.write_all(TAKE_MOUSE.as_bytes())?;
        }
        out.flush()
    }

    /// Undoes every mode, in the reverse order, once. The terminal may be gone, so errors mean
    /// nothing.
    fn restore(&self) {
        if !self.set.swap(false, Ordering::SeqCst) {
            return;
        }
        let mut out = io::stdout();
        let _ = out.write_all(&self.leaving());
        let _ = out.flush();
        let _ = terminal::disable_raw_mode();
        self.taken.store(false, Ordering::SeqCst);
    }

    fn are_taken(&self) -> bool {
        self.taken.load(Ordering::SeqCst)
    }

    /// What is written to put the modes back.
    fn leaving(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.mouse {
            bytes.extend_from_slice(LEAVE_MOUSE.as_bytes());
        }
        // Writing to memory cannot fail.
        let _ = queue!(
            bytes,
            cursor::Show,
            DisableBracketedPaste,
            LeaveAlternateScreen
        );
        bytes.extend_from_slice(POP_TITLE.as_bytes());
        bytes
    }
}

/// A terminal to draw on, whose modes are set.
pub fn screen() -> io::Result<Screen> {
    let out = BufWriter::with_capacity(FRAME_BYTES, io::stdout());
    Terminal::new(CrosstermBackend::new(out))
}

/// What the user types and does with the window. A thread of its own reads it, blocked while there
/// is nothing; it ends with the process, or when nobody listens any more.
pub fn input() -> io::Result<impl Stream<Item = io::Result<Event>>> {
    let (typed, mut waiting) = mpsc::channel(INPUTS_WAITING);
    let read = move || {
        loop {
            let event = crossterm::event::read();
            let failed = event.is_err();
            if typed.blocking_send(event).is_err() || failed {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name(String::from("input"))
        .spawn(read)?;
    Ok(stream::poll_fn(move |context| waiting.poll_recv(context)))
}

/// What is done outside the screen at its request, without keeping it waiting.
pub trait Errands {
    /// The projects that jobs can be made in.
    fn projects(&self) -> Vec<Arc<Project>>;
    /// The question to ask before `request` is done.
    fn question(&self, request: &Request) -> String;
    /// Begins to do `request`; how it went comes as a notice.
    fn begin(&mut self, request: Request);
}

/// The machine that the dashboard runs on.
pub struct Desktop<'a> {
    modes: &'a TerminalGuard,
    environment: Environment,
    opener: Opener,
    errands: Box<dyn Errands>,
}

impl<'a> Desktop<'a> {
    /// A desktop whose browser gets no variable that holds a key.
    pub fn new(
        modes: &'a TerminalGuard,
        environment: Environment,
        errands: Box<dyn Errands>,
    ) -> Self {
        let opener = Opener::new(environment.clone());
        Self {
            modes,
            environment,
            opener,
            errands,
        }
    }
}

impl Host for Desktop<'_> {
    fn open(&mut self, link: &Link) -> Result<Opened, String> {
        self.opener.open(link).map_err(|error| error.to_string())
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        desktop::copy(text, &self.environment, &mut io::stdout())
    }

    fn set_title(&mut self, title: &str) -> io::Result<()> {
        execute!(io::stdout(), SetTitle(text::clean(title)))
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.modes.restore();
        // The kernel drops this where nobody could continue us: in a pane without a shell.
        kill_current_process_group(Signal::TSTP)?;
        self.modes.set()
    }

    fn projects(&self) -> Vec<Arc<Project>> {
        self.errands.projects()
    }

    fn question(&self, request: &Request) -> String {
        self.errands.question(request)
    }

    fn begin(&mut self, request: Request) {
        self.errands.begin(request);
    }
}

/// Ready when a signal asks the program to end, or when the terminal is gone.
pub async fn stopped() -> Exit {
    tokio::select! {
        number = first_of(&ENDING_SIGNALS) => Exit::Signal(number),
        () = closed(io::stdin()) => Exit::HungUp,
    }
}

/// Ready when Ctrl-C or SIGTERM asks a verb to end; its number. The others stay with the system,
/// which also lets `nohup` have its way.
pub async fn interrupted() -> i32 {
    first_of(&[SignalKind::interrupt(), SignalKind::terminate()]).await
}

async fn first_of(kinds: &[SignalKind]) -> i32 {
    let waits = kinds.iter().map(|kind| Box::pin(wait_for(*kind)));
    futures_util::future::select_all(waits).await.0
}

async fn wait_for(kind: SignalKind) -> i32 {
    match signal(kind) {
        Ok(mut signal) => signal.recv().await,
        // Not to be had: the other ways out remain.
        Err(_) => std::future::pending().await,
    };
    kind.as_raw_value()
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
            Ok(_)
                if watched[0]
                    .revents()
                    .intersects(PollFlags::HUP | PollFlags::ERR) =>
            {
                return Ok(());
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
