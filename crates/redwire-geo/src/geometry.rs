use crate::bbox::Rect;
use crate::run::Run;

/// The plane part of a position: its first two ordinates.
pub(crate) type Position = [f64; 2];

/// A well-formed geometry of RFC 7946, as far as a box or a projection looks at it.
#[derive(Debug, PartialEq)]
pub(crate) struct Geometry {
    pub(crate) parts: Vec<Part>,
    bounds: Option<Rect>,
}

/// One connected piece of a geometry.
#[derive(Debug, PartialEq)]
pub(crate) enum Part {
    Point(Position),
    Line(Run),
    /// The outer ring, then the holes.
    Polygon(Vec<Run>),
}

impl Geometry {
    pub(crate) fn new(parts: Vec<Part>) -> Self {
        let bounds = Rect::around(parts.iter().flat_map(Part::runs).flatten());
        Self { parts, bounds }
    }

    pub(crate) fn positions(&self) -> impl Iterator<Item = &Position> {
        self.parts.iter().flat_map(Part::runs).flatten()
    }

    /// The smallest box around it; `None` if it is empty.
    pub(crate) fn bounds(&self) -> Option<Rect> {
        self.bounds
    }
}

impl Part {
    /// The position, the line, or the rings.
    fn runs(&self) -> impl Iterator<Item = &[Position]> {
        let (one, many) = match self {
            Self::Point(position) => (Some(std::slice::from_ref(position)), &[][..]),
            Self::Line(line) => (Some(line.positions()), &[][..]),
            Self::Polygon(rings) => (None, rings.as_slice()),
        };
        one.into_iter().chain(many.iter().map(Run::positions))
    }
}
