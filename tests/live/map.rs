use redwire::prelude::*;
use redwire_suites::{Gateway, Parity, Store};
use redwire_test::Client;
use serde_json::{Value, json};

/// A gateway with one live layer, `trains`, whose deletions are on `gone`.
pub(crate) struct Map {
    pub(crate) store: Store,
    pub(crate) gateway: Gateway,
}

impl Map {
    /// One on each backend.
    pub(crate) async fn both() -> [Self; 2] {
        let [memory, redis] = Store::both().await;
        [Self::on(memory).await, Self::on(redis).await]
    }

    pub(crate) async fn on(store: Store) -> Self {
        Self::with(store, trains(), Limits::default()).await
    }

    pub(crate) async fn with(store: Store, live: Live, limits: Limits) -> Self {
        let protocol = Protocol::<Parity>::new().with(Keys).with(live).with(Ping);
        let gateway = Gateway::serving(protocol, &store, limits, |api| api).await;
        Self { store, gateway }
    }

    pub(crate) async fn viewer(&self) -> Client {
        self.gateway.client().await
    }

    /// A viewer who looks at this box, and has seen what is there.
    pub(crate) async fn viewer_of(&self, bbox: &str, seen: &[Value]) -> Client {
        let mut viewer = self.viewer().await;
        viewer.send(format!("BBOX {bbox}")).await;
        viewer.send("SUB trains").await;
        expect_all(&mut viewer, seen).await;
        viewer.expect_silence().await;
        viewer
    }

    /// What publishers do: the last value in the hash, then on the channel.
    pub(crate) async fn publish(&self, feature: &Value) {
        let id = feature["id"].as_str().expect("an id");
        self.store.hset("trains", id, feature.to_string()).await;
        self.store.publish("trains", feature.to_string()).await;
    }

    /// Nothing that was published up to here reaches this viewer. A reply would not tell: it may overtake
    /// what came to the server over another connection.
    pub(crate) async fn expect_nothing_for(&self, viewer: &mut Client) {
        viewer.subscribe("other").await;
        self.store.publish("other", "0").await;
        viewer.expect("other", json!(0)).await;
    }
}

/// The layer that the tests look at.
pub(crate) fn trains() -> Live {
    Live::over(Geo::default())
        .layer(Layer::new("trains").deletions("gone"))
        .attribute("mots", "/properties/type")
}

/// A train at a place, in degrees.
pub(crate) fn train(id: &str, x: f64, y: f64) -> Value {
    train_of(id, x, y, "rail")
}

pub(crate) fn train_of(id: &str, x: f64, y: f64, mot: &str) -> Value {
    json!({"type": "Feature", "id": id, "properties": {"type": mot},
        "geometry": {"type": "Point", "coordinates": [x, y]}})
}

/// These features, in any order.
pub(crate) async fn expect_all(viewer: &mut Client, features: &[Value]) {
    let mut expected: Vec<_> = features.iter().map(ToString::to_string).collect();
    let mut got = Vec::new();
    for _ in features {
        let frame = viewer.next().await;
        assert_eq!(frame["source"], "trains", "{frame}");
        got.push(frame["content"].to_string());
    }
    expected.sort_unstable();
    got.sort_unstable();
    assert_eq!(got, expected);
}
