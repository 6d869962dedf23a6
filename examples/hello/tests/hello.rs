//! The README's program over a real socket and a real Redis.

use redwire_test::{Client, Program, RedisServer};
use serde_json::json;

#[tokio::test]
async fn hello_serves_public_channels_and_no_others() {
    let redis = RedisServer::start().await;
    redis.hset("public.trains", "42", r#"{"speed":112}"#).await;
    let hello = Program::start(env!("CARGO_BIN_EXE_example-hello"), &redis).await;
    let mut client = Client::open(&hello.websocket("/ws")).await;
    client.send("GET public.trains 42").await;
    client.expect("public.trains 42", json!({"speed": 112})).await;
    client.subscribe("public.trains").await;
    redis.publish("public.trains", r#"{"speed":113}"#).await;
    client.expect("public.trains", json!({"speed": 113})).await;
    client.send("GET private.trains").await;
    client.expect_error("`private.trains` is not allowed").await;
}

#[test]
fn hello_world_stays_within_20_lines() {
    let source = include_str!("../src/main.rs");
    let program =
        source.split("use redwire").nth(1).unwrap().split("/// A setting").next().unwrap();
    let lines = program.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= 20, "{lines} lines");
}
