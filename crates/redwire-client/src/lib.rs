//! The Redis client of redwire: you write commands; pipelining, connections, reconnection, databases,
//! scripts, pub/sub, transactions, clusters and sharding happen underneath.
//!
//! For programs that talk to one Redis or many from many tasks. It stands on redis-rs and deadpool-redis,
//! whose typed commands all work on it, and adds what they leave to their users: one connection that all
//! tasks share and whose commands are gathered into few writes, a pool that only what blocks goes to,
//! connections that heal and say what was lost, errors that tell whether a command may have been carried
//! out, and nothing sent twice that must not be. It knows nothing of the rest of redwire.
//!
//! ```
//! use redwire_client::redis::AsyncCommands;
//! use redwire_client::{Event, Redis};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = redwire_test::RedisServer::start().await;
//! # let url = server.url();
//! let mut redis = Redis::connect(&url).await?; // redis://127.0.0.1
//! let () = redis.set("greeting", "hello").await?;
//! let greeting: String = redis.get("greeting").await?;
//! assert_eq!(greeting, "hello");
//!
//! let mut news = redis.subscriber().await?;
//! news.subscribe(["news"]).await?;
//! let () = redis.publish("news", "Redis is fast").await?;
//! loop {
//!     match news.next().await? {
//!         Event::Message { payload, .. } => break assert_eq!(payload, "Redis is fast"),
//!         Event::Gap { since } => println!("something is missing since {since:?}"),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | short programs for everyday work | [`recipes`] |
//! | commands | [`Redis`]: any by [`command`](Redis::command), typed by [`redis::AsyncCommands`], unawaited by [`send`](Redis::send) |
//! | servers, logins, TLS, deadlines, bounds | [`Config`] and its [URLs](Config#urls), [`LinkConfig`] |
//! | transactions | [`Redis::multi`], [`Redis::watch`], [`Redis::transaction`] |
//! | channels | [`Redis::subscriber`], [`Subscriber`], [`Topic`] |
//! | keys over independent servers | [`Sharded`], [`ring`]; the least loaded of them: [`Balancer`] |
//! | what failed, and how far it got | [`Error`], [`Outcome`] |
//! | a cache of your own that Redis keeps true | [`Tracking`] |
//! | metrics | [`Redis::stats`]; each command is a span of `tracing`, too |
//! | one connection with everything on it | [`Link`]: what all of this is built on, and redwire's server |
//!
//! # Promises
//!
//! - A command is sent at most once, unless it only reads or its handle is [idempotent](Redis::idempotent).
//! - [`Error::outcome`] is `NotSent` only if Redis never saw the command.
//! - Dropping a future never gives its reply to another caller. It does not take the command back.
//! - A command waits for the first attempt to connect, and not for later ones: while Redis is away it fails
//!   at once.
//! - Every outage is one gap for each subscriber, and so is every overflow of its queue.
//! - Every queue has a bound: [`LinkConfig::commands_in_flight`], [`LinkConfig::feed_messages`] and
//!   [`LinkConfig::feed_bytes`], [`Config::pool_size`].
//!
//! Redis 6 or later, or Valkey: it speaks RESP3.

// The unit tests share fixtures with the others.
#[cfg(test)]
extern crate self as redwire_client;

mod backoff;
mod balancer;
mod catalogue;
mod cluster;
pub mod compat;
mod config;
mod error;
mod handle;
mod link;
mod lock;
mod node;
mod observe;
pub mod recipes;
pub mod ring;
mod sentinel;
mod sharded;
mod slot;
mod subscriber;
mod topic;

pub use balancer::{Balancer, Servers};
pub use catalogue::Family;
#[cfg(feature = "tls")]
pub use config::Tls;
pub use config::{Config, Endpoint, LinkConfig, Topology};
pub use error::{Error, Outcome};
pub use handle::{Monitor, Pending, Queued, Redis, Transaction, Watched};
pub use link::{Connections, Feed, Invalidated, Link, LinkEvent, LinkStats, Standing, Tracking};
pub use observe::FamilyStats;
/// The library under it, for [`redis::cmd`] and [`redis::Value`].
pub use redis;
pub use sharded::Sharded;
pub use slot::{SLOTS, slot};
pub use subscriber::{Event, Subscriber};
pub use topic::{Topic, TopicKind};
