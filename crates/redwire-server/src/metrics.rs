use std::sync::atomic::AtomicU64;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;
use redwire_protocol::{Cost, Figure, Filters};

use crate::Close;

/// What a server counts, in the OpenMetrics text format under the prefix `redwire_`.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) connections: Gauge,
    pub(crate) opened: Counter,
    pub(crate) turned_away: Counter,
    closed: Family<Code, Counter>,
    pub(crate) commands: Counter,
    pub(crate) refused: Counter,
    pub(crate) published: Counter,
    pub(crate) malformed: Counter,
    pub(crate) delivered: Counter,
    pub(crate) filtered: Counter,
    pub(crate) gaps: Counter,
    parsed: Counter,
    rewritten: Counter,
    encoded: Counter,
    pub(crate) deflated: Counter,
    pub(crate) backend_live: Gauge<i64>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Code {
    code: u32,
}

#[derive(Debug)]
struct Sets(Filters);

impl Collector for Sets {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        for Figure { name, help, is_counter, value } in self.0.figures() {
            let metric: &dyn EncodeMetric =
                if is_counter { &ConstCounter::new(value) } else { &ConstGauge::new(value) };
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
        }
        Ok(())
    }
}

impl Metrics {
    /// The server's own figures, and those of the protocol's sets.
    pub(crate) fn new(sets: Filters) -> Self {
        let mut registry = Registry::with_prefix("redwire");
        let mut counter = |name, help| {
            let counter = Counter::<u64, AtomicU64>::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let opened = counter("connections_opened", "Connections that were upgraded");
        let turned_away = counter("connections_turned_away", "Handshakes refused with 403 or 503");
        let commands = counter("commands", "Lines received");
        let refused = counter("commands_refused", "Lines answered with an error");
        let published = counter("messages", "Messages received from the backend");
        let malformed = counter("messages_malformed", "Messages dropped because they are not JSON");
        let delivered = counter("deliveries", "Messages handed to a connection's outbox");
        let filtered =
            counter("deliveries_filtered", "Messages that a connection's filters dropped");
        let gaps = counter("gaps", "Times the backend reported that messages may be lost");
        let parsed = counter("messages_parsed", "JSON texts parsed for filters");
        let rewritten = counter("messages_rewritten", "Versions of messages made by filters");
        let encoded = counter("messages_encoded", "Frames encoded for messages");
        let deflated =
            counter("frames_deflated", "Texts compressed, those of messages once for all");
        let (connections, backend_live) = (Gauge::default(), Gauge::default());
        registry.register("connections", "Open connections", connections.clone());
        registry.register("backend_live", "1 while the backend is connected", backend_live.clone());
        let closed = Family::default();
        registry.register("connections_closed", "Connections closed by the server", closed.clone());
        registry.register_collector(Box::new(Sets(sets)));
        Self {
            registry,
            connections,
            opened,
            turned_away,
            closed,
            commands,
            refused,
            published,
            malformed,
            delivered,
            filtered,
            gaps,
            parsed,
            rewritten,
            encoded,
            deflated,
            backend_live,
        }
    }

    pub(crate) fn closed(&self, close: Close) {
        self.closed.get_or_create(&Code { code: close.code().into() }).inc();
    }

    pub(crate) fn spent(&self, cost: Cost) {
        self.parsed.inc_by(cost.parsed as u64);
        self.rewritten.inc_by(cost.rewritten as u64);
        self.encoded.inc_by(cost.encoded as u64);
    }

    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
