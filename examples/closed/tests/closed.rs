//! S051: a handler that allows no channel.

use redwire_test::{Client, Program, RedisServer};

#[tokio::test]
async fn s051_nothing_is_allowed_by_default() {
    let redis = RedisServer::start().await;
    redis.hset("h1", "a", "1").await;
    let closed = Program::start(env!("CARGO_BIN_EXE_example-closed"), &redis).await;
    let mut client = Client::open(&closed.websocket("/ws")).await;
    client.send("GET h1").await;
    client.expect_error("`h1` is not allowed").await;
    client.send("SUB h1").await;
    client.expect_error("`h1` is not allowed").await;
    assert_eq!(redis.publish("h1", "1").await, 0, "nobody has subscribed at Redis");
    client.expect_silence().await;
}
