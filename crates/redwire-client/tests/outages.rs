//! A handle while its server dies, freezes, or cuts it off: nothing is done twice, no reply goes to another
//! caller, and what is said of a command that failed is true.

use std::time::Duration;

use redwire_client::redis::{Cmd, Value, cmd};
use redwire_client::{Config, Error, Family, LinkConfig, Outcome, Redis};
use redwire_test::{PATIENCE, Proxy, RedisServer, Reply, eventually};
use tokio::task::{JoinSet, yield_now};

/// Back as soon as can be, however often it is lost.
fn config(url: &str) -> Config {
    let link = LinkConfig { backoff_max: Duration::from_millis(5), ..LinkConfig::default() };
    Config::from_url(url).expect("a url").link(link)
}

async fn connected(url: &str) -> Redis {
    Redis::connect_with(config(url)).await.expect("a connection")
}

async fn works(redis: &Redis) -> bool {
    redis.command(cmd("PING").arg("pong")).await.is_ok()
}

fn get(key: usize) -> Cmd {
    Cmd::get(format!("key:{key}"))
}

#[tokio::test]
async fn a_connection_that_is_cut_at_any_byte_of_the_replies_gives_nobody_a_wrong_one() {
    let server = RedisServer::start().await;
    let proxy = Proxy::start(&server).await;
    let redis = Redis::connect_with(config(&proxy.url()).retries(0)).await.unwrap();
    let value = |key: usize| format!("the value of key {key}").into_bytes();
    for key in 0..4 {
        redis.command(&Cmd::set(format!("key:{key}"), value(key))).await.unwrap();
    }
    // "$18\r\n…\r\n" four times.
    let length = (0..4).map(|key| value(key).len() + 7).sum::<usize>();
    for cut in 0..length {
        eventually("a connection", async || works(&redis).await).await;
        proxy.cut_reply_after(cut);
        let pending: Vec<_> = (0..4).map(|key| redis.send(get(key))).collect();
        let mut lost = 0;
        for (key, reply) in pending.into_iter().enumerate() {
            match reply.await {
                Ok(reply) => assert_eq!(reply, Value::BulkString(value(key)), "cut at {cut}"),
                Err(Error::Lost { .. }) => lost += 1,
                Err(error) => panic!("cut at {cut}: {error:?}"),
            }
        }
        assert!(lost > 0, "cut at {cut}");
    }
}

/// What callers were told of their `INCR`s.
#[derive(Debug, Default)]
struct Told {
    answered: i64,
    unknown: i64,
}

/// Counts until it was answered so often, whatever happens.
async fn count(redis: Redis, key: &'static str, times: i64) -> Told {
    let mut told = Told::default();
    while told.answered < times {
        match redis.command(&Cmd::incr(key, 1)).await.map_err(|error| error.outcome()) {
            Ok(_) => told.answered += 1,
            Err(Outcome::Unknown) => told.unknown += 1,
            // Refused at once; others go on meanwhile.
            Err(Outcome::NotSent) => yield_now().await,
            Err(Outcome::Answered) => panic!("INCR was refused"),
        }
    }
    told
}

#[tokio::test]
async fn what_is_said_of_commands_is_true_however_often_clients_are_killed() {
    let server = RedisServer::start().await;
    let redis = connected(&server.url()).await;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        tasks.spawn(count(redis.clone(), "counter", 500));
    }
    let killing = async {
        let answered = || redis.stats(Family::String).answered;
        loop {
            let before = answered();
            eventually("commands to be answered", async || answered() > before + 200).await;
            server.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
        }
    };
    let told = tokio::select! {
        told = tasks.join_all() => told,
        () = killing => unreachable!("it has no end"),
    };
    let told = told.into_iter().fold(Told::default(), |all, one| Told {
        answered: all.answered + one.answered,
        unknown: all.unknown + one.unknown,
    });
    let Reply::Bulk(Some(counter)) = server.command(&["GET", "counter"]).await else { panic!() };
    let counter: i64 = str::from_utf8(&counter).unwrap().parse().unwrap();
    let possible = told.answered..=told.answered + told.unknown;
    assert!(possible.contains(&counter), "{counter} of {told:?}");
}

#[tokio::test]
async fn a_killed_server_fails_what_waits_and_serves_again_when_it_is_back() {
    let mut server = RedisServer::start().await;
    let redis = connected(&server.url()).await;
    let waiting = redis.send(cmd("BLPOP").arg("queue").arg(0).clone());
    server.until_blocked(1).await;
    server.kill().await;
    assert_eq!(waiting.await.unwrap_err().outcome(), Outcome::Unknown);
    eventually("commands to be refused at once", async || {
        let error = redis.command(&get(0)).await.unwrap_err();
        matches!(error, Error::Unavailable { source: Some(_), .. })
    })
    .await;
    server.restart().await;
    eventually("commands to be carried out", async || works(&redis).await).await;
}

#[tokio::test]
async fn a_frozen_server_costs_each_command_its_time_and_is_left_for_a_new_connection() {
    let server = RedisServer::start().await;
    let config = config(&server.url()).command_timeout(Duration::from_millis(300)).retries(0);
    let redis = Redis::connect_with(config).await.unwrap();
    let waiting = redis.send(cmd("BLPOP").arg("queue").arg(0).clone());
    server.until_blocked(1).await;
    server.freeze();
    let error = redis.command(&Cmd::incr("counter", 1)).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert_eq!(waiting.await.unwrap_err().outcome(), Outcome::Unknown);
    server.thaw();
    eventually("commands to be carried out", async || works(&redis).await).await;
    let count: i64 = redis.query(&Cmd::incr("counter", 1)).await.unwrap();
    assert!(count <= 2, "it was sent once, and may have been carried out late");
}

#[tokio::test]
async fn reads_are_sent_again_when_clients_are_killed() {
    let server = RedisServer::start().await;
    let redis = connected(&server.url()).await;
    for _ in 0..50 {
        // Or the kill would meet a connection that is still being made: what waits for one is told.
        eventually("a connection", async || works(&redis).await).await;
        let reads: Vec<_> = (0..8)
            .map(|key| {
                let redis = redis.clone();
                tokio::spawn(async move { redis.command(&get(key)).await })
            })
            .collect();
        server.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
        for read in reads {
            assert_eq!(read.await.unwrap().expect("a reply"), Value::Nil);
        }
    }
}

#[tokio::test]
async fn what_was_not_sent_in_time_is_never_sent() {
    let server = RedisServer::start().await;
    server.freeze();
    let config = config(&server.url()).connect_timeout(PATIENCE);
    let redis = Redis::lazy(config.command_timeout(Duration::from_millis(200))).unwrap();
    let error = redis.send(Cmd::incr("counter", 1)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent, "{error:?}");
    server.thaw();
    eventually("a connection", async || works(&redis).await).await;
    let count: i64 = redis.query(&Cmd::incr("counter", 1)).await.unwrap();
    assert_eq!(count, 1);
}
