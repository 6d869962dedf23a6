use std::sync::{Arc, Mutex, PoisonError};

use redwire_protocol::{Bounds, Message, Plane};

use crate::change::{Change, Was};

/// A map on which a message lies where its feature is and where it was: who sees the one is to learn
/// where it went, who saw the other that it went.
#[derive(Debug)]
struct LivePlane {
    map: Arc<dyn Plane>,
}

impl Plane for LivePlane {
    fn extent(&self, message: &Message) -> Option<Bounds> {
        let was = message.noted::<Was>().map(|was| self.map.extent(&was.0));
        let is_deletion = message.noted::<Change>().is_some_and(|change| change.is_deletion);
        match (is_deletion, was) {
            // Of a feature that nobody knows, everybody may.
            (true, None) => None,
            (true, Some(was)) => was,
            (false, None) => self.map.extent(message),
            (false, Some(was)) => Some(self.map.extent(message)?.around(&was?)),
        }
    }
}

/// One live plane for each of the map's.
#[derive(Debug, Default)]
pub(crate) struct Planes(Mutex<Vec<Pair>>);

#[derive(Debug)]
struct Pair {
    map: Arc<dyn Plane>,
    live: Arc<dyn Plane>,
}

impl Planes {
    pub(crate) fn over(&self, map: &Arc<dyn Plane>) -> Arc<dyn Plane> {
        let mut planes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = planes.iter().find(|pair| Arc::ptr_eq(&pair.map, map)) {
            return Arc::clone(&pair.live);
        }
        let live: Arc<dyn Plane> = Arc::new(LivePlane { map: Arc::clone(map) });
        planes.push(Pair { map: Arc::clone(map), live: Arc::clone(&live) });
        live
    }
}
