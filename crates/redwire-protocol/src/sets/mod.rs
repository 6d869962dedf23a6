//! The commands of the original protocol. They use nothing that a set of yours could not use.

mod keys;
mod ping;
mod subscriptions;

pub use keys::Keys;
pub use ping::Ping;
pub use subscriptions::Subscriptions;
