use crate::bbox::Rect;
use crate::geometry::Position;

/// Positions in a row: a line, or a ring.
///
/// A long one knows where its stretches lie, so that a box looks at those only that are near it. Thousands
/// of viewers may look into one country's border.
#[derive(Debug, PartialEq)]
pub(crate) struct Run {
    positions: Vec<Position>,
    /// Around each stretch; empty for a short run.
    stretches: Vec<Rect>,
}

/// Segments in one stretch.
const STRETCH: usize = 64;

impl Run {
    pub(crate) fn new(positions: Vec<Position>) -> Self {
        let is_long = positions.len() > 4 * STRETCH;
        let places = (0..positions.len()).step_by(STRETCH).filter(|_| is_long);
        let stretches = places.filter_map(|from| Rect::around(stretch(&positions, from).iter()));
        let stretches = stretches.collect();
        Self { positions, stretches }
    }

    pub(crate) fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// The stretches whose bounds are near, each with the first position of the next one; or all of it.
    fn near(&self, near: impl Fn(&Rect) -> bool) -> impl Iterator<Item = &[Position]> {
        let whole = self.stretches.is_empty().then_some(self.positions());
        let stretches = self.stretches.iter().enumerate().filter(move |(_, bounds)| near(bounds));
        whole.into_iter().chain(stretches.map(|(n, _)| stretch(&self.positions, n * STRETCH)))
    }

    /// Whether the line has a point in common with the box.
    pub(crate) fn meets(&self, rect: &Rect) -> bool {
        self.near(|bounds| rect.overlaps(bounds)).any(|stretch| {
            stretch.iter().any(|position| rect.contains(*position))
                || stretch.array_windows().any(|[from, to]| rect.meets_segment(*from, *to))
        })
    }

    /// Whether a ray from the position to the right crosses the ring an odd number of times.
    pub(crate) fn surrounds(&self, [x, y]: Position) -> bool {
        let crosses = |[x0, y0]: Position, [x1, y1]: Position| {
            (y0 > y) != (y1 > y) && x < x0 + (y - y0) / (y1 - y0) * (x1 - x0)
        };
        let in_way = |bounds: &Rect| bounds.bottom <= y && y <= bounds.top && x <= bounds.right;
        let crossings = self.near(in_way).flat_map(|stretch| stretch.array_windows());
        let crossings = crossings.filter(|[from, to]| crosses(*from, *to)).count();
        let closing = self.positions.last().zip(self.positions.first());
        let closing = closing.is_some_and(|(last, first)| crosses(*last, *first));
        (crossings + usize::from(closing)) % 2 == 1
    }
}

fn stretch(positions: &[Position], from: usize) -> &[Position] {
    let to = positions.len().min(from + STRETCH + 1);
    positions.get(from..to).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same positions without stretches.
    fn plain(positions: &[Position]) -> Run {
        Run { positions: positions.to_vec(), stretches: Vec::new() }
    }

    #[test]
    fn a_long_run_is_judged_like_one_that_is_looked_at_whole() {
        let mut rng = fastrand::Rng::with_seed(11);
        for case in 0..300 {
            let count = rng.usize(257..1_500);
            let ring: Vec<_> = (0..count)
                .map(|n| {
                    let angle = n as f64 / count as f64 * std::f64::consts::TAU;
                    let radius = 5.0 + rng.f64() * (case % 7) as f64;
                    [radius * angle.cos(), radius * angle.sin()]
                })
                .collect();
            let (long, whole) = (Run::new(ring.clone()), plain(&ring));
            assert!(!long.stretches.is_empty());
            for _ in 0..50 {
                let [left, bottom] = [(); 2].map(|()| rng.f64() * 24.0 - 12.0);
                let rect = Rect { left, bottom, right: left + rng.f64(), top: bottom + rng.f64() };
                assert_eq!(long.meets(&rect), whole.meets(&rect), "{case} {rect:?}");
                let corner = *rng.choice(&ring).unwrap();
                for position in [[left, bottom], corner, [left, corner[1]]] {
                    assert_eq!(long.surrounds(position), whole.surrounds(position), "{position:?}");
                }
            }
        }
    }
}
