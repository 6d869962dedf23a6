use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

/// Where keys and channels live.
///
/// Subscriptions are counted, and counting is synchronous: a command that is dropped half-way can
/// then neither lose nor leak one.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// One field of a hash; `None` if the key or the field is missing, or the key is no hash.
    async fn hget(&self, key: &str, field: &str) -> Result<Option<Bytes>, BackendError>;

    /// All values of a hash in its own order; empty if the key is missing or no hash.
    async fn hvals(&self, key: &str) -> Result<Vec<Bytes>, BackendError>;

    /// Counts one more subscriber of `channel`. Never blocks; takes effect soon after.
    fn subscribe(&self, channel: &str);

    /// Counts one subscriber of `channel` less.
    fn unsubscribe(&self, channel: &str);

    /// Subscribes the server itself to `channel`, for good: to observe what is published whether or
    /// not any client listens.
    fn retain(&self, channel: &str) {
        self.subscribe(channel);
    }

    /// Waits until a subscription is in effect, or is known not to be for now. Bounded in time.
    ///
    /// # Errors
    ///
    /// [`BackendError::Forbidden`] if it never will be.
    async fn confirmed(&self, channel: &str) -> Result<(), BackendError>;

    /// An independent queue of everything published on subscribed channels from now on.
    fn feed(&self) -> Box<dyn Feed>;

    /// Whether commands are likely to succeed now.
    fn is_live(&self) -> bool;
}

/// A bounded queue of a backend's [`Event`]s.
#[async_trait]
pub trait Feed: Send + 'static {
    /// Waits for events and appends them in order; `false` when there will be no more. Cancel-safe.
    async fn recv(&mut self, events: &mut Vec<Event>) -> bool;
}

/// What a backend reports.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Something was published.
    Message {
        /// The channel it was published on.
        channel: Arc<str>,
        /// The publisher's bytes: anything at all.
        payload: Bytes,
    },
    /// Messages of any subscribed channel may have been lost, and flow again from here on.
    Gap {
        /// When the loss may have begun, in milliseconds since the epoch.
        since: u64,
    },
}

/// Why a backend could not answer. The texts go to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackendError {
    /// There is no connection at the moment; nothing was sent.
    Unavailable,
    /// No answer came in time.
    Timeout,
    /// The backend's own rules forbid it to this server.
    Forbidden,
    /// The backend answered with an error; the details are in the server's log.
    Failed,
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "the data store is not connected, try again later",
            Self::Timeout => "the data store did not answer in time, try again later",
            Self::Forbidden => "the data store does not allow it",
            Self::Failed => "the data store answered with an error",
        })
    }
}

impl std::error::Error for BackendError {}

#[async_trait]
impl<B: Backend + ?Sized> Backend for Arc<B> {
    async fn hget(&self, key: &str, field: &str) -> Result<Option<Bytes>, BackendError> {
        (**self).hget(key, field).await
    }
    async fn hvals(&self, key: &str) -> Result<Vec<Bytes>, BackendError> {
        (**self).hvals(key).await
    }
    fn subscribe(&self, channel: &str) {
        (**self).subscribe(channel);
    }
    fn unsubscribe(&self, channel: &str) {
        (**self).unsubscribe(channel);
    }
    fn retain(&self, channel: &str) {
        (**self).retain(channel);
    }
    async fn confirmed(&self, channel: &str) -> Result<(), BackendError> {
        (**self).confirmed(channel).await
    }
    fn feed(&self) -> Box<dyn Feed> {
        (**self).feed()
    }
    fn is_live(&self) -> bool {
        (**self).is_live()
    }
}
