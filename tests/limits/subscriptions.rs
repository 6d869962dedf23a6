//! How many channels one connection may hold, and how long a name may be.

use redwire_suites::{Gateway, Store};
use serde_json::json;

#[tokio::test]
async fn the_129th_subscription_is_refused_the_others_go_on_and_a_del_makes_room() {
    for store in Store::both().await {
        let gateway = Gateway::on(&store).await;
        let (mut beside, mut client) = (gateway.client().await, gateway.client().await);
        client.send_all((0..128).map(|i| format!("SUB c{i}"))).await;
        client.expect_silence().await;

        client.send("SUB c128").await;
        client.expect_error("`c128` goes beyond the limit of 128 subscriptions").await;
        store.publish("c128", "0").await;
        for i in 0..128 {
            store.publish(&format!("c{i}"), i.to_string()).await;
            client.expect(&format!("c{i}"), json!(i)).await;
        }

        client.send("SUB c5").await; // one that it holds already
        client.send("DEL c0").await;
        client.subscribe("c128").await;
        store.publish("c0", "0").await;
        store.publish("c128", "1").await;
        client.expect("c128", json!(1)).await;
        client.send("SUB c0").await;
        client.expect_error("`c0` goes beyond the limit of 128 subscriptions").await;
        beside.expect_silence().await;
    }
}

#[tokio::test]
async fn names_of_255_bytes_are_used_and_of_256_refused() {
    let (longest, too_long) = ("n".repeat(255), "n".repeat(256));
    let too_long_in_bytes = "ä".repeat(128);
    for store in Store::both().await {
        store.hset(&longest, &longest, "1").await;
        let gateway = Gateway::on(&store).await;
        let (mut beside, mut client) = (gateway.client().await, gateway.client().await);

        client.send(format!("GET {longest} {longest}")).await;
        client.expect(&format!("{longest} {longest}"), json!(1)).await;
        client.subscribe(&longest).await;
        store.publish(&longest, "2").await;
        client.expect(&longest, json!(2)).await;

        for line in [
            format!("SUB {too_long}"),
            format!("SUB n{too_long_in_bytes}"),
            format!("GET {too_long}"),
            format!("GET {too_long} field"),
            format!("GET key {too_long}"),
            format!("GET key ref={too_long_in_bytes}"),
            format!("GET {}", "n".repeat(60_000)),
        ] {
            client.send(line).await;
            let error = client.expect_error("goes beyond the limit of 255 bytes in a name").await;
            let message = error["message"].as_str().unwrap();
            assert!(message.contains('…') && message.len() < 300, "not shortened: {message}");
        }
        client.send(format!("DEL {too_long}")).await; // holds nothing of that name
        client.expect_silence().await;
        beside.expect_silence().await;
    }
}
