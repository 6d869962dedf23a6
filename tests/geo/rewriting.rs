//! What a projection leaves alone: every byte but the numbers of positions and boxes.

use std::path::Path;

use arbtest::arbitrary::Unstructured;
use redwire::prelude::*;
use redwire::protocol::Message;
use serde_json::Value;

use crate::alike::{Changes, alike};
use crate::documents::document;
use crate::oracles::{Everything, oracle};

/// Half the width of the world in EPSG:3857, in metres.
const HALF_WORLD: f64 = 20_037_508.342_789_244;

/// Somebody who has asked for EPSG:3857.
async fn viewer() -> Session<Everything> {
    let protocol = Protocol::new().with(Geo::default());
    let mut session = protocol.session(Everything, MemoryBackend::new());
    session.receive("PROJECTION epsg:3857").await.expect("no mistake");
    session
}

fn projected(session: &Session<Everything>, text: &str) -> String {
    let content = Content::parse(text.to_owned()).unwrap_or_else(|error| panic!("{error}: {text}"));
    let message = Message::new("a", content, 0);
    let outgoing = session.filters().apply(&message).expect("no box is in force");
    outgoing.content().text().to_owned()
}

#[tokio::test]
async fn the_fixtures_of_the_package_geojson_fixtures_change_nowhere_else() {
    let viewer = viewer().await;
    let data = oracle("geojson-fixtures-1.0.0/data");
    let mut kinds = 0;
    for folder in ["geometry", "feature", "featurecollection"] {
        for text in texts(&data.join(folder)) {
            let is_bare = folder == "geometry";
            let original =
                if is_bare { format!(r#"{{"geometry":{text},"type":"Feature"}}"#) } else { text };
            let changes = check(&original, &projected(&viewer, &original));
            assert!(changes.numbers > 1 && changes.nulls == 0, "{changes:?} in {original}");
            kinds += 1;
        }
    }
    assert_eq!(kinds, 16);
}

fn texts(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder);
    let files = files.unwrap_or_else(|error| panic!("{folder:?}: {error}; run scripts/setup"));
    files.map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("text")).collect()
}

#[tokio::test]
async fn random_documents_change_nowhere_else_100_000_times() {
    let viewer = viewer().await;
    let mut random = fastrand::Rng::with_seed(20_260_921);
    let mut bytes = [0; 1024];
    let (mut changed, mut vanished) = (0, 0);
    for _ in 0..100_000 {
        random.fill(&mut bytes);
        let original = document(&mut Unstructured::new(&bytes)).expect("bytes enough, or zeros");
        let changes = check(&original, &projected(&viewer, &original));
        changed += usize::from(changes.numbers > 0);
        vanished += usize::from(changes.nulls > 0);
    }
    println!("{changed} changed, {vanished} lost a geometry");
    assert!(changed > 30_000 && changed < 95_000, "both outcomes are common: {changed}");
    assert!(vanished > 1_000, "{vanished}");
}

/// Byte by byte, and as serde_json reads them.
fn check(original: &str, rewritten: &str) -> Changes {
    let changes = alike(original, rewritten);
    let read = |text| serde_json::from_str::<Value>(text).ok();
    // serde_json has no value for 1e400; such a document stays as it is, or loses the number.
    if let Some(before) = read(original) {
        let after = read(rewritten).unwrap_or_else(|| panic!("{original}\n{rewritten}"));
        compare(&before, &after);
    }
    changes
}

/// Everything outside geometries and boxes is equal; geometries are projected, or as they were.
fn compare(before: &Value, after: &Value) {
    let both = |name: &str| before.get(name).zip(after.get(name));
    match before["type"].as_str() {
        Some("FeatureCollection") if before["features"].is_array() => {
            let (before, after) = both("features").expect("features");
            let (before, after) = before.as_array().zip(after.as_array()).expect("two lists");
            assert_eq!(before.len(), after.len());
            before.iter().zip(after).for_each(|(before, after)| compare(before, after));
        }
        Some("Feature") => {
            if let Some((before, after)) = both("geometry") {
                let is_projected = after.is_null() || is_projection(before, after);
                assert!(before == after || is_projected, "{before}\n{after}");
            }
        }
        _ => assert_eq!(before, after),
    }
    let rest = |value: &Value| {
        let members = value.as_object().into_iter().flatten();
        let is_rest = |name: &str| !["geometry", "features", "bbox"].contains(&name);
        let rest = members.filter(|(name, _)| is_rest(name));
        rest.map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>()
    };
    assert_eq!(rest(before), rest(after));
}

fn is_projection(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Array(a), Value::Array(b)) => {
            if let ([x, y, heights @ ..], [east, north, same @ ..]) = (&a[..], &b[..])
                && let Some((x, y)) = x.as_f64().zip(y.as_f64())
            {
                let place = east.as_f64().zip(north.as_f64());
                return place.is_some_and(|place| is_image([x, y], place)) && heights == same;
            }
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_projection(a, b))
        }
        (Value::Object(a), Value::Object(_)) => a.iter().all(|(name, value)| {
            let is_collection = before["type"] == "GeometryCollection";
            let positions = if is_collection { "geometries" } else { "coordinates" };
            let other = &after[name];
            name == "bbox" || value == other || (name == positions && is_projection(value, other))
        }),
        _ => before == after,
    }
}

/// Web Mercator as the text books have it.
fn is_image([longitude, latitude]: [f64; 2], (east, north): (f64, f64)) -> bool {
    let x = longitude / 180.0 * HALF_WORLD;
    let y = latitude.to_radians().sin().atanh() / std::f64::consts::PI * HALF_WORLD;
    // A micrometre, and the last digits of a longitude far round the world.
    (x - east).abs() < 1e-6 + x.abs() * 1e-15
        && ((y - north).abs() < 1e-6 || latitude.abs() == 90.0)
}
