//! A Redis that dies, freezes, cuts us off, or is not there yet.

mod reader;

use std::time::{Duration, Instant, SystemTime};

use reader::Reader;
use redwire_client::{Error, Link, LinkConfig, LinkEvent, Standing};
use redwire_test::{RedisServer, Reply, eventually};
use tokio::time::{sleep, timeout};

/// A live link with `channel` subscribed, and its reader.
async fn subscribed(redis: &RedisServer) -> (Link, Reader) {
    let link = Link::connect(&redis.url()).await.expect("a link");
    let reader = Reader::new(&link);
    link.subscribe("channel");
    assert_eq!(link.confirmed("channel").await, Standing::Confirmed);
    (link, reader)
}

/// One message after the other: had there been a second gap, it would be seen here.
async fn expect_flow(redis: &RedisServer, reader: &mut Reader) {
    for payload in ["one", "two"] {
        assert_eq!(redis.publish("channel", payload).await, 1);
        reader.expect("channel", payload).await;
    }
}

async fn heals_after(outage: Duration) {
    let mut redis = RedisServer::start().await;
    let (link, mut reader) = subscribed(&redis).await;
    expect_flow(&redis, &mut reader).await;
    redis.kill().await;
    let killed = SystemTime::now();
    eventually("the loss to be noticed", async || !link.is_live()).await;
    // The fault lasts so long.
    sleep(outage).await;
    redis.restart().await;
    // The link is idle: no command helps it to notice.
    let since = reader.expect_outage().await;
    assert!(since <= killed, "messages before the loss are not missing");
    assert!(link.is_live());
    expect_flow(&redis, &mut reader).await;
    assert_eq!(link.stats().reconnects, 1);
}

#[tokio::test]
async fn a_killed_redis_heals_and_reports_one_gap() {
    heals_after(Duration::from_millis(100)).await;
}

#[tokio::test]
async fn an_outage_of_three_seconds_heals_and_reports_one_gap() {
    heals_after(Duration::from_secs(3)).await;
}

#[tokio::test]
async fn a_frozen_redis_is_declared_dead_within_five_seconds_and_heals() {
    let redis = RedisServer::start().await;
    let (link, mut reader) = subscribed(&redis).await;
    let frozen = Instant::now();
    redis.freeze();
    eventually("the freeze to be noticed", async || !link.is_live()).await;
    assert!(frozen.elapsed() <= Duration::from_secs(5), "took {:?}", frozen.elapsed());
    // The fault outlasts attempts to connect, which come to nothing as long as it does.
    sleep(Duration::from_secs(6).saturating_sub(frozen.elapsed())).await;
    redis.thaw();
    reader.expect_outage().await;
    redis.until_subscribed("channel", 1).await;
    expect_flow(&redis, &mut reader).await;
}

#[tokio::test]
async fn a_short_freeze_is_no_outage() {
    let redis = RedisServer::start().await;
    let (link, mut reader) = subscribed(&redis).await;
    redis.freeze();
    // The fault is longer than a heartbeat, and shorter than what counts as silence.
    sleep(Duration::from_millis(1200)).await;
    redis.thaw();
    expect_flow(&redis, &mut reader).await;
    assert_eq!(link.stats().reconnects, 0);
}

#[tokio::test]
async fn a_link_starts_before_redis_and_reports_a_gap_since_its_start() {
    let mut redis = RedisServer::reserved().await;
    let before = SystemTime::now();
    let link = Link::connect(&redis.url()).await.unwrap();
    assert!(!link.is_live());
    let mut reader = Reader::new(&link);
    link.subscribe("channel");
    assert_eq!(
        link.confirmed("channel").await,
        Standing::Unconfirmed,
        "a link that is down confirms nothing"
    );
    let refused = link.hget("key", "field").await;
    assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
    redis.restart().await;
    let since = reader.expect_gap().await;
    assert!(since >= before && since <= SystemTime::now());
    expect_flow(&redis, &mut reader).await;
    assert_eq!(link.stats().reconnects, 0);
}

#[tokio::test]
async fn a_first_connection_with_nothing_to_restore_has_no_gap() {
    let redis = RedisServer::start().await;
    let (_link, mut reader) = subscribed(&redis).await;
    expect_flow(&redis, &mut reader).await;
}

#[tokio::test]
async fn a_killed_subscriber_heals_and_reports_one_gap() {
    let redis = RedisServer::start().await;
    let (_link, mut reader) = subscribed(&redis).await;
    let killed = redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    assert_eq!(killed, Reply::Integer(1));
    reader.expect_outage().await;
    expect_flow(&redis, &mut reader).await;
}

#[tokio::test]
async fn a_closed_connection_is_noticed_without_a_heartbeat() {
    let redis = RedisServer::start().await;
    let config = LinkConfig { heartbeat: Duration::from_secs(3600), ..LinkConfig::default() };
    let link = Link::connect_with(&redis.url(), config).await.unwrap();
    let mut reader = Reader::new(&link);
    redis.command(&["CLIENT", "KILL", "TYPE", "normal"]).await;
    reader.expect_outage().await;
}

#[tokio::test]
async fn a_killed_link_without_subscriptions_heals_and_reports_one_gap() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.unwrap();
    let mut reader = Reader::new(&link);
    let killed = redis.command(&["CLIENT", "KILL", "TYPE", "normal"]).await;
    assert_eq!(killed, Reply::Integer(1));
    reader.expect_outage().await;
    link.subscribe("channel");
    assert_eq!(link.confirmed("channel").await, Standing::Confirmed);
    expect_flow(&redis, &mut reader).await;
}

#[tokio::test]
async fn everything_missing_lies_in_a_gap_however_often_the_link_is_cut() {
    let redis = RedisServer::start().await;
    let (link, mut reader) = subscribed(&redis).await;
    let (mut last, mut gaps, mut lost) = (0_u64, 0_u64, false);
    for number in 1..=500_u64 {
        if number.is_multiple_of(50) {
            redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        }
        redis.publish("channel", number.to_string()).await;
    }
    link.live().await;
    redis.until_subscribed("channel", 1).await;
    while redis.publish("channel", "501").await == 0 {}
    while last < 501 {
        match reader.next().await {
            LinkEvent::Message { payload, .. } => {
                let number = str::from_utf8(&payload).unwrap().parse::<u64>().unwrap();
                assert!(number == last + 1 || lost, "{number} follows {last} without a gap");
                (last, lost) = (number, false);
            }
            LinkEvent::Gap { .. } => (gaps, lost) = (gaps + 1, true),
            _ => {}
        }
    }
    assert_eq!(gaps, link.stats().reconnects);
    assert!(gaps > 0);
}

#[tokio::test]
async fn a_command_that_waits_when_redis_dies_fails_at_once() {
    let mut redis = RedisServer::start().await;
    let config = LinkConfig { command_timeout: Duration::from_secs(60), ..LinkConfig::default() };
    let link = Link::connect_with(&redis.url(), config).await.unwrap();
    redis.freeze();
    let waiting = tokio::spawn({
        let link = link.clone();
        async move { link.hget("key", "field").await }
    });
    tokio::task::yield_now().await;
    redis.kill().await;
    let reply = timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
    assert!(matches!(reply, Err(Error::Lost { .. })), "{reply:?}");
}

#[tokio::test]
async fn a_command_has_a_deadline() {
    let redis = RedisServer::start().await;
    let config = LinkConfig { command_timeout: Duration::from_millis(50), ..LinkConfig::default() };
    let link = Link::connect_with(&redis.url(), config).await.unwrap();
    redis.freeze();
    let error = link.hget("secret key", "field").await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
    assert!(error.to_string().contains("HGET") && error.to_string().contains(&*link.endpoint()));
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
}

#[tokio::test]
async fn a_redis_that_accepts_and_never_answers_does_not_hold_the_start() {
    let redis = RedisServer::start().await;
    redis.freeze();
    let config =
        LinkConfig { connect_timeout: Duration::from_millis(100), ..LinkConfig::default() };
    let link = timeout(Duration::from_secs(5), Link::connect_with(&redis.url(), config)).await;
    let link = link.unwrap().unwrap();
    assert!(!link.is_live());
    redis.thaw();
    timeout(Duration::from_secs(10), link.live()).await.unwrap();
}
