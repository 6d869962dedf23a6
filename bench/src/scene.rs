use fastrand::Rng;
use redwire_protocol::Bounds;

use crate::crs::Crs;

/// Where viewers look and things move: most of them around cities of very different size.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    /// West, south, east, north, in degrees.
    area: [f64; 4],
    /// Degrees around a city's centre.
    sprawl: f64,
    /// Shares of viewers, and from which zoom to which.
    zooms: &'static [(f64, f64, f64)],
    cities: Vec<[f64; 2]>,
    rng: Rng,
}

/// What one viewer's window of 1200 by 800 pixels shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    centre: [f64; 2],
    zoom: f64,
}

/// Metres of web Mercator in a pixel at zoom 0, in tiles of 256 pixels.
const RESOLUTION: f64 = 156_543.034;

impl Scene {
    /// A country: one viewer in seven sees all of it.
    pub(crate) fn switzerland() -> Self {
        let zooms = &[(0.15, 8.0, 8.0), (0.30, 9.0, 11.0), (0.55, 11.0, 15.0)];
        Self::new("Switzerland", [6.0, 45.9, 10.4, 47.7], 0.06, zooms, 30)
    }

    pub(crate) fn world() -> Self {
        let zooms = &[(0.05, 2.0, 3.0), (0.15, 4.0, 6.0), (0.30, 7.0, 10.0), (0.50, 11.0, 15.0)];
        Self::new("world", [-170.0, -50.0, 170.0, 70.0], 0.15, zooms, 300)
    }

    /// Where nothing is.
    pub(crate) fn pacific() -> Self {
        Self::new("Pacific", [-140.0, -20.0, -130.0, -10.0], 0.1, &[], 1)
    }

    fn new(
        name: &'static str,
        area: [f64; 4],
        sprawl: f64,
        zooms: &'static [(f64, f64, f64)],
        cities: usize,
    ) -> Self {
        let mut scene =
            Self { name, area, sprawl, zooms, cities: Vec::new(), rng: Rng::with_seed(1) };
        scene.cities = (0..cities).map(|_| scene.anywhere()).collect();
        scene
    }

    fn anywhere(&mut self) -> [f64; 2] {
        let [west, south, east, north] = self.area;
        [west + (east - west) * self.rng.f64(), south + (north - south) * self.rng.f64()]
    }

    /// A city by Zipf's law: the second one is half as large as the first.
    fn city(&mut self) -> Option<[f64; 2]> {
        let weight = |rank: usize| 1.0 / (rank + 1) as f64;
        let total: f64 = (0..self.cities.len()).map(weight).sum();
        let mut left = self.rng.f64() * total;
        let rank = (0..self.cities.len()).find(|&rank| {
            left -= weight(rank);
            left <= 0.0
        });
        self.cities.get(rank?).copied()
    }

    /// Longitude and latitude of something that moves, or that somebody looks at.
    pub(crate) fn spot(&mut self) -> [f64; 2] {
        match self.city() {
            Some([x, y]) if self.rng.f64() < 0.7 => {
                // Three uniform ones make a bell.
                let mut around = || (0..3).map(|_| self.rng.f64() * 2.0 - 1.0).sum::<f64>();
                [x + around() * self.sprawl, y + around() * self.sprawl]
            }
            _ => self.anywhere(),
        }
    }

    pub(crate) fn view(&mut self) -> View {
        let mut left = self.rng.f64();
        let zooms = self.zooms.iter().find(|(share, ..)| {
            left -= share;
            left <= 0.0
        });
        let &(_, low, high) = zooms.unwrap_or(&(1.0, 12.0, 12.0));
        View { centre: self.spot(), zoom: low + (high - low) * self.rng.f64() }
    }

    /// Longitudes and latitudes along a way of up to 1.5 km.
    pub(crate) fn line(&mut self, vertices: usize) -> Vec<[f64; 2]> {
        let ([mut x, mut y], mut heading) = (self.spot(), self.rng.f64() * 6.3);
        let step = 0.0133 * self.rng.f64() / vertices as f64;
        let vertices = (0..vertices).map(|_| {
            heading += self.rng.f64() - 0.5;
            (x, y) = (x + step * heading.cos(), y + step * heading.sin());
            [x, y]
        });
        vertices.collect()
    }
}

impl View {
    /// The box that the viewer's map asks for in this CRS.
    pub(crate) fn bounds(&self, crs: &Crs) -> Bounds {
        let pixel = RESOLUTION / self.zoom.exp2() * crs.scale_at(self.centre[1]);
        let [x, y] = crs.project(self.centre);
        Bounds {
            left: x - 600.0 * pixel,
            bottom: y - 400.0 * pixel,
            right: x + 600.0 * pixel,
            top: y + 400.0 * pixel,
        }
    }
}

/// The smallest box around them, in this CRS.
pub(crate) fn extent(positions: &[[f64; 2]], crs: &Crs) -> Bounds {
    positions.iter().fold(Bounds::NOTHING, |extent, position| {
        let [x, y] = crs.project(*position);
        extent.around(&Bounds { left: x, bottom: y, right: x, top: y })
    })
}
