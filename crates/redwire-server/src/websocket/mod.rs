//! WebSocket, as far as a server with many idle readers needs it: RFC 6455 from the upgrade on.
//!
//! Libraries keep buffers and a task's worth of state for each connection, and write only when the
//! connection's own task is awake. Here a connection that is silent has no buffer, and whoever has
//! frames for it writes them into the socket. [`docs/decisions.md`] says what that gains.
//!
//! [`docs/decisions.md`]: https://github.com/redwire/redwire/blob/main/docs/decisions.md

mod answering;
mod assembler;
#[cfg(test)]
mod autobahn;
mod compression;
mod deflate;
mod extension;
mod frame;
mod handshake;
mod lingering;
mod reader;
mod socket;

pub(crate) use answering::{Answering, Wait};
pub(crate) use assembler::{Message, Reason, Unreadable};
pub(crate) use compression::{Compression, Deflated};
pub(crate) use frame::{Frame, WRITE, write};
pub use handshake::Upgrade;
pub(crate) use lingering::Lingering;
pub(crate) use reader::{Ended, Reader};
pub(crate) use socket::{Socket, Stream};
