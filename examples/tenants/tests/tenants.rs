//! A handler that is an extractor.

use redwire_test::tungstenite::client::IntoClientRequest;
use redwire_test::tungstenite::http::StatusCode;
use redwire_test::{Client, Program, RedisServer};
use serde_json::json;

#[tokio::test]
async fn an_unknown_token_is_refused_with_401_before_the_upgrade() {
    let redis = RedisServer::start().await;
    let program = Program::start(env!("CARGO_BIN_EXE_example-tenants"), &redis).await;
    assert_eq!(Client::refused(program.websocket("/ws")).await, StatusCode::UNAUTHORIZED);
    let wrong = program.websocket("/ws?token=wrong");
    assert_eq!(Client::refused(wrong).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn each_tenant_sees_its_own_channels() {
    let redis = RedisServer::start().await;
    redis.hset("red.trains", "1", "1").await;
    let program = Program::start(env!("CARGO_BIN_EXE_example-tenants"), &redis).await;
    let mut red = Client::open(&program.websocket("/ws?token=red-secret")).await;
    red.send("GET red.trains").await;
    red.expect("red.trains", json!(1)).await;
    red.send("GET blue.trains").await;
    red.expect_error("`blue.trains` is not allowed").await;

    let mut request = program.websocket("/ws").into_client_request().unwrap();
    request.headers_mut().insert("authorization", "Bearer blue-secret".parse().unwrap());
    let mut blue = Client::connect_with(request).await.unwrap();
    blue.expect("websocket", json!({"status": "open"})).await;
    blue.send("GET red.trains").await;
    blue.expect_error("`red.trains` is not allowed").await;
}
