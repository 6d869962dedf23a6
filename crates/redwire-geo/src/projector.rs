use crate::crs::EARTH_RADIUS;

/// Maps longitude and latitude (degrees, EPSG:4326) to the plane of one CRS.
///
/// Implement it to bring a projection of your own to [`Projections::with`](crate::Projections::with).
pub trait Projector: Send + Sync + 'static {
    /// East and north in the CRS's units; `None` where the position has no image.
    fn project(&self, longitude: f64, latitude: f64) -> Option<(f64, f64)>;
}

/// Whether the latitude is one; libraries differ on what they make of others.
pub(crate) fn is_latitude(latitude: f64) -> bool {
    latitude.abs() <= 90.0
}

pub(crate) struct LongitudeLatitude;

impl Projector for LongitudeLatitude {
    fn project(&self, longitude: f64, latitude: f64) -> Option<(f64, f64)> {
        is_latitude(latitude).then_some((longitude, latitude))
    }
}

/// EPSG:3857 in closed form.
pub(crate) struct WebMercator;

impl Projector for WebMercator {
    fn project(&self, longitude: f64, latitude: f64) -> Option<(f64, f64)> {
        if !is_latitude(latitude) {
            return None;
        }
        let north = (std::f64::consts::FRAC_PI_4 + latitude.to_radians() / 2.0).tan().ln();
        // At the pole itself the formula ends at a large number, as PROJ's does; at the other one it
        // would not be finite.
        Some((EARTH_RADIUS * longitude.to_radians(), EARTH_RADIUS * north))
    }
}

impl WebMercator {
    /// Longitude and latitude of a position in EPSG:3857.
    pub(crate) fn inverse(east: f64, north: f64) -> (f64, f64) {
        let latitude = (north / EARTH_RADIUS).sinh().atan().to_degrees();
        // The pole is infinitely far away; what seems to be there is nowhere.
        let latitude = if latitude.abs() < 90.0 { latitude } else { f64::NAN };
        ((east / EARTH_RADIUS).to_degrees(), latitude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_mercator_and_its_inverse_meet() {
        for latitude in [-89.0, -85.06, -47.5, -1e-9, 0.0, 1e-9, 47.5, 85.06, 89.0] {
            for longitude in [-190.0, -180.0, -7.5, 0.0, 7.5, 180.0, 365.0] {
                let (east, north) = WebMercator.project(longitude, latitude).unwrap();
                let (x, y) = WebMercator::inverse(east, north);
                let apart = (x - longitude).hypot(y - latitude);
                assert!(apart < 1e-12, "{longitude} {latitude}: {x} {y}");
            }
        }
    }
}
