//! Denies everything: the handler to start from when a deployment fills in its channels later.
//!
//! Run it: `cargo run -p example-closed`, then connect to ws://127.0.0.1:8765/ws.

use redwire::prelude::*;

/// Allows the channels on a list, which is empty unless somebody fills it.
#[derive(Clone, Default)]
struct Listed {
    channels: Vec<String>,
}

impl HandlerBase for Listed {
    fn channel_is_allowed(&self, channel: &str) -> bool {
        self.channels.iter().any(|listed| listed == channel)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let redis = RedisBackend::connect(&env("REDIS_DSN", "redis:///")).await?;
    let protocol = Protocol::new().with(Keys).with(Subscriptions).with(Ping);
    let api = WebsocketApi::new(protocol, redis);
    let app = axum::Router::new().route("/ws", api.route(Listed::default()));
    let address = (env("HOST", "127.0.0.1"), env("PORT", "8765").parse()?);
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(axum::serve(listener, app).await?)
}

/// A setting from the environment.
fn env(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.into())
}
