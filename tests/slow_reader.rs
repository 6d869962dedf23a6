//! S056: what a client that stops reading costs. On its own in this process, whose memory it measures.

#[path = "limits/busy.rs"]
mod busy;

use std::time::Duration;

use redwire::prelude::Limits;
use redwire_suites::{Gateway, Store};
use redwire_test::Client;
use serde_json::json;

use busy::{assert_number, publish, read};

const MESSAGES: usize = 200_000;
/// Half of what the fast readers' outboxes hold: they read each part before the next is published.
const PART: usize = 500;

/// Memory of this process, where the gateway is, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn s056_200_mb_past_a_client_that_stops_reading_close_it_with_1013_and_cost_no_memory() {
    // Time to read the close frame after all that.
    let limits = Limits { close: Duration::from_secs(600), ..Limits::default() };
    for store in Store::both().await {
        let gateway = Gateway::within(&store, limits.clone()).await;
        let (mut one, mut two) = (gateway.client().await, gateway.client().await);
        let mut slow = Client::connect_slow(&gateway.url()).await;
        slow.expect("websocket", json!({"status": "open"})).await;
        for client in [&mut one, &mut two, &mut slow] {
            client.subscribe("busy").await;
        }
        let before = resident();
        for start in (0..MESSAGES).step_by(PART) {
            let part = start..start + PART;
            publish(&store, part.clone()).await;
            tokio::join!(read(&mut one, part.clone()), read(&mut two, part));
        }
        let grown = resident().saturating_sub(before);
        assert!(grown < 100 << 20, "grew by {grown} bytes");
        assert_eq!(gateway.metric(r#"redwire_connections_closed_total{code="1013"}"#), 1);

        let (received, reason) = slow.texts_until_close(1013).await;
        assert_eq!(reason, "reading too slowly");
        assert!(received.len() < MESSAGES);
        received.iter().enumerate().for_each(|(n, frame)| assert_number(n, frame));
        one.expect_silence().await;
        two.expect_silence().await;
    }
}
