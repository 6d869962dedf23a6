//! A real set of sentinels: the master dies, freezes, or hands over.

use std::collections::HashMap;

use redwire_client::redis::{Value, cmd};
use redwire_client::{Config, Endpoint, Error, Event, Outcome, Redis, Topology};
use redwire_test::{PATIENCE, SentinelSet, eventually};
use tokio::time::timeout;

fn config(set: &SentinelSet) -> Config {
    let sentinels = set.endpoints();
    Config::default()
        .endpoints(sentinels.iter().map(|(host, port)| Endpoint::tcp(host, *port)))
        .topology(Topology::Sentinel { master: set.name().to_owned() })
        .client_name("probe")
}

async fn started() -> (SentinelSet, Redis) {
    let set = SentinelSet::start().await;
    let client = Redis::connect_with(config(&set)).await.expect("a client");
    (set, client)
}

/// The port of the server that carries commands out.
async fn server_of(redis: &Redis) -> Option<u16> {
    let settings = redis.query::<HashMap<String, u16>>(cmd("CONFIG").arg("GET").arg("port")).await;
    settings.ok().and_then(|settings| settings.get("port").copied())
}

async fn is_written(redis: &Redis) -> bool {
    redis.command(cmd("SET").arg("key").arg("value")).await.is_ok()
}

/// How many connections of the client a server has.
async fn connections(set: &SentinelSet, port: u16) -> usize {
    let clients = set.server(port).command(&["CLIENT", "LIST"]).await;
    String::from_utf8_lossy(clients.as_bytes().unwrap_or_default()).matches("name=probe").count()
}

#[tokio::test]
async fn a_killed_master_is_replaced_for_commands_and_for_the_pool() {
    let (mut set, client) = started().await;
    assert!(is_written(&client).await);
    let waiting = client.send(cmd("BLPOP").arg("queue").arg(0).clone());
    set.server(set.master().await).until_blocked(1).await;
    let old = set.kill_master().await;
    let error = waiting.await.unwrap_err();
    assert_ne!(error.outcome(), Outcome::Answered, "{error:?}");

    let new = set.until_master_is_not(old).await;
    eventually("writes to succeed", async || is_written(&client).await).await;
    assert_eq!(server_of(&client).await, Some(new));
    let waiting = client.send(cmd("BLPOP").arg("queue").arg(0).clone());
    set.server(new).command(&["RPUSH", "queue", "hi"]).await;
    let hi = ["queue", "hi"].map(|text| Value::BulkString(text.into()));
    assert_eq!(waiting.await.unwrap(), Value::Array(hi.to_vec()));
}

// S316
#[tokio::test]
async fn a_master_that_hands_over_is_left_by_every_connection() {
    let set = SentinelSet::start().await;
    let client = Redis::connect_with(config(&set).pool_size(3).eager(true)).await.unwrap();
    let old = set.master().await;
    let waiting = client.send(cmd("BLPOP").arg("queue").arg(0).clone());
    eventually("a connection for each", async || connections(&set, old).await == 4).await;
    let new = set.failover().await;
    eventually("the old master to be left", async || connections(&set, old).await == 0).await;
    assert!(waiting.await.is_err());
    eventually("writes to succeed", async || is_written(&client).await).await;
    assert_eq!(server_of(&client).await, Some(new));
    assert_eq!(client.endpoints(), [Endpoint::tcp("127.0.0.1", new)]);
}

#[tokio::test]
async fn a_frozen_master_is_replaced() {
    let (set, client) = started().await;
    assert!(is_written(&client).await);
    let waiting = client.send(cmd("BLPOP").arg("queue").arg(0).clone());
    set.server(set.master().await).until_blocked(1).await;
    let old = set.freeze_master().await;
    let new = set.until_master_is_not(old).await;
    eventually("writes to succeed", async || is_written(&client).await).await;
    assert_eq!(server_of(&client).await, Some(new));
    assert!(waiting.await.is_err(), "what waits in the frozen master is told");
    set.server(old).thaw();
}

// S315
#[tokio::test]
async fn replicas_serve_reads_and_refuse_writes() {
    let (set, client) = started().await;
    let master = set.master().await;
    assert!(is_written(&client).await);
    client.command(cmd("WAIT").arg(2).arg(0)).await.unwrap();

    let replicas = client.replicas();
    let read: String = replicas.query(cmd("GET").arg("key")).await.unwrap();
    assert_eq!(read, "value");
    let role: Vec<Value> = replicas.query(&cmd("ROLE")).await.unwrap();
    assert_eq!(role[0], Value::BulkString("slave".into()));
    let error = replicas.command(cmd("SET").arg("key").arg("other")).await.unwrap_err();
    assert!(matches!(&error, Error::Server { code, .. } if code == "READONLY"), "{error:?}");

    // Each connection takes its turn.
    let one = server_of(&replicas).await.unwrap();
    let two = server_of(&replicas.database(1)).await.unwrap();
    assert!(one != two && ![one, two].contains(&master), "{one}, {two} of master {master}");
}

// S315
#[tokio::test]
async fn reads_move_from_a_replica_that_dies_or_becomes_the_master() {
    let (mut set, client) = started().await;
    let replicas = client.replicas();
    let first = server_of(&replicas).await.unwrap();
    set.server_mut(first).kill().await;
    eventually("another server to answer", async || {
        server_of(&replicas).await.is_some_and(|port| port != first)
    })
    .await;
    // Only the other replica is left to take over.
    let second = server_of(&replicas).await.unwrap();
    let new = set.failover().await;
    assert_eq!(new, second);
    eventually("reads to succeed", async || server_of(&replicas).await.is_some()).await;
    eventually("writes to succeed", async || is_written(&client).await).await;
}

#[tokio::test]
async fn a_subscriber_hears_of_the_failover_and_of_what_is_said_on_the_new_master() {
    let (mut set, client) = started().await;
    let mut subscriber = client.subscriber().await.unwrap();
    subscriber.subscribe(["news"]).await.unwrap();
    let old = set.kill_master().await;
    let new = set.until_master_is_not(old).await;
    set.server(new).until_subscribed("news", 1).await;
    set.server(new).publish("news", "from the new master").await;
    let mut gaps = 0;
    let payload = loop {
        match timeout(PATIENCE, subscriber.next()).await.expect("an event in time").unwrap() {
            Event::Gap { .. } => gaps += 1,
            Event::Message { payload, .. } => break payload,
            _ => {}
        }
    };
    assert_eq!((gaps, &payload[..]), (1, b"from the new master".as_slice()));
}
