//! Oracles that nobody here wrote: shapely for boxes, PROJ for projections.

use std::path::PathBuf;
use std::process::Command;

use redwire::prelude::*;
use serde_json::{Value, json};

use crate::world::point;

#[derive(Clone)]
struct Everything;

impl HandlerBase for Everything {
    fn channel_is_allowed(&self, _channel: &str) -> bool {
        true
    }
}

/// The lines that a script of `tests/oracles` prints.
fn ask(script: &str, args: &[&str]) -> Vec<Value> {
    let own = std::env::current_exe().expect("the test's own path");
    let target = own.ancestors().nth(3).expect("target/PROFILE/deps/geo-…");
    let python = target.join("oracles/bin/python");
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("oracles").join(script);
    let output = Command::new(&python).arg(script).args(args).output();
    let output = output.unwrap_or_else(|error| panic!("{python:?}: {error}; run scripts/setup"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn session(memory: &MemoryBackend) -> Session<Everything> {
    let protocol = Protocol::new().with(Keys).with(Geo::default());
    protocol.session(Everything, memory.clone())
}

#[tokio::test]
async fn boxes_agree_with_shapely_on_100_000_geometries() {
    let memory = MemoryBackend::new();
    let mut session = session(&memory);
    let mut inside = 0;
    let drawn = ask("boxes.py", &["100000", "20260921"]);
    for line in &drawn {
        let sides: Vec<_> = (0..4).map(|side| line[0][side].to_string()).collect();
        session.receive(&format!("BBOX {}", sides.join(" "))).await.expect("a box");
        let feature = json!({"type": "Feature", "properties": {}, "geometry": line[1]});
        memory.hset("probe", "a", feature.to_string());
        let frames = session.receive("GET probe").await.expect("a reply");
        let shown = frames[0].content().text() != "null";
        assert_eq!(Value::Bool(shown), line[2], "{line}");
        inside += usize::from(shown);
    }
    assert_eq!(drawn.len(), 100_000);
    assert!(inside > 20_000 && inside < 80_000, "both outcomes are common: {inside}");
}

#[tokio::test]
async fn projections_agree_with_proj_to_a_micrometre_on_10_000_positions_each() {
    let codes = ["3857", "2056", "21781", "25832", "32632", "3035", "2154", "3395"];
    let memory = MemoryBackend::new();
    let mut session = session(&memory);
    let positions = ask("projections.py", &[&["10000", "20260921"][..], &codes].concat());
    assert_eq!(positions.len(), 80_000);
    for line in &positions {
        let number = |place: usize| line[place].as_f64().expect("a number");
        memory.hset("probe", "a", point(number(1), number(2)).to_string());
        let get = format!("PGET probe projection=epsg:{}", line[0]);
        let frames = session.receive(&get).await.expect("a reply");
        let coordinates = &frames[0].content().json()["geometry"]["coordinates"];
        let ordinate = |place: usize| coordinates[place].as_f64().expect("a number");
        let apart = (ordinate(0) - number(3)).hypot(ordinate(1) - number(4));
        assert!(apart < 1e-6, "{line} is {coordinates} here, {apart} m apart");
    }
}
