//! Shutting down: 1012 for whoever is there, 503 for whoever comes, and an end in bounded time.

use std::time::Duration;

use redwire::prelude::Limits;
use redwire_suites::{Gateway, Store};
use redwire_test::{Client, PATIENCE};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::unhurried;

const REASON: &str = "server restarts, come back soon";

fn start_drain(gateway: &Gateway) -> JoinHandle<()> {
    let api = gateway.api.clone();
    tokio::spawn(async move { api.drain(Duration::ZERO).await })
}

async fn expect_end(drain: JoinHandle<()>) {
    timeout(PATIENCE, drain).await.expect("the drain to return").expect("no panic");
}

#[tokio::test]
async fn a_drain_closes_with_1012_turns_new_ones_away_and_returns_when_all_have_gone() {
    for store in Store::both().await {
        let gateway = Gateway::within(&store, unhurried()).await;
        let (mut one, mut two) = (gateway.client().await, gateway.client().await);
        two.subscribe("h1").await;
        let drain = start_drain(&gateway);
        assert_eq!(one.expect_close(1012).await, REASON);
        assert!(!gateway.api.is_ready());
        // The second one has not answered, so the drain is still under way.
        assert_eq!(Client::refused(gateway.url().as_str()).await, 503);
        assert!(!drain.is_finished());
        assert_eq!(two.expect_close(1012).await, REASON);
        one.close().await;
        two.close().await;
        expect_end(drain).await;
        assert_eq!(Client::refused(gateway.url().as_str()).await, 503);
        assert_eq!(gateway.metric(r#"redwire_connections_closed_total{code="1012"}"#), 2);
    }
}

#[tokio::test]
async fn what_was_sent_before_the_drain_arrives_before_its_close_frame() {
    let store = Store::memory();
    let gateway = Gateway::on(&store).await;
    let mut client = gateway.client().await;
    client.subscribe("h1").await;
    store.publish("h1", "1").await;
    redwire_test::eventually("delivery", async || gateway.metric("redwire_deliveries_total") == 1)
        .await;
    let drain = start_drain(&gateway);
    client.expect("h1", serde_json::json!(1)).await;
    assert_eq!(client.expect_close(1012).await, REASON);
    client.close().await;
    expect_end(drain).await;
}

#[tokio::test]
async fn a_client_that_never_answers_delays_a_drain_by_the_closing_time_at_most() {
    let limits = Limits { close: Duration::from_millis(100), ..Limits::default() };
    let gateway = Gateway::within(&Store::memory(), limits).await;
    let mut silent = gateway.client().await;
    expect_end(start_drain(&gateway)).await;
    assert_eq!(silent.expect_close(1012).await, REASON);
}

#[tokio::test]
async fn a_drain_of_nobody_returns_and_so_do_two_at_once() {
    let gateway = Gateway::on(&Store::memory()).await;
    expect_end(start_drain(&gateway)).await;

    let limits = Limits { close: Duration::from_millis(100), ..Limits::default() };
    let gateway = Gateway::within(&Store::memory(), limits).await;
    let mut client = gateway.client().await;
    let (one, two) = (start_drain(&gateway), start_drain(&gateway));
    assert_eq!(client.expect_close(1012).await, REASON);
    client.close().await;
    expect_end(one).await;
    expect_end(two).await;
}
