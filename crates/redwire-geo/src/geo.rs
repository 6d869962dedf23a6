use std::sync::Arc;

use redwire_protocol::{
    CommandSet, Commands, Context, Error, Figure, HandlerBase, Keys, Outgoing, Parameters, Reply,
    Result, Screen, Verdict,
};

use crate::bbox::Rect;
use crate::counts::Counts;
use crate::options::Options;
use crate::plane::{Planes, screen_of};
use crate::projections::code_in;
use crate::sides;

/// `BBOX`, `PROJECTION` and `PGET`: each viewer gets what its box shows, in the projection that it
/// asked for.
///
/// Both look at GeoJSON features and feature collections (RFC 7946) in EPSG:4326, or another CRS that
/// [`stored_in`](Self::stored_in) names; everything else passes as it is. The order of `BBOX` and
/// `PROJECTION` counts: the box is in the units of what was asked for before it.
///
/// ```
/// use redwire_geo::Geo;
/// use redwire_protocol::{HandlerBase, Keys, Protocol};
/// # struct Public;
/// # impl HandlerBase for Public { fn channel_is_allowed(&self, _: &str) -> bool { true } }
///
/// let protocol = Protocol::<Public>::new().with(Keys).with(Geo::default());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Geo {
    pub(crate) options: Arc<Options>,
    pub(crate) planes: Arc<Planes>,
    bbox: Option<Rect>,
    projection: Option<u32>,
    /// Whether `BBOX` was in force first, so that it is in stored units.
    bbox_first: bool,
}

/// What `PGET` tells the filter: the projection of this reply, instead of the session's.
struct ProjectedTo(u32);

/// The two things that can be in force.
enum Step {
    Bbox(Rect),
    Projection(u32),
}

impl Geo {
    /// What `BBOX` does, for sets that build on it.
    ///
    /// # Errors
    ///
    /// If the words are no box; the old one stays in force then.
    pub async fn bbox<H>(
        &mut self,
        _: &mut Context<H>,
        (words, parameters): (Vec<String>, Parameters),
    ) -> Result<()> {
        if let (true, Some((name, value))) = (self.options.compat, parameters.0.first()) {
            let (name, value) = (name.as_str().into(), value.as_str().into());
            return Err(Error::UnknownArgument { name, value, usage: BBOX });
        }
        match words.as_slice() {
            [] => self.bbox = None,
            [sides @ .., _] if sides.len() == 4 && self.options.compat => {}
            [left, bottom, right, top, ..] => {
                let sides = [left, bottom, right, top];
                let bbox = if self.options.compat {
                    sides::read(sides)?
                } else {
                    sides::check(sides::read(sides)?, self.period())?
                };
                self.bbox_first =
                    self.projection.is_none() || (self.bbox.is_some() && self.bbox_first);
                self.bbox = Some(bbox);
            }
            _ if self.options.compat => {}
            _ => {
                return Err(Error::refused(format!(
                    "BBOX takes four numbers or none, not {}",
                    words.len()
                )));
            }
        }
        Ok(())
    }

    /// After how many units the world repeats in the CRS that a box given now is in.
    fn period(&self) -> Option<f64> {
        let before = self.projection.filter(|_| self.bbox.is_none() || !self.bbox_first);
        self.options.period(before.unwrap_or(self.options.stored.code()))
    }

    /// What `PROJECTION` does, for sets that build on it.
    ///
    /// # Errors
    ///
    /// If the words are no projection that is served; the old one stays in force then.
    pub async fn projection<H>(
        &mut self,
        _: &mut Context<H>,
        (words,): (Vec<String>,),
    ) -> Result<()> {
        let code = match words.as_slice() {
            [name] => self.code_of(name),
            _ => Err(Error::refused(format!("PROJECTION takes one code, not {}", words.len()))),
        };
        match code {
            Ok(code) if code == self.options.stored.code() && !self.options.strict => {
                self.projection = None;
            }
            Ok(code) => {
                let was_in_force = self.projection.is_some();
                self.bbox_first = self.bbox.is_some() && (self.bbox_first || !was_in_force);
                self.projection = Some(code);
            }
            Err(_) if self.options.compat => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn code_of(&self, name: &str) -> Result<u32> {
        let stored = self.options.stored.code();
        let is_served =
            |code: &u32| *code == stored || self.options.projections.get(*code).is_some();
        code_in(name).filter(is_served).ok_or_else(|| Error::BadArgument {
            name: "projection",
            value: name.chars().take(80).collect::<String>().into(),
            reason: "not one of the projections that are served, such as epsg:3857".into(),
        })
    }

    /// What `PGET` does, for sets that build on it.
    ///
    /// # Errors
    ///
    /// As [`Keys::read`], and if the projection is none that is served.
    pub async fn pget<H: HandlerBase>(
        &mut self,
        context: &mut Context<H>,
        (key, field, client_ref, projection): (
            String,
            Option<String>,
            Option<String>,
            Option<String>,
        ),
    ) -> Result<Reply> {
        let stored = self.options.stored.code();
        let code = projection.map_or(Ok(stored), |name| self.code_of(&name))?;
        let reply = Keys::read(context, &key, field.as_deref(), client_ref).await?;
        Ok(reply.noted(ProjectedTo(code)))
    }

    /// What the filter does, for sets that build on it.
    pub fn judge(&self, message: &mut Outgoing<'_>) -> Verdict {
        let Some(&ProjectedTo(code)) = message.note() else { return self.apply(message) };
        // The box is in the units of the session, whatever those of this reply.
        let verdict = self.apply(&mut message.clone());
        self.options.project(code, message);
        verdict
    }

    /// Does what is in force in the session, in order.
    fn apply(&self, message: &mut Outgoing<'_>) -> Verdict {
        let bbox = self.bbox.map(Step::Bbox);
        let projection = self.projection.map(Step::Projection);
        let steps = if self.bbox_first { [bbox, projection] } else { [projection, bbox] };
        let mut code = self.options.stored.code();
        for step in steps.into_iter().flatten() {
            match step {
                Step::Bbox(bbox) if !self.shows(&bbox, code, message) => {
                    if !message.is_kept() {
                        return Verdict::Drop;
                    }
                }
                Step::Bbox(_) => {}
                Step::Projection(projection) => {
                    self.options.project(projection, message);
                    code = projection;
                }
            }
        }
        Verdict::Pass
    }

    /// The box in force, as a server compares it with those of many viewers at once.
    pub fn screen(&self) -> Option<Screen> {
        let code = self.projection.filter(|_| !self.bbox_first);
        let code = code.unwrap_or(self.options.stored.code());
        let plane = self.planes.of(code, &self.options);
        Some(Screen { plane, bounds: screen_of(self.bbox?, self.options.period(code)) })
    }

    /// Whether the box shows the content, which is in this CRS.
    fn shows(&self, bbox: &Rect, code: u32, message: &Outgoing<'_>) -> bool {
        let located = self.options.locate(message, code);
        if self.options.compat {
            return located.passes(|geometry| bbox.has_vertex_of(geometry));
        }
        let rects = bbox.on_world(self.options.period(code));
        located.passes(|geometry| rects.iter().any(|rect| rect.intersects(geometry)))
    }
}

const BBOX: &str = "BBOX [left_bottom_right_top...] [name=value...]";

impl<H: HandlerBase> CommandSet<H> for Geo {
    fn commands(commands: &mut Commands<Self, H>) {
        commands
            .command(BBOX, Self::bbox)
            .command("PROJECTION [crs...]", Self::projection)
            .command("PGET channel_name [ref] [client_ref] [projection]", Self::pget);
    }

    fn screen(&self) -> Option<Screen> {
        self.screen()
    }

    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
        self.judge(message)
    }

    fn figures(&self) -> Vec<Figure> {
        let Counts { unlocatable, unprojectable } = self.counts();
        vec![
            Figure::counter(
                "geo_unlocatable",
                "Features passed to everybody because their geometry is not well formed",
                unlocatable,
            ),
            Figure::counter(
                "geo_unprojectable",
                "Geometries sent as null because they have no image in a projection",
                unprojectable,
            ),
        ]
    }
}
