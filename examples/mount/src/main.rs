//! Mounted under an axum app that already has routes and state of its own, with a drain at its end.
//!
//! Run it: `cargo run -p example-mount`; GET http://127.0.0.1:8765/health, and connect to
//! ws://127.0.0.1:8765/api/ws. Ctrl-C closes the connections with 1012 before the program ends.

use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use redwire::prelude::*;

/// The app's state, as it was before redwire came.
#[derive(Clone)]
struct App {
    greeting: &'static str,
}

async fn health(State(app): State<App>) -> &'static str {
    app.greeting
}

#[derive(Clone)]
struct Public;

impl HandlerBase for Public {
    fn channel_is_allowed(&self, channel: &str) -> bool {
        !channel.starts_with("secret")
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let redis = RedisBackend::connect(&env("REDIS_DSN", "redis:///")).await?;
    let protocol = Protocol::new().with(Keys).with(Subscriptions).with(Ping);
    let api = WebsocketApi::new(protocol, redis);
    let app = axum::Router::new()
        .route("/health", get(health))
        .nest("/api", axum::Router::new().route("/ws", api.route(Public)))
        .with_state(App { greeting: "ok" });
    let address = (env("HOST", "127.0.0.1"), env("PORT", "8765").parse()?);
    let listener = tokio::net::TcpListener::bind(address).await?;
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    serve(listener, app, &Limits::default(), interrupted).await?;
    api.drain(Duration::from_secs(2)).await;
    Ok(())
}

/// A setting from the environment.
fn env(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.into())
}
