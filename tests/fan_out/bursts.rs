//! What is published at one go is handed out at one go, and nobody can tell.

use redwire::prelude::*;
use redwire_suites::{Gateway, Store};
use redwire_test::Client;
use serde_json::{Value, json};

use crate::only::Only;

/// Three in one channel, three in the other, and so on; every second one is of line S1.
fn burst() -> Vec<(&'static str, Value)> {
    let channel = |number| if number / 3 % 2 == 0 { "trains" } else { "buses" };
    let line = |number: u32| if number.is_multiple_of(2) { "S1" } else { "S2" };
    (0..500).map(|number| (channel(number), json!({"line": line(number), "at": number}))).collect()
}

async fn publish(store: &Store, burst: &[(&'static str, Value)]) {
    store.burst(burst.iter().map(|(channel, content)| (*channel, content.to_string()))).await;
}

async fn viewer(gateway: &Gateway, line: Option<&str>, channels: &[&str]) -> Client {
    let mut viewer = gateway.client().await;
    if let Some(line) = line {
        viewer.send(format!("ONLY {line}")).await;
    }
    for channel in channels {
        viewer.subscribe(channel).await;
    }
    viewer
}

#[tokio::test]
async fn everybody_gets_what_is_for_them_in_the_order_in_which_it_was_published() {
    for store in Store::both().await {
        let protocol = Protocol::new().with(Subscriptions).with(Ping).with(Only::default());
        let gateway = Gateway::serving(protocol, &store, Limits::default(), |api| api).await;
        let wishes: [(_, &[&str]); 5] = [
            (None, &["trains", "buses"]),
            (None, &["buses"]),
            (Some("S1"), &["trains", "buses"]),
            (Some("S2"), &["trains"]),
            (Some("S3"), &["trains", "buses"]),
        ];
        let mut viewers = Vec::new();
        for (line, channels) in wishes {
            viewers.push((line, channels, viewer(&gateway, line, channels).await));
        }
        let burst = burst();
        for _ in 0..3 {
            publish(&store, &burst).await;
        }
        let rounds = [&burst, &burst, &burst].into_iter().flatten();
        for (line, channels, viewer) in &mut viewers {
            let is_wanted = |content: &Value| line.is_none_or(|line| content["line"] == line);
            for (channel, content) in rounds.clone() {
                if channels.contains(channel) && is_wanted(content) {
                    viewer.expect(channel, content.clone()).await;
                }
            }
            viewer.expect_silence().await;
        }
    }
}

#[tokio::test]
async fn a_burst_that_is_larger_than_an_outbox_closes_nobody_who_reads() {
    for store in Store::both().await {
        let limits = Limits { outbox_messages: 4, outbox_bytes: 1_000, ..Limits::default() };
        let gateway = Gateway::within(&store, limits).await;
        let mut viewer = viewer(&gateway, None, &["trains", "buses"]).await;
        let burst = burst();
        publish(&store, &burst).await;
        for (channel, content) in &burst {
            viewer.expect(channel, content.clone()).await;
        }
    }
}
