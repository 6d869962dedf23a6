//! Subscribers of a cluster, while it changes.

use std::time::Duration;

use redwire_client::redis::cmd;
use redwire_client::{Config, Event, LinkConfig, Redis, Subscriber, Topic, slot};
use redwire_test::{PATIENCE, RedisCluster, eventually};
use tokio::time::timeout;

async fn connected(cluster: &RedisCluster) -> Redis {
    let url = cluster.url().replace("redis://", "redis+cluster://");
    let link = LinkConfig {
        // Topics are looked after as often as links look after their servers.
        heartbeat: Duration::from_millis(200),
        // Redis' own nodes may contradict each other for seconds after a slot has moved.
        command_timeout: PATIENCE,
        ..LinkConfig::default()
    };
    let config = Config::from_url(&url).expect("the url of a cluster");
    Redis::connect_with(config.link(link)).await.expect("a cluster")
}

async fn next(subscriber: &mut Subscriber) -> Event {
    timeout(PATIENCE, subscriber.next()).await.expect("an event in time").expect("an event")
}

/// Reads up to the message; returns whether a gap came before it.
async fn until_message(subscriber: &mut Subscriber, expected: &str) -> bool {
    let mut gap = false;
    loop {
        match next(subscriber).await {
            Event::Message { payload, .. } if payload == expected => return gap,
            Event::Gap { .. } => gap = true,
            _ => {}
        }
    }
}

async fn until_gap(subscriber: &mut Subscriber) {
    while !matches!(next(subscriber).await, Event::Gap { .. }) {}
}

#[tokio::test]
async fn channels_patterns_and_sharded_channels_are_heard_from_every_node() {
    let cluster = RedisCluster::start(3, 0).await;
    let redis = connected(&cluster).await;
    let mut subscriber = redis.subscriber().await.unwrap();
    let shards = ["a", "b", "c", "d", "e", "f"].map(Topic::sharded);
    subscriber.subscribe(shards).await.unwrap();
    subscriber.subscribe([Topic::channel("news"), Topic::pattern("tr*")]).await.unwrap();
    for _ in 0..8 {
        assert!(matches!(next(&mut subscriber).await, Event::Subscribed { .. }));
    }
    for name in ["a", "b", "c", "d", "e", "f"] {
        redis.command(cmd("SPUBLISH").arg(name).arg(name)).await.unwrap();
        assert!(!until_message(&mut subscriber, name).await);
    }
    for endpoint in cluster.urls() {
        let node = Redis::connect(&endpoint).await.unwrap();
        for channel in ["news", "trains"] {
            let text = format!("{channel} of {endpoint}");
            node.command(cmd("PUBLISH").arg(channel).arg(&text)).await.unwrap();
            assert!(!until_message(&mut subscriber, &text).await);
        }
    }
}

/// Reads numbers up to `last`. Panics if one is missing, or comes out of turn, and no gap says so.
async fn expect_numbers(subscriber: &mut Subscriber, last: u64) {
    let (mut expected, mut gap) = (0, false);
    while expected <= last {
        match next(subscriber).await {
            Event::Message { payload, .. } => {
                let number =
                    str::from_utf8(&payload).ok().and_then(|text| text.parse::<u64>().ok());
                let number = number.expect("a number");
                assert!(number == expected || gap && number > expected, "{number}, not {expected}");
                (expected, gap) = (number + 1, false);
            }
            Event::Gap { .. } => gap = true,
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_sharded_channel_follows_its_slot_and_nothing_is_lost_unreported() {
    const LAST: u64 = 1_000;
    let cluster = RedisCluster::start(3, 0).await;
    let redis = connected(&cluster).await;
    let mut subscriber = redis.subscriber().await.unwrap();
    subscriber.subscribe([Topic::sharded("foo")]).await.unwrap();
    let publish = async {
        for number in 0..LAST {
            redis.command(cmd("SPUBLISH").arg("foo").arg(number)).await.unwrap();
        }
    };
    let moves = async {
        for _ in 0..6 {
            let from = cluster.owner_of(slot("foo")).await;
            cluster.move_slot(slot("foo"), from, (from + 1) % 3).await;
        }
    };
    tokio::join!(publish, moves);
    let end = async {
        // Until the subscriber has arrived where the slot is now, nobody hears the last one.
        let receivers = async || {
            let mut last = cmd("SPUBLISH");
            redis.query::<i64>(last.arg("foo").arg(LAST)).await.unwrap()
        };
        eventually("the last number to be received", async || receivers().await == 1).await;
    };
    tokio::join!(expect_numbers(&mut subscriber, LAST), end);
}

#[tokio::test]
async fn all_topics_follow_when_every_master_that_served_them_is_killed() {
    let mut cluster = RedisCluster::start(3, 1).await;
    let redis = connected(&cluster).await;
    let mut subscriber = redis.subscriber().await.unwrap();
    let topics = [Topic::channel("news"), Topic::sharded("foo")];
    subscriber.subscribe(topics).await.unwrap();
    let owner = cluster.owner_of(slot("foo")).await;
    cluster.kill(owner).await;
    until_gap(&mut subscriber).await;
    let publish = redis.idempotent();
    publish.command(cmd("SPUBLISH").arg("foo").arg("sharded")).await.unwrap();
    until_message(&mut subscriber, "sharded").await;
    publish.command(cmd("PUBLISH").arg("news").arg("plain")).await.unwrap();
    until_message(&mut subscriber, "plain").await;
}
