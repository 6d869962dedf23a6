use std::fmt;
use std::sync::Arc;

use crate::Message;

/// What a connection wants to see, as a box in a [`Plane`]: so plain that a server can compare one
/// message with the screens of thousands of connections in one pass, and asks the filters of those
/// only whose screen the message touches.
#[derive(Clone, Debug)]
pub struct Screen {
    /// In which plane the box lies. Connections share a plane by sharing the `Arc`.
    pub plane: Arc<dyn Plane>,
    /// The closed box.
    pub bounds: Bounds,
}

/// Where messages lie, for one way to look at them: a map in one projection, a price over time.
pub trait Plane: fmt::Debug + Send + Sync + 'static {
    /// A box around everything that may make a filter pass the message. `None`: it lies nowhere in
    /// particular, so that every filter has to be asked. Asked once by each of a server's threads,
    /// so it should keep what is expensive in a [memo](crate::Outgoing::memo).
    fn extent(&self, message: &Message) -> Option<Bounds>;
}

/// A closed box with sides along the axes; infinite sides are sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The smallest x.
    pub left: f64,
    /// The smallest y.
    pub bottom: f64,
    /// The largest x.
    pub right: f64,
    /// The largest y.
    pub top: f64,
}

impl Bounds {
    /// Touches nothing, not even everything: its sides are not numbers.
    pub const NOTHING: Self =
        Self { left: f64::NAN, bottom: f64::NAN, right: f64::NAN, top: f64::NAN };

    /// Touches everything.
    pub const EVERYTHING: Self = Self {
        left: f64::NEG_INFINITY,
        bottom: f64::NEG_INFINITY,
        right: f64::INFINITY,
        top: f64::INFINITY,
    };

    /// Whether the two have a point in common.
    pub fn touch(&self, other: &Self) -> bool {
        self.left <= other.right
            && other.left <= self.right
            && self.bottom <= other.top
            && other.bottom <= self.top
    }

    /// The smallest box around both.
    #[must_use]
    pub fn around(&self, other: &Self) -> Self {
        Self {
            left: self.left.min(other.left),
            bottom: self.bottom.min(other.bottom),
            right: self.right.max(other.right),
            top: self.top.max(other.top),
        }
    }
}

impl PartialEq for Screen {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.plane, &other.plane) && self.bounds == other.bounds
    }
}
