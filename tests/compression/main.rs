//! permessage-deflate (RFC 7692): who agrees upon it, what it is used for, and what it may cost.

use redwire::prelude::*;
use redwire_suites::{Browser, Gateway, Screen, Store};
use redwire_test::Client;
use serde_json::{Value, json};

use raw::{Raw, deflate};

mod raw;

/// What Chromium offers.
const OFFER: &str = "permessage-deflate; client_max_window_bits";

const AGREED: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

async fn gateway(store: &Store) -> Gateway {
    let protocol = Protocol::new().with(Keys).with(Subscriptions).with(Ping);
    Gateway::serving(protocol, store, Limits::default(), WebsocketApi::compression).await
}

/// A message of a few hundred bytes that a deflater likes.
fn trains() -> Value {
    (0..20).map(|train| json!({"line": format!("S{train}"), "delay": 60 * train})).collect()
}

#[tokio::test]
async fn it_is_off_unless_the_server_asks_for_it() {
    let store = Store::memory();
    let gateway = Gateway::on(&store).await;
    let mut viewer = Raw::viewer(&gateway, OFFER, "trains").await;
    assert_eq!(viewer.answer, None);
    store.publish("trains", trains().to_string()).await;
    let text = viewer.text().await;
    assert!(!text.is_compressed);
    assert_eq!(text.content, trains());
}

#[tokio::test]
async fn who_offers_it_gets_what_is_published_compressed_and_others_get_it_plain() {
    for store in Store::both().await {
        let gateway = gateway(&store).await;
        let mut plain = gateway.client().await;
        plain.subscribe("trains").await;
        let mut viewers = Vec::new();
        for (offer, answer) in [
            (OFFER, Some(AGREED.to_owned())),
            (
                "permessage-deflate; server_max_window_bits=9",
                Some(format!("{AGREED}; server_max_window_bits=9")),
            ),
            (
                "permessage-deflate; server_max_window_bits=8, permessage-deflate",
                Some(AGREED.to_owned()),
            ),
            ("permessage-deflate; server_max_window_bits=8", None),
            ("x-webkit-deflate-frame", None),
        ] {
            let viewer = Raw::viewer(&gateway, offer, "trains").await;
            assert_eq!(viewer.answer, answer, "{offer}");
            viewers.push(viewer);
        }
        store.publish("trains", trains().to_string()).await;
        plain.expect("trains", trains()).await;
        for mut viewer in viewers {
            let text = viewer.text().await;
            assert_eq!(text.content, trains());
            assert_eq!(text.is_compressed, viewer.answer.is_some());
            let is_smaller = text.wire_len < trains().to_string().len() / 2;
            assert_eq!(is_smaller, text.is_compressed, "{text:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_compressed_once_for_all_who_asked_for_the_same_window() {
    let store = Store::memory();
    let gateway = gateway(&store).await;
    let mut viewers = Vec::new();
    for viewer in 0..60 {
        let offer = match viewer % 3 {
            0 => "permessage-deflate; server_max_window_bits=10",
            _ => OFFER,
        };
        viewers.push(Raw::viewer(&gateway, offer, "trains").await);
    }
    let compressed = || gateway.metric("redwire_frames_deflated_total");
    let before = compressed();
    for _ in 0..5 {
        store.publish("trains", trains().to_string()).await;
    }
    for viewer in &mut viewers {
        for _ in 0..5 {
            let text = viewer.text().await;
            assert!(text.is_compressed && text.content == trains(), "{text:?}");
        }
    }
    assert_eq!(compressed() - before, 5 * 2);
}

#[tokio::test]
async fn replies_are_compressed_and_what_is_short_is_not() {
    for store in Store::both().await {
        store.hset("trains", "all", trains().to_string()).await;
        let gateway = gateway(&store).await;
        let mut client = Raw::offering(&gateway, OFFER).await;
        client.send(0x81, b"GET trains all").await;
        let reply = client.text().await;
        assert!(reply.is_compressed && reply.content == trains(), "{reply:?}");
        client.send(0x81, b"GET trains none").await;
        let reply = client.text().await;
        assert!(!reply.is_compressed && reply.content.is_null(), "{reply:?}");
    }
}

#[tokio::test]
async fn commands_may_be_compressed_or_not_and_come_in_parts() {
    let gateway = gateway(&Store::memory()).await;
    let mut client = Raw::offering(&gateway, OFFER).await;
    let ping = deflate(b"PING");
    client.send(0xc1, &ping).await;
    assert_eq!(client.text().await.content, "PONG");
    client.send(0x41, &ping[..2]).await;
    client.send(0x00, &ping[2..3]).await;
    client.send(0x80, &ping[3..]).await;
    assert_eq!(client.text().await.content, "PONG");
    client.expect_pong().await;
}

#[tokio::test]
async fn a_message_that_swells_beyond_the_limit_closes_with_1009_and_nobody_else_notices() {
    let gateway = gateway(&Store::memory()).await;
    let mut beside = gateway.client().await;
    let most = Limits::default().message_bytes;
    let mut client = Raw::offering(&gateway, OFFER).await;
    client.send(0xc1, &deflate(format!("PING {}", " ".repeat(most - 5)).as_bytes())).await;
    assert_eq!(client.text().await.content, "PONG");
    for bytes in [most + 1, 30 << 20] {
        let bomb = deflate(&vec![b' '; bytes]);
        assert!(bomb.len() < Limits::default().message_bytes);
        let mut client = Raw::offering(&gateway, OFFER).await;
        client.send(0xc1, &bomb).await;
        assert_eq!(client.closed().await, (1009, "message too large".to_owned()));
        beside.expect_silence().await;
    }
}

#[tokio::test]
async fn what_does_not_decompress_closes_with_1007_and_nobody_else_notices() {
    let gateway = gateway(&Store::memory()).await;
    let mut beside = gateway.client().await;
    for (payload, reason) in [
        (vec![0xff; 20], "compressed data is broken"),
        (vec![0x00, 0x05, 0x00, 0x00, 0x00, b'P'], "compressed data is broken"),
        (deflate(b"PING \xff"), "text is not UTF-8"),
    ] {
        let mut client = Raw::offering(&gateway, OFFER).await;
        client.send(0xc1, &payload).await;
        assert_eq!(client.closed().await, (1007, reason.to_owned()), "{payload:x?}");
        beside.expect_silence().await;
    }
}

#[tokio::test]
async fn the_bit_that_says_so_closes_with_1002_where_it_may_not_be() {
    let gateway = gateway(&Store::memory()).await;
    let mut beside = gateway.client().await;
    let ping = deflate(b"PING");
    let no_agreement = "permessage-deflate; server_max_window_bits=8";
    for (name, offer, frames) in [
        ("without agreement", no_agreement, vec![(0xc1, &ping[..])]),
        ("on a ping", OFFER, vec![(0xc9, &b""[..])]),
        ("on a later frame", OFFER, vec![(0x41, &ping[..2]), (0xc0, &ping[2..])]),
        ("another bit", OFFER, vec![(0xa1, &ping[..])]),
    ] {
        let mut client = Raw::offering(&gateway, offer).await;
        for (first, payload) in frames {
            client.send(first, payload).await;
        }
        assert_eq!(client.closed().await, (1002, "broken frames".to_owned()), "{name}");
        beside.expect_silence().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_agrees_upon_it_and_reads_what_comes() {
    let store = Store::redis().await;
    store.hset("trains", "all", trains().to_string()).await;
    let gateway = gateway(&store).await;
    // Any page of the same host: this one says that a WebSocket was expected.
    let page = format!("http://{}/", gateway.address());
    let browser = Browser::open(&page, Screen::Desk).await;
    let script = format!(
        "const done = arguments[arguments.length - 1];
         const socket = new WebSocket('{}');
         socket.onopen = () => socket.send('GET trains all ' + 'x'.repeat(1000));
         socket.onmessage = ({{ data }}) => {{
             const {{ source, content, client_reference }} = JSON.parse(data);
             if (source === 'trains all') done([socket.extensions, content, client_reference.length]);
         }};
         socket.onclose = ({{ code, reason }}) => done([code, reason]);",
        gateway.url()
    );
    assert_eq!(browser.run_async(&script).await, json!([AGREED, trains(), 1000]));
    assert!(gateway.metric("redwire_frames_deflated_total") > 0);
    browser.close().await;
}

#[tokio::test]
async fn a_client_without_it_is_served_as_ever() {
    let store = Store::memory();
    let gateway = gateway(&store).await;
    let mut client: Client = gateway.client().await;
    client.subscribe("trains").await;
    store.publish("trains", trains().to_string()).await;
    client.expect("trains", trains()).await;
    assert_eq!(gateway.metric("redwire_frames_deflated_total"), 0);
}
