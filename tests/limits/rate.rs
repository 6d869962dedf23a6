//! Commands a second: a burst of that many is carried out, a flood ends in 1008.

use std::time::Duration;

use redwire::prelude::Limits;
use redwire_suites::{Gateway, Store};
use redwire_test::{Reply, eventually};

use crate::unhurried;

const FLOOD: usize = 100_000;

fn subscriptions() -> impl Iterator<Item = String> {
    (0..FLOOD).map(|i| format!("SUB c{i}"))
}

async fn channels_at_redis(store: &Store) -> usize {
    match store.as_redis().command(&["PUBSUB", "CHANNELS"]).await {
        Reply::Array(Some(channels)) => channels.len(),
        reply => panic!("PUBSUB CHANNELS answered {reply:?}"),
    }
}

#[tokio::test]
async fn a_burst_of_a_thousand_commands_is_carried_out() {
    let gateway = Gateway::on(&Store::memory()).await;
    let mut client = gateway.client().await;
    client.send_all((0..1_000).map(|_| "PING".to_owned())).await;
    for _ in 0..1_000 {
        assert!(client.next_text().await.contains(r#""content":"PONG""#));
    }
}

#[tokio::test]
async fn a_hundred_thousand_subs_end_in_128_subscriptions_error_frames_and_1008() {
    let store = Store::redis().await;
    let gateway = Gateway::within(&store, unhurried()).await;
    let (mut beside, mut client) = (gateway.client().await, gateway.client().await);
    tokio::join!(client.send_all(subscriptions()), async {
        for _ in 0..20 {
            beside.expect_silence().await;
        }
    });
    let (errors, reason) = client.texts_until_close(1008).await;
    assert_eq!(reason, "too many commands a second");
    for error in &errors {
        assert!(error.contains("goes beyond the limit of 128 subscriptions"), "{error}");
    }
    let carried_out = gateway.metric("redwire_commands_total") as usize - 20;
    assert_eq!(errors.len(), carried_out - 128);
    assert!((1_000..FLOOD).contains(&carried_out), "{carried_out} commands were carried out");
    client.close().await;
    eventually("Redis to be left", async || channels_at_redis(&store).await == 0).await;
    beside.expect_silence().await;
}

#[tokio::test]
async fn with_a_raised_rate_a_hundred_thousand_subs_are_refused_one_by_one() {
    let store = Store::redis().await;
    let limits = Limits { commands_per_second: u32::MAX, ..unhurried() };
    let gateway = Gateway::within(&store, limits).await;
    let (mut beside, mut client) = (gateway.client().await, gateway.client().await);
    let mut subscriptions = subscriptions();
    client.send_all(subscriptions.by_ref().take(128)).await;
    client.expect_silence().await;
    // In parts, because who sends without ever reading waits for itself.
    for part in 0..(FLOOD - 128).div_ceil(1_000) {
        let lines: Vec<_> = subscriptions.by_ref().take(1_000).collect();
        let count = lines.len();
        client.send_all(lines).await;
        for _ in 0..count {
            let frame = client.next_text().await;
            assert!(frame.contains("beyond the limit of 128 subscriptions"), "{part}: {frame}");
        }
    }
    client.expect_silence().await;
    assert_eq!(channels_at_redis(&store).await, 128);
    beside.expect_silence().await;
}

#[tokio::test]
async fn a_flood_of_ping_commands_ends_in_1008() {
    let gateway = Gateway::within(&Store::memory(), unhurried()).await;
    let (mut beside, mut client) = (gateway.client().await, gateway.client().await);
    client.send_all((0..FLOOD).map(|_| "PING".to_owned())).await;
    let (pongs, _) = client.texts_until_close(1008).await;
    assert!((1_000..FLOOD).contains(&pongs.len()), "{} were answered", pongs.len());
    beside.expect_silence().await;
}

#[tokio::test]
async fn who_goes_on_after_the_close_frame_is_hung_up_on() {
    let limits = Limits { close: Duration::from_millis(100), ..Limits::default() };
    let gateway = Gateway::within(&Store::memory(), limits).await;
    let (mut beside, mut client) = (gateway.client().await, gateway.client().await);
    client.send_until_hung_up(&[0x89, 0x80, 0, 0, 0, 0].repeat(FLOOD)).await;
    assert_eq!(gateway.metric(r#"redwire_connections_closed_total{code="1008"}"#), 1);
    beside.expect_silence().await;
}

#[tokio::test]
async fn frames_that_are_no_commands_count_too() {
    let gateway = Gateway::within(&Store::memory(), unhurried()).await;
    let mut beside = gateway.client().await;
    // Final, masked, empty frames: ping, unasked pong, binary.
    for opcode in [0x89, 0x8a, 0x82] {
        let mut client = gateway.client().await;
        client.send_raw(&[opcode, 0x80, 0, 0, 0, 0].repeat(FLOOD)).await;
        assert_eq!(client.expect_close(1008).await, "too many commands a second", "{opcode:x}");
        beside.expect_silence().await;
    }
}
