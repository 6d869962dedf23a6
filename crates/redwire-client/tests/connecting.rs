//! How a client comes to its server, and what becomes of commands when it does not or no longer.

use std::error::Error as _;
use std::time::Duration;

use redwire_client::redis::{Cmd, Value};
use redwire_client::{Config, Endpoint, Error, Outcome, Redis};
use redwire_test::{Answer, FakeServer, PATIENCE, RedisServer, eventually};
use tokio::time::timeout;

fn command(words: &str) -> Cmd {
    let mut command = Cmd::new();
    words.split(' ').for_each(|word| {
        command.arg(word);
    });
    command
}

fn config(url: &str) -> Config {
    Config::from_url(url).expect("a url").client_name("probe")
}

fn pong() -> Value {
    Value::SimpleString("PONG".to_owned())
}

/// How many connections of the client a server has.
async fn connections(server: &RedisServer) -> usize {
    let clients = server.command(&["CLIENT", "LIST"]).await;
    String::from_utf8_lossy(clients.as_bytes().unwrap_or_default()).matches("name=probe").count()
}

/// A server that hangs up on everybody.
async fn hanging_up() -> FakeServer {
    let fake = FakeServer::start(|_| Answer::Close).await;
    fake.script_handshakes();
    fake
}

/// Returns when a client that goes on trying, with the usual pauses, has done so three times.
async fn until_others_have_tried_again() {
    let fake = hanging_up().await;
    let _client = Redis::connect(&fake.url()).await.expect("a client without a connection");
    fake.until_attempted(1 + 3).await;
}

// S249
#[tokio::test]
async fn a_client_goes_on_trying() {
    let fake = hanging_up().await;
    let redis = Redis::connect(&fake.url()).await.unwrap();
    let error = redis.command(&command("GET key")).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    fake.until_attempted(3).await;
}

// S249, S281
#[tokio::test]
async fn a_client_that_may_not_reconnect_tries_once() {
    let fake = hanging_up().await;
    let error = Redis::connect_with(config(&fake.url()).reconnect(false)).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert_eq!((fake.attempts(), error.outcome()), (1, Outcome::NotSent));

    let nobody = RedisServer::reserved().await;
    let eager = config(&nobody.url()).reconnect(false).eager(true);
    let error = Redis::connect_with(eager).await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.source().is_some() && error.to_string().contains(&nobody.port().to_string()));
}

// S249
#[tokio::test]
async fn a_client_that_may_not_reconnect_fails_once_its_connection_is_lost() {
    let mut server = RedisServer::start().await;
    let redis = Redis::connect_with(config(&server.url()).reconnect(false)).await.unwrap();
    redis.command(&command("SET key value")).await.unwrap();
    server.restart().await;
    let fails = async || redis.command(&command("SET key value")).await.is_err();
    eventually("the loss to be noticed", fails).await;
    assert!(redis.command(&command("PING")).await.is_err());
    assert_eq!(connections(&server).await, 0);
}

// S250, J-01
#[tokio::test]
async fn the_first_endpoint_that_answers_is_used() {
    let [dead, live] = [RedisServer::reserved().await, RedisServer::start().await];
    let hanging = hanging_up().await;
    let ports = [dead.port(), hanging.port(), live.port()];
    let endpoints = ports.map(|port| Endpoint::tcp("127.0.0.1", port));
    let redis = Redis::connect_with(Config::default().endpoints(endpoints)).await.unwrap();
    assert_eq!(redis.command(&command("PING")).await.unwrap(), pong());
}

// S250
#[tokio::test]
async fn another_endpoint_stands_in_for_one_that_dies() {
    let [mut first, second] = [RedisServer::start().await, RedisServer::start().await];
    let endpoints = [&first, &second].map(|server| Endpoint::tcp("127.0.0.1", server.port()));
    let config = config("redis://").endpoints(endpoints);
    let redis = Redis::connect_with(config).await.unwrap();
    assert_eq!((connections(&first).await, connections(&second).await), (1, 0));
    first.kill().await;
    let works = async || redis.command(&command("PING")).await.is_ok();
    eventually("the other to answer", works).await;
    assert_eq!(connections(&second).await, 1);
}

// S252, J-06
#[tokio::test]
async fn after_a_reply_that_did_not_come_in_time_there_is_another_connection() {
    let fake = FakeServer::start(|command| match command {
        [name, ..] if name == b"INCR" => Answer::Silence,
        [name, ..] if name == b"GET" => Answer::bytes("+fine\r\n"),
        _ => Answer::Usual,
    })
    .await;
    let patience = Duration::from_millis(500);
    let redis = Redis::connect_with(config(&fake.url()).command_timeout(patience)).await.unwrap();
    let error = redis.command(&command("INCR key")).await.unwrap_err();
    let Error::Timeout { command: name, after, .. } = &error else { panic!("{error:?}") };
    assert_eq!((name.as_str(), *after, error.outcome()), ("INCR", patience, Outcome::Unknown));
    let fine = redis.command(&command("GET key")).await.unwrap();
    assert_eq!(fine, Value::SimpleString("fine".to_owned()));
    assert_eq!(fake.commands_of(0), ["INCR key"]);
    assert_eq!(fake.commands_of(1), ["GET key"]);
}

// S253, J-32
#[tokio::test]
async fn a_command_that_may_have_run_is_not_sent_again() {
    let fake = FakeServer::start(|command| match command {
        [name, ..] if name == b"INCR" => Answer::Close,
        [name, ..] if name == b"GET" => Answer::bytes("_\r\n"),
        _ => Answer::Usual,
    })
    .await;
    let redis = Redis::connect(&fake.url()).await.unwrap();
    let error = redis.command(&command("INCR key")).await.unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    // On the next connection, on which it would have come before this one.
    assert_eq!(redis.command(&command("GET key")).await.unwrap(), Value::Nil);
    assert_eq!(fake.commands(), ["INCR key", "GET key"]);
}

// S253
#[tokio::test]
async fn reads_and_what_is_idempotent_are_sent_again_as_often_as_was_said() {
    let fake = FakeServer::start(|_| Answer::Close).await;
    let redis = Redis::connect_with(config(&fake.url()).retries(2)).await.unwrap();
    assert!(redis.command(&command("GET key")).await.is_err());
    assert_eq!(fake.commands(), ["GET key"; 3]);
    eventually("another connection", async || {
        redis.idempotent().command(&command("SET key value")).await.unwrap_err().outcome()
            == Outcome::Unknown
    })
    .await;
    assert_eq!(fake.commands()[3..], ["SET key value"; 3]);
}

// S254
#[tokio::test]
async fn replies_may_come_one_byte_at_a_time() {
    let reply = b"*2\r\n*2\r\n:1\r\n$4\r\na\r\nb\r\n*1\r\n%1\r\n+key\r\n_\r\n";
    let fake = FakeServer::start(|command| match command {
        [name, ..] if name == b"LRANGE" => Answer::OneByteAtATime(reply.to_vec()),
        _ => Answer::Usual,
    })
    .await;
    let redis = Redis::connect(&fake.url()).await.unwrap();
    let inner = Value::Array(vec![Value::Int(1), Value::BulkString(b"a\r\nb".to_vec())]);
    let map = Value::Map(vec![(Value::SimpleString("key".to_owned()), Value::Nil)]);
    let whole = Value::Array(vec![inner, Value::Array(vec![map])]);
    assert_eq!(redis.command(&command("LRANGE key 0 -1")).await.unwrap(), whole);
    assert_eq!(redis.command(&command("PING")).await.unwrap(), pong());
}

// S256, S284, J-35
#[tokio::test]
async fn a_closed_client_stays_closed_and_so_do_its_clones() {
    let server = RedisServer::start().await;
    let redis = Redis::connect_with(config(&server.url()).eager(true)).await.unwrap();
    let waiting = redis.send(command("BLPOP queue 0"));
    let clone = redis.clone();
    redis.close();
    redis.close();
    assert!(waiting.await.is_err());
    for other in [&redis, &clone, &redis.database(1)] {
        let error = other.command(&command("GET key")).await.unwrap_err();
        assert!(matches!(error, Error::Closed { .. }), "{error:?}");
        assert!(matches!(other.send(command("GET key")).await, Err(Error::Closed { .. })));
    }
    eventually("all connections to be closed", async || connections(&server).await == 0).await;
}

// S280
#[tokio::test]
async fn an_eager_client_has_all_connections_when_it_is_there() {
    let server = RedisServer::start().await;
    let config = config(&server.url()).pool_size(4).eager(true);
    let _redis = Redis::connect_with(config).await.unwrap();
    assert_eq!(connections(&server).await, 1 + 4, "the shared one and the pool");
}

// S282
#[tokio::test]
async fn a_lazy_client_is_there_before_its_server() {
    let mut server = RedisServer::reserved().await;
    let redis = Redis::lazy(config(&server.url())).unwrap();
    let error = redis.command(&command("GET key")).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("is not connected, GET was not sent"), "{error}");
    server.restart().await;
    let works = async || redis.command(&command("GET key")).await.is_ok();
    eventually("the server to be found", works).await;
}

// S282
#[tokio::test]
async fn a_lazy_client_connects_with_its_first_command() {
    let server = RedisServer::start().await;
    let redis = Redis::lazy(config(&server.url())).unwrap();
    assert_eq!(connections(&server).await, 0);
    assert_eq!(redis.command(&command("PING")).await.unwrap(), pong());
    assert_eq!(connections(&server).await, 1);
}

// S283
#[tokio::test]
async fn what_waits_when_the_server_dies_is_told_and_the_client_lives_on() {
    let mut server = RedisServer::start().await;
    let redis = Redis::connect(&server.url()).await.unwrap();
    let waiting = redis.send(command("BLPOP queue 0"));
    let blocked = async || {
        let info = server.command(&["INFO", "clients"]).await;
        String::from_utf8_lossy(info.as_bytes().unwrap()).contains("blocked_clients:1")
    };
    eventually("the command to wait", blocked).await;
    server.kill().await;
    let error = waiting.await.unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
    server.restart().await;
    let works = async || redis.command(&command("PING")).await.is_ok();
    eventually("the server to be found", works).await;
    let popped = redis.send(command("BLPOP queue 0"));
    server.command(&["RPUSH", "queue", "hi"]).await;
    assert!(popped.await.is_ok());
}

// S285
#[tokio::test]
async fn a_database_or_a_password_that_is_refused_is_told_in_words() {
    let server = RedisServer::start_with(&["--requirepass", "right"]).await;
    let url = |login: &str| server.url().replace("redis://", &format!("redis://{login}"));
    for (url, parts) in [
        (url(":right@") + "/99", ["could not set dbid=99", "DB index is out of range"]),
        (url(":hunter2@"), ["could not auth", "WRONGPASS"]),
        (url(""), ["could not auth", "NOAUTH"]),
    ] {
        let error = Redis::connect(&url).await.unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{error:?}");
        assert!(parts.iter().all(|part| error.to_string().contains(part)), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

// S285
#[tokio::test]
async fn whoever_wants_to_subscribe_is_told_that_there_is_no_way_in() {
    let may_only_get = ["--user", "probe", "on", ">right", "-@all", "+get"];
    let server = RedisServer::start_with(&may_only_get).await;
    for (password, word) in [("wrong", "WRONGPASS"), ("right", "NOPERM")] {
        let url = server.url().replace("://", &format!("://probe:{password}@"));
        let redis = Redis::lazy(config(&url)).unwrap();
        for _ in 0..2 {
            let subscriber = timeout(PATIENCE, redis.subscriber()).await.expect("an answer");
            let error = subscriber.unwrap_err();
            assert!(matches!(error, Error::Refused { .. }), "{error:?}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}

// S285
#[tokio::test]
async fn who_was_refused_does_not_try_again_unasked() {
    let fake = FakeServer::start(|command| match command {
        [name, ..] if name == b"SELECT" => Answer::error("ERR DB index is out of range"),
        _ => Answer::Usual,
    })
    .await;
    fake.script_handshakes();
    let redis = Redis::lazy(config(&fake.url()).database(99)).unwrap();
    for attempts in 1..=2 {
        let error = match attempts {
            1 => redis.command(&command("GET key")).await.unwrap_err(),
            _ => redis.send(command("GET key")).await.unwrap_err(),
        };
        assert!(error.to_string().contains("could not set dbid=99"), "{error}");
        until_others_have_tried_again().await;
        assert_eq!(fake.attempts(), attempts);
    }
}

// S299
#[tokio::test]
async fn what_was_sent_behind_an_overdue_reply_fails_with_it() {
    let fake = FakeServer::start(|command| match command {
        [name, ..] if name == b"GET" => Answer::Silence,
        _ => Answer::Usual,
    })
    .await;
    let config = config(&fake.url()).command_timeout(Duration::from_millis(500)).retries(0);
    let redis = Redis::connect_with(config).await.unwrap();
    let first = redis.send(command("GET first"));
    // So that they do not share a write, and with it their deadline.
    fake.until_received("GET", 1).await;
    let second = redis.send(command("GET second"));
    fake.until_received("GET", 2).await;
    let error = first.await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    let error = second.await.unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
}
