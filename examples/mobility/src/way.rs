use std::f64::consts::{FRAC_PI_4, PI};

/// Half of the equator in EPSG:3857.
const HALF: f64 = 20_037_508.342_789_244;

/// A point in EPSG:3857, in metres.
pub(crate) type Point = [f64; 2];

pub(crate) fn mercator([longitude, latitude]: [f64; 2]) -> Point {
    let y = (FRAC_PI_4 + latitude.to_radians() / 2.0).tan().ln();
    [longitude / 180.0 * HALF, y / PI * HALF]
}

pub(crate) fn length(way: &[Point]) -> f64 {
    way.array_windows().map(|[from, to]| distance(from, to)).sum()
}

/// The stretch of a way between two distances from its start.
pub(crate) fn stretch(way: &[Point], from: f64, to: f64) -> Vec<Point> {
    let mut points = Vec::new();
    let mut start = 0.0;
    for [first, second] in way.array_windows() {
        let length = distance(first, second);
        let end = start + length;
        let at = |place: f64| between(first, second, (place - start) / length);
        if (start..end).contains(&from) {
            points.push(at(from));
        } else if from < start && start < to {
            points.push(*first);
        }
        if start < to && to <= end {
            points.push(at(to));
        }
        start = end;
    }
    points
}

/// Where in the picture one is heading, in radians: 0 is east, and clockwise.
pub(crate) fn heading(from: &Point, to: &Point) -> f64 {
    (from[1] - to[1]).atan2(to[0] - from[0])
}

pub(crate) fn distance(from: &Point, to: &Point) -> f64 {
    (to[0] - from[0]).hypot(to[1] - from[1])
}

fn between(from: &Point, to: &Point, fraction: f64) -> Point {
    [from[0] + (to[0] - from[0]) * fraction, from[1] + (to[1] - from[1]) * fraction]
}
