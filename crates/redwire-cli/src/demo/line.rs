use serde::Deserialize;

use super::kind::Kind;

/// Metres in a degree of latitude.
const DEGREE: f64 = 111_195.0;

/// The shape that vehicles move along, in longitude and latitude.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) points: Vec<[f64; 2]>,
    /// Metres from the first point to each.
    walked: Vec<f64>,
}

/// A row of `lines.json`: name, kind, first stop, last stop, shape.
#[derive(Deserialize)]
struct Row(String, Kind, String, String, String);

impl Line {
    pub(super) fn new(
        name: impl Into<String>,
        kind: Kind,
        from: impl Into<String>,
        to: impl Into<String>,
        points: Vec<[f64; 2]>,
    ) -> Self {
        let walked = points.iter().scan((None, 0.0), |(before, sum), &point| {
            *sum += before.map_or(0.0, |before| metres(before, point));
            *before = Some(point);
            Some(*sum)
        });
        let walked = walked.collect();
        Self { name: name.into(), kind, from: from.into(), to: to.into(), points, walked }
    }

    /// Metres.
    pub(super) fn length(&self) -> f64 {
        self.walked.last().copied().unwrap_or_default()
    }

    /// The position so many metres from the start, and the direction there: degrees clockwise from north.
    pub(super) fn at(&self, distance: f64) -> ([f64; 2], f64) {
        let after = self.walked.partition_point(|&walked| walked <= distance);
        let after = after.clamp(1, self.points.len().saturating_sub(1).max(1));
        let (Some(&a), Some(&b)) = (self.points.get(after - 1), self.points.get(after)) else {
            return (self.points.first().copied().unwrap_or_default(), 0.0);
        };
        let (start, end) = (self.walked_to(after - 1), self.walked_to(after));
        let part = ((distance - start) / (end - start).max(f64::EPSILON)).clamp(0.0, 1.0);
        let [east, north] = offset(a, b);
        let heading = east.atan2(north).to_degrees().rem_euclid(360.0);
        (std::array::from_fn(|axis| mix(a, b, axis, part)), heading)
    }

    fn walked_to(&self, index: usize) -> f64 {
        self.walked.get(index).copied().unwrap_or_default()
    }
}

/// All lines of the demo.
pub(super) fn all() -> serde_json::Result<Vec<Line>> {
    let rows: Vec<Row> = serde_json::from_str(include_str!("data/lines.json"))?;
    let shape =
        |kind, text: &str| if kind == Kind::Rail { round(&decode(text)) } else { decode(text) };
    let lines = rows.into_iter();
    let lines = lines
        .map(|Row(name, kind, from, to, text)| Line::new(name, kind, from, to, shape(kind, &text)));
    Ok(lines.collect())
}

/// Cuts corners (Chaikin's way): trains do not turn on the spot.
fn round(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let cuts = points.windows(2).flat_map(|pair| match *pair {
        [a, b] => [0.25, 0.75].map(|part| [0, 1].map(|axis| mix(a, b, axis, part))),
        _ => [[0.0; 2]; 2],
    });
    let ends = |point: Option<&[f64; 2]>| point.copied().into_iter();
    ends(points.first()).chain(cuts).chain(ends(points.last())).collect()
}

/// Google's encoded polyline format with four decimals, longitude first.
fn decode(text: &str) -> Vec<[f64; 2]> {
    let (mut points, mut position, mut axis) = (Vec::new(), [0_i64; 2], 0);
    let (mut value, mut shift) = (0_i64, 0);
    for byte in text.bytes() {
        let bits = i64::from(byte.saturating_sub(63));
        value |= (bits & 0x1f) << shift;
        shift += 5;
        if bits & 0x20 != 0 && shift < 60 {
            continue;
        }
        if let Some(coordinate) = position.get_mut(axis) {
            *coordinate += if value & 1 == 1 { !(value >> 1) } else { value >> 1 };
        }
        if axis == 1 {
            points.push(position.map(|coordinate| coordinate as f64 / 1e4));
        }
        (axis, value, shift) = (1 - axis, 0, 0);
    }
    points
}

fn metres(a: [f64; 2], b: [f64; 2]) -> f64 {
    let [east, north] = offset(a, b);
    east.hypot(north)
}

fn offset([ax, ay]: [f64; 2], [bx, by]: [f64; 2]) -> [f64; 2] {
    let squeeze = ((ay + by) / 2.0).to_radians().cos();
    [(bx - ax) * squeeze * DEGREE, (by - ay) * DEGREE]
}

fn mix(a: [f64; 2], b: [f64; 2], axis: usize, part: f64) -> f64 {
    let (from, to) = if axis == 0 { (a[0], b[0]) } else { (a[1], b[1]) };
    from + (to - from) * part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_is_a_shape_in_europe() {
        let lines = all().unwrap();
        assert!(lines.len() > 1000);
        for line in &lines {
            assert!(line.points.len() >= 2 && line.length() > 1_000.0, "{line:?}");
            let in_europe =
                |[lon, lat]: [f64; 2]| (-12.0..33.0).contains(&lon) && (35.0..67.0).contains(&lat);
            assert!(line.points.iter().all(|&point| in_europe(point)), "{line:?}");
        }
    }

    #[test]
    fn a_place_on_a_line_is_found_by_its_distance() {
        let line = Line::new("1", Kind::Tram, "a", "b", vec![[8.0, 0.0], [8.0, 0.1], [8.1, 0.1]]);
        let half = line.length() / 2.0;
        let (start, north) = line.at(0.0);
        assert_eq!((start, north), ([8.0, 0.0], 0.0));
        let ([lon, lat], east) = line.at(half * 1.5);
        assert!((lon - 8.05).abs() < 1e-3 && (lat - 0.1).abs() < 1e-9, "{lon} {lat}");
        assert!((east - 90.0).abs() < 0.1, "{east}");
        assert_eq!(line.at(1e9).0, [8.1, 0.1]);
    }
}
