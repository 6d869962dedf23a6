use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use redwire_client::{Error, Link, LinkConfig, LinkEvent, Outcome, Standing};
use redwire_protocol::{Backend, BackendError, Event, Feed, async_trait};
use tokio::time::timeout;

use crate::cache::Reads;
use crate::clock;
use crate::flights::Flights;

/// Keys and channels of a Redis (6 or later), over supervised connections that heal by themselves; see
/// [`Link`]. Clones share them.
///
/// There are two. Redis cuts a connection with subscriptions that is behind with reading by 32 MB
/// (`client-output-buffer-limit pubsub`), and large replies count: were they on the same connection,
/// viewers who read much would cost everybody a gap.
///
/// Of what many viewers read at the same time, one read is on its way to Redis and the next one serves
/// all who have asked since: no viewer gets a value that was read before it asked.
#[derive(Clone, Debug)]
pub struct RedisBackend {
    subscriptions: Link,
    commands: Link,
    reader: Reader,
    fields: Flights<Arc<Field>, Result<Option<Bytes>, BackendError>>,
    hashes: Flights<Arc<str>, Result<Vec<Bytes>, BackendError>>,
}

/// A hash's key and a field of it.
type Field = (Box<str>, Box<str>);

/// How hashes are read.
#[derive(Clone, Debug)]
enum Reader {
    Plain(Link),
    Cached(Arc<Reads>),
}

impl RedisBackend {
    /// Connects to `redis://[user:password@]host[:port][/database]`, `rediss://…` for TLS, or `redis+unix:///path`;
    /// all that a URL may say is on [`Config`](redwire_client::Config).
    ///
    /// A Redis that is down is no error: the link keeps trying, and commands fail until it is up.
    ///
    /// # Errors
    ///
    /// If the URL cannot be used.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::connect_with(url, LinkConfig::default()).await
    }

    /// The same with deadlines and bounds of your own.
    ///
    /// # Errors
    ///
    /// If the URL cannot be used.
    pub async fn connect_with(url: &str, config: LinkConfig) -> Result<Self, Error> {
        let subscriptions = Link::connect_with(url, config.clone());
        let commands = Link::connect_with(url, config);
        let (subscriptions, commands) = tokio::try_join!(subscriptions, commands)?;
        let reader = Reader::Plain(commands.clone());
        Ok(Self::reading(subscriptions, commands, reader))
    }

    /// Keeps what is read of hashes, in at most so many bytes, for as long as Redis itself says that it is
    /// true (`CLIENT TRACKING`). 0 keeps nothing, and so do clones that were made before.
    ///
    /// Whoever has been sent a message from a [`feed`](Backend::feed) of this backend never gets by a later
    /// `hget` or `hvals` of it what is older than what was written before that message was published. Who
    /// heard of it elsewhere may, while this backend has lost Redis and not noticed yet. A change without a
    /// message is seen as soon as Redis' word of it is here. Nothing is served for longer than 5 s, which bounds what Redis does not tell at once,
    /// that keys have expired, or not at all, `SWAPDB`.
    ///
    /// A value above an eighth of the bytes is not kept. The user needs `INFO`, `EXISTS`, and `CLIENT` with
    /// `TRACKING` and `CACHING`; if Redis refuses one of them, that is logged, and everything is read as
    /// without a cache.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn cached(self, bytes: usize) -> Self {
        if bytes == 0 {
            return self;
        }
        let Self { subscriptions, commands, .. } = self;
        let reads = Reads::new(commands.clone(), subscriptions.clone(), bytes);
        Self::reading(subscriptions, commands, Reader::Cached(Arc::new(reads)))
    }

    fn reading(subscriptions: Link, commands: Link, reader: Reader) -> Self {
        let each = reader.clone();
        let fields = Flights::new(move |field: Arc<Field>| {
            let reader = each.clone();
            async move { or_missing(reader.hget(&field.0, &field.1).await) }.boxed()
        });
        let each = reader.clone();
        let hashes = Flights::new(move |key: Arc<str>| {
            let reader = each.clone();
            async move { or_missing(reader.hvals(&key).await) }.boxed()
        });
        Self { subscriptions, commands, reader, fields, hashes }
    }

    /// The connection for commands, for those of your own.
    pub fn link(&self) -> &Link {
        &self.commands
    }
}

#[async_trait]
impl Backend for RedisBackend {
    async fn hget(&self, key: &str, field: &str) -> Result<Option<Bytes>, BackendError> {
        match self.reader.kept_field(key, field) {
            Some(value) => Ok(value),
            None => self.fields.join(Arc::new((key.into(), field.into()))).await,
        }
    }

    async fn hvals(&self, key: &str) -> Result<Vec<Bytes>, BackendError> {
        match self.reader.kept_values(key) {
            Some(values) => Ok(values),
            None => self.hashes.join(key.into()).await,
        }
    }

    fn subscribe(&self, channel: &str) {
        self.subscriptions.subscribe(channel);
    }

    fn unsubscribe(&self, channel: &str) {
        self.subscriptions.unsubscribe(channel);
    }

    async fn confirmed(&self, channel: &str) -> Result<(), BackendError> {
        match self.subscriptions.confirmed(channel).await {
            Standing::Forbidden => Err(BackendError::Forbidden),
            _ => Ok(()),
        }
    }

    fn feed(&self) -> Box<dyn Feed> {
        let (feed, commands) = (self.subscriptions.feed(), self.commands.clone());
        Box::new(LinkFeed { feed, commands, events: Vec::new() })
    }

    fn is_live(&self) -> bool {
        self.subscriptions.is_live() && self.commands.is_live()
    }
}

impl Reader {
    fn kept_field(&self, key: &str, field: &str) -> Option<Option<Bytes>> {
        match self {
            Self::Plain(_) => None,
            Self::Cached(reads) => reads.kept_field(key, field),
        }
    }

    fn kept_values(&self, key: &str) -> Option<Vec<Bytes>> {
        match self {
            Self::Plain(_) => None,
            Self::Cached(reads) => reads.kept_values(key),
        }
    }

    async fn hget(&self, key: &str, field: &str) -> Result<Option<Bytes>, Error> {
        match self {
            Self::Plain(link) => link.hget(key, field).await,
            Self::Cached(reads) => reads.hget(key, field).await,
        }
    }

    async fn hvals(&self, key: &str) -> Result<Vec<Bytes>, Error> {
        match self {
            Self::Plain(link) => link.hvals(key).await,
            Self::Cached(reads) => reads.hvals(key).await,
        }
    }
}

/// A key of another type holds no hash; that is for whoever wrote it to mend, not for the viewer.
fn or_missing<T: Default>(result: Result<T, Error>) -> Result<T, BackendError> {
    match result {
        Ok(value) => Ok(value),
        Err(Error::WrongType { .. }) => Ok(T::default()),
        Err(Error::Timeout { .. }) => Err(BackendError::Timeout),
        Err(error) if error.outcome() != Outcome::Answered => Err(BackendError::Unavailable),
        Err(error) => {
            tracing::warn!(%error, "redis refused a command");
            Err(BackendError::Failed)
        }
    }
}

struct LinkFeed {
    feed: redwire_client::Feed,
    commands: Link,
    /// What was received and not handed on.
    events: Vec<LinkEvent>,
}

/// How long a gap is kept back until there is a connection for commands again: whoever hears of it
/// reads anew at once.
const READABLE: Duration = Duration::from_secs(1);

#[async_trait]
impl Feed for LinkFeed {
    async fn recv(&mut self, events: &mut Vec<Event>) -> bool {
        let more = !self.events.is_empty() || self.feed.recv(&mut self.events).await;
        if self.events.iter().any(|event| matches!(event, LinkEvent::Gap { .. })) {
            // If there is none in time, commands say so themselves.
            let _ = timeout(READABLE, self.commands.live()).await;
        }
        events.extend(self.events.drain(..).filter_map(translate));
        more
    }
}

fn translate(event: LinkEvent) -> Option<Event> {
    match event {
        LinkEvent::Message { channel, payload } => Some(Event::Message { channel, payload }),
        LinkEvent::Gap { since } => Some(Event::Gap { since: clock::since_epoch(since) }),
        _ => None,
    }
}
