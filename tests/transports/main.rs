//! WebSocket over what is not a bare TCP socket of redwire's own: `axum::serve`, TLS, streams of HTTP/2.

mod path;

use std::sync::Arc;
use std::time::Duration;

use redwire::prelude::*;
use redwire_suites::Parity;
use redwire_test::eventually;
use serde_json::{Value, json};

use path::{Path, Visitor};

/// A server that all paths lead to.
struct Scene {
    memory: MemoryBackend,
    api: WebsocketApi<Parity>,
}

impl Scene {
    fn new(limits: Limits) -> Self {
        let memory = MemoryBackend::new();
        let protocol = Protocol::new().with(Keys).with(Subscriptions).with(Ping);
        let api = WebsocketApi::new(protocol, Arc::new(memory.clone())).limits(limits);
        Self { memory, api }
    }

    async fn visitor(&self, path: Path) -> Visitor {
        let mut visitor = path.visit(self.api.route(Parity)).await;
        assert_eq!(visitor.content().await, json!({"status": "open"}), "{path:?}");
        visitor
    }

    /// A visitor who gets what is published on `news`.
    async fn reader(&self, path: Path) -> Visitor {
        let mut visitor = self.visitor(path).await;
        visitor.send("SUB news").await;
        visitor.send("PING").await;
        assert_eq!(visitor.content().await, "PONG", "{path:?}");
        visitor
    }

    fn publish(&self, payload: impl Into<String>) {
        self.memory.publish("news", payload.into().into_bytes());
    }

    fn closed_as_too_slow(&self) -> bool {
        self.api.metrics().contains("redwire_connections_closed_total{code=\"1013\"} 1")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_on_all_paths_are_answered_and_told_what_is_published() {
    let scene = Scene::new(Limits::default());
    scene.memory.hset("trains", "42", "\"at A\"");
    let mut visitors = Vec::new();
    for path in Path::ALL {
        visitors.push(scene.reader(path).await);
    }
    for number in 0..100 {
        scene.publish(number.to_string());
    }
    for visitor in &mut visitors {
        for number in 0..100 {
            assert_eq!(visitor.content().await, number);
        }
        visitor.send("GET trains 42").await;
        assert_eq!(visitor.content().await, "at A");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_of_many_writes_arrives_whole_while_others_are_told_the_news() {
    for path in Path::ALL {
        let scene = Scene::new(Limits::default());
        let layer: Vec<_> = (0..200_000).collect();
        scene.memory.hset("trains", "all", json!(layer).to_string());
        let (mut large, mut beside) = (scene.reader(path).await, scene.reader(path).await);
        large.send("GET trains all").await;
        for number in 0..100 {
            scene.publish(number.to_string());
        }
        let (mut news, mut reply) = (0, None);
        while news < 100 || reply.is_none() {
            match large.content().await {
                Value::Array(all) => reply = Some(all.len()),
                number => {
                    assert_eq!(number, news, "{path:?}");
                    news += 1;
                }
            }
        }
        assert_eq!(reply, Some(layer.len()), "{path:?}");
        for number in 0..100 {
            assert_eq!(beside.content().await, number, "{path:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_reading_is_closed_and_nobody_else_notices() {
    for path in Path::ALL {
        let scene = Scene::new(Limits { outbox_bytes: 1_000_000, ..Limits::default() });
        let (slow, mut beside) = (scene.reader(path).await, scene.reader(path).await);
        let message = json!("n".repeat(200_000));
        eventually("the slow one to be closed", async || {
            scene.publish(message.to_string());
            assert_eq!(beside.content().await, message, "{path:?}");
            scene.closed_as_too_slow()
        })
        .await;
        drop(slow);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_word_arrives_before_the_connection_ends() {
    for path in Path::ALL {
        let scene = Scene::new(Limits::default());
        let mut visitors = Vec::new();
        for _ in 0..10 {
            visitors.push(scene.reader(path).await);
        }
        let drained = scene.api.drain(Duration::ZERO);
        let told = async {
            for visitor in &mut visitors {
                assert_eq!(visitor.closed().await, 1012, "{path:?}");
            }
        };
        tokio::join!(drained, told);
    }
}
