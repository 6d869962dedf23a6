use redwire_test::{Client, RedisServer, eventually};
use serde_json::json;

use crate::serve;

#[tokio::test]
async fn s001_websocket_is_answered_on_every_path_and_plain_http_is_told_to_upgrade() {
    let redis = RedisServer::start().await;
    let program = serve(&[], &redis).await;
    for path in ["/", "/ws", "/any/path"] {
        Client::open(&program.websocket(path)).await.expect_silence().await;
        assert_eq!(program.http(path).await, (426, "connect with WebSocket\n".to_owned()));
    }
}

#[tokio::test]
async fn it_is_healthy_always_and_ready_while_redis_is_there() {
    let mut redis = RedisServer::reserved().await;
    let program = serve(&[], &redis).await;
    assert_eq!(program.http("/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(program.http("/readyz").await, (503, "not ready\n".to_owned()));
    redis.restart().await;
    eventually("the program to be ready", async || program.http("/readyz").await.0 == 200).await;
    redis.kill().await;
    eventually("the program to notice", async || program.http("/readyz").await.0 == 503).await;
    assert_eq!(program.http("/healthz").await.0, 200);
}

#[tokio::test]
async fn metrics_are_openmetrics_and_move() {
    let redis = RedisServer::start().await;
    let program = serve(&[], &redis).await;
    let mut client = Client::open(&program.websocket("/")).await;
    client.subscribe("trains").await;
    let before = Metrics::parse(&program.http("/metrics").await.1);
    redis.publish("trains", "1").await;
    client.expect("trains", json!(1)).await;
    client.send("GET").await;
    client.expect_error("missing").await;
    client.send("PING").await;
    client.expect("websocket", json!("PONG")).await;
    let after = Metrics::parse(&program.http("/metrics").await.1);

    let moved = |name| after.value(name) - before.value(name);
    assert_eq!(moved("redwire_commands_total"), 2.0);
    assert_eq!(moved("redwire_commands_refused_total"), 1.0);
    assert_eq!(moved("redwire_messages_total"), 1.0);
    assert_eq!(moved("redwire_deliveries_total"), 1.0);
    assert_eq!(moved("redwire_connections_opened_total"), 0.0);
    assert_eq!(after.value("redwire_connections"), 1.0);
    assert_eq!(after.value("redwire_backend_live"), 1.0);
}

struct Metrics(Vec<(String, f64)>);

impl Metrics {
    /// Reads the OpenMetrics text format strictly: a sample belongs to the family described above it.
    fn parse(text: &str) -> Self {
        let lines = text.strip_suffix("# EOF\n").expect("`# EOF` at the end").lines();
        let (mut samples, mut family) = (Vec::new(), String::new());
        for line in lines {
            if let Some(described) = line.strip_prefix("# ") {
                let mut words = described.splitn(3, ' ');
                let keyword = words.next().unwrap_or_default();
                assert!(["HELP", "TYPE", "UNIT"].contains(&keyword), "{line}");
                family = words.next().expect("a name").to_owned();
                assert!(words.next().is_some(), "{line}");
                continue;
            }
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            let bare = name.split('{').next().unwrap_or_default();
            assert!(bare == family || bare == format!("{family}_total"), "{line} under {family}");
            samples.push((name.to_owned(), value.parse().expect("a number")));
        }
        Self(samples)
    }

    fn value(&self, name: &str) -> f64 {
        let found: Vec<_> = self.0.iter().filter(|(known, _)| known == name).collect();
        assert_eq!(found.len(), 1, "{name} in {:?}", self.0);
        found.first().expect("one").1
    }
}
