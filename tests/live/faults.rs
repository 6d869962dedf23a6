use redwire::prelude::*;
use redwire_suites::Store;

use crate::map::{Map, expect_all, train, trains};

#[tokio::test]
async fn after_an_outage_a_box_shows_what_the_hash_holds_now() {
    let mut map = Map::with(Store::redis().await, trains(), Limits::default()).await;
    map.publish(&train("a", 1.0, 1.0)).await;
    map.publish(&train("b", 1.0, 1.0)).await;
    let seen = [train("a", 1.0, 1.0), train("b", 1.0, 1.0)];
    let mut viewer = map.viewer_of("0 0 5 5", &seen).await;
    let Store::Redis(redis) = &mut map.store else { panic!("a Redis") };
    redis.restart().await;
    // It has forgotten everything; a publisher comes back with one train.
    redis.hset("trains", "a", train("a", 2.0, 1.0).to_string()).await;
    viewer.expect_gap().await;
    viewer.send("BBOX 0 0 5 5").await;
    expect_all(&mut viewer, &[train("a", 2.0, 1.0)]).await;
    viewer.expect_silence().await;
}

#[tokio::test]
async fn without_a_redis_boxes_are_taken_and_snapshots_follow_when_it_is_there() {
    let store = Store::Redis(redwire_test::RedisServer::reserved().await);
    let mut map = Map::with(store, trains(), Limits::default()).await;
    let mut viewer = map.viewer().await;
    viewer.send("BBOX 0 0 5 5").await;
    viewer.send("SUB trains").await;
    viewer.expect_error("not connected").await;
    let Store::Redis(redis) = &mut map.store else { panic!("a Redis") };
    redis.restart().await;
    redis.hset("trains", "a", train("a", 1.0, 1.0).to_string()).await;
    viewer.expect_gap().await;
    viewer.send("BBOX 0 0 5 5").await;
    expect_all(&mut viewer, &[train("a", 1.0, 1.0)]).await;
}

#[tokio::test]
async fn after_an_outage_a_hash_that_is_empty_now_shows_nothing() {
    let mut map = Map::with(Store::redis().await, trains(), Limits::default()).await;
    map.publish(&train("a", 1.0, 1.0)).await;
    let mut viewer = map.viewer_of("0 0 5 5", &[train("a", 1.0, 1.0)]).await;
    let Store::Redis(redis) = &mut map.store else { panic!("a Redis") };
    redis.restart().await;
    viewer.expect_gap().await;
    viewer.send("BBOX 0 0 5 5").await;
    viewer.expect_silence().await;
}

#[tokio::test]
async fn a_hash_that_cannot_be_read_is_an_error_frame_and_what_is_published_comes() {
    let redis = redwire_test::RedisServer::start().await;
    redis.command(&["ACL", "SETUSER", "default", "-hvals"]).await;
    let map = Map::with(Store::Redis(redis), trains(), Limits::default()).await;
    let mut viewer = map.viewer().await;
    viewer.send("SUB trains").await;
    viewer.expect_error("the data store").await;
    // What is known has been sent, too: nothing.
    viewer.expect_silence().await;
    map.store.publish("trains", train("a", 1.0, 1.0).to_string()).await;
    viewer.expect("trains", train("a", 1.0, 1.0)).await;
    viewer.send("BBOX 0 0 5 5").await;
    viewer.expect_error("the data store").await;
    viewer.expect("trains", train("a", 1.0, 1.0)).await;
}
