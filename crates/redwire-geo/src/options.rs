use std::sync::Arc;

use crate::Geo;
use crate::counts::{Counters, Counts};
use crate::crs::Stored;
use crate::projections::Projections;

/// What all connections of a [`Geo`] share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) projections: Projections,
    pub(crate) stored: Stored,
    pub(crate) strict: bool,
    pub(crate) compat: bool,
    pub(crate) counters: Arc<Counters>,
}

impl Geo {
    /// Lets clients ask for these projections; the default is [`Projections::default`].
    #[must_use]
    pub fn projections(mut self, projections: Projections) -> Self {
        Arc::make_mut(&mut self.options).projections = projections;
        self
    }

    /// Says in which CRS positions are published and stored: 4326, which is the default, or 3857. It is
    /// the one of boxes and of everything sent until a client asks for another.
    ///
    /// # Panics
    ///
    /// If it is another code.
    #[must_use]
    #[track_caller]
    pub fn stored_in(mut self, code: u32) -> Self {
        let Some(stored) = Stored::of(code) else {
            panic!("positions can be stored in EPSG:4326 or EPSG:3857, not EPSG:{code}");
        };
        Arc::make_mut(&mut self.options).stored = stored;
        self
    }

    /// Takes and gives positions in the order in which each CRS's definition names its axes: EPSG:4326
    /// is latitude, longitude then. By default east comes first everywhere.
    #[must_use]
    pub fn strict_axis_order(mut self) -> Self {
        Arc::make_mut(&mut self.options).strict = true;
        self
    }

    /// Answers as redis-websocket-api 0.4.4 did: a geometry is in a box if one of its vertices is
    /// strictly inside, boxes do not cross the antimeridian, and what cannot be used is met with
    /// silence.
    #[must_use]
    pub fn compat(mut self) -> Self {
        Arc::make_mut(&mut self.options).compat = true;
        self
    }

    /// What could not be located or projected so far. All clones count together: keep one to ask.
    pub fn counts(&self) -> Counts {
        self.options.counters.read()
    }
}
