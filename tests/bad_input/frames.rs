//! WebSocket frames: fragments are put together, and what breaks RFC 6455 is closed with 1002, 1007 or
//! 1009.

use redwire_suites::Store;
use redwire_test::Client;
use redwire_test::tungstenite::Message;
use redwire_test::tungstenite::protocol::frame::Frame;
use redwire_test::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use serde_json::json;

use crate::Scene;

fn data(kind: Data, payload: impl Into<Vec<u8>>, is_last: bool) -> Frame {
    Frame::message(payload.into(), OpCode::Data(kind), is_last)
}

async fn send(client: &mut Client, frames: impl IntoIterator<Item = Frame>) {
    for frame in frames {
        client.send_frame(Message::Frame(frame)).await;
    }
}

/// Each list of frames ends the connection with this code and reason, and only that connection.
async fn expect_closed(code: u16, reason: &str, inputs: Vec<(&str, Vec<Frame>)>) {
    let mut scene = Scene::on(&Store::memory()).await;
    for (name, frames) in inputs {
        let client = scene.again().await;
        send(client, frames).await;
        assert_eq!(client.expect_close(code).await, reason, "{name}");
        scene.beside.expect_silence().await;
    }
}

#[tokio::test]
async fn binary_frames_are_ignored() {
    let mut scene = Scene::on(&Store::memory()).await;
    for bytes in [b"".as_slice(), b"PING", b"\xff\xfe", &[0; 65_536]] {
        scene.client.send_binary(bytes).await;
        scene.expect_silence().await;
    }
    let parts = [data(Data::Binary, *b"PI", false), data(Data::Continue, *b"NG", true)];
    send(&mut scene.client, parts).await;
    scene.expect_silence().await;
}

#[tokio::test]
async fn fragments_are_put_together_with_control_frames_between_them() {
    let mut scene = Scene::on(&Store::memory()).await;
    let parts = [
        data(Data::Text, *b"PI", false),
        Frame::ping("still there?"),
        data(Data::Continue, *b"", false),
        Frame::pong("unasked"),
        data(Data::Continue, *b"NG", false),
        data(Data::Continue, *b"", true),
    ];
    send(&mut scene.client, parts).await;
    scene.client.expect("websocket", json!("PONG")).await;
    scene.expect_silence().await;
}

#[tokio::test]
async fn ten_thousand_one_byte_fragments_with_empty_ones_between_them_are_one_line() {
    let mut scene = Scene::on(&Store::memory()).await;
    let line = format!("PING {}", "x".repeat(10_000));
    send(&mut scene.client, [data(Data::Text, *b"", false)]).await;
    for byte in line.bytes() {
        let parts = [data(Data::Continue, [byte], false), data(Data::Continue, *b"", false)];
        send(&mut scene.client, parts).await;
    }
    send(&mut scene.client, [data(Data::Continue, *b"", true)]).await;
    scene.client.expect("websocket", json!("PONG")).await;
    scene.expect_silence().await;
}

#[tokio::test]
async fn a_character_may_be_cut_in_two() {
    let mut scene = Scene::on(&Store::memory()).await;
    let parts = [
        data(Data::Text, *b"GET a client_ref=\xf0\x9f", false),
        data(Data::Continue, *b"\x9a\x82", true),
    ];
    send(&mut scene.client, parts).await;
    scene.client.expect_referenced("a", json!(null), "🚂").await;
    scene.expect_silence().await;
}

#[tokio::test]
async fn fragments_that_are_too_large_together_close_with_1009() {
    let half = || vec![b' '; 40_000];
    let small: Vec<_> = (0..70).map(|_| data(Data::Continue, vec![b' '; 1_000], false)).collect();
    let many = [data(Data::Text, *b"PING", false)].into_iter().chain(small).collect();
    let two = vec![data(Data::Text, half(), false), data(Data::Continue, half(), true)];
    let without_end = vec![data(Data::Binary, half(), false), data(Data::Continue, half(), false)];
    let empty = (0..70_000).map(|_| data(Data::Continue, *b"", false));
    let empty = [data(Data::Text, *b"", false)].into_iter().chain(empty).collect();
    let inputs =
        vec![("two", two), ("many", many), ("without an end", without_end), ("empty", empty)];
    expect_closed(1009, "message too large", inputs).await;
}

#[tokio::test]
async fn text_that_is_not_utf_8_closes_with_1007() {
    let whole = |bytes: &[u8]| vec![data(Data::Text, bytes, true)];
    let inputs = vec![
        ("a byte", whole(b"PING \xff")),
        ("Latin-1", whole(b"GET Z\xfcrich")),
        ("an overlong slash", whole(b"GET a\xc0\xaf")),
        ("a surrogate", whole(b"GET a\xed\xa0\x80")),
        ("beyond Unicode", whole(b"GET a\xf4\x90\x80\x80")),
        ("a cut character", whole(b"GET a\xf0\x9f\x9a")),
        (
            "a character that is not continued",
            vec![data(Data::Text, *b"PING \xf0\x9f", false), data(Data::Continue, *b"xx", true)],
        ),
        (
            "a character that never ends",
            vec![data(Data::Text, *b"PING \xf0\x9f", false), data(Data::Continue, *b"", true)],
        ),
    ];
    expect_closed(1007, "text is not UTF-8", inputs).await;
}

#[tokio::test]
async fn frames_that_break_the_rules_close_with_1002() {
    let reserved = |set: fn(&mut Frame)| {
        let mut frame = data(Data::Text, *b"PING", true);
        set(&mut frame);
        vec![frame]
    };
    let control = |opcode: Control, payload: &[u8], is_final| {
        let mut frame = Frame::ping(payload.to_vec());
        frame.header_mut().opcode = OpCode::Control(opcode);
        frame.header_mut().is_final = is_final;
        vec![frame]
    };
    let text = |is_last| data(Data::Text, *b"PING", is_last);
    let inputs = vec![
        ("RSV1", reserved(|frame| frame.header_mut().rsv1 = true)),
        ("RSV2", reserved(|frame| frame.header_mut().rsv2 = true)),
        ("RSV3", reserved(|frame| frame.header_mut().rsv3 = true)),
        ("opcode 3", vec![data(Data::Reserved(3), *b"PING", true)]),
        ("opcode 7", vec![data(Data::Reserved(7), *b"", true)]),
        ("opcode 11", control(Control::Reserved(11), b"", true)),
        ("opcode 15", control(Control::Reserved(15), b"", true)),
        ("a large ping", control(Control::Ping, &[0; 126], true)),
        ("a large pong", control(Control::Pong, &[0; 126], true)),
        ("a large close", control(Control::Close, &[3; 60_000], true)),
        ("a fragmented ping", control(Control::Ping, b"", false)),
        ("a continuation of nothing", vec![data(Data::Continue, *b"PING", true)]),
        ("a text inside another", vec![text(false), text(true)]),
    ];
    expect_closed(1002, "broken frames", inputs).await;
}

#[tokio::test]
async fn an_unmasked_frame_closes_with_1002() {
    let mut scene = Scene::on(&Store::memory()).await;
    scene.client.send_raw(b"\x81\x04PING").await;
    assert_eq!(scene.client.expect_close(1002).await, "broken frames");
    scene.beside.expect_silence().await;
}

#[tokio::test]
async fn what_follows_a_broken_frame_is_not_carried_out() {
    let mut scene = Scene::on(&Store::memory()).await;
    // All in one packet, so that the server has it when it meets the second frame.
    let ping = b"\x81\x84\0\0\0\0PING";
    scene.client.send_raw(&[ping.as_slice(), b"\x83\x80\0\0\0\0", ping].concat()).await;
    scene.client.expect("websocket", json!("PONG")).await;
    scene.client.expect_close(1002).await;
    assert_eq!(scene.gateway.metric("redwire_commands_total"), 1);
    scene.beside.expect_silence().await;
}
