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
mod counts;
mod crs;
mod edits;
#[cfg(test)]
mod fuzz;
mod geo;
mod geometry;
#[cfg(feature = "proj")]
mod libproj;
mod located;
mod options;
mod plane;
mod proj4;
mod project;
mod projections;
mod projector;
mod reading;
mod run;
mod sides;
mod tape;

pub use counts::Counts;
pub use geo::Geo;
pub use projections::Projections;
pub use projector::Projector;
