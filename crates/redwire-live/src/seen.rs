use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redwire_protocol::Screen;

/// What one connection looks at, shared by its session, the filters that are in force, and a replay
/// that is put off: whenever that one comes, it is of what is looked at then.
#[derive(Debug)]
pub(crate) struct Seen {
    /// For each layer, the last change that a snapshot has told the connection of.
    changes: Box<[AtomicU64]>,
    view: Mutex<View>,
}

/// The layers that the connection is subscribed to, and its box.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) layers: Vec<usize>,
    pub(crate) screen: Option<Screen>,
}

impl Seen {
    pub(crate) fn nothing(layers: usize) -> Arc<Self> {
        let changes = (0..layers).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self { changes, view: Mutex::default() })
    }

    pub(crate) fn of(&self, layer: usize) -> u64 {
        self.changes.get(layer).map_or(0, |seen| seen.load(Ordering::Acquire))
    }

    pub(crate) fn set(&self, layer: usize, changes: u64) {
        if let Some(seen) = self.changes.get(layer) {
            seen.store(changes, Ordering::Release);
        }
    }

    pub(crate) fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
