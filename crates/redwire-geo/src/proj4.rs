use crate::projector::{Projector, is_latitude};

/// A CRS as proj4rs knows it.
pub(crate) struct Proj4 {
    from: proj4rs::Proj,
    to: proj4rs::Proj,
}

impl Proj4 {
    pub(crate) fn of(code: u16) -> Option<Self> {
        let from = proj4rs::Proj::from_epsg_code(4326).ok()?;
        Some(Self { from, to: proj4rs::Proj::from_epsg_code(code).ok()? })
    }
}

impl Projector for Proj4 {
    fn project(&self, longitude: f64, latitude: f64) -> Option<(f64, f64)> {
        if !is_latitude(latitude) {
            return None;
        }
        let mut point = (longitude.to_radians(), latitude.to_radians(), 0.0);
        proj4rs::transform::transform(&self.from, &self.to, &mut point).ok()?;
        Some((point.0, point.1))
    }
}
