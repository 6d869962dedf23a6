use redwire_protocol::{Bounds, Boxes};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

/// Many boxes, and which of them touch one more.
pub(crate) trait Structure {
    fn of(all: &[Bounds]) -> Self
    where
        Self: Sized;

    fn set(&mut self, place: usize, bounds: &Bounds);

    fn touching(&self, bounds: &Bounds, found: &mut Vec<usize>);
}

/// What redwire uses.
impl Structure for Boxes {
    fn of(all: &[Bounds]) -> Self {
        let mut boxes = Self::default();
        all.iter().for_each(|bounds| boxes.push(bounds));
        boxes
    }

    fn set(&mut self, place: usize, bounds: &Bounds) {
        Self::set(self, place, bounds);
    }

    fn touching(&self, bounds: &Bounds, found: &mut Vec<usize>) {
        Self::touching(self, bounds, |place| found.push(place));
    }
}

/// What one writes first.
impl Structure for Vec<Bounds> {
    fn of(all: &[Bounds]) -> Self {
        all.to_vec()
    }

    fn set(&mut self, place: usize, bounds: &Bounds) {
        if let Some(old) = self.get_mut(place) {
            *old = *bounds;
        }
    }

    fn touching(&self, bounds: &Bounds, found: &mut Vec<usize>) {
        for (place, own) in self.iter().enumerate() {
            if own.touch(bounds) {
                found.push(place);
            }
        }
    }
}

/// What the textbook says.
pub(crate) struct Tree {
    tree: RTree<Leaf>,
    all: Vec<Bounds>,
}

type Leaf = GeomWithData<Rectangle<[f64; 2]>, usize>;

fn leaf(place: usize, bounds: &Bounds) -> Leaf {
    let corners = ([bounds.left, bounds.bottom], [bounds.right, bounds.top]);
    GeomWithData::new(Rectangle::from_corners(corners.0, corners.1), place)
}

impl Structure for Tree {
    fn of(all: &[Bounds]) -> Self {
        let leaves = all.iter().enumerate().map(|(place, bounds)| leaf(place, bounds));
        Self { tree: RTree::bulk_load(leaves.collect()), all: all.to_vec() }
    }

    fn set(&mut self, place: usize, bounds: &Bounds) {
        if let Some(old) = self.all.get_mut(place) {
            self.tree.remove(&leaf(place, old));
            self.tree.insert(leaf(place, bounds));
            *old = *bounds;
        }
    }

    fn touching(&self, bounds: &Bounds, found: &mut Vec<usize>) {
        let corners = ([bounds.left, bounds.bottom], [bounds.right, bounds.top]);
        let window = AABB::from_corners(corners.0, corners.1);
        found.extend(self.tree.locate_in_envelope_intersecting(window).map(|leaf| leaf.data));
    }
}

/// `Boxes` in the order of a Hilbert curve, with a box around each 64 of them: what could come next.
/// Right after it was put in order, which viewers that move undo.
pub(crate) struct Ordered {
    blocks: Vec<(Bounds, Boxes)>,
    order: Vec<usize>,
    /// Where each place is in that order.
    ranks: Vec<usize>,
}

const BLOCK: usize = 64;

impl Structure for Ordered {
    fn of(all: &[Bounds]) -> Self {
        let around = all.iter().fold(Bounds::NOTHING, |around, bounds| around.around(bounds));
        let mut order: Vec<_> =
            all.iter().map(|bounds| on_curve(bounds, &around)).zip(0..).collect();
        order.sort_unstable();
        let order: Vec<_> = order.into_iter().map(|(_, place)| place).collect();
        let mut ranks: Vec<_> = order.iter().copied().zip(0..).collect();
        ranks.sort_unstable();
        let blocks = order.chunks(BLOCK).map(|places| {
            let members = places.iter().filter_map(|&place| all.get(place));
            let (mut union, mut boxes) = (Bounds::NOTHING, Boxes::default());
            for bounds in members {
                union = union.around(bounds);
                boxes.push(bounds);
            }
            (union, boxes)
        });
        Self {
            blocks: blocks.collect(),
            order,
            ranks: ranks.into_iter().map(|(_, rank)| rank).collect(),
        }
    }

    fn set(&mut self, place: usize, bounds: &Bounds) {
        let Some(&rank) = self.ranks.get(place) else { return };
        if let Some((union, boxes)) = self.blocks.get_mut(rank / BLOCK) {
            *union = union.around(bounds);
            boxes.set(rank % BLOCK, bounds);
        }
    }

    fn touching(&self, bounds: &Bounds, found: &mut Vec<usize>) {
        for ((union, boxes), places) in self.blocks.iter().zip(self.order.chunks(BLOCK)) {
            if union.touch(bounds) {
                boxes.touching(bounds, |lane| found.extend(places.get(lane)));
            }
        }
    }
}

/// Large boxes apart from small ones, each size along a Hilbert curve.
fn on_curve(bounds: &Bounds, around: &Bounds) -> (i32, u64) {
    let width = around.right - around.left;
    let size = ((bounds.right - bounds.left) / width).log2().floor() as i32;
    let cell = |low: f64, high: f64, start: f64, end: f64| {
        (((low + high) / 2.0 - start) / (end - start) * 65_535.0) as u32
    };
    let x = cell(bounds.left, bounds.right, around.left, around.right);
    let y = cell(bounds.bottom, bounds.top, around.bottom, around.top);
    (size, hilbert(x, y))
}

/// How far along the curve a cell of a grid of 2^16 by 2^16 is.
fn hilbert(mut x: u32, mut y: u32) -> u64 {
    let mut along = 0;
    for bit in (0..16).rev() {
        let side = 1 << bit;
        let (right, up) = (u32::from(x & side > 0), u32::from(y & side > 0));
        along += u64::from(side) * u64::from(side) * u64::from((3 * right) ^ up);
        if up == 0 {
            if right == 1 {
                (x, y) = (65_535 - x, 65_535 - y);
            }
            (x, y) = (y, x);
        }
    }
    along
}
