//! `Limits::handshake`: who does not complete a request head in time loses the socket.

use std::time::{Duration, Instant};

use redwire::prelude::Limits;
use redwire_suites::{Gateway, Store};
use redwire_test::PATIENCE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const HANDSHAKE: Duration = Duration::from_millis(200);

async fn gateway() -> Gateway {
    let limits = Limits { handshake: HANDSHAKE, ..Limits::default() };
    Gateway::within(&Store::memory(), limits).await
}

/// Sends `head`, and returns how long the server let it wait for the end of the connection.
async fn time_until_closed(gateway: &Gateway, head: &str) -> Duration {
    let started = Instant::now();
    let mut stream = TcpStream::connect(gateway.address()).await.expect("a connection");
    stream.write_all(head.as_bytes()).await.expect("to be sent");
    // What it says before it closes is of no interest, nor is the way in which it closes.
    let closed = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
    assert!(closed.is_ok(), "{head:?} is still connected");
    started.elapsed()
}

#[tokio::test]
async fn a_half_sent_head_is_closed_after_the_limit_and_not_before() {
    let gateway = gateway().await;
    let mut beside = gateway.client().await;
    for head in [
        "",
        "G",
        "GET /ws HTTP/1.1\r\nhost: x\r\n",
        "GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-webso",
    ] {
        let waited = time_until_closed(&gateway, head).await;
        assert!(waited >= HANDSHAKE, "{head:?} was closed after {waited:?}");
    }
    beside.expect_silence().await;
}

#[tokio::test]
async fn a_request_that_looks_like_http_2_is_no_way_around_the_limit() {
    let gateway = gateway().await;
    for head in ["P", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        time_until_closed(&gateway, head).await;
    }
}

#[tokio::test]
async fn a_connection_that_is_kept_alive_after_an_answer_has_to_ask_again_in_time() {
    time_until_closed(&gateway().await, "GET /ws HTTP/1.1\r\nhost: x\r\n\r\n").await;
}

#[tokio::test]
async fn what_is_no_http_is_closed() {
    let gateway = gateway().await;
    for head in ["\0\0\0\0\r\n\r\n", "PING\r\n\r\n", "*1\r\n$8\r\nFLUSHALL\r\n", "\u{16}\u{3}\u{1}"]
    {
        time_until_closed(&gateway, head).await;
    }
}
