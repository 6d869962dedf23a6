use crate::Bounds;

/// Many [`Bounds`] side by side, to be compared with one in a single pass without branches.
///
/// Sides are kept in single precision and rounded outwards, so that what it finds may lie just
/// outside: confirm it with the exact bounds. Nothing that touches is missed.
///
/// ```
/// use redwire_protocol::{Bounds, Boxes};
///
/// let mut boxes = Boxes::default();
/// boxes.push(&Bounds { left: 0.0, bottom: 0.0, right: 1.0, top: 1.0 });
/// boxes.push(&Bounds { left: 5.0, bottom: 5.0, right: 6.0, top: 6.0 });
///
/// let mut touching = Vec::new();
/// boxes.touching(&Bounds { left: 0.5, bottom: 0.5, right: 4.0, top: 4.0 }, |place| touching.push(place));
/// assert_eq!(touching, [0]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Boxes {
    blocks: Vec<Block>,
    len: usize,
}

/// As many as one machine word has bits.
const LANES: usize = 64;

/// One array for each side: a processor compares several with one instruction.
#[derive(Clone, Debug)]
struct Block {
    left: [f32; LANES],
    bottom: [f32; LANES],
    right: [f32; LANES],
    top: [f32; LANES],
}

impl Boxes {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds one at the end.
    pub fn push(&mut self, bounds: &Bounds) {
        if self.len == self.blocks.len() * LANES {
            self.blocks.push(Block::NOTHING);
        }
        self.len += 1;
        self.set(self.len - 1, bounds);
    }

    /// Replaces the one at `place`; nothing happens if there is none.
    pub fn set(&mut self, place: usize, bounds: &Bounds) {
        if place < self.len
            && let Some(block) = self.blocks.get_mut(place / LANES)
        {
            block.set(place % LANES, bounds);
        }
    }

    /// Removes the one at `place`; the last one takes its place.
    pub fn swap_remove(&mut self, place: usize) {
        let Some(last) = self.len.checked_sub(1).filter(|last| place <= *last) else { return };
        let moved = self.blocks.get(last / LANES).map(|block| block.bounds(last % LANES));
        // What was single precision once is not rounded again.
        self.set(place, &moved.unwrap_or(Bounds::NOTHING));
        self.set(last, &Bounds::NOTHING);
        self.len = last;
        self.blocks.truncate(last.div_ceil(LANES));
    }

    /// Calls `touching` with the place of each one that has a point in common with `bounds`, in
    /// ascending order.
    pub fn touching(&self, bounds: &Bounds, mut touching: impl FnMut(usize)) {
        let [left, bottom, right, top] = outwards(bounds);
        for (block, lanes) in self.blocks.iter().enumerate() {
            let mut hits = lanes.touching(left, bottom, right, top);
            while hits != 0 {
                touching(block * LANES + hits.trailing_zeros() as usize);
                hits &= hits - 1;
            }
        }
    }
}

impl Block {
    const NOTHING: Self = Self {
        left: [f32::NAN; LANES],
        bottom: [f32::NAN; LANES],
        right: [f32::NAN; LANES],
        top: [f32::NAN; LANES],
    };

    fn set(&mut self, lane: usize, bounds: &Bounds) {
        let sides = [&mut self.left, &mut self.bottom, &mut self.right, &mut self.top];
        for (side, value) in sides.into_iter().zip(outwards(bounds)) {
            if let Some(place) = side.get_mut(lane) {
                *place = value;
            }
        }
    }

    fn bounds(&self, lane: usize) -> Bounds {
        let side = |side: &[f32; LANES]| side.get(lane).copied().map_or(f64::NAN, f64::from);
        Bounds {
            left: side(&self.left),
            bottom: side(&self.bottom),
            right: side(&self.right),
            top: side(&self.top),
        }
    }

    /// One bit for each box that touches: comparisons into bytes, which compilers turn into vector
    /// instructions, and eight bytes into eight bits with one multiplication.
    fn touching(&self, left: f32, bottom: f32, right: f32, top: f32) -> u64 {
        let mut hits = [0_u8; LANES];
        let sides = self.left.iter().zip(&self.right).zip(self.bottom.iter().zip(&self.top));
        for (hit, ((own_left, own_right), (own_bottom, own_top))) in hits.iter_mut().zip(sides) {
            *hit = u8::from(*own_left <= right)
                & u8::from(left <= *own_right)
                & u8::from(*own_bottom <= top)
                & u8::from(bottom <= *own_top);
        }
        let (bytes, _) = hits.as_chunks::<8>();
        bytes.iter().rev().fold(0, |mask, bytes| {
            mask << 8 | u64::from_le_bytes(*bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56
        })
    }
}

/// The sides in single precision, none of them moved inwards.
fn outwards(bounds: &Bounds) -> [f32; 4] {
    let (down, up) = (
        |side: f64| {
            let rounded = side as f32;
            if f64::from(rounded) > side { rounded.next_down() } else { rounded }
        },
        |side: f64| {
            let rounded = side as f32;
            if f64::from(rounded) < side { rounded.next_up() } else { rounded }
        },
    );
    [down(bounds.left), down(bounds.bottom), up(bounds.right), up(bounds.top)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(rng: &mut fastrand::Rng) -> Bounds {
        let (left, bottom) = (rng.f64() * 10.0, rng.f64() * 10.0);
        Bounds { left, bottom, right: left + rng.f64(), top: bottom + rng.f64() }
    }

    #[test]
    fn what_touches_is_found_whatever_was_moved_and_removed() {
        let mut rng = fastrand::Rng::with_seed(7);
        let (mut boxes, mut all) = (Boxes::default(), Vec::<Bounds>::new());
        for step in 0..5_000 {
            match rng.u8(0..4) {
                0 if !all.is_empty() => {
                    let place = rng.usize(0..all.len());
                    all.swap_remove(place);
                    boxes.swap_remove(place);
                }
                1 if !all.is_empty() => {
                    let (place, bounds) = (rng.usize(0..all.len()), random(&mut rng));
                    all[place] = bounds;
                    boxes.set(place, &bounds);
                }
                _ => {
                    let bounds = random(&mut rng);
                    all.push(bounds);
                    boxes.push(&bounds);
                }
            }
            assert_eq!(boxes.len(), all.len());
            if step % 50 == 0 {
                let window = random(&mut rng);
                let mut found = Vec::new();
                boxes.touching(&window, |place| found.push(place));
                found.retain(|place| all[*place].touch(&window));
                let expected: Vec<_> =
                    (0..all.len()).filter(|place| all[*place].touch(&window)).collect();
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn sides_that_single_precision_cannot_tell_apart_are_not_missed() {
        let side = 16_777_217.0;
        let mut boxes = Boxes::default();
        boxes.push(&Bounds { left: side, bottom: 0.0, right: side, top: 0.1 });
        for window in [Bounds { left: 0.0, bottom: 0.1, right: side, top: 1.0 }, Bounds::EVERYTHING]
        {
            let mut found = 0;
            boxes.touching(&window, |_| found += 1);
            assert_eq!(found, 1);
        }
        boxes.touching(&Bounds::NOTHING, |_| panic!("nothing touches nothing"));
    }
}
