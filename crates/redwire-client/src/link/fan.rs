use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use bytes::Bytes;

use super::feed::{LinkEvent, Queue};
use crate::lock::lock;

/// Hands every event to every feed, under one lock, so that all feeds see one order.
#[derive(Debug, Default)]
pub(super) struct Fan {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queues: Vec<Arc<Queue>>,
    /// The connection whose messages count. None while the link is down: what arrives while
    /// subscriptions are being restored is part of the gap.
    open: Option<u64>,
    closed: bool,
}

impl Fan {
    pub(super) fn add(&self, queue: Arc<Queue>) {
        let mut state = lock(&self.state);
        if state.closed {
            queue.close();
        } else {
            state.queues.push(queue);
        }
    }

    pub(super) fn remove(&self, queue: &Arc<Queue>) {
        lock(&self.state).queues.retain(|known| !Arc::ptr_eq(known, queue));
    }

    /// Lets messages of this connection through, after the gap if there is one. `first` runs before
    /// anybody can read the gap.
    pub(super) fn open(&self, connection: u64, gap: Option<SystemTime>, first: impl FnOnce()) {
        let mut state = lock(&self.state);
        first();
        state.open = Some(connection);
        if let Some(since) = gap {
            state.push(&LinkEvent::Gap { since });
        }
    }

    /// The link is down: nothing of the old connection comes after this.
    pub(super) fn lose(&self, since: SystemTime) {
        let mut state = lock(&self.state);
        state.open = None;
        state.push(&LinkEvent::Lost { since });
    }

    /// Hands out one message; returns how many feeds dropped it, or None if the connection is an
    /// old one.
    pub(super) fn message(
        &self,
        connection: u64,
        channel: Arc<str>,
        payload: Bytes,
    ) -> Option<u64> {
        let state = lock(&self.state);
        (state.open == Some(connection))
            .then(|| state.push(&LinkEvent::Message { channel, payload }))
    }

    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.open = None;
        state.closed = true;
        state.queues.drain(..).for_each(|queue| queue.close());
    }
}

impl State {
    fn push(&self, event: &LinkEvent) -> u64 {
        self.queues.iter().map(|queue| u64::from(!queue.push(event.clone()))).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::link::feed::{Feed, Limits};

    fn fan() -> Arc<Fan> {
        let fan = Arc::new(Fan::default());
        fan.open(1, None, || {});
        fan
    }

    fn feed(fan: &Arc<Fan>, messages: usize, bytes: usize) -> Feed {
        Feed::new(fan, Limits { messages, bytes })
    }

    fn say(fan: &Fan, payload: &'static str) -> Option<u64> {
        fan.message(1, "channel".into(), Bytes::from_static(payload.as_bytes()))
    }

    /// Messages as their payloads, gaps as "gap".
    async fn read(feed: &mut Feed) -> Vec<String> {
        let mut events = Vec::new();
        assert!(feed.recv(&mut events).await);
        let text = |event| match event {
            LinkEvent::Message { payload, .. } => String::from_utf8(payload.to_vec()).unwrap(),
            LinkEvent::Lost { .. } => "lost".to_owned(),
            LinkEvent::Gap { .. } => "gap".to_owned(),
        };
        events.into_iter().map(text).collect()
    }

    #[tokio::test]
    async fn a_full_feed_ends_in_one_gap_and_others_do_not_notice() {
        let fan = fan();
        let (mut small, mut large) = (feed(&fan, 2, 100), feed(&fan, 9, 100));
        let dropped: Vec<_> = ["a", "b", "c", "d"].map(|text| say(&fan, text)).into();
        assert_eq!(dropped, [Some(0), Some(0), Some(1), Some(1)]);
        assert_eq!(read(&mut small).await, ["a", "b", "gap"]);
        assert_eq!(read(&mut large).await, ["a", "b", "c", "d"]);
        say(&fan, "e");
        assert_eq!(read(&mut small).await, ["e"]);
    }

    #[tokio::test]
    async fn a_message_larger_than_the_feed_wakes_its_reader_with_a_gap() {
        let fan = fan();
        let mut feed = feed(&fan, 9, 3);
        let reader = tokio::spawn(async move { read(&mut feed).await });
        tokio::task::yield_now().await;
        assert_eq!(say(&fan, "four"), Some(1));
        assert_eq!(reader.await.unwrap(), ["gap"]);
    }

    #[tokio::test]
    async fn bytes_are_given_back_when_they_are_read() {
        let fan = fan();
        let mut feed = feed(&fan, 9, 3);
        for _ in 0..10 {
            assert_eq!(say(&fan, "abc"), Some(0));
            assert_eq!(read(&mut feed).await, ["abc"]);
        }
    }

    #[tokio::test]
    async fn an_outage_that_meets_a_full_feed_dates_its_gap_back() {
        let fan = fan();
        let mut feed = feed(&fan, 1, 100);
        say(&fan, "a");
        say(&fan, "b");
        let long_ago = SystemTime::now() - Duration::from_secs(60);
        fan.lose(long_ago);
        let mut events = Vec::new();
        feed.recv(&mut events).await;
        assert_eq!(events.last(), Some(&LinkEvent::Gap { since: long_ago }));
    }

    #[tokio::test]
    async fn messages_of_an_old_connection_are_ignored() {
        let fan = fan();
        let mut feed = feed(&fan, 9, 100);
        fan.lose(SystemTime::now());
        assert_eq!(say(&fan, "late"), None);
        fan.open(2, Some(SystemTime::now()), || {});
        assert_eq!(say(&fan, "later"), None);
        assert_eq!(read(&mut feed).await, ["lost", "gap"]);
    }

    #[tokio::test]
    async fn a_closed_feed_is_read_to_its_end() {
        let fan = fan();
        let mut feed = feed(&fan, 9, 100);
        say(&fan, "a");
        fan.close();
        assert_eq!(read(&mut feed).await, ["a"]);
        assert!(!feed.recv(&mut Vec::new()).await);
    }

    #[test]
    fn a_dropped_feed_is_forgotten() {
        let fan = fan();
        drop(feed(&fan, 1, 1));
        assert_eq!(say(&fan, "a"), Some(0));
    }
}
