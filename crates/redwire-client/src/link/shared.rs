use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use super::fan::Fan;
use super::table::Table;
use crate::LinkConfig;

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
    /// Wakes whoever follows topics that move to other nodes.
    pub(super) moved: Notify,
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
    pub(super) fn new(client: redis::Client, config: LinkConfig) -> Self {
        Self {
            endpoint: client.get_connection_info().addr().to_string().into(),
            client,
            connection: watch::Sender::new(None),
            table: Mutex::default(),
            unsettled: Notify::new(),
            fan: Arc::default(),
            moved: Notify::new(),
            permits: Semaphore::new(config.commands_in_flight.clamp(1, Semaphore::MAX_PERMITS)),
            counters: Counters::default(),
            closing: CancellationToken::new(),
            config,
        }
    }
}
