//! One subscriber over several links.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use redwire_test::{PATIENCE, RedisServer};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{Carrier, Event, Subscriber};
use crate::Error;
use crate::link::{Limits, Link};
use crate::topic::Topic;
use one_node::OneNode;

#[path = "../../tests/one_node/mod.rs"]
mod one_node;

#[derive(Debug)]
struct FirstTo(Link, Arc<Notify>);

impl Carrier for FirstTo {
    fn link<'a>(&'a self, _: &'a Topic) -> BoxFuture<'a, Result<Link, Error>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }

    fn roams(&self) -> Option<Arc<Notify>> {
        Some(self.1.clone())
    }
}

fn over(link: &Link) -> Subscriber {
    followed(link).0
}

/// With who is woken when a topic has to be attached elsewhere.
fn followed(link: &Link) -> (Subscriber, Arc<Notify>) {
    let (limits, moved) = (Limits { messages: 1_000, bytes: 1_000_000 }, Arc::new(Notify::new()));
    (Subscriber::new(Box::new(FirstTo(link.clone(), moved.clone())), limits), moved)
}

async fn next(subscriber: &mut Subscriber) -> Event {
    let event = timeout(PATIENCE, subscriber.next()).await.expect("an event in time");
    event.expect("an event")
}

async fn expect_confirmation(subscriber: &mut Subscriber, topic: &Topic, count: usize) {
    let expected = Event::Subscribed { topic: topic.clone(), count };
    assert_eq!(next(subscriber).await, expected);
}

fn message(channel: &str, payload: &'static str) -> Event {
    let payload = Bytes::from_static(payload.as_bytes());
    Event::Message { pattern: None, channel: channel.into(), payload }
}

#[tokio::test]
async fn a_channel_follows_its_slot_to_another_node() {
    let (from, to) = tokio::join!(OneNode::start(), OneNode::start());
    let here = Link::connect(&from.url()).await.unwrap();
    let there = Link::connect(&to.url()).await.unwrap();
    let (foo, bar) = (Topic::sharded("foo"), Topic::sharded("bar"));
    let (mut subscriber, moved) = followed(&here);
    for (topic, count) in [(&bar, 1), (&foo, 2)] {
        subscriber.subscribe([topic]).await.unwrap();
        expect_confirmation(&mut subscriber, topic, count).await;
    }
    from.lose_slot_of("foo").await;
    timeout(PATIENCE, moved.notified()).await.unwrap();
    let mut adrift = subscriber.inbox.topics();
    adrift.retain(|(_, _, is_confirmed)| !is_confirmed);
    assert!(matches!(adrift.as_slice(), [(topic, ..)] if *topic == foo), "{adrift:?}");
    let Event::Lost { since } = next(&mut subscriber).await else { panic!("not lost") };
    drop(subscriber.inbox.attach(&foo, &there));
    expect_confirmation(&mut subscriber, &foo, 2).await;
    assert_eq!(next(&mut subscriber).await, Event::Gap { since });
    to.spublish("foo", "from there").await;
    assert_eq!(next(&mut subscriber).await, message("foo", "from there"));
    from.spublish("bar", "from here").await;
    assert_eq!(next(&mut subscriber).await, message("bar", "from here"));
    assert_eq!((here.stats().channels, there.stats().channels), (1, 1));
    drop(subscriber);
    assert_eq!((here.stats().channels, there.stats().channels), (0, 0));
}

#[tokio::test]
async fn a_channel_that_was_asked_of_the_wrong_node_is_confirmed_by_the_right_one() {
    let (wrong, right) = tokio::join!(OneNode::start(), OneNode::start());
    wrong.lose_slot_of("foo").await;
    let here = Link::connect(&wrong.url()).await.unwrap();
    let there = Link::connect(&right.url()).await.unwrap();
    let (mut subscriber, moved) = followed(&here);
    let (inbox, foo) = (subscriber.inbox.clone(), Topic::sharded("foo"));
    let follow = async {
        moved.notified().await;
        drop(inbox.attach(&foo, &there));
    };
    let (subscribed, ()) = tokio::join!(subscriber.subscribe([&foo]), follow);
    subscribed.unwrap();
    expect_confirmation(&mut subscriber, &foo, 1).await;
    right.spublish("foo", "x").await;
    assert_eq!(next(&mut subscriber).await, message("foo", "x"));
}

#[tokio::test]
async fn an_outage_of_one_link_leaves_the_topics_of_the_other_alone() {
    let (mut one, two) = tokio::join!(RedisServer::start(), RedisServer::start());
    let left = Link::connect(&one.url()).await.unwrap();
    let right = Link::connect(&two.url()).await.unwrap();
    let (a, b) = (Topic::channel("a"), Topic::channel("b"));
    let mut subscriber = over(&left);
    subscriber.subscribe([&a]).await.unwrap();
    expect_confirmation(&mut subscriber, &a, 1).await;
    subscriber.inbox.attach(&b, &right).unwrap().await.unwrap();
    expect_confirmation(&mut subscriber, &b, 2).await;
    one.kill().await;
    let Event::Lost { since } = next(&mut subscriber).await else { panic!("not lost") };
    two.publish("b", "still").await;
    assert_eq!(next(&mut subscriber).await, message("b", "still"));
    one.restart().await;
    expect_confirmation(&mut subscriber, &a, 2).await;
    assert_eq!(next(&mut subscriber).await, Event::Gap { since });
}

#[tokio::test]
async fn a_topic_that_is_attached_elsewhere_while_it_stands_is_lost_for_a_moment() {
    let (one, two) = tokio::join!(RedisServer::start(), RedisServer::start());
    let left = Link::connect(&one.url()).await.unwrap();
    let right = Link::connect(&two.url()).await.unwrap();
    let topic = Topic::channel("a");
    let mut subscriber = over(&left);
    subscriber.subscribe([&topic]).await.unwrap();
    expect_confirmation(&mut subscriber, &topic, 1).await;
    subscriber.inbox.attach(&topic, &right).unwrap().await.unwrap();
    one.until_subscribed("a", 0).await;
    let Event::Lost { since } = next(&mut subscriber).await else { panic!("not lost") };
    expect_confirmation(&mut subscriber, &topic, 1).await;
    assert_eq!(next(&mut subscriber).await, Event::Gap { since });
    two.publish("a", "x").await;
    assert_eq!(next(&mut subscriber).await, message("a", "x"));
}
