use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use super::fan::Fan;
use super::gather::Gather;
use super::route::{Route, Setup};
use super::state::State;
use super::table::Table;
use super::tracking::Hearers;
use crate::LinkConfig;
use crate::error::is_refusal;

/// What the handles and the supervisor of one link have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: LinkConfig,
    /// What errors call the server while there is no connection.
    pub(super) label: Arc<str>,
    pub(super) route: Arc<dyn Route>,
    pub(super) setup: Setup,
    pub(super) state: watch::Sender<State>,
    /// The number of the live connection, for those who ask at every command; 0 if there is none.
    live: AtomicU64,
    pub(super) gather: Gather,
    pub(super) table: Mutex<Table>,
    /// Wakes the supervisor when the table has something to do.
    pub(super) unsettled: Notify,
    pub(super) fan: Arc<Fan>,
    pub(super) hearers: Hearers,
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
    pub(super) fn new(route: Arc<dyn Route>, setup: Setup, config: LinkConfig) -> Self {
        Self {
            label: route.label().into(),
            route,
            setup,
            state: watch::Sender::new(State::Connecting),
            live: AtomicU64::new(0),
            gather: Gather::new(config.commands_in_flight),
            table: Mutex::default(),
            unsettled: Notify::new(),
            fan: Arc::default(),
            hearers: Hearers::default(),
            counters: Counters::default(),
            closing: CancellationToken::new(),
            config,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.connection().is_some()
    }

    /// Which connection is live. They are counted from 1; a number never comes again.
    pub(super) fn connection(&self) -> Option<u64> {
        Some(self.live.load(Ordering::Acquire)).filter(|&number| number > 0)
    }

    pub(super) fn turn(&self, state: State) {
        let number = state.connection().map_or(0, Connection::number);
        self.state.send_replace(state);
        self.live.store(number, Ordering::Release);
    }

    /// Nothing new is sent over it.
    pub(super) fn end(&self) {
        self.live.store(0, Ordering::Release);
    }

    /// Whether the last attempt ended with a refused login or database.
    pub(super) fn is_refused(&self) -> bool {
        matches!(&*self.state.borrow(), State::Down(error) if is_refusal(error))
    }

    /// Which Redis: the one there is a connection to, or what was asked for.
    pub(super) fn endpoint(&self) -> Arc<str> {
        match self.state.borrow().connection() {
            Some(connection) => connection.endpoint().clone(),
            None => self.label.clone(),
        }
    }
}
