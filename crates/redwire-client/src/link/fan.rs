use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use bytes::Bytes;

use super::feed::LinkEvent;
use super::queue::{Queue, Queued};
use crate::lock::lock;
use crate::subscriber::{Event, Inbox};
use crate::topic::{ByKind, Topic};

/// Hands every event to every feed, and to the subscribers of its topic, under one lock, so that all
/// of them see one order.
#[derive(Debug, Default)]
pub(crate) struct Fan {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    queues: Vec<Arc<Queue<LinkEvent>>>,
    /// Each topic's subscribers.
    routes: ByKind<HashMap<Arc<str>, Readers>>,
    /// Every subscriber once, and how many of its topics come through here.
    readers: HashMap<usize, (Arc<Inbox>, usize)>,
    /// The connection whose messages count. None while the link is down: what arrives while
    /// subscriptions are being restored is part of the gap.
    open: Option<u64>,
    closed: bool,
}

/// By their addresses.
type Readers = HashMap<usize, Arc<Inbox>>;

/// What somebody published.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) topic: Topic,
    /// For a pattern, where it was published.
    pub(super) channel: Option<Arc<str>>,
    pub(super) payload: Bytes,
}

impl Fan {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(super) fn add(&self, queue: Arc<Queue<LinkEvent>>) {
        let mut state = self.lock();
        if state.closed {
            queue.close();
        } else {
            state.queues.push(queue);
        }
    }

    pub(super) fn remove(&self, queue: &Arc<Queue<LinkEvent>>) {
        self.lock().queues.retain(|known| !Arc::ptr_eq(known, queue));
    }

    /// The link is down: nothing of the old connection comes after this.
    pub(super) fn lose(&self, since: SystemTime) {
        let mut state = self.lock();
        state.open = None;
        state.tell_feeds(LinkEvent::Lost { since });
        state.readers().for_each(|inbox| inbox.lost(self, since));
    }

    /// Hands out one message; returns how many queues dropped it, or None if the connection is an
    /// old one.
    pub(super) fn message(&self, connection: u64, message: Published) -> Option<u64> {
        let state = self.lock();
        (state.open == Some(connection)).then(|| state.hand_out(message))
    }

    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.open = None;
        state.closed = true;
        state.queues.drain(..).for_each(|queue| queue.close());
        state.routes = ByKind::default();
        state.readers.drain().for_each(|(_, (inbox, _))| inbox.end());
    }
}

impl State {
    /// Lets messages of this connection through.
    pub(super) fn open(&mut self, connection: u64) {
        self.open = Some(connection);
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Returns how many dropped it.
    pub(super) fn tell_feeds(&self, event: LinkEvent) -> u64 {
        push_to_all(self.queues.iter().map(AsRef::as_ref), event)
    }

    pub(super) fn route(&mut self, topic: &Topic, inbox: &Arc<Inbox>) {
        let routes = self.routes.of_mut(topic.kind);
        let readers = routes.entry(topic.name.clone()).or_default();
        if readers.insert(address(inbox), inbox.clone()).is_none() {
            self.readers.entry(address(inbox)).or_insert_with(|| (inbox.clone(), 0)).1 += 1;
        }
    }

    /// Whether there was such a route.
    pub(super) fn unroute(&mut self, topic: &Topic, inbox: &Arc<Inbox>) -> bool {
        let routes = self.routes.of_mut(topic.kind);
        let Some(readers) = routes.get_mut(&topic.name) else { return false };
        if readers.remove(&address(inbox)).is_none() {
            return false;
        }
        if readers.is_empty() {
            routes.remove(&topic.name);
        }
        if let Some((_, topics)) = self.readers.get_mut(&address(inbox)) {
            *topics -= 1;
            if *topics == 0 {
                self.readers.remove(&address(inbox));
            }
        }
        true
    }

    pub(super) fn readers(&self) -> impl Iterator<Item = &Arc<Inbox>> {
        self.readers.values().map(|(inbox, _)| inbox)
    }

    pub(super) fn readers_of(&self, topic: &Topic) -> Vec<Arc<Inbox>> {
        let readers = self.routes.of(topic.kind).get(&topic.name);
        readers.into_iter().flat_map(HashMap::values).cloned().collect()
    }

    /// Returns how many queues dropped it.
    fn hand_out(&self, message: Published) -> u64 {
        let readers = self.routes.of(message.topic.kind).get(&message.topic.name);
        let inboxes = readers.into_iter().flat_map(HashMap::values).map(|inbox| &inbox.queue);
        if self.queues.is_empty() {
            return push_to_all(inboxes, message.into());
        }
        let dropped = match readers {
            Some(_) => push_to_all(inboxes, message.clone().into()),
            None => 0,
        };
        dropped + self.tell_feeds(message.into())
    }
}

/// The last one gets the event itself: the first copy of a payload costs an allocation.
fn push_to_all<'a, E: Queued + Clone + 'a>(
    queues: impl Iterator<Item = &'a Queue<E>>,
    event: E,
) -> u64 {
    let mut queues = queues.peekable();
    let mut dropped = 0;
    while let Some(queue) = queues.next() {
        if queues.peek().is_none() {
            return dropped + u64::from(!queue.push(event));
        }
        dropped += u64::from(!queue.push(event.clone()));
    }
    dropped
}

impl From<Published> for Event {
    fn from(Published { topic, channel, payload }: Published) -> Self {
        match channel {
            Some(channel) => Self::Message { pattern: Some(topic.name), channel, payload },
            None => Self::Message { pattern: None, channel: topic.name, payload },
        }
    }
}

impl From<Published> for LinkEvent {
    fn from(Published { topic, channel, payload }: Published) -> Self {
        match channel {
            Some(channel) => Self::PatternMessage { pattern: topic.name, channel, payload },
            None => Self::Message { channel: topic.name, payload },
        }
    }
}

/// Unique as long as it is in a map.
fn address(inbox: &Arc<Inbox>) -> usize {
    Arc::as_ptr(inbox).addr()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::link::feed::Feed;
    use crate::link::queue::Limits;

    fn fan() -> Arc<Fan> {
        let fan = Arc::new(Fan::default());
        fan.lock().open(1);
        fan
    }

    fn feed(fan: &Arc<Fan>, messages: usize, bytes: usize) -> Feed {
        Feed::new(fan, Limits { messages, bytes })
    }

    fn say(fan: &Fan, payload: &'static str) -> Option<u64> {
        let payload = Bytes::from_static(payload.as_bytes());
        fan.message(1, Published { topic: Topic::channel("channel"), channel: None, payload })
    }

    /// Messages as their payloads, gaps as "gap".
    async fn read(feed: &mut Feed) -> Vec<String> {
        let mut events = Vec::new();
        assert!(feed.recv(&mut events).await);
        let text = |event| match event {
            LinkEvent::Message { payload, .. } => String::from_utf8(payload.to_vec()).unwrap(),
            LinkEvent::Lost { .. } => "lost".to_owned(),
            LinkEvent::Gap { .. } => "gap".to_owned(),
            other => panic!("{other:?}"),
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
        fan.lock().open(2);
        assert_eq!(say(&fan, "later"), None);
        assert_eq!(read(&mut feed).await, ["lost"]);
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
