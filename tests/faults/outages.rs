//! Redis is away for a while: a hundred idle subscribers stay, are answered, and are told once.

use std::time::{Duration, Instant};

use redwire_test::eventually;
use tokio::time::sleep;

use crate::publisher::Publisher;
use crate::scene::{CHANNEL, NO_ANSWER, NOT_CONNECTED, Scene, now};

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_was_away_for_a_tenth_of_a_second_is_healed_from() {
    println!("healed {:?} after redis", heals_after(Duration::from_millis(100)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_was_away_for_a_second_is_healed_from() {
    println!("healed {:?} after redis", heals_after(Duration::from_secs(1)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_was_away_for_twenty_seconds_is_healed_from() {
    println!("healed {:?} after redis", heals_after(Duration::from_secs(20)).await);
}

async fn heals_after(outage: Duration) -> Duration {
    let mut scene = Scene::with_subscribers(100).await;
    let last_heard = scene.expect_flow().await;

    scene.redis.kill().await;
    let killed = Instant::now();
    let since = last_heard..=now();
    scene.expect_failing_get(NOT_CONNECTED).await;
    scene.expect_everybody_is_answered().await;
    scene.join().await;
    let publisher = Publisher::start(&scene.redis, CHANNEL);
    // The outage's length is the scenario's input.
    sleep(outage.saturating_sub(killed.elapsed())).await;
    scene.expect_everybody_is_answered().await;

    scene.redis.restart().await;
    scene.expect_healing(publisher, Instant::now(), since).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_was_frozen_for_ten_seconds_is_healed_from() {
    let mut scene = Scene::with_subscribers(100).await;
    let last_heard = scene.expect_flow().await;

    scene.redis.freeze();
    let frozen = Instant::now();
    let since = last_heard..=now();
    // Silence is noticed after 3 s; until then commands wait, for 2 s.
    scene.expect_failing_get(NO_ANSWER).await;
    scene.expect_everybody_is_answered().await;
    scene.until_noticed().await;
    scene.expect_failing_get(NOT_CONNECTED).await;
    scene.expect_everybody_is_answered().await;
    scene.join().await;
    let publisher = Publisher::start(&scene.redis, CHANNEL);
    // The outage's length is the scenario's input.
    sleep(Duration::from_secs(10).saturating_sub(frozen.elapsed())).await;
    scene.expect_everybody_is_answered().await;

    scene.redis.thaw();
    let healed = scene.expect_healing(publisher, Instant::now(), since).await;
    println!("healed {healed:?} after redis");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_that_waits_for_a_frozen_redis_delays_no_other_client() {
    let mut scene = Scene::with_subscribers(1).await;
    let mut waiting = scene.gateway.client().await;
    let served = scene.gateway.metric("redwire_commands_total");
    scene.redis.freeze();
    waiting.send("GET trains 42").await;
    eventually("the GET to be in flight", async || {
        scene.gateway.metric("redwire_commands_total") > served
    })
    .await;
    let others = async {
        for _ in 0..100 {
            scene.bystander.expect_silence().await;
        }
    };
    tokio::select! {
        biased;
        early = waiting.next() => panic!("the GET came first: {early}"),
        () = others => {}
    }
    waiting.expect_error(NO_ANSWER).await;
}
