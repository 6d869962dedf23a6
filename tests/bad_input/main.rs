//! Bad input, from the client and from Redis: each ends in its documented frame or close code, and a
//! second client beside it notices nothing.

use redwire_suites::{Gateway, Store};
use redwire_test::Client;

mod closing;
mod frames;
mod geo;
mod injection;
mod json;
mod lines;
mod types;

/// A gateway, somebody who misbehaves, and somebody beside.
struct Scene {
    gateway: Gateway,
    client: Client,
    beside: Client,
}

impl Scene {
    async fn on(store: &Store) -> Self {
        let gateway = Gateway::on(store).await;
        let (client, beside) = (gateway.client().await, gateway.client().await);
        Self { gateway, client, beside }
    }

    /// A fresh client in the place of one that was closed.
    async fn again(&mut self) -> &mut Client {
        self.client = self.gateway.client().await;
        &mut self.client
    }

    /// Neither of the two has anything to read.
    async fn expect_silence(&mut self) {
        self.client.expect_silence().await;
        self.beside.expect_silence().await;
    }
}
