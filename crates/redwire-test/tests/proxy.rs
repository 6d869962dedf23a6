//! The network between a client and its server.

use std::io::ErrorKind;

use redwire_test::{Proxy, RedisServer, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(("127.0.0.1", proxy.port())).await.expect("a connection")
}

async fn ping(stream: &mut TcpStream) {
    stream.write_all(b"PING\r\n").await.expect("a write");
}

async fn pong(stream: &mut TcpStream) {
    let mut pong = [0; 7];
    stream.read_exact(&mut pong).await.expect("seven bytes");
    assert_eq!(&pong, b"+PONG\r\n");
}

async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes).await {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => bytes,
    }
}

#[tokio::test]
async fn a_reply_is_cut_after_any_byte_and_the_next_connection_is_whole() {
    let redis = RedisServer::start().await;
    let proxy = Proxy::start(&redis).await;
    for count in 0..=7 {
        let mut client = connect(&proxy).await;
        proxy.cut_reply_after(count);
        ping(&mut client).await;
        assert_eq!(read_to_end(&mut client).await, b"+PONG\r\n"[..count]);
        proxy.until_cut().await;
    }
    let mut client = connect(&proxy).await;
    ping(&mut client).await;
    pong(&mut client).await;
    assert_eq!(proxy.connections(), 9);
}

#[tokio::test]
async fn a_cut_counts_over_replies() {
    let redis = RedisServer::start().await;
    let proxy = Proxy::start(&redis).await;
    let mut client = connect(&proxy).await;
    proxy.cut_reply_after(9);
    ping(&mut client).await;
    pong(&mut client).await;
    ping(&mut client).await;
    assert_eq!(read_to_end(&mut client).await, b"+P");
}

#[tokio::test]
async fn a_frozen_proxy_passes_nothing_until_it_is_thawed() {
    let redis = RedisServer::start().await;
    let proxy = Proxy::start(&redis).await;
    let mut client = connect(&proxy).await;
    ping(&mut client).await;
    pong(&mut client).await;
    proxy.freeze();
    let mut late = connect(&proxy).await;
    ping(&mut client).await;
    ping(&mut late).await;
    // Redis itself has answered something else by now, and would have answered this.
    redis.command(&["PING"]).await;
    assert!(client.try_read(&mut [0]).is_err());
    proxy.thaw();
    pong(&mut client).await;
    pong(&mut late).await;
}

#[tokio::test]
async fn killed_connections_end_and_new_ones_are_accepted() {
    let redis = RedisServer::start().await;
    let proxy = Proxy::start(&redis).await;
    let mut client = connect(&proxy).await;
    ping(&mut client).await;
    pong(&mut client).await;
    proxy.kill_all().await;
    assert_eq!(proxy.open_connections(), 0);
    assert_eq!(read_to_end(&mut client).await, b"");
    let mut client = connect(&proxy).await;
    ping(&mut client).await;
    pong(&mut client).await;
}

#[tokio::test]
async fn it_refuses_new_connections_and_keeps_the_old() {
    let redis = RedisServer::start().await;
    let mut proxy = Proxy::start(&redis).await;
    let mut client = connect(&proxy).await;
    ping(&mut client).await;
    pong(&mut client).await;
    proxy.refuse().await;
    assert!(TcpStream::connect(("127.0.0.1", proxy.port())).await.is_err());
    ping(&mut client).await;
    pong(&mut client).await;
    proxy.accept();
    ping(&mut connect(&proxy).await).await;
}

#[tokio::test]
async fn a_server_that_dies_takes_the_connection_along() {
    let mut redis = RedisServer::start().await;
    let proxy = Proxy::start(&redis).await;
    let mut client = connect(&proxy).await;
    ping(&mut client).await;
    pong(&mut client).await;
    redis.kill().await;
    assert_eq!(read_to_end(&mut client).await, b"");
    eventually("the connection to be forgotten", async || proxy.open_connections() == 0).await;
}
