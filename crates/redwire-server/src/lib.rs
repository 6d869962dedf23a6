//! The WebSocket server of redwire, on axum: mount a [`Protocol`](redwire_protocol::Protocol) in an
//! app of yours and let thousands of browsers read the keys and channels of a backend.
//!
//! For users of axum who want live data from Redis in the browser. The commands themselves, and how
//! to write your own, are in `redwire-protocol`; the crate `redwire` has both.
//!
//! ```no_run
//! use redwire_protocol::{HandlerBase, Keys, Ping, Protocol, Subscriptions};
//! use redwire_server::{RedisBackend, WebsocketApi};
//!
//! #[derive(Clone)]
//! struct Public;
//!
//! impl HandlerBase for Public {
//!     fn channel_is_allowed(&self, channel: &str) -> bool {
//!         channel.starts_with("public.")
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let redis = RedisBackend::connect("redis://127.0.0.1").await?;
//! let protocol = Protocol::new().with(Keys).with(Subscriptions).with(Ping);
//! let api = WebsocketApi::new(protocol, redis);
//! let app = axum::Router::new().route("/ws", api.route(Public));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8765").await?;
//! axum::serve(listener, app).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # How a message travels
//!
//! The backend's [`Feed`](redwire_protocol::Feed) reports what was published. The hub gives each
//! message to every shard; a shard runs each member's filters on the state that the member's last
//! command left, puts the shared, once-encoded frame into the member's outbox, and writes what waits
//! there into the socket in one go. Only a socket that is full wakes its connection's task. Every queue on the way has a bound, and a rule for when it is
//! full; [`Limits`](redwire_protocol::Limits) and [`Close`] list them.

mod api;
mod cache;
mod clock;
mod close;
mod connection;
mod connections;
mod flights;
mod gathered;
mod hub;
mod line;
mod memory;
mod metrics;
mod origin;
mod outbox;
mod rate;
mod redis;
mod replays;
mod serve;
mod watch;
mod websocket;

pub use api::WebsocketApi;
pub use close::Close;
pub use memory::MemoryBackend;
pub use redis::RedisBackend;
pub use serve::serve;
pub use websocket::Upgrade;
