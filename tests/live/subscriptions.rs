use redwire::prelude::*;
use redwire_suites::Store;
use serde_json::{Value, json};

use crate::map::{Map, expect_all, train};

/// As the npm package's server: boxes subscribe, and choose between two kinds of map.
fn mobility() -> Live {
    Live::mobility(Geo::default())
}

fn vehicle(id: &str, x: f64) -> Value {
    json!({"type": "Feature", "properties": {"train_id": id, "type": "rail"},
        "geometry": {"type": "Point", "coordinates": [x, 1.0]}})
}

#[tokio::test]
async fn a_box_alone_subscribes_to_the_layers_that_follow_it() {
    for store in Store::both().await {
        let map = Map::with(store, mobility(), Limits::default()).await;
        map.store.hset("trajectory", "a", vehicle("a", 1.0).to_string()).await;
        let mut viewer = map.viewer().await;
        viewer.send("BBOX 0 0 5 5 12 gen=30 mots=rail").await;
        viewer.expect("trajectory", vehicle("a", 1.0)).await;
        map.store.publish("trajectory", vehicle("b", 2.0).to_string()).await;
        viewer.expect("trajectory", vehicle("b", 2.0)).await;
        map.store.publish("deleted_vehicles", r#""b""#).await;
        viewer.expect("deleted_vehicles", json!("b")).await;

        viewer.send("SUB trajectory").await;
        viewer.send("SUB deleted_vehicles").await;
        viewer.expect_silence().await;
        map.store.publish("trajectory", vehicle("a", 2.0).to_string()).await;
        viewer.expect("trajectory", vehicle("a", 2.0)).await;
        viewer.expect_silence().await;
    }
}

#[tokio::test]
async fn a_box_of_another_variant_brings_its_features_under_the_same_names() {
    for store in Store::both().await {
        let map = Map::with(store, mobility(), Limits::default()).await;
        let mut viewer = map.viewer().await;
        viewer.send("BBOX 0 0 5 5").await;
        viewer.send("BBOX 0 0 5 5 9 channel_prefix=schematic").await;
        viewer.expect_silence().await;
        map.store.publish("trajectory", vehicle("a", 1.0).to_string()).await;
        map.store.publish("trajectory_schematic", vehicle("a", 2.0).to_string()).await;
        viewer.expect("trajectory", vehicle("a", 2.0)).await;
        map.store.publish("trajectory_schematic", vehicle("a", 9.0).to_string()).await;
        viewer.expect("deleted_vehicles", json!("a")).await;
        map.store.publish("trajectory_schematic", vehicle("b", 2.0).to_string()).await;
        viewer.expect("trajectory", vehicle("b", 2.0)).await;
        map.store.publish("deleted_vehicles_schematic", r#""b""#).await;
        viewer.expect("deleted_vehicles", json!("b")).await;
        viewer.send("SUB trajectory_schematic").await;
        viewer.expect_silence().await;
        map.store.publish("trajectory_schematic", vehicle("a", 3.0).to_string()).await;
        viewer.expect("trajectory_schematic", vehicle("a", 3.0)).await;
        viewer.send("DEL trajectory_schematic").await;
        viewer.send("BBOX 0 0 5 5 9 channel_prefix=raw").await;
        viewer.expect("trajectory", vehicle("a", 1.0)).await;
        viewer.expect_silence().await;
    }
}

#[tokio::test]
async fn what_was_subscribed_by_name_stays_whatever_the_box() {
    for store in Store::both().await {
        let map = Map::with(store, mobility(), Limits::default()).await;
        let mut viewer = map.viewer().await;
        viewer.send("SUB trajectory").await;
        viewer.send("BBOX 0 0 5 5 9 channel_prefix=schematic").await;
        viewer.expect_silence().await;
        map.store.publish("trajectory", vehicle("a", 1.0).to_string()).await;
        viewer.expect("trajectory", vehicle("a", 1.0)).await;

        viewer.send("DEL trajectory").await;
        viewer.expect_silence().await;
        map.store.publish("trajectory", vehicle("a", 2.0).to_string()).await;
        map.store.publish("trajectory_schematic", vehicle("b", 2.0).to_string()).await;
        viewer.expect("trajectory", vehicle("b", 2.0)).await;
    }
}

#[tokio::test]
async fn del_ends_delivery_and_sub_begins_it_with_a_snapshot() {
    for map in Map::both().await {
        map.publish(&train("a", 1.0, 1.0)).await;
        let mut viewer = map.viewer_of("0 0 5 5", &[train("a", 1.0, 1.0)]).await;
        viewer.send("DEL trains").await;
        viewer.expect_silence().await;
        map.publish(&train("a", 2.0, 1.0)).await;
        map.store.publish("gone", "5").await;
        map.expect_nothing_for(&mut viewer).await;
        viewer.send("SUB trains").await;
        expect_all(&mut viewer, &[train("a", 2.0, 1.0)]).await;
        viewer.send("SUB trains").await;
        viewer.expect_silence().await;
        for other in ["gone", "news"] {
            viewer.subscribe(other).await;
        }
        viewer.send("GET nothing").await;
        viewer.expect("nothing", json!(null)).await;
    }
}

#[tokio::test]
async fn a_layer_that_the_handler_denies_is_not_joined() {
    let layers = |live: Live| {
        live.layer(Layer::new("secret").follows_bbox()).layer(Layer::new("open").follows_bbox())
    };
    for store in Store::both().await {
        let live = layers(Live::over(Geo::default()));
        let map = Map::with(store, live, Limits::default()).await;
        map.store.hset("secret", "a", train("a", 1.0, 1.0).to_string()).await;
        map.store.hset("open", "b", train("b", 1.0, 1.0).to_string()).await;
        let mut viewer = map.viewer().await;
        viewer.send("BBOX 0 0 5 5").await;
        viewer.expect("open", train("b", 1.0, 1.0)).await;
        viewer.expect_silence().await;
        viewer.send("SUB secret").await;
        viewer.expect_error("secret").await;
        viewer.send("BBOX 0 0 5 5").await;
        viewer.expect("open", train("b", 1.0, 1.0)).await;
        viewer.expect_silence().await;
    }
}

#[tokio::test]
async fn a_bad_box_changes_neither_the_box_nor_what_is_wanted() {
    for map in Map::both().await {
        map.publish(&train("a", 1.0, 1.0)).await;
        let mut viewer = map.viewer_of("0 0 5 5 9 mots=rail", &[train("a", 1.0, 1.0)]).await;
        viewer.send("BBOX 0 0 5 x 9 mots=bus").await;
        viewer.expect_error("`top`").await;
        map.publish(&train("a", 2.0, 1.0)).await;
        viewer.expect("trains", train("a", 2.0, 1.0)).await;
    }
}

#[tokio::test]
async fn several_layers_are_replayed_together() {
    let live = Live::over(Geo::default()).layer(Layer::new("trains")).layer(Layer::new("buses"));
    let map = Map::with(Store::memory(), live, Limits::default()).await;
    map.store.hset("trains", "a", train("a", 1.0, 1.0).to_string()).await;
    map.store.hset("buses", "b", train("b", 1.0, 1.0).to_string()).await;
    let mut viewer = map.viewer().await;
    viewer.send("SUB trains").await;
    viewer.send("SUB buses").await;
    let mut known = std::collections::HashSet::new();
    while known.len() < 2 {
        let frame = viewer.next().await;
        known.insert(frame["source"].to_string() + &frame["content"]["id"].to_string());
    }
}

#[tokio::test]
async fn who_may_not_hear_of_deletions_cannot_have_the_layer() {
    let layer = |name: &str| Layer::new(name).deletions(format!("secret.{name}"));
    let live = Live::over(Geo::default()).layer(layer("trains").follows_bbox());
    let map = Map::with(Store::memory(), live, Limits::default()).await;
    map.publish(&train("a", 1.0, 1.0)).await;
    let mut viewer = map.viewer().await;
    viewer.send("BBOX 0 0 5 5").await;
    viewer.expect_silence().await;
    viewer.send("SUB trains").await;
    viewer.expect_error("`secret.trains` is not allowed").await;
}
