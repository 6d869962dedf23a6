use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use crate::link::Queued;
use crate::topic::Topic;

/// What a [`Subscriber`](crate::Subscriber) brings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Somebody published this. What matches two topics comes twice.
    Message {
        /// The subscribed pattern that it came by, if it came by one.
        pattern: Option<Arc<str>>,
        /// Where it was published; what is not UTF-8 in its name is replaced by U+FFFD.
        channel: Arc<str>,
        /// The bytes as they were published; not necessarily UTF-8.
        payload: Bytes,
    },
    /// Redis has confirmed a topic, for the first time or after an outage. Its messages follow.
    Subscribed {
        /// Which one.
        topic: Topic,
        /// How many topics of this subscriber stand now.
        count: usize,
    },
    /// No message of this topic follows: [`unsubscribe`](crate::Subscriber::unsubscribe) named it, or
    /// Redis does not let us read it any more.
    Unsubscribed {
        /// Which one.
        topic: Topic,
        /// How many topics of this subscriber stand now.
        count: usize,
    },
    /// Redis, or the node that serves a sharded channel, is gone. When it is back,
    /// [`Subscribed`](Self::Subscribed) follows for each of its topics and then one
    /// [`Gap`](Self::Gap).
    Lost {
        /// The last moment at which Redis was heard.
        since: SystemTime,
    },
    /// Messages may be missing: those published between `since` and now.
    ///
    /// It ends an outage, when all topics stand again: what is read from Redis after it is at least as
    /// new as the first message that follows. It also stands for what a full queue dropped.
    Gap {
        /// Nothing published before this moment is missing.
        since: SystemTime,
    },
    /// The answer to a [`ping`](crate::Subscriber::ping).
    Pong {
        /// What was sent.
        payload: Bytes,
    },
}

impl Queued for Event {
    fn size(&self) -> usize {
        match self {
            Self::Message { payload, .. } | Self::Pong { payload } => payload.len(),
            _ => 0,
        }
    }

    fn since(&self) -> Option<SystemTime> {
        match self {
            Self::Lost { since } | Self::Gap { since } => Some(*since),
            _ => None,
        }
    }

    fn gap(since: SystemTime) -> Self {
        Self::Gap { since }
    }
}
