use std::collections::HashMap;

use redwire::prelude::*;
use redwire_suites::Store;
use redwire_test::Client;
use serde_json::{Value, json};

use crate::map::{Map, trains};

/// A train whose place and number say how often it has moved.
fn moved(id: u64, step: u64) -> Value {
    let x = (step % 60) as f64 / 10.0 + 0.05;
    json!({"type": "Feature", "id": id.to_string(), "properties": {"type": "rail", "step": step},
        "geometry": {"type": "Point", "coordinates": [x, 1.0]}})
}

const TRAINS: u64 = 20;
const STEPS: u64 = 300;

/// What a viewer of the left half of the way knows: for each train its step, while it is in view.
async fn watch(viewer: &mut Client, last: u64) -> HashMap<String, u64> {
    let mut known = HashMap::new();
    loop {
        let frame = viewer.next().await;
        if frame["source"] == "gone" {
            let id = frame["content"].as_str().expect("an id");
            known.remove(id);
            continue;
        }
        let feature = &frame["content"];
        if feature["id"] == "end" {
            return known;
        }
        let id = feature["id"].as_str().expect("an id").to_owned();
        let step = feature["properties"]["step"].as_u64().expect("a step");
        let before = known.insert(id, step);
        assert!(before.is_none_or(|before| before <= step), "{before:?} after {step} of {last}");
    }
}

/// Viewers come, and move their boxes, while trains move: whatever the moment, each ends up knowing
/// exactly what is in its view, and never sees a train step back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_steps_back_between_a_snapshot_and_the_stream() {
    for store in Store::both().await {
        let map = Map::with(store, trains(), Limits::default()).await;
        let mut viewers = Vec::new();
        for step in 1..=STEPS {
            for id in 0..TRAINS {
                map.publish(&moved(id, step)).await;
            }
            if step % 10 == 0 {
                let mut viewer = map.viewer().await;
                viewer.send("BBOX 2 0 3 3").await;
                viewer.send("SUB trains").await;
                viewer.send("BBOX 0 0 3 3").await;
                viewers.push(viewer);
            }
        }
        // In view, or not, is decided by the last step alone.
        for id in 0..TRAINS {
            map.publish(&moved(id, STEPS + id)).await;
        }
        let mut end = moved(0, 0);
        end["id"] = json!("end");
        map.publish(&end).await;

        let in_view: HashMap<_, _> = (0..TRAINS)
            .map(|id| (id.to_string(), STEPS + id))
            .filter(|(_, step)| (step % 60) as f64 / 10.0 + 0.05 <= 3.0)
            .collect();
        for viewer in &mut viewers {
            assert_eq!(watch(viewer, STEPS).await, in_view);
        }
    }
}

/// One who does not read keeps its place and gets the newest, while the others notice nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_that_reads_slowly_gets_the_newest_of_each_and_stays() {
    let limits = Limits { outbox_bytes: 10_000, outbox_messages: 100, ..Limits::default() };
    let map = Map::with(Store::memory(), trains(), limits).await;
    let mut quick = map.viewer().await;
    quick.send("SUB trains").await;
    quick.expect_silence().await;
    let mut slow = Client::connect_slow(&map.gateway.url()).await;
    slow.send("SUB trains").await;
    slow.expect("websocket", json!({"status": "open"})).await;
    slow.expect_silence().await;
    let padding = "x".repeat(2_000);
    let steps = 2_000;
    for step in 1..=steps {
        for id in 0..10 {
            let mut feature = moved(id, step);
            feature["properties"]["padding"] = json!(padding);
            map.publish(&feature).await;
            let frame = quick.next().await;
            assert_eq!(frame["content"]["id"], id.to_string());
            assert_eq!(frame["content"]["properties"]["step"], step);
        }
    }
    let mut known: HashMap<String, u64> = HashMap::new();
    let mut frames = 0;
    while known.len() < 10 || known.values().any(|step| *step < steps) {
        let frame = slow.next().await;
        let id = frame["content"]["id"].as_str().expect("an id").to_owned();
        let step = frame["content"]["properties"]["step"].as_u64().expect("a step");
        let before = known.insert(id, step);
        assert!(before.is_none_or(|before| before < step), "{before:?} {step}");
        frames += 1;
    }
    assert!(frames < steps * 10, "nothing was ever replaced");
    slow.expect_silence().await;
}
