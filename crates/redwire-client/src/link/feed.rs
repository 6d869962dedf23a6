use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use super::fan::Fan;
use super::queue::{Limits, Queue, Queued, Taken};

/// What a [`Feed`] brings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkEvent {
    /// Somebody published this in a channel, sharded or not.
    Message {
        /// Where it was published, one of the subscribed channels.
        channel: Arc<str>,
        /// The bytes as they were published; not necessarily UTF-8.
        payload: Bytes,
    },
    /// Somebody published this in a channel that matches a pattern.
    PatternMessage {
        /// Which of the subscribed patterns.
        pattern: Arc<str>,
        /// Where it was published; what is not UTF-8 in its name is replaced by U+FFFD.
        channel: Arc<str>,
        /// As in [`Message`](Self::Message).
        payload: Bytes,
    },
    /// The link is down. A [`Gap`](Self::Gap) follows when it is back.
    Lost {
        /// The last moment at which Redis was heard.
        since: SystemTime,
    },
    /// Messages of any subscribed topic may be missing: those published between `since` and now.
    ///
    /// One for each outage, sent once all subscriptions stand again, so that what is read after it is
    /// at least as new as the first message that follows. One also when this feed was full.
    Gap {
        /// Nothing published before this moment is missing.
        since: SystemTime,
    },
    /// Another node of the cluster serves this sharded channel now; this link brings nothing of it.
    Moved {
        /// The sharded channel.
        channel: Arc<str>,
        /// Nothing published before this moment is missing.
        since: SystemTime,
    },
}

impl Queued for LinkEvent {
    fn size(&self) -> usize {
        match self {
            Self::Message { payload, .. } | Self::PatternMessage { payload, .. } => payload.len(),
            Self::Lost { .. } | Self::Gap { .. } | Self::Moved { .. } => 0,
        }
    }

    fn since(&self) -> Option<SystemTime> {
        match self {
            Self::Message { .. } | Self::PatternMessage { .. } => None,
            Self::Lost { since } | Self::Gap { since } | Self::Moved { since, .. } => Some(*since),
        }
    }

    fn gap(since: SystemTime) -> Self {
        Self::Gap { since }
    }
}

/// One reader's bounded queue of [`LinkEvent`]s, from [`Link::feed`](crate::Link::feed).
///
/// A full queue drops messages until its reader has taken everything that it holds; then comes one
/// [`LinkEvent::Gap`] with the time of the first drop. Other feeds do not notice.
#[derive(Debug)]
pub struct Feed {
    queue: Arc<Queue<LinkEvent>>,
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
