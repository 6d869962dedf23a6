use redwire::prelude::*;
use redwire_suites::Store;
use redwire_test::Client;
use serde_json::{Value, json};

use crate::map::{Map, train, trains};

/// The next frame, which gathers others: their sources and contents.
async fn gathered(viewer: &mut Client) -> Vec<(Value, Value)> {
    let frame = viewer.next().await;
    assert_eq!(frame["source"], "buffer", "{frame}");
    let envelopes = frame["content"].as_array().expect("an array").clone();
    for envelope in &envelopes {
        let keys: Vec<_> = envelope.as_object().expect("an envelope").keys().collect();
        assert_eq!(keys, ["source", "content", "timestamp", "client_reference"]);
    }
    envelopes.into_iter().map(|e| (e["source"].clone(), e["content"].clone())).collect()
}

#[tokio::test]
async fn pushes_are_gathered_until_there_are_enough() {
    for map in Map::both().await {
        let mut viewer = map.viewer_of("0 0 5 5", &[]).await;
        viewer.send("BUFFER 10000 3").await;
        viewer.expect_silence().await;
        for id in ["a", "b", "c"] {
            map.publish(&train(id, 1.0, 1.0)).await;
        }
        let frames = gathered(&mut viewer).await;
        let expected = ["a", "b", "c"].map(|id| (json!("trains"), train(id, 1.0, 1.0)));
        assert_eq!(frames, expected);
    }
}

#[tokio::test]
async fn pushes_are_gathered_for_a_time() {
    for map in Map::both().await {
        let mut viewer = map.viewer_of("0 0 5 5", &[]).await;
        viewer.send("BUFFER 50").await;
        viewer.expect_silence().await;
        map.publish(&train("a", 1.0, 1.0)).await;
        assert_eq!(gathered(&mut viewer).await, [(json!("trains"), train("a", 1.0, 1.0))]);
    }
}

#[tokio::test]
async fn of_each_feature_the_newest_is_kept() {
    for map in Map::both().await {
        let mut viewer = map.viewer_of("0 0 5 5", &[]).await;
        let mut witness = map.viewer_of("0 0 5 5", &[]).await;
        viewer.send("BUFFER 10000 100").await;
        viewer.expect_silence().await;
        for x in 1..=4 {
            map.publish(&train("a", f64::from(x), 1.0)).await;
            map.publish(&train("b", f64::from(x), 1.0)).await;
        }
        map.publish(&train("b", 9.0, 9.0)).await;
        map.publish(&train("c", 1.0, 1.0)).await;
        while witness.next().await["content"]["id"] != "c" {}
        viewer.send("PING").await;
        let expected = [
            (json!("trains"), train("a", 4.0, 1.0)),
            (json!("gone"), json!("b")),
            (json!("trains"), train("c", 1.0, 1.0)),
        ];
        assert_eq!(gathered(&mut viewer).await, expected);
        viewer.expect("websocket", json!("PONG")).await;
    }
}

#[tokio::test]
async fn replies_are_never_gathered() {
    for map in Map::both().await {
        map.publish(&train("a", 1.0, 1.0)).await;
        let mut viewer = map.viewer_of("0 0 5 5", &[train("a", 1.0, 1.0)]).await;
        viewer.send("BUFFER 10000 1000").await;
        viewer.send("GET trains a ref7").await;
        viewer.expect_referenced("trains a", train("a", 1.0, 1.0), "ref7").await;
        viewer.send("GET trains").await;
        viewer.expect("trains", train("a", 1.0, 1.0)).await;
        viewer.send("NONSENSE").await;
        viewer.expect_error("NONSENSE").await;
    }
}

#[tokio::test]
async fn buffer_without_numbers_ends_it_and_bad_numbers_change_nothing() {
    for map in Map::both().await {
        let mut viewer = map.viewer_of("0 0 5 5", &[]).await;
        viewer.send("BUFFER 10000 2").await;
        viewer.send("BUFFER soon").await;
        viewer.expect_error("`ms`").await;
        viewer.send("BUFFER 100 -7").await;
        viewer.expect_error("-7").await;
        map.publish(&train("a", 1.0, 1.0)).await;
        map.publish(&train("b", 1.0, 1.0)).await;
        assert_eq!(gathered(&mut viewer).await.len(), 2, "still two at a time");
        viewer.send("BUFFER").await;
        viewer.expect_silence().await;
        map.publish(&train("a", 2.0, 1.0)).await;
        viewer.expect("trains", train("a", 2.0, 1.0)).await;
    }
}

#[tokio::test]
async fn a_large_snapshot_comes_in_frames_of_limited_size() {
    let limits = Limits { buffer_bytes: 1_000, ..Limits::default() };
    let map = Map::with(Store::memory(), trains(), limits).await;
    for id in 0..100 {
        map.publish(&train(&id.to_string(), 1.0, 1.0)).await;
    }
    let mut viewer = map.viewer().await;
    viewer.send("BUFFER 100 1000").await;
    viewer.send("SUB trains").await;
    let mut features = 0;
    while features < 100 {
        let text = viewer.next_text().await;
        assert!(text.len() <= 1_000 + 200, "{} bytes", text.len());
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        features += frame["content"].as_array().expect("an array").len();
    }
    assert_eq!(features, 100);
}
