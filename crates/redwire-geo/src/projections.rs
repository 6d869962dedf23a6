use std::collections::BTreeMap;
use std::fmt;

use crate::crs::Crs;
#[cfg(feature = "proj")]
use crate::libproj::Libproj;
use crate::proj4::Proj4;
use crate::projector::{LongitudeLatitude, Projector, WebMercator};

/// The CRSs that clients may ask for, by EPSG code. Their transforms are made at start-up; what a
/// client writes never reaches a projection library.
///
/// ```
/// use redwire_geo::{Geo, Projections};
///
/// // Two of them, with decimetres.
/// let projections = Projections::default().only(&[4326, 3857, 2056]);
/// let geo = Geo::default().projections(projections.precision(3857, 1).precision(2056, 1));
/// ```
#[derive(Clone)]
pub struct Projections(BTreeMap<u32, Crs>);

/// National and zonal grids of Europe, and World Mercator.
const GRIDS: &[u16] = &[
    2056, 2154, 3034, 3035, 3395, 3812, 5514, 21781, 25828, 25829, 25830, 25831, 25832, 25833,
    25834, 25835, 28992, 31370, 32628, 32629, 32630, 32631, 32632, 32633, 32634, 32635,
];

impl Default for Projections {
    /// EPSG 4326 and 3857 in closed form, and the grids of Europe: by libproj if the crate has its
    /// feature `proj`, otherwise by [`proj4rs`](Self::proj4rs).
    fn default() -> Self {
        #[cfg(feature = "proj")]
        return Self::libproj();
        #[cfg(not(feature = "proj"))]
        Self::proj4rs()
    }
}

impl Projections {
    /// The default codes, computed by the crate proj4rs.
    #[must_use]
    pub fn proj4rs() -> Self {
        Self::of(Proj4::of)
    }

    /// The default codes, computed by libproj. Each thread makes its transforms when it first needs
    /// them, which takes some milliseconds.
    #[cfg(feature = "proj")]
    #[must_use]
    pub fn libproj() -> Self {
        Self::of(Libproj::of)
    }

    fn of<P: Projector>(grid: impl Fn(u16) -> Option<P>) -> Self {
        let world = Self(BTreeMap::new()).with(4326, LongitudeLatitude).with(3857, WebMercator);
        GRIDS.iter().fold(world, |all, &code| match grid(code) {
            Some(grid) => all.with(code.into(), grid),
            None => all,
        })
    }

    /// Adds a CRS, or replaces the one with that code.
    #[must_use]
    pub fn with(mut self, code: u32, projector: impl Projector) -> Self {
        self.0.insert(code, Crs::new(code, projector));
        self
    }

    /// Only those of these codes.
    #[must_use]
    pub fn only(mut self, codes: &[u32]) -> Self {
        self.0.retain(|code, _| codes.contains(code));
        self
    }

    /// Rounds the numbers that are written in this CRS to so many decimals, 15 at most; by default
    /// they have as many as it takes to read the same `f64`. What is sent as it is stored is not
    /// rewritten, so not rounded either. Without effect if the code is not among these.
    #[must_use]
    pub fn precision(mut self, code: u32, decimals: u8) -> Self {
        if let Some(crs) = self.0.get_mut(&code) {
            crs.round(decimals);
        }
        self
    }

    /// All codes, ascending.
    pub fn codes(&self) -> impl Iterator<Item = u32> {
        self.0.keys().copied()
    }

    pub(crate) fn get(&self, code: u32) -> Option<&Crs> {
        self.0.get(&code)
    }
}

/// The code in a client's name of a CRS: `epsg:3857`, `EPSG:3857` or `3857`.
pub(crate) fn code_in(name: &str) -> Option<u32> {
    let code = match name.split_at_checked(5) {
        Some((prefix, code)) if prefix.eq_ignore_ascii_case("epsg:") => code,
        _ => name,
    };
    let is_code = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then(|| code.parse().ok())?
}

impl fmt::Debug for Projections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Projections").field(&self.0.keys()).finish()
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

    fn backends() -> Vec<Projections> {
        vec![
            Projections::proj4rs(),
            #[cfg(feature = "proj")]
            Projections::libproj(),
        ]
    }

    #[test]
    fn known_positions_agree_with_proj() {
        for projections in backends() {
            for &(code, east, north) in KNOWN {
                let crs = projections.get(code).expect("a default code");
                let [x, y] = crs.project([7.5, 47.5]).expect("an image");
                assert!((x - east).hypot(y - north) < 1e-6, "{code}: {x} {y}");
            }
        }
    }

    #[test]
    fn all_default_codes_have_a_projection() {
        for projections in backends() {
            let missing: Vec<_> =
                GRIDS.iter().filter(|&&code| projections.get(code.into()).is_none()).collect();
            assert!(missing.is_empty(), "{missing:?}");
        }
    }

    #[test]
    fn what_is_no_place_on_earth_has_no_image_or_a_finite_one() {
        let odd = [0.0, 90.0, -90.0, 90.1, 180.0, -181.0, 1e9, 1e300, -1e308, f64::NAN];
        for projections in backends() {
            for code in projections.codes() {
                let crs = projections.get(code).expect("one of its own codes");
                for place in odd.iter().flat_map(|&x| odd.map(|y| [x, y])) {
                    let image = crs.project(place);
                    let is_finite = image.is_none_or(|[x, y]| x.is_finite() && y.is_finite());
                    assert!(is_finite, "{code} {place:?} {image:?}");
                    let is_latitude = place[1].abs() <= 90.0;
                    assert!(is_latitude || image.is_none(), "{code} {place:?} {image:?}");
                }
            }
        }
    }

    #[test]
    fn names_are_codes_and_nothing_else() {
        for good in ["epsg:3857", "EPSG:3857", "Epsg:3857", "3857", "epsg:03857"] {
            assert_eq!(code_in(good), Some(3857), "{good}");
        }
        for bad in [
            "",
            "epsg:",
            "nonsense",
            "+proj=merc",
            "epsg:3857 ",
            "epsg:+3857",
            "epsg:-1",
            "epsg:3857.0",
            "EPSG:3857\0",
            "99999999999999999999",
            "urn:ogc:def:crs:EPSG::3857",
            "épsg:3857",
        ] {
            assert!(code_in(bad).is_none(), "{bad}");
        }
        assert!(Projections::default().get(99999).is_none());
    }
}
