//! What is not read again.

use std::time::{Duration, Instant};

use redwire::prelude::*;
use redwire_test::{RedisServer, Reply};
use serde_json::json;
use tokio::task::JoinSet;

use crate::scene::{Scene, expect};

const VIEWERS: usize = 100;
const EACH: usize = 100;

/// Values are read anew after this, however little happens.
const AGE: Duration = Duration::from_secs(5);

/// Ten thousand, some of them together and some one after the other.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_gets_of_one_key_are_one_read() {
    let scene = Scene::start().await;
    scene.redis.hset("hash", "field", "7").await;
    let before = scene.reads().await;
    let began = Instant::now();
    let mut viewers = JoinSet::new();
    for viewer in 0..VIEWERS {
        let url = scene.gateway.url();
        viewers.spawn(async move {
            let mut client = redwire_test::Client::open(&url).await;
            if viewer % 2 == 0 {
                client.send_all((0..EACH).map(|_| "GET hash field".to_owned())).await;
                for _ in 0..EACH {
                    client.expect("hash field", json!(7)).await;
                }
            } else {
                for _ in 0..EACH {
                    expect(&mut client, "hash field", json!(7)).await;
                }
            }
        });
    }
    viewers.join_all().await;
    let ages = began.elapsed().as_secs() / AGE.as_secs();
    let reads = scene.reads().await - before;
    assert!((1..=1 + ages).contains(&reads), "{reads} reads in {:?}", began.elapsed());
}

#[tokio::test]
async fn fields_and_all_values_are_kept_each_for_itself() {
    let scene = Scene::start().await;
    scene.redis.hset("hash", "one", "1").await;
    scene.redis.hset("hash", "two", "2").await;
    let before = scene.reads().await;
    for _ in 0..3 {
        assert_eq!(scene.backend.hget("hash", "one").await.unwrap().unwrap(), "1");
        assert_eq!(scene.backend.hget("hash", "two").await.unwrap().unwrap(), "2");
        assert_eq!(scene.backend.hvals("hash").await.unwrap(), ["1", "2"]);
        assert_eq!(scene.backend.hvals("nothing").await.unwrap(), Vec::<&str>::new());
    }
    assert_eq!(scene.reads().await - before, 4);
}

#[tokio::test]
async fn what_is_too_large_is_read_each_time() {
    let scene = Scene::start().await;
    scene.redis.hset("hash", "field", "x".repeat(2 << 20)).await;
    let before = scene.reads().await;
    for _ in 0..3 {
        assert_eq!(scene.backend.hget("hash", "field").await.unwrap().unwrap().len(), 2 << 20);
    }
    assert_eq!(scene.reads().await - before, 3);
}

/// A clone that was made before has none.
#[tokio::test]
async fn without_a_cache_everything_is_read() {
    let scene = Scene::start().await;
    let plain = RedisBackend::connect(&scene.redis.url()).await.unwrap().cached(0);
    let _cached = plain.clone().cached(8 << 20);
    let before = scene.reads().await;
    for _ in 0..3 {
        plain.hget("hash", "field").await.unwrap();
    }
    assert_eq!(scene.reads().await - before, 3);
}

/// Two caches over the same connections do not take each other's word away.
#[tokio::test]
async fn each_of_two_caches_over_the_same_connections_hears_of_changes() {
    let scene = Scene::start().await;
    let other = scene.backend.clone().cached(8 << 20);
    let mut viewer = scene.subscriber().await;
    for value in ["1", "2", "3"] {
        scene.redis.hset("hash", "field", value).await;
        scene.barrier(&mut viewer).await;
        for backend in [&scene.backend, &other] {
            assert_eq!(backend.hget("hash", "field").await.unwrap().unwrap(), value);
        }
    }
}

#[tokio::test]
async fn a_user_who_may_not_have_reads_tracked_reads_each_time() {
    let redis = RedisServer::start().await;
    let rules = ["reset", "on", ">pw", "~*", "&*", "+@all", "-client"];
    let user = [&["ACL", "SETUSER", "ann"], &rules[..]].concat();
    assert_eq!(redis.command(&user).await, Reply::Simple("OK".to_owned()));
    let url = format!("redis://ann:pw@127.0.0.1:{}", redis.port());
    let backend = RedisBackend::connect(&url).await.unwrap().cached(8 << 20);
    let scene = Scene::on(redis, backend).await;
    let mut viewer = scene.subscriber().await;
    for value in 1..=20 {
        scene.redis.hset("hash", "field", value.to_string()).await;
        expect(&mut viewer, "hash field", json!(value)).await;
    }
    assert_eq!(scene.reads().await, 20);
}
