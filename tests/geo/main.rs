//! Boxes and projections over a real socket, scenario by scenario (S060 to S121), on both backends.
//!
//! Scenarios whose outcome depends on the original's rules run under `compat`, with a sibling for the
//! default.

#![allow(clippy::indexing_slicing, reason = "indexing a JSON value does not panic")]

mod alike;
mod boxes;
mod counts;
mod documents;
mod fuzz;
mod oracles;
mod pget;
mod projections;
mod rewriting;
mod stored;
mod world;
