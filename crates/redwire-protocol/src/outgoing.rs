use std::any::Any;
use std::hash::Hash;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::message::Version;
use crate::{Content, Message};

/// What a filter says about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The client may have it, as far as this filter goes.
    Pass,
    /// The client does not get it.
    Drop,
}

/// One connection's cursor on a [`Message`] while its filters run.
#[derive(Debug)]
pub struct Outgoing<'m> {
    message: &'m Message,
    /// `None`: the original.
    version: Option<Arc<Version>>,
    occasion: Occasion<'m>,
}

/// Why a message goes out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Occasion<'m> {
    /// It was published.
    Push,
    /// It is part of a reply, for which the command may have left a note.
    Reply {
        /// Whether it is sent whatever the verdict.
        kept: bool,
        note: Option<&'m (dyn Any + Send + Sync)>,
    },
}

impl<'m> Outgoing<'m> {
    /// The message as it was published.
    pub fn new(message: &'m Message) -> Self {
        Self::on(message, Occasion::Push)
    }

    pub(crate) fn on(message: &'m Message, occasion: Occasion<'m>) -> Self {
        Self { message, version: None, occasion }
    }

    /// Whether the client gets it whatever the filters say, as the answer to `GET key field`: they
    /// should rewrite it all the same.
    pub fn is_kept(&self) -> bool {
        matches!(self.occasion, Occasion::Reply { kept: true, .. })
    }

    /// What the command left for the filters with [`Reply::noted`](crate::Reply::noted).
    pub fn note<T: Any>(&self) -> Option<&'m T> {
        match self.occasion {
            Occasion::Reply { note, .. } => note?.downcast_ref(),
            Occasion::Push => None,
        }
    }

    /// The channel, the key, or `"key field"`.
    pub fn source(&self) -> &str {
        self.message.source()
    }

    /// The content as the filters before this one left it.
    pub fn content(&self) -> &Content {
        &self.version().content
    }

    /// The content's parsed JSON; see [`Content::json`].
    pub fn json(&self) -> &Value {
        self.content().json()
    }

    /// A value that is computed once per content, for all connections: its type is its name, so
    /// use a type of your own. Computing it may use memos of other types, not of its own.
    pub fn memo<T: Any + Send + Sync>(&self, compute: impl FnOnce(&Content) -> T) -> &T {
        self.version().memo(compute)
    }

    /// Replaces the content, once per `key` for all connections. The rewrite must depend on nothing
    /// but the content and the key; `None` leaves the content as it is. The key's type is part of its
    /// name: use a type of your own, or another set's rewrite may be taken for yours.
    pub fn rewrite<K>(&mut self, key: K, rewrite: impl FnOnce(&Content) -> Option<Content>)
    where
        K: Eq + Hash + Any + Send + Sync,
    {
        if let Some(version) = self.message.rewrite(self.version(), key, rewrite) {
            self.version = Some(version);
        }
    }

    /// The frame with its envelope, encoded once per content for all connections.
    pub fn frame(&self) -> Bytes {
        self.message.frame(self.version())
    }

    fn version(&self) -> &Version {
        self.version.as_deref().unwrap_or_else(|| self.message.original())
    }
}
