//! The example over real sockets.

use std::net::Ipv4Addr;

use redwire_test::{PATIENCE, Program, RedisServer};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

async fn example(redis: &RedisServer) -> Program {
    Program::start(env!("CARGO_BIN_EXE_example-http"), redis).await
}

/// Sends a request and leaves the answer to be read.
async fn ask(program: &Program, request: &str, form: &str) -> BufReader<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, program.port())).await;
    let mut stream = stream.expect("a connection");
    let length = form.len();
    let head = format!(
        "{request} HTTP/1.0\r\nhost: localhost\r\ncontent-length: {length}\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\n{form}"
    );
    stream.write_all(head.as_bytes()).await.expect("a request that can be sent");
    BufReader::new(stream)
}

/// The status, the type and the body.
async fn answer(program: &Program, request: &str, form: &str) -> (u16, String, String) {
    let mut text = String::new();
    let mut stream = ask(program, request, form).await;
    let read = timeout(PATIENCE, stream.read_to_string(&mut text)).await;
    read.expect("an answer in time").expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let header = |line: &str| line.to_lowercase().strip_prefix("content-type: ").map(str::to_owned);
    (status, head.lines().find_map(header).unwrap_or_default(), body.to_owned())
}

// S317
#[tokio::test]
async fn texts_are_written_read_and_deleted_and_without_redis_it_says_503() {
    let mut redis = RedisServer::start().await;
    let program = example(&redis).await;
    let text = |body: &str| (200, "text/plain; charset=utf-8".to_owned(), body.to_owned());
    assert_eq!(answer(&program, "POST /text/foo", "value=bar").await, text("foo=bar\r\n"));
    assert_eq!(answer(&program, "GET /text/foo", "").await, text("foo=bar\r\n"));
    assert_eq!(answer(&program, "DELETE /text/foo", "").await, text("DEL foo=1\r\n"));
    assert_eq!(answer(&program, "GET /text/foo", "").await, text("foo=None\r\n"));
    redis.kill().await;
    let (status, kind, _) = answer(&program, "GET /text/foo", "").await;
    assert_eq!((status, kind.as_str()), (503, "text/html; charset=utf-8"));
    redis.restart().await;
    until_served(&program).await;
}

/// Redis is back at once, and the client a moment later.
async fn until_served(program: &Program) {
    let served = async { while answer(program, "GET /text/foo", "").await.0 != 200 {} };
    timeout(PATIENCE, served).await.expect("the client to come back");
}

// S318
#[tokio::test]
async fn whoever_listens_hears_what_is_said() {
    let redis = RedisServer::start().await;
    let program = example(&redis).await;
    let mut listener = ask(&program, "GET /queue/a,b.*", "").await;
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        listener.read_line(&mut line).await.unwrap();
    }
    let mut next = async || {
        let mut line = String::new();
        timeout(PATIENCE, listener.read_line(&mut line)).await.expect("a line").unwrap();
        line
    };
    assert_eq!(next().await, "subscribed to a\r\n");
    assert_eq!(next().await, "subscribed to b.*\r\n");
    assert_eq!(answer(&program, "POST /queue/a", "message=hi").await.2, "OK 1\r\n");
    assert_eq!(next().await, "a: hi\r\n");
    redis.publish("b.x", "y").await;
    assert_eq!(next().await, "b.x: y\r\n");
}
