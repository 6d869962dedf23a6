//! What values become on the way to Redis and back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use redwire_client::compat::convert_numbers;
use redwire_client::redis::{
    AsyncCommands, Cmd, ExistenceCheck, InfoDict, SetExpiry, SetOptions, Value, cmd,
};
use redwire_client::{Error, Outcome, Redis};
use redwire_test::{RedisServer, Reply, eventually};

async fn connected() -> (RedisServer, Redis) {
    let server = RedisServer::start().await;
    // Large values take their time on a busy machine.
    let url = format!("{}?command_timeout=30", server.url());
    let redis = Redis::connect(&url).await.expect("a handle");
    (server, redis)
}

fn command(words: &str) -> Cmd {
    let mut command = Cmd::new();
    words.split(' ').for_each(|word| {
        command.arg(word);
    });
    command
}

// S286, T-20: the charset is UTF-8, and the Rust type says whether it is text or bytes.
#[tokio::test]
async fn text_is_utf8_and_bytes_are_bytes() {
    let (_server, mut redis) = connected().await;
    let () = redis.set("text", "ü").await.unwrap();
    assert_eq!(redis.get::<_, String>("text").await.unwrap(), "ü");
    assert_eq!(redis.get::<_, Vec<u8>>("text").await.unwrap(), "ü".as_bytes());
    let () = redis.set("bytes", b"\xff\xfe".as_slice()).await.unwrap();
    assert_eq!(redis.get::<_, Vec<u8>>("bytes").await.unwrap(), b"\xff\xfe");
    let error = redis.query::<String>(&command("GET bytes")).await.unwrap_err();
    assert!(matches!(&error, Error::Reply { command, .. } if command == "GET"), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Answered);
}

// S257, J-25: what decodes is said by the type, however deep.
#[tokio::test]
async fn nested_replies_are_decoded_as_their_type_says() {
    let (_server, redis) = connected().await;
    let mut script = cmd("EVAL");
    script.arg("return {'ü', {'b', {'\\255', 5}}}").arg(0);
    type Nested<T> = (T, (T, (Vec<u8>, i64)));
    let text: Nested<String> = redis.query(&script).await.unwrap();
    assert_eq!(text, ("ü".to_owned(), ("b".to_owned(), (vec![255], 5))));
    let bytes: Nested<Vec<u8>> = redis.query(&script).await.unwrap();
    assert_eq!(bytes.0, "ü".as_bytes());
    let raw = redis.command(&script).await.unwrap();
    assert!(matches!(raw, Value::Array(items) if items[0] == Value::BulkString("ü".into())));
}

// S287, S288, T-21
#[tokio::test]
async fn texts_that_look_like_numbers_stay_texts_unless_converted() {
    let (_server, mut redis) = connected().await;
    for text in ["5", "007", "1.10", "1_000"] {
        let () = redis.set(text, text).await.unwrap();
        assert_eq!(redis.get::<_, String>(text).await.unwrap(), text);
        let raw = redis.command(cmd("GET").arg(text)).await.unwrap();
        assert_eq!(raw, Value::BulkString(text.into()));
    }
    let raw = redis.command(&command("MGET 5 007 1.10 1_000 none")).await.unwrap();
    let numbers = [Value::Int(5), Value::Int(7), Value::Double(1.1), Value::Int(1000), Value::Nil];
    assert_eq!(convert_numbers(raw), Value::Array(numbers.into()));
}

// S289, T-31: NX together with XX has no `SetOptions`.
#[tokio::test]
async fn set_takes_its_options() {
    let (server, mut redis) = connected().await;
    let expires = |expiry| SetOptions::default().with_expiration(expiry);
    let () = redis.set_options("a", 1, expires(SetExpiry::EX(10))).await.unwrap();
    assert_eq!(redis.ttl::<_, i64>("a").await.unwrap(), 10);
    let () = redis.set_options("b", 1, expires(SetExpiry::PX(100))).await.unwrap();
    assert!((1..=100).contains(&redis.pttl::<_, i64>("b").await.unwrap()));
    let new = SetOptions::default().conditional_set(ExistenceCheck::NX);
    assert_eq!(redis.set_options::<_, _, Value>("a", 2, new).await.unwrap(), Value::Nil);
    assert_eq!(server.command(&["GET", "a"]).await, Reply::bulk("1"));
    let error = redis.command(&command("SET a 2 NX XX")).await.unwrap_err();
    assert!(error.to_string().ends_with("refused SET: ERR syntax error"), "{error}");
}

// S290, T-24
#[tokio::test]
async fn replies_have_the_shape_of_what_they_say() {
    let (_server, mut redis) = connected().await;
    let () = redis.hset_multiple("h", &[("a", "1"), ("b", "2")]).await.unwrap();
    let map: HashMap<String, String> = redis.hgetall("h").await.unwrap();
    assert_eq!(map, [("a", "1"), ("b", "2")].map(|(k, v)| (k.into(), v.into())).into());
    assert!(redis.hgetall::<_, HashMap<String, String>>("missing").await.unwrap().is_empty());
    assert!(redis.hexists::<_, _, bool>("h", "a").await.unwrap());
    assert!(!redis.hexists::<_, _, bool>("h", "c").await.unwrap());

    let () = redis.sadd("s", &["one", "two", "three"]).await.unwrap();
    let set: BTreeSet<String> = redis.smembers("s").await.unwrap();
    assert_eq!(set.len(), 3);
    assert!(redis.sismember::<_, _, bool>("s", "one").await.unwrap());
    assert!(redis.smove::<_, _, _, bool>("s", "other", "one").await.unwrap());
    assert!(!redis.smove::<_, _, _, bool>("s", "other", "one").await.unwrap());

    let () = redis.zadd_multiple("z", &[(1, "one"), (2, "two")]).await.unwrap();
    let pairs: Vec<(String, f64)> = redis.zrange_withscores("z", 0, -1).await.unwrap();
    assert_eq!(pairs, [("one".to_owned(), 1.0), ("two".to_owned(), 2.0)]);
    assert_eq!(redis.zscore::<_, _, Option<f64>>("z", "three").await.unwrap(), None);
    assert_eq!(redis.zincr::<_, _, _, f64>("z", "one", 0.5).await.unwrap(), 1.5);

    let info: InfoDict = redis.query(&command("INFO server")).await.unwrap();
    assert!(info.get::<String>("redis_version").is_some());
    let exist: Vec<bool> = redis.query(&command("SCRIPT EXISTS 00 11")).await.unwrap();
    assert_eq!(exist, [false, false]);
}

// S291, T-31, T-34, T-36. Redis-rs' types have no room for an odd ZADD, an offset without a count, an
// aggregate SIN, the start of BITCOUNT without its end, a BITOP without sources or a NOT of two; so only
// what is written by hand can be wrong, and Redis says so.
#[tokio::test]
async fn what_is_written_by_hand_and_wrong_is_an_error_reply() {
    let (_server, redis) = connected().await;
    redis.command(&command("ZADD z 1 one")).await.unwrap();
    redis.command(&command("SET s x")).await.unwrap();
    for words in [
        "ZADD z 1 one 2",
        "ZRANGEBYSCORE z 0 1 LIMIT 0",
        "ZUNIONSTORE to 1 z AGGREGATE SIN",
        "SORT z LIMIT 0",
        "BITCOUNT s 0",
        "BITOP AND to",
        "BITOP NOT to s s",
    ] {
        let error = redis.command(&command(words)).await.unwrap_err();
        assert!(
            matches!(&error, Error::Server { code, .. } if code == "ERR"),
            "{words}: {error:?}"
        );
    }
    assert_eq!(redis.query::<String>(&command("GET s")).await.unwrap(), "x");
}

// S292
#[tokio::test]
async fn bits_are_combined() {
    let (_server, mut redis) = connected().await;
    let () = redis.set("a", b"\x0f\x0f\x0f\x0f".as_slice()).await.unwrap();
    let () = redis.set("b", b"\xf0\xf0\xf0\xf0".as_slice()).await.unwrap();
    let sources = ["a", "b"];
    let () = redis.bit_and("and", &sources).await.unwrap();
    let () = redis.bit_or("or", &sources).await.unwrap();
    let () = redis.bit_xor("xor", &sources).await.unwrap();
    let () = redis.bit_not("not", "a").await.unwrap();
    redis.command(&command("bitop Xor lower a b")).await.unwrap();
    for (key, byte) in [("and", 0), ("or", 255), ("xor", 255), ("not", 0xf0), ("lower", 255)] {
        assert_eq!(redis.get::<_, Vec<u8>>(key).await.unwrap(), [byte; 4], "{key}");
    }
}

#[tokio::test]
async fn typed_replies_of_other_shapes_are_errors_that_name_the_command() {
    let (server, redis) = connected().await;
    redis.command(&command("SET a secret")).await.unwrap();
    for error in [
        redis.query::<i64>(&command("GET a")).await.unwrap_err(),
        redis.query::<BTreeMap<String, i64>>(&command("GET a")).await.unwrap_err(),
        redis.query::<String>(&command("GET none")).await.unwrap_err(),
    ] {
        let port = server.port();
        let expected = format!("redis at 127.0.0.1:{port} answered GET with an unexpected type");
        assert_eq!(error.to_string(), expected);
        assert!(!format!("{error:?}").contains("secret"));
    }
}

#[tokio::test]
async fn a_value_of_64_mib_goes_both_ways() {
    let (_server, mut redis) = connected().await;
    let value: Vec<u8> = (0..64 << 20).map(|at: u32| (at ^ (at >> 11)) as u8).collect();
    let () = redis.set("large", &value).await.unwrap();
    assert!(redis.get::<_, Vec<u8>>("large").await.unwrap() == value, "not the same");
}

// The limit of Redis is 512 MiB.
#[tokio::test]
async fn a_value_that_would_outgrow_redis_is_refused_and_the_connection_works_on() {
    let (_server, redis) = connected().await;
    let error = redis.command(&command("SETRANGE a 536870912 x")).await.unwrap_err();
    assert!(matches!(&error, Error::Server { command, .. } if command == "SETRANGE"), "{error:?}");
    assert!(error.to_string().contains("string exceeds maximum allowed size"), "{error}");
    assert_eq!(redis.query::<i64>(&command("STRLEN a")).await.unwrap(), 0);
}

// Redis reads no further than the length, says that it is too much and closes.
#[tokio::test]
async fn a_value_that_redis_does_not_take_costs_one_connection_only() {
    let (server, redis) = connected().await;
    server.command(&["CONFIG", "SET", "proto-max-bulk-len", "1mb"]).await;
    for _ in 0..5 {
        let mut write = cmd("SET");
        write.arg("secret").arg(vec![0_u8; 8 << 20]);
        let error = redis.command(&write).await.unwrap_err();
        assert!(
            matches!(&error, Error::Lost { command, .. } | Error::Server { command, .. } if command == "SET"),
            "{error:?}"
        );
        assert!(error.to_string().contains(&server.port().to_string()), "{error}");
        assert!(!format!("{error} {error:?}").contains("secret"));
        eventually("a new connection", async || redis.command(&command("PING")).await.is_ok())
            .await;
    }
    assert_eq!(server.command(&["DBSIZE"]).await.as_integer(), Some(0));
}
