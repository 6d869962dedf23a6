//! Sharded channels, and slots that leave the node.

mod one_node;

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use one_node::OneNode;
use redwire_client::{Error, Event, Link, LinkEvent, Standing, Subscriber, Topic, redis, slot};
use redwire_test::{PATIENCE, eventually};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::timeout;

async fn next(subscriber: &mut Subscriber) -> Event {
    let event = timeout(PATIENCE, subscriber.next()).await.expect("an event in time");
    event.expect("an event")
}

fn message(channel: &str, payload: &'static str) -> Event {
    Event::Message {
        pattern: None,
        channel: channel.into(),
        payload: Bytes::from_static(payload.as_bytes()),
    }
}

async fn subscriber(link: &Link, channels: &[&str]) -> Subscriber {
    let mut subscriber = link.subscriber();
    let topics = channels.iter().copied().map(Topic::sharded);
    subscriber.subscribe(topics).await.expect("confirmations");
    for _ in channels {
        assert!(matches!(next(&mut subscriber).await, Event::Subscribed { .. }));
    }
    subscriber
}

#[tokio::test]
async fn sharded_channels_of_any_slots_are_subscribed_at_once() {
    let node = OneNode::start().await;
    let link = Link::connect(&node.url()).await.unwrap();
    let names: Vec<String> = (0..2_000).map(|number| format!("channel.{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut subscriber = subscriber(&link, &names).await;
    node.spublish("channel.1999", "x").await;
    assert_eq!(next(&mut subscriber).await, message("channel.1999", "x"));
    subscriber.unsubscribe(names[1..].iter().copied().map(Topic::sharded));
    eventually("the channels to go", async || link.stats().channels == 1).await;
    let mut command = redis::cmd("PUBSUB");
    let command = command.arg("SHARDCHANNELS");
    eventually("redis to know", async || {
        let left = node.admin().command(command).await.unwrap();
        matches!(left, redis::Value::Array(names) if names.len() == 1)
    })
    .await;
    assert_eq!(link.stats().reconnects, 0);
}

#[tokio::test]
async fn a_slot_that_leaves_takes_its_channels_and_no_others() {
    let node = OneNode::start().await;
    let link = Link::connect(&node.url()).await.unwrap();
    let mut subscriber = subscriber(&link, &["foo", "bar"]).await;
    node.lose_slot_of("foo").await;
    let left = Event::Unsubscribed { topic: Topic::sharded("foo"), count: 1 };
    assert_eq!(next(&mut subscriber).await, left);
    assert!(matches!(next(&mut subscriber).await, Event::Gap { .. }));
    node.spublish("bar", "x").await;
    assert_eq!(next(&mut subscriber).await, message("bar", "x"));
    // Nothing was in flight, so the connection is as good as before.
    assert_eq!(link.stats().reconnects, 0);
    let error = subscriber.subscribe([Topic::sharded("foo")]).await.unwrap_err();
    assert!(matches!(&error, Error::Server { code, .. } if code == "MOVED"), "{error:?}");
    assert!(!error.to_string().contains("foo"), "{error}");
    node.serve_slot_of("foo").await;
    subscriber.subscribe([Topic::sharded("foo")]).await.unwrap();
    assert!(matches!(next(&mut subscriber).await, Event::Subscribed { count: 2, .. }));
    node.spublish("foo", "back").await;
    assert_eq!(next(&mut subscriber).await, message("foo", "back"));
}

#[tokio::test]
async fn a_feed_hears_that_a_channel_has_moved() {
    let node = OneNode::start().await;
    let link = Link::connect(&node.url()).await.unwrap();
    let mut feed = link.feed();
    let topic = Topic::sharded("foo");
    link.subscribe(&topic);
    assert_eq!(link.confirmed(&topic).await, Standing::Confirmed);
    node.lose_slot_of("foo").await;
    let mut events = Vec::new();
    assert!(timeout(PATIENCE, feed.recv(&mut events)).await.unwrap());
    assert!(
        matches!(&events[..], [LinkEvent::Moved { channel, .. }] if &**channel == "foo"),
        "{events:?}"
    );
    assert_eq!(link.confirmed(&topic).await, Standing::Moved);
    link.subscribe("plain");
    assert_eq!(link.confirmed("plain").await, Standing::Confirmed);
    assert!(link.is_live());
}

/// Reads of keys whose values are their names, all in flight when this returns.
async fn reads(link: &Link) -> Vec<JoinHandle<()>> {
    let reads: Vec<_> = (0..50).map(|number| tokio::spawn(read(link.clone(), number))).collect();
    // One thread runs all tasks: by now the reads wait, and were written.
    for _ in 0..10 {
        yield_now().await;
    }
    reads
}

async fn read(link: Link, number: u32) {
    let key = format!("{{bar}}{number}");
    match link.hget(&key, "name").await {
        Ok(name) => assert_eq!(name, Some(Bytes::from(key)), "somebody else's reply"),
        Err(Error::Lost { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

async fn write_names(link: &Link) {
    for number in 0..50 {
        let key = format!("{{bar}}{number}");
        link.hset(&key, "name", &key).await.expect("a reply");
    }
}

#[tokio::test]
async fn a_slot_that_leaves_while_replies_are_awaited_shifts_none() {
    let node = OneNode::start().await;
    let link = Link::connect(&node.url()).await.unwrap();
    write_names(&link).await;
    let mut subscriber = subscriber(&link, &["foo", "bar"]).await;
    let mut other = node.connect();
    node.freeze().await;
    // In one piece: a second one would wait for the first one's acknowledgement.
    other.write_all(format!("CLUSTER DELSLOTS {}\r\n", slot("foo")).as_bytes()).unwrap();
    let reads = reads(&link).await;
    node.thaw();
    for read in reads {
        timeout(PATIENCE, read).await.unwrap().unwrap();
    }
    eventually("a new connection", async || link.stats().reconnects == 1).await;
    let left = Event::Unsubscribed { topic: Topic::sharded("foo"), count: 1 };
    assert_eq!(next(&mut subscriber).await, left);
    assert!(matches!(next(&mut subscriber).await, Event::Gap { .. }));
    assert!(matches!(next(&mut subscriber).await, Event::Lost { .. }));
    assert!(matches!(next(&mut subscriber).await, Event::Subscribed { count: 1, .. }));
    assert!(matches!(next(&mut subscriber).await, Event::Gap { .. }));
    for read in self::reads(&link).await {
        timeout(PATIENCE, read).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_slot_that_leaves_while_we_leave_its_channel_shifts_no_reply() {
    let node = OneNode::start().await;
    let link = Link::connect(&node.url()).await.unwrap();
    write_names(&link).await;
    let subscriber = subscriber(&link, &["foo", "bar"]).await;
    let mut other = node.connect();
    node.freeze().await;
    // In one piece: a second one would wait for the first one's acknowledgement.
    other.write_all(format!("CLUSTER DELSLOTS {}\r\n", slot("foo")).as_bytes()).unwrap();
    subscriber.unsubscribe([Topic::sharded("foo")]);
    let before = reads(&link).await;
    let after = reads(&link).await;
    node.thaw();
    for read in before.into_iter().chain(after) {
        timeout(PATIENCE, read).await.unwrap().unwrap();
    }
    eventually("a new connection", async || link.stats().reconnects == 1).await;
    for read in reads(&link).await {
        timeout(PATIENCE, read).await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reply_and_no_message_is_lost_silently_while_a_slot_comes_and_goes() {
    let node = OneNode::start().await;
    let link = Link::connect(&node.url()).await.unwrap();
    write_names(&link).await;
    let readers: Vec<_> = (0..16)
        .map(|number| {
            let link = link.clone();
            tokio::spawn(async move {
                loop {
                    link.live().await;
                    let key = format!("{{bar}}{number}");
                    match link.hget(&key, "name").await {
                        Ok(name) => assert_eq!(name, Some(Bytes::from(key)), "another's reply"),
                        Err(Error::Lost { .. } | Error::Unavailable { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    let mut stays = subscriber(&link, &["bar"]).await;
    let sent = tokio::spawn({
        let publisher = Link::connect(&node.url()).await.unwrap();
        async move {
            for number in 0..u32::MAX {
                publisher
                    .command(redis::cmd("SPUBLISH").arg("bar").arg(number.to_string()))
                    .await
                    .unwrap();
            }
        }
    });
    let churn = tokio::spawn(async move {
        for _ in 0..30 {
            let subscriber = link.subscriber();
            let joined = subscriber.subscribe([Topic::sharded("foo"), Topic::sharded("foo2")]);
            // Redis may have lost the slot before we come, or we the connection.
            let _ = timeout(Duration::from_millis(100), joined).await;
            node.lose_slot_of("foo").await;
            drop(subscriber);
            node.serve_slot_of("foo").await;
        }
        link.live().await;
        (node, link)
    });
    let (mut last, mut missing) = (None, false);
    let mut churn = churn;
    let (_node, _link) = loop {
        tokio::select! {
            done = &mut churn => break done.unwrap(),
            event = stays.next() => match event.unwrap() {
                Event::Message { payload, .. } => {
                    let number: u32 = str::from_utf8(&payload).unwrap().parse().unwrap();
                    let follows = last.is_none_or(|last| number == last + 1);
                    assert!(follows || missing, "{number} follows {last:?} without a gap");
                    (last, missing) = (Some(number), false);
                }
                Event::Gap { .. } => missing = true,
                _ => {}
            },
        }
    };
    sent.abort();
    for reader in readers {
        reader.abort();
        assert!(reader.await.unwrap_err().is_cancelled(), "a reader failed");
    }
}
