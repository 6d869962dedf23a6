use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use redwire::prelude::*;
use redwire_test::Client;
use tokio::net::TcpListener;

use crate::Store;

/// The policy of the parity scenarios: channels match `[a-z]*` and do not start with `secret`.
#[derive(Clone, Debug)]
pub struct Parity;

impl HandlerBase for Parity {
    fn channel_is_allowed(&self, channel: &str) -> bool {
        channel.starts_with(|c: char| c.is_ascii_lowercase()) && !channel.starts_with("secret")
    }
}

/// A gateway on a port of its own, in this process; it ends with the test.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    /// For its metrics and its drain.
    pub api: WebsocketApi<Parity>,
}

impl Gateway {
    /// The original's commands on `store`.
    pub async fn on(store: &Store) -> Self {
        Self::within(store, Limits::default()).await
    }

    /// The same, answering as the original did.
    pub async fn compat(store: &Store) -> Self {
        Self::serving(original(), store, Limits::default(), WebsocketApi::compat).await
    }

    /// The same within `limits`.
    pub async fn within(store: &Store, limits: Limits) -> Self {
        Self::serving(original(), store, limits, |api| api).await
    }

    /// Any protocol on `store`, within `limits`, otherwise configured.
    pub async fn serving(
        protocol: Protocol<Parity>,
        store: &Store,
        limits: Limits,
        configure: impl FnOnce(WebsocketApi<Parity>) -> WebsocketApi<Parity>,
    ) -> Self {
        let backend: Arc<dyn Backend> = match store {
            Store::Memory(memory) => Arc::new(memory.clone()),
            Store::Redis(redis) => {
                Arc::new(RedisBackend::connect(&redis.url()).await.expect("a URL"))
            }
        };
        Self::mounted(protocol, backend, limits, configure).await
    }

    /// The original's commands on a backend of the test's own, within `limits`.
    pub async fn over(backend: impl Backend, limits: Limits) -> Self {
        Self::mounted(original(), Arc::new(backend), limits, |api| api).await
    }

    async fn mounted(
        protocol: Protocol<Parity>,
        backend: Arc<dyn Backend>,
        limits: Limits,
        configure: impl FnOnce(WebsocketApi<Parity>) -> WebsocketApi<Parity>,
    ) -> Self {
        let api = configure(WebsocketApi::new(protocol, backend).limits(limits.clone()));
        let app = Router::new().route("/{*any}", api.route(Parity)).route("/", api.route(Parity));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        tokio::spawn(async move { serve(listener, app, &limits, std::future::pending()).await });
        Self { address, api }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of its WebSocket.
    pub fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// A client that has been greeted.
    pub async fn client(&self) -> Client {
        Client::open(&self.url()).await
    }

    /// The value of one of its metrics, such as `redwire_messages_total`.
    pub fn metric(&self, name: &str) -> u64 {
        let text = self.api.metrics();
        let line = text.lines().find(|line| line.split(' ').next() == Some(name));
        let value = line.and_then(|line| line.split(' ').nth(1));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
    }
}

/// The original's four commands.
fn original() -> Protocol<Parity> {
    Protocol::new().with(Keys).with(Subscriptions).with(Ping)
}
