use std::sync::Arc;

use redwire_protocol::Outgoing;

use crate::Geo;
use crate::counts::{Counters, Counts};
use crate::crs::{Crs, Stored};
use crate::located::Located;
use crate::project::Transform;
use crate::projections::Projections;
use crate::reading::Reading;

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
    pub fn projections(self, projections: Projections) -> Self {
        self.configure(|options| options.projections = projections)
    }

    /// Says in which CRS positions are published and stored: 4326, which is the default, or 3857. It is
    /// the one of boxes and of everything sent until a client asks for another.
    ///
    /// # Panics
    ///
    /// If it is another code.
    #[must_use]
    #[track_caller]
    pub fn stored_in(self, code: u32) -> Self {
        let Some(stored) = Stored::of(code) else {
            panic!("positions can be stored in EPSG:4326 or EPSG:3857, not EPSG:{code}");
        };
        self.configure(|options| options.stored = stored)
    }

    /// Takes and gives positions in the order in which each CRS's definition names its axes: EPSG:4326
    /// is latitude, longitude then. By default east comes first everywhere.
    #[must_use]
    pub fn strict_axis_order(self) -> Self {
        self.configure(|options| options.strict = true)
    }

    /// Answers as redis-websocket-api 0.4.4 did: a geometry is in a box if one of its vertices is
    /// strictly inside, boxes do not cross the antimeridian, and what cannot be used is met with
    /// silence.
    #[must_use]
    pub fn compat(self) -> Self {
        self.configure(|options| options.compat = true)
    }

    fn configure(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(Arc::make_mut(&mut self.options));
        // They know the options that they were made for.
        self.planes = Arc::default();
        self
    }

    /// What could not be located or projected so far. All clones count together: keep one to ask.
    pub fn counts(&self) -> Counts {
        self.options.counters.read()
    }
}

/// The name of a rewrite: the CRS, and the order of axes.
#[derive(PartialEq, Eq, Hash)]
struct Projected {
    code: u32,
    strict: bool,
}

impl Options {
    /// After how many units of this CRS the world repeats, for boxes.
    pub(crate) fn period(&self, code: u32) -> Option<f64> {
        Crs::period(code).filter(|_| !self.strict && !self.compat)
    }

    /// Where the content is, which is in this CRS.
    pub(crate) fn locate<'o>(&self, message: &'o Outgoing<'_>, code: u32) -> &'o Located {
        &self.read(message, code).located
    }

    /// Every message is read as it is stored, so that is when it is counted: once.
    fn read<'o>(&self, message: &'o Outgoing<'_>, code: u32) -> &'o Arc<Reading> {
        message.memo(|content| {
            let reading = Reading::of(content);
            if code == self.stored.code() {
                self.counters.unlocatable(reading.malformed);
            }
            Arc::new(reading)
        })
    }

    /// Rewrites the message, which is as stored, to this CRS.
    pub(crate) fn project(&self, code: u32, message: &mut Outgoing<'_>) {
        let Self { stored, strict, ref counters, .. } = *self;
        let reading = self.read(message, stored.code());
        let crs = self.projections.get(code).filter(|crs| crs.code != stored.code());
        let Some(crs) = crs.filter(|_| !reading.geometries.is_empty()) else { return };
        let (reading, key) = (Arc::clone(reading), Projected { code, strict });
        let transform = Transform { stored, crs, strict, counters };
        message.rewrite(key, |content| transform.rewrite(content, &reading));
    }
}
