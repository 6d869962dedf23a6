use std::sync::Arc;

use tokio::sync::oneshot;

use super::names::{Batch, Departure, Names};
use crate::topic::{ByKind, Topic, TopicKind};

/// Which topics are wanted, and how they stand on the connection of the moment.
#[derive(Debug, Default)]
pub(super) struct Table {
    names: ByKind<Names>,
    live: bool,
    /// Which connection it is about; verdicts of an older one are ignored.
    connection: Option<u64>,
}

/// How a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// Redis has confirmed it.
    Confirmed,
    /// Not yet, or nobody wants it: the link is down, or Redis did not answer in time.
    Unconfirmed,
    /// Redis' own rules (ACL) forbid the topic. Not tried again on this connection.
    Forbidden,
    /// Another node of the cluster serves the sharded channel, or none. Not tried again on this
    /// connection, unless it is wanted once more.
    Moved,
}

/// How a subscription stands, or who will say it.
#[derive(Debug)]
pub(super) enum Confirmation {
    Known(Standing),
    Awaited(oneshot::Receiver<Standing>),
}

impl Table {
    /// One more wants it. Whether the supervisor has something to do.
    pub(super) fn add(&mut self, topic: &Topic) -> bool {
        self.names.of_mut(topic.kind).add(&topic.name)
    }

    /// One less wants it; one too many is ignored. Whether the supervisor has something to do.
    pub(super) fn remove(&mut self, topic: &Topic) -> bool {
        self.names.of_mut(topic.kind).remove(&topic.name)
    }

    pub(super) fn standing(&self, topic: &Topic) -> Standing {
        if self.live {
            self.names.of(topic.kind).standing(&topic.name)
        } else {
            Standing::Unconfirmed
        }
    }

    pub(super) fn confirmation(&mut self, topic: &Topic) -> Confirmation {
        let standing = self.standing(topic);
        if self.live
            && standing == Standing::Unconfirmed
            && let Some(receiver) = self.names.of_mut(topic.kind).wait(&topic.name)
        {
            return Confirmation::Awaited(receiver);
        }
        Confirmation::Known(standing)
    }

    /// The table's own copy of the name, if anybody wants it.
    pub(super) fn name(&self, kind: TopicKind, name: &str) -> Option<Arc<str>> {
        self.names.of(kind).name(name)
    }

    /// How many topics are wanted.
    pub(super) fn wanted(&self) -> usize {
        self.names.each().into_iter().map(Names::wanted).sum()
    }

    pub(super) fn set_live(&mut self) {
        self.live = true;
    }

    /// There is a new connection, with nothing subscribed.
    pub(super) fn start(&mut self, connection: u64) {
        self.forget_connection();
        self.connection = Some(connection);
    }

    /// The connection is gone, and all subscriptions with it. Nobody waits any longer.
    pub(super) fn forget_connection(&mut self) {
        self.live = false;
        self.connection = None;
        self.names.each_mut().into_iter().for_each(|(_, names)| names.forget_connection());
    }

    /// Takes the next changes, at most `limit` names of one kind. None if there is nothing to do.
    pub(super) fn next_batch(&mut self, limit: usize) -> Option<(TopicKind, Batch)> {
        let mut batches =
            self.names.each_mut().into_iter().map(|(kind, names)| (kind, names.next_batch(limit)));
        batches.find(|(_, batch)| !batch.is_empty())
    }

    /// Redis has confirmed it. None if that is no news.
    pub(super) fn joined(&mut self, connection: u64, kind: TopicKind, name: &str) -> Option<Topic> {
        let is_current = self.connection == Some(connection);
        let name = is_current.then(|| self.names.of_mut(kind).joined(name)).flatten()?;
        Some(Topic { kind, name })
    }

    /// Redis forbids it. None if that is no news.
    pub(super) fn refused(&mut self, kind: TopicKind, name: &str) -> Option<Topic> {
        self.names.of_mut(kind).refused(name).map(|name| Topic { kind, name })
    }

    /// Redis said that another node serves the sharded channel. None if that is no news.
    pub(super) fn moved(&mut self, name: &str) -> Option<Topic> {
        let name = self.names.of_mut(TopicKind::Sharded).moved(name)?;
        Some(Topic { kind: TopicKind::Sharded, name })
    }

    /// Our own command to leave them was carried out.
    pub(super) fn left(&mut self, kind: TopicKind, names: &[Arc<str>]) {
        self.names.of_mut(kind).left(names);
    }

    /// Redis reports that we have left a sharded channel. `leaving`: a command of ours that it may
    /// answer is on its way.
    pub(super) fn departed(&mut self, connection: u64, name: &str, leaving: bool) -> Departure {
        if self.connection == Some(connection) {
            self.names.of_mut(TopicKind::Sharded).departed(name, leaving)
        } else {
            Departure::Unrequested
        }
    }
}
