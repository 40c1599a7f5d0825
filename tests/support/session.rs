//! A whole run of the dashboard in this process: keys in, drawn buffers and calls to the host out.
//!
//! Everything is awaited by what is drawn, never by time.

use std::io;
use std::sync::{Arc, Mutex};

use crossterm::event::Event;
use futures_util::StreamExt;
use mintwatch::board::Project;
use mintwatch::desktop::Opened;
use mintwatch::exit::Exit;
use mintwatch::job::ProjectId;
use mintwatch::link::Link;
use mintwatch::poll::Poller;
use mintwatch::tui::app::{App, Request};
use mintwatch::tui::{self, Channels, Host, Notice};
use mintwatch::view::theme::Theme;
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Size};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::keys::keys;
use super::{ANSWERABLE_AFTER, PATIENT, drawn, until};

/// What the dashboard asked of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    Open(String),
    Copy(String),
    Title(String),
    ResetTitle,
    Mouse(bool),
    Suspend,
    /// The text, and the line about it.
    Edit(String, String),
    /// The terminal is taken again from the editor.
    EndEdit,
    Perform(Request),
}

/// What the screen shows.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    pub buffer: Buffer,
    /// How often every cell was drawn anew.
    pub clears: usize,
}

/// A running dashboard.
pub struct Session {
    input: mpsc::UnboundedSender<io::Result<Event>>,
    stop: Option<oneshot::Sender<Exit>>,
    notices: mpsc::UnboundedSender<Notice>,
    shown: watch::Receiver<Shown>,
    calls: Arc<Mutex<Vec<Call>>>,
    /// How the run ended, and what was then to be told.
    run: JoinHandle<io::Result<(Option<Exit>, Vec<String>)>>,
}

impl Session {
    /// A dashboard of this size, whose host has a browser.
    pub fn start(poller: Poller, size: (u16, u16)) -> Self {
        Self::with_host(poller, size, |_| {
            Ok(Opened::Browser(String::from("the browser")))
        })
    }

    /// The same, with a host that answers `open` to each link that it is to open.
    pub fn with_host(
        poller: Poller,
        (width, height): (u16, u16),
        open: fn(&str) -> Result<Opened, String>,
    ) -> Self {
        let (input, events) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let (notices, news) = mpsc::unbounded_channel();
        let (backend, shown) = Recorder::new(width, height);
        let calls = Arc::default();
        let mut host = RecordingHost {
            calls: Arc::clone(&calls),
            notices: notices.clone(),
            open,
        };
        let size = Size::new(width, height);
        let mut app = App::new(Theme::new(true, false), "mintwatch", size);
        app.projects = projects();
        let events = futures_util::stream::unfold(events, |mut events| async {
            Some((events.recv().await?, events))
        });
        let mut channels = Channels {
            board: poller.board(),
            events: poller.subscribe(),
            notices: news,
            poller: poller.handle(),
        };
        let run = tokio::spawn(async move {
            let _poller = poller;
            let mut terminal = Terminal::new(backend)?;
            let stops = async { stopped.await.unwrap_or(Exit::Done) };
            let stops = futures_util::stream::once(stops);
            let exit = tui::run(
                &mut terminal,
                events.boxed(),
                &mut channels,
                &mut app,
                &mut host,
                stops,
            )
            .await?;
            Ok((exit, app.last_words().collect()))
        });
        Self {
            input,
            stop: Some(stop),
            notices,
            shown,
            calls,
            run,
        }
    }

    /// Brings news from outside the loop.
    pub fn notice(&self, notice: Notice) {
        self.notices.send(notice).unwrap();
    }

    /// Presses the keys of `sequence`.
    pub fn press(&self, sequence: &str) {
        for event in keys(sequence) {
            self.send(event);
        }
    }

    /// Presses `key` when the question on the screen has been there for long enough to be answered.
    pub async fn answer(&self, key: &str) {
        tokio::time::sleep(ANSWERABLE_AFTER).await;
        self.press(key);
    }

    pub fn send(&self, event: Event) {
        // A run that has ended is noticed by whoever waits for it.
        let _ = self.input.send(Ok(event));
    }

    /// Waits until what is shown fulfils `condition`.
    pub async fn wait(&mut self, what: &str, mut condition: impl FnMut(&Shown) -> bool) -> Shown {
        let wait = self.shown.wait_for(|shown| condition(shown));
        let shown = tokio::time::timeout(PATIENT, wait).await;
        if let Ok(Ok(shown)) = shown {
            return shown.clone();
        }
        drop(shown);
        panic!("waited for {what}; the screen shows\n{}", self.text())
    }

    /// Waits until the screen shows `text`.
    pub async fn wait_for(&mut self, text: &str) -> Shown {
        let what = format!("{text:?}");
        self.wait(&what, |shown| drawn::text(&shown.buffer).contains(text))
            .await
    }

    /// Waits until the screen does not show `text`.
    pub async fn wait_until_gone(&mut self, text: &str) -> Shown {
        let what = format!("{text:?} to go");
        self.wait(&what, |shown| !drawn::text(&shown.buffer).contains(text))
            .await
    }

    /// Waits until the line with `job` also shows `text`.
    pub async fn wait_for_row(&mut self, job: &str, text: &str) -> String {
        let what = format!("{text:?} in the row of {job}");
        let found = |buffer: &Buffer| {
            drawn::row_of(buffer, job)
                .map(|y| drawn::line(buffer, y))
                .filter(|line| line.contains(text))
        };
        let shown = self
            .wait(&what, |shown| found(&shown.buffer).is_some())
            .await;
        found(&shown.buffer).unwrap()
    }

    /// Waits until the selected row has `text`.
    pub async fn wait_for_selected(&mut self, text: &str) {
        let what = format!("{text:?} to be selected");
        self.wait(&what, |shown| {
            drawn::selected(&shown.buffer).is_some_and(|line| line.contains(text))
        })
        .await;
    }

    /// What the screen shows now.
    pub fn text(&self) -> String {
        drawn::text(&self.shown.borrow().buffer)
    }

    /// What was asked of the host so far, without the titles.
    pub fn calls(&self) -> Vec<Call> {
        let mut calls = self.calls.lock().unwrap().clone();
        calls.retain(|call| !matches!(call, Call::Title(_)));
        calls
    }

    /// The titles so far.
    pub fn titles(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        let titles = calls.iter().filter_map(|call| match call {
            Call::Title(title) => Some(title.clone()),
            _ => None,
        });
        titles.collect()
    }

    /// Waits until the host was asked for exactly these calls, without the titles.
    pub async fn wait_for_calls(&self, want: &[Call]) {
        until(PATIENT, &format!("{want:?}"), || {
            self.calls().len() >= want.len()
        })
        .await;
        assert_eq!(self.calls(), want);
    }

    /// Waits for so many calls, and gives them.
    pub async fn wait_for_calls_of(&self, count: usize) -> Vec<Call> {
        until(PATIENT, &format!("{count} calls"), || {
            self.calls().len() >= count
        })
        .await;
        self.calls()
    }

    /// Lets `stop` be ready.
    pub fn stop(&mut self, exit: Exit) {
        let _ = self.stop.take().unwrap().send(exit);
    }

    /// The input ends, as when the terminal is gone.
    pub fn end_input(&mut self) {
        self.input = mpsc::unbounded_channel().0;
    }

    /// Whether the run goes on.
    pub fn is_running(&self) -> bool {
        !self.run.is_finished()
    }

    /// Waits for the end of the run.
    pub async fn exit(self) -> Option<Exit> {
        self.exit_and_last_words().await.0
    }

    /// Waits for the end of the run, and gives what is then told as well.
    pub async fn exit_and_last_words(self) -> (Option<Exit>, Vec<String>) {
        // Held until then: an input that ends would end the run.
        let (_input, _stop) = (self.input, self.stop);
        let exit = tokio::time::timeout(PATIENT, self.run).await;
        exit.expect("the run ends").unwrap().unwrap()
    }
}

struct RecordingHost {
    calls: Arc<Mutex<Vec<Call>>>,
    notices: mpsc::UnboundedSender<Notice>,
    open: fn(&str) -> Result<Opened, String>,
}

impl RecordingHost {
    fn record(&self, call: Call) {
        self.calls.lock().unwrap().push(call);
    }
}

impl Host for RecordingHost {
    fn open(&mut self, link: &Link) -> Result<Opened, String> {
        self.record(Call::Open(link.to_string()));
        (self.open)(link.as_str())
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.record(Call::Copy(text.into()));
        Ok(())
    }

    fn set_title(&mut self, title: &str) -> io::Result<()> {
        self.record(Call::Title(title.into()));
        Ok(())
    }

    fn reset_title(&mut self) -> io::Result<()> {
        self.record(Call::ResetTitle);
        Ok(())
    }

    fn take_mouse(&mut self, taken: bool) -> io::Result<()> {
        self.record(Call::Mouse(taken));
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.record(Call::Suspend);
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn edit(&mut self, text: &str, about: &str) {
        self.record(Call::Edit(text.into(), about.into()));
    }

    fn end_edit(&mut self) -> io::Result<()> {
        self.record(Call::EndEdit);
        Ok(())
    }

    fn count_writes(&mut self, project: &ProjectId) {
        let _ = self.notices.send(Notice::WritesThisHour {
            project: project.clone(),
            count: Some(3),
        });
    }

    fn perform(&mut self, request: Request) {
        self.record(Call::Perform(request));
    }
}

/// The projects that jobs can be created in.
fn projects() -> Vec<Arc<Project>> {
    let project = |id: &str| {
        Arc::new(Project {
            id: id.into(),
            name: None,
        })
    };
    vec![project("p"), project("other")]
}

/// A backend that tells of every frame.
struct Recorder {
    inner: TestBackend,
    clears: usize,
    shown: watch::Sender<Shown>,
}

impl Recorder {
    fn new(width: u16, height: u16) -> (Self, watch::Receiver<Shown>) {
        let (shown, receiver) = watch::channel(Shown::default());
        let inner = TestBackend::new(width, height);
        let clears = 0;
        (
            Self {
                inner,
                clears,
                shown,
            },
            receiver,
        )
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "turns one kind of result into another"
)]
fn infallible<T>(result: Result<T, std::convert::Infallible>) -> io::Result<T> {
    Ok(result.unwrap_or_else(|never| match never {}))
}

impl Backend for Recorder {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        infallible(self.inner.draw(content))
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        infallible(self.inner.hide_cursor())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        infallible(self.inner.show_cursor())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        // A terminal answers through the input, which the run has taken.
        Err(io::Error::other("nobody answers"))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        infallible(self.inner.set_cursor_position(position))
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clears += 1;
        infallible(self.inner.clear())
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.clears += 1;
        infallible(self.inner.clear_region(clear_type))
    }

    fn size(&self) -> io::Result<Size> {
        infallible(self.inner.size())
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        infallible(self.inner.window_size())
    }

    fn flush(&mut self) -> io::Result<()> {
        let buffer = self.inner.buffer().clone();
        let clears = self.clears;
        self.shown.send_replace(Shown { buffer, clears });
        Ok(())
    }
}
