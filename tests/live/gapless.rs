use std::collections::HashMap;
use std::time::Duration;

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

/// What a viewer knows: for each train its step, while it is in view.
type Known = HashMap<String, u64>;

/// Reads a frame into what is known; returns its content if it is about no train.
async fn read(viewer: &mut Client, known: &mut Known) -> Option<Value> {
    let frame = viewer.next().await;
    let content = &frame["content"];
    if frame["source"] == "gone" {
        known.remove(content.as_str().expect("an id"));
        return None;
    }
    let Some(id) = content["id"].as_str() else { return Some(content.clone()) };
    let step = content["properties"]["step"].as_u64().expect("a step");
    let before = known.insert(id.to_owned(), step);
    assert!(before.is_none_or(|before| before <= step), "{before:?} and then {step}");
    None
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
        let in_view: HashMap<_, _> = (0..TRAINS)
            .map(|id| (id.to_string(), STEPS + id))
            .filter(|(_, step)| (step % 60) as f64 / 10.0 + 0.05 <= 3.0)
            .collect();
        let mut all_known = Vec::new();
        for viewer in &mut viewers {
            let mut known = Known::new();
            while known != in_view {
                read(viewer, &mut known).await;
            }
            all_known.push(known);
        }
        // No train, so that it is in no snapshot and comes after all of this.
        map.store.publish("trains", "7").await;
        for (viewer, known) in viewers.iter_mut().zip(&mut all_known) {
            while read(viewer, known).await.is_none() {}
            assert_eq!(*known, in_view);
        }
    }
}

/// A viewer who asks for the same box again and again while many trains leave it, and some come back,
/// ends up with those that are there. What has left is in no snapshot: only its own message says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_leaves_while_a_box_is_asked_for_again_is_taken_back() {
    let limits = Limits { replay_interval: Duration::from_millis(1), ..Limits::default() };
    for store in Store::both().await {
        let map = Map::with(store, trains(), limits.clone()).await;
        let inside: Vec<_> = (0..600).map(|id| moved(id, 0)).collect();
        for train in &inside {
            map.publish(train).await;
        }
        let mut viewer = map.viewer_of("0 0 3 3", &inside).await;
        let mut known: HashMap<_, _> = (0..600).map(|id: u64| (id.to_string(), 0)).collect();
        for round in 1..=15 {
            let burst = async {
                for id in 0..600 {
                    // In the second half of the way, in the first, or nowhere any more.
                    match (id + round) % 3 {
                        0 => map.publish(&moved(id, 60 * round + 45)).await,
                        1 => map.publish(&moved(id, 60 * round)).await,
                        _ => {
                            map.store.hdel("trains", &id.to_string()).await;
                            map.store.publish("gone", format!("\"{id}\"")).await;
                        }
                    }
                }
                // No train, so that it is in no snapshot and comes after all of this.
                map.store.publish("trains", round.to_string()).await;
            };
            let watching = async {
                for frames in 0.. {
                    if frames % 40 == 0 && frames < 400 {
                        viewer.send("BBOX 0 0 3 3").await;
                    }
                    if read(&mut viewer, &mut known).await == Some(json!(round)) {
                        break;
                    }
                }
            };
            tokio::join!(burst, watching);
            let there: HashMap<_, _> = (0..600)
                .filter(|id| (id + round) % 3 == 1)
                .map(|id| (id.to_string(), 60 * round))
                .collect();
            while known != there {
                read(&mut viewer, &mut known).await;
            }
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
