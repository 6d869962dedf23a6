//! What was kept before a connection was lost is not served after it.

use redwire_test::{Client, eventually};
use serde_json::json;

use crate::scene::{CHANNEL, Scene, expect};

const ROUNDS: u64 = 10;

/// The value of this round is kept.
async fn keep(scene: &Scene, viewer: &mut Client, round: u64) {
    scene.redis.hset("hash", "field", round.to_string()).await;
    scene.barrier(viewer).await;
    scene.until_kept().await;
    for _ in 0..2 {
        expect(viewer, "hash field", json!(round)).await;
    }
}

/// The link with the subscriptions is of the class `pubsub`, the one for commands of `normal`.
async fn cut(scene: &Scene, class: &str) {
    let cut = scene.redis.command(&["CLIENT", "KILL", "TYPE", class]).await;
    assert!(cut.as_integer() >= Some(1), "{cut:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_subscription_leaves_nothing_old() {
    let scene = Scene::start().await;
    let mut viewer = scene.subscriber().await;
    for round in 1..=ROUNDS {
        keep(&scene, &mut viewer, round).await;
        cut(&scene, "pubsub").await;
        scene.redis.hset("hash", "field", (round + 1).to_string()).await;
        viewer.expect_gap().await;
        expect(&mut viewer, "hash field", json!(round + 1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_connection_for_commands_leaves_nothing_old() {
    let scene = Scene::start().await;
    let mut viewer = scene.subscriber().await;
    for round in 1..=ROUNDS {
        keep(&scene, &mut viewer, round).await;
        cut(&scene, "normal").await;
        scene.redis.hset("hash", "field", (round + 1).to_string()).await;
        let link = scene.backend.link();
        eventually("the link to be back", async || {
            link.stats().reconnects == round && link.is_live()
        })
        .await;
        expect(&mut viewer, "hash field", json!(round + 1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_was_killed_and_came_back_with_other_data_leaves_nothing_old() {
    let mut scene = Scene::start().await;
    let mut viewer = scene.subscriber().await;
    for round in 1..=ROUNDS {
        keep(&scene, &mut viewer, round).await;
        scene.redis.kill().await;
        scene.redis.restart().await;
        scene.redis.hset("hash", "field", (round + 1).to_string()).await;
        viewer.expect_gap().await;
        expect(&mut viewer, "hash field", json!(round + 1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_served_while_redis_is_away() {
    let mut scene = Scene::start().await;
    let mut viewer = scene.subscriber().await;
    keep(&scene, &mut viewer, 1).await;
    scene.redis.kill().await;
    eventually("the loss to be noticed", async || !scene.gateway.api.is_ready()).await;
    viewer.send("GET hash field").await;
    viewer.expect_error("not connected").await;
}

/// Both connections are lost again and again while a writer goes on, and viewers look at each message.
#[tokio::test(flavor = "multi_thread")]
async fn changes_are_seen_after_any_cut_when_both_links_stand_again() {
    let scene = Scene::start().await;
    let mut viewer = scene.subscriber().await;
    for round in 1..=ROUNDS {
        keep(&scene, &mut viewer, round).await;
        cut(&scene, "normal").await;
        cut(&scene, "pubsub").await;
        viewer.expect_gap().await;
        eventually("both links", async || scene.gateway.api.is_ready()).await;
        for value in [100 + round, 200 + round] {
            scene.redis.hset("hash", "field", value.to_string()).await;
            scene.redis.publish(CHANNEL, value.to_string()).await;
            viewer.expect(CHANNEL, json!(value)).await;
            expect(&mut viewer, "hash field", json!(value)).await;
        }
    }
}
