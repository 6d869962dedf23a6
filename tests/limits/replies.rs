//! A reply is no push: it may be larger than the outbox, because the client asked for it.

use std::collections::BTreeSet;
use std::time::Duration;

use redwire::prelude::Limits;
use redwire_suites::{Gateway, Store};
use redwire_test::{Client, Reply, eventually};
use serde_json::{Value, json};

const FIELDS: usize = 20_000;

/// A hash whose values are a little larger than `bytes` each, and carry their numbers.
async fn fill(store: &Store, bytes: usize) {
    let value = |n| format!(r#"{{"n":{n},"filler":"{}"}}"#, "x".repeat(bytes));
    match store {
        Store::Memory(memory) => {
            (0..FIELDS).for_each(|n| memory.hset("big", n.to_string(), value(n)));
        }
        Store::Redis(redis) => {
            let mut command = vec!["HSET".to_owned(), "big".to_owned()];
            (0..FIELDS).for_each(|n| command.extend([n.to_string(), value(n)]));
            assert_eq!(redis.command(&command).await, Reply::Integer(FIELDS as i64));
        }
    }
}

/// The numbers in the values, and how many other frames came between.
async fn read(client: &mut Client, frames: usize) -> (BTreeSet<u64>, Vec<Value>) {
    let (mut numbers, mut others) = (BTreeSet::new(), Vec::new());
    for _ in 0..frames {
        let frame = client.next().await;
        let content = frame.get("content").expect("an envelope");
        match content.get("n").and_then(Value::as_u64) {
            Some(number) => assert!(numbers.insert(number), "{number} came twice"),
            None => others.push(content.clone()),
        }
    }
    (numbers, others)
}

#[tokio::test]
async fn a_hash_of_20_000_fields_and_several_megabytes_arrives_completely() {
    for store in Store::both().await {
        fill(&store, 300).await;
        let gateway = Gateway::on(&store).await;
        let (mut beside, mut client) = (gateway.client().await, gateway.client().await);
        client.send("GET big").await;
        beside.expect_silence().await;
        let (numbers, others) = read(&mut client, FIELDS).await;
        assert_eq!((numbers.len(), others.len()), (FIELDS, 0));
        client.expect_silence().await;
    }
}

/// One message of 1 MiB.
fn news(n: usize) -> Value {
    json!(format!("{n} {}", "x".repeat(1 << 20)))
}

#[tokio::test]
async fn messages_that_come_while_a_large_reply_leaves_do_not_close_the_connection() {
    // The outbox is larger than what the kernel takes and smaller than the reply, so that the reply
    // waits in it; the messages need nearly all of the half that replies leave to them.
    let limits = Limits {
        outbox_bytes: 16 << 20,
        outbox_messages: usize::MAX,
        reply_bytes: usize::MAX,
        ..Limits::default()
    };
    let store = Store::memory();
    fill(&store, 1_000).await;
    let gateway = Gateway::within(&store, limits).await;
    let mut client = Client::connect_slow(&gateway.url()).await;
    client.expect("websocket", json!({"status": "open"})).await;
    client.subscribe("news").await;
    client.send("GET big").await;
    let (mut numbers, mut others) = read(&mut client, 1).await;
    for n in 0..7 {
        store.publish("news", news(n).to_string()).await;
    }
    eventually("delivery", async || gateway.metric("redwire_deliveries_total") == 7).await;
    let (more_numbers, more_others) = read(&mut client, FIELDS - 1 + 7).await;
    numbers.extend(more_numbers);
    others.extend(more_others);
    assert_eq!(numbers.len(), FIELDS);
    let expected: Vec<_> = (0..7).map(news).collect();
    assert!(others == expected, "{} other frames came", others.len());
    client.expect_silence().await;
}

#[tokio::test]
async fn a_client_that_takes_long_to_read_a_large_reply_counts_as_alive() {
    let (ping, pong) = (Duration::from_secs(1), Duration::from_secs(2));
    let limits = Limits { ping, pong, reply_bytes: usize::MAX, ..Limits::default() };
    let store = Store::memory();
    fill(&store, 1_000).await;
    let gateway = Gateway::within(&store, limits).await;
    let mut client = Client::connect_slow(&gateway.url()).await;
    client.expect("websocket", json!({"status": "open"})).await;
    client.send("GET big").await;
    for n in 0..FIELDS {
        if n < 14_000 && n % 2_000 == 0 {
            // Altogether longer than silence may last: this is how slow the client is. The rest of
            // the reply, which the kernel has already, is read at once.
            tokio::time::sleep(Duration::from_millis(600)).await;
        }
        assert!(client.next_text().await.starts_with(r#"{"source":"big","content":{"n":"#));
    }
    client.expect_silence().await;
}

#[tokio::test]
async fn a_client_that_takes_long_to_read_one_large_value_counts_as_alive() {
    const SIZE: usize = 20 << 20;
    let (ping, pong) = (Duration::from_millis(300), Duration::from_millis(300));
    let limits = Limits { ping, pong, reply_bytes: usize::MAX, ..Limits::default() };
    let store = Store::memory();
    store.hset("big", "one", format!(r#""{}""#, "x".repeat(SIZE))).await;
    let gateway = Gateway::within(&store, limits).await;
    let mut client = Client::connect_slow(&gateway.url()).await;
    client.send("GET big one").await;
    for _ in 0..20 {
        // No ping can be read before the value's end: this is how slow the client is.
        tokio::time::sleep(Duration::from_millis(100)).await;
        client.read_raw(SIZE / 20).await;
    }
}

#[tokio::test]
async fn a_single_value_of_5_mb_arrives() {
    let value = format!(r#""{}""#, "x".repeat(5 << 20));
    for store in Store::both().await {
        store.hset("big", "one", &value).await;
        let gateway = Gateway::on(&store).await;
        let (mut beside, mut client) = (gateway.client().await, gateway.client().await);
        client.send("GET big one").await;
        assert!(client.next_text().await.contains(&value));
        client.expect_silence().await;
        beside.expect_silence().await;
    }
}

#[tokio::test]
async fn a_published_value_of_5_mb_arrives_and_so_does_what_follows_at_its_heels() {
    let value = format!(r#""{}""#, "x".repeat(5 << 20));
    for store in Store::both().await {
        let gateway = Gateway::on(&store).await;
        let (mut beside, mut client) = (gateway.client().await, gateway.client().await);
        client.subscribe("big").await;
        store.publish("big", &value).await;
        for n in 0..10 {
            store.publish("big", n.to_string()).await;
        }
        assert!(client.next_text().await.contains(&value));
        for n in 0..10 {
            client.expect("big", json!(n)).await;
        }
        beside.expect_silence().await;
    }
}

#[tokio::test]
async fn a_reply_beyond_the_limit_is_refused_and_costs_nobody_a_gap() {
    // More than Redis' default limit for connections with subscriptions, 32 MB.
    let huge = format!("\"{}\"", "x".repeat(40_000_000));
    for store in Store::both().await {
        store.hset("huge", "a", &huge).await;
        let gateway = Gateway::on(&store).await;
        let (mut neighbour, mut client) = (gateway.client().await, gateway.client().await);
        neighbour.subscribe("news").await;
        client.subscribe("news").await;
        for line in ["GET huge a mine", "GET huge client_ref=mine"] {
            client.send(line).await;
            let message = "`huge` goes beyond the limit of 16777216 bytes in a reply";
            let error = json!({"status": "error", "command": "GET", "message": message});
            client.expect_referenced("websocket", error, "mine").await;
        }
        store.publish("news", "1").await;
        client.expect("news", json!(1)).await;
        neighbour.expect("news", json!(1)).await;
        assert_eq!(gateway.metric("redwire_gaps_total"), 0);
    }
}
