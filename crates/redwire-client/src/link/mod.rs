mod commands;
mod connection;
mod fan;
mod feed;
mod heartbeat;
mod listener;
mod names;
mod queue;
mod routing;
mod shared;
mod step;
mod subscriptions;
mod supervisor;
mod table;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::DropGuard;

pub(crate) use fan::Fan;
pub use feed::{Feed, LinkEvent};
pub(crate) use queue::{Limits, Queue, Queued, Taken};
pub use table::Standing;

use crate::lock::lock;
use crate::subscriber::{Inbox, Subscriber};
use crate::topic::Topic;
use crate::{Error, LinkConfig, address};
use shared::Shared;
use table::Confirmation;

/// A supervised connection to one Redis. Clones are handles on the same connection.
///
/// Its task ends when the last handle is dropped, and its feeds with it; feeds alone do not keep it
/// alive. Subscribers do.
#[derive(Clone)]
pub struct Link {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    _ends_the_supervisor: DropGuard,
}

impl Link {
    /// Connects with the default [`LinkConfig`]. See [`connect_with`](Self::connect_with).
    ///
    /// # Errors
    ///
    /// As [`connect_with`](Self::connect_with).
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::connect_with(url, LinkConfig::default()).await
    }

    /// Starts the link and waits for its first attempt, at most for the connect timeout.
    ///
    /// URLs are `redis://[[user]:password@][host][:port][/database]`, where no host means localhost, or
    /// `redis+unix:///path[?db=database&user=user&pass=password]`. A Redis that is down, or slow, is not
    /// an error: the link goes on trying for as long as it lives. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::Url`] if the URL is malformed, [`Error::Refused`] if Redis answers the first attempt
    /// but does not let us in.
    pub async fn connect_with(url: &str, config: LinkConfig) -> Result<Self, Error> {
        let client = redis::Client::open(address::connection_info(url)?)
            .map_err(|_| Error::Url { part: "url", problem: "is malformed" })?;
        let patience = config.connect_timeout;
        let shared = Arc::new(Shared::new(client, config));
        let (sender, first_attempt) = oneshot::channel();
        tokio::spawn(supervisor::supervise(shared.clone(), sender));
        let guard = shared.closing.clone().drop_guard();
        let link = Self { handle: Arc::new(Handle { shared, _ends_the_supervisor: guard }) };
        match timeout(patience, first_attempt).await {
            Ok(Ok(Err(error))) => Err(error),
            _ => Ok(link),
        }
    }

    /// Wants a topic. Counted: the first one subscribes, and as many
    /// [`unsubscribe`](Self::unsubscribe)s end it. Returns at once, also while the link is down.
    pub fn subscribe(&self, topic: impl Into<Topic>) {
        if lock(&self.shared().table).add(&topic.into()) {
            self.shared().unsettled.notify_one();
        }
    }

    /// Wants a topic one time less. One too many is ignored.
    pub fn unsubscribe(&self, topic: impl Into<Topic>) {
        if lock(&self.shared().table).remove(&topic.into()) {
            self.shared().unsettled.notify_one();
        }
    }

    /// Waits until Redis has confirmed the subscription, and says how it stands.
    ///
    /// Returns [`Standing::Unconfirmed`] at once if nobody wants the topic or the link is down (then
    /// a [`LinkEvent::Gap`] will say when it stands), as soon as the link breaks, or after the command
    /// timeout. Cancel safe.
    pub async fn confirmed(&self, topic: impl Into<Topic>) -> Standing {
        let confirmation = lock(&self.shared().table).confirmation(&topic.into());
        match confirmation {
            Confirmation::Known(stands) => stands,
            Confirmation::Awaited(receiver) => {
                let verdict = timeout(self.shared().config.command_timeout, receiver).await;
                verdict.ok().and_then(Result::ok).unwrap_or(Standing::Unconfirmed)
            }
        }
    }

    /// A new queue of all events from now on.
    pub fn feed(&self) -> Feed {
        Feed::new(&self.shared().fan, self.limits())
    }

    /// A new reader of topics of its own, over this link. It keeps the link alive.
    pub fn subscriber(&self) -> Subscriber {
        Subscriber::new(Box::new(self.clone()), self.limits())
    }

    /// Whether Redis is there and every subscription was restored.
    pub fn is_live(&self) -> bool {
        self.shared().connection.borrow().is_some()
    }

    /// Waits until the link is live. Cancel safe.
    pub async fn live(&self) {
        // The sender lives in `shared`, so the channel cannot be closed while we wait.
        let _ = self.shared().connection.subscribe().wait_for(Option::is_some).await;
    }

    /// Which Redis: `host:port` or the path of a socket.
    pub fn endpoint(&self) -> &str {
        &self.shared().endpoint
    }

    /// A snapshot for metrics.
    pub fn stats(&self) -> LinkStats {
        let counters = &self.shared().counters;
        LinkStats {
            live: self.is_live(),
            channels: lock(&self.shared().table).wanted(),
            reconnects: counters.reconnects.load(Ordering::Relaxed),
            messages: counters.messages.load(Ordering::Relaxed),
            dropped: counters.dropped.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
        }
    }

    /// Gives a subscriber what is published there.
    pub(crate) fn join(&self, topic: &Topic, inbox: &Arc<Inbox>) {
        self.shared().join(topic, inbox);
    }

    /// Takes it away again. `then` runs before anything else can reach the subscriber.
    pub(crate) fn part(&self, topic: &Topic, inbox: &Arc<Inbox>, then: impl FnOnce()) {
        self.shared().part(topic, inbox, then);
    }

    /// Waits until topics have moved to other nodes. Returns all that wait for it, with their
    /// subscribers, which can be attached there. Cancel safe.
    #[cfg_attr(not(test), expect(dead_code, reason = "a cluster will follow them"))]
    pub(crate) async fn moved(&self) -> Vec<(Topic, Vec<Arc<Inbox>>)> {
        loop {
            self.shared().moved.notified().await;
            let topics = lock(&self.shared().table).elsewhere();
            if !topics.is_empty() {
                let fan = self.fan().lock();
                let with_readers = |topic| (fan.readers_of(&topic), topic);
                let moved = topics.into_iter().map(with_readers);
                return moved.map(|(readers, topic)| (topic, readers)).collect();
            }
        }
    }

    pub(crate) fn fan(&self) -> &Fan {
        &self.shared().fan
    }

    fn limits(&self) -> Limits {
        let config = &self.shared().config;
        Limits { messages: config.feed_messages, bytes: config.feed_bytes }
    }

    fn shared(&self) -> &Shared {
        &self.handle.shared
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (endpoint, live) = (self.endpoint(), self.is_live());
        f.debug_struct("Link").field("endpoint", &endpoint).field("live", &live).finish()
    }
}

/// What a [`Link`] has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkStats {
    /// Whether it is live.
    pub live: bool,
    /// Topics that somebody wants, of all kinds.
    pub channels: usize,
    /// Times that it became live again; the first time does not count.
    pub reconnects: u64,
    /// Messages received from Redis, each counted once.
    pub messages: u64,
    /// Messages dropped by full queues, counted for each feed and each subscriber.
    pub dropped: u64,
    /// Subscriptions that Redis refused, such as with `NOPERM`.
    pub refused: u64,
}
