use std::ops::Range;

use redwire_protocol::Content;

use crate::geometry::{Geometry, Part, Position};
use crate::located::Located;
use crate::run::Run;
use crate::tape::{Node, Span, Tape};

/// All that boxes and projections need to know of a message, without its text: read once, and kept
/// beside the message for all viewers.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) located: Located,
    /// Where the two numbers of every position stand in the text, in the order of `located`.
    pub(crate) places: Vec<[Span; 2]>,
    /// The geometry of each feature.
    pub(crate) geometries: Vec<Placed<Span>>,
    /// The plane numbers of each `bbox`: west, south, east, north, were it of longitudes and latitudes.
    pub(crate) bboxes: Vec<Placed<[Span; 4]>>,
    /// How many features have a geometry that is not well formed; nothing here looks at them.
    pub(crate) malformed: usize,
}

/// A part of the text, and which of the positions belong to it.
#[derive(Debug)]
pub(crate) struct Placed<T> {
    pub(crate) at: T,
    pub(crate) positions: Range<usize>,
}

impl Reading {
    pub(crate) fn of(content: &Content) -> Self {
        let tape = Tape::read(content.text());
        let mut reading = Self {
            located: Located::Anywhere,
            places: Vec::new(),
            geometries: Vec::new(),
            bboxes: Vec::new(),
            malformed: 0,
        };
        if let Some(root) = tape.root() {
            reading.located = reading.item(root);
        }
        reading
    }

    fn item(&mut self, node: Node<'_>) -> Located {
        let [kind, geometry, features, bbox] =
            node.members(["type", "geometry", "features", "bbox"]);
        let is = |name| kind.is_some_and(|kind| kind.is_string(name));
        if is("Feature") {
            return match geometry.filter(|geometry| !geometry.is_null()) {
                Some(geometry) => self.feature(geometry, bbox),
                None => Located::Anywhere,
            };
        }
        match features.and_then(|features| features.elements()) {
            Some(features) if is("FeatureCollection") => {
                let before = self.places.len();
                let members = features.map(|feature| self.item(feature)).collect();
                self.bbox(bbox, before);
                Located::AnyOf(members)
            }
            _ => Located::Anywhere,
        }
    }

    fn feature(&mut self, geometry: Node<'_>, bbox: Option<Node<'_>>) -> Located {
        let (before, bboxes) = (self.places.len(), self.bboxes.len());
        let mut parts = Vec::new();
        if self.geometry(geometry, &mut parts).is_none() {
            self.places.truncate(before);
            self.bboxes.truncate(bboxes);
            self.malformed += 1;
            return Located::Anywhere;
        }
        let positions = before..self.places.len();
        self.geometries.push(Placed { at: geometry.span(), positions });
        self.bbox(bbox, before);
        Located::Geometry(Geometry::new(parts))
    }

    /// Adds a geometry's parts; `None` if it is of an unknown type or not well formed.
    fn geometry(&mut self, node: Node<'_>, parts: &mut Vec<Part>) -> Option<()> {
        let before = self.places.len();
        let [kind, coordinates, geometries, bbox] =
            node.members(["type", "coordinates", "geometries", "bbox"]);
        let is = |name| kind.is_some_and(|kind| kind.is_string(name));
        if is("Point") {
            parts.push(Part::Point(self.position(coordinates?)?));
        } else if is("MultiPoint") {
            parts.extend(self.line(coordinates?)?.into_iter().map(Part::Point));
        } else if is("LineString") {
            parts.push(Part::Line(Run::new(self.line(coordinates?)?)));
        } else if is("MultiLineString") {
            parts.extend(self.rings(coordinates?)?.into_iter().map(Part::Line));
        } else if is("Polygon") {
            parts.push(Part::Polygon(self.rings(coordinates?)?));
        } else if is("MultiPolygon") {
            for polygon in coordinates?.elements()? {
                parts.push(Part::Polygon(self.rings(polygon)?));
            }
        } else if is("GeometryCollection") {
            geometries?.elements()?.try_for_each(|member| self.geometry(member, parts))?;
        } else {
            return None;
        }
        self.bbox(bbox, before);
        Some(())
    }

    fn rings(&mut self, node: Node<'_>) -> Option<Vec<Run>> {
        node.elements()?.map(|ring| Some(Run::new(self.line(ring)?))).collect()
    }

    fn line(&mut self, node: Node<'_>) -> Option<Vec<Position>> {
        let elements = node.elements()?;
        // A position is three tokens at least: an array and two numbers.
        let most = node.tokens_inside() / 3;
        self.places.reserve(most);
        let mut line = Vec::with_capacity(most);
        for element in elements {
            line.push(self.position(element)?);
        }
        Some(line)
    }

    fn position(&mut self, node: Node<'_>) -> Option<Position> {
        let mut ordinates = node.elements()?;
        let (x, y) = (ordinates.next()?, ordinates.next()?);
        let position = [x.number()?, y.number()?];
        self.places.push([x.span(), y.span()]);
        // The rest (height, measure) is carried along, but has to be numbers.
        ordinates.all(|ordinate| ordinate.number().is_some()).then_some(position)
    }

    /// Adds a `bbox` of four or six numbers, if it is one and there are positions in it.
    fn bbox(&mut self, bbox: Option<Node<'_>>, before: usize) {
        let Some(numbers) = bbox.and_then(|bbox| bbox.elements()) else { return };
        let numbers: Vec<_> = numbers.take(7).collect();
        let ([a, b, c, d] | [a, b, _, c, d, _]) = *numbers.as_slice() else { return };
        let positions = before..self.places.len();
        if !positions.is_empty() && numbers.iter().all(|number| number.number().is_some()) {
            let at = [a.span(), b.span(), c.span(), d.span()];
            self.bboxes.push(Placed { at, positions });
        }
    }
}
