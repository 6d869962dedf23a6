//! Names never become commands or patterns at Redis.

use redwire_suites::Store;
use redwire_test::{RedisServer, Reply};
use serde_json::json;

use crate::Scene;

/// The commands that Redis has carried out, with their numbers: `cmdstat_hget:calls=1,…`.
async fn carried_out(redis: &RedisServer) -> String {
    match redis.command(&["INFO", "commandstats"]).await {
        Reply::Bulk(Some(text)) => String::from_utf8_lossy(&text).into_owned(),
        reply => panic!("INFO answered {reply:?}"),
    }
}

/// The gateway and this suite have used nothing but these.
async fn expect_only_reading(redis: &RedisServer) {
    let harmless =
        ["exists", "hello", "hget", "hset", "hvals", "info", "ping", "subscribe", "unsubscribe"];
    let stats = carried_out(redis).await;
    for line in stats.lines().filter_map(|line| line.strip_prefix("cmdstat_")) {
        let name = line.split(':').next().unwrap_or_default();
        assert!(harmless.contains(&name), "Redis was told to {name}");
    }
    assert!(stats.contains("cmdstat_hget:"), "nothing was read: {stats}");
}

#[tokio::test]
async fn commands_inside_names_are_names() {
    let store = Store::redis().await;
    store.hset("a", "FLUSHALL", "1").await;
    store.hset("a\0b", "c\0d", "2").await;
    let mut scene = Scene::on(&store).await;

    for (line, source, value) in [
        // White space splits words, whatever it looks like to Redis.
        ("GET a\r\nFLUSHALL", "a FLUSHALL", json!(1)),
        ("GET a\n\n\r\nFLUSHALL\r\n", "a FLUSHALL", json!(1)),
        ("GET\r\na\u{85}FLUSHALL", "a FLUSHALL", json!(1)),
        ("GET a\0b c\0d", "a\0b c\0d", json!(2)),
        ("GET a\0b", "a\0b", json!(2)),
        ("GET channel_name=a*1 ref=$8", "a*1 $8", json!(null)),
        (r"GET a\r\nFLUSHALL b", r"a\r\nFLUSHALL b", json!(null)),
        ("GET a;FLUSHALL b", "a;FLUSHALL b", json!(null)),
        ("GET a \"*1\"", "a \"*1\"", json!(null)),
        ("GET a%0d%0aFLUSHALL b", "a%0d%0aFLUSHALL b", json!(null)),
    ] {
        println!("{line:?}");
        scene.client.send(line).await;
        scene.client.expect(source, value).await;
        scene.expect_silence().await;
    }

    for (line, message) in [
        ("*1\r\n$8\r\nFLUSHALL\r\n", "unknown command `*1`"),
        ("GET *1\r\n$8\r\nFLUSHALL\r\n", "`*1` is not allowed"),
        (
            "GET channel_name=a\r\n*1\r\n$8\r\nFLUSHALL\r\n",
            "argument `channel_name` is given twice",
        ),
        ("SUB channel_name=a\r\n*1\r\n$8\r\nFLUSHALL\r\n", "no place for argument `$8`"),
        ("GET channel_name=*1\r\n$8\r\nFLUSHALL\r\n", "argument `channel_name` is given twice"),
        ("SUB a\r\nFLUSHALL", "no place for argument `FLUSHALL`"),
        ("PING\0\r\nFLUSHALL", "unknown command `PING\0`"),
    ] {
        println!("{line:?}");
        scene.client.send(line).await;
        scene.client.expect_error(message).await;
        scene.expect_silence().await;
    }

    let redis = store.as_redis();
    assert_eq!(redis.command(&["EXISTS", "a", "a\0b"]).await, Reply::Integer(2));
    expect_only_reading(redis).await;
}

#[tokio::test]
async fn glob_characters_in_channels_are_literal() {
    for store in Store::both().await {
        let mut scene = Scene::on(&store).await;
        let globs = ["a*", "a?", "a[a-z]*", "a\\*", "__keyspace@0__:*"];
        for glob in &globs[..4] {
            scene.client.subscribe(glob).await;
        }
        scene.client.send("SUB __keyspace@0__:*").await;
        scene.client.expect_error("is not allowed").await;
        for name in ["a", "ab", "abc", "a*b", "b"] {
            store.publish(name, r#""somebody else's""#).await;
        }
        for glob in &globs[..4] {
            store.publish(glob, r#""literal""#).await;
            scene.client.expect(glob, json!("literal")).await;
        }
        scene.expect_silence().await;
        if let Store::Redis(redis) = &store {
            assert_eq!(redis.command(&["PUBSUB", "NUMPAT"]).await, Reply::Integer(0));
            assert_eq!(redis.subscribers("a*").await, 1);
        }
    }
}

#[tokio::test]
async fn del_never_deletes() {
    for store in Store::both().await {
        for key in ["a", "b"] {
            store.hset(key, "f", "1").await;
        }
        let mut scene = Scene::on(&store).await;
        scene.client.subscribe("a").await;
        for line in ["DEL a", "DEL a", "DEL b", "DEL *", "DEL channel_name=b"] {
            scene.client.send(line).await;
            scene.expect_silence().await;
        }
        for key in ["a", "b"] {
            scene.client.send(format!("GET {key} f")).await;
            scene.client.expect(&format!("{key} f"), json!(1)).await;
        }
        if let Store::Redis(redis) = &store {
            assert_eq!(redis.command(&["EXISTS", "a", "b"]).await, Reply::Integer(2));
            expect_only_reading(redis).await;
        }
    }
}

#[tokio::test]
async fn names_with_nul_line_ends_and_all_bytes_of_resp_reach_redis_whole() {
    let store = Store::redis().await;
    let mut scene = Scene::on(&store).await;
    // No white space: that would end the word.
    for name in ["a\0", "a*1", "a$8", "a-ERR", "a+OK", "a:1", "a\u{1}\u{7f}", "aé🚂", "a\u{fffd}"]
    {
        println!("{name:?}");
        scene.client.subscribe(name).await;
        assert_eq!(store.as_redis().subscribers(name).await, 1);
        store.publish(name, "1").await;
        scene.client.expect(name, json!(1)).await;
    }
    scene.expect_silence().await;
}
