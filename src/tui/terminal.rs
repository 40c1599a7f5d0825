//! The real terminal: its modes, which come back however the program ends, and what is typed.
//!
//! This file must not know jobs or the state of the screen.

use std::io::{self, BufWriter, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute, queue, terminal};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use tokio_util::task::TaskTracker;

mod capped;
mod decode;
mod forced_exit;
mod input;
mod reader;

use capped::{Capped, capped_size};
pub use input::input;

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

/// The terminal as the dashboard draws on it.
pub type Screen = Terminal<Capped<CrosstermBackend<BufWriter<Stdout>>>>;

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
    /// When it was last taken over again.
    retaken_at: Mutex<Option<Instant>>,
    mouse: AtomicBool,
}

impl TerminalGuard {
    /// Takes the terminal over, and sees to it that a panic gives it back before it is reported, and
    /// a signal although nobody reads it.
    ///
    /// With `mouse`, clicks and the wheel come in as input, and no longer select text there. Where a
    /// signal has to end the program although the terminal is stuck, it first waits for `unfinished`,
    /// for `limit` at most.
    pub fn take(mouse: bool, unfinished: &TaskTracker, limit: Duration) -> io::Result<Self> {
        let modes = Arc::new(Modes {
            set: AtomicBool::new(false),
            taken: AtomicBool::new(false),
            retaken_at: Mutex::default(),
            mouse: AtomicBool::new(mouse),
        });
        restore_on_panic(Arc::clone(&modes));
        forced_exit::watch(Arc::clone(&modes), unfinished.clone(), limit);
        let guard = Self { modes };
        guard.modes.set()?;
        Ok(guard)
    }

    /// Takes the terminal over again, after [`Self::restore`].
    pub(super) fn set(&self) -> io::Result<()> {
        *self.modes.retaken_at() = Some(Instant::now());
        self.modes.set()
    }

    /// Sets every mode again, after a stop in which another program has changed them.
    pub(super) fn set_again(&self) -> io::Result<()> {
        // Else raw mode would be thought to be set already.
        terminal::disable_raw_mode()?;
        self.modes.enter()
    }

    /// Takes the mouse, or gives it back.
    pub(super) fn take_mouse(&self, taken: bool) -> io::Result<()> {
        self.modes.mouse.store(taken, Ordering::SeqCst);
        // While another program has the terminal, its mouse is not ours; it is set on the way back.
        if !self.modes.set.load(Ordering::SeqCst) {
            return Ok(());
        }
        let sequence = if taken { TAKE_MOUSE } else { LEAVE_MOUSE };
        write_now(sequence)
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
        io::stdout().write_all(PUSH_TITLE.as_bytes())?;
        self.enter()
    }

    fn enter(&self) -> io::Result<()> {
        terminal::enable_raw_mode()?;
        let mut out = io::stdout();
        execute!(
            out,
            EnterAlternateScreen,
            EnableBracketedPaste,
            cursor::Hide
        )?;
        if self.mouse.load(Ordering::SeqCst) {
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

    /// Whether no other program has had the terminal for so long.
    fn are_taken_since(&self, time: Duration) -> bool {
        self.are_taken() && self.retaken_at().is_none_or(|at| at.elapsed() >= time)
    }

    /// A panic cannot leave it half changed.
    fn retaken_at(&self) -> MutexGuard<'_, Option<Instant>> {
        let locked = self.retaken_at.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }

    /// What is written to put the modes back.
    fn leaving(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.mouse.load(Ordering::SeqCst) {
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

/// Sets the title that the terminal had when its modes were set, and keeps it on the stack.
pub(super) fn reset_title() -> io::Result<()> {
    write_now(&[POP_TITLE, PUSH_TITLE].concat())
}

fn write_now(sequence: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(sequence.as_bytes())?;
    out.flush()
}

/// A terminal to draw on, whose modes are set.
pub fn screen() -> io::Result<Screen> {
    let out = BufWriter::with_capacity(FRAME_BYTES, io::stdout());
    Terminal::new(Capped(CrosstermBackend::new(out)))
}
