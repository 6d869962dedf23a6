use redwire_geo::Geo;
use redwire_protocol::{Content, Filters, HandlerBase, Message, Protocol};
use redwire_server::MemoryBackend;
use serde_json::Value;

use crate::cpu::{least, nanoseconds};
use crate::crs::{CODES, Crs};
use crate::scene::Scene;
use crate::table::{Table, figure};
use crate::{Result, documents};

const ROUNDS: usize = 15;
/// What one round reads, whatever the size of a document.
const BYTES: usize = 4_000_000;

/// What a KB of features costs in another projection, against reading it into a `Value` and writing
/// that.
pub(crate) fn run() -> Result<Table> {
    let mut scene = Scene::switzerland();
    let mut table = Table::new(&[
        "feature",
        "to",
        "is it JSON?",
        "located",
        "rewritten",
        "of that, arithmetic",
        "`serde_json`",
        "`serde_json` / (is it JSON? + rewritten)",
    ]);
    let documents = [
        ("trajectory", documents::trajectory(&mut scene, 1)),
        ("line", documents::line(&mut scene)),
        ("polygon", documents::polygon(&mut scene)),
    ];
    for (name, document) in documents {
        for code in CODES {
            let trial = Trial::new(document.to_string(), code)?;
            let name = format!("{name}, {} bytes", figure(trial.text.len() as f64));
            table.row([name, code.to_string()].into_iter().chain(trial.measure()));
        }
    }
    Ok(table)
}

#[derive(Clone)]
struct Public;

impl HandlerBase for Public {
    fn channel_is_allowed(&self, _: &str) -> bool {
        true
    }
}

struct Trial {
    text: String,
    content: Content,
    filters: Filters,
    /// Of a viewer whose box is elsewhere.
    elsewhere: Filters,
    /// The stored positions.
    positions: Vec<[f64; 2]>,
    crs: Crs,
}

impl Trial {
    fn new(text: String, code: u16) -> Result<Self> {
        let content = Content::parse(text.clone())?;
        let mut positions = Vec::new();
        visit(&mut content.json().clone(), &mut |position| {
            positions.push(position);
            position
        });
        let filters = filters_after(&[&format!("PROJECTION epsg:{code}")])?;
        let elsewhere = filters_after(&["BBOX -8 46 -7 47"])?;
        Ok(Self { text, content, filters, elsewhere, positions, crs: Crs::of(code)? })
    }

    fn measure(&self) -> [String; 6] {
        let times = (BYTES / self.text.len()).max(1);
        let repeat = |work: &dyn Fn()| (0..times).for_each(|_| work());
        let total = least(
            ROUNDS,
            [
                &mut || repeat(&|| _ = std::hint::black_box(Content::parse(self.text.clone()))),
                &mut || repeat(&|| self.locate()),
                &mut || repeat(&|| _ = std::hint::black_box(self.rewritten())),
                &mut || repeat(&|| self.project()),
                &mut || repeat(&|| _ = std::hint::black_box(self.round_trip())),
            ],
        );
        let read = (times * self.text.len()) as f64 / 1_000.0;
        let [checked, located, rewritten, projected, round_trip] =
            total.map(|total| nanoseconds(total, read) / 1_000.0);
        let ratio = round_trip / (checked + rewritten);
        [checked, located, rewritten, projected, round_trip, ratio].map(figure)
    }

    /// A message that nothing has been derived from.
    fn message(&self) -> Message {
        Message::new("map", self.content.clone(), 0)
    }

    /// What is done once for all boxes in degrees.
    fn locate(&self) {
        let message = self.message();
        std::hint::black_box(self.elsewhere.apply(&message).is_none());
    }

    fn rewritten(&self) -> Option<Content> {
        let message = self.message();
        self.filters.apply(&message).map(|outgoing| outgoing.content().clone())
    }

    fn project(&self) {
        for position in &self.positions {
            std::hint::black_box(self.crs.project(*position));
        }
    }

    /// What one writes with `serde_json`.
    fn round_trip(&self) -> Option<String> {
        let mut value: Value = serde_json::from_str(&self.text).ok()?;
        visit(&mut value, &mut |position| self.crs.project(position));
        serde_json::to_string(&value).ok()
    }
}

/// Replaces the positions of a feature's geometry, which is a line or a polygon.
fn visit(feature: &mut Value, replace: &mut impl FnMut([f64; 2]) -> [f64; 2]) {
    if let Some(coordinates) = feature.pointer_mut("/geometry/coordinates") {
        visit_nested(coordinates, replace);
    }
}

fn visit_nested(coordinates: &mut Value, replace: &mut impl FnMut([f64; 2]) -> [f64; 2]) {
    let Value::Array(members) = coordinates else { return };
    match members.as_mut_slice() {
        [x, y, ..] if x.is_number() => {
            let stored = [&*x, &*y].map(|ordinate| ordinate.as_f64().unwrap_or(f64::NAN));
            [*x, *y] = replace(stored).map(Value::from);
        }
        members => members.iter_mut().for_each(|member| visit_nested(member, replace)),
    }
}

/// The filters of a viewer who has sent these lines.
fn filters_after(lines: &[&str]) -> Result<Filters> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let protocol = Protocol::new().with(Geo::default());
    let mut session = protocol.session(Public, MemoryBackend::new());
    for line in lines {
        runtime.block_on(session.receive(line)).map_err(|refused| refused.to_string())?;
    }
    Ok(session.filters().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_put_the_positions_at_the_same_place() {
        let feature = documents::trajectory(&mut Scene::switzerland(), 1);
        for code in CODES {
            let trial = Trial::new(feature.to_string(), code).unwrap();
            let [mut ours, mut theirs] =
                [trial.rewritten().unwrap().text().to_owned(), trial.round_trip().unwrap()]
                    .map(|text| serde_json::from_str::<Value>(&text).unwrap());
            let mut expected = Vec::new();
            visit(&mut theirs, &mut |position| {
                expected.push(position);
                [0.0, 0.0]
            });
            let mut expected = expected.into_iter();
            visit(&mut ours, &mut |[x, y]| {
                let [east, north] = expected.next().unwrap();
                assert!((x - east).hypot(y - north) < 1e-6, "{code}: {x} {y}");
                [0.0, 0.0]
            });
            assert_eq!(ours, theirs);
            assert_eq!(expected.next(), None);
        }
    }
}
