use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use redwire_suites::{Gateway, Store};
use redwire_test::{Client, RedisServer, eventually};
use serde_json::{Value, json};

use crate::publisher::Publisher;

pub(crate) const CHANNEL: &str = "trains";
/// The documented texts of `redwire_protocol::BackendError`.
pub(crate) const NOT_CONNECTED: &str = "the data store is not connected, try again later";
pub(crate) const NO_ANSWER: &str = "the data store did not answer in time, try again later";

/// After Redis accepts connections again, messages flow within this time.
const HEALED_WITHIN: Duration = Duration::from_secs(1);
/// Two clocks are compared, with a scheduler in between.
const CLOCKS: u64 = 50;

/// A Redis of the scenario's own, a gateway on it, and its idle visitors.
pub(crate) struct Scene {
    pub(crate) redis: RedisServer,
    pub(crate) gateway: Gateway,
    pub(crate) subscribers: Vec<Client>,
    /// Has no subscription, so it is never told of a gap.
    pub(crate) bystander: Client,
}

impl Scene {
    pub(crate) async fn with_subscribers(count: usize) -> Self {
        let store = Store::redis().await;
        let gateway = Gateway::on(&store).await;
        let Store::Redis(redis) = store else { unreachable!("a Redis was asked for") };
        let bystander = gateway.client().await;
        let mut scene = Self { redis, gateway, subscribers: Vec::new(), bystander };
        for _ in 0..count {
            scene.join().await;
        }
        scene
    }

    /// One more subscriber.
    pub(crate) async fn join(&mut self) {
        let mut client = self.gateway.client().await;
        client.subscribe(CHANNEL).await;
        self.subscribers.push(client);
    }

    /// A message reaches every subscriber and nobody else. Returns the time just before it.
    pub(crate) async fn expect_flow(&mut self) -> u64 {
        let before = now();
        assert_eq!(self.redis.publish(CHANNEL, "0").await, 1, "one link is subscribed");
        for client in &mut self.subscribers {
            client.expect(CHANNEL, json!(0)).await;
        }
        self.bystander.expect_silence().await;
        before
    }

    /// Everybody is connected, is answered, and has been told nothing.
    pub(crate) async fn expect_everybody_is_answered(&mut self) {
        for client in &mut self.subscribers {
            client.expect_silence().await;
        }
        self.bystander.expect_silence().await;
        self.expect_everybody_stayed();
    }

    /// A command that needs Redis fails with this text.
    pub(crate) async fn expect_failing_get(&mut self, text: &str) {
        self.bystander.send("GET trains 42").await;
        let content = self.bystander.expect_error(text).await;
        assert_eq!(content.get("message"), Some(&json!(text)));
    }

    pub(crate) async fn until_noticed(&self) {
        eventually("the gateway to notice", async || !self.gateway.api.is_ready()).await;
    }

    /// Every subscriber gets one gap that began in this span, then messages in order, none twice, the
    /// first within a second after Redis `accepted`; and the bystander gets nothing. Returns when the
    /// last subscriber had its first message.
    pub(crate) async fn expect_healing(
        &mut self,
        publisher: Publisher,
        accepted: Instant,
        since: std::ops::RangeInclusive<u64>,
    ) -> Duration {
        let mut firsts = Vec::new();
        for client in &mut self.subscribers {
            expect_gap(client, &since).await;
            firsts.push(number(&client.next().await));
        }
        let healed = accepted.elapsed();
        assert!(healed <= HEALED_WITHIN, "messages flow {healed:?} after redis accepts");

        publisher.stop().await;
        self.redis.publish(CHANNEL, r#""end""#).await;
        for (client, mut last) in self.subscribers.iter_mut().zip(firsts) {
            while let Some(next) = number(&client.next().await) {
                assert!(last < Some(next), "{next} comes after {last:?}");
                last = Some(next);
            }
            client.expect_silence().await;
        }
        self.bystander.expect_silence().await;
        self.expect_everybody_stayed();
        healed
    }

    fn expect_everybody_stayed(&self) {
        let everybody = self.subscribers.len() as u64 + 1;
        assert_eq!(self.gateway.metric("redwire_connections_opened_total"), everybody);
        assert_eq!(self.gateway.metric("redwire_connections"), everybody);
    }
}

/// The next frame is a gap that began in this span, and says nothing else.
pub(crate) async fn expect_gap(client: &mut Client, since: &std::ops::RangeInclusive<u64>) {
    let content = client.expect_gap().await;
    let began = content.get("since").and_then(Value::as_u64).expect("milliseconds");
    assert_eq!(content, json!({"status": "gap", "since": began}));
    let (from, to) = (since.start() - CLOCKS, since.end() + CLOCKS);
    assert!((from..=to).contains(&began), "the gap began at {began}, not in {since:?}");
}

/// A published number; `None` is the word `end`.
pub(crate) fn number(envelope: &Value) -> Option<u64> {
    assert_eq!(envelope.get("source"), Some(&json!(CHANNEL)), "{envelope}");
    let content = envelope.get("content").expect("a content");
    assert!(content.is_u64() || content == "end", "{envelope}");
    content.as_u64()
}

/// Milliseconds since the epoch.
pub(crate) fn now() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    u64::try_from(elapsed.as_millis()).expect("a clock before the year 500 million")
}
