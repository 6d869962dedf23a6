//! The connection itself: S001 to S004, S024, S025, S035, S046, S047, and S056's siblings.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redwire::prelude::Limits;
use redwire_suites::{Gateway, Store};
use redwire_test::Client;
use serde_json::{Value, json};

#[tokio::test]
async fn s001_every_path_greets_with_four_keys_in_order() {
    for store in Store::both().await {
        let gateway = Gateway::on(&store).await;
        for path in ["/", "/ws", "/any/path"] {
            let mut client = Client::connect(&format!("ws://{}{path}", gateway.address())).await;
            let greeting: Value = serde_json::from_str(&client.next_text().await).unwrap();
            let keys: Vec<_> = greeting.as_object().unwrap().keys().cloned().collect();
            assert_eq!(keys, ["source", "content", "timestamp", "client_reference"]);
            assert_eq!(greeting["source"], "websocket");
            assert_eq!(greeting["content"], json!({"status": "open"}));
            assert_eq!(greeting["client_reference"], Value::Null);
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
            assert!((greeting["timestamp"].as_i64().unwrap() - now).abs() < 2000);
        }
    }
}

#[tokio::test]
async fn s002_s003_s004_s025_ping_is_answered_whatever_surrounds_it() {
    for store in Store::both().await {
        let mut client = Gateway::on(&store).await.client().await;
        for line in [
            "PING",           // S002
            "PING a b",       // S003
            "  PING  ",       // S004
            "PING\nGET h1 a", // S025
            "\u{a0}PING\u{2003}a\u{1c}b\r\n",
        ] {
            client.send(line).await;
            client.expect("websocket", json!("PONG")).await;
            client.expect_silence().await;
        }
    }
}

#[tokio::test]
async fn s024_pipelined_commands_are_answered_in_order() {
    for store in Store::both().await {
        let mut client = Gateway::on(&store).await.client().await;
        for i in 0..100 {
            client.send(format!("GET nokey{i} client_ref={i}")).await;
        }
        for i in 0..100 {
            let (source, reference) = (format!("nokey{i}"), i.to_string());
            client.expect_referenced(&source, json!(null), reference.as_str()).await;
        }
    }
}

#[tokio::test]
async fn s035_binary_frames_are_ignored() {
    for store in Store::both().await {
        let mut client = Gateway::on(&store).await.client().await;
        client.send_binary(*b"PING").await;
        client.expect_silence().await;
    }
}

#[tokio::test]
async fn s046_a_connection_is_closed_at_its_maximum_age_whatever_it_does() {
    let limits = Limits { max_age: Some(Duration::from_millis(300)), ..Limits::default() };
    for store in Store::both().await {
        let mut client = Gateway::within(&store, limits.clone()).await.client().await;
        let opened = std::time::Instant::now();
        client.send("PING").await;
        client.expect("websocket", json!("PONG")).await;
        let reason = client.expect_close(1001).await;
        assert_eq!(reason, "connection reached its maximum age");
        assert!(opened.elapsed() >= Duration::from_millis(250));
    }
}

#[tokio::test]
async fn s047_an_idle_client_that_answers_pings_stays() {
    let (ping, pong) = (Duration::from_millis(100), Duration::from_millis(400));
    let limits = Limits { ping, pong, ..Limits::default() };
    for store in Store::both().await {
        let gateway = Gateway::within(&store, limits.clone()).await;
        let mut client = gateway.client().await;
        // Ten intervals are longer than ping and pong together: only the client's pongs keep it.
        client.answer_pings(10).await;
        client.expect_silence().await;
    }
}

#[tokio::test]
async fn a_client_that_does_not_answer_pings_is_closed() {
    let (ping, pong) = (Duration::from_millis(50), Duration::from_millis(100));
    let limits = Limits { ping, pong, ..Limits::default() };
    let store = Store::memory();
    let gateway = Gateway::within(&store, limits).await;
    // The client library answers pings only while it is polled.
    let mut client = gateway.client().await;
    redwire_test::eventually("the close to be counted", async || {
        gateway.api.metrics().contains(r#"redwire_connections_closed_total{code="1001"} 1"#)
    })
    .await;
    let reason = client.expect_close(1001).await;
    assert_eq!(reason, "no answer to ping");
}

#[tokio::test]
async fn odd_durations_are_no_reason_to_fail() {
    let limits = Limits {
        ping: Duration::ZERO,
        pong: Duration::MAX,
        max_age: Some(Duration::MAX),
        ..Limits::default()
    };
    let store = Store::memory();
    let mut client = Gateway::within(&store, limits).await.client().await;
    client.answer_pings(3).await;

    let limits = Limits { ping: Duration::MAX, pong: Duration::MAX, ..Limits::default() };
    let mut client = Gateway::within(&store, limits).await.client().await;
    client.expect_silence().await;
}
