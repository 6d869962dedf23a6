use redwire::prelude::*;
use redwire_suites::Store;
use serde_json::json;

use crate::map::{Map, train, train_of};

#[tokio::test]
async fn a_feature_that_leaves_the_box_is_taken_back() {
    for map in Map::both().await {
        map.publish(&train("a", 1.0, 1.0)).await;
        let mut here = map.viewer_of("0 0 5 5", &[train("a", 1.0, 1.0)]).await;
        let mut there = map.viewer_of("10 0 15 5", &[]).await;
        let mut elsewhere = map.viewer_of("20 0 25 5", &[]).await;
        let mut everywhere = map.viewer_of("0 0 50 50", &[train("a", 1.0, 1.0)]).await;

        map.publish(&train("a", 11.0, 1.0)).await;
        here.expect("gone", json!("a")).await;
        there.expect("trains", train("a", 11.0, 1.0)).await;
        everywhere.expect("trains", train("a", 11.0, 1.0)).await;
        elsewhere.expect_silence().await;

        map.publish(&train("a", 12.0, 1.0)).await;
        there.expect("trains", train("a", 12.0, 1.0)).await;
        here.expect_silence().await;
    }
}

#[tokio::test]
async fn a_deleted_feature_is_taken_back_from_those_who_saw_it() {
    for map in Map::both().await {
        map.publish(&train("a", 1.0, 1.0)).await;
        map.publish(&train("b", 1.0, 1.0)).await;
        let seen = [train("a", 1.0, 1.0), train("b", 1.0, 1.0)];
        let mut here = map.viewer_of("0 0 5 5", &seen).await;
        let mut there = map.viewer_of("10 0 15 5", &[]).await;
        map.store.publish("gone", r#""a""#).await;
        here.expect("gone", json!("a")).await;
        there.expect_silence().await;
        map.store.publish("trains", r#"{"deleted":"b"}"#).await;
        here.expect("trains", json!({"deleted": "b"})).await;
        there.expect_silence().await;

        here.send("BBOX 0 0 5 5").await;
        here.expect_silence().await;
    }
}

#[tokio::test]
async fn a_deletion_of_what_nobody_knows_is_for_everybody() {
    for map in Map::both().await {
        let mut viewers =
            [map.viewer_of("0 0 5 5", &[]).await, map.viewer_of("9 9 10 10", &[]).await];
        map.store.publish("gone", "17").await;
        for viewer in &mut viewers {
            viewer.expect("gone", json!(17)).await;
        }
        map.store.publish("gone", "[]").await;
        for viewer in &mut viewers {
            viewer.expect("gone", json!([])).await;
        }
    }
}

#[tokio::test]
async fn without_a_channel_of_deletions_both_are_said_on_the_layers_own() {
    let live = Live::over(Geo::default()).layer(Layer::new("trains"));
    let map = Map::with(Store::memory(), live, Limits::default()).await;
    let mut viewer = map.viewer_of("0 0 5 5", &[]).await;
    map.publish(&train("a", 1.0, 1.0)).await;
    viewer.expect("trains", train("a", 1.0, 1.0)).await;
    map.publish(&train("a", 11.0, 1.0)).await;
    viewer.expect("trains", json!({"deleted": "a"})).await;
}

#[tokio::test]
async fn a_feature_that_is_no_longer_wanted_is_taken_back() {
    for map in Map::both().await {
        map.publish(&train_of("a", 1.0, 1.0, "rail")).await;
        let seen = [train_of("a", 1.0, 1.0, "rail")];
        let mut viewer = map.viewer_of("0 0 5 5 9 mots=rail", &seen).await;
        map.publish(&train_of("a", 1.0, 1.0, "bus")).await;
        viewer.expect("gone", json!("a")).await;
        map.publish(&train_of("a", 2.0, 1.0, "bus")).await;
        viewer.expect_silence().await;
    }
}

#[tokio::test]
async fn an_id_is_taken_back_as_it_was_given() {
    let map = Map::on(Store::memory()).await;
    let mut viewer = map.viewer_of("0 0 5 5", &[]).await;
    for (id, other) in
        [(json!(7), json!(7)), (json!("é\"\\"), json!("é\"\\")), (json!(-1), json!(-1))]
    {
        let mut feature = train("x", 1.0, 1.0);
        feature["id"] = id;
        map.store.publish("trains", feature.to_string()).await;
        viewer.expect("trains", feature.clone()).await;
        feature["geometry"]["coordinates"] = json!([80, 80]);
        map.store.publish("trains", feature.to_string()).await;
        viewer.expect("gone", other).await;
    }
}

#[tokio::test]
async fn leaving_is_seen_in_any_projection_and_across_the_antimeridian() {
    for map in Map::both().await {
        map.publish(&train("a", 179.0, 1.0)).await;
        let mut pacific = map.viewer_of("170 0 -170 5", &[train("a", 179.0, 1.0)]).await;
        let mut mercator = map.viewer().await;
        mercator.send("PROJECTION 3857").await;
        mercator.send("BBOX 19900000 0 20000000 500000").await;
        mercator.send("SUB trains").await;
        assert_eq!(mercator.next().await["content"]["id"], "a");

        map.publish(&train("a", -179.0, 1.0)).await;
        pacific.expect("trains", train("a", -179.0, 1.0)).await;
        mercator.expect("gone", json!("a")).await;
        map.publish(&train("a", -160.0, 1.0)).await;
        pacific.expect("gone", json!("a")).await;
        mercator.expect_silence().await;
    }
}
