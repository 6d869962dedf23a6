use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use redwire_test::{Client, Program, RedisServer, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::serve;

#[tokio::test]
async fn s058_sigterm_closes_with_1012_and_the_program_exits_with_0() {
    let redis = RedisServer::start().await;
    let mut program = serve(&[], &redis).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(Client::open(&program.websocket("/")).await);
    }
    let told = async {
        for client in &mut clients {
            assert_eq!(client.expect_close(1012).await, "server restarts, come back soon");
        }
        // Dropping them answers the close.
        clients.clear();
    };
    let (status, ()) = tokio::join!(program.terminate(), told);
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn s058_without_visitors_it_ends_at_once() {
    let redis = RedisServer::reserved().await;
    let mut program = serve(&["--shutdown", "60"], &redis).await;
    assert_eq!(program.terminate().await.code(), Some(0));
}

/// The bound is the scenario: a closing handshake alone would be waited for 3 s.
#[tokio::test]
async fn s058_a_client_that_never_answers_does_not_hold_it_longer_than_the_shutdown_time() {
    let redis = RedisServer::start().await;
    let mut program = serve(&["--shutdown", "1"], &redis).await;
    let silent = Client::open(&program.websocket("/")).await;
    let asked = Instant::now();
    let status = program.terminate().await;
    let took = asked.elapsed();
    assert_eq!(status.code(), Some(0));
    let bound = Duration::from_secs(1)..Duration::from_millis(2_500);
    assert!(bound.contains(&took), "it took {took:?}");
    drop(silent);
}

/// The bound is the scenario: after one signal it would wait for the closing handshake, 3 s.
#[tokio::test]
async fn a_second_signal_ends_it_whoever_has_not_answered() {
    let redis = RedisServer::start().await;
    let mut program = serve(&["--shutdown", "3600"], &redis).await;
    let mut silent = Client::open(&program.websocket("/")).await;
    let asked = Instant::now();
    program.ask_to_end();
    silent.expect_close(1012).await;
    assert_eq!(program.terminate().await.code(), Some(0));
    let took = asked.elapsed();
    assert!(took < Duration::from_millis(2_500), "it took {took:?}");
}

#[tokio::test]
async fn s058_while_it_drains_it_is_healthy_and_not_ready_and_admits_nobody() {
    let redis = RedisServer::start().await;
    let mut program = serve(&[], &redis).await;
    let silent = Client::open(&program.websocket("/")).await;
    let port = program.port();
    assert_eq!(status(port, "/readyz").await, Some(200));
    let watching = async {
        eventually("the program not to be ready", async || {
            status(port, "/readyz").await == Some(503)
        })
        .await;
        assert_eq!(status(port, "/healthz").await, Some(200));
        assert_eq!(Client::refused(format!("ws://127.0.0.1:{port}/")).await, 503);
        drop(silent);
    };
    let (exit, ()) = tokio::join!(program.terminate(), watching);
    assert_eq!(exit.code(), Some(0));
}

/// [`Program::http`] needs the program that `terminate` holds.
async fn status(port: u16, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
    let request = format!("GET {path} HTTP/1.0\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

#[tokio::test]
async fn s058_it_drains_although_redis_is_frozen() {
    let redis = RedisServer::start().await;
    let mut program: Program = serve(&[], &redis).await;
    let mut client = Client::open(&program.websocket("/")).await;
    redis.freeze();
    client.send("GET trains").await;
    let told = async {
        client.expect_close(1012).await;
        drop(client);
    };
    let (status, ()) = tokio::join!(program.terminate(), told);
    assert_eq!(status.code(), Some(0));
}
