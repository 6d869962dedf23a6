//! `Limits::handshake`: who does not complete a request head in time loses the socket.

use std::future::pending;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{map_request, map_response};
use axum::response::Response;
use hyper::upgrade::OnUpgrade;
use redwire::prelude::*;
use redwire_suites::{Gateway, Parity, Store};
use redwire_test::PATIENCE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
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

/// A handshake as a browser sends it.
const HANDSHAKE_OF_A_CLIENT: &str = "GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\n\
    connection: upgrade\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[tokio::test]
async fn the_answer_to_a_handshake_comes_together_with_the_greeting() {
    let gateway = gateway().await;
    let mut stream = TcpStream::connect(gateway.address()).await.expect("a connection");
    stream.write_all(HANDSHAKE_OF_A_CLIENT.as_bytes()).await.expect("to be sent");
    let mut buffer = [0; 4096];
    let read =
        timeout(PATIENCE, stream.read(&mut buffer)).await.expect("an answer").expect("bytes");
    let text = String::from_utf8_lossy(&buffer[..read]);
    assert!(text.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{text}");
    let (head, frame) = text.split_once("\r\n\r\n").expect("a head");
    assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    assert!(frame.contains(r#""source":"websocket""#), "{frame}");
}

/// Where `app` is served.
async fn serving(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener");
    tokio::spawn(async move { serve(listener, app, &Limits::default(), pending()).await });
    address
}

#[tokio::test]
async fn an_answer_that_a_layer_puts_in_the_place_of_an_upgrade_is_the_last_word() {
    let api = WebsocketApi::new(Protocol::new().with(Ping), MemoryBackend::new());
    let refuse = async |_: Response| (StatusCode::IM_A_TEAPOT, "no upgrades today");
    let app = Router::new().route("/ws", api.route(Parity)).layer(map_response(refuse));
    let mut stream = TcpStream::connect(serving(app).await).await.expect("a connection");
    stream.write_all(HANDSHAKE_OF_A_CLIENT.as_bytes()).await.expect("to be sent");
    let mut answer = String::new();
    let answered = timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
    answered.expect("an end").expect("text");
    assert!(answer.starts_with("HTTP/1.1 418 "), "{answer}");
    assert!(answer.ends_with("no upgrades today"), "{answer}");
}

/// All that comes until `end` does.
async fn read_until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    while !read.windows(end.len()).any(|window| window == end) {
        let more = timeout(PATIENCE, stream.read_buf(&mut read)).await;
        let more = more.expect("more").expect("bytes");
        assert!(more > 0, "it ended after {:?}", String::from_utf8_lossy(&read));
    }
    read
}

#[tokio::test]
async fn a_ping_right_behind_a_handshake_is_answered_after_it() {
    let gateway = gateway().await;
    let mut stream = TcpStream::connect(gateway.address()).await.expect("a connection");
    // Masked with nothing.
    let ping = b"\x89\x82\0\0\0\0hi";
    let both = [HANDSHAKE_OF_A_CLIENT.as_bytes(), ping].concat();
    stream.write_all(&both).await.expect("to be sent");
    let read = read_until(&mut stream, b"\x8a\x02hi").await;
    assert!(read.starts_with(b"HTTP/1.1 101 "), "{:?}", String::from_utf8_lossy(&read));
}

/// Whoever is answered by an upgrade behind `layer`, from its first byte to the greeting.
async fn greeted_behind<F: Future<Output = Request> + Send + 'static>(
    layer: impl FnMut(Request) -> F + Clone + Send + Sync + 'static,
    handshake: String,
) {
    let api = WebsocketApi::new(Protocol::new().with(Ping), MemoryBackend::new());
    let app = Router::new().route("/ws", api.route(Parity)).layer(map_request(layer));
    let mut stream = TcpStream::connect(serving(app).await).await.expect("a connection");
    stream.write_all(handshake.as_bytes()).await.expect("to be sent");
    read_until(&mut stream, br#"{"source":"websocket","content":{"status":"open"}"#).await;
}

#[tokio::test]
async fn who_has_to_be_told_to_go_on_with_the_handshake_is_served() {
    let read = async |request: Request| {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, 2).await.expect("a body");
        assert_eq!(body, "hi");
        Request::from_parts(parts, Body::empty())
    };
    let head = HANDSHAKE_OF_A_CLIENT.trim_end();
    let handshake = format!("{head}\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\nhi");
    greeted_behind(read, handshake).await;
}

#[tokio::test]
async fn who_comes_with_a_request_that_a_layer_has_made_anew_is_served() {
    let made_anew = async |mut request: Request| {
        let upgrade = request.extensions_mut().remove::<OnUpgrade>().expect("an upgrade");
        let (parts, body) = request.into_parts();
        let mut request = Request::new(body);
        *request.uri_mut() = parts.uri;
        *request.headers_mut() = parts.headers;
        request.extensions_mut().insert(upgrade);
        request
    };
    greeted_behind(made_anew, HANDSHAKE_OF_A_CLIENT.to_owned()).await;
}
