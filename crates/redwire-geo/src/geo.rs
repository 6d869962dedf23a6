use std::sync::Arc;

use redwire_protocol::{
    CommandSet, Commands, Context, Error, HandlerBase, Keys, Outgoing, Parameters, Plane, Reply,
    Result, Screen, Verdict,
};

use crate::bbox::Rect;
use crate::crs::{Crs, Projections};
use crate::located::Located;
use crate::plane::{MapPlane, Planes, screen_of};
use crate::project::Transform;

/// `BBOX`, `PROJECTION` and `PGET`: each viewer gets what its box shows, in the projection that it
/// asked for.
///
/// Both look at GeoJSON features and feature collections (RFC 7946) in EPSG:4326; everything else
/// passes as it is. The order of `BBOX` and `PROJECTION` counts: the box is in the units of what was
/// asked for before it.
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
    options: Arc<Options>,
    bbox: Option<Rect>,
    projection: Option<u32>,
    /// Whether `BBOX` was in force first, so that it is in stored units.
    bbox_first: bool,
}

#[derive(Clone, Debug, Default)]
struct Options {
    projections: Projections,
    strict: bool,
    compat: bool,
    planes: Planes,
}

/// What `PGET` tells the filter: the projection of this reply, instead of the session's.
struct ProjectedTo(u32);

/// The name of a rewrite: the CRS, and the order of axes.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Projected {
    pub(crate) code: u32,
    pub(crate) strict: bool,
}

/// The two things that can be in force.
enum Step {
    Bbox(Rect),
    Projection(u32),
}

impl Geo {
    /// Lets clients ask for these projections; the default is [`Projections::default`].
    #[must_use]
    pub fn projections(mut self, projections: Projections) -> Self {
        Arc::make_mut(&mut self.options).projections = projections;
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
                let sides = [("left", left), ("bottom", bottom), ("right", right), ("top", top)];
                let bbox = self.read_bbox(sides)?;
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

    fn read_bbox(&self, sides: [(&'static str, &String); 4]) -> Result<Rect> {
        let read = |(name, word): (&'static str, &String)| {
            let bad = |reason: &str| Error::BadArgument {
                name,
                value: word.chars().take(80).collect::<String>().into(),
                reason: reason.into(),
            };
            let side: f64 = word.parse().map_err(|_| bad("not a number"))?;
            if side.is_nan() && !self.options.compat { Err(bad("not a number")) } else { Ok(side) }
        };
        let [left, bottom, right, top] = sides;
        let bbox =
            Rect { left: read(left)?, bottom: read(bottom)?, right: read(right)?, top: read(top)? };
        if bbox.bottom > bbox.top && !self.options.compat {
            let reason = format!("less than bottom, which is {}", bbox.bottom);
            return Err(Error::BadArgument {
                name: "top",
                value: bbox.top.to_string().into(),
                reason: reason.into(),
            });
        }
        Ok(bbox)
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
            Ok(Crs::STORED) if !self.options.strict => self.projection = None,
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
        let crs = self.options.projections.named(name).ok_or_else(|| Error::BadArgument {
            name: "projection",
            value: name.chars().take(80).collect::<String>().into(),
            reason: "not one of the projections that are served, such as epsg:3857".into(),
        })?;
        Ok(crs.code)
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
        let code = projection.map_or(Ok(Crs::STORED), |name| self.code_of(&name))?;
        let reply = Keys::read(context, &key, field.as_deref(), client_ref).await?;
        Ok(reply.noted(ProjectedTo(code)))
    }

    /// What is in force for this message, in order.
    fn steps(&self, message: &Outgoing<'_>) -> impl Iterator<Item = Step> + use<> {
        let asked = message.note().map(|ProjectedTo(code)| *code);
        let bbox = self.bbox.map(Step::Bbox);
        let projection = asked.or(self.projection).map(Step::Projection);
        // A projection that only this reply has comes last: the session's box knows nothing of it.
        let bbox_first = self.bbox_first || self.projection.is_none();
        let steps = if bbox_first { [bbox, projection] } else { [projection, bbox] };
        steps.into_iter().flatten()
    }

    /// What the filter does, for sets that build on it.
    pub fn judge(&self, message: &mut Outgoing<'_>) -> Verdict {
        let mut code = Crs::STORED;
        for step in self.steps(message) {
            match step {
                Step::Bbox(bbox) if !self.shows(&bbox, code, message) => {
                    if !message.is_kept() {
                        return Verdict::Drop;
                    }
                }
                Step::Bbox(_) => {}
                Step::Projection(projection) => {
                    self.project(projection, message);
                    code = projection;
                }
            }
        }
        Verdict::Pass
    }

    /// The CRS that the box is in.
    fn code_of_bbox(&self) -> u32 {
        self.projection.filter(|_| !self.bbox_first).unwrap_or(Crs::STORED)
    }

    /// After how many units of this CRS the world repeats, for boxes.
    fn period(&self, code: u32) -> Option<f64> {
        Crs::period(code).filter(|_| !self.options.strict && !self.options.compat)
    }

    /// The box in force, as a server compares it with those of many viewers at once.
    pub fn screen(&self) -> Option<Screen> {
        let code = self.code_of_bbox();
        let plane = self.options.planes.of(code, || {
            let codes = self.options.projections.codes().chain([Crs::STORED]);
            codes.map(|code| (code, self.plane(code))).collect()
        })?;
        Some(Screen { plane, bounds: screen_of(self.bbox?, self.period(code)) })
    }

    fn plane(&self, code: u32) -> Arc<dyn Plane> {
        let crs = self.options.projections.get(code).filter(|_| code != Crs::STORED);
        let (crs, strict) = (crs.cloned(), self.options.strict);
        Arc::new(MapPlane { crs, strict, period: self.period(code) })
    }

    /// Whether the box shows the content, which is in this CRS.
    fn shows(&self, bbox: &Rect, code: u32, message: &Outgoing<'_>) -> bool {
        let located = message.memo(Located::of);
        if self.options.compat {
            return located.passes(|geometry| bbox.has_vertex_of(geometry));
        }
        let rects = bbox.on_world(self.period(code));
        located.passes(|geometry| rects.iter().any(|rect| rect.intersects(geometry)))
    }

    fn project(&self, code: u32, message: &mut Outgoing<'_>) {
        let strict = self.options.strict;
        let Some(crs) = self.options.projections.get(code) else { return };
        if code != Crs::STORED {
            let transform = Transform { crs, strict };
            message.rewrite(Projected { code, strict }, |content| transform.rewrite(content));
        }
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
}
