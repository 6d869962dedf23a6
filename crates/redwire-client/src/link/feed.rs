use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use bytes::Bytes;
use tokio::sync::Notify;

use super::fan::Fan;
use crate::lock::lock;

/// The most events that one [`Feed::recv`] appends; more would hold the queue's lock for too long.
const BATCH: usize = 1024;

/// What a [`Feed`] brings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkEvent {
    /// Somebody published this.
    Message {
        /// Where it was published, one of the subscribed channels.
        channel: Arc<str>,
        /// The bytes as they were published; not necessarily UTF-8.
        payload: Bytes,
    },
    /// The link is down. A [`Gap`](Self::Gap) follows when it is back.
    Lost {
        /// The last moment at which Redis was heard.
        since: SystemTime,
    },
    /// Messages of any subscribed channel may be missing: those published between `since` and now.
    ///
    /// One for each outage, sent once all subscriptions stand again, so that what is read after it is
    /// at least as new as the first message that follows. One also when this feed was full.
    Gap {
        /// Nothing published before this moment is missing.
        since: SystemTime,
    },
}

impl LinkEvent {
    fn size(&self) -> usize {
        match self {
            Self::Message { payload, .. } => payload.len(),
            Self::Lost { .. } | Self::Gap { .. } => 0,
        }
    }
}

/// One reader's bounded queue of [`LinkEvent`]s, from [`Link::feed`](crate::Link::feed).
///
/// A full queue drops messages until its reader has taken everything that it holds; then comes one
/// [`LinkEvent::Gap`] with the time of the first drop. Other feeds do not notice.
#[derive(Debug)]
pub struct Feed {
    queue: Arc<Queue>,
    fan: Arc<Fan>,
}

impl Feed {
    pub(super) fn new(fan: &Arc<Fan>, limits: Limits) -> Self {
        let queue = Arc::new(Queue::new(limits));
        fan.add(queue.clone());
        Self { queue, fan: fan.clone() }
    }

    /// Waits for events and appends them, in order, at most about a thousand at once.
    ///
    /// Returns `false` when the link is gone and everything has been read. Cancel safe: an event is
    /// either appended or still in the queue.
    pub async fn recv(&mut self, events: &mut Vec<LinkEvent>) -> bool {
        loop {
            match self.queue.take(events) {
                Taken::Some => return true,
                Taken::Closed => return false,
                Taken::Nothing => self.queue.ready.notified().await,
            }
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.fan.remove(&self.queue);
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Wakes the one reader; a permit is kept if it isn't waiting.
    ready: Notify,
    limits: Limits,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<LinkEvent>,
    bytes: usize,
    /// Set from the first drop until its gap has been read.
    dropping_since: Option<SystemTime>,
    closed: bool,
}

enum Taken {
    Some,
    Nothing,
    Closed,
}

impl Queue {
    fn new(limits: Limits) -> Self {
        Self { state: Mutex::default(), ready: Notify::new(), limits }
    }

    /// Whether it was taken; otherwise a gap will be reported.
    pub(super) fn push(&self, event: LinkEvent) -> bool {
        let mut state = lock(&self.state);
        let accepted = state.dropping_since.is_none() && self.has_room(&state, &event);
        let was_idle = state.events.is_empty() && state.dropping_since.is_none();
        if accepted {
            state.bytes += event.size();
            state.events.push_back(event);
        } else {
            state.fold(&event);
        }
        drop(state);
        if was_idle {
            self.ready.notify_one();
        }
        accepted
    }

    pub(super) fn close(&self) {
        lock(&self.state).closed = true;
        self.ready.notify_one();
    }

    fn has_room(&self, state: &State, event: &LinkEvent) -> bool {
        state.events.len() < self.limits.messages
            && state.bytes.saturating_add(event.size()) <= self.limits.bytes
    }

    fn take(&self, into: &mut Vec<LinkEvent>) -> Taken {
        let mut state = lock(&self.state);
        let count = state.events.len().min(BATCH);
        let before = into.len();
        into.extend(state.events.drain(..count));
        let bytes: usize = into.iter().skip(before).map(LinkEvent::size).sum();
        state.bytes -= bytes;
        if state.events.is_empty()
            && let Some(since) = mem::take(&mut state.dropping_since)
        {
            into.push(LinkEvent::Gap { since });
        }
        match (into.len() > before, state.closed) {
            (true, _) => Taken::Some,
            (false, true) => Taken::Closed,
            (false, false) => Taken::Nothing,
        }
    }
}

impl State {
    /// Makes a dropped event part of the gap to come.
    fn fold(&mut self, event: &LinkEvent) {
        let since = match event {
            LinkEvent::Message { .. } => SystemTime::now(),
            LinkEvent::Lost { since } | LinkEvent::Gap { since } => *since,
        };
        let earlier = self.dropping_since.map_or(since, |known| known.min(since));
        self.dropping_since = Some(earlier);
    }
}
