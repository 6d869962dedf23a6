//! Redis behind TLS.

use std::process::Command;

use redwire_test::{RedisServer, Reply};

/// What `redis-cli`, whose TLS is not ours, gets to hear.
fn ping(redis: &RedisServer, authority: Option<&str>) -> String {
    let port = redis.port().to_string();
    let mut command = Command::new("redis-cli");
    command.args(["-h", "127.0.0.1", "-p", &port]);
    if let Some(authority) = authority {
        command.args(["--tls", "--cacert", authority]);
    }
    let output = command.arg("PING").output().expect("redis-cli");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[tokio::test]
async fn a_server_speaks_tls_and_nothing_else_and_its_authority_is_known() {
    let mut redis = RedisServer::start_tls().await;
    assert_eq!(redis.url(), format!("rediss://127.0.0.1:{}", redis.port()));
    let authority = redis.authority_pem().expect("a file");
    assert_eq!(ping(&redis, authority.to_str()), "PONG");
    assert_ne!(ping(&redis, None), "PONG");
    let stranger = RedisServer::start_tls().await;
    let other = stranger.authority_pem().expect("a file");
    assert_ne!(ping(&redis, other.to_str()), "PONG");
    redis.restart().await;
    assert_eq!(ping(&redis, authority.to_str()), "PONG");
    assert_eq!(redis.command(&["PING"]).await, Reply::Simple("PONG".into()));
}

#[tokio::test]
async fn a_server_without_tls_has_no_authority() {
    let redis = RedisServer::start().await;
    assert_eq!(redis.authority_pem(), None);
    assert_eq!(ping(&redis, None), "PONG");
}
