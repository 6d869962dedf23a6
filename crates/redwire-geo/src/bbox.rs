use crate::geometry::{Geometry, Part, Position};
use crate::run::Run;

/// A closed box with sides along the axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub(crate) left: f64,
    pub(crate) bottom: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
}

impl Rect {
    pub(crate) fn around<'p>(positions: impl Iterator<Item = &'p Position>) -> Option<Self> {
        positions.fold(None, |rect, &[x, y]| match rect {
            None => Some(Self { left: x, bottom: y, right: x, top: y }),
            Some(rect) => Some(Self {
                left: rect.left.min(x),
                bottom: rect.bottom.min(y),
                right: rect.right.max(x),
                top: rect.top.max(y),
            }),
        })
    }

    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.left <= other.right
            && other.left <= self.right
            && self.bottom <= other.top
            && other.bottom <= self.top
    }

    fn surrounds(&self, other: &Self) -> bool {
        self.left <= other.left
            && other.right <= self.right
            && self.bottom <= other.bottom
            && other.top <= self.top
    }

    pub(crate) fn contains(&self, [x, y]: Position) -> bool {
        self.left <= x && x <= self.right && self.bottom <= y && y <= self.top
    }

    fn strictly_contains(&self, [x, y]: Position) -> bool {
        self.left < x && x < self.right && self.bottom < y && y < self.top
    }

    /// Whether the segment has a point in common with the box (Liang and Barsky's clipping).
    pub(crate) fn meets_segment(&self, [x0, y0]: Position, [x1, y1]: Position) -> bool {
        let (dx, dy) = (x1 - x0, y1 - y0);
        let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
        for (towards, distance) in [
            (-dx, x0 - self.left),
            (dx, self.right - x0),
            (-dy, y0 - self.bottom),
            (dy, self.top - y0),
        ] {
            if towards == 0.0 {
                if distance < 0.0 {
                    return false;
                }
            } else if towards < 0.0 {
                enters = enters.max(distance / towards);
            } else {
                leaves = leaves.min(distance / towards);
            }
        }
        enters <= leaves
    }

    fn meets_polygon(&self, rings: &[Run]) -> bool {
        // No edge in common: the box is all inside or all outside, as any of its corners is.
        let corner = [self.left, self.bottom];
        rings.iter().any(|ring| ring.meets(self))
            || rings.iter().filter(|ring| ring.surrounds(corner)).count() % 2 == 1
    }

    fn meets(&self, part: &Part) -> bool {
        match part {
            Part::Point(position) => self.contains(*position),
            Part::Line(line) => line.meets(self),
            Part::Polygon(rings) => self.meets_polygon(rings),
        }
    }

    /// True intersection of a geometry of any kind with the closed box.
    pub(crate) fn intersects(&self, geometry: &Geometry) -> bool {
        geometry.bounds().is_some_and(|bounds| {
            self.overlaps(&bounds)
                && (self.surrounds(&bounds) || geometry.parts.iter().any(|part| self.meets(part)))
        })
    }

    /// The box on a world that repeats every `period` to the right: a left side beyond the right one
    /// crosses the seam, and map clients that were panned around the world send copies of it.
    pub(crate) fn on_world(&self, period: Option<f64>) -> Vec<Self> {
        let rect = *self;
        let finite = rect.left.is_finite() && rect.right.is_finite();
        let Some(period) = period.filter(|_| finite) else { return vec![rect] };
        let seams = ((rect.left - rect.right) / period).ceil().max(0.0);
        let right = rect.right + seams * period;
        if right - rect.left >= period {
            return vec![Self { left: f64::NEG_INFINITY, right: f64::INFINITY, ..rect }];
        }
        // Zero where the box is in place, so that its sides are not rounded.
        let shift = -((rect.left + period / 2.0) / period).floor() * period;
        let copy = |by: f64| Self { left: rect.left + by, right: right + by, ..rect };
        [shift, shift - period, shift + period].map(copy).into()
    }

    /// The original's rule: any vertex strictly inside.
    pub(crate) fn has_vertex_of(&self, geometry: &Geometry) -> bool {
        geometry.positions().any(|position| self.strictly_contains(*position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meets(bbox: [f64; 4], longitude: f64) -> bool {
        let [left, bottom, right, top] = bbox;
        let rects = Rect { left, bottom, right, top }.on_world(Some(360.0));
        rects.iter().any(|rect| rect.contains([longitude, 0.0]))
    }

    #[test]
    fn a_box_may_cross_the_antimeridian_or_be_a_copy_of_the_world() {
        for (bbox, inside, outside) in [
            ([5.0, -1.0, 10.0, 1.0], 7.5, 11.0),
            ([170.0, -1.0, -170.0, 1.0], 175.0, 165.0),
            ([170.0, -1.0, -170.0, 1.0], -175.0, 0.0),
            ([170.0, -1.0, 190.0, 1.0], -175.0, 165.0),
            ([365.0, -1.0, 370.0, 1.0], 7.5, 11.0),
            ([-715.0, -1.0, -710.0, 1.0], 7.5, 11.0),
            ([175.0, -1.0, 185.0, 1.0], 182.0, -170.0),
        ] {
            assert!(meets(bbox, inside), "{bbox:?} {inside}");
            assert!(!meets(bbox, outside), "{bbox:?} {outside}");
        }
        assert!(meets([-400.0, -1.0, 400.0, 1.0], 90.0), "more than the world is the world");
    }

    #[test]
    fn a_box_in_place_keeps_its_sides_to_the_bit() {
        let rects = Rect { left: 0.1, bottom: 0.0, right: 0.3, top: 1.0 }.on_world(Some(360.0));
        assert_eq!(rects[0], Rect { left: 0.1, bottom: 0.0, right: 0.3, top: 1.0 });
    }
}
