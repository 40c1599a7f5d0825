//! What the integration tests share. Each of them uses only a part of it.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

pub mod board;
pub mod command;
pub mod drawn;
pub mod fake_server;
pub mod keys;
pub mod reply;
pub mod session;
pub mod setup;
pub mod terminal;

use std::time::{Duration, Instant};

/// Never reached, except by a test that fails.
pub const PATIENT: Duration = Duration::from_secs(30);

/// A question takes an answer only when it has been on the screen for a while; this is longer.
pub const ANSWERABLE_AFTER: Duration = Duration::from_millis(60);

/// Waits until `condition` holds, while everything else on the runtime goes on; panics when that
/// takes longer than `limit`. The fake server's own waits stop the thread, and so would stop a
/// client on it.
pub async fn until(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < limit, "waited {limit:?} for {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The same where nothing but the test itself runs on its thread.
pub fn until_blocking(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < limit, "waited {limit:?} for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
