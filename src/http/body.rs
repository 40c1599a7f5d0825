//! Reads the body of a reply: at most so many decoded bytes, and within the memory that all bodies in
//! flight share.
//!
//! This file must not know what a body means, or how its errors are told.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use reqwest::Response;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

/// The most bytes that large bodies in flight take together.
const MAX_IN_FLIGHT: u32 = 64 * 1024 * 1024;
/// A body up to this size never waits for others: a job takes less than 1 KiB.
pub(super) const SMALL: usize = 16 * 1024;

pub(super) enum BodyError {
    /// Has the limit in bytes.
    TooLarge(usize),
    Stalled,
    /// The time for the whole exchange was over before there was memory for it.
    TimedOut,
    Broken(reqwest::Error),
}

/// The memory for large bodies. Clones share it.
#[derive(Clone)]
pub(super) struct Budget {
    bytes: Arc<Semaphore>,
    total: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(MAX_IN_FLIGHT)
    }
}

impl Budget {
    pub(super) fn new(total: u32) -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(total as usize)),
            total,
        }
    }

    /// Waits until there is memory for `bytes`, or for all that there is.
    ///
    /// An exchange reserves once, and all that it may need: it never holds a part while it waits for
    /// more, so that two cannot wait for each other.
    async fn reserve(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.total);
        // It is never closed.
        self.bytes.acquire_many(bytes).await.ok()
    }
}

/// The bounds of one body.
pub(super) struct Bounds<'a> {
    /// The most decoded bytes.
    pub(super) limit: usize,
    /// The longest wait for the next bytes.
    pub(super) silence: Duration,
    /// The end of the whole exchange, for which the HTTP client does not look while a body waits here.
    pub(super) deadline: Instant,
    pub(super) budget: &'a Budget,
}

impl Bounds<'_> {
    /// Each chunk is decoded on demand, so a decompression bomb is dropped as soon as it exceeds the
    /// limit.
    pub(super) async fn read(&self, response: &mut Response) -> Result<Vec<u8>, BodyError> {
        let mut body = Vec::new();
        let mut reserved = None;
        while let Some(chunk) = self.next_chunk(response).await? {
            let length = body.len() + chunk.len();
            if length > self.limit {
                return Err(BodyError::TooLarge(self.limit));
            }
            if length > SMALL && reserved.is_none() {
                reserved = Some(self.reserve().await?);
                // All at once: a vector that grows takes up to twice as much.
                body.reserve_exact(self.limit - body.len());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    async fn next_chunk(&self, response: &mut Response) -> Result<Option<Bytes>, BodyError> {
        let chunk = timeout(self.silence, response.chunk()).await;
        chunk
            .map_err(|_| BodyError::Stalled)?
            .map_err(BodyError::Broken)
    }

    async fn reserve(&self) -> Result<Option<SemaphorePermit<'_>>, BodyError> {
        let reserved = timeout_at(self.deadline, self.budget.reserve(self.limit)).await;
        reserved.map_err(|_| BodyError::TimedOut)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use futures_util::stream;
    use hyper::body::Frame;
    use tokio::sync::Notify;

    use super::*;

    const LIMIT: usize = 1024 * 1024;
    /// Never reached.
    const PATIENCE: Duration = Duration::from_mins(1);

    fn bounds(budget: &Budget) -> Bounds<'_> {
        Bounds {
            limit: LIMIT,
            silence: PATIENCE,
            deadline: Instant::now() + PATIENCE,
            budget,
        }
    }

    fn response<S>(chunks: S) -> Response
    where
        S: futures_util::Stream<Item = Vec<u8>> + Send + Sync + 'static,
    {
        use futures_util::StreamExt as _;
        let frames = chunks.map(|chunk| Ok::<_, std::io::Error>(Frame::data(Bytes::from(chunk))));
        let body = reqwest::Body::wrap(http_body_util::StreamBody::new(frames));
        hyper::http::Response::new(body).into()
    }

    /// A reply whose body never ends, and the number of bytes that were taken from it.
    fn endless(chunk: usize) -> (Response, Arc<AtomicUsize>) {
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        let chunks = stream::repeat_with(move || {
            counter.fetch_add(chunk, Ordering::Relaxed);
            vec![b' '; chunk]
        });
        (response(chunks), taken)
    }

    #[tokio::test]
    async fn no_more_is_taken_of_a_body_than_the_limit_and_one_chunk() {
        for chunk in [1, 4_096, 100_000, LIMIT, 3 * LIMIT] {
            let (mut response, taken) = endless(chunk);
            let outcome = bounds(&Budget::default()).read(&mut response).await;
            assert!(
                matches!(outcome, Err(BodyError::TooLarge(LIMIT))),
                "{chunk}"
            );
            assert!(
                taken.load(Ordering::Relaxed) <= LIMIT + chunk,
                "{chunk}: {taken:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_body_of_just_the_limit_is_read() {
        // Also where there is less memory than that: it has all of it for itself.
        for budget in [Budget::default(), Budget::new(1)] {
            let mut response = response(stream::iter([vec![b' '; LIMIT]]));
            let body = bounds(&budget).read(&mut response).await;
            assert!(body.is_ok_and(|body| body.len() == LIMIT));
        }
    }

    /// How many large bodies are read at once, and the most that ever were.
    #[derive(Default)]
    struct Reading {
        now: AtomicUsize,
        most: AtomicUsize,
        /// Told for each that begins.
        begun: Notify,
        /// Lets one end.
        end: Notify,
    }

    /// A reply that is small at first, then stalls as a large one, and ends when it is let.
    fn stalled(reading: &Arc<Reading>) -> Response {
        let reading = Arc::clone(reading);
        response(stream::unfold(0, move |nth| {
            let reading = Arc::clone(&reading);
            async move {
                if nth == 2 {
                    let now = reading.now.fetch_add(1, Ordering::SeqCst) + 1;
                    reading.most.fetch_max(now, Ordering::SeqCst);
                    reading.begun.notify_one();
                    reading.end.notified().await;
                    reading.now.fetch_sub(1, Ordering::SeqCst);
                    return None;
                }
                Some((vec![b' '; SMALL], nth + 1))
            }
        }))
    }

    #[tokio::test]
    async fn large_bodies_share_a_budget_and_small_ones_do_not_wait_for_it() {
        let budget = Budget::new(u32::try_from(2 * LIMIT).unwrap());
        let reading = Arc::new(Reading::default());
        let large = (0..6).map(|_| async {
            let body = bounds(&budget).read(&mut stalled(&reading)).await;
            assert!(body.is_ok_and(|body| body.len() == 2 * SMALL));
        });
        let others = async {
            reading.begun.notified().await;
            for _ in 0..6 {
                let mut small = response(stream::iter([vec![b' '; SMALL]]));
                assert!(bounds(&budget).read(&mut small).await.is_ok());
                tokio::task::yield_now().await;
                reading.end.notify_one();
            }
        };
        let all = async { tokio::join!(join_all(large), others) };
        timeout(PATIENCE, all).await.expect("all are read in turn");
        assert_eq!(reading.most.load(Ordering::SeqCst), 2);
        assert_eq!(budget.bytes.available_permits(), 2 * LIMIT);
    }

    #[tokio::test]
    async fn the_time_of_an_exchange_goes_on_while_it_waits_for_memory() {
        let budget = Budget::new(1);
        let _all = budget.reserve(1).await;
        let waiting = Bounds {
            deadline: Instant::now(),
            ..bounds(&budget)
        };
        let outcome = waiting.read(&mut endless(LIMIT).0).await;
        assert!(matches!(outcome, Err(BodyError::TimedOut)));
    }
}
