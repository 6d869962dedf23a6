//! Which of several independent servers holds a key.
//!
//! [`CompatRing`] places keys where `txredisapi` placed them, to the bit: for data that is already there.
//! [`WeightedRing`] is for everything new.

mod compat;
mod tag;
mod weighted;

pub use compat::CompatRing;
pub(crate) use tag::cluster as cluster_tag;
pub use weighted::WeightedRing;
