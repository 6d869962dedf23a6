use std::sync::Arc;

use redwire_geo::Geo;
use redwire_protocol::{
    CommandSet, Commands, Context, Error, Figure, HandlerBase, Observed, Outgoing, Parameters,
    Replay, Reply, Result, Screen, Take, Verdict,
};

use crate::options::Options;
use crate::pace::pace;
use crate::seen::{Seen, View};

/// The live-map dialect: what a map client of today expects, over the channels of
/// [`Layer`](crate::Layer)s.
///
/// It takes the place of the sets [`Subscriptions`](redwire_protocol::Subscriptions) and [`Geo`] in a
/// stack, has their commands, and adds to them:
///
/// * `BBOX` and `SUB` are answered with what is in view now, without a gap to what is published next;
/// * a feature that leaves the viewer's box, or is no more, is taken back with a deletion;
/// * `BBOX left bottom right top zoom name=value…` filters by attributes, and may subscribe;
/// * `BUFFER ms count` has pushes gathered in one frame, of each feature the newest;
/// * `RESET` ends all of that until the next `BBOX` or `SUB`;
/// * a viewer that reads slowly gets the newest state of each feature, and stays.
///
/// From a layer's first viewer on, the server stays subscribed to its channels and remembers its
/// features, whether or not anybody looks.
///
/// ```
/// use redwire_geo::Geo;
/// use redwire_live::{Layer, Live};
/// use redwire_protocol::{HandlerBase, Keys, Ping, Protocol};
/// # struct Public;
/// # impl HandlerBase for Public { fn channel_is_allowed(&self, _: &str) -> bool { true } }
///
/// let live = Live::over(Geo::default()).layer(Layer::new("trains")).attribute("line", "/properties/line");
/// let protocol = Protocol::<Public>::new().with(Keys).with(live).with(Ping);
/// ```
#[derive(Clone, Debug)]
pub struct Live {
    pub(crate) options: Arc<Options>,
    pub(crate) geo: Geo,
    pub(crate) wanted: Vec<Wanted>,
    /// Channels that `BBOX` or a layer subscribed to, and not `SUB`.
    pub(crate) implied: Vec<Arc<str>>,
    /// `None` until the first snapshot.
    pub(crate) seen: Option<Arc<Seen>>,
}

/// The values of one attribute that a viewer wants to see.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) attribute: usize,
    pub(crate) values: Vec<Box<str>>,
}

impl Live {
    /// The dialect over these boxes and projections, without layers yet.
    pub fn over(geo: Geo) -> Self {
        Self { options: Arc::default(), geo, wanted: Vec::new(), implied: Vec::new(), seen: None }
    }

    async fn sub<H: HandlerBase>(
        &mut self,
        context: &mut Context<H>,
        (channel,): (String,),
    ) -> Result<Reply> {
        let was_subscribed = context.is_subscribed(&channel);
        let layer = self.options.layer_of(&channel);
        let is_layer = layer.is_some();
        // First, so that whoever may not hear of deletions does not get what they cannot forget.
        if let Some(deletions) = layer.and_then(|layer| layer.deletions.clone()) {
            self.imply(context, &deletions).await?;
        }
        context.subscribe(&channel).await?;
        self.implied.retain(|implied| **implied != *channel);
        if is_layer && !was_subscribed {
            self.replay(context, "SUB").await
        } else {
            Ok(Reply::none())
        }
    }

    async fn del<H: HandlerBase>(
        &mut self,
        context: &mut Context<H>,
        (channel,): (String,),
    ) -> Result<()> {
        context.unsubscribe(&channel);
        self.implied.retain(|implied| **implied != *channel);
        let layer = self.options.layer_of(&channel);
        if let Some(deletions) = layer.and_then(|layer| layer.deletions.clone()) {
            self.no_longer_imply(context, &deletions);
        }
        self.look(context);
        Ok(())
    }

    async fn bbox<H: HandlerBase>(
        &mut self,
        context: &mut Context<H>,
        (words, parameters): (Vec<String>, Parameters),
    ) -> Result<Reply> {
        let has_box = !words.is_empty();
        let wanted = self.wanted_by(&parameters);
        let variant = self.options.variant_of(&parameters).map(ToOwned::to_owned);
        self.geo.bbox(context, (words, parameters)).await?;
        self.wanted = wanted;
        if has_box {
            self.follow(context, variant.as_deref()).await?;
        }
        self.replay(context, "BBOX").await
    }

    /// What `mots=rail,tram` asks for.
    fn wanted_by(&self, parameters: &Parameters) -> Vec<Wanted> {
        let named = parameters.0.iter().filter_map(|(name, values)| {
            let attribute = self.options.attribute_of(name)?;
            Some(Wanted { attribute, values: values.split(',').map(Box::from).collect() })
        });
        named.collect()
    }

    /// Subscribes to the layers that follow boxes of this variant, and leaves those of the others.
    async fn follow<H: HandlerBase>(
        &mut self,
        context: &mut Context<H>,
        variant: Option<&str>,
    ) -> Result<()> {
        let options = Arc::clone(&self.options);
        for layer in options.layers.iter().filter(|layer| layer.follows_bbox) {
            let channels = [layer.deletions.as_ref(), Some(&layer.channel)].into_iter().flatten();
            for channel in channels {
                if layer.variant.as_deref() != variant {
                    self.no_longer_imply(context, channel);
                    continue;
                }
                match self.imply(context, channel).await {
                    Ok(()) => {}
                    // Not for this viewer.
                    Err(Error::Denied { .. }) => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Subscribes on behalf of another command.
    async fn imply<H: HandlerBase>(
        &mut self,
        context: &mut Context<H>,
        channel: &Arc<str>,
    ) -> Result<()> {
        if !context.is_subscribed(channel) {
            context.subscribe(channel).await?;
            self.implied.push(Arc::clone(channel));
        }
        Ok(())
    }

    fn no_longer_imply<H>(&mut self, context: &mut Context<H>, channel: &str) {
        if let Some(place) = self.implied.iter().position(|implied| **implied == *channel) {
            self.implied.swap_remove(place);
            context.unsubscribe(channel);
        }
    }

    async fn projection<H: HandlerBase>(
        &mut self,
        context: &mut Context<H>,
        words: (Vec<String>,),
    ) -> Result<Reply> {
        self.geo.projection(context, words).await?;
        self.replay(context, "PROJECTION").await
    }

    async fn pget<H: HandlerBase>(
        &mut self,
        context: &mut Context<H>,
        arguments: (String, Option<String>, Option<String>, Option<String>),
    ) -> Result<Reply> {
        self.geo.pget(context, arguments).await
    }

    async fn buffer<H>(
        &mut self,
        context: &mut Context<H>,
        (words,): (Vec<String>,),
    ) -> Result<()> {
        context.pace = pace(&words)?;
        Ok(())
    }

    /// As the npm package's clients put it: to resubscribe, they have to set a new box.
    async fn reset<H: HandlerBase>(
        &mut self,
        context: &mut Context<H>,
        _: (Vec<String>,),
    ) -> Result<()> {
        for layer in &self.options.layers {
            let channels = [Some(&layer.channel), layer.deletions.as_ref()];
            channels.into_iter().flatten().for_each(|channel| context.unsubscribe(channel));
        }
        self.implied.clear();
        self.wanted.clear();
        self.geo.bbox(context, (Vec::new(), Parameters(Vec::new()))).await?;
        self.look(context);
        Ok(())
    }

    /// Everything that is in view on the layers that the connection is subscribed to.
    async fn replay<H: HandlerBase>(
        &mut self,
        context: &mut Context<H>,
        command: &'static str,
    ) -> Result<Reply> {
        let (seen, options) = (self.look(context), Arc::clone(&self.options));
        let layers = seen.view().layers.clone();
        if layers.is_empty() {
            return Ok(Reply::none());
        }
        let mut reply = Reply::none();
        for place in layers {
            let Some(layer) = options.layers.get(place) else { continue };
            if let Err(error) = options.fill(place, layer, context.backend()).await {
                // What is known is sent all the same.
                let error = Error::Backend(error).to_string();
                let content =
                    serde_json::json!({"status": "error", "command": command, "message": error});
                reply = Reply::status(content);
            }
        }
        Ok(reply.replaying(Replay::new(move |take| {
            let view = seen.view();
            let mut messages = Vec::new();
            for &place in &view.layers {
                let Some(layer) = options.layers.get(place) else { continue };
                let (changes, features) = layer.table.snapshot(view.screen.as_ref());
                if take == Take::Performance {
                    seen.set(place, changes);
                }
                messages.extend(features);
            }
            messages
        })))
    }

    /// Notes what the connection looks at from now on.
    fn look<H>(&mut self, context: &Context<H>) -> Arc<Seen> {
        let layers = self.options.layers.iter().enumerate();
        let subscribed = layers.filter(|(_, layer)| context.is_subscribed(&layer.channel));
        let layers = subscribed.map(|(place, _)| place).collect();
        let screen = self.screen_of_box();
        let nothing = || Seen::nothing(self.options.layers.len());
        let seen = Arc::clone(self.seen.get_or_insert_with(nothing));
        *seen.view() = View { layers, screen };
        seen
    }
}

impl<H: HandlerBase> CommandSet<H> for Live {
    fn commands(commands: &mut Commands<Self, H>) {
        commands
            .command("SUB channel_name", Self::sub)
            .command("DEL channel_name", Self::del)
            .command("BBOX [left_bottom_right_top...] [name=value...]", Self::bbox)
            .command("PROJECTION [crs...]", Self::projection)
            .command("PGET channel_name [ref] [client_ref] [projection]", Self::pget)
            .command("BUFFER [ms_count...]", Self::buffer)
            .command("RESET [words...]", Self::reset);
    }

    fn screen(&self) -> Option<Screen> {
        self.screen_of_box()
    }

    fn observe(&self, observed: Observed<'_>) {
        match observed {
            Observed::Message(message) => self.remember(message),
            Observed::Gap { .. } => {
                self.options.layers.iter().for_each(|layer| layer.table.expire());
            }
            _ => {}
        }
    }

    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
        let verdict = self.judge(message);
        if verdict == Verdict::Pass {
            self.rename(message);
        }
        verdict
    }

    fn figures(&self) -> Vec<Figure> {
        let mut figures = <Geo as CommandSet<H>>::figures(&self.geo);
        figures.extend(self.options.figures());
        figures
    }
}
