use std::time::Duration;

/// How a connection's pushes leave: each as soon as it can, or gathered into frames of several.
/// Replies are never gathered; one that comes up sends what was gathered before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Each push is a frame of its own.
    #[default]
    AtOnce,
    /// Pushes leave as an array in one frame of source `buffer`.
    Gathered {
        /// The longest that a push waits for others.
        wait: Duration,
        /// How many pushes are sent without waiting further.
        count: usize,
    },
}
