//! Trains, trams and buses that do not exist, published to Redis in the shape in which geOps publishes
//! real ones: what the npm package `mobility-toolbox-js` draws.
//!
//! Each vehicle says every five seconds where it will be in the next ten: a field of the hash
//! `trajectory`, and a message on the channel of the same name. At the end of its line it is deleted,
//! and another one sets out.

mod lines;
mod vehicle;
mod way;

use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::{Commands, Connection, RedisResult};

use crate::lines::LINES;
use crate::vehicle::Vehicle;

const FEATURES: &str = "trajectory";
const DELETED: &str = "deleted_vehicles";

/// Vehicles speak in turn, a batch at a time, so that there is always something that moves.
const BATCHES: usize = 20;
const PAUSE: Duration = Duration::from_millis(250);

fn main() -> RedisResult<()> {
    let url = std::env::var("REDIS_DSN").unwrap_or_else(|_| "redis://127.0.0.1".to_owned());
    let mut redis = redis::Client::open(url)?.get_connection()?;
    // What an earlier run left behind.
    let left: Vec<String> = redis.hkeys(FEATURES)?;
    left.iter().try_for_each(|id| delete(&mut redis, id))?;

    let mut vehicles: Vec<_> = LINES.iter().flat_map(Vehicle::spread).collect();
    vehicles.iter().try_for_each(|vehicle| publish(&mut redis, vehicle))?;
    for batch in (0..BATCHES).cycle() {
        sleep(PAUSE);
        for vehicle in vehicles.iter_mut().skip(batch).step_by(BATCHES) {
            if vehicle.has_arrived(now()) {
                delete(&mut redis, &vehicle.id())?;
                vehicle.sets_out_again(now());
            }
            publish(&mut redis, vehicle)?;
        }
    }
    Ok(())
}

fn publish(redis: &mut Connection, vehicle: &Vehicle) -> RedisResult<()> {
    let feature = vehicle.feature(now()).to_string();
    let mut commands = redis::pipe();
    commands.hset(FEATURES, vehicle.id(), &feature).publish(FEATURES, &feature);
    commands.exec(redis)
}

/// The content of a message on the channel of deletions is the id, a JSON string.
fn delete(redis: &mut Connection, id: &str) -> RedisResult<()> {
    let content = serde_json::Value::from(id).to_string();
    redis::pipe().hdel(FEATURES, id).publish(DELETED, content).exec(redis)
}

/// Milliseconds since 1970.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs_f64() * 1000.0
}
