use proj4rs::Proj;
use proj4rs::transform::transform;

/// The projections that viewers of the benchmarks ask for.
pub(crate) const CODES: [u16; 3] = [3857, 2056, 3035];

/// A transform from longitude and latitude to one CRS, the same arithmetic that `redwire-geo` uses:
/// its own are private.
pub(crate) enum Crs {
    Mercator,
    Grid(Box<[Proj; 2]>),
}

/// Semi-major axis of WGS 84 in metres.
const EARTH_RADIUS: f64 = 6_378_137.0;

impl Crs {
    pub(crate) fn of(code: u16) -> crate::Result<Self> {
        Ok(match code {
            3857 => Self::Mercator,
            _ => Self::Grid(Box::new([Proj::from_epsg_code(4326)?, Proj::from_epsg_code(code)?])),
        })
    }

    pub(crate) fn project(&self, [longitude, latitude]: [f64; 2]) -> [f64; 2] {
        let (x, y) = (longitude.to_radians(), latitude.to_radians());
        match self {
            Self::Mercator => {
                let north = (std::f64::consts::FRAC_PI_4 + y / 2.0).tan().ln();
                [EARTH_RADIUS * x, EARTH_RADIUS * north]
            }
            Self::Grid(grid) => {
                let ([from, to], mut point) = (&**grid, (x, y, 0.0));
                match transform(from, to, &mut point) {
                    Ok(()) => [point.0, point.1],
                    Err(_) => [f64::NAN; 2],
                }
            }
        }
    }

    /// How many of its units a metre of web Mercator is at this latitude.
    pub(crate) fn scale_at(&self, latitude: f64) -> f64 {
        match self {
            Self::Mercator => 1.0,
            Self::Grid(_) => latitude.to_radians().cos(),
        }
    }
}
