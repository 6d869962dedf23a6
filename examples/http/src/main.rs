//! Redis over plain HTTP, with nothing of redwire but its Redis client: texts to read, write and delete,
//! and channels to publish on and to listen to.
//!
//! Run it: `cargo run -p example-http`, then
//! `curl -d value=bar localhost:8888/text/foo`, `curl localhost:8888/text/foo`,
//! `curl -X DELETE localhost:8888/text/foo`; `curl -N localhost:8888/queue/news,trains.*` listens, and
//! `curl -d message=hello localhost:8888/queue/news` speaks. It starts without Redis, and says 503 until
//! there is one.

use axum::body::Body;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use redwire_client::redis::{RedisError, cmd};
use redwire_client::{Config, Error, Event, Outcome, Redis, Topic};
use serde::Deserialize;

#[derive(Deserialize)]
struct Value {
    value: String,
}

#[derive(Deserialize)]
struct Message {
    message: String,
}

/// What went wrong with Redis, as an answer.
struct Failed(Error);

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<RedisError> for Failed {
    fn from(error: RedisError) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let status = match self.0.outcome() {
            Outcome::Answered => StatusCode::INTERNAL_SERVER_ERROR,
            Outcome::NotSent | Outcome::Unknown => StatusCode::SERVICE_UNAVAILABLE,
        };
        let reason = self.0.to_string().replace('&', "&amp;").replace('<', "&lt;");
        (status, Html(format!("<h1>{status}</h1><p>{reason}</p>\n"))).into_response()
    }
}

async fn read(State(redis): State<Redis>, Path(key): Path<String>) -> Result<String, Failed> {
    let value: Option<String> = redis.query(cmd("GET").arg(&key)).await?;
    Ok(format!("{key}={}\r\n", value.as_deref().unwrap_or("None")))
}

async fn write(
    State(redis): State<Redis>,
    Path(key): Path<String>,
    Form(Value { value }): Form<Value>,
) -> Result<String, Failed> {
    redis.command(cmd("SET").arg(&key).arg(&value)).await?;
    Ok(format!("{key}={value}\r\n"))
}

async fn delete(State(redis): State<Redis>, Path(key): Path<String>) -> Result<String, Failed> {
    let deleted: u64 = redis.query(cmd("DEL").arg(&key)).await?;
    Ok(format!("DEL {key}={deleted}\r\n"))
}

/// Channels, separated by commas; one with a star is a pattern.
async fn listen(State(redis): State<Redis>, Path(names): Path<String>) -> Result<Body, Failed> {
    let topics: Vec<Topic> = names.split(',').map(topic).collect();
    let subscriber = redis.subscriber().await?;
    // Subscribing waits for Redis, however long.
    redis.command(&cmd("PING")).await?;
    subscriber.subscribe(topics).await?;
    let told = names.split(',').map(|name| format!("subscribed to {name}\r\n"));
    let told = stream::iter(told.collect::<Vec<_>>());
    let heard = subscriber.filter_map(async |event| match event {
        Ok(Event::Message { channel, payload, .. }) => Some(line(&channel, &payload)),
        Ok(Event::Gap { .. }) => Some("some messages are missing\r\n".into()),
        _ => None,
    });
    let lines = told.map(Bytes::from).chain(heard).map(Ok::<_, std::io::Error>);
    Ok(Body::from_stream(lines))
}

fn topic(name: &str) -> Topic {
    if name.contains('*') { Topic::pattern(name) } else { Topic::channel(name) }
}

fn line(channel: &str, payload: &[u8]) -> Bytes {
    [channel.as_bytes(), b": ", payload, b"\r\n"].concat().into()
}

async fn say(
    State(redis): State<Redis>,
    Path(channel): Path<String>,
    Form(Message { message }): Form<Message>,
) -> Result<String, Failed> {
    let receivers: u64 = redis.query(cmd("PUBLISH").arg(&channel).arg(&message)).await?;
    Ok(format!("OK {receivers}\r\n"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let redis = Redis::lazy(Config::from_url(&env("REDIS_DSN", "redis:///"))?)?;
    let app = axum::Router::new()
        .route("/text/{key}", get(read).post(write).delete(delete))
        .route("/queue/{names}", get(listen).post(say))
        .with_state(redis);
    let address = (env("HOST", "127.0.0.1"), env("PORT", "8888").parse()?);
    Ok(axum::serve(tokio::net::TcpListener::bind(address).await?, app).await?)
}

/// A setting from the environment.
fn env(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.into())
}
