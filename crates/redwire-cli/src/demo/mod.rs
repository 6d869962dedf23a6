//! Invented trains: something to look at without a Redis.

mod timetable;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redwire::prelude::MemoryBackend;
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use timetable::{DEPARTURES, TRAINS};

/// The page that shows them.
pub(crate) const PAGE: &str = include_str!("page.html");

/// Where the vehicles are published, a layer of a live map.
pub(crate) const CHANNEL: &str = "trains";

/// One train moves at a time; each of them twice in this time times their number.
const STEP: Duration = Duration::from_millis(250);

/// Publishes for ever: a train every step, the clock every second, a departure every two.
pub(crate) async fn run(memory: MemoryBackend) {
    let mut steps = interval(STEP);
    steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for train in TRAINS {
        memory.hset("trains", train.id(), train.at(0).to_string());
    }
    for step in 0_u64.. {
        steps.tick().await;
        publish_train(&memory, step);
        if step.is_multiple_of(4) {
            publish(&memory, "clock", "now", &json!({ "time": time_of_day() }));
        }
        if step.is_multiple_of(8) {
            publish_departure(&memory, step / 8);
        }
    }
}

fn publish_train(memory: &MemoryBackend, step: u64) {
    let count = TRAINS.len() as u64;
    if let Some(train) = TRAINS.get((step % count) as usize) {
        publish(memory, "trains", &train.id(), &train.at(step / count));
    }
}

fn publish_departure(memory: &MemoryBackend, number: u64) {
    if let Some(departure) = DEPARTURES.get((number % DEPARTURES.len() as u64) as usize) {
        let content = json!({
            "train": departure.train,
            "station": departure.station,
            "platform": departure.platform,
            "time": time_of_day().get(..5),
        });
        publish(memory, "departures", &departure.train.replace(' ', ""), &content);
    }
}

/// What publishers for this protocol do: keep the last value in a hash, and publish it on a channel
/// of the same name.
fn publish(memory: &MemoryBackend, channel: &str, field: &str, content: &serde_json::Value) {
    memory.hset(channel, field, content.to_string());
    memory.publish(channel, content.to_string());
}

/// UTC, as `14:32:07`.
fn time_of_day() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (hours, minutes, seconds) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}")
}
