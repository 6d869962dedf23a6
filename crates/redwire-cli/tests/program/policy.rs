use redwire_test::tungstenite::client::IntoClientRequest;
use redwire_test::tungstenite::handshake::client::Request;
use redwire_test::{Client, RedisServer};
use serde_json::json;

use crate::serve;

#[tokio::test]
async fn channels_says_what_may_be_seen_and_deny_what_may_not() {
    let redis = RedisServer::start().await;
    let args = ["--channels", "public.*,clock", "--deny", "*.secret", "--deny", "public.[0-9]*"];
    let program = serve(&args, &redis).await;
    let mut client = Client::open(&program.websocket("/")).await;
    for denied in ["public.secret", "public.1", "private", "Public.a"] {
        for command in ["SUB", "GET"] {
            client.send(format!("{command} {denied}")).await;
            client.expect_error(&format!("`{denied}` is not allowed")).await;
        }
    }
    for allowed in ["public.trains", "clock"] {
        client.subscribe(allowed).await;
        redis.publish(allowed, "1").await;
        client.expect(allowed, json!(1)).await;
        client.send(format!("GET {allowed}")).await;
        client.expect(allowed, json!(null)).await;
    }
}

#[tokio::test]
async fn a_channel_that_redis_itself_forbids_is_refused_with_an_error_frame() {
    let redis = RedisServer::start().await;
    let rules = ["resetchannels", "&public.*", "allkeys", "+@all"];
    let user = [&["ACL", "SETUSER", "ann", "on", ">secret"], &rules[..]].concat();
    redis.command(&user).await;
    let url = format!("redis://ann:secret@127.0.0.1:{}", redis.port());
    let program = serve(&["--redis", &url], &redis).await;
    let mut client = Client::open(&program.websocket("/")).await;
    client.send("SUB private").await;
    client.expect_error("the data store does not allow it").await;
    client.subscribe("public.trains").await;
    redis.publish("private", "1").await;
    redis.publish("public.trains", "2").await;
    client.expect("public.trains", json!(2)).await;
}

/// Keyspace events name every key that is written.
#[tokio::test]
async fn names_that_redis_itself_publishes_under_are_denied_even_to_a_star() {
    let redis = RedisServer::start().await;
    redis.command(&["CONFIG", "SET", "notify-keyspace-events", "KEA"]).await;
    let program = serve(&["--channels", "*"], &redis).await;
    let mut client = Client::open(&program.websocket("/")).await;
    for reserved in ["__keyspace@0__:x", "__keyevent@0__:hset", "__sentinel__:hello"] {
        client.send(format!("SUB {reserved}")).await;
        client.expect_error("is not allowed").await;
        client.send(format!("GET {reserved}")).await;
        client.expect_error("is not allowed").await;
    }
    redis.hset("x", "a", "1").await;
    client.expect_silence().await;

    let named = serve(&["--channels", "__keyspace@0__:x"], &redis).await;
    let mut client = Client::open(&named.websocket("/")).await;
    client.subscribe("__keyspace@0__:x").await;
}

#[tokio::test]
async fn compat_closes_on_malformed_commands_and_ignores_what_is_unknown_or_denied() {
    let redis = RedisServer::start().await;
    redis.hset("private", "a", "1").await;
    let program = serve(&["--compat", "--channels", "public.*"], &redis).await;
    let mut client = Client::open(&program.websocket("/")).await;
    for silent in ["SUB private", "FOO bar", "get public.a"] {
        client.send(silent).await;
        client.expect_silence().await;
    }
    client.send("GET private a").await;
    client.expect("private a", json!(1)).await;
    client.send("GET").await;
    client.expect_close(1011).await;
}

#[tokio::test]
async fn only_the_listed_pages_may_connect() {
    let redis = RedisServer::start().await;
    let program = serve(&["--origin", "https://map.example"], &redis).await;
    let from = |origin: &str| -> Request {
        let mut request = program.websocket("/").into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request
    };
    assert_eq!(Client::refused(from("https://evil.example")).await, 403);
    let mut page = Client::connect_with(from("https://map.example")).await.unwrap();
    page.expect("websocket", json!({"status": "open"})).await;
    Client::open(&program.websocket("/")).await.expect_silence().await;
}
