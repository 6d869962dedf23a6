use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use redwire_protocol::{Backend, BackendError, Content, Figure, Message, Parameters};

use crate::facts::{Kind, Reader};
use crate::layer::Layer;
use crate::live::Live;
use crate::plane::Planes;
use crate::pluck::Scalar;
use crate::table::Filling;

/// What all connections of a [`Live`] have in common.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) layers: Vec<Layer>,
    pub(crate) planes: Arc<Planes>,
    pub(crate) reader: Reader,
    identities: Vec<String>,
    attributes: Vec<(String, String)>,
    variant_parameter: Option<String>,
}

/// Where a feature's name is, in the order in which one looks.
const IDENTITIES: &[&str] = &["/properties/train_id", "/id", "/properties/id"];

impl Default for Options {
    fn default() -> Self {
        let identities = IDENTITIES.iter().map(|&pointer| pointer.to_owned()).collect::<Vec<_>>();
        Self {
            layers: Vec::new(),
            planes: Arc::default(),
            reader: Reader::new(&identities, &[]),
            identities,
            attributes: Vec::new(),
            variant_parameter: None,
        }
    }
}

impl Live {
    /// Adds a layer.
    #[must_use]
    pub fn layer(self, layer: Layer) -> Self {
        self.configure(|options| options.layers.push(layer))
    }

    /// Filters features by a member: after `BBOX … parameter=a,b` the viewer gets those whose member
    /// at `pointer` (as `/properties/type`) is one of these values, and none that lack it.
    #[must_use]
    pub fn attribute(self, parameter: impl Into<String>, pointer: impl Into<String>) -> Self {
        let attribute = (parameter.into(), pointer.into());
        self.configure(|options| options.attributes.push(attribute))
    }

    /// Where a feature's id is: the first of these members that is a string or an integer of 64 bits.
    /// By default `/properties/train_id`, `/id`, `/properties/id`. Features without an id are passed
    /// on, but not remembered.
    #[must_use]
    pub fn identity<S: Into<String>>(self, pointers: impl IntoIterator<Item = S>) -> Self {
        let pointers = pointers.into_iter().map(Into::into).collect();
        self.configure(|options| options.identities = pointers)
    }

    /// The parameter of `BBOX` that chooses among [variants](Layer::variant) of layers.
    #[must_use]
    pub fn variant_parameter(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.configure(|options| options.variant_parameter = Some(name))
    }

    /// The layers and parameters that the npm package `mobility-toolbox-js` expects: `trajectory` with
    /// `deleted_vehicles`; for boxes with `channel_prefix=schematic` what is published on the channels
    /// with the suffix `_schematic`, under the same names; `mots` and `tenant`. `BBOX` subscribes.
    #[must_use]
    pub fn mobility(geo: redwire_geo::Geo) -> Self {
        let raw = Layer::new("trajectory").deletions("deleted_vehicles");
        let schematic = Layer::new("trajectory_schematic").deletions("deleted_vehicles_schematic");
        let schematic = schematic.variant("schematic").in_place_of(&raw);
        Self::over(geo)
            .layer(raw.follows_bbox())
            .layer(schematic.follows_bbox())
            .variant_parameter("channel_prefix")
            .attribute("mots", "/properties/type")
            .attribute("tenant", "/properties/tenant")
    }

    fn configure(mut self, change: impl FnOnce(&mut Options)) -> Self {
        let options = Arc::make_mut(&mut self.options);
        change(options);
        let pointers: Vec<_> =
            options.attributes.iter().map(|(_, pointer)| pointer.clone()).collect();
        options.reader = Reader::new(&options.identities, &pointers);
        self
    }
}

impl Options {
    pub(crate) fn layer_of(&self, channel: &str) -> Option<&Layer> {
        self.layers.iter().find(|layer| *layer.channel == *channel)
    }

    pub(crate) fn attribute_of(&self, parameter: &str) -> Option<usize> {
        self.attributes.iter().position(|(name, _)| name == parameter)
    }

    /// The variant that a box is for, if there are layers for it.
    pub(crate) fn variant_of<'p>(&self, parameters: &'p Parameters) -> Option<&'p str> {
        let parameter = self.variant_parameter.as_deref()?;
        let (_, variant) = parameters.0.iter().find(|(name, _)| name == parameter)?;
        let is_known = |layer: &Layer| layer.variant.as_deref() == Some(variant);
        self.layers.iter().any(is_known).then_some(variant)
    }

    /// What this channel is known by to viewers whom `BBOX` subscribed, if not by its own name.
    pub(crate) fn known_as(&self, channel: &str) -> Option<&Arc<str>> {
        self.layers.iter().find_map(|layer| layer.known_as(channel))
    }

    /// What tells that a feature is no more: where it is said, and how.
    pub(crate) fn deletion(&self, layer: &Layer, id: &Scalar) -> (Arc<str>, Content) {
        match &layer.deletions {
            Some(channel) => (Arc::clone(channel), Content::from(id.json())),
            None => {
                let content = serde_json::json!({"deleted": id.json()});
                (Arc::clone(&layer.channel), Content::from(content))
            }
        }
    }

    /// Makes sure that the layer's table knows everything that was published.
    ///
    /// # Errors
    ///
    /// If the backend cannot say it now; a later viewer asks again.
    pub(crate) async fn fill(
        &self,
        place: usize,
        layer: &Layer,
        backend: &dyn Backend,
    ) -> Result<(), BackendError> {
        if layer.table.is_fresh() {
            return Ok(());
        }
        let mut filling = layer.table.filling.lock().await;
        if layer.table.is_fresh() {
            return Ok(());
        }
        if let Some(error) = layer.table.failed_lately() {
            return Err(error);
        }
        let filled = self.read(place, layer, backend, &mut filling).await;
        if let Err(error) = filled {
            layer.table.fill_failed(error);
            tracing::warn!(channel = %layer.channel, %error, "cannot read a layer's features");
        }
        filled
    }

    async fn read(
        &self,
        place: usize,
        layer: &Layer,
        backend: &dyn Backend,
        filling: &mut Filling,
    ) -> Result<(), BackendError> {
        let channels = [Some(&layer.channel), layer.deletions.as_ref()];
        for channel in channels.into_iter().flatten() {
            if !filling.is_retained {
                backend.retain(channel);
            }
            backend.confirmed(channel).await?;
        }
        filling.is_retained = true;
        layer.table.begin_fill();
        let values = backend.hvals(&layer.channel).await?;
        let contents = values.into_iter().filter_map(|value| Content::parse(value).ok());
        let features = contents.filter_map(|content| self.feature(layer, content)).collect();
        layer.table.end_fill(place, layer.max_features, features);
        Ok(())
    }

    fn feature(&self, layer: &Layer, content: Content) -> Option<(Scalar, Message)> {
        let Kind::Feature(Some(id)) = self.reader.read(&content).kind else { return None };
        Some((id, Message::new(Arc::clone(&layer.channel), content, now())))
    }

    pub(crate) fn figures(&self) -> Vec<Figure> {
        let counts: Vec<_> = self.layers.iter().map(|layer| layer.table.counts()).collect();
        vec![
            Figure::gauge(
                "live_features",
                "Features that live layers remember",
                counts.iter().map(|(features, _)| features).sum(),
            ),
            Figure::counter(
                "live_features_refused",
                "Messages of features beyond what a live layer remembers",
                counts.iter().map(|(_, refused)| refused).sum(),
            ),
        ]
    }
}

/// Milliseconds since the epoch.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
