//! Live maps over redwire: whoever looks at a map gets what is in view at once, then what changes
//! there, and is told what leaves.
//!
//! This crate is for servers of moving things: trains, ships, couriers. It speaks the dialect that the
//! npm package `mobility-toolbox-js` expects of its server, and is of use to any client:
//! `docs/live.md` describes it, with a transcript. It is off unless you stack [`Live`], which takes the
//! place of `Subscriptions` and `Geo`.
//!
//! ```
//! use redwire_geo::Geo;
//! use redwire_live::{Layer, Live};
//! use redwire_protocol::{HandlerBase, Keys, Ping, Protocol};
//!
//! struct Public;
//!
//! impl HandlerBase for Public {
//!     fn channel_is_allowed(&self, channel: &str) -> bool {
//!         ["trains", "trains.gone"].contains(&channel)
//!     }
//! }
//!
//! let trains = Layer::new("trains").deletions("trains.gone").follows_bbox();
//! let protocol = Protocol::<Public>::new()
//!     .with(Keys)
//!     .with(Live::over(Geo::default()).layer(trains).attribute("line", "/properties/line"))
//!     .with(Ping);
//! assert!(protocol.usage_lines().any(|line| line.starts_with("BUFFER")));
//! ```
//!
//! # How it keeps a snapshot without a gap
//!
//! Everything that is published on a layer's channels passes through its table before it is fanned
//! out, and is numbered there. A snapshot is taken in one step with the connection's deliveries, and
//! remembers the number of the last change that is in it: of what is still on its way, the connection
//! then gets only what is newer.

mod change;
mod facts;
mod judge;
mod layer;
mod live;
mod options;
mod pace;
mod plane;
mod pluck;
mod seen;
mod sheet;
mod table;

pub use layer::Layer;
pub use live::Live;
