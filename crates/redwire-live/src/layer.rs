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
    /// The channels that viewers know it by whom `BBOX` subscribed to it, if not its own.
    pub(crate) alias: Option<(Arc<str>, Option<Arc<str>>)>,
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
            alias: None,
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

    /// Viewers whom `BBOX` subscribed to this layer get it under the names of the other's channels, so
    /// that a map may change variants and not notice. Whoever said `SUB` gets it under its own.
    #[must_use]
    pub fn in_place_of(mut self, other: &Self) -> Self {
        self.alias = Some((Arc::clone(&other.channel), other.deletions.clone()));
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

    /// What a viewer whom `BBOX` subscribed knows this channel of the layer by.
    pub(crate) fn known_as(&self, channel: &str) -> Option<&Arc<str>> {
        let (features, deletions) = self.alias.as_ref()?;
        if *self.channel == *channel {
            return Some(features);
        }
        deletions.as_ref().filter(|_| self.deletions.as_deref() == Some(channel))
    }
}
