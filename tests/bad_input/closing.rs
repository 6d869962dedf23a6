//! How a client leaves: politely, with a bad close frame, in the middle of a frame, with a reset.

use redwire_suites::Store;
use redwire_test::tungstenite::Message;
use redwire_test::tungstenite::protocol::frame::Frame;
use redwire_test::tungstenite::protocol::frame::coding::{Control, OpCode};
use redwire_test::{Client, eventually};

use crate::Scene;

async fn send_close(client: &mut Client, payload: &[u8]) {
    let mut frame = Frame::ping(payload.to_vec());
    frame.header_mut().opcode = OpCode::Control(Control::Close);
    client.send_frame(Message::Frame(frame)).await;
}

async fn until_only_one_is_left(scene: &Scene) {
    eventually("the client to be gone", async || scene.gateway.metric("redwire_connections") == 1)
        .await;
}

#[tokio::test]
async fn a_close_frame_is_answered_with_its_own_code() {
    let mut scene = Scene::on(&Store::memory()).await;
    for code in [1000_u16, 1001, 1008, 1011, 3000, 4000, 4999] {
        let client = scene.again().await;
        send_close(client, &[&code.to_be_bytes(), "see you".as_bytes()].concat()).await;
        assert_eq!(client.expect_close(code).await, "see you");
        scene.beside.expect_silence().await;
        until_only_one_is_left(&scene).await;
    }
}

#[tokio::test]
async fn a_close_frame_with_a_bad_code_is_answered_with_1002() {
    let mut scene = Scene::on(&Store::memory()).await;
    for code in [0_u16, 1, 999, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        println!("{code}");
        let client = scene.again().await;
        send_close(client, &code.to_be_bytes()).await;
        client.expect_close(1002).await;
        scene.beside.expect_silence().await;
    }
}

#[tokio::test]
async fn a_close_frame_that_is_malformed_is_answered_like_any_other_malformed_frame() {
    let mut scene = Scene::on(&Store::memory()).await;
    send_close(&mut scene.client, &[3]).await;
    assert_eq!(scene.client.expect_close(1002).await, "broken frames");
    send_close(scene.again().await, b"\x03\xe8not UTF-8: \xff").await;
    assert_eq!(scene.client.expect_close(1007).await, "text is not UTF-8");
    scene.beside.expect_silence().await;
}

#[tokio::test]
async fn commands_after_the_close_frame_are_not_carried_out() {
    let mut scene = Scene::on(&Store::memory()).await;
    let close = b"\x88\x82\0\0\0\0\x03\xe8";
    let ping = b"\x81\x84\0\0\0\0PING";
    scene.client.send_raw(&[close.as_slice(), ping, ping].concat()).await;
    scene.client.expect_close(1000).await;
    until_only_one_is_left(&scene).await;
    assert_eq!(scene.gateway.metric("redwire_commands_total"), 0);
    scene.beside.expect_silence().await;
}

/// The beginnings of frames, each of them valid as far as it goes.
const BEGINNINGS: &[&[u8]] = &[
    b"\x81",
    b"\x81\x84",
    b"\x81\x84\0\0",
    b"\x81\x84\0\0\0\0PI",
    b"\x81\xfe\x01",
    b"\x81\xff\0\0\0\0\0\0\x80\0\0\0\0\0PING", // 32 KiB are declared
    b"\x01\x84\0\0\0\0PING",                   // a fragment
    b"\x88",
];

#[tokio::test]
async fn half_a_frame_and_then_the_end_frees_everything() {
    for store in Store::both().await {
        let mut scene = Scene::on(&store).await;
        scene.beside.subscribe("b").await;
        for (leave, how) in [(drop as fn(Client), "an end"), (Client::reset, "a reset")] {
            for beginning in BEGINNINGS {
                println!("{beginning:x?} and {how}");
                let mut client = scene.gateway.client().await;
                client.subscribe("a").await;
                client.send_raw(beginning).await;
                leave(client);
                store.until_unsubscribed("a").await;
            }
        }
        drop(scene.client);
        eventually("all to be gone", async || scene.gateway.metric("redwire_connections") == 1)
            .await;
        store.publish("a", "1").await;
        store.publish("b", "2").await;
        scene.beside.expect("b", serde_json::json!(2)).await;
        scene.beside.expect_silence().await;
        assert_eq!(scene.gateway.metric("redwire_commands_refused_total"), 0);
    }
}

#[tokio::test]
async fn a_reset_amid_a_stream_of_messages_disturbs_nobody() {
    for store in Store::both().await {
        let mut scene = Scene::on(&store).await;
        scene.beside.subscribe("a").await;
        let mut next = 0;
        for _ in 0..10 {
            let mut client = scene.gateway.client().await;
            client.subscribe("a").await;
            for number in next..next + 20 {
                store.publish("a", number.to_string()).await;
            }
            client.reset();
            for number in next..next + 20 {
                scene.beside.expect("a", serde_json::json!(number)).await;
            }
            next += 20;
        }
        drop(scene.client);
        eventually("all to be gone", async || scene.gateway.metric("redwire_connections") == 1)
            .await;
        scene.beside.expect_silence().await;
    }
}
