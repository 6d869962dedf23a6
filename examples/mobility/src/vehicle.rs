use serde_json::{Value, json};

use crate::lines::Line;
use crate::now;
use crate::way::{Point, distance, heading, length, mercator, stretch};

/// How far ahead a vehicle says where it will be, in milliseconds.
const AHEAD: f64 = 10_000.0;

/// A vehicle on its way from the first stop of its line to the last.
pub(crate) struct Vehicle {
    line: &'static Line,
    way: Vec<Point>,
    number: usize,
    /// Milliseconds since 1970.
    departure: f64,
}

impl Vehicle {
    /// The vehicles of a line, as far apart as they can be.
    pub(crate) fn spread(line: &'static Line) -> impl Iterator<Item = Self> {
        let way: Vec<_> = line.stops.iter().copied().map(mercator).collect();
        let duration = length(&way) / line.speed * 1000.0;
        (1..=line.vehicles).map(move |number| {
            let departure = now() - duration * (number as f64 - 0.5) / line.vehicles as f64;
            Self { line, way: way.clone(), number, departure }
        })
    }

    pub(crate) fn id(&self) -> String {
        format!("{}_{}_{}", self.line.mode, self.line.name.replace(' ', ""), self.number)
    }

    pub(crate) fn has_arrived(&self, now: f64) -> bool {
        self.gone(now) >= length(&self.way)
    }

    /// The next one, by another name.
    pub(crate) fn sets_out_again(&mut self, now: f64) {
        self.number += self.line.vehicles;
        self.departure = now;
    }

    /// What is published: the stretch of the next seconds, and when it will be where.
    pub(crate) fn feature(&self, now: f64) -> Value {
        let from = self.gone(now);
        let to = (from + self.metres(AHEAD)).min(length(&self.way));
        let coordinates = stretch(&self.way, from, to);
        let [min, max] = envelope(&coordinates);
        json!({
            "type": "Feature",
            "geometry": {"type": "LineString", "coordinates": coordinates},
            "properties": {
                "train_id": self.id(),
                "type": self.line.mode,
                "bounds": [min[0], min[1], max[0], max[1]],
                "time_intervals": self.intervals(&coordinates, now),
                "line": {
                    "id": self.line.name.len(),
                    "name": self.line.name,
                    "color": self.line.color,
                    "text_color": self.line.text_color,
                    "stroke": null,
                    "tags": [],
                },
                "tenant": "demo",
                "state": "DRIVING",
                "delay": if self.number.is_multiple_of(3) { 120_000 } else { 0 },
                "timestamp": now.round(),
                "event_timestamp": now.round(),
                "time_since_update": 0,
                "has_journey": true,
                "has_realtime": true,
                "has_realtime_journey": true,
                "operator_provides_realtime_journey": "yes",
                "route_identifier": format!("{}.{}", self.line.name, self.number),
                "gen_level": null,
                "gen_range": [],
                "graph": "osm",
            },
        })
    }

    /// For each point of the stretch: when, how far along it (0 to 1), and the heading from there.
    fn intervals(&self, stretch: &[Point], now: f64) -> Vec<[f64; 3]> {
        let whole = length(stretch).max(f64::MIN_POSITIVE);
        let mut covered = 0.0;
        let mut turn = 0.0;
        let mut intervals = Vec::new();
        for [from, to] in stretch.array_windows() {
            turn = heading(from, to);
            intervals.push([(now + covered / self.metres(1.0)).round(), covered / whole, turn]);
            covered += distance(from, to);
        }
        intervals.push([(now + covered / self.metres(1.0)).round(), 1.0, turn]);
        intervals
    }

    /// How far it has come.
    fn gone(&self, now: f64) -> f64 {
        self.metres(now - self.departure)
    }

    fn metres(&self, ms: f64) -> f64 {
        self.line.speed * ms / 1000.0
    }
}

fn envelope(points: &[Point]) -> [Point; 2] {
    let none = [[f64::INFINITY; 2], [f64::NEG_INFINITY; 2]];
    points.iter().fold(none, |[min, max], point| {
        [[min[0].min(point[0]), min[1].min(point[1])], [max[0].max(point[0]), max[1].max(point[1])]]
    })
}
