//! When keeping begins.

use redwire::prelude::*;
use redwire_test::{RedisServer, eventually};

use crate::scene::Scene;

/// As while it loads what it had saved: it takes connections and subscriptions, and refuses to read.
#[tokio::test]
async fn reads_are_kept_once_a_redis_that_was_not_ready_is() {
    let args = ["--replica-serve-stale-data", "no", "--replicaof", "127.0.0.1 1"];
    let redis = RedisServer::start_with(&args).await;
    let backend = RedisBackend::connect(&redis.url()).await.unwrap().cached(8 << 20);
    let scene = Scene::on(redis, backend).await;
    eventually("a key to be told to Redis", async || {
        let statistics = scene.redis.command(&["INFO", "commandstats"]).await;
        String::from_utf8_lossy(statistics.as_bytes().unwrap()).contains("cmdstat_exists")
    })
    .await;
    scene.redis.command(&["REPLICAOF", "NO", "ONE"]).await;
    scene.until_kept().await;
}
