//! Which of several independent servers holds a key.
//!
//! [`CompatRing`] places keys where `txredisapi` placed them, to the bit: for data that is already there.
//! [`WeightedRing`] is for everything new. [`Sharded`](crate::Sharded) sends commands where either says.

mod compat;
mod tag;
mod weighted;

pub use compat::CompatRing;
pub(crate) use tag::cluster as cluster_tag;
pub use weighted::WeightedRing;

/// Either ring.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Ring {
    /// As `txredisapi` placed keys.
    Compat(CompatRing),
    /// With weights.
    Weighted(WeightedRing),
}

impl Ring {
    /// The node that holds the key; `None` if no node holds anything.
    pub fn node(&self, key: impl AsRef<[u8]>) -> Option<&str> {
        match self {
            Self::Compat(ring) => ring.node(key),
            Self::Weighted(ring) => ring.node(key),
        }
    }

    /// All nodes, in the order in which they were given.
    pub fn nodes(&self) -> Vec<&str> {
        match self {
            Self::Compat(ring) => ring.nodes().collect(),
            Self::Weighted(ring) => ring.nodes().collect(),
        }
    }

    /// Takes a node out, so that others hold its keys. Whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        match self {
            Self::Compat(ring) => ring.remove(name),
            Self::Weighted(ring) => ring.remove(name),
        }
    }
}

impl From<CompatRing> for Ring {
    fn from(ring: CompatRing) -> Self {
        Self::Compat(ring)
    }
}

impl From<WeightedRing> for Ring {
    fn from(ring: WeightedRing) -> Self {
        Self::Weighted(ring)
    }
}
