use std::time::Duration;

use redwire::prelude::*;
use redwire_suites::Store;
use serde_json::json;

use crate::map::{Map, expect_all, train, train_of, trains};

#[tokio::test]
async fn sub_is_answered_with_what_the_hash_holds_and_what_was_published_since() {
    for map in Map::both().await {
        map.store.hset("trains", "a", train("a", 1.0, 1.0).to_string()).await;
        map.store.hset("trains", "b", train("b", 2.0, 2.0).to_string()).await;
        map.store.hset("trains", "junk", "{").await;
        let mut first = map.viewer().await;
        first.send("SUB trains").await;
        expect_all(&mut first, &[train("a", 1.0, 1.0), train("b", 2.0, 2.0)]).await;

        map.store.publish("trains", train("a", 3.0, 3.0).to_string()).await;
        first.expect("trains", train("a", 3.0, 3.0)).await;
        map.store.publish("trains", train("c", 4.0, 4.0).to_string()).await;
        first.expect("trains", train("c", 4.0, 4.0)).await;

        let mut late = map.viewer().await;
        late.send("SUB trains").await;
        let now = [train("a", 3.0, 3.0), train("b", 2.0, 2.0), train("c", 4.0, 4.0)];
        expect_all(&mut late, &now).await;
        late.expect_silence().await;
        first.expect_silence().await;
    }
}

#[tokio::test]
async fn bbox_is_answered_with_what_the_box_shows() {
    for map in Map::both().await {
        map.publish(&train("a", 1.0, 1.0)).await;
        map.publish(&train("b", 11.0, 1.0)).await;
        let mut viewer = map.viewer_of("0 0 5 5", &[train("a", 1.0, 1.0)]).await;

        viewer.send("BBOX 10 0 15 5 9").await;
        expect_all(&mut viewer, &[train("b", 11.0, 1.0)]).await;
        viewer.send("BBOX").await;
        expect_all(&mut viewer, &[train("a", 1.0, 1.0), train("b", 11.0, 1.0)]).await;
        viewer.send("BBOX 20 0 25 5").await;
        viewer.expect_silence().await;
    }
}

#[tokio::test]
async fn a_snapshot_is_in_the_projection_that_was_asked_for() {
    for map in Map::both().await {
        map.publish(&train("a", 5.0, 5.0)).await;
        let mut viewer = map.viewer().await;
        viewer.send("PROJECTION EPSG:3857").await;
        viewer.send("BBOX 500000 500000 600000 600000").await;
        viewer.send("SUB trains").await;
        let frame = viewer.next().await;
        let x = frame["content"]["geometry"]["coordinates"][0].as_f64().expect("a number");
        assert!((x - 556_597.453_966_367_9).abs() < 1e-6, "{frame}");

        viewer.send("PROJECTION 4326").await;
        viewer.expect_silence().await;
        viewer.send("BBOX 0 0 6 6").await;
        expect_all(&mut viewer, &[train("a", 5.0, 5.0)]).await;
    }
}

#[tokio::test]
async fn reset_ends_delivery_until_the_next_box_or_subscription() {
    for map in Map::both().await {
        map.publish(&train_of("a", 1.0, 1.0, "bus")).await;
        let seen = [train_of("a", 1.0, 1.0, "bus")];
        let mut viewer = map.viewer_of("0 0 5 5 9 mots=bus", &seen).await;
        viewer.send("RESET").await;
        viewer.expect_silence().await;
        map.publish(&train("b", 11.0, 1.0)).await;
        map.store.publish("gone", "7").await;
        map.expect_nothing_for(&mut viewer).await;
        viewer.send("SUB trains").await;
        expect_all(&mut viewer, &[seen[0].clone(), train("b", 11.0, 1.0)]).await;
    }
}

#[tokio::test]
async fn a_snapshot_that_was_put_off_is_of_what_is_looked_at_when_it_comes() {
    let limits = Limits {
        replay_interval: Duration::from_millis(200),
        commands_per_second: 1_000_000,
        ..Limits::default()
    };
    for end in ["RESET", "DEL trains"] {
        let map = Map::with(Store::memory(), trains(), limits.clone()).await;
        map.publish(&train("a", 1.0, 1.0)).await;
        let mut viewer = map.viewer_of("0 0 5 5", &[train("a", 1.0, 1.0)]).await;
        viewer.send("BBOX 0 0 6 6").await;
        viewer.send(end).await;
        viewer.send("SUB trains").await;
        // The one and only snapshot is of the subscription that followed.
        expect_all(&mut viewer, &[train("a", 1.0, 1.0)]).await;
        viewer.send("BBOX 0 0 7 7").await;
        viewer.send(end).await;
        viewer.send("SUB other").await;
        let asked = std::time::Instant::now();
        while asked.elapsed() < limits.replay_interval {
            viewer.expect_silence().await;
        }
        viewer.expect_silence().await;
    }
}

#[tokio::test]
async fn attributes_filter_snapshots_messages_and_get() {
    for map in Map::both().await {
        map.publish(&train_of("a", 1.0, 1.0, "rail")).await;
        map.publish(&train_of("b", 1.0, 1.0, "bus")).await;
        map.publish(&train_of("c", 1.0, 1.0, "tram")).await;
        let nothing = json!({"type": "Feature", "id": "d", "properties": null, "geometry": null});
        map.publish(&nothing).await;
        let mut viewer = map.viewer().await;
        viewer.send("BBOX 0 0 5 5 7 mots=rail,tram unknown=x").await;
        viewer.send("SUB trains").await;
        let wanted = [train_of("a", 1.0, 1.0, "rail"), train_of("c", 1.0, 1.0, "tram")];
        expect_all(&mut viewer, &wanted).await;
        map.publish(&train_of("b", 2.0, 1.0, "bus")).await;
        map.publish(&train_of("c", 2.0, 1.0, "tram")).await;
        viewer.expect("trains", train_of("c", 2.0, 1.0, "tram")).await;

        viewer.send("GET trains").await;
        expect_all(&mut viewer, &[wanted[0].clone(), train_of("c", 2.0, 1.0, "tram")]).await;
        viewer.send("GET trains b").await;
        viewer.expect("trains b", train_of("b", 2.0, 1.0, "bus")).await;

        viewer.send("BBOX 0 0 5 5").await;
        let all = [
            train_of("a", 1.0, 1.0, "rail"),
            train_of("b", 2.0, 1.0, "bus"),
            train_of("c", 2.0, 1.0, "tram"),
            nothing,
        ];
        expect_all(&mut viewer, &all).await;
    }
}

#[tokio::test]
async fn of_a_storm_of_boxes_the_last_one_counts_and_snapshots_are_few() {
    for map in Map::both().await {
        for x in 0..200 {
            map.publish(&train(&x.to_string(), f64::from(x), 1.0)).await;
        }
        let mut viewer = map.viewer_of("-9 0 -5 5", &[]).await;
        for x in 0..200 {
            viewer.send(format!("BBOX {}.9 0 {}.1 5", x - 1, x)).await;
        }
        let mut seen = Vec::new();
        loop {
            let frame = viewer.next().await;
            seen.push(frame["content"]["id"].as_str().expect("an id").to_owned());
            if seen.last().is_some_and(|id| id == "199") {
                break;
            }
        }
        assert!(seen.len() < 100, "{} snapshots for 200 boxes", seen.len());
        viewer.expect_silence().await;
    }
}

#[tokio::test]
async fn a_full_layer_passes_new_features_on_and_counts_them() {
    let live = Live::over(Geo::default()).layer(Layer::new("trains").max_features(2));
    let map = Map::with(Store::memory(), live, Limits::default()).await;
    let mut viewer = map.viewer_of("0 0 5 5", &[]).await;
    for id in ["a", "b", "c"] {
        map.publish(&train(id, 1.0, 1.0)).await;
        viewer.expect("trains", train(id, 1.0, 1.0)).await;
    }
    let mut late = map.viewer_of("0 0 5 5", &[train("a", 1.0, 1.0), train("b", 1.0, 1.0)]).await;
    late.expect_silence().await;
    assert_eq!(map.gateway.metric("redwire_live_features"), 2);
    assert_eq!(map.gateway.metric("redwire_live_features_refused_total"), 1);
}

#[tokio::test]
async fn what_is_no_feature_with_an_id_is_passed_on_and_not_remembered() {
    for map in Map::both().await {
        let mut viewer = map.viewer_of("0 0 5 5", &[]).await;
        for content in [
            json!(7),
            json!("a"),
            json!([train("a", 1.0, 1.0)]),
            json!({"type": "FeatureCollection", "features": [train("a", 1.0, 1.0)]}),
            json!({"type": "Feature", "properties": {}, "geometry": null}),
            json!({"type": "Feature", "id": 1.5, "geometry": {"type": "Point", "coordinates": [1, 1]}}),
            json!({"deleted": [1]}),
        ] {
            map.store.publish("trains", content.to_string()).await;
            viewer.expect("trains", content).await;
        }
        viewer.send("BBOX 0 0 5 5").await;
        viewer.expect_silence().await;
        assert_eq!(map.gateway.metric("redwire_live_features"), 0);
    }
}

#[tokio::test]
async fn viewers_outside_are_not_asked() {
    let map = Map::with(Store::memory(), trains(), Limits::default()).await;
    let mut inside = map.viewer_of("0 0 5 5", &[]).await;
    let _outside = map.viewer_of("10 0 15 5", &[]).await;
    map.publish(&train("a", 1.0, 1.0)).await;
    inside.expect("trains", train("a", 1.0, 1.0)).await;
    assert_eq!(map.gateway.metric("redwire_deliveries_total"), 1);
    assert_eq!(map.gateway.metric("redwire_deliveries_filtered_total"), 1);
}
