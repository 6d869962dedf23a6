use std::sync::atomic::{AtomicU64, Ordering};

/// What [`Geo`](crate::Geo) could not do since it was made, in features. Each message is counted once,
/// however many viewers it has, when the first of them has a box or a projection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Features whose geometry is not well formed, so that everybody gets them as they are.
    pub unlocatable: u64,
    /// Features with a position that has no image in the CRS that somebody asked for, so that they were
    /// sent there without their geometry; counted for each such CRS.
    pub unprojectable: u64,
}

/// Where the counting is done, from any thread.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    unlocatable: AtomicU64,
    unprojectable: AtomicU64,
}

impl Counters {
    pub(crate) fn unlocatable(&self, features: usize) {
        self.unlocatable.fetch_add(features as u64, Ordering::Relaxed);
    }

    pub(crate) fn unprojectable(&self, features: usize) {
        self.unprojectable.fetch_add(features as u64, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Counts {
        Counts {
            unlocatable: self.unlocatable.load(Ordering::Relaxed),
            unprojectable: self.unprojectable.load(Ordering::Relaxed),
        }
    }
}
