//! What changes at Redis, in whatever way, is not served any more.

use serde_json::json;

use crate::scene::{Scene, expect};

/// A value that is kept, then a change of which nothing is published under its name.
async fn after(change: &[&str]) -> (Scene, redwire_test::Client) {
    let scene = Scene::start().await;
    scene.redis.hset("hash", "field", "1").await;
    let mut viewer = scene.subscriber().await;
    let before = scene.reads().await;
    for _ in 0..2 {
        expect(&mut viewer, "hash field", json!(1)).await;
        expect(&mut viewer, "hash", json!(1)).await;
    }
    assert_eq!(scene.reads().await - before, 2, "it was kept");
    scene.redis.command(change).await;
    scene.barrier(&mut viewer).await;
    (scene, viewer)
}

#[tokio::test]
async fn a_change_of_the_field_is_seen() {
    let (_scene, mut viewer) = after(&["HSET", "hash", "field", "2"]).await;
    expect(&mut viewer, "hash field", json!(2)).await;
    expect(&mut viewer, "hash", json!(2)).await;
}

#[tokio::test]
async fn a_change_of_another_field_is_seen_among_all_values() {
    let (_scene, mut viewer) = after(&["HSET", "hash", "other", "2"]).await;
    viewer.send("GET hash").await;
    viewer.expect("hash", json!(1)).await;
    viewer.expect("hash", json!(2)).await;
    expect(&mut viewer, "hash field", json!(1)).await;
}

#[tokio::test]
async fn a_key_that_is_gone_is_seen_to_be() {
    for change in [
        &["DEL", "hash"][..],
        &["HDEL", "hash", "field"],
        &["UNLINK", "hash"],
        &["RENAME", "hash", "elsewhere"],
        &["FLUSHALL"],
        &["FLUSHDB", "ASYNC"],
        &["PEXPIREAT", "hash", "1"],
    ] {
        let (_scene, mut viewer) = after(change).await;
        expect(&mut viewer, "hash field", json!(null)).await;
        expect(&mut viewer, "hash", json!(null)).await;
    }
}

#[tokio::test]
async fn a_field_that_was_not_there_is_seen_when_it_is() {
    let scene = Scene::start().await;
    let mut viewer = scene.subscriber().await;
    let before = scene.reads().await;
    for _ in 0..3 {
        expect(&mut viewer, "hash field", json!(null)).await;
    }
    assert_eq!(scene.reads().await - before, 1, "that there is none is kept");
    scene.redis.hset("hash", "field", "1").await;
    scene.barrier(&mut viewer).await;
    expect(&mut viewer, "hash field", json!(1)).await;
}

#[tokio::test]
async fn a_key_of_another_type_is_seen_when_it_becomes_a_hash_and_the_other_way_round() {
    let (scene, mut viewer) = after(&["SET", "hash", "text"]).await;
    for _ in 0..2 {
        expect(&mut viewer, "hash field", json!(null)).await;
        expect(&mut viewer, "hash", json!(null)).await;
    }
    scene.redis.command(&["DEL", "hash"]).await;
    scene.redis.hset("hash", "field", "2").await;
    scene.barrier(&mut viewer).await;
    expect(&mut viewer, "hash field", json!(2)).await;
    expect(&mut viewer, "hash", json!(2)).await;
}

/// Redis then forgets the oldest of what it tracks, and says so.
#[tokio::test]
async fn a_table_at_redis_that_is_too_small_makes_nothing_old() {
    let scene = Scene::start().await;
    scene.redis.command(&["CONFIG", "SET", "tracking-table-max-keys", "1"]).await;
    let mut viewer = scene.subscriber().await;
    for round in 1..=20 {
        for key in ["a", "b", "c"] {
            scene.redis.hset(key, "field", round.to_string()).await;
        }
        scene.barrier(&mut viewer).await;
        for asked in ["a field", "b field", "c field"] {
            expect(&mut viewer, asked, json!(round)).await;
        }
    }
}

#[tokio::test]
async fn a_key_that_another_takes_the_place_of_is_seen_to_be_another() {
    for change in [
        &["COPY", "source", "hash", "REPLACE"][..],
        &["RENAME", "source", "hash"],
        &["EVAL", "redis.call('RENAME', KEYS[1], KEYS[2])", "2", "source", "hash"],
    ] {
        let scene = Scene::start().await;
        scene.redis.hset("source", "field", "2").await;
        scene.redis.hset("hash", "field", "1").await;
        let mut viewer = scene.subscriber().await;
        expect(&mut viewer, "hash field", json!(1)).await;
        scene.redis.command(change).await;
        scene.barrier(&mut viewer).await;
        expect(&mut viewer, "hash field", json!(2)).await;
    }
}
