use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::quoted;
use crate::{Backend, Error, HandlerBase, Limits, Pace, Result};

/// What a command has at hand besides its own set: the handler, and the data that the handler
/// allows.
pub struct Context<H> {
    /// This connection's policy.
    pub handler: H,
    /// How the server may gather what it pushes.
    pub pace: Pace,
    backend: Arc<dyn Backend>,
    subscriptions: HashSet<Box<str>>,
    max_subscriptions: usize,
    max_name: usize,
    max_reply: usize,
}

impl<H> Context<H> {
    pub(crate) fn new(handler: H, backend: Arc<dyn Backend>, limits: &Limits) -> Self {
        Self {
            handler,
            pace: Pace::AtOnce,
            backend,
            subscriptions: HashSet::new(),
            max_subscriptions: limits.subscriptions,
            max_name: limits.name_bytes,
            max_reply: limits.reply_bytes,
        }
    }

    /// The data without the handler's policy and without limits: for what a set does on the server's
    /// own behalf.
    pub fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    /// Stops delivery of `channel`; nothing happens if it is not subscribed.
    pub fn unsubscribe(&mut self, channel: &str) {
        if self.subscriptions.remove(channel) {
            self.backend.unsubscribe(channel);
        }
    }

    /// The channels that this connection has subscribed to, in no particular order.
    pub fn subscriptions(&self) -> impl Iterator<Item = &str> {
        self.subscriptions.iter().map(|channel| &**channel)
    }

    /// Whether this connection has subscribed to `channel`.
    pub fn is_subscribed(&self, channel: &str) -> bool {
        self.subscriptions.contains(channel)
    }

    fn check_name(&self, name: &str) -> Result<()> {
        if name.len() <= self.max_name {
            return Ok(());
        }
        let value = quoted(name);
        Err(Error::LimitReached { limit: "bytes in a name", max: self.max_name, value })
    }
}

impl<H: HandlerBase> Context<H> {
    /// Starts delivery of `channel` and waits, for a bounded time, until it is in effect. One copy
    /// of each message however often it is called.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`] if the handler does not allow the channel, [`Error::LimitReached`] if the
    /// name is too long or the connection has its fill of subscriptions, [`Error::Backend`] if the
    /// backend's own rules forbid it.
    pub async fn subscribe(&mut self, channel: &str) -> Result<()> {
        self.check_name(channel)?;
        if !self.handler.channel_is_allowed(channel) {
            return Err(Error::Denied { name: quoted(channel) });
        }
        if !self.subscriptions.contains(channel) {
            if self.subscriptions.len() >= self.max_subscriptions {
                let (max, value) = (self.max_subscriptions, quoted(channel));
                return Err(Error::LimitReached { limit: "subscriptions", max, value });
            }
            self.subscriptions.insert(channel.into());
            self.backend.subscribe(channel);
        }
        let confirmed = self.backend.confirmed(channel).await;
        if confirmed.is_err() {
            self.unsubscribe(channel);
        }
        Ok(confirmed?)
    }

    /// Reads one field of a hash that the handler allows.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`], [`Error::LimitReached`] for a name too long or a reply too large,
    /// [`Error::Backend`].
    pub async fn hget(&self, key: &str, field: &str) -> Result<Option<Bytes>> {
        self.check_key(key)?;
        self.check_name(field)?;
        let value = self.backend.hget(key, field).await?;
        self.check_reply(key, value.iter())?;
        Ok(value)
    }

    /// Reads all values of a hash that the handler allows.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`], [`Error::LimitReached`] for a name too long or a reply too large,
    /// [`Error::Backend`].
    pub async fn hvals(&self, key: &str) -> Result<Vec<Bytes>> {
        self.check_key(key)?;
        let values = self.backend.hvals(key).await?;
        self.check_reply(key, values.iter())?;
        Ok(values)
    }

    fn check_reply<'v>(&self, key: &str, values: impl Iterator<Item = &'v Bytes>) -> Result<()> {
        if values.map(Bytes::len).sum::<usize>() <= self.max_reply {
            return Ok(());
        }
        let (limit, max) = ("bytes in a reply", self.max_reply);
        Err(Error::LimitReached { limit, max, value: quoted(key) })
    }

    fn check_key(&self, key: &str) -> Result<()> {
        self.check_name(key)?;
        if self.handler.key_is_allowed(key) {
            return Ok(());
        }
        Err(Error::Denied { name: quoted(key) })
    }
}

impl<H> Drop for Context<H> {
    fn drop(&mut self) {
        for channel in &self.subscriptions {
            self.backend.unsubscribe(channel);
        }
    }
}

impl<H> fmt::Debug for Context<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("subscriptions", &self.subscriptions)
            .finish_non_exhaustive()
    }
}
