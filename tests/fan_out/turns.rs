//! Commands and messages of one connection: which comes when.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redwire::prelude::*;
use redwire_suites::{Gateway, Store};
use redwire_test::eventually;
use serde_json::json;
use tokio::sync::Notify;

use crate::only::Only;

/// `WAIT name`: answers when the test says so.
#[derive(Clone, Default)]
struct Wait {
    go: Arc<Notify>,
    started: Arc<AtomicUsize>,
}

impl<H: HandlerBase> CommandSet<H> for Wait {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("WAIT name", Self::wait);
    }
}

impl Wait {
    async fn wait<H>(&mut self, _: &mut Context<H>, (name,): (String,)) -> Result<Reply> {
        self.started.fetch_add(1, Ordering::SeqCst);
        self.go.notified().await;
        Ok(Reply::status(name))
    }
}

#[tokio::test]
async fn commands_run_one_at_a_time_while_messages_flow() {
    for store in Store::both().await {
        let wait = Wait::default();
        let (go, started) = (Arc::clone(&wait.go), Arc::clone(&wait.started));
        let protocol = Protocol::new().with(Subscriptions).with(Ping).with(wait);
        let gateway = Gateway::serving(protocol, &store, Limits::default(), |api| api).await;
        let mut client = gateway.client().await;
        client.subscribe("trains").await;
        for line in ["WAIT first", "PING", "WAIT second"] {
            client.send(line).await;
        }
        for (nth, answer) in [(1, "first"), (2, "second")] {
            eventually("the command to start", async || started.load(Ordering::SeqCst) == nth)
                .await;
            for message in 0..100 {
                store.publish("trains", message.to_string()).await;
            }
            for message in 0..100 {
                client.expect("trains", json!(message)).await;
            }
            assert_eq!(started.load(Ordering::SeqCst), nth);
            go.notify_one();
            client.expect("websocket", json!(answer)).await;
            if nth == 1 {
                client.expect("websocket", json!("PONG")).await;
            }
        }
        client.expect_silence().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_that_a_command_leaves_judges_exactly_the_messages_after_it() {
    for store in Store::both().await {
        let protocol = Protocol::new().with(Subscriptions).with(Ping).with(Only::default());
        let gateway = Gateway::serving(protocol, &store, Limits::default(), |api| api).await;
        let mut client = gateway.client().await;
        client.subscribe("trains").await;
        for line in 1..100 {
            client.send(format!("ONLY {line}")).await;
            client.expect_silence().await;
            // The one that passes comes last: then all have been judged when it is here.
            for line in [line - 1, line + 1, line] {
                store.publish("trains", json!({"line": line.to_string()}).to_string()).await;
            }
            client.expect("trains", json!({"line": line.to_string()})).await;
        }
        client.expect_silence().await;
    }
}
