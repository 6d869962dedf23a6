use std::cell::RefCell;
use std::collections::BTreeMap;

use proj::Proj;

use crate::projector::{Projector, is_latitude};

/// A CRS as libproj knows it.
///
/// `Proj` is neither `Send` nor `Sync`, so every thread makes its own when it first needs it, and one
/// at most: creating it anew after a failure would leak. Only codes of ours ever get here.
pub(crate) struct Libproj {
    code: u16,
}

thread_local! {
    static TRANSFORMS: RefCell<BTreeMap<u16, Option<Proj>>> = const { RefCell::new(BTreeMap::new()) };
}

impl Libproj {
    /// `None` if libproj does not know the code.
    pub(crate) fn of(code: u16) -> Option<Self> {
        let projector = Self { code };
        projector.with(|_| ()).map(|()| projector)
    }

    fn with<T>(&self, act: impl FnOnce(&Proj) -> T) -> Option<T> {
        TRANSFORMS.with_borrow_mut(|transforms| {
            transforms.entry(self.code).or_insert_with(|| create(self.code)).as_ref().map(act)
        })
    }
}

/// Ten in radians. Beyond it PROJ has no image, and would write a line to stderr for every position.
const FARTHEST: f64 = 572.0;

/// From EPSG:4326, with longitude and east first.
fn create(code: u16) -> Option<Proj> {
    Proj::new_known_crs("EPSG:4326", &format!("EPSG:{code}"), None).ok()
}

impl Projector for Libproj {
    fn project(&self, longitude: f64, latitude: f64) -> Option<(f64, f64)> {
        if !is_latitude(latitude) || longitude.is_nan() || longitude.abs() > FARTHEST {
            return None;
        }
        self.with(|proj| proj.convert((longitude, latitude)).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_projects_to_the_same_place() {
        let bern = Libproj::of(2056).expect("libproj has its database inside");
        let place = || bern.project(7.4386, 46.9511);
        let here = place();
        let there = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(place)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(here.is_some() && there.iter().all(|there| *there == here), "{here:?} {there:?}");
    }

    #[test]
    fn a_code_that_libproj_does_not_know_is_none() {
        assert!(Libproj::of(9).is_none());
    }
}
