use serde::Serialize;

use super::kind::{Habits, Kind};
use super::line::Line;

/// Time runs this much faster than on a clock, so that a map of a whole country is seen to move.
const LAPSE: f64 = 10.0;

/// All vehicles. Where each one is depends on the time and nothing else: a restart changes no place.
#[derive(Debug)]
pub(crate) struct Fleet {
    lines: Vec<Line>,
    vehicles: Vec<Vehicle>,
}

#[derive(Debug)]
struct Vehicle {
    id: String,
    line: usize,
    kind: Kind,
    /// Its lead over the line's first vehicle, as a part of the way there and back.
    lead: f64,
    /// Seconds.
    delay: u32,
}

/// A vehicle as a publisher of real ones would write it: GeoJSON in EPSG:4326.
#[derive(Serialize)]
struct Feature<'a> {
    r#type: &'static str,
    id: &'a str,
    geometry: Point,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Point {
    r#type: &'static str,
    coordinates: [f64; 2],
}

#[derive(Serialize)]
struct Properties<'a> {
    train_id: &'a str,
    r#type: Kind,
    line: Label<'a>,
    from: &'a str,
    to: &'a str,
    /// km/h.
    speed: u32,
    /// Degrees clockwise from north.
    heading: u32,
    delay: u32,
    state: &'static str,
    operator: &'static str,
    tenant: &'static str,
    /// Milliseconds since 1970.
    timestamp: u64,
}

#[derive(Serialize)]
struct Label<'a> {
    name: &'a str,
    color: &'static str,
    text_color: &'static str,
}

impl Fleet {
    /// Spreads vehicles over the lines, the more the longer a line is and the denser its kind runs.
    pub(super) fn new(lines: Vec<Line>, count: usize) -> Self {
        // Express and regional trains share the tracks.
        let runs: Vec<_> = lines
            .iter()
            .enumerate()
            .flat_map(|(index, line)| match line.kind {
                Kind::Rail => vec![(index, Kind::Rail, 1.0), (index, Kind::Regional, 0.08)],
                kind => vec![(index, kind, 1.0)],
            })
            .map(|(index, kind, share)| {
                let length = lines.get(index).map_or(0.0, Line::length);
                (index, kind, length * share / kind.habits().metres_between_vehicles)
            })
            .collect();
        let total: f64 = runs.iter().map(|(.., weight)| weight).sum();
        let (mut vehicles, mut before) = (Vec::with_capacity(count), 0.0);
        for (run, &(line, kind, weight)) in runs.iter().enumerate() {
            let place = |sum: f64| (sum / total * count as f64).round() as usize;
            let here = place(before + weight) - place(before);
            before += weight;
            vehicles.extend((0..here).map(|number| Vehicle {
                id: format!("{run}-{number}"),
                line,
                kind,
                lead: (number as f64 + (run % 7) as f64 / 7.0) / here as f64,
                delay: delay(run + 3 * number),
            }));
        }
        Self { lines, vehicles }
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub(super) fn len(&self) -> usize {
        self.vehicles.len()
    }

    /// The id and the feature of a vehicle at a time in milliseconds since 1970.
    pub(super) fn feature(&self, vehicle: usize, timestamp: u64) -> Option<(&str, String)> {
        let vehicle = self.vehicles.get(vehicle)?;
        let line = self.lines.get(vehicle.line)?;
        let seconds = timestamp as f64 / 1000.0 * LAPSE;
        let place = travel(line.length(), vehicle.kind.habits(), vehicle.lead, seconds);
        let (coordinates, heading) = line.at(place.distance);
        let heading = if place.is_returning { heading + 180.0 } else { heading };
        let (from, to) =
            if place.is_returning { (&line.to, &line.from) } else { (&line.from, &line.to) };
        let regional = format!("RE {}", vehicle.line + 1);
        let is_regional = line.kind == Kind::Rail && vehicle.kind == Kind::Regional;
        let feature = Feature {
            r#type: "Feature",
            id: &vehicle.id,
            geometry: Point {
                r#type: "Point",
                coordinates: coordinates.map(|degrees| (degrees * 1e6).round() / 1e6),
            },
            properties: Properties {
                train_id: &vehicle.id,
                r#type: vehicle.kind,
                line: Label {
                    name: if is_regional { &regional } else { &line.name },
                    color: vehicle.kind.habits().color,
                    text_color: "#ffffff",
                },
                from,
                to,
                speed: (place.metres_per_second * 3.6).round() as u32,
                heading: heading.rem_euclid(360.0) as u32,
                delay: vehicle.delay,
                state: if place.metres_per_second > 0.0 { "DRIVING" } else { "BOARDING" },
                operator: "redwire demo",
                tenant: "demo",
                timestamp,
            },
        };
        Some((&vehicle.id, serde_json::to_string(&feature).ok()?))
    }
}

/// Where on its line a vehicle is.
struct Place {
    distance: f64,
    metres_per_second: f64,
    is_returning: bool,
}

/// There and back for ever, gently away from each stop and gently into the next.
fn travel(length: f64, habits: Habits, lead: f64, seconds: f64) -> Place {
    let legs = (length / habits.metres_between_stops).round().max(1.0);
    let leg = length / legs;
    let running = leg / habits.metres_per_second;
    let each = running + habits.seconds_at_stops;
    let cycle = 2.0 * legs * each;
    let way = (seconds + lead * cycle).rem_euclid(cycle);
    let (number, since) = ((way / each).floor().min(2.0 * legs - 1.0), way % each);
    let part = ((since - habits.seconds_at_stops) / running).clamp(0.0, 1.0);
    let gone = (number + part * part * (3.0 - 2.0 * part)) * leg;
    let is_returning = gone > length || number >= legs;
    Place {
        distance: if is_returning { 2.0 * length - gone } else { gone },
        metres_per_second: 6.0 * part * (1.0 - part) * habits.metres_per_second,
        is_returning,
    }
}

/// Most are on time, some a few minutes late, in seconds.
fn delay(number: usize) -> u32 {
    [0, 0, 60, 0, 0, 120, 0, 0, 0, 300, 0, 60, 0, 0, 900]
        .get(number % 15)
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::demo::line;

    fn feature(fleet: &Fleet, vehicle: usize, timestamp: u64) -> Value {
        serde_json::from_str(&fleet.feature(vehicle, timestamp).unwrap().1).unwrap()
    }

    #[test]
    fn there_are_as_many_vehicles_as_asked_for_each_with_an_id_of_its_own() {
        for count in [1, 7, 2_000] {
            let fleet = Fleet::new(line::all().unwrap(), count);
            assert_eq!(fleet.len(), count);
            let ids: std::collections::HashSet<_> = fleet.vehicles.iter().map(|v| &v.id).collect();
            assert_eq!(ids.len(), count);
            let kinds = |kind| fleet.vehicles.iter().filter(|v| v.kind == kind).count();
            if count == 2_000 {
                let all = [Kind::Rail, Kind::Regional, Kind::Subway, Kind::Tram, Kind::Bus];
                assert!(
                    all.map(kinds).iter().all(|&of_kind| of_kind > 100),
                    "{:?}",
                    all.map(kinds)
                );
            }
        }
    }

    #[test]
    fn a_vehicle_goes_there_and_back_without_a_jump() {
        let points = vec![[8.5, 47.3], [8.55, 47.4], [8.5, 47.5]];
        let line = Line::new("7", Kind::Tram, "south", "north", points);
        let fleet = Fleet::new(vec![line], 1);
        let mut seen = std::collections::HashSet::new();
        let mut before: Option<[f64; 2]> = None;
        for step in 0..4_000 {
            let feature = feature(&fleet, 0, step * 500);
            seen.insert(feature["properties"]["to"].to_string());
            let now = [0, 1].map(|axis| feature["geometry"]["coordinates"][axis].as_f64().unwrap());
            let jump = before.map_or(0.0, |[x, y]| (now[0] - x).hypot(now[1] - y));
            assert!(jump < 1e-3, "{jump} degrees at {step}");
            before = Some(now);
        }
        assert_eq!(seen.len(), 2);
    }

    #[test]
    fn a_feature_is_geojson_of_the_size_of_a_real_one() {
        let fleet = Fleet::new(line::all().unwrap(), 50);
        let (id, text) = fleet.feature(3, 1_795_225_523_212).unwrap();
        assert!((300..800).contains(&text.len()), "{text}");
        let feature: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&feature["type"], &feature["id"]), (&"Feature".into(), &id.into()));
        assert_eq!(feature["geometry"]["type"], "Point");
    }
}
