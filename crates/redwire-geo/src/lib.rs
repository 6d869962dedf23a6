//! The geo extension of redwire: GeoJSON from Redis to map clients, cut to each viewer's box and
//! projected to the CRS that it asked for.
//!
//! For live maps with many viewers. Stack [`Geo`] on any protocol; clients then have `BBOX`,
//! `PROJECTION` and `PGET`. Whatever is costly is done once per message and CRS, however many viewers
//! look at it, and only the numbers of positions are rewritten: every other byte stays the
//! publisher's.
//!
//! Client text never reaches a projection library: a code is looked up among [`Projections`], whose
//! transforms are made at start-up.

mod bbox;
mod crs;
mod feature;
mod geo;
mod geometry;
mod located;
mod plane;
mod project;
mod tape;

pub use crs::{Projections, Projector};
pub use geo::Geo;
