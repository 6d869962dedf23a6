use std::sync::Arc;

use crate::table::Table;

/// One live layer of a map: the channel on which its features are published, one feature a message,
/// and the hash of the same name that holds the present ones.
///
/// ```
/// use redwire_live::Layer;
///
/// Layer::new("trajectory").deletions("deleted_vehicles").follows_bbox();
/// ```
#[derive(Clone, Debug)]
pub struct Layer {
    pub(crate) channel: Arc<str>,
    pub(crate) deletions: Option<Arc<str>>,
    pub(crate) variant: Option<Box<str>>,
    pub(crate) follows_bbox: bool,
    pub(crate) max_features: usize,
    pub(crate) table: Arc<Table>,
}

/// Features of one layer that are remembered unless [`Layer::max_features`] says otherwise.
const MAX_FEATURES: usize = 65_536;

impl Layer {
    /// The layer of this channel.
    pub fn new(channel: impl Into<Arc<str>>) -> Self {
        Self {
            channel: channel.into(),
            deletions: None,
            variant: None,
            follows_bbox: false,
            max_features: MAX_FEATURES,
            table: Arc::default(),
        }
    }

    /// The channel on which the ids of features that are no more are published, as a bare string or
    /// number; viewers learn there what has left their boxes. Without it, both are
    /// `{"deleted": id}` on the layer's own channel, which is always understood.
    #[must_use]
    pub fn deletions(mut self, channel: impl Into<Arc<str>>) -> Self {
        self.deletions = Some(channel.into());
        self
    }

    /// The value of the [variant parameter](crate::Live::variant_parameter) that stands for this
    /// layer. Without it, the layer is for boxes that name no variant.
    #[must_use]
    pub fn variant(mut self, name: impl Into<Box<str>>) -> Self {
        self.variant = Some(name.into());
        self
    }

    /// `BBOX` subscribes to this layer, if the handler allows it: no `SUB` is needed.
    #[must_use]
    pub fn follows_bbox(mut self) -> Self {
        self.follows_bbox = true;
        self
    }

    /// How many features are remembered; by default 65,536. Beyond it they are passed on, but are in
    /// no snapshot and have no leave events; [figures](crate::Live) count them.
    #[must_use]
    pub fn max_features(mut self, max: usize) -> Self {
        self.max_features = max;
        self
    }
}
