//! axum, redis-rs and a broadcast for each channel: SUB, GET, PING, as redwire has them.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use futures_util::StreamExt as _;
use redis::AsyncCommands as _;
use redis::aio::{MultiplexedConnection, PubSubSink};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, broadcast};
use tokio_stream::StreamMap;
use tokio_stream::wrappers::BroadcastStream;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

struct App {
    redis: MultiplexedConnection,
    subscriber: Mutex<PubSubSink>,
    channels: Mutex<HashMap<String, broadcast::Sender<Utf8Bytes>>>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let port: u16 = words.next().ok_or("no port")?.parse()?;
    let redis: u16 = words.next().ok_or("no port of Redis")?.parse()?;
    let client = redis::Client::open(("127.0.0.1", redis))?;
    let (sink, mut messages) = client.get_async_pubsub().await?.split();
    let redis = client.get_multiplexed_async_connection().await?;
    let app = Arc::new(App { redis, subscriber: sink.into(), channels: Mutex::default() });
    let feed = app.clone();
    tokio::spawn(async move {
        while let Some(message) = messages.next().await {
            let (channel, payload) = (message.get_channel_name(), message.get_payload_bytes());
            let Ok(content) = serde_json::from_slice(payload) else { continue };
            if let Some(channels) = feed.channels.lock().await.get(channel) {
                channels.send(envelope(channel, &content)).ok();
            }
        }
    });
    let upgrade = async |upgrade: WebSocketUpgrade, State(app): State<Arc<App>>| -> Response {
        upgrade.on_upgrade(|socket| async { drop(serve(socket, app).await) })
    };
    let router = Router::new().route("/", get(upgrade)).with_state(app);
    Ok(axum::serve(TcpListener::bind(("127.0.0.1", port)).await?, router).await?)
}

async fn serve(mut socket: WebSocket, app: Arc<App>) -> Result<()> {
    let mut subscriptions = StreamMap::new();
    loop {
        tokio::select! {
            message = socket.recv() => {
                let Some(message) = message.transpose()? else { return Ok(()) };
                let Message::Text(line) = message else { continue };
                let words: Vec<_> = line.split_whitespace().collect();
                match *words.as_slice() {
                    ["SUB", channel] => {
                        subscriptions.insert(channel.to_owned(), subscribe(&app, channel).await?);
                    }
                    ["GET", key, field] => {
                        let value: Option<String> = app.redis.clone().hget(key, field).await?;
                        let value = value.and_then(|text| serde_json::from_str(&text).ok());
                        let envelope = envelope(&format!("{key} {field}"), &value.unwrap_or_default());
                        socket.send(Message::Text(envelope)).await?;
                    }
                    _ => socket.send(Message::Text(envelope("websocket", &"PONG".into()))).await?,
                }
            }
            // Who is too slow has lost some.
            Some((_, Ok(frame))) = subscriptions.next() => {
                socket.send(Message::Text(frame)).await?;
            }
        }
    }
}

async fn subscribe(app: &App, channel: &str) -> Result<BroadcastStream<Utf8Bytes>> {
    let mut channels = app.channels.lock().await;
    if let Some(sender) = channels.get(channel) {
        return Ok(BroadcastStream::new(sender.subscribe()));
    }
    let (sender, receiver) = broadcast::channel(1024);
    channels.insert(channel.to_owned(), sender);
    drop(channels);
    app.subscriber.lock().await.subscribe(channel).await?;
    Ok(BroadcastStream::new(receiver))
}

fn envelope(source: &str, content: &Value) -> Utf8Bytes {
    let envelope = json!({"source": source, "content": content, "client_reference": null});
    envelope.to_string().into()
}
