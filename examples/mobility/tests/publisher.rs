//! What the example publishes, on a real Redis.

#![allow(clippy::indexing_slicing, reason = "indexing a JSON value does not panic")]

use std::process::{Child, Command};

use redwire_test::{RedisServer, Reply, eventually};
use serde_json::Value;

struct Publisher(Child);

impl Publisher {
    fn start(redis: &RedisServer) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_example-mobility"));
        Self(command.env("REDIS_DSN", redis.url()).spawn().expect("the publisher"))
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn stored(redis: &RedisServer, id: &str) -> Option<Value> {
    match redis.command(&["HGET", "trajectory", id]).await {
        Reply::Bulk(Some(bytes)) => Some(serde_json::from_slice(&bytes).expect("JSON")),
        _ => None,
    }
}

#[tokio::test]
async fn vehicles_say_where_they_will_be_and_those_of_an_earlier_run_are_gone() {
    let redis = RedisServer::start().await;
    redis.hset("trajectory", "left", "{}").await;
    let _publisher = Publisher::start(&redis);
    let mut first = None;
    eventually("a train", async || {
        first = stored(&redis, "rail_IC1_1").await;
        first.is_some()
    })
    .await;
    assert_eq!(stored(&redis, "left").await, None);

    let first = first.expect("a train");
    let points = first["geometry"]["coordinates"].as_array().expect("points");
    let properties = &first["properties"];
    let [left, bottom, right, top] = [0, 1, 2, 3].map(|side| properties["bounds"][side].as_f64());
    for point in points {
        let [x, y] = [0, 1].map(|axis| point[axis].as_f64());
        assert!(left <= x && x <= right && bottom <= y && y <= top, "{first}");
        assert!(x > Some(600_000.0) && x < Some(1_100_000.0), "metres of EPSG:3857: {first}");
    }
    let times = properties["time_intervals"].as_array().expect("intervals");
    assert_eq!(times.len(), points.len());
    let ascends = |one: &Value, next: &Value| one.as_f64() < next.as_f64();
    assert!(
        times.is_sorted_by(|one, next| ascends(&one[0], &next[0]) && ascends(&one[1], &next[1]))
    );
    assert_eq!(times.last().expect("an end")[1], 1.0);

    eventually("it to speak again", async || {
        stored(&redis, "rail_IC1_1").await.is_some_and(|next| next != first)
    })
    .await;
}
