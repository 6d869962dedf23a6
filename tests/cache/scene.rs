use redwire::client::LinkConfig;
use redwire::prelude::*;
use redwire_suites::Gateway;
use redwire_test::{Client, Generation, RedisServer, eventually};
use serde_json::{Value, json};

pub(crate) const CHANNEL: &str = "trains";

/// A Redis of the scenario's own, and a gateway that keeps what is read there.
pub(crate) struct Scene {
    pub(crate) redis: RedisServer,
    pub(crate) backend: RedisBackend,
    pub(crate) gateway: Gateway,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        Self::start_on(Generation::Redis).await
    }

    pub(crate) async fn start_on(generation: Generation) -> Self {
        Self::start_with(RedisServer::start_on(generation).await, LinkConfig::default()).await
    }

    pub(crate) async fn start_with(redis: RedisServer, config: LinkConfig) -> Self {
        let backend = RedisBackend::connect_with(&redis.url(), config).await.expect("a URL");
        let backend = backend.cached(8 << 20);
        let scene = Self::on(redis, backend).await;
        scene.until_kept().await;
        scene
    }

    /// Viewers may ask as often as they like.
    pub(crate) async fn on(redis: RedisServer, backend: RedisBackend) -> Self {
        let limits = Limits { commands_per_second: 1_000_000, ..Limits::default() };
        let gateway = Gateway::over(backend.clone(), limits).await;
        Self { redis, backend, gateway }
    }

    /// Waits until what was read is not read again.
    pub(crate) async fn until_kept(&self) {
        eventually("reads to be kept", async || {
            let probe = async || self.backend.hget("probe", "field").await;
            if probe().await.is_err() {
                return false;
            }
            let before = self.reads().await;
            probe().await.is_ok() && self.reads().await == before
        })
        .await;
    }

    /// How often Redis was asked for a field, or for all values.
    pub(crate) async fn reads(&self) -> u64 {
        let statistics = self.redis.command(&["INFO", "commandstats"]).await;
        let statistics =
            String::from_utf8_lossy(statistics.as_bytes().expect("a text")).into_owned();
        let calls = statistics.lines().filter_map(|line| {
            let (command, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let calls = rest.split(',').next()?.parse::<u64>().ok()?;
            ["hget", "hvals"].contains(&command).then_some(calls)
        });
        calls.sum()
    }

    pub(crate) async fn subscriber(&self) -> Client {
        let mut client = self.gateway.client().await;
        client.subscribe(CHANNEL).await;
        client
    }

    /// What happened at Redis before is known: of this, at the latest, the client hears after it.
    pub(crate) async fn barrier(&self, subscriber: &mut Client) {
        self.redis.publish(CHANNEL, r#""barrier""#).await;
        subscriber.expect(CHANNEL, json!("barrier")).await;
    }
}

/// `GET key`, with or without a field, has one reply, which is this.
pub(crate) async fn expect(client: &mut Client, asked: &str, content: Value) {
    client.send(format!("GET {asked}")).await;
    client.expect(asked, content).await;
}
