mod event;
mod inbox;
#[cfg(test)]
mod roaming;
mod topics;

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::BoxFuture;
use redis::Value;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

pub use event::Event;
pub(crate) use inbox::Inbox;

use crate::Error;
use crate::link::{Limits, Link, Standing, Taken};
use crate::topic::{Topic, TopicKind};

/// One reader of topics of its own. Any number of them share one connection.
///
/// Each gets only what it has subscribed to, through a bounded queue: full, it drops events until its
/// reader has taken everything that it holds, and then brings one [`Event::Gap`]; other subscribers do
/// not notice. Connections heal by themselves, and the topics with them: an outage is
/// [`Event::Lost`], then [`Event::Subscribed`] for each topic that Redis has confirmed again, then one
/// [`Event::Gap`].
///
/// ```no_run
/// use redwire_client::{Event, Link, Topic};
///
/// # async fn read() -> Result<(), redwire_client::Error> {
/// let link = Link::connect("redis://127.0.0.1").await?;
/// let mut subscriber = link.subscriber();
/// subscriber.subscribe([Topic::channel("news"), Topic::pattern("trains.*")]).await?;
/// loop {
///     match subscriber.next().await? {
///         Event::Message { channel, payload, .. } => println!("{channel}: {payload:?}"),
///         Event::Gap { since } => println!("something is missing since {since:?}"),
///         _ => {}
///     }
/// }
/// # }
/// ```
///
/// As a [`Stream`] it ends when it is closed. Dropping it unsubscribes.
pub struct Subscriber {
    inbox: Arc<Inbox>,
    carrier: Box<dyn Carrier>,
    /// What was taken from the queue and not handed on.
    taken: VecDeque<Event>,
    /// For the stream: until there is more.
    more: Option<Pin<Box<OwnedNotified>>>,
}

/// Which link brings a topic.
pub(crate) trait Carrier: fmt::Debug + Send + Sync {
    fn link<'a>(&'a self, topic: &'a Topic) -> BoxFuture<'a, Result<Link, Error>>;

    /// Who is woken when a topic's node does not serve it any more, and attaches it to another link;
    /// None if nobody does.
    fn roams(&self) -> Option<Arc<Notify>>;
}

impl Carrier for Link {
    fn link<'a>(&'a self, _: &'a Topic) -> BoxFuture<'a, Result<Link, Error>> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }

    fn roams(&self) -> Option<Arc<Notify>> {
        None
    }
}

impl Subscriber {
    pub(crate) fn new(carrier: Box<dyn Carrier>, limits: Limits) -> Self {
        let inbox = Arc::new(Inbox::new(carrier.roams(), limits));
        Self { inbox, carrier, taken: VecDeque::new(), more: None }
    }

    pub(crate) fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// Adds topics, and returns when Redis has confirmed all of them.
    ///
    /// While Redis is away this waits for it, however long. Cancel safe: topics stay wanted when the
    /// future is dropped, and [`Event::Subscribed`] tells when they stand. A topic that it has already
    /// is no news.
    ///
    /// # Errors
    ///
    /// [`Error::Server`] with the code `NOPERM` if Redis' own rules (ACL) forbid one of them, or `MOVED`
    /// if Redis does not serve a sharded channel's slot; the other ones stand. [`Error::Closed`].
    pub async fn subscribe(
        &self,
        topics: impl IntoIterator<Item = impl Into<Topic>>,
    ) -> Result<(), Error> {
        let mut awaited = Vec::new();
        for topic in topics {
            let topic = topic.into();
            let link = self.carrier.link(&topic).await?;
            let verdict = self.inbox.attach(&topic, &link)?;
            awaited.push((topic.kind, link, verdict));
        }
        let mut result = Ok(());
        for (kind, link, verdict) in awaited {
            match verdict.await {
                Ok(Standing::Forbidden) => result = Err(forbidden(kind, &link)),
                Ok(Standing::Moved) => result = Err(moved(kind, &link)),
                Err(_) if self.inbox.is_closed() => return Err(closed()),
                // Confirmed, or unsubscribed in the meantime.
                _ => {}
            }
        }
        result
    }

    /// Removes the topics that are named, and no others. Returns at once; nothing of a topic follows
    /// its [`Event::Unsubscribed`]. A topic that it doesn't have is ignored.
    pub fn unsubscribe(&self, topics: impl IntoIterator<Item = impl Into<Topic>>) {
        topics.into_iter().for_each(|topic| self.inbox.detach(&topic.into()));
    }

    /// The next event. Cancel safe.
    ///
    /// # Errors
    ///
    /// [`Error::NotSubscribed`] if it has no topics and there are no more events; [`Error::Closed`].
    pub async fn next(&mut self) -> Result<Event, Error> {
        self.more = None;
        loop {
            if let Some(event) = self.take() {
                return event;
            }
            self.inbox.queue.ready.notified().await;
        }
    }

    /// Asks Redis for a [`Event::Pong`] with this payload; it comes behind all that was published
    /// before. Returns when it is in the queue.
    ///
    /// # Errors
    ///
    /// As [`Link::command`]; [`Error::Closed`].
    pub async fn ping(&self, payload: impl AsRef<[u8]>) -> Result<(), Error> {
        if self.inbox.is_closed() {
            return Err(closed());
        }
        let payload = Bytes::copy_from_slice(payload.as_ref());
        let mut ping = redis::cmd("PING");
        if !payload.is_empty() {
            ping.arg(payload.as_ref());
        }
        let link = match self.inbox.link_of_any() {
            Some(link) => link,
            None => self.carrier.link(&Topic::channel("")).await?,
        };
        let payload = match link.command(&ping).await? {
            Value::BulkString(echo) => echo.into(),
            _ => payload,
        };
        self.inbox.queue.push(Event::Pong { payload });
        Ok(())
    }

    /// Unsubscribes from everything. What was not read yet is gone; after this there is only
    /// [`Error::Closed`].
    pub fn close(&mut self) {
        self.inbox.close();
        self.taken.clear();
    }

    fn take(&mut self) -> Option<Result<Event, Error>> {
        if self.taken.is_empty() {
            match self.inbox.queue.take(&mut self.taken) {
                Taken::Some => {}
                Taken::Closed => return Some(Err(closed())),
                Taken::Nothing if self.inbox.has_topics() => return None,
                Taken::Nothing => return Some(Err(Error::NotSubscribed)),
            }
        }
        self.taken.pop_front().map(Ok)
    }
}

impl Stream for Subscriber {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match self.take() {
                Some(Err(Error::Closed { .. })) => return Poll::Ready(None),
                Some(event) => return Poll::Ready(Some(event)),
                None => {}
            }
            let ready = self.inbox.queue.ready.clone();
            let more = self.more.get_or_insert_with(|| Box::pin(ready.notified_owned()));
            match more.as_mut().poll(context) {
                Poll::Ready(()) => self.more = None,
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber").field("carrier", &self.carrier).finish_non_exhaustive()
    }
}

fn forbidden(kind: TopicKind, link: &Link) -> Error {
    refused(kind, link, "NOPERM", "the topic is forbidden")
}

fn moved(kind: TopicKind, link: &Link) -> Error {
    refused(kind, link, "MOVED", "another node serves the slot")
}

fn refused(kind: TopicKind, link: &Link, code: &str, detail: &str) -> Error {
    let command = match kind {
        TopicKind::Channel => "SUBSCRIBE",
        TopicKind::Pattern => "PSUBSCRIBE",
        TopicKind::Sharded => "SSUBSCRIBE",
    };
    Error::Server {
        endpoint: link.endpoint(),
        command: command.to_owned(),
        code: code.to_owned(),
        detail: detail.to_owned(),
    }
}

fn closed() -> Error {
    Error::Closed { command: "SUBSCRIBE".to_owned() }
}
