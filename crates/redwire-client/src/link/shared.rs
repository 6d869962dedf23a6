use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use redis::Value;
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use super::fan::Fan;
use super::table::Table;
use crate::lock::lock;
use crate::{Endpoint, LinkConfig};

/// What the handles and the supervisor of one link have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: LinkConfig,
    pub(super) endpoint: Arc<str>,
    pub(super) client: redis::Client,
    /// The connection for commands; there is one exactly while the link is live.
    pub(super) connection: watch::Sender<Option<Connection>>,
    pub(super) table: Mutex<Table>,
    /// Wakes the supervisor when the table has something to do.
    pub(super) unsettled: Notify,
    pub(super) fan: Arc<Fan>,
    pub(super) permits: Semaphore,
    pub(super) counters: Counters,
    pub(super) closing: CancellationToken,
}

/// Counts since the link was made.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) reconnects: AtomicU64,
    pub(super) messages: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) refused: AtomicU64,
}

impl Shared {
    pub(super) fn new(endpoint: &Endpoint, client: redis::Client, config: LinkConfig) -> Self {
        Self {
            endpoint: endpoint.to_string().into(),
            client,
            connection: watch::Sender::new(None),
            table: Mutex::default(),
            unsettled: Notify::new(),
            fan: Arc::default(),
            permits: Semaphore::new(config.commands_in_flight.clamp(1, Semaphore::MAX_PERMITS)),
            counters: Counters::default(),
            closing: CancellationToken::new(),
            config,
        }
    }

    /// Hands a message of this connection to all feeds. Names that nobody wants any more are left out.
    pub(super) fn deliver(&self, connection: u64, channel: Value, payload: Value) {
        let (Value::BulkString(channel), Value::BulkString(payload)) = (channel, payload) else {
            return;
        };
        let Ok(channel) = str::from_utf8(&channel) else { return };
        let Some(channel) = lock(&self.table).name(channel) else { return };
        if let Some(dropped) = self.fan.message(connection, channel, Bytes::from(payload)) {
            self.counters.messages.fetch_add(1, Ordering::Relaxed);
            self.counters.dropped.fetch_add(dropped, Ordering::Relaxed);
        }
    }
}
