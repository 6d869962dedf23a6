use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::Close;
use crate::hub::Member;

/// All open connections: counts them against the limit, and closes them when the server drains.
#[derive(Debug)]
pub(crate) struct Connections {
    open: Mutex<Open>,
    next_id: AtomicU64,
    emptied: Notify,
    max: usize,
}

#[derive(Debug, Default)]
struct Open {
    /// `None` between the handshake's admission and the upgrade.
    members: HashMap<u64, Option<Arc<Member>>>,
    draining: bool,
}

/// How often a drain closes a batch, and the fewest connections in one: small servers end at once.
const DRAIN_STEP: Duration = Duration::from_millis(100);
const DRAIN_BATCH: usize = 100;

impl Connections {
    pub(crate) fn new(max: usize) -> Self {
        Self { open: Mutex::default(), next_id: AtomicU64::new(0), emptied: Notify::new(), max }
    }

    /// A place for one more connection; `None` if all are taken or the server drains.
    pub(crate) fn admit(self: &Arc<Self>) -> Option<Place> {
        let mut open = self.open();
        if open.draining || open.members.len() >= self.max {
            return None;
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        open.members.insert(id, None);
        Some(Place { id, connections: Arc::clone(self) })
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.open().draining
    }

    pub(crate) fn count(&self) -> usize {
        self.open().members.len()
    }

    /// Admits nobody any more, closes everybody in equal steps over `spread`, and returns when the
    /// last one has gone.
    pub(crate) async fn drain(&self, spread: Duration) {
        let members: Vec<_> = {
            let mut open = self.open();
            open.draining = true;
            open.members.values().flatten().cloned().collect()
        };
        let steps = (spread.as_millis() / DRAIN_STEP.as_millis()).max(1) as usize;
        let batch = members.len().div_ceil(steps).max(DRAIN_BATCH);
        let start = Instant::now();
        for (step, members) in members.chunks(batch).enumerate() {
            sleep_until(start + DRAIN_STEP * step as u32).await;
            members.iter().for_each(|member| member.outbox.close(Close::Restart));
        }
        while !self.open().members.is_empty() {
            self.emptied.notified().await;
        }
        // Another drain may be waiting for the same.
        self.emptied.notify_one();
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) id: u64,
    connections: Arc<Connections>,
}

impl Place {
    /// From here on the connection can be closed by a drain.
    pub(crate) fn take(&self, member: &Arc<Member>) {
        let mut open = self.connections.open();
        if open.draining {
            member.outbox.close(Close::Restart);
        }
        open.members.insert(self.id, Some(Arc::clone(member)));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        open.members.remove(&self.id);
        if open.members.is_empty() {
            self.connections.emptied.notify_one();
        }
    }
}
