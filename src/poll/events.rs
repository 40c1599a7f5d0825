//! Carries events from the poller to any number of consumers, each with a queue of its own.
//!
//! This file must not know who consumes them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::board::Event;

/// How many events a consumer may come late by. All that this program has subscribe as soon as the
/// poller is started, before a job can have been seen twice.
const MAX_REPLAYED: usize = 1_000;

#[derive(Debug, Default)]
struct Shared {
    recent: VecDeque<Event>,
    consumers: Vec<mpsc::UnboundedSender<Event>>,
    closed: bool,
}

/// The consumers' end.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscriptions(Arc<Mutex<Shared>>);

/// The poller's end. Dropping it ends every queue, once what is in it has been taken.
#[derive(Debug)]
pub(super) struct Publisher(Subscriptions);

impl Subscriptions {
    /// A queue of the run's events: those so far, of which the oldest may be missing if there were
    /// more than [`MAX_REPLAYED`], and then each as it comes.
    pub(super) fn subscribe(&self) -> mpsc::UnboundedReceiver<Event> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut shared = self.lock();
        for event in &shared.recent {
            // The receiver is here, so that this cannot fail.
            let _ = sender.send(event.clone());
        }
        if !shared.closed {
            shared.consumers.push(sender);
        }
        receiver
    }

    /// The one publisher of these events.
    pub(super) fn publisher(&self) -> Publisher {
        Publisher(self.clone())
    }

    /// A panic while it was locked leaves lists that are whole all the same.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Publisher {
    pub(super) fn publish(&self, event: Event) {
        let mut shared = self.0.lock();
        shared
            .consumers
            .retain(|consumer| consumer.send(event.clone()).is_ok());
        if shared.recent.len() == MAX_REPLAYED {
            shared.recent.pop_front();
        }
        shared.recent.push_back(event);
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let mut shared = self.0.lock();
        shared.closed = true;
        shared.consumers.clear();
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::board::Change;
    use crate::job::{JobKey, Status};

    fn event(second: i64) -> Event {
        Event {
            at: Timestamp::from_second(second).unwrap(),
            key: JobKey::new("p", "a"),
            change: Change::Status {
                from: None,
                to: Some(Status::Active),
            },
        }
    }

    fn take_all(queue: &mut mpsc::UnboundedReceiver<Event>) -> Vec<i64> {
        std::iter::from_fn(|| queue.try_recv().ok())
            .map(|event| event.at.as_second())
            .collect()
    }

    #[test]
    fn every_consumer_gets_every_event_whatever_the_others_do() {
        let subscriptions = Subscriptions::default();
        let publisher = subscriptions.publisher();
        publisher.publish(event(0));
        let mut quick = subscriptions.subscribe();
        let mut slow = subscriptions.subscribe();
        drop(subscriptions.subscribe());
        publisher.publish(event(1));
        assert_eq!(take_all(&mut quick), [0, 1]);
        publisher.publish(event(2));
        let mut late = subscriptions.subscribe();
        drop(publisher);
        assert_eq!(take_all(&mut quick), [2]);
        assert_eq!(take_all(&mut slow), [0, 1, 2]);
        assert_eq!(take_all(&mut late), [0, 1, 2]);
    }

    #[test]
    fn every_queue_ends_with_its_publisher() {
        let subscriptions = Subscriptions::default();
        let mut before = subscriptions.subscribe();
        drop(subscriptions.publisher());
        let mut after = subscriptions.subscribe();
        for queue in [&mut before, &mut after] {
            let end = queue.try_recv().unwrap_err();
            assert_eq!(end, mpsc::error::TryRecvError::Disconnected);
        }
    }

    #[test]
    fn what_is_kept_for_latecomers_is_bounded() {
        let subscriptions = Subscriptions::default();
        let publisher = subscriptions.publisher();
        for second in 0..3_000 {
            publisher.publish(event(second));
        }
        let kept = take_all(&mut subscriptions.subscribe());
        assert!(kept.into_iter().eq(2_000..3_000));
    }
}
