//! `SUB`, `DEL` and fan-out: S014, S017 to S023, S036, S050.

use redwire_suites::{Gateway, Store};
use serde_json::json;

#[tokio::test]
async fn s017_sub_delivers_what_is_published() {
    for store in Store::both().await {
        let mut client = Gateway::on(&store).await.client().await;
        client.subscribe("h1").await;
        store.publish("h1", r#"{"p": 1}"#).await;
        client.expect("h1", json!({"p": 1})).await;
    }
}

#[tokio::test]
async fn s018_del_ends_delivery() {
    for store in Store::both().await {
        let gateway = Gateway::on(&store).await;
        let mut client = gateway.client().await;
        client.subscribe("h1").await;
        client.subscribe("h2").await;
        client.send("DEL h1").await;
        client.expect_silence().await;
        store.publish("h1", "2").await;
        store.publish("h2", "3").await;
        client.expect("h2", json!(3)).await;
    }
}

#[tokio::test]
async fn s019_del_of_nothing_does_nothing() {
    for store in Store::both().await {
        let mut client = Gateway::on(&store).await.client().await;
        client.send("DEL nothing").await;
        client.expect_silence().await;
    }
}

#[tokio::test]
async fn s014_s020_a_denied_channel_is_refused_with_an_error_frame() {
    for store in Store::both().await {
        store.hset("secret1", "a", "1").await;
        let mut client = Gateway::on(&store).await.client().await;
        client.send("GET secret1 a ref1").await;
        let message = "`secret1` is not allowed";
        let error = json!({"status": "error", "command": "GET", "message": message});
        client.expect_referenced("websocket", error, "ref1").await;
        client.send("SUB secret1").await;
        client.expect_error("`secret1` is not allowed").await;
        client.subscribe("open").await;
        store.publish("secret1", "1").await;
        store.publish("open", "2").await;
        client.expect("open", json!(2)).await;
    }
}

#[tokio::test]
async fn s014_s020_a_denied_channel_is_met_with_silence_under_compat() {
    for store in Store::both().await {
        store.hset("secret1", "a", "1").await;
        let mut client = Gateway::compat(&store).await.client().await;
        client.send("GET secret1").await;
        client.send("SUB secret1").await;
        client.expect_silence().await;
        client.subscribe("open").await;
        store.publish("secret1", "1").await;
        store.publish("open", "2").await;
        client.expect("open", json!(2)).await;
    }
}

#[tokio::test]
async fn s021_subscribing_twice_delivers_one_copy() {
    for store in Store::both().await {
        let mut client = Gateway::on(&store).await.client().await;
        client.send("SUB h1").await;
        client.subscribe("h1").await;
        store.publish("h1", "1").await;
        store.publish("h1", "2").await;
        client.expect("h1", json!(1)).await;
        client.expect("h1", json!(2)).await;
        client.send("DEL h1").await;
        client.expect_silence().await;
        store.until_unsubscribed("h1").await;
    }
}

#[tokio::test]
async fn s022_every_subscriber_gets_it() {
    for store in Store::both().await {
        let gateway = Gateway::on(&store).await;
        let (mut one, mut two) = (gateway.client().await, gateway.client().await);
        one.subscribe("ch1").await;
        two.subscribe("ch1").await;
        store.publish("ch1", r#"{"n":1}"#).await;
        one.expect("ch1", json!({"n": 1})).await;
        two.expect("ch1", json!({"n": 1})).await;
    }
}

#[tokio::test]
async fn s023_channels_outside_the_patterns_are_not_delivered() {
    for store in Store::both().await {
        let mut client = Gateway::compat(&store).await.client().await;
        client.send("SUB 1abc").await;
        client.send("SUB Abc").await;
        client.subscribe("abc").await;
        store.publish("1abc", "1").await;
        store.publish("Abc", "1").await;
        store.publish("abc", "2").await;
        client.expect("abc", json!(2)).await;

        let mut client = Gateway::on(&store).await.client().await;
        client.send("SUB 1abc").await;
        client.expect_error("`1abc` is not allowed").await;
    }
}

#[tokio::test]
async fn s036_a_bad_publisher_disconnects_nobody() {
    for store in Store::both().await {
        let gateway = Gateway::on(&store).await;
        let mut client = gateway.client().await;
        client.subscribe("bad").await;
        for payload in ["not json", "", "NaN", "{", "1 2", "\u{feff}1"] {
            store.publish("bad", payload).await;
        }
        store.publish("bad", b"\"\xff\"").await;
        store.publish("bad", "5").await;
        client.expect("bad", json!(5)).await;
        assert_eq!(gateway.metric("redwire_messages_malformed_total"), 7);
    }
}

#[tokio::test]
async fn s050_a_channel_allowed_by_name_and_pattern_is_delivered_once() {
    // The program's patterns are an allow-list on top of one subscription per channel, so that two
    // of them can no more deliver twice than two `SUB`s can.
    for store in Store::both().await {
        let mut client = Gateway::on(&store).await.client().await;
        client.subscribe("h1").await;
        store.publish("h1", "1").await;
        client.expect("h1", json!(1)).await;
        client.expect_silence().await;
    }
}
