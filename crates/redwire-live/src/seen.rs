use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// For each layer, the last change that a snapshot has told this connection of: what of it is still
/// on its way is old. Shared by the session and the filters that are in force.
#[derive(Debug)]
pub(crate) struct Seen(Box<[AtomicU64]>);

impl Seen {
    pub(crate) fn nothing(layers: usize) -> Arc<Self> {
        Arc::new(Self((0..layers).map(|_| AtomicU64::new(0)).collect()))
    }

    pub(crate) fn of(&self, layer: usize) -> u64 {
        self.0.get(layer).map_or(0, |seen| seen.load(Ordering::Acquire))
    }

    pub(crate) fn set(&self, layer: usize, changes: u64) {
        if let Some(seen) = self.0.get(layer) {
            seen.store(changes, Ordering::Release);
        }
    }
}
