use std::collections::HashMap;
use std::mem::take;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redwire_protocol::{Content, Envelope, Event, Filters, Message, Observed, Plane};
use tokio::sync::mpsc;
use tokio::task::yield_now;

use super::audience::{Audience, Candidates, Extents};
use super::run::Run;
use super::{Member, WAITING_BATCHES};
use crate::clock;
use crate::metrics::Metrics;
use crate::outbox::{Flush, Push};

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

    /// Hands messages of one channel to its members: to each all that it is to get, so that what
    /// belongs to a member is fetched from memory once and not with every message.
    async fn fan_out(&self, run: &Run, flushes: &mut Flushes, metrics: &Metrics) {
        let Some(channel) = run.messages().first().map(|message| message.source()) else { return };
        let Some(planes) = self.planes(channel) else { return };
        let extents = Extents::locate(planes, run.messages());
        let (candidates, members, leaves) = {
            let audiences = self.audiences();
            let Some(audience) = audiences.get(channel) else { return };
            let leaves = self.leaves.load(Ordering::Acquire);
            (audience.candidates(run.messages().len(), &extents), audience.len(), leaves)
        };
        let mut delivered = 0;
        for (member, mask) in candidates.iter().flat_map(Candidates::iter) {
            let nobody_left = || self.leaves.load(Ordering::Acquire) == leaves;
            let is_here = || nobody_left() || self.is_in(channel, member);
            let (passed, flush) =
                member.deliver(run.chosen(mask), &mut flushes.pushes, flushes.leave, is_here);
            delivered += passed;
            flushes.put(member, flush).await;
            flushes.spend(JUDGEMENT * mask.count_ones() as usize).await;
        }
        metrics.delivered.inc_by(delivered as u64);
        metrics.filtered.inc_by((members * run.messages().len()).saturating_sub(delivered) as u64);
    }

    /// The planes that somebody looks at the channel in; `None` if nobody is there.
    fn planes(&self, channel: &str) -> Option<Vec<Arc<dyn Plane>>> {
        let audiences = self.audiences();
        let audience = audiences.get(channel)?;
        Some(audience.planes().cloned().collect())
    }

    /// One frame to each member with a subscription.
    async fn report_gap(&self, since: u64, flushes: &mut Flushes) {
        let content = serde_json::json!({"status": "gap", "since": since});
        let frame = Envelope::status(Content::from(content)).encode(clock::now());
        let members: HashMap<u64, Arc<Member>> = {
            let audiences = self.audiences();
            let members = audiences.values().flat_map(Audience::members);
            members.map(|member| (member.id, Arc::clone(member))).collect()
        };
        for member in members.values() {
            flushes.put(member, member.outbox.push_status(frame.clone())).await;
        }
    }

    pub(crate) async fn run(
        self: Arc<Self>,
        mut batches: mpsc::Receiver<Arc<Vec<Item>>>,
        metrics: Arc<Metrics>,
    ) {
        let (mut waiting, mut flushes) = (Vec::new(), Flushes::default());
        let (mut run, mut spent) = (Run::default(), Vec::new());
        // What has come meanwhile leaves together: at once when it is quiet, in few writes when not.
        while batches.recv_many(&mut waiting, WAITING_BATCHES).await > 0 {
            let mut batches = waiting.drain(..).peekable();
            while let Some(batch) = batches.next() {
                for (place, item) in batch.iter().enumerate() {
                    match item {
                        Item::Message(message) => {
                            let next = batch.get(place + 1).or_else(|| batches.peek()?.first());
                            run.push(message.clone());
                            if let Some(Item::Message(next)) = next
                                && run.takes(next)
                            {
                                continue;
                            }
                            flushes.leave = next.is_none();
                            self.fan_out(&run, &mut flushes, &metrics).await;
                            run.clear();
                        }
                        Item::Gap { since } => self.report_gap(*since, &mut flushes).await,
                    }
                }
                // What was made of its messages is as large as they are several times over: it does not
                // wait for other batches, but for a run that goes on in the next one.
                spent.push(batch);
                if run.messages().is_empty() {
                    spent.drain(..).for_each(|batch| Item::count_if_last(batch, &metrics));
                }
            }
            flushes.flush().await;
        }
    }
}

/// Those for whom something was queued.
#[derive(Default)]
struct Flushes {
    waiting: Vec<Arc<Member>>,
    /// Nothing comes that could leave together with what is queued now.
    leave: bool,
    /// What one member is to get: empty, but it keeps its room.
    pushes: Vec<Push>,
    /// Since others had their turn.
    spent: usize,
}

/// What is spent before others that wait for the thread have their turn: about half a millisecond. A
/// write costs as much as sixteen members who are asked.
const TURN: usize = 1024;
const JUDGEMENT: usize = 1;
const WRITE: usize = 16;

impl Flushes {
    async fn put(&mut self, member: &Arc<Member>, flush: Flush) {
        match flush {
            Flush::No => {}
            Flush::Done => self.spend(WRITE).await,
            Flush::Soon => self.waiting.push(Arc::clone(member)),
        }
    }

    async fn flush(&mut self) {
        let mut waiting = take(&mut self.waiting);
        for member in waiting.drain(..) {
            member.outbox.flush();
            self.spend(WRITE).await;
        }
        self.waiting = waiting;
    }

    async fn spend(&mut self, work: usize) {
        self.spent += work;
        if self.spent >= TURN {
            self.spent = 0;
            yield_now().await;
        }
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
