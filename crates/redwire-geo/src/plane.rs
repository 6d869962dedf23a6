use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use redwire_protocol::{Bounds, Message, Outgoing, Plane};

use crate::bbox::Rect;
use crate::crs::Crs;
use crate::geo::Projected;
use crate::located::Located;
use crate::project::Transform;

/// Where messages lie in one CRS: projected once for all viewers whose boxes are in it.
pub(crate) struct MapPlane {
    /// `None`: as stored.
    pub(crate) crs: Option<Crs>,
    pub(crate) strict: bool,
    /// After how many units to the east the world repeats, if it does.
    pub(crate) period: Option<f64>,
}

/// One plane for each CRS that viewers look at, shared by all of them.
#[derive(Debug, Default)]
pub(crate) struct Planes(OnceLock<BTreeMap<u32, Arc<dyn Plane>>>);

impl Planes {
    pub(crate) fn of(
        &self,
        code: u32,
        all: impl FnOnce() -> BTreeMap<u32, Arc<dyn Plane>>,
    ) -> Option<Arc<dyn Plane>> {
        self.0.get_or_init(all).get(&code).cloned()
    }
}

impl Clone for Planes {
    /// Options that are changed have planes of their own.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Plane for MapPlane {
    fn extent(&self, message: &Message) -> Option<Bounds> {
        let mut outgoing = Outgoing::new(message);
        if let Some(crs) = &self.crs {
            let transform = Transform { crs, strict: self.strict };
            let name = Projected { code: crs.code, strict: self.strict };
            outgoing.rewrite(name, |content| transform.rewrite(content));
        }
        let extent = outgoing.memo(Located::of).extent()?;
        Some(in_world(extent, self.period))
    }
}

impl fmt::Debug for MapPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MapPlane").field(&self.crs.as_ref().map(|crs| crs.code)).finish()
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
