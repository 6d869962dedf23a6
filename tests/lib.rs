//! What the suites share: one gateway on a socket, over either backend.

mod gateway;
mod store;

pub use gateway::{Gateway, Parity};
pub use store::Store;
