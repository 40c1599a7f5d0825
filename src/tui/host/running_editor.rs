//! The editor that has the terminal, watched by a thread of its own.
//!
//! It must not know what the text is for, or what the terminal is set to.

use std::io;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::desktop::OpenEditor;

/// How long an editor has to end that is told to.
const GRACE: Duration = Duration::from_secs(1);

/// Dropping it ends an editor that still runs: it would share the terminal with the shell.
pub(super) struct RunningEditor {
    process: Pid,
    /// Its other end is closed when the editor has ended.
    ended: Receiver<()>,
}

impl RunningEditor {
    /// Tells `notify` what became of the text, when the editor has ended.
    pub(super) fn watch(
        editor: OpenEditor,
        notify: impl FnOnce(Result<String, String>) + Send + 'static,
    ) -> io::Result<Self> {
        let (running, ended) = mpsc::channel();
        let watched = Self {
            process: editor.id(),
            ended,
        };
        let wait = move || {
            let document = editor.wait();
            drop(running);
            let text = document.map(|document| document.text);
            notify(text.map_err(|error| error.to_string()));
        };
        thread::Builder::new()
            .name(String::from("editor"))
            .spawn(wait)?;
        Ok(watched)
    }
}

impl Drop for RunningEditor {
    fn drop(&mut self) {
        if self.ended.try_recv() == Err(TryRecvError::Empty) {
            let _ = kill_process(self.process, Signal::TERM);
            let _ = self.ended.recv_timeout(GRACE);
        }
    }
}
