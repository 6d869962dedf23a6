//! What publishers and writers of hashes get wrong: it is dropped and counted, or reads as `null`.

use redwire_suites::Store;
use serde_json::json;

use crate::Scene;

fn nested(depth: usize) -> Vec<u8> {
    [b"[".repeat(depth), b"]".repeat(depth)].concat()
}

fn nested_objects(depth: usize) -> Vec<u8> {
    [br#"{"a":"#.repeat(depth), b"1".to_vec(), b"}".repeat(depth)].concat()
}

/// Bytes that are no JSON, or deeper than anybody may nest.
fn bad() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("nothing", text("")),
        ("blanks", text(" \n")),
        ("words", text("not json")),
        ("NaN", text("NaN")),
        ("Infinity", text("[-Infinity]")),
        ("a comment", text("1 // one")),
        ("a trailing comma", text("[1,]")),
        ("single quotes", text("{'a':1}")),
        ("no end", text(r#"{"a":"#)),
        ("two values", text("1 2")),
        ("a leading zero", text("01")),
        ("a raw control character", text("\"a\nb\"")),
        ("a raw NUL", text("\"a\0b\"")),
        ("a NUL behind it", text("1\0")),
        ("a bad escape", text(r#""\x41""#)),
        ("half an escape", text(r#""\u12""#)),
        ("a byte order mark", text("\u{feff}1")),
        ("UTF-16", vec![0xff, 0xfe, b'1', 0]),
        ("bytes", b"\"\xff\"".to_vec()),
        ("a surrogate in UTF-8", b"\"\xed\xa0\x80\"".to_vec()),
        ("a cut character", b"\"\xf0\x9f\x9a\"".to_vec()),
        ("an end to the envelope", text(r#"1},"source":"x","content":{"a":2"#)),
        ("128 deep", nested(128)),
        ("objects 128 deep", nested_objects(128)),
        ("100,000 deep", nested(100_000)),
        ("1,000,000 deep", nested(1_000_000)),
        ("1,000,000 deep without an end", b"[".repeat(1_000_000)),
        ("objects 1,000,000 deep", nested_objects(1_000_000)),
    ]
}

/// Unusual, but JSON: passed on byte for byte.
fn odd() -> Vec<Vec<u8>> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        nested(127),
        nested_objects(127),
        text(r#""\ud800""#),
        text(r#"{"\udfff":"\ud83d\ud83d"}"#),
        text(r#""\u0000\u2028\/""#),
        text("\"\u{2028}\u{2029}\u{feff}\u{10ffff}\u{7f}\""),
        text("\t\r\n 1 \n"),
        text("1e400"),
        text("-1e-400"),
        "9".repeat(100_000).into_bytes(),
        format!("0.{}", "1".repeat(100_000)).into_bytes(),
        format!("[{}1]", "[],".repeat(100_000)).into_bytes(),
        text(r#""]]]]{{{{\"[[[[""#),
        text(r#"{"":{"":1,"":2}}"#),
    ]
}

#[tokio::test]
async fn bad_messages_are_dropped_and_counted_one_by_one() {
    for store in Store::both().await {
        let mut scene = Scene::on(&store).await;
        scene.client.subscribe("a").await;
        scene.beside.subscribe("b").await;
        for (count, (name, payload)) in bad().into_iter().enumerate() {
            println!("{name}");
            store.publish("a", payload).await;
            store.publish("a", r#""marker""#).await;
            scene.client.expect("a", json!("marker")).await;
            let dropped = scene.gateway.metric("redwire_messages_malformed_total");
            assert_eq!(dropped, count as u64 + 1);
        }
        scene.expect_silence().await;
    }
}

#[tokio::test]
async fn bad_values_read_as_null_and_are_left_out_of_their_hash() {
    for store in Store::both().await {
        store.hset("h", "good", "1").await;
        for (name, value) in bad() {
            store.hset("h", &name.replace(' ', "-"), value).await;
        }
        let mut scene = Scene::on(&store).await;
        for (name, _) in bad() {
            let field = name.replace(' ', "-");
            scene.client.send(format!("GET h {field}")).await;
            scene.client.expect(&format!("h {field}"), json!(null)).await;
        }
        scene.client.send("GET h").await;
        scene.client.expect("h", json!(1)).await;
        scene.expect_silence().await;
    }
}

#[tokio::test]
async fn odd_json_is_passed_on_byte_for_byte() {
    for store in Store::both().await {
        let mut scene = Scene::on(&store).await;
        scene.client.subscribe("a").await;
        for json in odd() {
            let json = String::from_utf8(json).unwrap();
            let content = format!(r#""content":{json},"timestamp":"#);
            store.publish("a", &json).await;
            let pushed = scene.client.next_text().await;
            assert!(pushed.contains(&content), "expected {json}, got {pushed}");
            store.hset("h", "a", &json).await;
            scene.client.send("GET h a").await;
            let read = scene.client.next_text().await;
            assert!(read.contains(&content), "expected {json}, got {read}");
        }
        assert_eq!(scene.gateway.metric("redwire_messages_malformed_total"), 0);
        scene.expect_silence().await;
    }
}
