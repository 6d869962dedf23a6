//! What the suites share: one gateway on a socket, over either backend, and a browser.

mod browser;
mod gateway;
mod store;

pub use browser::{Browser, Screen};
pub use gateway::{Gateway, Parity};
pub use store::Store;
