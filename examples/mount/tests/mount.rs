//! S052: mounted under an existing axum app.

use redwire_test::tungstenite::http::StatusCode;
use redwire_test::{Client, Program, RedisServer};

#[tokio::test]
async fn s052_the_apps_own_routes_stay_as_they_are() {
    let redis = RedisServer::start().await;
    let program = Program::start(env!("CARGO_BIN_EXE_example-mount"), &redis).await;
    assert_eq!(program.http("/health").await, (200, "ok".to_owned()));
    let mut client = Client::open(&program.websocket("/api/ws")).await;
    client.expect_silence().await;
    assert_eq!(Client::refused(program.websocket("/")).await, StatusCode::NOT_FOUND);
}
