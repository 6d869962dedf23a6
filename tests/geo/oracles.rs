//! Oracles that nobody here wrote: shapely for boxes, PROJ for projections.

use std::path::PathBuf;
use std::process::Command;

use redwire::prelude::*;
use serde_json::{Value, json};

use crate::world::point;

#[derive(Clone)]
pub(crate) struct Everything;

impl HandlerBase for Everything {
    fn channel_is_allowed(&self, _channel: &str) -> bool {
        true
    }
}

/// What `scripts/setup` has installed.
pub(crate) fn oracle(path: &str) -> PathBuf {
    let own = std::env::current_exe().expect("the test's own path");
    let target = own.ancestors().nth(3).expect("target/PROFILE/deps/geo-…");
    target.join("oracles").join(path)
}

/// The lines that a script of `tests/oracles` prints.
fn ask(script: &str, args: &[&str]) -> Vec<Value> {
    let python = oracle("bin/python");
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("oracles").join(script);
    let output = Command::new(&python).arg(script).args(args).output();
    let output = output.unwrap_or_else(|error| panic!("{python:?}: {error}; run scripts/setup"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn session(memory: &MemoryBackend, geo: Geo) -> Session<Everything> {
    let protocol = Protocol::new().with(Keys).with(geo);
    protocol.session(Everything, memory.clone())
}

#[tokio::test]
async fn boxes_agree_with_shapely_and_under_compat_with_the_original_on_100_000_geometries() {
    let memory = MemoryBackend::new();
    let mut by_default = session(&memory, Geo::default());
    let mut compat = session(&memory, Geo::default().compat());
    let mut shown = [0, 0];
    let drawn = ask("boxes.py", &["100000", "20260921"]);
    for line in &drawn {
        let feature = json!({"type": "Feature", "properties": {}, "geometry": line[1]});
        memory.hset("probe", "a", feature.to_string());
        let sides: Vec<_> = (0..4).map(|side| line[0][side].to_string()).collect();
        let bbox = format!("BBOX {}", sides.join(" "));
        for (count, session, known) in [(0, &mut by_default, &line[2]), (1, &mut compat, &line[3])]
        {
            session.receive(&bbox).await.expect("a box");
            let frames = session.receive("GET probe").await.expect("a reply");
            let is_shown = frames[0].content().text() != "null";
            assert_eq!(Value::Bool(is_shown), *known, "compat {count}: {line}");
            shown[count] += usize::from(is_shown);
        }
    }
    assert_eq!(drawn.len(), 100_000);
    let often = 10_000..80_000;
    assert!(shown.iter().all(|shown| often.contains(shown)), "both outcomes are common: {shown:?}");
    assert!(shown[0] - shown[1] > 5_000, "the two rules differ: {shown:?}");
}

#[tokio::test]
async fn projections_agree_with_proj_to_a_micrometre_on_10_000_positions_each() {
    let codes = ["3857", "2056", "21781", "25832", "32632", "3035", "2154", "3395"];
    let positions = ask("projections.py", &[&["10000", "20260921"][..], &codes].concat());
    assert_eq!(positions.len(), 80_000);
    for (backend, projections) in backends() {
        let memory = MemoryBackend::new();
        let mut session = session(&memory, Geo::default().projections(projections));
        let mut farthest = 0.0_f64;
        for line in &positions {
            let number = |place: usize| line[place].as_f64().expect("a number");
            memory.hset("probe", "a", point(number(1), number(2)).to_string());
            let get = format!("PGET probe projection=epsg:{}", line[0]);
            let frames = session.receive(&get).await.expect("a reply");
            let coordinates = &frames[0].content().json()["geometry"]["coordinates"];
            let ordinate = |place: usize| coordinates[place].as_f64().expect("a number");
            let apart = (ordinate(0) - number(3)).hypot(ordinate(1) - number(4));
            assert!(apart < 1e-6, "{backend} has {coordinates} for {line}, {apart} m apart");
            farthest = farthest.max(apart);
        }
        println!("{backend}: {farthest:.1e} m at most");
    }
}

/// All that this build has; the suite is run with the feature `proj`, too.
fn backends() -> Vec<(&'static str, Projections)> {
    vec![
        ("proj4rs", Projections::proj4rs()),
        #[cfg(feature = "proj")]
        ("libproj", Projections::libproj()),
    ]
}
