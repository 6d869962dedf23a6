//! What every program does with a `Redis`: commands, shared connections, databases.

use redwire_client::redis::{Cmd, ErrorKind, ServerErrorKind, Value, cmd, pipe};
use redwire_client::{Config, Error, Outcome, Redis};
use redwire_test::{Answer, FakeServer, RedisServer, Reply};

async fn connected() -> (RedisServer, Redis) {
    let server = RedisServer::start().await;
    let redis = Redis::connect(&server.url()).await.expect("a handle");
    (server, redis)
}

fn command<A: AsRef<[u8]>>(words: &[A]) -> Cmd {
    let mut command = Cmd::new();
    words.iter().for_each(|word| {
        command.arg(word.as_ref());
    });
    command
}

fn text(text: &str) -> Value {
    Value::BulkString(text.into())
}

// S210
#[tokio::test]
async fn commands_are_sent_as_they_are_written_in_any_case() {
    let (_server, redis) = connected().await;
    assert_eq!(redis.command(&command(&["SET", "a", "b"])).await.unwrap(), Value::Okay);
    assert_eq!(redis.command(&command(&["get", "a"])).await.unwrap(), text("b"));
    assert_eq!(redis.command(&command(&["GET", "nope"])).await.unwrap(), Value::Nil);
}

// S211
#[tokio::test]
async fn keys_and_values_may_hold_any_bytes() {
    let (server, redis) = connected().await;
    let bytes = b"\x00\x01\x02\xff\r\n*1\r\n";
    redis.command(&command(&[b"SET".as_slice(), bytes, bytes])).await.unwrap();
    let read: Vec<u8> = redis.query(&command(&[b"GET".as_slice(), bytes])).await.unwrap();
    assert_eq!(read, bytes);
    assert_eq!(server.command(&[b"GET".as_slice(), bytes]).await, Reply::bulk(bytes));
}

// S212; what S213 refuses (lists within lists, maps as one argument) has no `ToRedisArgs`.
#[tokio::test]
async fn numbers_are_written_in_their_shortest_exact_form() {
    let (_server, redis) = connected().await;
    let echo = async |argument: f64| redis.query::<String>(cmd("ECHO").arg(argument)).await;
    assert_eq!(redis.query::<String>(cmd("ECHO").arg(-5)).await.unwrap(), "-5");
    assert_eq!(
        redis.query::<String>(cmd("ECHO").arg(i64::MIN)).await.unwrap(),
        "-9223372036854775808"
    );
    assert_eq!(echo(0.1).await.unwrap(), "0.1");
    for number in [1e22, 1e-9, f64::MIN_POSITIVE, f64::MAX, 1.0 / 3.0, -0.0] {
        let written = echo(number).await.unwrap();
        assert_eq!(written.parse::<f64>().unwrap().to_bits(), number.to_bits(), "{written}");
    }
    let sum: String = redis.query(cmd("INCRBYFLOAT").arg("f").arg(0.1)).await.unwrap();
    assert_eq!(sum, "0.1");
}

// S214
#[tokio::test]
async fn large_values_and_keys_are_carried_whole() {
    let (_server, redis) = connected().await;
    let value = "test_chunk_encoded_command_a".repeat(10_240);
    redis.command(&command(&["SET", "k", &value])).await.unwrap();
    assert_eq!(redis.query::<String>(&command(&["GET", "k"])).await.unwrap(), value);
    let keys = ["a", "b", "c"].map(|key| key.repeat(98_000));
    let read = command(&["MGET", &keys[0], &keys[1], &keys[2]]);
    assert_eq!(redis.query::<Vec<Option<String>>>(&read).await.unwrap(), [None, None, None]);
}

// S215, S216
#[tokio::test]
async fn an_error_reply_is_an_error_of_its_own_command_only() {
    let (server, redis) = connected().await;
    redis.command(&command(&["SET", "a", "x"])).await.unwrap();
    let error = redis.command(&command(&["INCR", "a"])).await.unwrap_err();
    let expected = format!(
        "redis at 127.0.0.1:{} refused INCR: ERR value is not an integer or out of range",
        server.port()
    );
    assert_eq!((error.to_string(), error.outcome()), (expected, Outcome::Answered));
    let replies = redis.pipeline(pipe().incr("a", 1).get("a")).await.unwrap();
    assert!(matches!(&replies[0], Err(Error::Server { code, .. }) if code == "ERR"));
    assert_eq!(replies[1].as_ref().unwrap(), &text("x"));

    let error = redis.command(&command(&["nosuch", "secret"])).await.unwrap_err();
    assert!(error.to_string().contains("ERR unknown command 'nosuch'"), "{error}");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    let error = redis.command(&command(&["LPUSH", "a", "x"])).await.unwrap_err();
    assert!(matches!(error, Error::WrongType { .. }), "{error:?}");
}

// S217, S218
#[tokio::test]
async fn what_would_break_a_shared_connection_is_refused_before_a_byte_is_written() {
    let fake = FakeServer::start(|_| Answer::ok()).await;
    let redis = Redis::connect(&fake.url()).await.unwrap();
    let before = fake.everything().len();
    for (words, instead) in [
        ("AUTH secret", "give user and password in the url or the configuration"),
        ("HELLO 3", "give user and password in the url or the configuration"),
        ("select 1", "use `database`"),
        ("MULTI", "use `multi`"),
        ("EXEC", "use `multi` and `execute`"),
        ("DISCARD", "drop what `multi` returned"),
        ("WATCH a", "use `watch`"),
        ("UNWATCH", "drop what `watch` returned"),
        ("SUBSCRIBE a", "use `subscriber`"),
        ("PSUBSCRIBE a*", "use `subscriber`"),
        ("SSUBSCRIBE a", "use `subscriber`"),
        ("UNSUBSCRIBE", "use the subscriber's `unsubscribe`"),
        ("PUNSUBSCRIBE", "use the subscriber's `unsubscribe`"),
        ("SUNSUBSCRIBE", "use the subscriber's `unsubscribe`"),
        ("MONITOR", "use `monitor`"),
        ("CLIENT REPLY OFF", "replies tell callers apart"),
        ("QUIT", "use `close`"),
        ("RESET", "there is no state to reset"),
    ] {
        let command = command(&words.split(' ').collect::<Vec<_>>());
        let mut pipeline = pipe();
        pipeline.add_command(cmd("GET").arg("a").clone()).add_command(command.clone());
        for error in [
            redis.command(&command).await.unwrap_err(),
            redis.send(command.clone()).await.unwrap_err(),
            redis.pipeline(&pipeline).await.unwrap_err(),
            Error::from(command.exec_async(&mut redis.clone()).await.unwrap_err()),
        ] {
            let name = words.split(' ').next().unwrap().to_ascii_uppercase();
            assert_eq!(error.to_string(), format!("{name} was not sent: {instead}"));
            assert_eq!(error.outcome(), Outcome::NotSent);
        }
    }
    let error = redis.command(&Cmd::new()).await.unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    redis.command(&command(&["GET", "a"])).await.unwrap();
    let arrived = fake.everything().into_iter().skip(before);
    assert_eq!(arrived.filter(|it| !it.is("PING")).collect::<Vec<_>>(), ["GET a"]);
}

// S219, J-23
#[tokio::test]
async fn a_thousand_commands_are_answered_in_order_over_at_most_two_connections() {
    let server = RedisServer::start().await;
    let config = Config::from_url(&server.url()).unwrap().client_name("probe");
    let redis = Redis::connect_with(config).await.unwrap();
    let sent: Vec<_> = (0..1000).map(|_| redis.send(command(&["INCR", "p"]))).collect();
    for (number, reply) in (1..).zip(sent) {
        assert_eq!(reply.await.unwrap(), Value::Int(number));
    }
    let clients: String =
        redis.query(&command(&["CLIENT", "LIST", "TYPE", "normal"])).await.unwrap();
    let own = clients.lines().filter(|line| line.contains("name=probe")).count();
    assert!((1..=2).contains(&own), "{clients}");
}

// S220
#[tokio::test]
async fn what_nobody_waits_for_is_sent() {
    let (server, redis) = connected().await;
    drop(redis.send(command(&["SET", "z", "1"])));
    let arrived = async || server.command(&["GET", "z"]).await == Reply::bulk("1");
    redwire_test::eventually("the value", arrived).await;
}

// S221
#[tokio::test]
async fn six_commands_are_on_the_wire_before_the_first_reply() {
    let fake = FakeServer::start(|command| {
        Answer::Hold(format!("+{}\r\n", String::from_utf8_lossy(&command[1])).into_bytes())
    })
    .await;
    let redis = Redis::connect(&fake.url()).await.unwrap();
    let sent: Vec<_> =
        (0..6).map(|number| redis.send(command(&["GET", &format!("{number}")]))).collect();
    fake.until_received("GET", 6).await;
    fake.release();
    for (number, reply) in sent.into_iter().enumerate() {
        assert_eq!(reply.await.unwrap(), Value::SimpleString(number.to_string()));
    }
}

// S222
#[tokio::test]
async fn handles_of_different_databases_do_not_disturb_each_other() {
    let (_server, redis) = connected().await;
    let two = redis.database(2);
    two.command(&command(&["SET", "only2", "x"])).await.unwrap();
    let get = command(&["GET", "only2"]);
    assert_eq!(redis.command(&get).await.unwrap(), Value::Nil);
    let sent: Vec<_> = (0..50).map(|_| (redis.send(get.clone()), two.send(get.clone()))).collect();
    for (zero, two) in sent {
        assert_eq!((zero.await.unwrap(), two.await.unwrap()), (Value::Nil, text("x")));
    }
}

// S223
#[tokio::test]
async fn databases_are_not_selected_again_and_again() {
    let (server, redis) = connected().await;
    let two = redis.database(2);
    for redis in [&redis, &two] {
        for _ in 0..50 {
            redis.command(&command(&["GET", "a"])).await.unwrap();
        }
    }
    let Reply::Bulk(Some(stats)) = server.command(&["INFO", "commandstats"]).await else {
        panic!()
    };
    let stats = String::from_utf8(stats).unwrap();
    let selects = stats.lines().find(|line| line.starts_with("cmdstat_select:"));
    let calls = selects.map_or("0", |line| line.split(['=', ',']).nth(1).unwrap());
    assert!(calls.parse::<u32>().unwrap() <= 2, "{stats}");
}

// S263's neighbour: a number that Redis does not have.
#[tokio::test]
async fn a_database_that_is_not_there_is_refused_and_the_others_work_on() {
    let (_server, redis) = connected().await;
    let error = redis.database(99).command(&command(&["GET", "a"])).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    assert!(text.contains("could not set dbid=99: DB index is out of range"), "{text}");
    assert_eq!(redis.command(&command(&["GET", "a"])).await.unwrap(), Value::Nil);
}

// S269
#[tokio::test]
async fn replies_have_the_types_of_resp3() {
    let (_server, redis) = connected().await;
    for words in ["HSET h f v", "SADD s m", "ZADD z 1.5 m"] {
        redis.command(&command(&words.split(' ').collect::<Vec<_>>())).await.unwrap();
    }
    let reply = async |words: &[&str]| redis.command(&command(words)).await.unwrap();
    assert_eq!(reply(&["HGETALL", "h"]).await, Value::Map(vec![(text("f"), text("v"))]));
    assert_eq!(reply(&["SMEMBERS", "s"]).await, Value::Set(vec![text("m")]));
    assert_eq!(reply(&["ZSCORE", "z", "m"]).await, Value::Double(1.5));
    assert_eq!(reply(&["ZSCORE", "z", "other"]).await, Value::Nil);
}

#[tokio::test]
async fn error_replies_keep_their_kind_through_redis_rs() {
    let (_server, mut redis) = connected().await;
    redis.command(&command(&["SET", "a", "x"])).await.unwrap();
    let error = cmd("INCR").arg("a").exec_async(&mut redis).await.unwrap_err();
    let response = ErrorKind::Server(ServerErrorKind::ResponseError);
    assert_eq!((error.kind(), error.code()), (response, Some("ERR")));
}
