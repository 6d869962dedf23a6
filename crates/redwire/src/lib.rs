#![doc = include_str!("../README.md")]

pub use redwire_client as client;
pub use redwire_geo as geo;
pub use redwire_live as live;
pub use redwire_protocol as protocol;
pub use redwire_server as server;

/// Everything a typical program needs: `use redwire::prelude::*;`.
pub mod prelude {
    pub use redwire_geo::{Geo, Projections};
    pub use redwire_live::{Layer, Live};
    pub use redwire_protocol::{
        Argument, Backend, CommandSet, Commands, Content, Context, Error, HandlerBase, Keys,
        Limits, Outgoing, Ping, Protocol, Reply, Result, Session, Subscriptions, Verdict,
    };
    pub use redwire_server::{Close, MemoryBackend, RedisBackend, Upgrade, WebsocketApi, serve};
}

/// The guide's programs, compiled and run as tests of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide-your-own-command.md")]
struct Guide;

/// The page on live maps.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/live.md")]
struct LiveMaps;
