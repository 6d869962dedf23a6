//! What happens to one connection, or one API, is nothing to the others.

use std::net::SocketAddr;

use axum::Router;
use redwire::prelude::*;
use redwire_suites::{Gateway, Parity, Store};
use redwire_test::{Client, eventually};
use serde_json::json;
use tokio::net::TcpListener;

/// `TRAP number`: panics at the message that is this number. `FALL`: panics at once.
#[derive(Clone, Default)]
struct Trap {
    at: Option<u64>,
}

impl<H: HandlerBase> CommandSet<H> for Trap {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("TRAP number", Self::trap).command("FALL", Self::fall);
    }
    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
        let is_set = self.at.is_some_and(|at| *message.json() == at);
        assert!(!is_set, "a mistake in a user's filter");
        Verdict::Pass
    }
}

impl Trap {
    async fn trap<H>(&mut self, _: &mut Context<H>, (at,): (u64,)) -> Result<()> {
        self.at = Some(at);
        Ok(())
    }

    async fn fall<H>(&mut self, _: &mut Context<H>, _: ()) -> Result<()> {
        panic!("a mistake in a user's command")
    }
}

#[tokio::test]
async fn a_panic_in_one_connections_filter_closes_it_and_nobody_else_notices() {
    for store in Store::both().await {
        let protocol = Protocol::new().with(Subscriptions).with(Ping).with(Trap::default());
        let gateway = Gateway::serving(protocol, &store, Limits::default(), |api| api).await;
        // More than there are shards, so that some share one with the trapped.
        let mut clients = Vec::new();
        for _ in 0..64 {
            let mut client = gateway.client().await;
            client.subscribe("trains").await;
            clients.push(client);
        }
        let mut trapped = gateway.client().await;
        trapped.subscribe("trains").await;
        trapped.send("TRAP 1").await;
        trapped.expect_silence().await;

        store.burst(["1", "2"].map(|text| ("trains", text.to_owned()))).await;
        assert_eq!(trapped.expect_close(1011).await, "command failed");
        for client in &mut clients {
            client.expect("trains", json!(1)).await;
            client.expect("trains", json!(2)).await;
            client.expect_silence().await;
        }
        assert_eq!(gateway.metric(r#"redwire_connections_closed_total{code="1011"}"#), 1);
        eventually("the trapped to be gone", async || gateway.metric("redwire_connections") == 64)
            .await;
    }
}

#[tokio::test]
async fn what_was_published_before_a_panic_in_a_filter_arrives_before_the_close() {
    for store in Store::both().await {
        let protocol = Protocol::new().with(Subscriptions).with(Ping).with(Trap::default());
        let gateway = Gateway::serving(protocol, &store, Limits::default(), |api| api).await;
        let mut trapped = gateway.client().await;
        trapped.send("TRAP 3").await;
        trapped.subscribe("trains").await;
        store.burst((0..10).map(|number| ("trains", number.to_string()))).await;
        for number in 0..3 {
            trapped.expect("trains", json!(number)).await;
        }
        assert_eq!(trapped.expect_close(1011).await, "command failed");
    }
}

#[tokio::test]
async fn a_panic_in_a_command_or_on_its_reply_closes_the_connection() {
    for store in Store::both().await {
        store.hset("trains", "42", "1").await;
        let protocol = Protocol::new().with(Keys).with(Ping).with(Trap::default());
        let gateway = Gateway::serving(protocol, &store, Limits::default(), |api| api).await;
        let mut other = gateway.client().await;
        for lines in [&["FALL"][..], &["TRAP 1", "GET trains"]] {
            let mut client = gateway.client().await;
            for line in lines {
                client.send(*line).await;
            }
            assert_eq!(client.expect_close(1011).await, "command failed");
            other.expect_silence().await;
            eventually("it to be gone", async || gateway.metric("redwire_connections") == 1).await;
        }
    }
}

/// Serves the original's commands on `backend`; the port is the server's own.
async fn serve_on(backend: impl Backend) -> SocketAddr {
    let api = WebsocketApi::new(Protocol::new().with(Subscriptions).with(Ping), backend);
    let app = Router::new().route("/ws", api.route(Parity));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

#[tokio::test]
async fn two_apis_on_one_backend_both_get_every_message() {
    for store in Store::both().await {
        let servers = match &store {
            Store::Memory(memory) => {
                [serve_on(memory.clone()).await, serve_on(memory.clone()).await]
            }
            Store::Redis(redis) => {
                let backend = RedisBackend::connect(&redis.url()).await.unwrap();
                [serve_on(backend.clone()).await, serve_on(backend).await]
            }
        };
        let mut clients = Vec::new();
        for address in servers {
            let mut client = Client::open(&format!("ws://{address}/ws")).await;
            client.subscribe("trains").await;
            clients.push(client);
        }
        store.publish("trains", "1").await;
        for client in &mut clients {
            client.expect("trains", json!(1)).await;
        }
        // What one gives up the other keeps.
        clients[0].send("DEL trains").await;
        clients[0].expect_silence().await;
        store.publish("trains", "2").await;
        clients[1].expect("trains", json!(2)).await;
        clients[0].expect_silence().await;
    }
}
