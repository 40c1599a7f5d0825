//! Ends the program by signal although its main thread is stuck: nobody reads the terminal, and a
//! write to it never returns.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::time::Duration;

use crossterm::terminal;
use rustix::fs::OFlags;
use tokio::runtime::Builder;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::Modes;
use crate::process;

/// How long the main thread has to give the terminal back by itself.
const GRACE: Duration = Duration::from_secs(1);

/// Watches from a thread of its own, for as long as the program runs. Before it ends the program it
/// waits for `unfinished`, for `limit` at most.
pub(super) fn watch(modes: Arc<Modes>, unfinished: TaskTracker, limit: Duration) {
    let watch = move || {
        let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
            return;
        };
        loop {
            let exit = runtime.block_on(async { process::ending_signal().await });
            // Ctrl-C in a program that has the terminal, or has had it just now, is not for us.
            let is_for_us = !process::may_be_typed(exit) || modes.are_taken_since(GRACE);
            std::thread::sleep(GRACE);
            if is_for_us && modes.are_taken() {
                unfinished.close();
                let _ = runtime.block_on(async { timeout(limit, unfinished.wait()).await });
                restore_without_waiting(&modes);
                std::process::exit(exit.code().into());
            }
        }
    };
    // Without the thread the main one still obeys signals, unless it is stuck.
    let _ = std::thread::Builder::new()
        .name(String::from("signals"))
        .spawn(watch);
}

/// Gives back what can be given back at once.
fn restore_without_waiting(modes: &Modes) {
    let _ = terminal::disable_raw_mode();
    // Opened anew: the flag must not reach those who share our standard output, as the shell does.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = OpenOptions::new()
        .write(true)
        .custom_flags(flags.bits().cast_signed())
        .open("/dev/tty");
    if let Ok(mut tty) = opened {
        let _ = tty.write_all(&modes.leaving());
    }
}
