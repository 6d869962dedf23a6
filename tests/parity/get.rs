//! `GET` and the envelope: S005 to S013, S037 to S045.

use redwire_suites::{Gateway, Store};
use redwire_test::Client;
use serde_json::{Value, json};

/// A client of a gateway on a store that holds the scenarios' hashes.
async fn client_on(store: &Store) -> Client {
    for (key, field, value) in [
        ("h1", "a", r#"{"x":1}"#),
        ("h1", "b", r#""str""#),
        ("m", "a", r#"{"ok":1}"#),
        ("m", "b", "nope"),
        ("nul", "a", "null"),
        ("nan", "a", "NaN"),
        ("u", "a", r#"{"n":"Zürich é"}"#),
        ("empty", "a", ""),
    ] {
        store.hset(key, field, value).await;
    }
    Gateway::on(store).await.client().await
}

/// Source, content, client reference.
type Frame = (&'static str, Value, Option<&'static str>);

#[tokio::test]
async fn get_answers_as_the_original_did() {
    let scenarios: &[(&str, &str, &[Frame])] = &[
        ("S005", "GET h1", &[("h1", json!({"x": 1}), None), ("h1", json!("str"), None)]),
        ("S006", "GET h1 a", &[("h1 a", json!({"x": 1}), None)]),
        ("S007", "GET h1 missing", &[("h1 missing", json!(null), None)]),
        ("S008", "GET nokey", &[("nokey", json!(null), None)]),
        ("S009", "GET h1 a cref", &[("h1 a", json!({"x": 1}), Some("cref"))]),
        (
            "S010",
            "GET h1 client_ref=c1",
            &[("h1", json!({"x": 1}), Some("c1")), ("h1", json!("str"), Some("c1"))],
        ),
        ("S011", "GET h1 a client_ref=c=2", &[("h1 a", json!({"x": 1}), Some("c=2"))]),
        ("S012", "GET h1 ref=a", &[("h1 a", json!({"x": 1}), None)]),
        ("S013", "GET nokey client_ref=zz", &[("nokey", json!(null), Some("zz"))]),
        ("S037", "GET m", &[("m", json!({"ok": 1}), None)]),
        ("S038", "GET m b", &[("m b", json!(null), None)]),
        ("S040", "GET nul", &[("nul", json!(null), None)]),
        ("S043", "GET u a", &[("u a", json!({"n": "Zürich é"}), None)]),
        ("S045", "GET nan a", &[("nan a", json!(null), None)]),
        ("an empty value", "GET empty", &[("empty", json!(null), None)]),
        ("a key by name", "GET channel_name=h1 ref=a", &[("h1 a", json!({"x": 1}), None)]),
        ("keyword before words", "GET ref=a h1", &[("h1 a", json!({"x": 1}), None)]),
        ("a key with `=`", "GET channel_name=a=b", &[("a=b", json!(null), None)]),
    ];
    for store in Store::both().await {
        let mut client = client_on(&store).await;
        for (id, line, expected) in scenarios {
            println!("{id}");
            client.send(*line).await;
            for (source, content, reference) in *expected {
                match reference {
                    Some(reference) => {
                        client.expect_referenced(source, content.clone(), *reference).await;
                    }
                    None => client.expect(source, content.clone()).await,
                }
            }
            client.expect_silence().await;
        }
    }
}

#[tokio::test]
async fn s039_a_key_of_another_type_reads_as_missing() {
    let store = Store::redis().await;
    store.as_redis().command(&["SET", "str", "x"]).await;
    let mut client = client_on(&store).await;
    client.send("GET str").await;
    client.expect("str", json!(null)).await;
    client.send("GET str a").await;
    client.expect("str a", json!(null)).await;
}

/// The bytes between `"content":` and `,"timestamp":` of a raw frame.
fn raw_content(frame: &str) -> &str {
    let (_, rest) = frame.split_once(r#","content":"#).expect("content comes second");
    rest.split_once(r#","timestamp":"#).expect("timestamp comes third").0
}

#[tokio::test]
async fn s041_s042_s044_content_is_the_publishers_own_bytes() {
    for text in [
        "12345678901234567890",           // S041
        "123456789012345678901234567890", // S042
        r#"{"z":1,"a":2,"m":3}"#,         // S044
        r#"{"lon":1.10,"lat":-0,"big":1e400}"#,
        r#"{ "spaced" :  [ 1.0 , "\u00e9" ] }"#,
        r#"{"twice":1,"twice":2}"#,
    ] {
        for store in Store::both().await {
            store.hset("n", "a", text).await;
            let mut client = client_on(&store).await;
            client.send("GET n a").await;
            assert_eq!(raw_content(&client.next_text().await), text);
            client.subscribe("n").await;
            store.publish("n", text).await;
            assert_eq!(raw_content(&client.next_text().await), text);
        }
    }
}
