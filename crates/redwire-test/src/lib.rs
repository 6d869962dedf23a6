//! Test support for redwire, for its users' tests and its own: a real Redis and a WebSocket client.
//!
//! Nothing here is a mock. [`RedisServer`] runs a `redis-server` of its own for each test, on a port
//! and a unix socket that nobody else uses; it can be killed, restarted on the same port and frozen.
//! [`Client`] speaks WebSocket and says in one line what the next frame has to be. Whatever goes wrong
//! panics with what was awaited and what came instead; nothing waits longer than [`PATIENCE`].
//!
//! `redis-server` has to be on the `PATH` (Debian: `apt-get install redis-server`).
//!
//! ```
//! # #[tokio::main] async fn main() {
//! use redwire_test::{RedisServer, Reply};
//!
//! let mut redis = RedisServer::start().await;
//! redis.hset("trains", "42", r#"{"line":"IC 5"}"#).await;
//! assert_eq!(redis.command(&["HGET", "trains", "42"]).await, Reply::bulk(r#"{"line":"IC 5"}"#));
//! redis.kill().await;
//! redis.restart().await; // the same port, an empty database
//! assert_eq!(redis.command(&["HGET", "trains", "42"]).await, Reply::Bulk(None));
//! # }
//! ```
//!
//! And a WebSocket server that is under test:
//!
//! ```no_run
//! # async fn test() {
//! use redwire_test::Client;
//! use serde_json::json;
//!
//! let mut client = Client::open("ws://127.0.0.1:8765/ws").await;
//! client.send("GET trains 42").await;
//! client.expect("trains 42", json!({"line": "IC 5"})).await;
//! client.expect_silence().await;
//! # }
//! ```

mod client;
mod cluster;
mod expect;
mod fake;
mod patience;
mod port;
mod program;
mod proxy;
mod redis;
mod resp;
mod sentinel;

pub use client::Client;
pub use cluster::RedisCluster;
pub use fake::{Answer, FakeServer, Received};
pub use patience::{PATIENCE, eventually};
pub use program::Program;
pub use proxy::Proxy;
pub use redis::{Generation, RedisServer};
pub use resp::Reply;
pub use sentinel::SentinelSet;
/// The WebSocket library of [`Client`], for its `Message`, `Frame` and `Request` types.
pub use tokio_tungstenite::tungstenite;
