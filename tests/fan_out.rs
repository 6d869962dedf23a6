//! Fan-out: one publication, many viewers, each with filters in a state of its own. What is shared is
//! done once, and nobody notices anybody else.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use redwire::prelude::*;
use redwire_suites::{Gateway, Parity, Store};
use redwire_test::{Client, Reply as RedisReply, eventually};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

const VIEWERS: usize = 1_000;

/// Fails early, and says why, where the process may not open two sockets for each viewer.
fn check_file_limit() {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    let files = soft.unwrap_or(usize::MAX);
    assert!(files >= 3 * VIEWERS, "{files} files are too few for this test: ulimit -n 4096");
}

/// Runs `visit` for each viewer, all at the same time, and returns what they made, in order.
async fn all<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    visit: impl Fn(usize) -> F,
) -> Vec<T> {
    let mut visits = JoinSet::new();
    for viewer in 0..VIEWERS {
        let visit = visit(viewer);
        visits.spawn(async move { (viewer, visit.await) });
    }
    let mut made = visits.join_all().await;
    made.sort_unstable_by_key(|(viewer, _)| *viewer);
    made.into_iter().map(|(_, made)| made).collect()
}

/// `ONLY line`: hides trains of other lines.
#[derive(Clone, Default)]
struct Only {
    line: Option<String>,
    judged: Arc<AtomicUsize>,
}

impl<H: HandlerBase> CommandSet<H> for Only {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("ONLY line", Self::only);
    }
    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
        self.judged.fetch_add(1, Ordering::Relaxed);
        match &self.line {
            Some(line) if message.json().get("line") != Some(&json!(line)) => Verdict::Drop,
            _ => Verdict::Pass,
        }
    }
}

impl Only {
    async fn only<H>(&mut self, _: &mut Context<H>, (line,): (String,)) -> Result<()> {
        self.line = Some(line);
        Ok(())
    }
}

/// `SPEAK language`: notes the language in every message.
#[derive(Clone, Default)]
struct Speak {
    language: Option<Language>,
    rewritten: Arc<AtomicUsize>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Language(String);

impl<H: HandlerBase> CommandSet<H> for Speak {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("SPEAK language", Self::speak);
    }
    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
        if let Some(language) = &self.language {
            message.rewrite(language.clone(), |content| {
                self.rewritten.fetch_add(1, Ordering::Relaxed);
                let mut json = content.json().clone();
                json.as_object_mut()?.insert("language".into(), json!(language.0));
                Some(Content::from(json))
            });
        }
        Verdict::Pass
    }
}

impl Speak {
    async fn speak<H>(&mut self, _: &mut Context<H>, (language,): (String,)) -> Result<()> {
        self.language = Some(Language(language));
        Ok(())
    }
}

const LINES: [&str; 2] = ["S1", "S2"];
const LANGUAGES: [Option<&str>; 4] = [Some("de"), Some("fr"), Some("it"), None];

/// Every mixture of line and language is as frequent as the others.
fn tastes(viewer: usize) -> (&'static str, Option<&'static str>) {
    (LINES[viewer % LINES.len()], LANGUAGES[viewer / LINES.len() % LANGUAGES.len()])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_parsed_once_rewritten_once_per_key_and_encoded_once_per_version() {
    check_file_limit();
    for store in Store::both().await {
        let (only, speak) = (Only::default(), Speak::default());
        let (judged, rewritten) = (Arc::clone(&only.judged), Arc::clone(&speak.rewritten));
        let protocol = Protocol::new().with(Subscriptions).with(Ping).with(only).with(speak);
        let gateway = Gateway::serving(protocol, &store, Limits::default(), |api| api).await;
        let url = gateway.url();
        let viewers = all(|viewer| {
            let (url, (line, language)) = (url.clone(), tastes(viewer));
            async move {
                let mut client = Client::open(&url).await;
                client.send(format!("ONLY {line}")).await;
                if let Some(language) = language {
                    client.send(format!("SPEAK {language}")).await;
                }
                client.subscribe("trains").await;
                client
            }
        });
        let mut viewers = viewers.await;

        store.publish("trains", r#"{"line":"S1","speed":1.10}"#).await;
        for (viewer, client) in viewers.iter_mut().enumerate() {
            match tastes(viewer) {
                ("S1", Some(language)) => {
                    let train = json!({"line": "S1", "speed": 1.1, "language": language});
                    client.expect("trains", train).await;
                }
                ("S1", None) => {
                    let frame = client.next_text().await;
                    assert!(frame.contains(r#""content":{"line":"S1","speed":1.10},"#), "{frame}");
                }
                _ => {} // Their silence is looked at last, when all others have got it.
            }
        }
        for client in &mut viewers {
            client.expect_silence().await;
        }

        assert_eq!(judged.load(Ordering::Relaxed), VIEWERS);
        assert_eq!(rewritten.load(Ordering::Relaxed), 3);
        eventually("the message's cost to be counted", async || {
            gateway.metric("redwire_messages_parsed_total") > 0
        })
        .await;
        let half = VIEWERS as u64 / 2;
        for (metric, count) in [
            ("redwire_messages_total", 1),
            ("redwire_messages_parsed_total", 1),
            ("redwire_messages_rewritten_total", 3),
            ("redwire_messages_encoded_total", 4),
            // Whoever gets nothing is not even woken: there is nothing in its outbox.
            ("redwire_deliveries_total", half),
            ("redwire_deliveries_filtered_total", half),
        ] {
            assert_eq!(gateway.metric(metric), count, "{metric}");
        }
    }
}

/// `TRAP`: panics at the next message.
#[derive(Clone, Default)]
struct Trap {
    set: bool,
}

impl<H: HandlerBase> CommandSet<H> for Trap {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("TRAP", Self::trap);
    }
    fn filter(&self, _: &mut Outgoing<'_>) -> Verdict {
        assert!(!self.set, "a mistake in a user's filter");
        Verdict::Pass
    }
}

impl Trap {
    async fn trap<H>(&mut self, _: &mut Context<H>, _: ()) -> Result<()> {
        self.set = true;
        Ok(())
    }
}

#[tokio::test]
async fn a_panic_in_one_connections_filter_closes_it_and_nobody_else_notices() {
    for store in Store::both().await {
        let protocol = Protocol::new().with(Subscriptions).with(Ping).with(Trap::default());
        let gateway = Gateway::serving(protocol, &store, Limits::default(), |api| api).await;
        // More than there are shards, so that some share one with the trapped.
        let mut clients = Vec::new();
        for _ in 0..64 {
            let mut client = gateway.client().await;
            client.subscribe("trains").await;
            clients.push(client);
        }
        let mut trapped = gateway.client().await;
        trapped.subscribe("trains").await;
        trapped.send("TRAP").await;
        trapped.expect_silence().await;

        store.publish("trains", "1").await;
        store.publish("trains", "2").await;
        assert_eq!(trapped.expect_close(1011).await, "command failed");
        for client in &mut clients {
            client.expect("trains", json!(1)).await;
            client.expect("trains", json!(2)).await;
            client.expect_silence().await;
        }
        assert_eq!(gateway.metric(r#"redwire_connections_closed_total{code="1011"}"#), 1);
        eventually("the trapped to be gone", async || gateway.metric("redwire_connections") == 64)
            .await;
    }
}

/// `WAIT name`: answers when the test says so.
#[derive(Clone, Default)]
struct Wait {
    go: Arc<Notify>,
    started: Arc<AtomicUsize>,
}

impl<H: HandlerBase> CommandSet<H> for Wait {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("WAIT name", Self::wait);
    }
}

impl Wait {
    async fn wait<H>(&mut self, _: &mut Context<H>, (name,): (String,)) -> Result<Reply> {
        self.started.fetch_add(1, Ordering::SeqCst);
        self.go.notified().await;
        Ok(Reply::status(name))
    }
}

#[tokio::test]
async fn commands_run_one_at_a_time_while_messages_flow() {
    for store in Store::both().await {
        let wait = Wait::default();
        let (go, started) = (Arc::clone(&wait.go), Arc::clone(&wait.started));
        let protocol = Protocol::new().with(Subscriptions).with(Ping).with(wait);
        let gateway = Gateway::serving(protocol, &store, Limits::default(), |api| api).await;
        let mut client = gateway.client().await;
        client.subscribe("trains").await;
        for line in ["WAIT first", "PING", "WAIT second"] {
            client.send(line).await;
        }
        for (nth, answer) in [(1, "first"), (2, "second")] {
            eventually("the command to start", async || started.load(Ordering::SeqCst) == nth)
                .await;
            for message in 0..100 {
                store.publish("trains", message.to_string()).await;
            }
            for message in 0..100 {
                client.expect("trains", json!(message)).await;
            }
            assert_eq!(started.load(Ordering::SeqCst), nth);
            go.notify_one();
            client.expect("websocket", json!(answer)).await;
            if nth == 1 {
                client.expect("websocket", json!("PONG")).await;
            }
        }
        client.expect_silence().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_that_a_command_leaves_judges_exactly_the_messages_after_it() {
    for store in Store::both().await {
        let protocol = Protocol::new().with(Subscriptions).with(Ping).with(Only::default());
        let gateway = Gateway::serving(protocol, &store, Limits::default(), |api| api).await;
        let mut client = gateway.client().await;
        client.subscribe("trains").await;
        for line in 1..100 {
            client.send(format!("ONLY {line}")).await;
            client.expect_silence().await;
            // The one that passes comes last: then all have been judged when it is here.
            for line in [line - 1, line + 1, line] {
                store.publish("trains", json!({"line": line.to_string()}).to_string()).await;
            }
            client.expect("trains", json!({"line": line.to_string()})).await;
        }
        client.expect_silence().await;
    }
}

/// Serves the original's commands on `backend`; the port is the server's own.
async fn serve_on(backend: impl Backend) -> SocketAddr {
    let api = WebsocketApi::new(Protocol::new().with(Subscriptions).with(Ping), backend);
    let app = Router::new().route("/ws", api.route(Parity));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

#[tokio::test]
async fn two_apis_on_one_backend_both_get_every_message() {
    for store in Store::both().await {
        let servers = match &store {
            Store::Memory(memory) => {
                [serve_on(memory.clone()).await, serve_on(memory.clone()).await]
            }
            Store::Redis(redis) => {
                let backend = RedisBackend::connect(&redis.url()).await.unwrap();
                [serve_on(backend.clone()).await, serve_on(backend).await]
            }
        };
        let mut clients = Vec::new();
        for address in servers {
            let mut client = Client::open(&format!("ws://{address}/ws")).await;
            client.subscribe("trains").await;
            clients.push(client);
        }
        store.publish("trains", "1").await;
        for client in &mut clients {
            client.expect("trains", json!(1)).await;
        }
        // What one gives up the other keeps.
        clients[0].send("DEL trains").await;
        clients[0].expect_silence().await;
        store.publish("trains", "2").await;
        clients[1].expect("trains", json!(2)).await;
        clients[0].expect_silence().await;
    }
}

/// Numbers below `below` that look random, the same in every run.
fn dice(seed: usize) -> impl FnMut(usize) -> usize + Send {
    let mut state = seed as u64;
    move |below| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    }
}

const CHANNELS: usize = 20;

/// Joins and leaves channels; then says goodbye, or just goes with commands on their way.
async fn wander(viewer: usize, url: String) {
    let mut roll = dice(viewer);
    let mut client = Client::open(&url).await;
    for _ in 0..20 {
        let command = if roll(3) == 0 { "DEL" } else { "SUB" };
        client.send(format!("{command} channel{}", roll(CHANNELS))).await;
    }
    if viewer % 2 == 0 {
        client.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_come_and_go_leave_no_subscription_behind() {
    check_file_limit();
    for store in Store::both().await {
        let gateway = Gateway::on(&store).await;
        let url = gateway.url();
        all(|viewer| wander(viewer, url.clone())).await;
        eventually("all connections to end", async || gateway.metric("redwire_connections") == 0)
            .await;
        assert_eq!(gateway.metric("redwire_connections_opened_total"), VIEWERS as u64);
        if let Store::Redis(redis) = &store {
            eventually("all subscriptions to end", async || {
                let channels = redis.command(&["PUBSUB", "CHANNELS"]).await;
                channels == RedisReply::Array(Some(Vec::new()))
            })
            .await;
        }
        // Of what is published now, only what has a subscriber is received.
        let mut client = gateway.client().await;
        client.subscribe("last").await;
        for channel in 0..CHANNELS {
            store.publish(&format!("channel{channel}"), "1").await;
        }
        store.publish("last", "2").await;
        client.expect("last", json!(2)).await;
        assert_eq!(gateway.metric("redwire_messages_total"), 1);
    }
}
