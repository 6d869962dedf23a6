use std::time::{Duration, Instant};

use super::landscape::Landscape;
use super::oracle;
use crate::Result;
use crate::peers::bout::{Bout, Extent, Figure, micros};
use crate::peers::load::clients::Clients;
use crate::peers::load::flow::name;
use crate::peers::load::order::{Arrival, Order};
use crate::peers::load::publisher::Publisher;
use crate::peers::load::script::Script;
use crate::peers::load::stamp::Stamp;

const VIEWERS: usize = 1_000;
const FEATURES: usize = 64;
/// About 20,000 deliveries a second.
const INTERVAL: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(10);

/// A thousand maps, each with a box and a projection, against the same deliveries to plain subscriptions.
pub(super) fn measure(bout: &Bout<'_>, extent: Extent) -> Result<Vec<Figure>> {
    let landscape = Landscape::new(VIEWERS, FEATURES)?;
    let hits = bout.runtime().block_on(oracle::check(bout, &landscape))?;
    // One round has to do.
    let time = extent.turn * 2;
    let mut figures = Vec::new();
    let boxes = Audience::of_boxes(bout, &landscape, &hits)?.costs(bout, time)?;
    let channels = Audience::of_channels(bout, &landscape, &hits)?.costs(bout, time)?;
    for (how, (boxes, channels)) in
        ["one at a time", "64 at once"].into_iter().zip(boxes.into_iter().zip(channels))
    {
        let what = "1,000 viewers with box and projection";
        figures.extend([
            Figure::plain(format!("{what}, {how}: CPU µs a delivery"), boxes),
            Figure::plain(format!("the same hits as channels, {how}: CPU µs a delivery"), channels),
            Figure::plain(format!("{what}, {how}: boxes / channels"), boxes / channels),
        ]);
    }
    Ok(figures)
}

/// Clients of whom each gets some of the features.
struct Audience<'a> {
    landscape: &'a Landscape,
    /// By feature, who gets it.
    hits: &'a [Vec<u32>],
    /// Each feature has a channel of its own.
    has_channels: bool,
    clients: Clients,
    publisher: Publisher,
    orders: Vec<Order>,
    next: u32,
    arrived: u64,
    expected: u64,
    wrong: u64,
}

impl<'a> Audience<'a> {
    fn of_boxes(bout: &Bout<'_>, landscape: &'a Landscape, hits: &'a [Vec<u32>]) -> Result<Self> {
        let connect = bout.contender.dialect.connect();
        let scripts = landscape.viewers.iter().map(|viewer| {
            let script = viewer.commands().iter().fold(connect.clone(), |all, line| all.send(line));
            script.send("SUB c0").send("PING").wait(1)
        });
        Self::open(bout, landscape, hits, false, &scripts.collect::<Vec<_>>())
    }

    fn of_channels(
        bout: &Bout<'_>,
        landscape: &'a Landscape,
        hits: &'a [Vec<u32>],
    ) -> Result<Self> {
        let scripts = (0..VIEWERS as u32).map(|viewer| {
            let channels = hits.iter().zip(0..).filter(|(hits, _)| hits.contains(&viewer));
            bout.contender.dialect.subscribe(channels.map(|(_, channel)| channel))
        });
        Self::open(bout, landscape, hits, true, &scripts.collect::<Vec<_>>())
    }

    fn open(
        bout: &Bout<'_>,
        landscape: &'a Landscape,
        hits: &'a [Vec<u32>],
        has_channels: bool,
        scripts: &[Script],
    ) -> Result<Self> {
        let orders = vec![Order::from(0); scripts.len()];
        let clients = bout.open(scripts.len() as u32, |viewer| {
            scripts.get(viewer as usize).cloned().unwrap_or_else(|| Script::open("/"))
        })?;
        let publisher = bout.publisher()?;
        let (next, arrived, expected, wrong) = (0, 0, 0, 0);
        Ok(Self {
            landscape,
            hits,
            has_channels,
            clients,
            publisher,
            orders,
            next,
            arrived,
            expected,
            wrong,
        })
    }

    /// Microseconds of CPU for a delivery, one message at a time, and all at once.
    fn costs(mut self, bout: &Bout<'_>, time: Duration) -> Result<[f64; 2]> {
        let mut costs = [0.0; 2];
        for (cost, at_once) in costs.iter_mut().zip([1, FEATURES]) {
            self.sweep(at_once)?;
            let (before, arrived) = (bout.cpu()?, self.arrived);
            let began = Instant::now();
            while began.elapsed() < time {
                self.sweep(at_once)?;
            }
            *cost = micros(bout.cpu()?.saturating_sub(before), self.arrived - arrived);
        }
        Ok(costs)
    }

    /// Publishes every feature, and goes on when those who should have got it have.
    fn sweep(&mut self, at_once: usize) -> Result<()> {
        let hits = self.hits;
        for part in (0..).zip(hits).collect::<Vec<_>>().chunks(at_once) {
            let due = Instant::now() + INTERVAL;
            for (feature, hits) in part {
                let channel = if self.has_channels { *feature } else { 0 };
                let stamp = Stamp { sent: 0, number: self.next, channel };
                self.publisher.gather(&name(channel), &self.landscape.payload(stamp));
                self.next += 1;
                self.expected += hits.len() as u64;
            }
            self.publisher.flush()?;
            self.settle(due)?;
        }
        Ok(())
    }

    /// Waits until all has arrived, and until then.
    fn settle(&mut self, due: Instant) -> Result<()> {
        let began = Instant::now();
        while self.arrived < self.expected || Instant::now() < due {
            let patience = due.saturating_duration_since(Instant::now());
            let patience = patience.max(Duration::from_millis(1));
            let (features, all) = (self.hits.len(), self.hits);
            self.clients.turn(patience, |client, frame| {
                let stamp = frame.stamp.filter(|stamp| {
                    let hits = all.get(stamp.number as usize % features);
                    hits.is_some_and(|hits| hits.binary_search(&(client as u32)).is_ok())
                });
                let order = self.orders.get_mut(client);
                match stamp.zip(order).map(|(stamp, order)| order.take(stamp.number)) {
                    Some(Arrival::New) => self.arrived += 1,
                    _ => self.wrong += 1,
                }
            })?;
            if self.wrong > 0 || self.arrived > self.expected {
                return Err("somebody got what is not for him, twice or too late".into());
            }
            if began.elapsed() > PATIENCE {
                let (arrived, expected) = (self.arrived, self.expected);
                return Err(format!("{arrived} of {expected} deliveries have arrived").into());
            }
        }
        Ok(())
    }
}
