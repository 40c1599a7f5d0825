//! A pseudo-terminal that runs a program: its screen, every byte on the wire, its modes, its keys.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{InputModes, LocalModes, OptionalActions, OutputModes, tcgetattr, tcsetattr};

use super::command::Home;
use super::{ANSWERABLE_AFTER, PATIENT};

/// A program in a terminal of its own.
pub struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    output: Arc<Output>,
    line_discipline: String,
}

#[derive(Default)]
struct Output {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    parser: vt100::Parser,
    wire: Vec<u8>,
    /// Nothing more is to be read, so that the reader's end can be closed.
    hang_up: bool,
    /// Nothing more is to be read, and the reader's end stays open.
    stalled: bool,
    ended: bool,
}

/// A terminal is hung up when its last descriptor is closed, so none may leak into the child of
/// another test that is started in the moment before it is marked as not to be inherited.
static STARTING: Mutex<()> = Mutex::new(());

impl Terminal {
    /// Runs `argv`, in the environment of `home` changed by `variables`.
    pub fn start(home: &Home, argv: &[&str], variables: &[(&str, &str)], size: (u16, u16)) -> Self {
        Self::run(home, argv, variables, size, true)
    }

    /// The same in a terminal that is not the program's controlling one: the system sends no SIGHUP
    /// when it is closed.
    pub fn start_without_sighup(
        home: &Home,
        argv: &[&str],
        variables: &[(&str, &str)],
        size: (u16, u16),
    ) -> Self {
        Self::run(home, argv, variables, size, false)
    }

    fn run(
        home: &Home,
        argv: &[&str],
        variables: &[(&str, &str)],
        (columns, rows): (u16, u16),
        controlling: bool,
    ) -> Self {
        let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        let size = size(columns, rows);
        let pair = native_pty_system().openpty(size).unwrap();
        let line_discipline = line_discipline(&*pair.master);
        let mut command = CommandBuilder::new(argv[0]);
        command.args(&argv[1..]);
        command.set_controlling_tty(controlling);
        command.env_clear();
        command.cwd(home.path());
        for (name, value) in home.environment() {
            command.env(name, value);
        }
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let output = Arc::new(Output::default());
        set_size(&mut output.state(), columns, rows);
        let reader = pair.master.try_clone_reader().unwrap();
        let shared = Arc::clone(&output);
        std::thread::spawn(move || read(reader, &shared));
        let writer = pair.master.take_writer().unwrap();
        Self {
            master: Some(pair.master),
            writer: Some(writer),
            child,
            output,
            line_discipline,
        }
    }

    /// Types `keys`, as they are on the wire.
    pub fn send(&mut self, keys: &str) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Tells the program of another size, and leaves the screen that the test reads as it is: it
    /// has no notion of a size of nothing.
    pub fn resize_window(&mut self, columns: u16, rows: u16) {
        let master = self.master.as_ref().unwrap();
        master.resize(size(columns, rows)).unwrap();
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        set_size(&mut self.output.state(), columns, rows);
        let master = self.master.as_ref().unwrap();
        master.resize(size(columns, rows)).unwrap();
    }

    /// Waits until the screen fulfils `condition`.
    pub fn wait(&self, what: &str, mut condition: impl FnMut(&vt100::Screen) -> bool) {
        let waited =
            self.output
                .changed
                .wait_timeout_while(self.output.state(), PATIENT, |state| {
                    !condition(state.parser.screen())
                });
        let (state, timeout) = waited.unwrap();
        let shown = state.parser.screen().contents();
        drop(state);
        assert!(
            !timeout.timed_out(),
            "waited for {what}; the screen shows\n{shown}"
        );
    }

    /// Waits until the screen shows `text`.
    pub fn wait_for(&self, text: &str) {
        self.wait(&format!("{text:?}"), |screen| {
            screen.contents().contains(text)
        });
    }

    /// Waits for `question`, and presses `key` until it is gone: the program may have drawn it, and
    /// not know yet that it has.
    pub fn answer(&mut self, question: &str, key: &str) {
        self.wait_for(question);
        let start = Instant::now();
        while self.shows(question) {
            assert!(start.elapsed() < PATIENT, "{question:?} takes no {key:?}");
            std::thread::sleep(ANSWERABLE_AFTER);
            self.send(key);
            let gone = |state: &mut State| state.parser.screen().contents().contains(question);
            let state = self.output.state();
            let wait = Duration::from_secs(1);
            let _waited = self.output.changed.wait_timeout_while(state, wait, gone);
        }
    }

    fn shows(&self, text: &str) -> bool {
        let state = self.output.state();
        state.parser.screen().contents().contains(text)
    }

    /// Has the terminal echo and take whole lines, as a shell does when it has stopped a program.
    pub fn make_cooked(&self) {
        let name = self.master.as_ref().unwrap().tty_name().unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let tty = rustix::fs::open(name, flags, Mode::empty()).unwrap();
        let mut modes = tcgetattr(&tty).unwrap();
        modes.local_modes |= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        modes.input_modes |= InputModes::ICRNL;
        modes.output_modes |= OutputModes::OPOST;
        tcsetattr(&tty, OptionalActions::Now, &modes).unwrap();
    }

    /// Waits until the terminal hands each key to the program at once.
    pub fn wait_until_raw(&self) {
        let start = Instant::now();
        let master = self.master.as_ref().unwrap();
        while line_discipline(&**master) == self.line_discipline {
            assert!(start.elapsed() < PATIENT, "the terminal is not raw");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Shows `text` on the screen as if another program had written it.
    pub fn scribble(&self, text: &str) {
        self.output.state().parser.process(text.as_bytes());
    }

    /// Waits until the screen does not show `text`.
    pub fn wait_until_gone(&self, text: &str) {
        self.wait(&format!("{text:?} to go"), |screen| {
            !screen.contents().contains(text)
        });
    }

    /// Waits until these bytes were on the wire after the first `from` bytes.
    pub fn wait_for_bytes(&self, from: usize, bytes: &str) {
        let found = |state: &mut State| {
            let wire = &state.wire[from.min(state.wire.len())..];
            wire.windows(bytes.len())
                .any(|part| part == bytes.as_bytes())
        };
        let state = self.output.state();
        let waited = self
            .output
            .changed
            .wait_timeout_while(state, PATIENT, |state| !found(state));
        assert!(
            !waited.unwrap().1.timed_out(),
            "waited for {bytes:?} on the wire"
        );
    }

    /// The text of the row that is drawn in reverse from its first cell on: the selected one.
    pub fn selected(&self) -> Option<String> {
        let state = self.output.state();
        selected(state.parser.screen())
    }

    /// Waits until another row than `before` is selected.
    pub fn wait_for_other_selection(&self, before: Option<&String>) {
        self.wait("another selection", |screen| {
            let now = selected(screen);
            now.is_some() && now.as_ref() != before
        });
    }

    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.process_id().unwrap()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// The most memory that the program has had, where the system tells.
    pub fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.process_id().unwrap());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next());
        kib.map_or(0, |kib| kib.parse::<u64>().unwrap() << 10)
    }

    /// Closes the terminal, as when its window or its pane is closed.
    pub fn close(&mut self) {
        self.output.state().hang_up = true;
        // Whatever the program draws lets the reader see that it is to go.
        self.send("?");
        self.writer = None;
        self.master = None;
    }

    /// Nobody reads the terminal from now on, but for what waits already.
    pub fn stall(&self) {
        self.output.state().stalled = true;
    }

    /// Waits for the end of the program: its exit code.
    pub fn exit_code(&mut self) -> u32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert_eq!(status.signal(), None, "it was killed");
                return status.exit_code();
            }
            let shown = || self.output.state().parser.screen().contents();
            assert!(
                start.elapsed() < PATIENT,
                "it does not end; the screen shows\n{}",
                shown()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// All bytes that the program wrote; waits for its end.
    pub fn wire(&mut self) -> Vec<u8> {
        let waited =
            self.output
                .changed
                .wait_timeout_while(self.output.state(), PATIENT, |state| !state.ended);
        let (state, timeout) = waited.unwrap();
        assert!(!timeout.timed_out(), "the terminal is still in use");
        state.wire.clone()
    }

    /// How many bytes the program wrote so far.
    pub fn written(&self) -> usize {
        self.output.state().wire.len()
    }

    /// After the end of the program: every mode that it set is put back.
    pub fn assert_restored(&mut self) {
        let wire = self.wire();
        let text = String::from_utf8_lossy(&wire);
        for (mode, set) in private_modes(&text) {
            // Only the cursor is shown by default.
            assert_eq!(set, mode == "25", "mode {mode} is left behind");
        }
        let count = |sequence: &str| text.matches(sequence).count();
        assert!(count("\u{1b}[?1049h") > 0, "it was in the alternate screen");
        assert_eq!(
            count("\u{1b}[22;2t"),
            count("\u{1b}[23;2t"),
            "the title's stack"
        );
        assert!(!text.contains("\u{1b}[>"), "no keyboard flags");
        self.assert_line_discipline_restored();
        let state = self.output.state();
        let screen = state.parser.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
    }

    /// The terminal echoes and takes whole lines again.
    pub fn assert_line_discipline_restored(&self) {
        let master = self.master.as_ref().unwrap();
        assert_eq!(line_discipline(&**master), self.line_discipline);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.output.state().hang_up = true;
        self.output.changed.notify_all();
        // Only of use where a test has failed.
        let _ = self.child.kill();
    }
}

impl Output {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn read(mut reader: Box<dyn Read + Send>, output: &Output) {
    let mut buffer = [0; 16 * 1024];
    // Linux says EIO when the last user of the terminal has left.
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        let mut state = output.state();
        state.parser.process(&buffer[..count]);
        state.wire.extend(&buffer[..count]);
        if state.hang_up {
            break;
        }
        if state.stalled {
            state.ended = true;
            let _reader = output.changed.wait_while(state, |state| !state.hang_up);
            return;
        }
        drop(state);
        output.changed.notify_all();
    }
    output.state().ended = true;
    output.changed.notify_all();
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn set_size(state: &mut State, columns: u16, rows: u16) {
    let [rows, columns] = [rows, columns].map(|cells| NonZero::new(cells).unwrap());
    state.parser.screen_mut().set_size(rows, columns);
}

fn line_discipline(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

fn selected(screen: &vt100::Screen) -> Option<String> {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let reversed = |row: u16| screen.cell(row, 0).is_some_and(vt100::Cell::inverse);
    let row = (0..rows).find(|row| reversed(*row))?;
    screen.rows(0, columns).nth(usize::from(row))
}

/// The last state of each DEC private mode on the wire.
fn private_modes(text: &str) -> BTreeMap<&str, bool> {
    let mut modes = BTreeMap::new();
    for part in text.split("\u{1b}[?").skip(1) {
        let Some(end) = part.find(|c: char| !c.is_ascii_digit() && c != ';') else {
            continue;
        };
        let set = match part[end..].chars().next() {
            Some('h') => true,
            Some('l') => false,
            _ => continue,
        };
        modes.extend(part[..end].split(';').map(|mode| (mode, set)));
    }
    modes
}
