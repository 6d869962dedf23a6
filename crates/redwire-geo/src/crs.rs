use std::sync::Arc;

use crate::geometry::Position;
use crate::projector::{Projector, WebMercator};

/// One coordinate reference system that clients may ask for.
#[derive(Clone)]
pub(crate) struct Crs {
    pub(crate) code: u32,
    projector: Arc<dyn Projector>,
    /// Ten to the power of the decimals that are sent; `None` for all that there are.
    scale: Option<f64>,
}

impl Crs {
    pub(crate) fn new(code: u32, projector: impl Projector) -> Self {
        Self { code, projector: Arc::new(projector), scale: None }
    }

    pub(crate) fn round(&mut self, decimals: u8) {
        self.scale = Some(10_f64.powi(decimals.min(MAX_DECIMALS).into()));
    }

    /// The position in this CRS, all in the order x, y; `None` where it has no finite image.
    pub(crate) fn project(&self, [x, y]: Position) -> Option<Position> {
        let (east, north) = self.projector.project(x, y)?;
        let image = [self.rounded(east), self.rounded(north)];
        image.iter().all(|ordinate| ordinate.is_finite()).then_some(image)
    }

    fn rounded(&self, value: f64) -> f64 {
        let Some(scale) = self.scale else { return value };
        let rounded = (value * scale).round() / scale;
        // Too large to be rounded is without decimals anyway; adding zero turns -0 into 0.
        if rounded.is_finite() { rounded + 0.0 } else { value }
    }

    /// After how many units to the east the world repeats, for the CRSs in which it does.
    pub(crate) fn period(code: u32) -> Option<f64> {
        match code {
            4326 => Some(360.0),
            3857 | 3395 => Some(2.0 * std::f64::consts::PI * EARTH_RADIUS),
            _ => None,
        }
    }

    /// Whether the CRS's own definition names the northern axis first; only strict axis order asks.
    /// From the EPSG registry, for the codes of [`Projections::default`](crate::Projections).
    pub(crate) fn is_north_first(code: u32) -> bool {
        matches!(code, 4326 | 3034 | 3035)
    }
}

/// Semi-major axis of WGS 84 in metres.
pub(crate) const EARTH_RADIUS: f64 = 6_378_137.0;

/// More than any `f64` of a place on Earth has, in degrees too.
const MAX_DECIMALS: u8 = 15;

/// The CRS of what is published. Only those that lead to longitude and latitude in closed form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stored {
    #[default]
    LongitudeLatitude,
    WebMercator,
}

impl Stored {
    pub(crate) fn of(code: u32) -> Option<Self> {
        [Self::LongitudeLatitude, Self::WebMercator].into_iter().find(|crs| crs.code() == code)
    }

    pub(crate) fn code(self) -> u32 {
        match self {
            Self::LongitudeLatitude => 4326,
            Self::WebMercator => 3857,
        }
    }

    pub(crate) fn longitude_latitude(self, [x, y]: Position) -> Position {
        match self {
            Self::LongitudeLatitude => [x, y],
            Self::WebMercator => WebMercator::inverse(x, y).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projector::LongitudeLatitude;

    #[test]
    fn numbers_are_rounded_to_the_decimals_that_were_asked_for() {
        for (decimals, [x, y], rounded) in [
            (1, [834_896.180_949_551_8, -0.04], "[834896.2, 0.0]"),
            (0, [7.5, -7.5], "[8.0, -8.0]"),
            (6, [8.540_191_999, 47.378_177], "[8.540192, 47.378177]"),
            (15, [0.1, 1e300], "[0.1, 1e300]"),
            (255, [0.1, 1e300], "[0.1, 1e300]"),
        ] {
            let mut crs = Crs::new(4326, Plane);
            crs.round(decimals);
            assert_eq!(format!("{:?}", crs.project([x, y]).unwrap()), rounded);
        }
    }

    #[test]
    fn what_is_not_finite_is_no_image() {
        assert!(Crs::new(0, Plane).project([f64::INFINITY, 0.0]).is_none());
        assert!(Crs::new(0, Plane).project([0.0, f64::NAN]).is_none());
        assert!(Crs::new(4326, LongitudeLatitude).project([0.0, 90.5]).is_none());
    }

    struct Plane;

    impl Projector for Plane {
        fn project(&self, x: f64, y: f64) -> Option<(f64, f64)> {
            Some((x, y))
        }
    }
}
