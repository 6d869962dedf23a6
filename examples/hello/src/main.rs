//! The README's program: channels that start with `public.`, over WebSocket, from Redis.
//!
//! Run it: `cargo run -p example-hello`, then connect to ws://127.0.0.1:8765/ws.

use redwire::prelude::*;

#[derive(Clone)]
struct Public;

impl HandlerBase for Public {
    fn channel_is_allowed(&self, channel: &str) -> bool {
        channel.starts_with("public.")
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let redis = RedisBackend::connect(&env("REDIS_DSN", "redis:///")).await?;
    let protocol = Protocol::new().with(Keys).with(Subscriptions).with(Ping).with(Geo::default());
    let api = WebsocketApi::new(protocol, redis);
    let app = axum::Router::new().route("/ws", api.route(Public));
    let address = (env("HOST", "127.0.0.1"), env("PORT", "8765").parse()?);
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(axum::serve(listener, app).await?)
}

/// A setting from the environment.
fn env(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.into())
}
