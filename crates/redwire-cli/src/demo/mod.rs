//! Invented vehicles on a map: something to look at without a Redis.

pub(crate) mod assets;
mod fleet;
mod kind;
mod line;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redwire::prelude::MemoryBackend;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};

pub(crate) use fleet::Fleet;
use kind::Kind;

/// Where the vehicles are published, a layer of a live map.
pub(crate) const CHANNEL: &str = "trains";

/// Every vehicle is published once in this time, all of them evenly spread over it.
const PERIOD: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(20);
/// What an envelope and its WebSocket frame add to a feature, in bytes.
const ENVELOPE: usize =
    r#"{"source":"trains","content":,"timestamp":1795225523212,"client_reference":null}"#.len() + 4;

/// Fills the hashes: `trains` with so many vehicles, `lines.rail` and `lines.urban` with what they move
/// along.
pub(crate) fn fill(memory: &MemoryBackend, vehicles: u32) -> serde_json::Result<Fleet> {
    let fleet = Fleet::new(line::all()?, vehicles as usize);
    publish_lines(memory, &fleet);
    for vehicle in 0..fleet.len() {
        if let Some((id, feature)) = fleet.feature(vehicle, now()) {
            memory.hset("trains", id, feature);
        }
    }
    Ok(fleet)
}

/// Publishes the vehicles for ever: each as its last value in the hash `trains` and as a message on the channel
/// of that name, as publishers for this protocol do. `demo.stats` says every second how much that was.
pub(crate) async fn run(memory: MemoryBackend, fleet: Fleet) {
    let mut order: Vec<_> = (0..fleet.len()).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut order);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (started, mut next, mut second) = (Instant::now(), 0, Second::begin());
    loop {
        ticks.tick().await;
        let turns = started.elapsed().as_secs_f64() / PERIOD.as_secs_f64();
        let due = (turns * order.len() as f64) as usize;
        // After a pause of the machine, nobody wants more than the last turn.
        next = next.max(due.saturating_sub(order.len()));
        for turn in next..due {
            let vehicle = order.get(turn % order.len()).copied().unwrap_or_default();
            second.count(publish(&memory, &fleet, vehicle));
        }
        next = due;
        if let Some(stats) = second.end(fleet.len()) {
            memory.hset("demo.stats", "now", stats.clone());
            memory.publish("demo.stats", stats);
        }
    }
}

/// The bytes that a viewer without a box gets for it.
fn publish(memory: &MemoryBackend, fleet: &Fleet, vehicle: usize) -> usize {
    let Some((id, feature)) = fleet.feature(vehicle, now()) else { return 0 };
    let bytes = feature.len() + ENVELOPE;
    memory.hset("trains", id, feature.clone());
    memory.publish("trains", feature);
    bytes
}

fn publish_lines(memory: &MemoryBackend, fleet: &Fleet) {
    for (index, line) in fleet.lines().iter().enumerate() {
        let hash = if line.kind == Kind::Rail { "lines.rail" } else { "lines.urban" };
        let feature = json!({
            "type": "Feature",
            "id": format!("line-{index}"),
            "geometry": { "type": "LineString", "coordinates": line.points },
            "properties": { "type": line.kind, "name": line.name },
        });
        memory.hset(hash, index.to_string(), feature.to_string());
    }
}

/// What was published within a second.
struct Second {
    began: Instant,
    messages: usize,
    bytes: usize,
}

impl Second {
    fn begin() -> Self {
        Self { began: Instant::now(), messages: 0, bytes: 0 }
    }

    fn count(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes;
    }

    /// The statistics, if the second is over; then the next one begins.
    fn end(&mut self, vehicles: usize) -> Option<String> {
        let seconds = self.began.elapsed().as_secs_f64();
        if seconds < 1.0 {
            return None;
        }
        let rate = |count: usize| (count as f64 / seconds).round() as u64;
        let stats = json!({
            "vehicles": vehicles,
            "messages_per_second": rate(self.messages),
            "bytes_per_second": rate(self.bytes),
        });
        *self = Self::begin();
        Some(stats.to_string())
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}
