//! What is left to do after the screen has gone: to wait for what is under way, and to say what became
//! of it.

use std::io::Write;
use std::time::Duration;

use jiff::Timestamp;

use super::Channels;
use super::app::App;

/// Waits for what is under way, `limit` at most or until `stop` is ready, and tells on `out` what
/// became of it and what is in doubt. That may be gone with the terminal: then nobody is left to tell,
/// and what is under way is waited for all the same.
pub async fn say_farewell(
    app: &mut App,
    channels: &mut Channels,
    limit: Duration,
    stop: impl Future,
    out: &mut impl Write,
) {
    app.screen_has_gone();
    if let Some(waiting) = app.waiting_for().filter(|_| app.waits_for_replies()) {
        let _ = writeln!(out, "mintwatch: {waiting}; Ctrl-C leaves");
        let replies = tokio::time::timeout(limit, replies(app, channels));
        tokio::select! {
            _ = replies => {}
            _ = stop => {}
        }
    }
    for words in app.last_words() {
        let _ = writeln!(out, "mintwatch: {words}");
    }
}

async fn replies(app: &mut App, channels: &mut Channels) {
    while app.waits_for_replies() {
        let Some(notice) = channels.notices.recv().await else {
            return;
        };
        let board = channels.board.borrow().clone();
        app.on_notice(notice, &board, Timestamp::now());
    }
}
