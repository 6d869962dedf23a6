mod audience;
mod member;
mod run;
mod seat;
mod shard;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;

use redwire_protocol::{Backend, Feed, Filters};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;

use crate::metrics::Metrics;
pub(crate) use member::Member;
pub(crate) use seat::Seat;
use shard::{Item, Shard};

/// Batches that may wait for one shard. Beyond that the backend's own bounded feed fills up, whose
/// rule is to drop and to report a gap.
const WAITING_BATCHES: usize = 16;

/// Channel → members: takes what the backend reports and hands it to every member's outbox.
///
/// Members are spread over shards, one for two cores; each shard has a task that fans messages out.
pub(crate) struct Hub {
    backend: Arc<dyn Backend>,
    /// The protocol's sets as they were stacked: they observe what is published.
    sets: Filters,
    shards: Vec<Arc<Shard>>,
    /// Replays that are made at a time, so that fan-out always has cores left.
    pub(crate) replaying: Arc<Semaphore>,
    metrics: Arc<Metrics>,
    tasks: OnceLock<Vec<AbortHandle>>,
}

impl Hub {
    pub(crate) fn new(backend: Arc<dyn Backend>, sets: Filters, metrics: Arc<Metrics>) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        // Half of them: a shard does nothing but write while it has something, and who reads should not
        // have to wait for it.
        let shards = (0..cores.div_ceil(2)).map(|_| Arc::default()).collect();
        let replaying = Arc::new(Semaphore::new(cores.div_ceil(2)));
        Self { backend, sets, shards, replaying, metrics, tasks: OnceLock::new() }
    }

    /// Starts fan-out on the current runtime. Called by the first connection, so that a router can
    /// be built before there is a runtime.
    pub(crate) fn start(&self) {
        self.tasks.get_or_init(|| {
            let (mut tasks, mut inboxes) = (Vec::new(), Vec::new());
            for shard in &self.shards {
                let (inbox, batches) = mpsc::channel(WAITING_BATCHES);
                let run = Arc::clone(shard).run(batches, Arc::clone(&self.metrics));
                tasks.push(tokio::spawn(run).abort_handle());
                inboxes.push(inbox);
            }
            let (feed, metrics) = (self.backend.feed(), Arc::clone(&self.metrics));
            let pump = pump(feed, self.sets.clone(), inboxes, metrics);
            tasks.push(tokio::spawn(pump).abort_handle());
            tasks
        });
    }

    pub(crate) fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }

    /// Judges by `filters` from now on what the member gets.
    pub(crate) fn publish_state<'c>(
        &self,
        member: &Arc<Member>,
        filters: Filters,
        subscriptions: impl Iterator<Item = &'c str>,
    ) {
        self.shard_of(member).publish_state(member, filters, subscriptions);
    }

    fn join(&self, channel: &str, member: &Arc<Member>) {
        self.shard_of(member).join(channel, member);
        self.backend.subscribe(channel);
    }

    fn leave(&self, channel: &str, member: &Member) {
        self.shard_of(member).leave(channel, member);
        self.backend.unsubscribe(channel);
    }

    #[expect(clippy::indexing_slicing, reason = "there is at least one shard")]
    fn shard_of(&self, member: &Member) -> &Shard {
        &self.shards[member.id as usize % self.shards.len()]
    }
}

/// Reads events in batches and gives each batch to every shard.
async fn pump(
    mut feed: Box<dyn Feed>,
    sets: Filters,
    inboxes: Vec<mpsc::Sender<Arc<Vec<Item>>>>,
    metrics: Arc<Metrics>,
) {
    let mut events = Vec::new();
    while feed.recv(&mut events).await {
        let items = events.drain(..).filter_map(|event| Item::new(event, &sets, &metrics));
        let batch: Arc<Vec<_>> = Arc::new(items.collect());
        for inbox in &inboxes {
            if inbox.send(Arc::clone(&batch)).await.is_err() {
                return;
            }
        }
        // The shards may have been faster than this loop, and then it is the last to let go.
        Item::count_if_last(batch, &metrics);
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.tasks.get().into_iter().flatten().for_each(AbortHandle::abort);
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}
