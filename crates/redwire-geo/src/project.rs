use std::fmt::Write as _;
use std::ops::Range;

use redwire_protocol::Content;

use crate::crs::Crs;
use crate::feature::Item;
use crate::geometry::{Position, visit_positions};
use crate::tape::{Node, Tape};

/// How stored positions become sent ones.
pub(crate) struct Transform<'c> {
    pub(crate) crs: &'c Crs,
    /// Whether both sides are in the order of the CRSs' definitions.
    pub(crate) strict: bool,
}

impl Transform<'_> {
    fn apply(&self, [x, y]: Position) -> Option<Position> {
        if !self.strict {
            return self.crs.project([x, y]);
        }
        // Stored positions are latitude, longitude then, as EPSG:4326 defines them.
        let [east, north] = self.crs.project([y, x])?;
        Some(if Crs::is_north_first(self.crs.code) { [north, east] } else { [east, north] })
    }

    /// The content in the CRS: the first two ordinates of every position and the `bbox` members are
    /// replaced, a geometry without an image is `null`, and every other byte stays. `None` if nothing
    /// changes.
    pub(crate) fn rewrite(&self, content: &Content) -> Option<Content> {
        let text = content.text();
        let tape = Tape::read(text);
        let mut edits = Vec::new();
        self.edit(&Item::read(tape.root()?), &mut edits);
        if edits.is_empty() {
            return None;
        }
        edits.sort_by_key(|(span, _)| span.start);
        let mut rewritten = String::with_capacity(text.len() + edits.len() * 8);
        let mut copied = 0;
        for (span, replacement) in edits {
            rewritten.push_str(text.get(copied..span.start).unwrap_or_default());
            rewritten.push_str(&replacement);
            copied = span.end;
        }
        rewritten.push_str(text.get(copied..).unwrap_or_default());
        Content::parse(rewritten).ok()
    }

    /// Adds the edits of one item; returns its bounds in the CRS.
    fn edit(&self, item: &Item<'_>, edits: &mut Edits) -> Option<Bounds> {
        let (node, bounds) = match item {
            Item::Alien | Item::Feature(_, None) => return None,
            Item::Feature(node, Some((geometry, _))) => {
                (node, self.edit_geometry(*geometry, edits))
            }
            Item::Collection(node, items) => {
                let members = items.iter().filter_map(|item| self.edit(item, edits));
                (node, members.reduce(Bounds::union))
            }
        };
        if let Some(bounds) = &bounds {
            bounds.edit_bbox(*node, edits);
        }
        bounds
    }

    fn edit_geometry(&self, geometry: Node<'_>, edits: &mut Edits) -> Option<Bounds> {
        let (mut own, mut bounds, mut has_image) = (Edits::new(), None::<Bounds>, true);
        visit_positions(geometry, &mut |x, y| {
            let position = x.number().zip(y.number()).and_then(|(x, y)| self.apply([x, y]));
            let Some(image) = position else {
                has_image = false;
                return;
            };
            own.push((x.span(), number(image[0])));
            own.push((y.span(), number(image[1])));
            let point = Bounds::of(image);
            bounds = Some(bounds.take().map_or(point, |bounds| bounds.union(point)));
        });
        if !has_image {
            edits.push((geometry.span(), "null".into()));
            return None;
        }
        if let Some(bounds) = &bounds {
            bounds.edit_bbox(geometry, &mut own);
        }
        edits.append(&mut own);
        bounds
    }
}

/// Texts to put in place of spans, which do not overlap.
type Edits = Vec<(Range<usize>, String)>;

/// The shortest text that reads as the same number.
fn number(value: f64) -> String {
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    let _ = write!(text, "{value}");
    text
}

/// A box around positions, in the order in which they are sent.
#[derive(Clone, Copy)]
struct Bounds {
    low: Position,
    high: Position,
}

impl Bounds {
    fn of(position: Position) -> Self {
        Self { low: position, high: position }
    }

    fn union(self, other: Self) -> Self {
        let Self { low: [a, b], high: [c, d] } = self;
        let ([e, f], [g, h]) = (other.low, other.high);
        Self { low: [a.min(e), b.min(f)], high: [c.max(g), d.max(h)] }
    }

    /// Replaces the plane numbers of the object's `bbox`, if it has one of four or six numbers.
    fn edit_bbox(&self, object: Node<'_>, edits: &mut Edits) {
        let Some(numbers) = object.member("bbox").and_then(|bbox| bbox.elements()) else { return };
        let numbers: Vec<_> = numbers.collect();
        let (low, high) = match numbers.as_slice() {
            [a, b, c, d] | [a, b, _, c, d, _] => ([a, b], [c, d]),
            _ => return,
        };
        for (node, value) in low.iter().chain(&high).zip(self.low.iter().chain(&self.high)) {
            edits.push((node.span(), number(*value)));
        }
    }
}
