use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redwire_protocol::{Content, Envelope, Event, Filters, Message, Observed, Plane};
use tokio::sync::mpsc;
use tokio::task::yield_now;

use super::audience::{Audience, Extents};
use super::{Member, WAITING_BATCHES};
use crate::clock;
use crate::metrics::Metrics;
use crate::outbox::Flush;

/// The members that one task serves.
///
/// The lock is held to find out whom a message may concern, never while a filter runs or an extent is
/// computed: those may be long.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    audiences: Mutex<HashMap<Box<str>, Audience>>,
    /// How often a member has left a channel: if not since a message's candidates were found, they
    /// are all still here.
    leaves: AtomicU64,
}

/// What a shard is told to do, shared by all shards.
#[derive(Debug)]
pub(crate) enum Item {
    Message(Message),
    Gap { since: u64 },
}

impl Shard {
    fn audiences(&self) -> MutexGuard<'_, HashMap<Box<str>, Audience>> {
        self.audiences.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn join(&self, channel: &str, member: &Arc<Member>) {
        let screen = member.screen();
        let mut audiences = self.audiences();
        let audience = match audiences.get_mut(channel) {
            Some(audience) => audience,
            None => audiences.entry(channel.into()).or_default(),
        };
        audience.place(member, screen.as_ref());
    }

    pub(crate) fn leave(&self, channel: &str, member: &Member) {
        let mut audiences = self.audiences();
        if let Some(audience) = audiences.get_mut(channel) {
            audience.remove(member.id);
            if audience.is_empty() {
                audiences.remove(channel);
            }
        }
        self.leaves.fetch_add(1, Ordering::Release);
        drop(audiences);
        member.settle();
    }

    /// Judges by `filters` from now on what the member gets of these channels.
    pub(crate) fn publish_state<'c>(
        &self,
        member: &Arc<Member>,
        filters: Filters,
        subscriptions: impl Iterator<Item = &'c str>,
    ) {
        if !member.publish_state(filters) {
            return;
        }
        let screen = member.screen();
        for channel in subscriptions {
            if let Some(audience) = self.audiences().get_mut(channel) {
                audience.place(member, screen.as_ref());
            }
        }
    }

    fn is_in(&self, channel: &str, member: &Member) -> bool {
        self.audiences().get(channel).is_some_and(|audience| audience.contains(member.id))
    }

    fn fan_out(&self, message: &Message, flushes: &mut Flushes, metrics: &Metrics) {
        let channel = message.source();
        let Some(planes) = self.planes(channel) else { return };
        let extents = planes.into_iter().map(|plane| {
            // A panic in a user's plane is a reason to ask every filter, not to stop.
            let extent = catch_unwind(AssertUnwindSafe(|| plane.extent(message)));
            (plane, extent.unwrap_or(None))
        });
        let extents = Extents(extents.collect());
        let (candidates, members, leaves) = {
            let audiences = self.audiences();
            let Some(audience) = audiences.get(channel) else { return };
            let leaves = self.leaves.load(Ordering::Acquire);
            (audience.candidates(&extents), audience.len(), leaves)
        };
        let mut delivered = 0;
        for candidates in candidates {
            candidates.for_each(|member| {
                let nobody_left = || self.leaves.load(Ordering::Acquire) == leaves;
                let is_here = || nobody_left() || self.is_in(channel, member);
                if let Some(flush) = member.deliver(message, is_here) {
                    delivered += 1;
                    flushes.put(member, flush);
                }
            });
        }
        metrics.delivered.inc_by(delivered);
        metrics.filtered.inc_by((members as u64).saturating_sub(delivered));
    }

    /// The planes that somebody looks at the channel in; `None` if nobody is there.
    fn planes(&self, channel: &str) -> Option<Vec<Arc<dyn Plane>>> {
        let audiences = self.audiences();
        let audience = audiences.get(channel)?;
        Some(audience.planes().cloned().collect())
    }

    /// One frame to each member with a subscription.
    fn report_gap(&self, since: u64, flushes: &mut Flushes) {
        let content = serde_json::json!({"status": "gap", "since": since});
        let frame = Envelope::status(Content::from(content)).encode(clock::now());
        let mut told = HashSet::new();
        for member in self.audiences().values().flat_map(Audience::members) {
            if told.insert(member.id) {
                flushes.put(member, member.outbox.push_status(frame.clone()));
            }
        }
    }

    pub(crate) async fn run(
        self: Arc<Self>,
        mut batches: mpsc::Receiver<Arc<Vec<Item>>>,
        metrics: Arc<Metrics>,
    ) {
        let (mut waiting, mut flushes) = (Vec::new(), Flushes::default());
        // What has come meanwhile leaves together: at once when it is quiet, in few writes when not.
        while batches.recv_many(&mut waiting, WAITING_BATCHES).await > 0 {
            for batch in waiting.drain(..) {
                for item in &*batch {
                    match item {
                        Item::Message(message) => self.fan_out(message, &mut flushes, &metrics),
                        Item::Gap { since } => self.report_gap(*since, &mut flushes),
                    }
                }
                Item::count_if_last(batch, &metrics);
            }
            flushes.flush().await;
        }
    }
}

/// Those for whom something was queued.
#[derive(Default)]
struct Flushes(Vec<Arc<Member>>);

/// Writes after which others that wait for the thread have their turn: about a quarter of a
/// millisecond.
const WRITES: usize = 64;

impl Flushes {
    fn put(&mut self, member: &Arc<Member>, flush: Flush) {
        match flush {
            Flush::No => {}
            Flush::Soon => self.0.push(Arc::clone(member)),
            Flush::Now => member.outbox.flush(),
        }
    }

    async fn flush(&mut self) {
        for members in self.0.chunks(WRITES) {
            members.iter().for_each(|member| member.outbox.flush());
            yield_now().await;
        }
        self.0.clear();
    }
}

impl Item {
    /// What a shard has to do about an event, after `sets` have seen it.
    pub(crate) fn new(event: Event, sets: &Filters, metrics: &Metrics) -> Option<Self> {
        match event {
            Event::Message { channel, payload } => {
                metrics.published.inc();
                match Content::parse(payload) {
                    Ok(content) => {
                        let mut message = Message::new(channel, content, clock::now());
                        observe(sets, Observed::Message(&mut message));
                        Some(Self::Message(message))
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
                observe(sets, Observed::Gap { since });
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

/// A panic in a user's set must not end fan-out for all.
fn observe(sets: &Filters, observed: Observed<'_>) {
    if catch_unwind(AssertUnwindSafe(|| sets.observe(observed))).is_err() {
        tracing::error!("a command set panicked in `observe`");
    }
}
