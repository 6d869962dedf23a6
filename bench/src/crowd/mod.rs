mod gateway;
pub(crate) mod viewers;

use std::time::Duration;

use redwire_geo::Geo;
use redwire_protocol::{
    Content, Filters, HandlerBase, Message, Ping, Protocol, Session, Subscriptions,
};
use redwire_server::MemoryBackend;
use tokio::runtime::Builder;

use crate::crs::{CODES, Crs};
use crate::scene::Scene;
use crate::table::{Table, figure};
use crate::{Result, documents};
use gateway::{Gateway, Publication, Spent};

const VIEWERS: usize = 10_000;
const FEATURES: usize = 64;
const TURNS: usize = 2;
const ROUNDS: usize = 3;

/// What it costs a server to send a feature to those of 10,000 viewers who look at it, each in one of
/// three projections, against as many deliveries of the same text to viewers without a box.
pub(crate) fn run() -> Result<Table> {
    Builder::new_multi_thread().enable_all().build()?.block_on(compare(VIEWERS))
}

async fn compare(viewers: usize) -> Result<Table> {
    let protocol = Protocol::new().with(Subscriptions).with(Ping).with(Geo::default());
    let mut scene = Scene::switzerland();
    let lines = lines(&mut scene, viewers)?;
    let boxes = Trial::of_boxes(&protocol, &lines, &mut scene).await?;
    let away = Trial::of_boxes(&protocol, &lines, &mut Scene::pacific()).await?;
    let plain = boxes.without_boxes();
    let trials =
        [(&boxes, 1), (&plain, 1), (&boxes, FEATURES), (&plain, FEATURES), (&away, FEATURES)];
    let mut least = trials.map(|_| Spent { cpu: Duration::MAX, ..Spent::default() });
    // Not all at the same time: a process has only so many sockets.
    for turn in 0..2 * TURNS {
        let lines = if turn % 2 == 0 { &boxes.lines } else { &plain.lines };
        let mut gateway = Gateway::start(protocol.clone(), lines).await?;
        for _ in 0..ROUNDS {
            for ((trial, at_once), least) in trials.iter().zip(&mut least) {
                if trial.lines == *lines {
                    let spent = gateway.publish(&trial.publications, *at_once).await?;
                    *least = if spent.cpu < least.cpu { spent } else { *least };
                }
            }
        }
        gateway.stop().await?;
    }
    let mut table = Table::new(&[
        "published",
        "viewers",
        "asked",
        "delivered",
        "rewritten",
        "encoded",
        "CPU µs a message",
        "CPU µs a delivery",
    ]);
    let kinds = ["boxes", "channels", "boxes", "channels", "boxes elsewhere"];
    for (((trial, at_once), kind), spent) in trials.iter().zip(kinds).zip(least) {
        let how = if *at_once == 1 { "one at a time".into() } else { format!("{at_once} at once") };
        table.row(
            [how, format!("{} {kind}", figure(viewers as f64))].into_iter().chain(trial.row(spent)),
        );
    }
    Ok(table)
}

/// The commands of each viewer; the projections take turns.
fn lines(scene: &mut Scene, viewers: usize) -> Result<Vec<String>> {
    let crs: Vec<_> =
        CODES.iter().map(|&code| Ok((code, Crs::of(code)?))).collect::<Result<_>>()?;
    let lines = crs.iter().cycle().take(viewers).map(|(code, crs)| {
        let bounds = scene.view().bounds(crs);
        let (left, bottom) = (bounds.left.floor(), bounds.bottom.floor());
        let (right, top) = (bounds.right.ceil(), bounds.top.ceil());
        format!("PROJECTION epsg:{code}|BBOX {left} {bottom} {right} {top}|SUB map")
    });
    Ok(lines.collect())
}

#[derive(Clone)]
pub(crate) struct Public;

impl HandlerBase for Public {
    fn channel_is_allowed(&self, _: &str) -> bool {
        true
    }
}

/// What is published to whom.
struct Trial {
    lines: Vec<String>,
    publications: Vec<Publication>,
    /// Who gets each of them, found out without the hub.
    viewers: Vec<Vec<usize>>,
    /// How many filters have to be asked, all publications together.
    asked: usize,
}

impl Trial {
    async fn of_boxes(
        protocol: &Protocol<Public>,
        lines: &[String],
        scene: &mut Scene,
    ) -> Result<Self> {
        let mut sessions = Vec::new();
        for line in lines {
            sessions.push(session(protocol, line).await?);
        }
        let (lines, publications) = (lines.to_vec(), Vec::new());
        let mut trial = Self { lines, publications, viewers: Vec::new(), asked: 0 };
        for number in 0..FEATURES {
            let text = documents::trajectory(scene, number).to_string();
            let message = Message::new("map", Content::parse(text.clone())?, 0);
            let filters = || sessions.iter().map(Session::filters);
            let passes = |filters: &Filters| filters.apply(&message).is_some();
            let viewers: Vec<_> =
                filters().zip(0..).filter(|(f, _)| passes(f)).map(|(_, n)| n).collect();
            let asked = filters().filter_map(Filters::screen).filter(|screen| {
                let extent = screen.plane.extent(&message);
                extent.is_none_or(|extent| extent.touch(&screen.bounds))
            });
            trial.asked += asked.count();
            trial.publications.push(Publication {
                channel: "map".into(),
                text,
                subscribers: trial.lines.len() as u64,
                deliveries: viewers.len() as u64,
            });
            trial.viewers.push(viewers);
        }
        Ok(trial)
    }

    /// The same deliveries to as many viewers, without filters: a channel for each publication.
    fn without_boxes(&self) -> Self {
        let mut lines = vec![String::new(); self.lines.len()];
        for (number, viewers) in self.viewers.iter().enumerate() {
            for &viewer in viewers {
                lines
                    .get_mut(viewer)
                    .into_iter()
                    .for_each(|line| line.push_str(&format!("SUB map{number}|")));
            }
        }
        let publications = self.publications.iter().enumerate().map(|(number, one)| Publication {
            channel: format!("map{number}"),
            text: one.text.clone(),
            subscribers: one.deliveries,
            deliveries: one.deliveries,
        });
        Self { lines, publications: publications.collect(), viewers: Vec::new(), asked: 0 }
    }

    fn row(&self, spent: Spent) -> [String; 6] {
        let micros = spent.cpu.as_secs_f64() * 1e6;
        let a_delivery = match spent.delivered {
            0 => "–".to_owned(),
            delivered => figure(micros / delivered as f64),
        };
        let all = [self.asked as u64, spent.delivered, spent.rewritten, spent.encoded];
        let [asked, delivered, rewritten, encoded] =
            all.map(|count| figure(count as f64 / FEATURES as f64));
        [asked, delivered, rewritten, encoded, figure(micros / FEATURES as f64), a_delivery]
    }
}

async fn session(protocol: &Protocol<Public>, line: &str) -> Result<Session<Public>> {
    let mut session = protocol.session(Public, MemoryBackend::new());
    for command in line.split('|') {
        session.receive(command).await.map_err(|refused| refused.to_string())?;
    }
    Ok(session)
}
