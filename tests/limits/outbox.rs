//! What waits for a slow reader: bounded, then 1013, and nobody else notices.

use std::time::Duration;

use redwire::prelude::Limits;
use redwire_suites::{Gateway, Store};
use redwire_test::{Client, eventually};
use serde_json::json;

use crate::busy::{publish, read};
use crate::unhurried;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_again_is_dropped_after_the_closing_time() {
    let store = Store::memory();
    let limits = Limits { close: Duration::from_millis(100), ..Limits::default() };
    let gateway = Gateway::within(&store, limits).await;
    let mut beside = gateway.client().await;
    let mut slow = Client::connect_slow(&gateway.url()).await;
    slow.expect("websocket", json!({"status": "open"})).await;
    slow.subscribe("busy").await;
    publish(&store, 0..20_000).await;
    eventually("the place to be free", async || gateway.metric("redwire_connections") == 1).await;
    beside.expect_silence().await;
}

#[tokio::test]
async fn many_small_messages_reach_the_bound_on_their_number() {
    for store in Store::both().await {
        let limits = Limits { outbox_messages: 100, outbox_bytes: usize::MAX, ..unhurried() };
        let gateway = Gateway::within(&store, limits).await;
        let (mut beside, mut client) = (gateway.client().await, gateway.client().await);
        let mut slow = Client::connect_slow(&gateway.url()).await;
        slow.expect("websocket", json!({"status": "open"})).await;
        for client in [&mut client, &mut slow] {
            client.subscribe("busy").await;
        }
        for start in (0..40_000).step_by(50) {
            publish(&store, start..start + 50).await;
            read(&mut client, start..start + 50).await;
        }
        assert_eq!(gateway.metric(r#"redwire_connections_closed_total{code="1013"}"#), 1);
        slow.texts_until_close(1013).await;
        beside.expect_silence().await;
    }
}
