//! socketioxide with a room for each channel, and a feed from Redis.

use std::collections::HashSet;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::StreamExt as _;
use redis::AsyncCommands as _;
use redis::aio::{MultiplexedConnection, PubSubSink};
use serde_json::Value;
use socketioxide::SocketIo;
use socketioxide::extract::{Data, SocketRef};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

struct App {
    redis: MultiplexedConnection,
    subscriber: Mutex<(PubSubSink, HashSet<String>)>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let port: u16 = words.next().ok_or("no port")?.parse()?;
    let redis: u16 = words.next().ok_or("no port of Redis")?.parse()?;
    let client = redis::Client::open(("127.0.0.1", redis))?;
    let (sink, mut messages) = client.get_async_pubsub().await?.split();
    let redis = client.get_multiplexed_async_connection().await?;
    let app = Arc::new(App { redis, subscriber: (sink, HashSet::new()).into() });
    // No heartbeat: it is not what is measured.
    let (layer, io) = SocketIo::builder().ping_interval(Duration::from_secs(600)).build_layer();
    io.ns("/", async move |socket: SocketRef| serve(&socket, &app));
    tokio::spawn(async move {
        while let Some(message) = messages.next().await {
            let channel = message.get_channel_name().to_owned();
            let content = serde_json::from_slice::<Value>(message.get_payload_bytes());
            let Ok(content) = content else { continue };
            io.to(channel).emit("message", &content).await.ok();
        }
    });
    let router = Router::new().layer(layer);
    Ok(axum::serve(TcpListener::bind(("127.0.0.1", port)).await?, router).await?)
}

fn serve(socket: &SocketRef, app: &Arc<App>) {
    let for_sub = app.clone();
    socket.on("SUB", async move |socket: SocketRef, Data(channel): Data<String>| {
        let mut subscriber = for_sub.subscriber.lock().await;
        if subscriber.1.insert(channel.clone()) {
            subscriber.0.subscribe(&channel).await.ok();
        }
        drop(subscriber);
        socket.join(channel);
        socket.emit("subscribed", &true).ok();
    });
    let for_get = app.clone();
    socket.on("GET", async move |socket: SocketRef, Data((key, field)): Data<(String, String)>| {
        let value: Option<String> = for_get.redis.clone().hget(key, field).await.ok().flatten();
        let value: Option<Value> = value.and_then(|text| serde_json::from_str(&text).ok());
        socket.emit("value", &value).ok();
    });
    // An event that comes before its handler is here is never answered: clients wait for this.
    socket.emit("ready", &true).ok();
}
