//! The command protocol of redwire: how a browser reads keys and channels in lines of text, and how
//! you add commands and filters of your own.
//!
//! This crate is for whoever writes a command set, or serves the protocol over a transport of their
//! own. It has no runtime, no socket and no clock. To serve it over WebSocket on axum, see
//! `redwire-server`; the crate `redwire` has both.
//!
//! # The parts
//!
//! * [`HandlerBase`] is policy: one per connection, it says which channels a visitor may see.
//! * [`CommandSet`] is mechanism: a plain value whose `async fn`s are commands, whose fields are one
//!   connection's state, and whose filter sees every outgoing message.
//! * [`Protocol`] is a stack of sets. The library's own are [`Keys`], [`Subscriptions`], [`Ping`].
//! * [`Session`] is one connection: lines in, [`Envelope`]s out.
//! * [`Message`] is one thing published, shared by all connections; [`Outgoing`] is one
//!   connection's view of it while its filters run.
//! * [`Backend`] is where keys and channels live.
//!
//! # A session needs no socket
//!
//! ```
//! use redwire_protocol::{HandlerBase, Ping, Protocol};
//! # use redwire_protocol::{Backend, BackendError, Feed};
//! # struct Nothing;
//! # #[async_trait::async_trait]
//! # impl Backend for Nothing {
//! #     async fn hget(&self, _: &str, _: &str) -> Result<Option<bytes::Bytes>, BackendError> { Ok(None) }
//! #     async fn hvals(&self, _: &str) -> Result<Vec<bytes::Bytes>, BackendError> { Ok(vec![]) }
//! #     fn subscribe(&self, _: &str) {}
//! #     fn unsubscribe(&self, _: &str) {}
//! #     async fn confirmed(&self, _: &str) -> Result<(), BackendError> { Ok(()) }
//! #     fn feed(&self) -> Box<dyn Feed> { unimplemented!() }
//! #     fn is_live(&self) -> bool { true }
//! # }
//!
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
//! # let backend = Nothing;
//! let mut session = Protocol::new().with(Ping).session(Public, backend);
//! let replies = session.receive("PING").await?;
//! assert_eq!(replies[0].content().json(), "PONG");
//!
//! let refused = session.receive("PING x=y").await.unwrap_err();
//! assert_eq!(refused.to_string(), "no argument is named `x` (in `x=y`): PING [words...]");
//! # Ok(())
//! # }
//! ```

mod args;
mod backend;
mod boxes;
mod command;
mod content;
mod context;
mod envelope;
mod error;
mod figure;
mod filters;
mod handler;
mod limits;
mod message;
mod notes;
mod outgoing;
mod pace;
mod protocol;
mod replay;
mod reply;
mod screen;
mod session;
mod set;
pub mod sets;
mod slot;
mod usage;

pub use args::{Args, Argument, FromArgs, Parameters, Shape};
pub use async_trait::async_trait;
pub use backend::{Backend, BackendError, Event, Feed};
pub use boxes::Boxes;
pub use command::Command;
pub use content::{Content, NotJson};
pub use context::Context;
pub use envelope::Envelope;
pub use error::{Error, Refused};
pub use figure::Figure;
pub use filters::{Filters, Observed};
pub use handler::HandlerBase;
pub use limits::Limits;
pub use message::{Cost, Message};
pub use outgoing::{Outgoing, Subject, Verdict};
pub use pace::Pace;
pub use protocol::Protocol;
pub use replay::{Replay, Take};
pub use reply::{IntoReply, Reply};
pub use screen::{Bounds, Plane, Screen};
pub use session::{Response, Session};
pub use set::{CommandSet, Commands};
pub use sets::{Keys, Ping, Subscriptions};

/// What commands return.
pub type Result<T, E = Error> = std::result::Result<T, E>;
