//! The size of one incoming message: 64 KiB, then 1009.

use redwire_suites::{Gateway, Store};
use serde_json::json;

use crate::unhurried;

/// A `PING` of exactly so many bytes.
fn ping_of(bytes: usize) -> String {
    format!("PING {}", "x".repeat(bytes - "PING ".len()))
}

#[tokio::test]
async fn a_message_of_64_kib_is_carried_out_and_one_byte_more_closes_with_1009() {
    let gateway = Gateway::on(&Store::memory()).await;
    let (mut beside, mut client) = (gateway.client().await, gateway.client().await);
    client.send(ping_of(65_536)).await;
    client.expect("websocket", json!("PONG")).await;
    client.send(ping_of(65_537)).await;
    assert_eq!(client.expect_close(1009).await, "message too large");
    beside.expect_silence().await;
}

#[tokio::test]
async fn a_large_binary_frame_is_no_exception() {
    let gateway = Gateway::on(&Store::memory()).await;
    let (mut beside, mut client) = (gateway.client().await, gateway.client().await);
    client.send_binary(vec![0; 65_537]).await;
    client.expect_close(1009).await;
    beside.expect_silence().await;
}

#[tokio::test]
async fn the_reason_arrives_also_after_a_message_far_larger_than_all_buffers() {
    let gateway = Gateway::within(&Store::memory(), unhurried()).await;
    let (mut beside, mut client) = (gateway.client().await, gateway.client().await);
    client.send(ping_of(64 << 20)).await;
    assert_eq!(client.expect_close(1009).await, "message too large");
    beside.expect_silence().await;
}

#[tokio::test]
async fn a_frame_that_only_declares_its_size_closes_with_1009_before_a_byte_of_it_has_come() {
    let gateway = Gateway::on(&Store::memory()).await;
    let mut beside = gateway.client().await;
    // Were memory taken for it, the larger ones would abort this process.
    for declared in [65_537, 1 << 32, (1 << 63) - 1, u64::MAX] {
        let mut client = gateway.client().await;
        client.send_raw(&[0x81, 0xff]).await; // a final masked text frame with a 64-bit length
        client.send_raw(&declared.to_be_bytes()).await;
        client.send_raw(&[0; 4]).await; // the mask
        assert_eq!(client.expect_close(1009).await, "message too large", "{declared}");
        beside.expect_silence().await;
    }
}
