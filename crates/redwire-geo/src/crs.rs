use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::geometry::Position;

/// Maps longitude and latitude (degrees, EPSG:4326) to the plane of one CRS.
///
/// Implement it to bring a projection of your own to [`Projections::with`].
pub trait Projector: Send + Sync + 'static {
    /// East and north in the CRS's units; `None` where the position has no image.
    fn project(&self, longitude: f64, latitude: f64) -> Option<(f64, f64)>;
}

/// One coordinate reference system that clients may ask for.
#[derive(Clone)]
pub(crate) struct Crs {
    pub(crate) code: u32,
    projector: Arc<dyn Projector>,
}

impl Crs {
    /// Longitude and latitude, as stored.
    pub(crate) const STORED: u32 = 4326;

    /// The position in this CRS, all in the order x, y; `None` where it has no finite image.
    pub(crate) fn project(&self, [x, y]: Position) -> Option<Position> {
        let (east, north) = self.projector.project(x, y)?;
        (east.is_finite() && north.is_finite()).then_some([east, north])
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
    /// From the EPSG registry, for the codes of [`Projections::default`].
    pub(crate) fn is_north_first(code: u32) -> bool {
        matches!(code, 4326 | 3034 | 3035)
    }
}

/// Semi-major axis of WGS 84 in metres.
const EARTH_RADIUS: f64 = 6_378_137.0;

/// The CRSs that clients may ask for, by EPSG code. Their transforms are made at start-up; what a
/// client writes never reaches a projection library.
#[derive(Clone)]
pub struct Projections(BTreeMap<u32, Crs>);

/// The world's two, and the national and zonal grids of Europe.
const DEFAULT_CODES: &[u16] = &[
    2056, 2154, 3034, 3035, 3395, 3812, 5514, 21781, 25828, 25829, 25830, 25831, 25832, 25833,
    25834, 25835, 28992, 31370, 32628, 32629, 32630, 32631, 32632, 32633, 32634, 32635,
];

impl Default for Projections {
    /// EPSG 4326 and 3857 in closed form, and the grids of Europe.
    fn default() -> Self {
        let empty = Self(BTreeMap::new());
        let world = empty.with(Crs::STORED, LongitudeLatitude).with(3857, WebMercator);
        DEFAULT_CODES.iter().fold(world, |all, &code| match Grid::of(code) {
            Some(grid) => all.with(code.into(), grid),
            None => all,
        })
    }
}

impl Projections {
    /// Adds a CRS, or replaces the one with that code.
    #[must_use]
    pub fn with(mut self, code: u32, projector: impl Projector) -> Self {
        self.0.insert(code, Crs { code, projector: Arc::new(projector) });
        self
    }

    /// Only those of these codes.
    #[must_use]
    pub fn only(mut self, codes: &[u32]) -> Self {
        self.0.retain(|code, _| codes.contains(code));
        self
    }

    /// All codes, ascending.
    pub fn codes(&self) -> impl Iterator<Item = u32> {
        self.0.keys().copied()
    }

    pub(crate) fn get(&self, code: u32) -> Option<&Crs> {
        self.0.get(&code)
    }

    /// The CRS that a client names: `epsg:3857`, `EPSG:3857` or `3857`.
    pub(crate) fn named(&self, name: &str) -> Option<&Crs> {
        let code = match name.split_at_checked(5) {
            Some((prefix, code)) if prefix.eq_ignore_ascii_case("epsg:") => code,
            _ => name,
        };
        let is_code = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit());
        self.0.get(&is_code.then(|| code.parse().ok())??)
    }
}

impl fmt::Debug for Projections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Projections").field(&self.0.keys()).finish()
    }
}

struct LongitudeLatitude;

impl Projector for LongitudeLatitude {
    fn project(&self, longitude: f64, latitude: f64) -> Option<(f64, f64)> {
        Some((longitude, latitude))
    }
}

/// EPSG:3857 in closed form.
struct WebMercator;

impl Projector for WebMercator {
    fn project(&self, longitude: f64, latitude: f64) -> Option<(f64, f64)> {
        if latitude.abs() > 90.0 {
            return None;
        }
        let north = (std::f64::consts::FRAC_PI_4 + latitude.to_radians() / 2.0).tan().ln();
        // At the pole itself the formula ends at a large number, as PROJ's does; at the other one it
        // would not be finite.
        Some((EARTH_RADIUS * longitude.to_radians(), EARTH_RADIUS * north))
    }
}

/// A CRS as proj4rs knows it.
struct Grid {
    from: proj4rs::Proj,
    to: proj4rs::Proj,
}

impl Grid {
    fn of(code: u16) -> Option<Self> {
        let from = proj4rs::Proj::from_epsg_code(4326).ok()?;
        Some(Self { from, to: proj4rs::Proj::from_epsg_code(code).ok()? })
    }
}

impl Projector for Grid {
    fn project(&self, longitude: f64, latitude: f64) -> Option<(f64, f64)> {
        if latitude.abs() > 90.0 {
            return None;
        }
        let mut point = (longitude.to_radians(), latitude.to_radians(), 0.0);
        proj4rs::transform::transform(&self.from, &self.to, &mut point).ok()?;
        Some((point.0, point.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Positions at (7.5, 47.5), as PROJ 9.3 computes them.
    const KNOWN: &[(u32, f64, f64)] = &[
        (3857, 834_896.180_949_551_8, 6_024_072.119_373_784),
        (2056, 2_604_624.642_371_691_3, 1_261_029.157_906_420_5),
        (21781, 604_624.642_371_691_3, 261_029.157_906_420_62),
        (25832, 387_030.963_162_254_66, 5_261_820.109_840_259),
        (32632, 387_030.963_163_264_27, 5_261_820.109_961_961),
        (3035, 4_132_552.893_251_444_7, 2_712_780.675_397_696),
        (2154, 1_038_590.720_700_693, 6_720_721.268_815_344),
        (3395, 834_896.180_949_551_8, 5_992_553.824_965_752),
    ];

    #[test]
    fn known_positions_agree_with_proj() {
        let projections = Projections::default();
        for &(code, east, north) in KNOWN {
            let crs = projections.named(&code.to_string()).expect("a default code");
            let [x, y] = crs.project([7.5, 47.5]).expect("an image");
            assert!((x - east).hypot(y - north) < 1e-6, "{code}: {x} {y}");
        }
    }

    #[test]
    fn all_default_codes_have_a_projection() {
        let projections = Projections::default();
        let missing: Vec<_> = DEFAULT_CODES
            .iter()
            .filter(|&&code| projections.named(&code.to_string()).is_none())
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn names_are_codes_and_nothing_else() {
        let projections = Projections::default();
        for good in ["epsg:3857", "EPSG:3857", "Epsg:3857", "3857"] {
            assert_eq!(projections.named(good).map(|crs| crs.code), Some(3857), "{good}");
        }
        for bad in [
            "",
            "epsg:",
            "epsg:99999",
            "nonsense",
            "+proj=merc",
            "epsg:3857 ",
            "epsg:+3857",
            "EPSG:3857\0",
            "99999999999999999999",
            "urn:ogc:def:crs:EPSG::3857",
            "épsg:3857",
        ] {
            assert!(projections.named(bad).is_none(), "{bad}");
        }
    }
}
