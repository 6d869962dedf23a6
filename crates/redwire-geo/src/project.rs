use redwire_protocol::Content;

use crate::bbox::Rect;
use crate::counts::Counters;
use crate::crs::{Crs, Stored};
use crate::edits::Edits;
use crate::geometry::{Geometry, Position};
use crate::reading::Reading;

/// Longitudes beyond it are no position on a map, however often it was panned around the world.
const FARTHEST: f64 = 10_000.0;

/// How stored positions become sent ones.
pub(crate) struct Transform<'c> {
    pub(crate) stored: Stored,
    pub(crate) crs: &'c Crs,
    /// Whether both sides are in the order of the CRSs' definitions.
    pub(crate) strict: bool,
    pub(crate) counters: &'c Counters,
}

impl Transform<'_> {
    /// The content in the CRS: the first two ordinates of every position and the `bbox` members are
    /// replaced, a geometry without an image is `null`, and every other byte stays.
    pub(crate) fn rewrite(&self, content: &Content, reading: &Reading) -> Option<Content> {
        let images = self.images(reading);
        let mut edits = Edits::with_capacity(images.len() * 2 + reading.bboxes.len() * 4);
        for geometry in &reading.geometries {
            let placed = reading.places.get(geometry.positions.clone());
            let images = images.get(geometry.positions.clone());
            let (placed, images) = placed.zip(images)?;
            if images.iter().any(Option::is_none) {
                self.counters.unprojectable(1);
                edits.null(geometry.at);
                continue;
            }
            for ([x, y], image) in placed.iter().zip(images.iter().flatten()) {
                edits.number(*x, image[0]);
                edits.number(*y, image[1]);
            }
        }
        for bbox in &reading.bboxes {
            // What is sent without its geometry is in no box.
            let images = images.get(bbox.positions.clone())?.iter().flatten();
            if let Some(Rect { left, bottom, right, top }) = Rect::around(images) {
                for (place, side) in bbox.at.into_iter().zip([left, bottom, right, top]) {
                    edits.number(place, side);
                }
            }
        }
        Content::parse(edits.apply(content.text())).ok()
    }

    /// Where every position is in the CRS; none of a geometry's, if one of them has no image.
    fn images(&self, reading: &Reading) -> Vec<Option<Position>> {
        let mut images = Vec::with_capacity(reading.places.len());
        reading.located.visit(&mut |geometry: &Geometry| {
            let before = images.len();
            images.extend(geometry.positions().map(|position| self.apply(*position)));
            let own = images.get_mut(before..).unwrap_or_default();
            if own.iter().any(Option::is_none) {
                own.fill(None);
            }
        });
        images
    }

    fn apply(&self, position: Position) -> Option<Position> {
        let from = self.ordered(self.stored.code(), position);
        let from = self.stored.longitude_latitude(from);
        // Far from any world projections answer with whatever their arithmetic ends at.
        if from[0].abs() > FARTHEST {
            return None;
        }
        let image = self.crs.project(from)?;
        Some(self.ordered(self.crs.code, image))
    }

    /// From the order of the text to x, y, or back.
    fn ordered(&self, code: u32, [first, second]: Position) -> Position {
        if self.strict && Crs::is_north_first(code) { [second, first] } else { [first, second] }
    }
}
