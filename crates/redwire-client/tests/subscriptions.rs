//! Counted subscriptions, and feeds.

mod reader;

use std::collections::HashMap;
use std::time::Duration;

use reader::Reader;
use redwire_client::{Link, LinkConfig, Standing};
use redwire_test::{RedisServer, Reply, eventually};

#[tokio::test]
async fn the_first_subscriber_joins_and_the_last_one_leaves() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut reader = Reader::new(&link);
    link.subscribe("channel");
    link.subscribe("channel");
    assert_eq!(link.confirmed("channel").await, Standing::Confirmed);
    link.unsubscribe("channel");
    assert_eq!(redis.publish("channel", "still").await, 1);
    reader.expect("channel", "still").await;
    link.unsubscribe("channel");
    redis.until_subscribed("channel", 0).await;
    assert_eq!(link.stats().channels, 0);
}

#[tokio::test]
async fn payloads_are_any_bytes_and_names_may_hold_spaces_and_line_ends() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.unix_url()).await.unwrap();
    let mut reader = Reader::new(&link);
    let (channel, payload) = ("a b\0\r\nü", b"\xff\0\r\n");
    link.subscribe(channel);
    assert_eq!(link.confirmed(channel).await, Standing::Confirmed);
    redis.publish(channel, payload).await;
    reader.expect(channel, payload).await;
}

#[tokio::test]
async fn nobody_confirms_what_nobody_wants() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    assert_eq!(link.confirmed("channel").await, Standing::Unconfirmed);
}

#[tokio::test]
async fn every_feed_sees_every_event() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    link.subscribe("channel");
    assert_eq!(link.confirmed("channel").await, Standing::Confirmed);
    let mut readers = [Reader::new(&link), Reader::new(&link)];
    redis.publish("channel", "hello").await;
    for reader in &mut readers {
        reader.expect("channel", "hello").await;
    }
}

#[tokio::test]
async fn a_feed_that_overflows_reports_a_gap_and_goes_on() {
    let redis = RedisServer::start().await;
    let config = LinkConfig { feed_messages: 10, ..LinkConfig::default() };
    let link = Link::connect_with(&redis.url(), config).await.unwrap();
    let mut reader = Reader::new(&link);
    link.subscribe("channel");
    assert_eq!(link.confirmed("channel").await, Standing::Confirmed);
    for number in 0..100 {
        redis.publish("channel", number.to_string()).await;
    }
    eventually("all messages to arrive", async || link.stats().messages == 100).await;
    assert_eq!(link.stats().dropped, 90);
    for number in 0..10 {
        reader.expect("channel", number.to_string()).await;
    }
    reader.expect_gap().await;
    redis.publish("channel", "again").await;
    reader.expect("channel", "again").await;
}

#[tokio::test]
async fn a_storm_of_subscriptions_becomes_few_commands() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let names: Vec<String> = (0..10_000).map(|number| format!("channel.{number}")).collect();
    names.iter().for_each(|name| link.subscribe(name));
    for name in &names {
        assert_eq!(link.confirmed(name).await, Standing::Confirmed, "{name}");
    }
    let calls = subscribe_calls(&redis).await;
    assert!(calls <= 40, "{calls} SUBSCRIBE commands");
    assert_eq!(redis.subscribers("channel.9999").await, 1);
}

#[tokio::test]
async fn thousands_of_subscriptions_come_back_after_an_outage() {
    let mut redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut reader = Reader::new(&link);
    let names: Vec<String> = (0..5_000).map(|number| format!("channel.{number}")).collect();
    names.iter().for_each(|name| link.subscribe(name));
    assert_eq!(link.confirmed("channel.4999").await, Standing::Confirmed);
    redis.restart().await;
    reader.expect_outage().await;
    // All at once: being live means that everything is subscribed.
    let Reply::Array(Some(channels)) = redis.command(&["PUBSUB", "CHANNELS"]).await else {
        panic!("not a list")
    };
    assert_eq!(channels.len(), names.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn any_interleaving_ends_as_the_counts_say() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let tasks: Vec<_> = (0..10).map(|seed| tokio::spawn(wander(link.clone(), seed))).collect();
    for _ in 0..5 {
        redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        link.live().await;
    }
    let mut held: HashMap<String, usize> = HashMap::new();
    for task in tasks {
        task.await.unwrap().into_iter().for_each(|name| *held.entry(name).or_default() += 1);
    }
    link.live().await;
    for number in 0..20 {
        let name = format!("channel.{number}");
        redis.until_subscribed(&name, i64::from(held.contains_key(&name))).await;
    }
    assert_eq!(link.stats().channels, held.len());
}

/// A hundred random steps; returns the channels that it still holds.
async fn wander(link: Link, seed: u64) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut held: Vec<String> = Vec::new();
    for _ in 0..100 {
        if random.bool() && !held.is_empty() {
            let name = held.swap_remove(random.usize(..held.len()));
            link.unsubscribe(&name);
        } else {
            let name = format!("channel.{}", random.u8(..20));
            link.subscribe(&name);
            if random.u8(..4) == 0 {
                link.confirmed(&name).await;
            }
            held.push(name);
        }
        tokio::task::yield_now().await;
    }
    // Few are kept, so that some channels are wanted by nobody.
    held.split_off(held.len().min(1)).iter().for_each(|name| link.unsubscribe(name));
    held
}

#[tokio::test]
async fn the_link_ends_with_its_last_handle_and_its_feeds_with_it() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut reader = Reader::new(&link);
    link.subscribe("channel");
    assert_eq!(link.confirmed("channel").await, Standing::Confirmed);
    let other = link.clone();
    drop(link);
    assert_eq!(redis.publish("channel", "one handle is left").await, 1);
    reader.expect("channel", "one handle is left").await;
    drop(other);
    reader.expect_end().await;
    redis.until_subscribed("channel", 0).await;
}

#[tokio::test]
async fn a_forbidden_channel_is_refused_and_spares_the_others() {
    let redis = RedisServer::start().await;
    let rules = ["ACL", "SETUSER", "ann", "on", ">secret", "resetchannels", "&public.*", "+@all"];
    assert_eq!(redis.command(&rules).await, Reply::Simple("OK".into()));
    let url = redis.url().replace("redis://", "redis://ann:secret@");
    let link = Link::connect(&url).await.unwrap();
    for name in ["public.a", "private", "public.b", "public.c"] {
        link.subscribe(name);
    }
    assert_eq!(link.confirmed("private").await, Standing::Forbidden);
    for name in ["public.a", "public.b", "public.c"] {
        assert_eq!(link.confirmed(name).await, Standing::Confirmed, "{name}");
    }
    assert_eq!(link.stats().refused, 1);
    assert!(link.is_live());
}

#[tokio::test]
async fn subscribing_does_not_wait_for_a_frozen_redis() {
    let redis = RedisServer::start().await;
    let config = LinkConfig { command_timeout: Duration::from_millis(50), ..LinkConfig::default() };
    let link = Link::connect_with(&redis.url(), config).await.unwrap();
    redis.freeze();
    link.subscribe("channel");
    assert_eq!(link.confirmed("channel").await, Standing::Unconfirmed);
    redis.thaw();
    redis.until_subscribed("channel", 1).await;
}

async fn subscribe_calls(redis: &RedisServer) -> usize {
    let Reply::Bulk(Some(info)) = redis.command(&["INFO", "commandstats"]).await else {
        panic!("not a text")
    };
    let info = String::from_utf8_lossy(&info);
    let calls = info.lines().find_map(|line| line.strip_prefix("cmdstat_subscribe:calls="));
    let number = calls.and_then(|calls| calls.split(',').next()?.parse().ok());
    number.unwrap_or_else(|| panic!("no count of SUBSCRIBE in {info}"))
}
