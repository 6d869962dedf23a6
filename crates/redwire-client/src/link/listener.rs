use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use bytes::Bytes;
use redis::Value;

use super::fan::Published;
use super::shared::Shared;
use super::tracking::Invalidated;
use crate::lock::lock;
use crate::topic::{Topic, TopicKind};

/// Hears what Redis pushes on one connection, in order, in the task that reads the connection.
pub(super) struct Listener {
    shared: Arc<Shared>,
    /// Tells messages of one connection from those of the next.
    pub(super) connection: u64,
}

impl Listener {
    pub(super) fn new(shared: Arc<Shared>, connection: u64) -> Self {
        Self { shared, connection }
    }

    /// Somebody published. Names that nobody wants any more are left out. `channel` is where, if the
    /// name is a pattern's.
    pub(super) fn published(
        &self,
        kind: TopicKind,
        name: &[u8],
        channel: Option<&[u8]>,
        payload: Vec<u8>,
    ) {
        let Ok(name) = str::from_utf8(name) else { return };
        let Some(name) = lock(&self.shared.table).name(kind, name) else { return };
        let message = Published {
            topic: Topic { kind, name },
            channel: channel.map(|channel| String::from_utf8_lossy(channel).into()),
            payload: Bytes::from(payload),
        };
        if let Some(dropped) = self.shared.fan.message(self.connection, message) {
            self.shared.counters.messages.fetch_add(1, Ordering::Relaxed);
            self.shared.counters.dropped.fetch_add(dropped, Ordering::Relaxed);
        }
    }

    /// Redis has confirmed a subscription.
    pub(super) fn joined(&self, kind: TopicKind, name: &[u8]) {
        if let Ok(name) = str::from_utf8(name) {
            self.shared.confirmed(self.connection, kind, name);
        }
    }

    /// Redis says that we have left a sharded channel. `leaving`: a command of ours that it may answer
    /// is on its way; `since`: when Redis was last heard before. Whether we have asked for it.
    pub(super) fn departed(&self, name: &[u8], leaving: bool, since: SystemTime) -> bool {
        let Ok(name) = str::from_utf8(name) else { return false };
        self.shared.departed(self.connection, name, leaving, since)
    }

    /// What was read of these keys may be another by now.
    pub(super) fn invalidated(&self, keys: &[Value]) {
        for key in keys {
            match key {
                Value::BulkString(key) => self.shared.hearers.tell(Invalidated::Key(key)),
                // Not a key as Redis names one: whatever it means, nothing old is kept.
                _ => self.invalidated_all(),
            }
        }
    }

    /// All keys are gone, as by `FLUSHALL`.
    pub(super) fn invalidated_all(&self) {
        self.shared.hearers.tell(Invalidated::All);
    }
}
