use std::path::Path;

use redwire_test::{Client, Program, RedisServer, eventually};
use serde_json::{Value, json};

use crate::REDWIRE;

/// Every secret that a line of log could give away holds this.
const SECRET: &str = "hunter2";

/// `redwire serve` that logs all it can into a file.
async fn logging_into(log: &Path, args: &[&str]) -> Program {
    let script = "exec 2>\"$0\"; export RUST_LOG=trace; exec \"$@\"";
    let run = ["-c", script, log.to_str().expect("a path"), REDWIRE, "serve"];
    Program::start_with("sh", &[&run, args].concat(), None).await
}

/// Runs into everything that is logged, and returns the log.
async fn eventful(args: &[&str]) -> String {
    let mut redis = RedisServer::start().await;
    let user = format!(">{SECRET}");
    redis.command(&["ACL", "SETUSER", "ann", "on", &user, "allkeys", "allchannels", "+@all"]).await;
    let url = format!("redis://ann:{SECRET}@127.0.0.1:{}", redis.port());
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let args = [&["--redis", &url], args].concat();
    let mut program = logging_into(log.path(), &args).await;

    let mut client = Client::open(&program.websocket("/")).await;
    redis.hset("k-hunter2", "f-hunter2", "\"hunter2\"").await;
    redis.command(&["SET", "string-hunter2", "hunter2"]).await;
    client.send("GET k-hunter2 f-hunter2 r-hunter2").await;
    client.expect_referenced("k-hunter2 f-hunter2", json!("hunter2"), "r-hunter2").await;
    client.send("GET string-hunter2").await;
    client.expect("string-hunter2", json!(null)).await;
    client.subscribe("c-hunter2").await;
    redis.publish("c-hunter2", "not JSON: hunter2").await;
    redis.publish("c-hunter2", "\"hunter2\"").await;
    client.expect("c-hunter2", json!("hunter2")).await;
    for line in ["hunter2", "GET Hunter2-hunter2", "SUB hunter2 hunter2", "GET a hunter2=hunter2"] {
        client.send(line).await;
        client.expect_error("hunter2").await;
    }
    redis.command(&["ACL", "SETUSER", "ann", "-hget"]).await;
    client.send("GET k-hunter2 f-hunter2").await;
    client.expect_error("the data store answered with an error").await;
    // The user is gone after this, so the link is refused until the end.
    redis.restart().await;
    client.send("GET k-hunter2").await;
    client.expect_error("the data store is not connected").await;
    client.send_binary(*b"hunter2").await;
    client.close().await;
    program.http("/metrics?hunter2").await;
    assert_eq!(program.terminate().await.code(), Some(0));
    std::fs::read_to_string(log.path()).expect("the log")
}

#[tokio::test]
async fn no_key_payload_or_password_is_logged_even_at_trace() {
    let log = eventful(&[]).await;
    // It does log all that happened, in plain text.
    for logged in ["listening", "refused a line", "malformed message", "redis refused a command"] {
        assert!(log.contains(logged), "no {logged:?} in {log}");
    }
    assert!(log.contains("redis link is lost"), "{log}");
    assert!(!log.contains('\u{1b}'), "colours are for terminals: {log}");
    assert!(!log.contains(SECRET), "{log}");
}

#[tokio::test]
async fn a_cache_that_redis_does_not_permit_is_told_once_and_why() {
    let redis = RedisServer::start().await;
    let rules = ["on", ">pw", "allkeys", "allchannels", "+@all", "-client|tracking"];
    redis.command(&[&["ACL", "SETUSER", "ann"], &rules[..]].concat()).await;
    let url = format!("redis://ann:pw@127.0.0.1:{}", redis.port());
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let program = logging_into(log.path(), &["--redis", &url, "--cache", "8"]).await;
    let said = |text: &str| {
        let log = std::fs::read_to_string(log.path()).expect("the log");
        log.lines().filter(|line| line.contains(text)).count()
    };
    let mut client = Client::open(&program.websocket("/")).await;
    for lives in 1..=3 {
        let refused = "refused CLIENT TRACKING: NOPERM";
        eventually("tracking to be refused", async || said(refused) >= lives).await;
        redis.hset("trains", "42", lives.to_string()).await;
        client.send("GET trains 42").await;
        client.expect("trains 42", json!(lives)).await;
        redis.command(&["CLIENT", "KILL", "USER", "ann"]).await;
        eventually("the loss to be told", async || said("redis link is lost") == 2 * lives).await;
        eventually("both links", async || program.http("/readyz").await.0 == 200).await;
    }
    assert_eq!(said("reads are not cached"), 1);
}

#[tokio::test]
async fn every_line_of_a_json_log_is_json() {
    let log = eventful(&["--log", "json"]).await;
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(lines.len() > 5, "{log}");
    for line in &lines {
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
        assert!(line["fields"]["message"].is_string(), "{line}");
    }
    assert!(!log.contains(SECRET), "{log}");
}
