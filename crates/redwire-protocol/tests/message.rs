//! One message, many viewers: everything derived from it is computed once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bytes::Bytes;
use redwire_protocol::{Content, Cost, Message, NotJson, Outgoing};
use serde_json::{Value, json};

const VIEWERS: usize = 8;

fn message(text: impl Into<Bytes>) -> Message {
    Message::new("trains", Content::parse(text).expect("JSON"), 7)
}

/// Runs `view` on as many threads as there are viewers, all at once.
fn all_at_once<T: Send>(view: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (start, view) = (Barrier::new(VIEWERS), &view);
    thread::scope(|scope| {
        let viewers: Vec<_> = (0..VIEWERS)
            .map(|viewer| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    view(viewer)
                })
            })
            .collect();
        viewers.into_iter().map(|viewer| viewer.join().expect("no panic")).collect()
    })
}

/// A rewrite that adds one member to an object.
fn with_member(content: &Content, name: &str, value: impl Into<Value>) -> Option<Content> {
    let mut json = content.json().clone();
    json.as_object_mut()?.insert(name.into(), value.into());
    Some(Content::from(json))
}

#[derive(PartialEq, Eq, Hash)]
struct Zone(usize);

#[derive(PartialEq, Eq, Hash)]
struct Signed;

#[test]
fn the_json_is_parsed_once_and_is_the_same_value_for_all() {
    let message = message(r#"{"speed":112}"#);
    assert_eq!(message.cost(), Cost::default());
    let addresses = all_at_once(|_| {
        let outgoing = Outgoing::new(&message);
        assert_eq!(outgoing.json()["speed"], 112);
        std::ptr::from_ref(outgoing.json()).addr()
    });
    assert!(addresses.iter().all(|address| *address == addresses[0]));
    assert_eq!(message.cost(), Cost { parsed: 1, ..Cost::default() });
}

#[test]
fn a_memo_is_computed_once_per_type() {
    struct Speed(u64);
    struct Name(String);
    let (message, computed) = (message(r#"{"speed":112,"name":"IC 5"}"#), AtomicUsize::new(0));
    all_at_once(|viewer| {
        let outgoing = Outgoing::new(&message);
        let speed = || {
            outgoing.memo(|content| {
                computed.fetch_add(1, Ordering::Relaxed);
                Speed(content.json()["speed"].as_u64().unwrap())
            })
        };
        let name = || {
            outgoing.memo(|content| {
                computed.fetch_add(1, Ordering::Relaxed);
                Name(content.json()["name"].as_str().unwrap().into())
            })
        };
        // Half of them in the other order.
        let (speed, name) = if viewer % 2 == 0 {
            (speed(), name())
        } else {
            let name = name();
            (speed(), name)
        };
        assert_eq!((speed.0, name.0.as_str()), (112, "IC 5"));
    });
    assert_eq!(computed.into_inner(), 2);
}

#[test]
fn a_memo_may_be_made_from_another() {
    struct Speeds(Vec<u64>);
    struct Fastest(u64);
    let message = message("[80,112,40]");
    let outgoing = Outgoing::new(&message);
    let fastest = outgoing.memo(|_| {
        let numbers = |content: &Content| content.json().as_array().unwrap().clone();
        let speeds = outgoing
            .memo(|content| Speeds(numbers(content).iter().filter_map(Value::as_u64).collect()));
        Fastest(speeds.0.iter().copied().max().unwrap())
    });
    assert_eq!(fastest.0, 112);
}

#[test]
fn a_memo_belongs_to_one_version() {
    let message = message(r#"{"zone":0}"#);
    let zone = |outgoing: &Outgoing<'_>| {
        outgoing.memo(|content| content.json()["zone"].as_u64()).expect("a zone")
    };
    let mut outgoing = Outgoing::new(&message);
    assert_eq!(zone(&outgoing), 0);
    outgoing.rewrite(Zone(3), |content| with_member(content, "zone", 3));
    assert_eq!(zone(&outgoing), 3);
    assert_eq!(zone(&Outgoing::new(&message)), 0);
}

#[test]
fn a_rewrite_is_made_once_per_key_and_encoded_once_per_version() {
    let (message, rewritten) = (message(r#"{"a":1}"#), AtomicUsize::new(0));
    let frames = all_at_once(|viewer| {
        let mut outgoing = Outgoing::new(&message);
        let zone = viewer % 3;
        if zone > 0 {
            outgoing.rewrite(Zone(zone), |content| {
                rewritten.fetch_add(1, Ordering::Relaxed);
                with_member(content, "zone", zone)
            });
        }
        (zone, outgoing.frame())
    });
    assert_eq!(rewritten.into_inner(), 2);
    assert_eq!(message.cost(), Cost { parsed: 1, rewritten: 2, encoded: 3 });
    for (zone, frame) in &frames {
        let content =
            if *zone == 0 { r#"{"a":1}"#.into() } else { format!(r#"{{"a":1,"zone":{zone}}}"#) };
        let text = format!(
            r#"{{"source":"trains","content":{content},"timestamp":7,"client_reference":null}}"#
        );
        assert_eq!(frame, &text);
        let shared = frames.iter().filter(|(other, _)| other == zone);
        assert!(shared.map(|(_, frame)| frame.as_ptr()).all(|pointer| pointer == frame.as_ptr()));
    }
}

#[test]
fn rewrites_of_two_filters_follow_each_other() {
    let (message, signed) = (message(r#"{"a":1}"#), AtomicUsize::new(0));
    let contents = all_at_once(|viewer| {
        let mut outgoing = Outgoing::new(&message);
        outgoing.rewrite(Zone(viewer % 2), |content| with_member(content, "zone", viewer % 2));
        // The same key on another version is another rewrite.
        outgoing.rewrite(Signed, |content| {
            signed.fetch_add(1, Ordering::Relaxed);
            with_member(content, "signed", content.text())
        });
        outgoing.frame();
        outgoing.content().text().to_owned()
    });
    for (viewer, content) in contents.iter().enumerate() {
        let zoned = json!({"a": 1, "zone": viewer % 2}).to_string();
        assert_eq!(*content, json!({"a": 1, "zone": viewer % 2, "signed": zoned}).to_string());
    }
    assert_eq!(signed.into_inner(), 2);
    // Two zones and a signature on each. What a rewrite made is not parsed again.
    assert_eq!(message.cost(), Cost { parsed: 1, rewritten: 4, encoded: 2 });
    assert_eq!(message.content().text(), r#"{"a":1}"#);
}

#[test]
fn a_rewrite_that_changes_nothing_is_asked_once_and_costs_no_frame() {
    let (message, asked) = (message("[]"), AtomicUsize::new(0));
    let frames = all_at_once(|_| {
        let mut outgoing = Outgoing::new(&message);
        outgoing.rewrite(Signed, |_| {
            asked.fetch_add(1, Ordering::Relaxed);
            None
        });
        assert_eq!(outgoing.content().text(), "[]");
        outgoing.frame().as_ptr().addr()
    });
    assert!(frames.iter().all(|frame| *frame == frames[0]));
    assert_eq!(asked.into_inner(), 1);
    assert_eq!(message.cost(), Cost { parsed: 0, rewritten: 0, encoded: 1 });
}

#[test]
fn keys_of_different_types_are_different_rewrites() {
    let message = message("{}");
    let mut outgoing = Outgoing::new(&message);
    outgoing.rewrite(1_u8, |content| with_member(content, "u8", 1));
    let mut other = Outgoing::new(&message);
    other.rewrite(1_u16, |content| with_member(content, "u16", 1));
    assert_eq!(
        (outgoing.content().text(), other.content().text()),
        (r#"{"u8":1}"#, r#"{"u16":1}"#)
    );
}

#[test]
fn a_panic_while_deriving_leaves_the_message_usable() {
    let message = message("{}");
    let attempt = |panics: bool| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut outgoing = Outgoing::new(&message);
            outgoing.memo(|_| assert!(!panics, "in a memo"));
            outgoing.rewrite(Signed, |content| with_member(content, "signed", !panics));
            outgoing.content().text().to_owned()
        }))
    };
    attempt(true).unwrap_err();
    assert_eq!(attempt(false).unwrap(), r#"{"signed":true}"#);
}

#[test]
fn published_bytes_survive() {
    for text in [
        "12345678901234567890123456789",
        r#"{"z":1,"a":2,"z":3}"#,
        r#"{"lon":1.10,"lat":-0,"e":1E5}"#,
        r#" { "spaced" :  [ 1.0 , "\u00e9\/" ] } "#,
        r#""Zürich""#,
        // No `Value` can hold these two, and nobody has to look.
        "[1e400]",
        r#"["\ud800"]"#,
    ] {
        let frame = Outgoing::new(&message(text)).frame();
        let expected = format!(
            r#"{{"source":"trains","content":{text},"timestamp":7,"client_reference":null}}"#
        );
        assert_eq!(frame, expected);
    }
    for text in ["[1e400]", r#"["\ud800"]"#] {
        assert_eq!(message(text).content().json(), &Value::Null);
    }
}

#[test]
fn a_source_is_escaped() {
    let message = Message::new("a\"b\\c\n", Content::null(), 0);
    let frame: Value = serde_json::from_slice(&Outgoing::new(&message).frame()).unwrap();
    assert_eq!(frame["source"], "a\"b\\c\n");
}

#[test]
fn what_is_not_json_is_no_content() {
    for text in ["", "NaN", "{", "1 2", "{'a':1}", "[1,]", "\u{feff}1", "\"\n\""] {
        assert_eq!(Content::parse(text).unwrap_err(), NotJson::Syntax, "{text:?}");
    }
    assert_eq!(Content::parse(&b"\"\xff\""[..]).unwrap_err(), NotJson::Utf8);
}

#[test]
fn json_is_read_down_to_127_levels() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let nested = |depth| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        let content = Content::parse(nested(127)).unwrap();
        assert!(content.json().is_array() || content.json().is_object());
        assert_eq!(Content::parse(nested(128)).unwrap_err(), NotJson::Depth);
        assert_eq!(Content::parse(nested(100_000)).unwrap_err(), NotJson::Depth);
    }
    // What looks like nesting inside a string is none.
    let text = format!(r#"["\"{}"]"#, "[".repeat(200));
    assert!(Content::parse(text).unwrap().json().is_array());
}
