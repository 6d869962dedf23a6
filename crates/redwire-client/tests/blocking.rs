//! Commands that wait, beside those that must not.

use std::time::{Duration, Instant};

use redwire_client::redis::{Cmd, Value, from_redis_value};
use redwire_client::{Config, Error, Link, Outcome, Redis};
use redwire_test::{RedisServer, Reply, eventually};

fn command(words: &str) -> Cmd {
    let mut command = Cmd::new();
    words.split(' ').for_each(|word| {
        command.arg(word);
    });
    command
}

async fn until_blocked(server: &RedisServer, count: usize) {
    let line = format!("blocked_clients:{count}\r\n");
    let blocked = async || match server.command(&["INFO", "clients"]).await {
        Reply::Bulk(Some(info)) => String::from_utf8_lossy(&info).contains(&line),
        reply => panic!("{reply:?}"),
    };
    eventually(&line, blocked).await;
}

// S235, J-30
#[tokio::test]
async fn a_wait_for_a_list_holds_up_nobody() {
    let server = RedisServer::start().await;
    let redis = Redis::connect(&server.url()).await.unwrap();
    let popped = redis.send(command("BLPOP queue 0"));
    until_blocked(&server, 1).await;
    assert_eq!(redis.command(&command("PING")).await.unwrap(), Value::SimpleString("PONG".into()));
    assert_eq!(redis.query::<i64>(&command("RPUSH queue hi")).await.unwrap(), 1);
    let pair = from_redis_value::<(String, String)>(popped.await.unwrap());
    assert_eq!(pair.unwrap(), ("queue".to_owned(), "hi".to_owned()));
}

// S236
#[tokio::test]
async fn a_wait_for_a_stream_holds_up_nobody() {
    let server = RedisServer::start().await;
    let redis = Redis::connect(&server.url()).await.unwrap();
    let read = redis.send(command("XREAD BLOCK 0 STREAMS s $"));
    until_blocked(&server, 1).await;
    redis.command(&command("PING")).await.unwrap();
    until_blocked(&server, 1).await;
    redis.command(&command("XADD s 1-1 field value")).await.unwrap();
    assert!(matches!(read.await.unwrap(), Value::Map(streams) if streams.len() == 1));
}

// Longer than the deadline of other commands.
#[tokio::test]
async fn a_wait_may_take_as_long_as_it_says() {
    let server = RedisServer::start().await;
    let url = format!("{}?command_timeout=0.1", server.url());
    let redis = Redis::connect(&url).await.unwrap();
    assert_eq!(redis.command(&command("BLPOP queue 0.4")).await.unwrap(), Value::Nil);
}

// S237
#[tokio::test]
async fn the_link_alone_refuses_what_waits() {
    let server = RedisServer::start().await;
    let link = Link::connect(&server.url()).await.unwrap();
    for words in [
        "BLPOP a 1",
        "BRPOPLPUSH a b 1",
        "BLMOVE a b LEFT LEFT 1",
        "BZPOPMIN a 1",
        "XREAD BLOCK 1 STREAMS s 0",
        "XREADGROUP GROUP g c BLOCK 1 STREAMS s >",
        "WAIT 0 1",
    ] {
        let error = link.command(&command(words)).await.unwrap_err();
        assert!(matches!(error, Error::NotShareable { .. }), "{words}: {error:?}");
        assert_eq!(error.outcome(), Outcome::NotSent);
    }
    for words in ["XREAD STREAMS s 0", "XREAD STREAMS block 0", "LPOP a"] {
        assert_eq!(link.command(&command(words)).await.unwrap(), Value::Nil, "{words}");
    }
}

// S238, J-11
#[tokio::test]
async fn waits_beyond_the_pool_wait_for_their_turn() {
    let server = RedisServer::start().await;
    let config = Config::from_url(&server.url()).unwrap().pool_size(1);
    let redis = Redis::connect_with(config).await.unwrap();
    let start = Instant::now();
    let (one, two) = (redis.send(command("BLPOP a 0.5")), redis.send(command("BLPOP b 0.5")));
    assert_eq!((one.await.unwrap(), two.await.unwrap()), (Value::Nil, Value::Nil));
    assert!(start.elapsed() >= Duration::from_secs(1), "one after the other");
}

// S238
#[tokio::test]
async fn a_turn_is_not_waited_for_longer_than_was_said() {
    let server = RedisServer::start().await;
    let url = format!("{}?pool_size=1&pool_wait=0.1", server.url());
    let redis = Redis::connect(&url).await.unwrap();
    let first = redis.send(command("BLPOP a 0"));
    until_blocked(&server, 1).await;
    let error = redis.command(&command("BLPOP b 0")).await.unwrap_err();
    assert!(matches!(error, Error::PoolTimeout { .. }), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotSent);
    redis.command(&command("RPUSH a x")).await.unwrap();
    assert!(first.await.is_ok());
    redis.command(&command("RPUSH b y")).await.unwrap();
    assert!(redis.command(&command("BLPOP b 0")).await.is_ok(), "the connection is free again");
}

#[tokio::test]
async fn a_wait_that_is_dropped_frees_its_place_and_takes_nothing() {
    let server = RedisServer::start().await;
    let config = Config::from_url(&server.url()).unwrap().pool_size(1);
    let redis = Redis::connect_with(config).await.unwrap();
    for _ in 0..5 {
        let waits = command("BLPOP a 0");
        tokio::select! {
            reply = redis.command(&waits) => panic!("{reply:?}"),
            () = until_blocked(&server, 1) => {}
        }
        until_blocked(&server, 0).await;
    }
    redis.command(&command("RPUSH a x")).await.unwrap();
    assert_eq!(redis.query::<i64>(&command("LLEN a")).await.unwrap(), 1);
    assert!(redis.command(&command("BLPOP a 0")).await.is_ok());
}
