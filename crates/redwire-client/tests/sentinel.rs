//! Sentinels that say anything, in front of real servers.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redwire_client::redis::{Value, cmd};
use redwire_client::{Config, Endpoint, Error, Outcome, Redis, Topology};
use redwire_test::{Answer, FakeServer, RedisServer, Reply, eventually};

/// What a sentinel says of the master.
#[derive(Clone, Copy)]
struct Said {
    port: u16,
    flags: &'static str,
    others: usize,
}

impl Said {
    fn up(port: u16) -> Self {
        Self { port, flags: "master", others: 2 }
    }

    fn with_flags(self, flags: &'static str) -> Self {
        Self { flags, ..self }
    }

    fn with_others(self, others: usize) -> Self {
        Self { others, ..self }
    }

    /// `SENTINEL MASTERS` has two masters, of which `mymaster` is the second.
    fn answers(self, command: &[Vec<u8>]) -> Answer {
        let other = Self { port: 1, ..Self::up(1) };
        let words: Vec<_> = command.iter().map(|word| word.to_ascii_uppercase()).collect();
        match words.iter().map(Vec::as_slice).collect::<Vec<_>>().as_slice() {
            [b"SENTINEL", b"MASTERS"] => {
                list(vec![other.entry("another"), self.entry("mymaster")]).into()
            }
            [b"SENTINEL", b"REPLICAS", _] => list(vec![]).into(),
            [b"SUBSCRIBE", _] => {
                Answer::bytes(">3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n")
            }
            _ => Answer::Usual,
        }
    }

    fn entry(self, name: &str) -> Reply {
        let (port, others) = (self.port.to_string(), self.others.to_string());
        let fields = [
            ("name", name),
            ("ip", "127.0.0.1"),
            ("port", &port),
            ("flags", self.flags),
            ("num-other-sentinels", &others),
        ];
        list(fields.into_iter().flat_map(|(key, value)| [Reply::bulk(key), Reply::bulk(value)]))
    }
}

fn list(entries: impl IntoIterator<Item = Reply>) -> Reply {
    Reply::Array(Some(entries.into_iter().collect()))
}

async fn sentinel(said: Said) -> FakeServer {
    FakeServer::start(move |command| said.answers(command)).await
}

fn config(sentinels: &[FakeServer]) -> Config {
    let endpoints = sentinels.iter().map(|sentinel| Endpoint::tcp("127.0.0.1", sentinel.port()));
    Config::default()
        .endpoints(endpoints)
        .topology(Topology::Sentinel { master: "mymaster".to_owned() })
        .client_name("probe")
}

/// What the error says, and its causes.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// Whether it is this server that carries commands out.
async fn answers(redis: &Redis, server: &RedisServer) -> bool {
    let settings = redis.query::<HashMap<String, u16>>(cmd("CONFIG").arg("GET").arg("port")).await;
    settings.is_ok_and(|settings| settings.get("port") == Some(&server.port()))
}

/// How many connections of the client a server has.
async fn connections(server: &RedisServer) -> usize {
    let clients = server.command(&["CLIENT", "LIST"]).await;
    String::from_utf8_lossy(clients.as_bytes().unwrap_or_default()).matches("name=probe").count()
}

// S312
#[tokio::test]
async fn a_master_is_found_though_one_sentinel_believes_that_it_is_down() {
    let redis = RedisServer::start().await;
    let up = Said::up(redis.port());
    let sentinels =
        [sentinel(up.with_flags("s_down,master")).await, sentinel(up).await, sentinel(up).await];
    let client = Redis::connect_with(config(&sentinels)).await.unwrap();
    assert!(answers(&client, &redis).await);
    assert_eq!(client.endpoints(), [Endpoint::tcp("127.0.0.1", redis.port())]);
}

// S312
#[tokio::test]
async fn sentinels_that_are_away_or_silent_are_not_waited_for() {
    let redis = RedisServer::start().await;
    let silent = FakeServer::start(|_| Answer::Silence).await;
    let gone = RedisServer::reserved().await;
    let one = sentinel(Said::up(redis.port())).await;
    let endpoints =
        [silent.port(), gone.port(), one.port()].map(|port| Endpoint::tcp("127.0.0.1", port));
    let config = config(&[]).endpoints(endpoints).connect_timeout(Duration::from_secs(60));
    let client = Redis::connect_with(config).await.unwrap();
    assert!(answers(&client, &redis).await);
}

// S312
#[tokio::test]
async fn a_master_that_all_sentinels_believe_down_is_not_connected_to() {
    for flags in ["s_down,master", "master,o_down", "master,disconnected", "slave"] {
        let redis = RedisServer::start().await;
        let said = Said::up(redis.port()).with_flags(flags);
        let sentinels = [sentinel(said).await, sentinel(said).await, sentinel(said).await];
        let error = Redis::connect_with(config(&sentinels).reconnect(false)).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
        assert!(told(&error).ends_with("No master found for mymaster"), "{}", told(&error));
        assert_eq!(connections(&redis).await, 0);
    }
}

// S312
#[tokio::test]
async fn a_name_that_no_sentinel_knows_is_told() {
    let redis = RedisServer::start().await;
    let sentinels = [sentinel(Said::up(redis.port())).await];
    let config = config(&sentinels).topology(Topology::Sentinel { master: "X".to_owned() });
    let client = Redis::connect_with(config).await.unwrap();
    let error = client.command(&cmd("PING")).await.unwrap_err();
    assert!(told(&error).ends_with("No master found for X"), "{}", told(&error));
    assert_eq!(error.outcome(), Outcome::NotSent);
}

// S312
#[tokio::test]
async fn a_sentinel_that_does_not_let_us_in_is_the_reason() {
    let sentinels = [RedisServer::start_with(&["--requirepass", "right"]).await];
    let endpoints = sentinels.iter().map(|one| Endpoint::tcp("127.0.0.1", one.port()));
    let config = config(&[]).endpoints(endpoints).password("right").sentinel_password("hunter2");
    let error = Redis::connect_with(config).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

// S313
#[tokio::test]
async fn a_sentinel_that_knows_too_few_others_does_not_count() {
    let redis = RedisServer::start().await;
    let up = Said::up(redis.port());
    let sentinels = [sentinel(up.with_others(0)).await, sentinel(up.with_others(1)).await];
    let client = Redis::connect_with(config(&sentinels).min_other_sentinels(2)).await.unwrap();
    let error = client.command(&cmd("PING")).await.unwrap_err();
    assert!(told(&error).ends_with("No master found for mymaster"), "{}", told(&error));
    sentinels[1].answer_with(move |command| up.with_others(2).answers(command));
    eventually("the master to be found", async || answers(&client, &redis).await).await;
}

// S314
#[tokio::test]
async fn who_is_not_the_master_is_left_until_it_is() {
    let asked = AtomicUsize::new(0);
    let promoted = FakeServer::start(move |command| match command {
        [name] if name == b"ROLE" && asked.fetch_add(1, Ordering::Relaxed) < 3 => {
            list([Reply::bulk("slave")]).into()
        }
        [name] if name == b"ROLE" => list([Reply::bulk("master")]).into(),
        [name, ..] if name == b"GET" => Answer::bytes("$3\r\nyes\r\n"),
        _ => Answer::Usual,
    })
    .await;
    let sentinels = [sentinel(Said::up(promoted.port())).await];
    let client = Redis::connect_with(config(&sentinels)).await.unwrap();
    let error = client.command(cmd("GET").arg("key")).await.unwrap_err();
    assert!(told(&error).contains("is a slave, not the master"), "{}", told(&error));
    let got = async || client.command(cmd("GET").arg("key")).await.is_ok();
    eventually("the replica to be promoted", got).await;
    assert_eq!(promoted.attempts(), 4);
}

// S316
#[tokio::test]
async fn when_one_connection_finds_another_master_all_others_follow() {
    let [old, new] = [RedisServer::start().await, RedisServer::start().await];
    let sentinels = [sentinel(Said::up(old.port())).await, sentinel(Said::up(old.port())).await];
    let client = Redis::connect_with(config(&sentinels).pool_size(3).eager(true)).await.unwrap();
    let waiting = client.send(cmd("BLPOP").arg("queue").arg(0).clone());
    eventually("a connection for each", async || connections(&old).await == 4).await;

    let moved = Said::up(new.port());
    sentinels.iter().for_each(|one| one.answer_with(move |command| moved.answers(command)));
    let clients = old.command(&["CLIENT", "LIST"]).await;
    let clients = String::from_utf8(clients.as_bytes().unwrap_or_default().to_vec()).unwrap();
    let first = clients.lines().find(|line| line.contains("name=probe")).unwrap();
    let id = first.split(' ').next().unwrap().strip_prefix("id=").unwrap();
    old.command(&["CLIENT", "KILL", "ID", id]).await;

    let error = waiting.await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown, "{error:?}");
    eventually("the old server to be left", async || connections(&old).await == 0).await;
    eventually("the new server to answer", async || answers(&client, &new).await).await;
    let served = client.send(cmd("BLPOP").arg("queue").arg(0).clone());
    new.command(&["RPUSH", "queue", "hi"]).await;
    let hi = ["queue", "hi"].map(|text| Value::BulkString(text.into()));
    assert_eq!(served.await.unwrap(), Value::Array(hi.to_vec()));
}

// S316
#[tokio::test]
async fn a_pool_that_needs_a_new_connection_finds_another_master_too() {
    let [old, new] = [RedisServer::start().await, RedisServer::start().await];
    let sentinels = [sentinel(Said::up(old.port())).await];
    let client = Redis::connect_with(config(&sentinels)).await.unwrap();
    assert!(answers(&client, &old).await);
    let moved = Said::up(new.port());
    sentinels[0].answer_with(move |command| moved.answers(command));
    let waiting = client.send(cmd("BLPOP").arg("queue").arg(0).clone());
    assert!(waiting.await.is_err());
    eventually("the old server to be left", async || connections(&old).await == 0).await;
    eventually("the new server to answer", async || answers(&client, &new).await).await;
}

// S316
#[tokio::test]
async fn an_announced_failover_is_followed_at_once_even_by_what_a_sentinel_has_not_heard_of() {
    let [old, new] = [RedisServer::start().await, RedisServer::start().await];
    let (first, second) =
        (sentinel(Said::up(old.port())).await, sentinel(Said::up(old.port())).await);
    let sentinels = [first, second];
    let client = Redis::connect_with(config(&sentinels)).await.unwrap();
    assert!(answers(&client, &old).await);

    let moved = Said::up(new.port());
    sentinels[0].answer_with(move |command| moved.answers(command));
    let news = format!("mymaster 127.0.0.1 {} 127.0.0.1 {}", old.port(), new.port());
    let head = ">3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n";
    sentinels[0].until_received("SUBSCRIBE", 1).await;
    sentinels[0].push(format!("{head}${}\r\n{news}\r\n", news.len()));
    eventually("the old server to be left", async || connections(&old).await == 0).await;
    eventually("the new server to answer", async || answers(&client, &new).await).await;
    assert_eq!(connections(&old).await, 0);
}

// S315
#[tokio::test]
async fn without_a_replica_the_master_serves() {
    let redis = RedisServer::start().await;
    let sentinels = [sentinel(Said::up(redis.port())).await];
    let client = Redis::connect_with(config(&sentinels)).await.unwrap();
    assert!(answers(&client.replicas(), &redis).await);
}

#[tokio::test]
async fn a_closed_client_leaves_master_and_sentinels() {
    let redis = RedisServer::start().await;
    let sentinels = [sentinel(Said::up(redis.port())).await];
    let client = Redis::connect_with(config(&sentinels)).await.unwrap();
    assert_eq!(connections(&redis).await, 1);
    client.close();
    eventually("the master to be left", async || connections(&redis).await == 0).await;
    let error = client.replicas().command(&cmd("PING")).await.unwrap_err();
    assert!(matches!(error, Error::Closed { .. }), "{error:?}");
}
