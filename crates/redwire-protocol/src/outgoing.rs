use std::any::Any;
use std::hash::Hash;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::message::{Occasion, Version};
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
#[derive(Clone, Debug)]
pub struct Outgoing<'m> {
    message: &'m Message,
    /// `None`: the original.
    version: Option<Arc<Version>>,
    occasion: Occasion,
    subject: Option<Subject>,
}

/// What a frame is to others that wait for the same connection. Messages with a subject are states:
/// a client that reads slowly gets the newest one of each subject, and is not closed for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The present state of a subject, which replaces an older frame of it.
    State(u64),
    /// That the subject is no more, which replaces an older frame of it.
    End(u64),
}

impl Subject {
    /// The subject's name, unique among all that one connection sees.
    pub fn name(self) -> u64 {
        match self {
            Self::State(name) | Self::End(name) => name,
        }
    }
}

impl<'m> Outgoing<'m> {
    /// The message as it was published.
    pub fn new(message: &'m Message) -> Self {
        Self::on(message, Occasion::Push)
    }

    pub(crate) fn on(message: &'m Message, occasion: Occasion) -> Self {
        Self { message, version: None, occasion, subject: None }
    }

    /// Whether the client gets it whatever the filters say, as the answer to `GET key field`: they
    /// should rewrite it all the same.
    pub fn is_kept(&self) -> bool {
        self.occasion == Occasion::Reply { kept: true }
    }

    /// Whether it was published before and is sent as part of a [`Replay`](crate::Replay).
    pub fn is_replayed(&self) -> bool {
        self.occasion == Occasion::Replay
    }

    /// What was left for the filters: by the command with [`Reply::noted`](crate::Reply::noted), or
    /// on a published message with [`Message::note`].
    pub fn note<T: Any>(&self) -> Option<&'m T> {
        self.message.noted()
    }

    /// The channel, the key, or `"key field"`.
    pub fn source(&self) -> &str {
        self.version().source.as_deref().unwrap_or_else(|| self.message.source())
    }

    /// Which of the frames that wait for the same connection this one replaces, if any.
    pub fn subject(&self) -> Option<Subject> {
        self.subject
    }

    /// Says that the message is a state of `subject`, or its end.
    pub fn about(&mut self, subject: Subject) {
        self.subject = Some(subject);
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
        self.replace(key, |content| Some((None, rewrite(content)?)));
    }

    /// Like [`rewrite`](Self::rewrite), and makes the frame come from another source.
    pub fn redirect<K>(&mut self, key: K, redirect: impl FnOnce(&Content) -> (Arc<str>, Content))
    where
        K: Eq + Hash + Any + Send + Sync,
    {
        self.replace(key, |content| {
            let (source, content) = redirect(content);
            Some((Some(source), content))
        });
    }

    fn replace<K>(
        &mut self,
        key: K,
        replace: impl FnOnce(&Content) -> Option<(Option<Arc<str>>, Content)>,
    ) where
        K: Eq + Hash + Any + Send + Sync,
    {
        if let Some(version) = self.message.rewrite(self.version(), key, replace) {
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
