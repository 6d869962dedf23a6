//! A filter of one's own: a set without commands that hides some messages and rewrites others.
//!
//! Run it: `cargo run -p example-custom-filter`, then connect to ws://127.0.0.1:8765/ws.

use redwire::prelude::*;
use serde_json::Value;

/// Nobody sees what is marked `"hidden": true`.
#[derive(Clone)]
struct HideHidden;

impl<H: HandlerBase> CommandSet<H> for HideHidden {
    fn commands(_: &mut Commands<Self, H>) {}

    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
        match message.json().get("hidden") {
            Some(Value::Bool(true)) => Verdict::Drop,
            _ => Verdict::Pass,
        }
    }
}

/// Nobody sees the driver's name: rewritten once per message, however many clients there are.
#[derive(Clone)]
struct WithoutDriver;

/// The name of the rewrite.
#[derive(PartialEq, Eq, Hash)]
struct DriverRemoved;

impl<H: HandlerBase> CommandSet<H> for WithoutDriver {
    fn commands(_: &mut Commands<Self, H>) {}

    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
        message.rewrite(DriverRemoved, |content| {
            let mut json = content.json().clone();
            json.as_object_mut()?.remove("driver")?;
            Some(Content::from(json))
        });
        Verdict::Pass
    }
}

#[derive(Clone)]
struct Public;

impl HandlerBase for Public {
    fn channel_is_allowed(&self, _channel: &str) -> bool {
        true
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let redis = RedisBackend::connect(&env("REDIS_DSN", "redis:///")).await?;
    let commands = Protocol::new().with(Keys).with(Subscriptions).with(Ping);
    let api = WebsocketApi::new(commands.with(HideHidden).with(WithoutDriver), redis);
    let app = axum::Router::new().route("/ws", api.route(Public));
    let address = (env("HOST", "127.0.0.1"), env("PORT", "8765").parse()?);
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(axum::serve(listener, app).await?)
}

/// A setting from the environment.
fn env(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.into())
}
