//! Redis stays and cuts the gateway off.

use std::time::Instant;

use redwire_test::{Reply, eventually};
use serde_json::json;

use crate::publisher::{Publisher, Telnet};
use crate::scene::{CHANNEL, NOT_CONNECTED, Scene, expect_gap, now};

const CUTS: u64 = 20;

/// The link with the subscriptions is of the class `pubsub`, also with RESP3; and there is only one.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_killed_subscriptions_in_a_row_heal_and_each_is_reported() {
    let mut scene = Scene::with_subscribers(10).await;
    for cut in 1..=CUTS {
        let last_heard = scene.expect_flow().await;
        let one = scene.redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        assert_eq!(one, Reply::Integer(1));
        let since = last_heard..=now();
        for client in &mut scene.subscribers {
            expect_gap(client, &since).await;
        }
        assert_eq!(scene.gateway.metric("redwire_gaps_total"), cut);
    }
    scene.expect_flow().await;
    scene.expect_everybody_is_answered().await;
}

/// A link without any subscription is of the class `normal`, as the one for commands always is.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_killed_command_connections_in_a_row_heal_and_each_is_counted() {
    let mut scene = Scene::with_subscribers(0).await;
    for cut in 1..=CUTS {
        let both = scene.redis.command(&["CLIENT", "KILL", "TYPE", "normal"]).await;
        assert_eq!(both, Reply::Integer(2));
        eventually("the links to be cut and back", async || {
            scene.gateway.metric("redwire_gaps_total") == cut && scene.gateway.api.is_ready()
        })
        .await;
        scene.bystander.send("GET nokey").await;
        scene.bystander.expect("nokey", json!(null)).await;
    }
}

/// A publisher overruns Redis' output buffer for the link, which Redis then drops.
#[tokio::test(flavor = "multi_thread")]
async fn an_overrun_output_buffer_is_reported() {
    let mut scene = Scene::with_subscribers(10).await;
    let limit = ["CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 512kb 1"];
    assert_eq!(scene.redis.command(&limit).await, Reply::Simple("OK".to_owned()));
    let last_heard = scene.expect_flow().await;
    let too_large = format!("\"{}\"", "x".repeat(2 << 20));
    scene.redis.publish(CHANNEL, too_large).await;
    let since = last_heard..=now();
    for client in &mut scene.subscribers {
        expect_gap(client, &since).await;
    }
    scene.expect_flow().await;
    scene.expect_everybody_is_answered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_changed_keeps_the_gateway_up_and_not_ready_until_it_is_back() {
    let mut scene = Scene::with_subscribers(10).await;
    let last_heard = scene.expect_flow().await;
    let mut insider = Telnet::connect(&scene.redis).await;
    insider.expect("CONFIG SET requirepass hunter2", "+OK").await;
    insider.expect("CLIENT KILL TYPE pubsub", ":1").await;
    insider.expect("CLIENT KILL TYPE normal", ":1").await;
    let since = last_heard..=now();
    scene.until_noticed().await;

    let mut outsider = Telnet::connect(&scene.redis).await;
    outsider.expect("PING", "-NOAUTH Authentication required.").await;
    scene.expect_failing_get(NOT_CONNECTED).await;
    scene.expect_everybody_is_answered().await;
    assert!(!scene.gateway.api.is_ready());

    insider.expect("CONFIG SET requirepass \"\"", "+OK").await;
    let publisher = Publisher::start(&scene.redis, CHANNEL);
    scene.expect_healing(publisher, Instant::now(), since).await;
    // The connection for commands comes back in a time of its own.
    eventually("readiness", async || scene.gateway.api.is_ready()).await;
}
