use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redwire_protocol::{Content, Envelope, Event, Message};
use tokio::sync::mpsc;

use super::Member;
use crate::clock;
use crate::metrics::Metrics;

/// The members of each channel, by their number.
type Channels = HashMap<Box<str>, HashMap<u64, Arc<Member>>>;

/// The members that one task serves.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    channels: Mutex<Channels>,
}

/// What a shard is told to do, shared by all shards.
#[derive(Debug)]
pub(crate) enum Item {
    Message(Message),
    Gap { since: u64 },
}

impl Shard {
    fn channels(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn join(&self, channel: &str, member: &Arc<Member>) {
        let mut channels = self.channels();
        let members = match channels.get_mut(channel) {
            Some(members) => members,
            None => channels.entry(channel.into()).or_default(),
        };
        members.insert(member.id, Arc::clone(member));
    }

    pub(crate) fn leave(&self, channel: &str, member: &Member) {
        let mut channels = self.channels();
        let Some(members) = channels.get_mut(channel) else { return };
        members.remove(&member.id);
        if members.is_empty() {
            channels.remove(channel);
        }
    }

    fn fan_out(&self, message: &Message, metrics: &Metrics) {
        let channels = self.channels();
        let Some(members) = channels.get(message.source()) else { return };
        let delivered = members.values().filter(|member| member.deliver(message)).count();
        metrics.delivered.inc_by(delivered as u64);
        metrics.filtered.inc_by((members.len() - delivered) as u64);
    }

    /// One frame to each member with a subscription.
    fn report_gap(&self, since: u64) {
        let content = serde_json::json!({"status": "gap", "since": since});
        let frame = Envelope::status(Content::from(content)).encode(clock::now());
        let mut told = HashSet::new();
        for member in self.channels().values().flat_map(HashMap::values) {
            if told.insert(member.id) {
                member.outbox.push(frame.clone());
            }
        }
    }

    pub(crate) async fn run(
        self: Arc<Self>,
        mut batches: mpsc::Receiver<Arc<Vec<Item>>>,
        metrics: Arc<Metrics>,
    ) {
        while let Some(batch) = batches.recv().await {
            for item in &*batch {
                match item {
                    Item::Message(message) => self.fan_out(message, &metrics),
                    Item::Gap { since } => self.report_gap(*since),
                }
            }
            Item::count_if_last(batch, &metrics);
        }
    }
}

impl Item {
    pub(crate) fn new(event: Event, metrics: &Metrics) -> Option<Self> {
        match event {
            Event::Message { channel, payload } => {
                metrics.published.inc();
                match Content::parse(payload) {
                    Ok(content) => {
                        Some(Self::Message(Message::new(channel, content, clock::now())))
                    }
                    Err(error) => {
                        metrics.malformed.inc();
                        tracing::debug!(%error, "dropped a malformed message");
                        None
                    }
                }
            }
            Event::Gap { since } => {
                metrics.gaps.inc();
                Some(Self::Gap { since })
            }
            _ => None,
        }
    }

    /// Lets go of a batch; whoever is the last to do so knows what its messages have cost.
    pub(crate) fn count_if_last(batch: Arc<Vec<Self>>, metrics: &Metrics) {
        for item in Arc::into_inner(batch).into_iter().flatten() {
            if let Self::Message(message) = item {
                metrics.spent(message.cost());
            }
        }
    }
}
