//! Subscribers: each with topics of its own, over one connection.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::StreamExt;
use redwire_client::{Error, Event, Link, LinkConfig, Subscriber, Topic};
use redwire_test::{PATIENCE, RedisServer, Reply, eventually};
use tokio::time::timeout;

async fn next(subscriber: &mut Subscriber) -> Event {
    let event = timeout(PATIENCE, subscriber.next()).await.expect("an event in time");
    event.expect("an event")
}

async fn expect(subscriber: &mut Subscriber, expected: Event) {
    assert_eq!(next(subscriber).await, expected);
}

async fn expect_gap(subscriber: &mut Subscriber) -> SystemTime {
    match next(subscriber).await {
        Event::Gap { since } => since,
        other => panic!("expected a gap, got {other:?}"),
    }
}

async fn expect_lost(subscriber: &mut Subscriber) -> SystemTime {
    match next(subscriber).await {
        Event::Lost { since } => since,
        other => panic!("expected a loss, got {other:?}"),
    }
}

fn subscribed(topic: impl Into<Topic>, count: usize) -> Event {
    Event::Subscribed { topic: topic.into(), count }
}

fn unsubscribed(topic: impl Into<Topic>, count: usize) -> Event {
    Event::Unsubscribed { topic: topic.into(), count }
}

fn message(channel: &str, payload: impl AsRef<[u8]>) -> Event {
    let payload = Bytes::copy_from_slice(payload.as_ref());
    Event::Message { pattern: None, channel: channel.into(), payload }
}

fn by_pattern(pattern: &str, channel: &str, payload: impl AsRef<[u8]>) -> Event {
    let payload = Bytes::copy_from_slice(payload.as_ref());
    Event::Message { pattern: Some(pattern.into()), channel: channel.into(), payload }
}

fn pong(payload: &'static str) -> Event {
    Event::Pong { payload: Bytes::from_static(payload.as_bytes()) }
}

/// A subscriber whose confirmations have been read.
async fn subscriber(link: &Link, topics: &[Topic]) -> Subscriber {
    let mut subscriber = link.subscriber();
    for (topic, count) in topics.iter().zip(1..) {
        subscriber.subscribe([topic]).await.expect("a confirmation");
        expect(&mut subscriber, subscribed(topic, count)).await;
    }
    subscriber
}

/// Nothing more has come: a pong has no event before it.
async fn expect_silence(subscriber: &mut Subscriber) {
    subscriber.ping("silence").await.expect("a pong");
    expect(subscriber, pong("silence")).await;
}

// S241
#[tokio::test]
async fn confirmations_messages_and_pongs_have_their_shapes() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut subscriber = link.subscriber();
    subscriber.subscribe([Topic::channel("hi"), Topic::pattern("bye")]).await.unwrap();
    expect(&mut subscriber, subscribed("hi", 1)).await;
    expect(&mut subscriber, subscribed(Topic::pattern("bye"), 2)).await;
    let nothing = timeout(Duration::from_millis(100), subscriber.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    redis.publish("hi", "there").await;
    expect(&mut subscriber, message("hi", "there")).await;
    redis.publish("bye", "there").await;
    expect(&mut subscriber, by_pattern("bye", "bye", "there")).await;
    subscriber.ping("").await.unwrap();
    expect(&mut subscriber, pong("")).await;
    subscriber.ping("x").await.unwrap();
    expect(&mut subscriber, pong("x")).await;
}

// S242
#[tokio::test]
async fn without_topics_there_is_nothing_to_wait_for() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut subscriber = link.subscriber();
    assert!(matches!(subscriber.next().await, Err(Error::NotSubscribed)));
    subscriber.subscribe([""; 0]).await.unwrap();
    assert!(matches!(subscriber.next().await, Err(Error::NotSubscribed)));
    subscriber.subscribe(["hi"]).await.unwrap();
    subscriber.unsubscribe(["hi"]);
    expect(&mut subscriber, subscribed("hi", 1)).await;
    expect(&mut subscriber, unsubscribed("hi", 0)).await;
    assert!(matches!(subscriber.next().await, Err(Error::NotSubscribed)));
}

// S243
#[tokio::test]
async fn subscribers_share_one_connection_and_get_only_their_own() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut left = subscriber(&link, &["left".into(), "both".into()]).await;
    let mut right = subscriber(&link, &["right".into(), "both".into()]).await;
    for channel in ["left", "right", "both"] {
        assert_eq!(redis.publish(channel, "x").await, 1, "{channel}");
    }
    expect(&mut left, message("left", "x")).await;
    expect(&mut left, message("both", "x")).await;
    expect(&mut right, message("right", "x")).await;
    expect(&mut right, message("both", "x")).await;
    expect_silence(&mut left).await;
    expect_silence(&mut right).await;
    let Reply::Bulk(Some(list)) = redis.command(&["CLIENT", "LIST", "TYPE", "pubsub"]).await else {
        panic!("not a text")
    };
    assert_eq!(String::from_utf8_lossy(&list).lines().count(), 1);
}

// S244
#[tokio::test]
async fn unsubscribing_removes_only_what_is_named() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let pattern = Topic::pattern("b*");
    let mut subscriber = subscriber(&link, &["hi".into(), pattern]).await;
    subscriber.unsubscribe(["hi", "never"]);
    expect(&mut subscriber, unsubscribed("hi", 1)).await;
    redis.until_subscribed("hi", 0).await;
    redis.publish("hi", "x").await;
    redis.publish("bye", "x").await;
    expect(&mut subscriber, by_pattern("b*", "bye", "x")).await;
    expect_silence(&mut subscriber).await;
}

// S245, S301
#[tokio::test]
async fn a_killed_connection_comes_back_with_its_topics_and_reports_one_gap() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut one = subscriber(&link, &["a".into()]).await;
    let mut two = subscriber(&link, &[Topic::pattern("p.*")]).await;
    assert_eq!(redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).await, Reply::Integer(1));
    for (subscriber, topic) in [(&mut one, "a".into()), (&mut two, Topic::pattern("p.*"))] {
        let lost = expect_lost(subscriber).await;
        expect(subscriber, subscribed(topic, 1)).await;
        assert_eq!(expect_gap(subscriber).await, lost);
    }
    redis.publish("a", "again").await;
    expect(&mut one, message("a", "again")).await;
    redis.publish("p.x", "again").await;
    expect(&mut two, by_pattern("p.*", "p.x", "again")).await;
    expect_silence(&mut one).await;
    expect_silence(&mut two).await;
}

// S246
#[tokio::test]
async fn a_closed_subscriber_says_so() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut closed = subscriber(&link, &["hi".into()]).await;
    let mut other = subscriber(&link, &["hi".into()]).await;
    redis.publish("hi", "unread").await;
    expect(&mut other, message("hi", "unread")).await;
    closed.close();
    assert!(matches!(closed.next().await, Err(Error::Closed { .. })));
    assert!(matches!(closed.subscribe(["hi"]).await, Err(Error::Closed { .. })));
    assert!(matches!(closed.ping("").await, Err(Error::Closed { .. })));
    assert!(matches!(closed.next().await, Err(Error::Closed { .. })));
    assert!(closed.collect::<Vec<_>>().await.is_empty());
    redis.publish("hi", "others go on").await;
    expect(&mut other, message("hi", "others go on")).await;
}

// S301
#[tokio::test]
async fn channels_patterns_and_payloads_come_as_they_are() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut subscriber = link.subscriber();
    subscriber.subscribe(["a"]).await.unwrap();
    expect(&mut subscriber, subscribed("a", 1)).await;
    subscriber.subscribe([Topic::pattern("p.*")]).await.unwrap();
    expect(&mut subscriber, subscribed(Topic::pattern("p.*"), 2)).await;
    redis.publish("a", "m").await;
    redis.publish("p.x", "m").await;
    redis.publish("a", "007").await;
    redis.publish("a", b"\xff\0\r\n").await;
    expect(&mut subscriber, message("a", "m")).await;
    expect(&mut subscriber, by_pattern("p.*", "p.x", "m")).await;
    expect(&mut subscriber, message("a", "007")).await;
    expect(&mut subscriber, message("a", b"\xff\0\r\n")).await;
}

#[tokio::test]
async fn a_channels_name_that_is_not_utf_8_comes_by_a_pattern() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut subscriber = subscriber(&link, &[Topic::pattern("*")]).await;
    redis.publish(b"a\xff", "m").await;
    expect(&mut subscriber, by_pattern("*", "a\u{fffd}", "m")).await;
}

#[tokio::test]
async fn what_a_channel_and_a_pattern_match_comes_twice() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let topics = ["hi".into(), Topic::pattern("h*"), Topic::pattern("*i")];
    let mut subscriber = subscriber(&link, &topics).await;
    redis.publish("hi", "x").await;
    let mut came =
        [next(&mut subscriber).await, next(&mut subscriber).await, next(&mut subscriber).await];
    came.sort_by_key(|event| match event {
        Event::Message { pattern, .. } => pattern.clone(),
        _ => None,
    });
    assert_eq!(
        came,
        [message("hi", "x"), by_pattern("*i", "hi", "x"), by_pattern("h*", "hi", "x")]
    );
    expect_silence(&mut subscriber).await;
}

#[tokio::test]
async fn a_pattern_and_a_channel_of_the_same_name_are_two_topics() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let topics = [Topic::channel("h*"), Topic::pattern("h*"), Topic::sharded("h*")];
    let mut subscriber = subscriber(&link, &topics).await;
    subscriber.unsubscribe([Topic::channel("h*")]);
    expect(&mut subscriber, unsubscribed("h*", 2)).await;
    redis.until_subscribed("h*", 0).await;
    redis.publish("h*", "x").await;
    expect(&mut subscriber, by_pattern("h*", "h*", "x")).await;
    redis.command(&["SPUBLISH", "h*", "y"]).await;
    expect(&mut subscriber, message("h*", "y")).await;
}

#[tokio::test]
async fn a_second_subscriber_hears_its_own_confirmation_and_the_first_one_nothing() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut first = subscriber(&link, &["other".into(), "hi".into()]).await;
    let mut second = subscriber(&link, &["hi".into()]).await;
    second.subscribe(["hi"]).await.unwrap();
    expect_silence(&mut first).await;
    expect_silence(&mut second).await;
}

#[tokio::test]
async fn a_thousand_subscribers_of_one_channel_get_every_message() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut subscribers = Vec::new();
    for _ in 0..1_000 {
        subscribers.push(subscriber(&link, &["hi".into()]).await);
    }
    for number in 0..10 {
        assert_eq!(redis.publish("hi", number.to_string()).await, 1);
    }
    for subscriber in &mut subscribers {
        for number in 0..10 {
            expect(subscriber, message("hi", number.to_string())).await;
        }
    }
    drop(subscribers);
    redis.until_subscribed("hi", 0).await;
    assert_eq!(link.stats().channels, 0);
}

#[tokio::test]
async fn a_slow_subscriber_gets_one_gap_and_others_do_not_notice() {
    let redis = RedisServer::start().await;
    let config = LinkConfig { feed_messages: 10, ..LinkConfig::default() };
    let link = Link::connect_with(&redis.url(), config).await.unwrap();
    let mut slow = subscriber(&link, &["hi".into()]).await;
    let mut fast = subscriber(&link, &["hi".into()]).await;
    for number in 0..100 {
        redis.publish("hi", number.to_string()).await;
        expect(&mut fast, message("hi", number.to_string())).await;
    }
    for number in 0..10 {
        expect(&mut slow, message("hi", number.to_string())).await;
    }
    expect_gap(&mut slow).await;
    redis.publish("hi", "again").await;
    expect(&mut slow, message("hi", "again")).await;
    expect(&mut fast, message("hi", "again")).await;
    expect_silence(&mut slow).await;
    assert_eq!(link.stats().dropped, 90);
}

#[tokio::test]
async fn a_subscribers_queue_is_bounded_in_bytes_too() {
    let redis = RedisServer::start().await;
    let config = LinkConfig { feed_bytes: 1_000, ..LinkConfig::default() };
    let link = Link::connect_with(&redis.url(), config).await.unwrap();
    let mut subscriber = subscriber(&link, &["hi".into()]).await;
    redis.publish("hi", [7; 1_001]).await;
    expect_gap(&mut subscriber).await;
    redis.publish("hi", [7; 1_000]).await;
    expect(&mut subscriber, message("hi", [7; 1_000])).await;
}

#[tokio::test]
async fn a_dropped_subscriber_unsubscribes() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let topics = ["hi".into(), Topic::pattern("h*"), Topic::sharded("hi")];
    let mut stays = subscriber(&link, &["hi".into()]).await;
    drop(subscriber(&link, &topics).await);
    eventually("two topics to go", async || {
        let patterns = redis.command(&["PUBSUB", "NUMPAT"]).await;
        let sharded = redis.command(&["PUBSUB", "SHARDCHANNELS"]).await;
        patterns == Reply::Integer(0) && sharded == Reply::Array(Some(vec![]))
    })
    .await;
    redis.publish("hi", "x").await;
    expect(&mut stays, message("hi", "x")).await;
    drop(stays);
    redis.until_subscribed("hi", 0).await;
    assert_eq!(link.stats().reconnects, 0);
}

#[tokio::test]
async fn a_subscriber_keeps_its_link_alive() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut subscriber = subscriber(&link, &["hi".into()]).await;
    drop(link);
    redis.publish("hi", "x").await;
    expect(&mut subscriber, message("hi", "x")).await;
    drop(subscriber);
    redis.until_subscribed("hi", 0).await;
    eventually("the connection to end", async || {
        let list = redis.command(&["CLIENT", "LIST"]).await;
        // Ours, which asks.
        matches!(list, Reply::Bulk(Some(list)) if String::from_utf8_lossy(&list).lines().count() == 1)
    })
    .await;
}

#[tokio::test]
async fn a_frozen_redis_is_reported_as_a_gap() {
    let redis = RedisServer::start().await;
    let config = LinkConfig { heartbeat: Duration::from_millis(100), ..LinkConfig::default() };
    let link = Link::connect_with(&redis.url(), config).await.unwrap();
    let mut subscriber = subscriber(&link, &["hi".into()]).await;
    redis.freeze();
    let frozen = SystemTime::now();
    let lost = expect_lost(&mut subscriber).await;
    assert!(lost <= frozen);
    redis.thaw();
    expect(&mut subscriber, subscribed("hi", 1)).await;
    assert_eq!(expect_gap(&mut subscriber).await, lost);
    redis.until_subscribed("hi", 1).await;
    redis.publish("hi", "x").await;
    expect(&mut subscriber, message("hi", "x")).await;
}

#[tokio::test]
async fn all_kinds_of_topics_come_back_when_redis_is_killed_and_restarted() {
    let mut redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let topics: Vec<Topic> = (0..300)
        .flat_map(|number| {
            let name = format!("topic.{number}");
            let glob = format!("{name}.*");
            [Topic::channel(name.clone()), Topic::sharded(name), Topic::pattern(glob)]
        })
        .collect();
    let subscriber = link.subscriber();
    subscriber.subscribe(&topics).await.unwrap();
    let mut subscriber = subscriber;
    for _ in &topics {
        assert!(matches!(next(&mut subscriber).await, Event::Subscribed { .. }));
    }
    redis.restart().await;
    let lost = expect_lost(&mut subscriber).await;
    let mut back = Vec::new();
    for count in 1..=topics.len() {
        match next(&mut subscriber).await {
            Event::Subscribed { topic, count: counted } if counted == count => back.push(topic),
            other => panic!("expected confirmation {count}, got {other:?}"),
        }
    }
    let mut wanted = topics;
    wanted.sort();
    back.sort();
    assert_eq!(back, wanted);
    assert_eq!(expect_gap(&mut subscriber).await, lost);
    redis.publish("topic.7", "x").await;
    expect(&mut subscriber, message("topic.7", "x")).await;
    redis.publish("topic.7.a", "x").await;
    expect(&mut subscriber, by_pattern("topic.7.*", "topic.7.a", "x")).await;
    redis.command(&["SPUBLISH", "topic.299", "y"]).await;
    expect(&mut subscriber, message("topic.299", "y")).await;
}

#[tokio::test]
async fn subscribing_waits_for_a_redis_that_is_not_there_yet() {
    let mut redis = RedisServer::reserved().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut subscriber = link.subscriber();
    let waiting = timeout(Duration::from_millis(50), subscriber.subscribe(["given up"])).await;
    assert!(waiting.is_err(), "{waiting:?}");
    let (confirmed, ()) = tokio::join!(subscriber.subscribe(["hi"]), redis.restart());
    confirmed.unwrap();
    let mut topics = Vec::new();
    for _ in 0..2 {
        match next(&mut subscriber).await {
            Event::Subscribed { topic, .. } => topics.push(topic),
            other => panic!("expected a confirmation, got {other:?}"),
        }
    }
    topics.sort();
    assert_eq!(topics, [Topic::channel("given up"), Topic::channel("hi")]);
    // Nothing was missed: neither has stood before.
    redis.publish("hi", "there").await;
    assert!(matches!(next(&mut subscriber).await, Event::Message { .. }));
}

async fn only_public_channels(redis: &RedisServer) -> Link {
    let rules = ["ACL", "SETUSER", "ann", "on", ">secret", "resetchannels", "&public.*", "+@all"];
    assert_eq!(redis.command(&rules).await, Reply::Simple("OK".into()));
    let url = redis.url().replace("redis://", "redis://ann:secret@");
    Link::connect(&url).await.expect("a link")
}

#[tokio::test]
async fn a_forbidden_pattern_is_an_error_and_spares_the_others() {
    let redis = RedisServer::start().await;
    let link = only_public_channels(&redis).await;
    let mut subscriber = link.subscriber();
    let topics = ["private.*", "public.*"].map(Topic::pattern);
    let error = subscriber.subscribe(topics).await.unwrap_err();
    assert!(matches!(&error, Error::Server { code, .. } if code == "NOPERM"), "{error:?}");
    assert!(!format!("{error:?}").contains("private"), "{error:?}");
    expect(&mut subscriber, subscribed(Topic::pattern("public.*"), 1)).await;
    let error = subscriber.subscribe([Topic::sharded("private.a")]).await.unwrap_err();
    assert!(matches!(&error, Error::Server { code, .. } if code == "NOPERM"), "{error:?}");
    expect_silence(&mut subscriber).await;
    assert_eq!(link.stats().reconnects, 0);
    assert_eq!(link.stats().channels, 1);
}

#[tokio::test]
async fn a_topic_that_is_forbidden_later_is_unsubscribed() {
    let redis = RedisServer::start().await;
    let link = only_public_channels(&redis).await;
    let mut subscriber = subscriber(&link, &["public.a".into(), "public.b".into()]).await;
    redis.command(&["ACL", "SETUSER", "ann", "resetchannels", "&public.a"]).await;
    expect_lost(&mut subscriber).await;
    let mut settled = [next(&mut subscriber).await, next(&mut subscriber).await];
    settled.sort_by_key(|event| matches!(event, Event::Unsubscribed { .. }));
    assert_eq!(settled[0], subscribed("public.a", 1));
    assert!(
        matches!(&settled[1], Event::Unsubscribed { topic, .. } if topic.name() == "public.b"),
        "{settled:?}"
    );
    expect_gap(&mut subscriber).await;
    expect_silence(&mut subscriber).await;
}

#[tokio::test]
async fn a_confirmation_comes_before_the_first_message_and_a_departure_after_the_last() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    // So that the channel is there already, and the messages with it.
    let _other = subscriber(&link, &["hi".into()]).await;
    let publisher = tokio::spawn({
        let link = Link::connect(&redis.url()).await.unwrap();
        async move {
            loop {
                link.publish("hi", "x").await.unwrap();
            }
        }
    });
    for topic in [Topic::channel("hi"), Topic::pattern("hi")] {
        for _ in 0..100 {
            let mut subscriber = link.subscriber();
            subscriber.subscribe([&topic]).await.unwrap();
            expect(&mut subscriber, subscribed(&topic, 1)).await;
            assert!(matches!(next(&mut subscriber).await, Event::Message { .. }));
            subscriber.unsubscribe([&topic]);
            while matches!(next(&mut subscriber).await, Event::Message { .. }) {}
            assert!(matches!(subscriber.next().await, Err(Error::NotSubscribed)));
        }
    }
    publisher.abort();
}

#[tokio::test]
async fn giving_up_the_wait_for_an_event_loses_none() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut subscriber = subscriber(&link, &["hi".into()]).await;
    let publisher = tokio::spawn(async move {
        for number in 0..500 {
            redis.publish("hi", number.to_string()).await;
        }
        redis
    });
    for number in 0..500 {
        let event = loop {
            match timeout(Duration::from_micros(50), subscriber.next()).await {
                Ok(event) => break event.unwrap(),
                Err(_) => tokio::task::yield_now().await,
            }
        };
        assert_eq!(event, message("hi", number.to_string()));
    }
    publisher.await.unwrap();
}

#[tokio::test]
async fn a_subscriber_is_a_stream() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut subscriber = subscriber(&link, &["hi".into()]).await;
    let publisher = tokio::spawn(async move {
        for number in 0..100 {
            redis.publish("hi", number.to_string()).await;
        }
        redis
    });
    for number in 0..100 {
        let event = timeout(PATIENCE, StreamExt::next(&mut subscriber)).await.unwrap();
        assert_eq!(event.unwrap().unwrap(), message("hi", number.to_string()));
    }
    publisher.await.unwrap();
    subscriber.close();
    assert!(StreamExt::next(&mut subscriber).await.is_none());
}
