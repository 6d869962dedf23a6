mod commands;
mod connection;
mod fan;
mod feed;
mod gather;
mod heartbeat;
mod listener;
mod names;
mod queue;
mod route;
mod routing;
mod sending;
mod shared;
mod state;
mod step;
mod subscriptions;
mod supervisor;
mod table;
mod tracking;

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
pub use tracking::{Connections, Invalidated, Tracking};

use crate::lock::lock;
use crate::subscriber::{Inbox, Subscriber};
use crate::topic::Topic;
use crate::{Config, Endpoint, Error, LinkConfig};
pub(crate) use route::{Fixed, Route, Server, Setup};
pub(crate) use sending::Pending;
use shared::Shared;
use state::State;
use table::Confirmation;

/// Gets the outcome of a link's first attempt: an error only if there is no use in others.
pub(crate) type FirstAttempt = oneshot::Receiver<Result<(), Error>>;

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

    /// Connects with these deadlines and bounds, where the URL does not name others. See
    /// [`open`](Self::open).
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and [`Error::Url`] if the URL is malformed.
    pub async fn connect_with(url: &str, config: LinkConfig) -> Result<Self, Error> {
        Self::open(Config::default().link(config).url(url)?).await
    }

    /// Starts the link and waits for its first attempt, at most for the connect timeout.
    ///
    /// A Redis that is down, or slow, is not an error: the link goes on trying for as long as it lives,
    /// unless [`Config::reconnect`] is off. Of several endpoints it takes the first that answers,
    /// whatever their topology. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the configuration cannot work; [`Error::Refused`] or [`Error::Tls`] if Redis
    /// answers the first attempt but there is no way in.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let route = Fixed(config.clients()?);
        let (link, first) = Self::start(Arc::new(route), Setup::of(&config), config.link);
        link.once_tried(first).await
    }

    /// Starts it without waiting. The receiver gets the outcome of the first attempt.
    pub(crate) fn start(
        route: Arc<dyn Route>,
        setup: Setup,
        config: LinkConfig,
    ) -> (Self, FirstAttempt) {
        let shared = Arc::new(Shared::new(route, setup, config));
        let (sender, first) = oneshot::channel();
        tokio::spawn(supervisor::supervise(shared.clone(), sender));
        tokio::spawn(gather::run(shared.clone()));
        let guard = shared.closing.clone().drop_guard();
        (Self { handle: Arc::new(Handle { shared, _ends_the_supervisor: guard }) }, first)
    }

    /// The link after its first attempt, or an error if there is no use in others.
    pub(crate) async fn once_tried(self, first: FirstAttempt) -> Result<Self, Error> {
        match timeout(self.shared().config.connect_timeout, first).await {
            Ok(Ok(Err(error))) => Err(error),
            _ => Ok(self),
        }
    }

    /// Ends it. What waits for a reply fails, and so does every command from now on.
    pub fn close(&self) {
        self.shared().end();
        self.shared().closing.cancel();
    }

    /// Gives the present connection up; another is made at once.
    pub(crate) fn renew(&self) {
        if let Some(connection) = self.shared().state.borrow().connection() {
            connection.kill();
        }
    }

    /// Gives the present connection up if it is one to another server.
    pub(crate) fn move_to(&self, endpoint: &Endpoint) {
        if let Some(connection) = self.shared().state.borrow().connection()
            && connection.server().0 != *endpoint
        {
            connection.kill();
        }
    }

    /// What leads to the server that the link is connected to. Waits for an attempt that is under way.
    pub(crate) async fn server(&self, name: &str) -> Result<Server, Error> {
        let mut states = self.shared().state.subscribe();
        let settled = states.wait_for(|state| !matches!(state, State::Connecting));
        let _ = timeout(self.shared().config.command_timeout, settled).await;
        match self.worth_waiting(name)? {
            Some(connection) => Ok(connection.server().clone()),
            None => {
                let (endpoint, command) = (self.endpoint(), name.to_owned());
                Err(Error::Unavailable { endpoint, command, source: None })
            }
        }
    }

    /// Returns when the server can no longer be reached there: a lost connection that is made again at
    /// once is none of it.
    pub(crate) async fn until_gone(&self, endpoint: &Endpoint) {
        let is_there = |state: &State| match state {
            State::Live(connection) => connection.server().0 == *endpoint,
            State::Connecting => true,
            State::Down(_) | State::Closed => false,
        };
        // The sender lives in `shared`.
        let _ = self.shared().state.subscribe().wait_for(|state| !is_there(state)).await;
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
        self.shared().is_live()
    }

    /// Waits until the link is live. Cancel safe.
    pub async fn live(&self) {
        // The sender lives in `shared`, so the channel cannot be closed while we wait.
        let _ = self.shared().state.subscribe().wait_for(State::is_live).await;
    }

    /// Which Redis: `host:port` or the path of a socket. While there is no connection, all that it may
    /// become.
    pub fn endpoint(&self) -> Arc<str> {
        self.shared().endpoint()
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

    /// Whether the server has refused the login or the database.
    pub(crate) fn is_refused(&self) -> bool {
        self.shared().is_refused()
    }

    /// Why a command cannot be sent now.
    pub(crate) fn refusal(&self, name: &str) -> Error {
        let (endpoint, command) = (self.endpoint(), name.to_owned());
        let unknown = Error::Unavailable { endpoint, command, source: None };
        self.worth_waiting(name).err().unwrap_or(unknown)
    }

    /// Whether the last attempt to connect failed.
    pub(crate) fn is_down(&self) -> bool {
        matches!(&*self.shared().state.borrow(), State::Down(_))
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
