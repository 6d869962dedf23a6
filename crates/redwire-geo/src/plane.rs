use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use redwire_protocol::{Bounds, Message, Outgoing, Plane};

use crate::bbox::Rect;
use crate::options::Options;

/// Where messages lie in one CRS: projected once for all viewers whose boxes are in it.
struct MapPlane {
    code: u32,
    options: Arc<Options>,
}

/// One plane for each CRS that viewers look at, shared by all of them.
#[derive(Debug, Default)]
pub(crate) struct Planes(Mutex<BTreeMap<u32, Arc<dyn Plane>>>);

impl Planes {
    /// The plane of a CRS that is served, so that there are never many.
    pub(crate) fn of(&self, code: u32, options: &Arc<Options>) -> Arc<dyn Plane> {
        let mut planes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let plane = || Arc::new(MapPlane { code, options: Arc::clone(options) }) as Arc<dyn Plane>;
        Arc::clone(planes.entry(code).or_insert_with(plane))
    }
}

impl Plane for MapPlane {
    fn extent(&self, message: &Message) -> Option<Bounds> {
        let mut outgoing = Outgoing::new(message);
        if self.code != self.options.stored.code() {
            self.options.project(self.code, &mut outgoing);
        }
        let extent = self.options.locate(&outgoing, self.code).extent()?;
        Some(in_world(extent, self.options.period(self.code)))
    }
}

impl fmt::Debug for MapPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MapPlane").field(&self.code).finish()
    }
}

/// The box that stands for a viewer's on a world that repeats.
pub(crate) fn screen_of(rect: Rect, period: Option<f64>) -> Bounds {
    match rect.on_world(period).first() {
        Some(in_place) => in_world(in_place.into(), period),
        None => rect.into(),
    }
}

/// What reaches the seam of the world may touch something on its other side, whatever its own sides
/// say: only the exact test knows.
fn in_world(bounds: Bounds, period: Option<f64>) -> Bounds {
    match period.map(|period| period / 2.0) {
        Some(seam) if bounds.left <= -seam || bounds.right >= seam => {
            Bounds { left: f64::NEG_INFINITY, right: f64::INFINITY, ..bounds }
        }
        _ => bounds,
    }
}

impl From<&Rect> for Bounds {
    fn from(rect: &Rect) -> Self {
        Self { left: rect.left, bottom: rect.bottom, right: rect.right, top: rect.top }
    }
}

impl From<Rect> for Bounds {
    fn from(rect: Rect) -> Self {
        Self::from(&rect)
    }
}
