//! Connections that come and go leave nothing behind.

use redwire_suites::{Gateway, Store};
use redwire_test::{Client, Reply, eventually};
use serde_json::json;

use crate::crowd::{VIEWERS, all, check_file_limit};

/// Numbers below `below` that look random, the same in every run.
fn dice(seed: usize) -> impl FnMut(usize) -> usize + Send {
    let mut state = seed as u64;
    move |below| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    }
}

const CHANNELS: usize = 20;

/// Joins and leaves channels; then says goodbye, or just goes with commands on their way.
async fn wander(viewer: usize, url: String) {
    let mut roll = dice(viewer);
    let mut client = Client::open(&url).await;
    for _ in 0..20 {
        let command = if roll(3) == 0 { "DEL" } else { "SUB" };
        client.send(format!("{command} channel{}", roll(CHANNELS))).await;
    }
    if viewer.is_multiple_of(2) {
        client.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_come_and_go_leave_no_subscription_behind() {
    check_file_limit();
    for store in Store::both().await {
        let gateway = Gateway::on(&store).await;
        let url = gateway.url();
        all(|viewer| wander(viewer, url.clone())).await;
        eventually("all connections to end", async || gateway.metric("redwire_connections") == 0)
            .await;
        assert_eq!(gateway.metric("redwire_connections_opened_total"), VIEWERS as u64);
        if let Store::Redis(redis) = &store {
            eventually("all subscriptions to end", async || {
                let channels = redis.command(&["PUBSUB", "CHANNELS"]).await;
                channels == Reply::Array(Some(Vec::new()))
            })
            .await;
        }
        // Of what is published now, only what has a subscriber is received.
        let mut client = gateway.client().await;
        client.subscribe("last").await;
        for channel in 0..CHANNELS {
            store.publish(&format!("channel{channel}"), "1").await;
        }
        store.publish("last", "2").await;
        client.expect("last", json!(2)).await;
        assert_eq!(gateway.metric("redwire_messages_total"), 1);
    }
}
