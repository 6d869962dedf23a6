//! Oracles that nobody here wrote: shapely for boxes, PROJ for projections.

use std::collections::BTreeMap;
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
    let codes = [3857, 2056, 21781, 25832, 32632, 3035, 2154, 3395];
    for (backend, projections) in backends() {
        for (code, apart) in farthest(projections, &codes, 10_000).await {
            println!("{backend} {code}: {apart:.1e} m at most");
            assert!(apart < 1e-6, "{backend} is {apart} m away in {code}");
        }
    }
}

#[tokio::test]
async fn the_projections_of_all_other_default_codes_agree_but_for_two_older_datum_shifts() {
    let codes: Vec<u32> = Projections::default().codes().filter(|code| *code != 4326).collect();
    for (backend, projections) in backends() {
        for (code, apart) in farthest(projections, &codes, 1_000).await {
            // docs/geo.md tells users so.
            let tolerance = match (backend, code) {
                ("proj4rs", 5514) => 17.0,
                ("proj4rs", 28992) => 0.01,
                _ => 1e-6,
            };
            assert!(apart < tolerance, "{backend} is {apart} m away in {code}");
        }
    }
}

/// How far from PROJ's word the positions are at most, code by code, in metres.
async fn farthest(projections: Projections, codes: &[u32], count: u32) -> BTreeMap<u32, f64> {
    let args = [vec![count, 20_260_921], codes.to_vec()].concat();
    let args: Vec<String> = args.iter().map(u32::to_string).collect();
    let known = ask("projections.py", &args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(known.len(), codes.len() * count as usize);
    let memory = MemoryBackend::new();
    let mut session = session(&memory, Geo::default().projections(projections));
    let mut farthest = BTreeMap::new();
    for line in &known {
        let number = |place: usize| line[place].as_f64().expect("a number");
        memory.hset("probe", "a", point(number(1), number(2)).to_string());
        let get = format!("PGET probe projection=epsg:{}", line[0]);
        let frames = session.receive(&get).await.expect("a reply");
        let coordinates = &frames[0].content().json()["geometry"]["coordinates"];
        let ordinate = |place: usize| coordinates[place].as_f64().expect("a number");
        let apart = (ordinate(0) - number(3)).hypot(ordinate(1) - number(4));
        let code = codes.iter().find(|code| line[0] == **code).expect("one that was asked for");
        let most = farthest.entry(*code).or_insert(0.0_f64);
        *most = most.max(apart);
    }
    farthest
}

/// All that this build has; the suite is run with the feature `proj`, too.
fn backends() -> Vec<(&'static str, Projections)> {
    vec![
        ("proj4rs", Projections::proj4rs()),
        #[cfg(feature = "proj")]
        ("libproj", Projections::libproj()),
    ]
}
