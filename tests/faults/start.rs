//! S048 and S049: the same socket before and after.

use redwire_suites::{Gateway, Store};
use redwire_test::{RedisServer, eventually};
use serde_json::json;

use crate::scene::{CHANNEL, NOT_CONNECTED, Scene, expect_gap, now};

#[tokio::test(flavor = "multi_thread")]
async fn s048_the_same_socket_gets_messages_after_redis_was_restarted() {
    let mut scene = Scene::with_subscribers(1).await;
    let last_heard = scene.expect_flow().await;
    scene.redis.kill().await;
    let since = last_heard..=now();
    scene.redis.restart().await;
    expect_gap(&mut scene.subscribers[0], &since).await;
    scene.expect_flow().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s049_a_gateway_that_was_started_before_redis_serves_when_redis_is_there() {
    let begin = now();
    let mut store = Store::Redis(RedisServer::reserved().await);
    let gateway = Gateway::on(&store).await;
    let started = now();
    let mut client = gateway.client().await;
    client.send("GET nokey").await;
    client.expect_error(NOT_CONNECTED).await;
    client.subscribe(CHANNEL).await;
    assert!(!gateway.api.is_ready());

    if let Store::Redis(redis) = &mut store {
        redis.restart().await;
    }
    eventually("the gateway to be ready", async || gateway.api.is_ready()).await;
    expect_gap(&mut client, &(begin..=started)).await;
    client.send("GET nokey").await;
    client.expect("nokey", json!(null)).await;
    store.publish(CHANNEL, "7").await;
    client.expect(CHANNEL, json!(7)).await;
}
