use std::sync::Arc;
use std::time::{Duration, Instant};

use redwire_protocol::{Bounds, Boxes, Plane};

/// Where the features of a table lie in one plane, in the table's order. What has changed is anywhere
/// until somebody asks: a plane that nobody looks at costs next to nothing.
#[derive(Debug)]
pub(crate) struct Sheet {
    plane: Arc<dyn Plane>,
    boxes: Boxes,
    /// The number of the last change that is laid out.
    laid: u64,
    asked: Instant,
}

/// Viewers who move their maps ask much more often.
const IDLE: Duration = Duration::from_secs(60);

impl Sheet {
    pub(crate) fn new(plane: &Arc<dyn Plane>, features: usize) -> Self {
        let mut boxes = Boxes::default();
        (0..features).for_each(|_| boxes.push(&Bounds::EVERYTHING));
        Self { plane: Arc::clone(plane), boxes, laid: 0, asked: Instant::now() }
    }

    pub(crate) fn is_of(&self, plane: &Arc<dyn Plane>) -> bool {
        Arc::ptr_eq(&self.plane, plane)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.asked.elapsed() > IDLE
    }

    /// Somebody asks; returns the last change that is laid out.
    pub(crate) fn asked(&mut self) -> u64 {
        self.asked = Instant::now();
        self.laid
    }

    pub(crate) fn laid(&mut self, changes: u64) {
        self.laid = self.laid.max(changes);
    }

    pub(crate) fn lay(&mut self, place: usize, extent: &Bounds) {
        self.boxes.set(place, extent);
    }

    pub(crate) fn forget(&mut self, place: usize) {
        self.boxes.set(place, &Bounds::EVERYTHING);
    }

    pub(crate) fn push(&mut self) {
        self.boxes.push(&Bounds::EVERYTHING);
    }

    pub(crate) fn swap_remove(&mut self, place: usize) {
        self.boxes.swap_remove(place);
    }

    pub(crate) fn touching(&self, bounds: &Bounds, touching: impl FnMut(usize)) {
        self.boxes.touching(bounds, touching);
    }
}
