//! S054: filters of one's own in the chain.

use redwire_test::{Client, Program, RedisServer};
use serde_json::json;

#[tokio::test]
async fn s054_hidden_messages_are_not_delivered() {
    let redis = RedisServer::start().await;
    let program = Program::start(env!("CARGO_BIN_EXE_example-custom-filter"), &redis).await;
    let mut client = Client::open(&program.websocket("/ws")).await;
    client.subscribe("h1").await;
    redis.publish("h1", r#"{"hidden":true}"#).await;
    redis.publish("h1", r#"{"v":1}"#).await;
    client.expect("h1", json!({"v": 1})).await;
}

#[tokio::test]
async fn the_drivers_name_is_removed_from_pushes_and_replies() {
    let redis = RedisServer::start().await;
    redis.hset("h1", "a", r#"{"driver":"Ada","v":2}"#).await;
    let program = Program::start(env!("CARGO_BIN_EXE_example-custom-filter"), &redis).await;
    let mut client = Client::open(&program.websocket("/ws")).await;
    client.send("GET h1 a").await;
    client.expect("h1 a", json!({"v": 2})).await;
    client.subscribe("h1").await;
    redis.publish("h1", r#"{"driver":"Ada","v":3}"#).await;
    client.expect("h1", json!({"v": 3})).await;
}
