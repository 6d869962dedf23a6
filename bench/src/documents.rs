use serde_json::{Value, json};

use crate::scene::Scene;

/// A feature as a tracker publishes it every few seconds: a way of ten vertices with the times at
/// which the vehicle is where, and what a map shows about it. About 800 bytes.
pub(crate) fn trajectory(scene: &mut Scene, number: usize) -> Value {
    trajectory_of(scene, number, 10)
}

/// The same with so many vertices.
pub(crate) fn trajectory_of(scene: &mut Scene, number: usize, vertices: usize) -> Value {
    let line = scene.line(vertices);
    let (first, last) = (line.first(), line.last());
    json!({
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": rounded(&line)},
        "properties": {
            "train_id": format!("sbb_{}_ic5", 140_552_000 + number),
            "train_number": 500 + number % 4_000,
            "type": "rail",
            "tenant": "sbb",
            "bounds": rounded(&[first, last].map(|end| end.copied().unwrap_or_default())).concat(),
            "time_intervals": (0..5).map(|n| {
                json!([1_795_225_523_212_u64 + n * 4_000, n as f64 / 4.0, 1.2217])
            }).collect::<Vec<_>>(),
            "line": {"id": 140, "name": "IC5", "color": "#eb0000", "text_color": "#ffffff", "stroke": null},
            "state": "DRIVING",
            "delay": 61_000,
            "ride_state": "on_time",
            "has_realtime_journey": true,
            "event_timestamp": 1_795_225_523_212_u64,
            "operator_provides_realtime_journey": "yes",
            "gen_level": 30,
        },
    })
}

/// A line of about 10 KB, as of a disruption.
pub(crate) fn line(scene: &mut Scene) -> Value {
    feature("LineString", &json!(rounded(&scene.line(440))))
}

/// A polygon of about 1 MB, as of a lake that nobody has simplified.
pub(crate) fn polygon(scene: &mut Scene) -> Value {
    let mut ring = scene.line(45_000);
    ring.extend(ring.first().copied());
    feature("Polygon", &json!([rounded(&ring)]))
}

fn feature(kind: &str, coordinates: &Value) -> Value {
    let geometry = json!({"type": kind, "coordinates": coordinates});
    json!({"type": "Feature", "properties": {"id": 17}, "geometry": geometry})
}

/// Seven digits of a degree are a centimetre.
fn rounded(positions: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let round = |degrees: f64| (degrees * 1e7).round() / 1e7;
    positions.iter().map(|position| position.map(round)).collect()
}
