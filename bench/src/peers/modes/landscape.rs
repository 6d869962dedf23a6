use redwire_protocol::Bounds;

use crate::crs::{CODES, Crs};
use crate::peers::load::stamp::Stamp;
use crate::scene::Scene;
use crate::{Result, documents};

/// Viewers over Switzerland, and what moves there.
pub(super) struct Landscape {
    pub(super) viewers: Vec<Viewer>,
    pub(super) features: Vec<Feature>,
    crs: Vec<(u16, Crs)>,
}

/// A map in one of the projections, which take turns.
pub(super) struct Viewer {
    code: u16,
    pub(super) bounds: Bounds,
}

pub(super) struct Feature {
    text: String,
    /// Longitudes and latitudes, as they are in the text.
    line: Vec<[f64; 2]>,
}

impl Landscape {
    pub(super) fn new(viewers: usize, features: usize) -> Result<Self> {
        let mut scene = Scene::switzerland();
        let crs =
            CODES.iter().map(|&code| Ok((code, Crs::of(code)?))).collect::<Result<Vec<_>>>()?;
        let viewers = crs.iter().cycle().take(viewers).map(|(code, crs)| {
            let Bounds { left, bottom, right, top } = scene.view().bounds(crs);
            let (left, bottom, right, top) =
                (left.floor(), bottom.floor(), right.ceil(), top.ceil());
            Viewer { code: *code, bounds: Bounds { left, bottom, right, top } }
        });
        let viewers = viewers.collect();
        let features = (0..features).map(|number| {
            let feature = documents::trajectory(&mut scene, number);
            let line = feature.pointer("/geometry/coordinates").cloned().unwrap_or_default();
            let text = feature.to_string();
            Ok(Feature { text, line: serde_json::from_value(line)? })
        });
        let features = features.collect::<Result<_>>()?;
        Ok(Self { viewers, features, crs })
    }

    /// The feature of that number, or of its remainder.
    pub(super) fn payload(&self, stamp: Stamp) -> Vec<u8> {
        let feature = self.features.get(stamp.number as usize % self.features.len());
        stamp.in_object(feature.map_or("{}", |feature| &feature.text))
    }

    /// The positions of a feature as they should reach a viewer.
    pub(super) fn projected(&self, viewer: u32, feature: u32) -> Result<Vec<[f64; 2]>> {
        let viewer = self.viewers.get(viewer as usize).ok_or("an unknown viewer")?;
        let feature = self.features.get(feature as usize).ok_or("an unknown feature")?;
        let crs = self.crs.iter().find(|(code, _)| *code == viewer.code);
        let (_, crs) = crs.ok_or("an unknown projection")?;
        Ok(feature.line.iter().map(|position| crs.project(*position)).collect())
    }
}

impl Viewer {
    pub(super) fn commands(&self) -> [String; 2] {
        let Bounds { left, bottom, right, top } = self.bounds;
        [format!("PROJECTION epsg:{}", self.code), format!("BBOX {left} {bottom} {right} {top}")]
    }
}
