//! The live-map dialect over a real socket, on both backends.

#![allow(clippy::indexing_slicing, reason = "indexing a JSON value does not panic")]

mod buffer;
mod faults;
mod gapless;
mod leave;
mod map;
mod snapshot;
mod subscriptions;
