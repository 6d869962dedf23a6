use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use redwire_protocol::{Backend, BackendError, Event, Feed, async_trait};
use tokio::sync::mpsc;

use crate::clock;

/// Events that may wait in a feed. A full feed loses messages, and ends in a gap.
const FEED: usize = 65_536;
/// Events that are taken from a feed at once.
const BATCH: usize = 256;

/// Keys and channels in this process's memory: for tests, demos, and servers that are their own
/// publisher. Nothing persists, and nobody else sees it. Clones share their data.
///
/// ```
/// use redwire_server::MemoryBackend;
///
/// let backend = MemoryBackend::from_iter([("trains", "42", r#"{"speed":112}"#)]);
/// backend.hset("trains", "43", r#"{"speed":80}"#);
/// backend.publish("trains", r#"{"speed":80}"#);
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryBackend {
    data: Arc<Mutex<Data>>,
}

#[derive(Debug, Default)]
struct Data {
    hashes: HashMap<String, BTreeMap<String, Bytes>>,
    subscribers: HashMap<String, usize>,
    feeds: Vec<Sender>,
}

#[derive(Debug)]
struct Sender {
    events: mpsc::Sender<Event>,
    lost_since: Loss,
}

/// When the first message was lost that the feed's reader has not been told of.
type Loss = Arc<Mutex<Option<u64>>>;

impl MemoryBackend {
    /// An empty backend.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets one field of a hash.
    pub fn hset(&self, key: impl Into<String>, field: impl Into<String>, value: impl Into<Bytes>) {
        let mut data = self.data();
        data.hashes.entry(key.into()).or_default().insert(field.into(), value.into());
    }

    /// Removes one field of a hash.
    pub fn hdel(&self, key: &str, field: &str) {
        let mut data = self.data();
        let Some(hash) = data.hashes.get_mut(key) else { return };
        hash.remove(field);
        if hash.is_empty() {
            data.hashes.remove(key);
        }
    }

    /// Publishes to everybody who has subscribed to `channel`.
    pub fn publish(&self, channel: &str, payload: impl Into<Bytes>) {
        let mut data = self.data();
        if !data.subscribers.contains_key(channel) {
            return;
        }
        let event = Event::Message { channel: channel.into(), payload: payload.into() };
        data.feeds.retain(|feed| feed.send(&event));
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sender {
    /// Queues the event, unless one was lost that the reader has not been told of; `false` when nobody
    /// listens any more.
    fn send(&self, event: &Event) -> bool {
        let mut lost_since = self.lost_since.lock().unwrap_or_else(PoisonError::into_inner);
        if lost_since.is_none() && self.events.try_send(event.clone()).is_err() {
            *lost_since = Some(clock::now());
        }
        !self.events.is_closed()
    }
}

impl<K: Into<String>, F: Into<String>, V: Into<Bytes>> FromIterator<(K, F, V)> for MemoryBackend {
    /// A backend with these `(key, field, value)`s.
    fn from_iter<I: IntoIterator<Item = (K, F, V)>>(fields: I) -> Self {
        let backend = Self::new();
        fields.into_iter().for_each(|(key, field, value)| backend.hset(key, field, value));
        backend
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    async fn hget(&self, key: &str, field: &str) -> Result<Option<Bytes>, BackendError> {
        Ok(self.data().hashes.get(key).and_then(|hash| hash.get(field)).cloned())
    }

    async fn hvals(&self, key: &str) -> Result<Vec<Bytes>, BackendError> {
        let data = self.data();
        Ok(data.hashes.get(key).into_iter().flat_map(BTreeMap::values).cloned().collect())
    }

    fn subscribe(&self, channel: &str) {
        *self.data().subscribers.entry(channel.into()).or_default() += 1;
    }

    fn unsubscribe(&self, channel: &str) {
        let mut data = self.data();
        let Some(count) = data.subscribers.get_mut(channel) else { return };
        *count -= 1;
        if *count == 0 {
            data.subscribers.remove(channel);
        }
    }

    async fn confirmed(&self, _channel: &str) -> Result<(), BackendError> {
        Ok(())
    }

    fn feed(&self) -> Box<dyn Feed> {
        let (events, receiver) = mpsc::channel(FEED);
        let lost_since = Loss::default();
        self.data().feeds.push(Sender { events, lost_since: Arc::clone(&lost_since) });
        Box::new(MemoryFeed { events: receiver, lost_since })
    }

    fn is_live(&self) -> bool {
        true
    }
}

struct MemoryFeed {
    events: mpsc::Receiver<Event>,
    lost_since: Loss,
}

#[async_trait]
impl Feed for MemoryFeed {
    async fn recv(&mut self, events: &mut Vec<Event>) -> bool {
        let received = self.events.recv_many(events, BATCH).await;
        // What was queued comes before the gap; a full queue is read to its end first.
        let mut lost_since = self.lost_since.lock().unwrap_or_else(PoisonError::into_inner);
        if self.events.is_empty()
            && let Some(since) = lost_since.take()
        {
            events.push(Event::Gap { since });
        }
        received > 0
    }
}
