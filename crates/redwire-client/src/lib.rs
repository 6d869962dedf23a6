//! The Redis client of redwire: a supervised connection that heals, resubscribes and reports every gap.
//!
//! For programs that fan Redis pub/sub out to many readers and must know when a message may have been
//! missed. A [`Link`] is one RESP3 connection to one Redis that carries subscriptions and commands. It
//! starts while Redis is down, notices when Redis dies or freezes, reconnects for ever, and subscribes
//! again to everything before it calls itself live. Every outage ends in exactly one
//! [`LinkEvent::Gap`], and so does every time that a slow reader's queue overflowed: no loss is silent.
//!
//! ```no_run
//! use redwire_client::{Link, LinkEvent};
//!
//! # async fn read() -> Result<(), redwire_client::Error> {
//! let link = Link::connect("redis://127.0.0.1").await?;
//! let mut feed = link.feed();
//! link.subscribe("trains");
//! link.confirmed("trains").await;
//! let now = link.hvals("trains").await?; // no message after this snapshot is missed
//!
//! let mut events = Vec::new();
//! while feed.recv(&mut events).await {
//!     for event in events.drain(..) {
//!         match event {
//!             LinkEvent::Message { channel, payload } => println!("{channel}: {payload:?}"),
//!             LinkEvent::Gap { since } => println!("read again, something is missing since {since:?}"),
//!             _ => {}
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//!
//! - [`Link`]: the handle. Its supervisor is a task of its own, which ends with the last handle.
//! - [`Feed`]: a bounded queue of events, one for each reader.
//! - [`Config`]: how to reach Redis, from a URL or by setters; `Tls`: whom to trust.
//! - [`LinkConfig`]: every deadline and bound, with its reason.
//! - [`Sharded`]: several independent servers as one; [`ring`]: which of them holds a key; [`slot()`]: which slot of a cluster.
//! - [`Balancer`]: the least loaded servers, by sorted sets.
//! - [`Error`]: what a command can fail with, and whether it may have been carried out.

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
pub mod ring;
mod sharded;
mod slot;

pub use balancer::{Balancer, Servers};
pub use catalogue::Family;
#[cfg(feature = "tls")]
pub use config::Tls;
pub use config::{Config, Endpoint, LinkConfig, Topology};
pub use error::{Error, Outcome};
pub use handle::{Monitor, Pending, Queued, Redis, Transaction, Watched};
pub use link::{Feed, Link, LinkEvent, LinkStats, Standing};
pub use observe::FamilyStats;
/// The library under it, for [`redis::cmd`] and [`redis::Value`].
pub use redis;
pub use sharded::Sharded;
pub use slot::{SLOTS, slot};
