use redwire::prelude::*;
use redwire_geo::Geo;
use redwire_suites::{Gateway, Parity, Store};
use redwire_test::Client;
use serde_json::{Value, json};

/// A client of a gateway with the geo commands, and the store that it reads.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) client: Client,
    pub(crate) gateway: Gateway,
}

impl World {
    /// A world for each backend.
    pub(crate) async fn both(geo: Geo, compat: bool) -> [Self; 2] {
        let [memory, redis] = Store::both().await;
        [Self::on(memory, geo.clone(), compat).await, Self::on(redis, geo, compat).await]
    }

    async fn on(store: Store, geo: Geo, compat: bool) -> Self {
        for (key, feature) in fixtures() {
            store.hset(key, "a", feature.to_string()).await;
        }
        let original = Protocol::<Parity>::new().with(Keys).with(Subscriptions).with(Ping);
        let configure = |api: WebsocketApi<Parity>| if compat { api.compat() } else { api };
        let gateway =
            Gateway::serving(original.with(geo), &store, Limits::default(), configure).await;
        Self { client: gateway.client().await, store, gateway }
    }

    /// Sends lines that are not answered.
    pub(crate) async fn tell(&mut self, lines: &[&str]) {
        for line in lines {
            self.client.send(*line).await;
        }
        self.client.expect_silence().await;
    }

    /// A fresh client; state does not outlive a connection.
    pub(crate) async fn reconnect(&mut self) {
        self.client = self.gateway.client().await;
    }

    /// Stores a feature and reads it back; `null` if it is not shown.
    pub(crate) async fn read(&mut self, feature: &Value) -> Value {
        self.store.hset("probe", "a", feature.to_string()).await;
        self.get("GET probe").await
    }

    pub(crate) async fn get(&mut self, line: &str) -> Value {
        self.client.send(line).await;
        let frame = self.client.next().await;
        assert_ne!(frame["source"], "websocket", "{line}: {frame}");
        frame["content"].clone()
    }

    /// Reads back `feature` and compares the coordinates within `tolerance`.
    pub(crate) async fn reads(&mut self, feature: &Value, coordinates: &Value, tolerance: f64) {
        let read = self.read(feature).await;
        let actual = &read["geometry"]["coordinates"];
        assert!(near(actual, coordinates, tolerance), "{actual} is not {coordinates}");
    }
}

fn near(actual: &Value, expected: &Value, tolerance: f64) -> bool {
    match (actual, expected) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b, tolerance))
        }
        (a, b) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= tolerance,
            _ => a == b,
        },
    }
}

pub(crate) fn feature(kind: &str, coordinates: impl Into<Value>) -> Value {
    let geometry = json!({"type": kind, "coordinates": coordinates.into()});
    json!({"type": "Feature", "properties": {}, "geometry": geometry})
}

pub(crate) fn point(x: f64, y: f64) -> Value {
    feature("Point", vec![x, y])
}

pub(crate) fn collection(members: &[Value]) -> Value {
    json!({"type": "FeatureCollection", "features": members})
}

/// What the scenarios find in the store.
fn fixtures() -> [(&'static str, Value); 4] {
    [
        ("pin", point(7.5, 47.5)),
        ("pout", point(1.0, 1.0)),
        ("sw", point(47.5, 7.5)),
        ("secret1", point(7.5, 47.5)),
    ]
}
