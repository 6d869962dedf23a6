use redwire_test::{Client, RedisServer, eventually};
use serde_json::json;

use crate::serve;

#[tokio::test]
async fn s049_it_starts_without_redis_and_serves_when_redis_is_there() {
    let mut redis = RedisServer::reserved().await;
    let program = serve(&[], &redis).await;
    let mut client = Client::open(&program.websocket("/")).await;
    client.subscribe("trains").await;
    redis.restart().await;
    client.expect_gap().await;
    client.send("GET nokey").await;
    client.expect("nokey", json!(null)).await;
    redis.publish("trains", "7").await;
    client.expect("trains", json!(7)).await;
}

/// A `kill -9` of the program itself leaves nothing behind that a restart would trip over.
#[tokio::test]
async fn it_comes_back_on_the_same_port_after_it_was_killed() {
    let redis = RedisServer::start().await;
    let mut program = serve(&[], &redis).await;
    let mut client = Client::open(&program.websocket("/")).await;
    client.subscribe("trains").await;
    program.restart().await;
    eventually("redis to forget the subscription", async || redis.subscribers("trains").await == 0)
        .await;
    let mut client = Client::open(&program.websocket("/")).await;
    client.subscribe("trains").await;
    redis.publish("trains", "7").await;
    client.expect("trains", json!(7)).await;
}
