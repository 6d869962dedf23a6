//! The WebSocket client, against a server that follows a script.

use futures_util::{SinkExt, StreamExt};
use redwire_test::Client;
use redwire_test::tungstenite::Message;
use redwire_test::tungstenite::http::StatusCode;
use redwire_test::tungstenite::protocol::CloseFrame;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

const GREETING: &str =
    r#"{"source":"websocket","content":{"status":"open"},"timestamp":1,"client_reference":null}"#;
const PONG: &str =
    r#"{"source":"websocket","content":"PONG","timestamp":2,"client_reference":null}"#;
const NEWS: &str =
    r#"{"source":"news","content":{"b":1,"a":2},"timestamp":3,"client_reference":7}"#;
const ERROR: &str = r#"{"source":"websocket","content":{"status":"error","message":"no such thing"},"timestamp":4,"client_reference":null}"#;

/// Greets, answers `PING` with PONG, says what it is told with `SAY`, and closes with 1008 on `BYE`.
async fn scripted() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("ws://{}/ws", listener.local_addr().expect("a bound address"));
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        let mut socket = tokio_tungstenite::accept_async(stream).await.expect("a handshake");
        socket.send(Message::text(GREETING)).await.expect("a client that reads");
        while let Some(Ok(Message::Text(text))) = socket.next().await {
            if let Some(answer) = answer_to(&text) {
                socket.send(answer).await.expect("a client that reads");
            }
        }
    });
    url
}

fn answer_to(text: &str) -> Option<Message> {
    match text {
        "PING" => Some(Message::text(PONG)),
        "BYE" => {
            let reason = "go away".into();
            Some(Message::Close(Some(CloseFrame { code: 1008.into(), reason })))
        }
        other => other.strip_prefix("SAY ").map(Message::text),
    }
}

#[tokio::test]
async fn an_open_client_has_been_greeted_and_expects_in_order() {
    let mut client = Client::open(&scripted().await).await;
    client.send(format!("SAY {NEWS}")).await;
    client.expect_referenced("news", json!({"a": 2, "b": 1}), 7).await;
    client.send(format!("SAY {ERROR}")).await;
    client.expect_error("such").await;
    client.subscribe("channel").await;
    client.expect_silence().await;
    client.send("BYE").await;
    assert_eq!(client.expect_close(1008).await, "go away");
}

#[tokio::test]
#[should_panic(
    expected = r#"expected content "PONG" from "websocket" with reference null, got {"source":"news""#
)]
async fn a_frame_on_its_way_is_no_silence() {
    let mut client = Client::open(&scripted().await).await;
    client.send(format!("SAY {NEWS}")).await;
    client.expect_silence().await;
}

#[tokio::test]
#[should_panic(expected = "expected a text frame, got Ok(Close(")]
async fn a_panic_says_what_came_instead() {
    let mut client = Client::connect_slow(&scripted().await).await;
    client.next_text().await;
    client.send("BYE").await;
    client.next_text().await;
}

#[tokio::test]
async fn a_refused_upgrade_is_a_status() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    });
    assert_eq!(Client::refused(url).await, StatusCode::UNAUTHORIZED);
}
