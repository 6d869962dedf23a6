//! S053: a command of one's own, and a stack without `SUB`.

use redwire_test::{Client, Program, RedisServer};
use serde_json::json;

#[tokio::test]
async fn s053_own_command_answers_and_a_missing_one_is_unknown() {
    let redis = RedisServer::start().await;
    let program = Program::start(env!("CARGO_BIN_EXE_example-custom-command"), &redis).await;
    let mut client = Client::open(&program.websocket("/ws")).await;
    client.send("ECHO hi there").await;
    client.expect("websocket", json!("hi there")).await;
    client.send("ECHO").await;
    client.expect_error("argument `words` is missing: ECHO words...").await;
    client.send("SUB h1").await;
    client.expect_error("unknown command `SUB`").await;
    assert_eq!(redis.publish("h1", "1").await, 0);
    client.expect_silence().await;
}

#[tokio::test]
async fn every_connection_counts_for_itself() {
    let redis = RedisServer::start().await;
    let program = Program::start(env!("CARGO_BIN_EXE_example-custom-command"), &redis).await;
    let mut one = Client::open(&program.websocket("/ws")).await;
    let mut two = Client::open(&program.websocket("/ws")).await;
    one.send("ECHO a").await;
    one.expect("websocket", json!("a")).await;
    one.send("COUNT").await;
    one.expect("websocket", json!(1)).await;
    two.send("COUNT").await;
    two.expect("websocket", json!(0)).await;
}
