//! The server that every other test relies on.

use std::future::Future;
use std::net::TcpStream;
use std::pin::Pin;

use redwire_test::{Generation, RedisServer, Reply, eventually};

#[tokio::test]
async fn a_started_server_answers_on_its_port_and_its_socket() {
    let redis = RedisServer::start().await;
    assert!(TcpStream::connect(("127.0.0.1", redis.port())).is_ok());
    assert_eq!(redis.command(&["PING"]).await, Reply::Simple("PONG".into()));
    assert_eq!(redis.url(), format!("redis://127.0.0.1:{}", redis.port()));
}

#[tokio::test]
async fn servers_of_two_tests_do_not_meet() {
    let (one, two) = (RedisServer::start().await, RedisServer::start().await);
    one.hset("key", "field", "value").await;
    assert_eq!(two.command(&["EXISTS", "key"]).await, Reply::Integer(0));
}

#[tokio::test]
async fn a_killed_server_comes_back_empty_on_the_same_port() {
    let mut redis = RedisServer::start().await;
    let port = redis.port();
    redis.hset("key", "field", "value").await;
    redis.kill().await;
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    redis.restart().await;
    assert_eq!(redis.port(), port);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert_eq!(redis.command(&["EXISTS", "key"]).await, Reply::Integer(0));
}

#[tokio::test]
async fn a_reserved_port_refuses_until_the_server_is_started() {
    let mut redis = RedisServer::reserved().await;
    assert!(TcpStream::connect(("127.0.0.1", redis.port())).is_err());
    redis.restart().await;
    assert!(TcpStream::connect(("127.0.0.1", redis.port())).is_ok());
}

#[tokio::test]
async fn keys_and_values_may_hold_any_bytes() {
    let redis = RedisServer::start().await;
    let (key, field, value) = (b"a\0b\r\nc", b"\xff\xfe", b"\r\n\0$5\r\n");
    redis.hset(key, field, value).await;
    assert_eq!(redis.command(&[b"HGET".as_slice(), key, field]).await, Reply::bulk(value));
}

#[tokio::test]
async fn every_kind_of_reply_is_read() {
    let redis = RedisServer::start().await;
    redis.command(&["RPUSH", "list", "a", "b"]).await;
    let list = Reply::Array(Some(vec![Reply::bulk("a"), Reply::bulk("b")]));
    assert_eq!(redis.command(&["LRANGE", "list", "0", "-1"]).await, list);
    assert_eq!(redis.command(&["GET", "nothing"]).await, Reply::Bulk(None));
    assert_eq!(redis.command(&["BLPOP", "nothing", "0.001"]).await, Reply::Array(None));
    let Reply::Error(error) = redis.command(&["GET", "list"]).await else { panic!("no error") };
    assert!(error.starts_with("WRONGTYPE"), "{error}");
}

#[tokio::test]
async fn a_frozen_server_accepts_and_answers_when_it_is_thawed() {
    let redis = RedisServer::start().await;
    redis.freeze();
    assert!(TcpStream::connect(("127.0.0.1", redis.port())).is_ok());
    let mut asked = Box::pin(redis.command(&["PING"]));
    assert!({ poll_once(&mut asked).await.is_none() });
    redis.thaw();
    assert_eq!(asked.await, Reply::Simple("PONG".into()));
}

#[tokio::test]
async fn nobody_is_subscribed_to_begin_with() {
    let redis = RedisServer::start().await;
    redis.until_subscribed("channel", 0).await;
    assert_eq!(redis.publish("channel", "hello").await, 0);
}

#[tokio::test]
async fn a_panic_outside_of_tokio_ends_the_server() {
    let redis = RedisServer::start().await;
    let port = redis.port();
    let panicked = std::thread::spawn(move || {
        let _redis = redis;
        panic!("as a failing test would");
    });
    assert!(panicked.join().is_err());
    eventually("the port to refuse", async || TcpStream::connect(("127.0.0.1", port)).is_err())
        .await;
}

#[tokio::test]
async fn a_password_does_not_lock_the_test_out() {
    let redis = RedisServer::start_with(&["--requirepass", "x", "--maxmemory", "64mb"]).await;
    redis.hset("key", "field", "value").await;
    redis.command(&["ACL", "SETUSER", "default", "off"]).await;
    assert_eq!(redis.command(&["HGET", "key", "field"]).await, Reply::bulk("value"));
    let memory = redis.command(&["CONFIG", "GET", "maxmemory"]).await;
    assert_eq!(memory, Reply::Array(Some(vec![Reply::bulk("maxmemory"), Reply::bulk("67108864")])));
}

#[tokio::test]
async fn the_second_generation_is_valkey() {
    let valkey = RedisServer::start_on(Generation::Valkey).await;
    let Reply::Bulk(Some(info)) = valkey.command(&["INFO", "server"]).await else {
        panic!("no INFO")
    };
    assert!(String::from_utf8_lossy(&info).contains("valkey_version:9."));
}

async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}
