//! A handler that is an extractor: it sees the request and the app's state, and refuses the upgrade
//! with 401 when the token is unknown. Browsers cannot set headers on a WebSocket, so the token may
//! also come as `?token=`.
//!
//! Run it: `cargo run -p example-tenants`, then connect to ws://127.0.0.1:8765/ws?token=red-secret.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, Query};
use axum::http::{StatusCode, header::AUTHORIZATION, request::Parts};
use redwire::prelude::*;

/// Tokens and the tenants that they stand for.
#[derive(Clone)]
struct Tokens(Arc<HashMap<&'static str, &'static str>>);

/// One visitor: sees the channels of its own tenant.
struct Tenant {
    prefix: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Tenant
where
    Tokens: FromRef<S>,
{
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let Tokens(tokens) = Tokens::from_ref(state);
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let query = Query::<HashMap<String, String>>::try_from_uri(&parts.uri).ok();
        let token = header
            .and_then(|value| value.strip_prefix("Bearer "))
            .or_else(|| query.as_ref()?.get("token").map(String::as_str));
        match token.and_then(|token| tokens.get(token)) {
            Some(tenant) => Ok(Self { prefix: format!("{tenant}.") }),
            None => Err((StatusCode::UNAUTHORIZED, "unknown token\n")),
        }
    }
}

impl HandlerBase for Tenant {
    fn channel_is_allowed(&self, channel: &str) -> bool {
        channel.starts_with(&self.prefix)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let redis = RedisBackend::connect(&env("REDIS_DSN", "redis:///")).await?;
    let protocol = Protocol::<Tenant>::new().with(Keys).with(Subscriptions).with(Ping);
    let api = WebsocketApi::new(protocol, redis);
    let tokens = Tokens(Arc::new([("red-secret", "red"), ("blue-secret", "blue")].into()));
    let app = axum::Router::new().route("/ws", api.route_from_request()).with_state(tokens);
    let address = (env("HOST", "127.0.0.1"), env("PORT", "8765").parse()?);
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(axum::serve(listener, app).await?)
}

/// A setting from the environment.
fn env(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.into())
}
