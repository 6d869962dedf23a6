use crate::bbox::Rect;
use crate::tape::Node;

/// The plane part of a position: its first two ordinates.
pub(crate) type Position = [f64; 2];

/// A well-formed geometry of RFC 7946, as far as a box or a projection looks at it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Geometry {
    pub(crate) parts: Vec<Part>,
}

/// One connected piece of a geometry.
#[derive(Debug, PartialEq)]
pub(crate) enum Part {
    Point(Position),
    Line(Vec<Position>),
    /// The outer ring, then the holes.
    Polygon(Vec<Vec<Position>>),
}

impl Geometry {
    /// Reads a geometry object; `None` if it is of an unknown type or not well formed.
    pub(crate) fn read(node: Node<'_>) -> Option<Self> {
        let mut geometry = Self::default();
        geometry.add(node)?;
        Some(geometry)
    }

    fn add(&mut self, node: Node<'_>) -> Option<()> {
        let kind = node.member("type")?;
        if kind.is_string("GeometryCollection") {
            return node.member("geometries")?.elements()?.try_for_each(|member| self.add(member));
        }
        let coordinates = node.member("coordinates")?;
        let is = |name| kind.is_string(name);
        if is("Point") {
            self.parts.push(Part::Point(position(coordinates)?));
        } else if is("MultiPoint") {
            self.parts.extend(positions(coordinates)?.into_iter().map(Part::Point));
        } else if is("LineString") {
            self.parts.push(Part::Line(positions(coordinates)?));
        } else if is("MultiLineString") {
            self.parts.extend(rings(coordinates)?.into_iter().map(Part::Line));
        } else if is("Polygon") {
            self.parts.push(Part::Polygon(rings(coordinates)?));
        } else if is("MultiPolygon") {
            let polygons: Option<Vec<_>> = coordinates.elements()?.map(rings).collect();
            self.parts.extend(polygons?.into_iter().map(Part::Polygon));
        } else {
            return None;
        }
        Some(())
    }

    pub(crate) fn positions(&self) -> impl Iterator<Item = &Position> {
        self.parts.iter().flat_map(|part| -> Box<dyn Iterator<Item = &Position>> {
            match part {
                Part::Point(position) => Box::new(std::iter::once(position)),
                Part::Line(line) => Box::new(line.iter()),
                Part::Polygon(rings) => Box::new(rings.iter().flatten()),
            }
        })
    }

    /// The smallest box around it; `None` if it is empty.
    pub(crate) fn bounds(&self) -> Option<Rect> {
        Rect::around(self.positions())
    }
}

/// Visits the arrays of two or more numbers under a geometry's `coordinates`, in the text's order.
pub(crate) fn visit_positions<'a>(node: Node<'a>, visit: &mut impl FnMut(Node<'a>, Node<'a>)) {
    if node.member("type").is_some_and(|kind| kind.is_string("GeometryCollection")) {
        let members = node.member("geometries").and_then(|members| members.elements());
        return members.into_iter().flatten().for_each(|member| visit_positions(member, visit));
    }
    if let Some(coordinates) = node.member("coordinates") {
        visit_nested(coordinates, visit);
    }
}

fn visit_nested<'a>(node: Node<'a>, visit: &mut impl FnMut(Node<'a>, Node<'a>)) {
    let Some(mut elements) = node.elements() else { return };
    let (first, second) = (elements.next(), elements.next());
    match (first, second) {
        (Some(x), Some(y)) if x.number().is_some() => visit(x, y),
        _ => [first, second]
            .into_iter()
            .flatten()
            .chain(elements)
            .for_each(|n| visit_nested(n, visit)),
    }
}

fn position(node: Node<'_>) -> Option<Position> {
    let mut ordinates = node.elements()?;
    let position = [ordinates.next()?.number()?, ordinates.next()?.number()?];
    // The rest (height, measure) is carried along, but has to be numbers.
    ordinates.all(|ordinate| ordinate.number().is_some()).then_some(position)
}

fn positions(node: Node<'_>) -> Option<Vec<Position>> {
    node.elements()?.map(position).collect()
}

fn rings(node: Node<'_>) -> Option<Vec<Vec<Position>>> {
    node.elements()?.map(positions).collect()
}
