//! Viewers whose screens a message does not touch are not asked about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redwire::prelude::*;
use redwire::protocol::{Bounds, Message, Plane, Screen};
use redwire_suites::{Gateway, Store};
use redwire_test::Client;
use serde_json::json;

/// `BETWEEN low high`: numbers of that range only; `0` panics in the plane.
#[derive(Clone, Default)]
struct Between {
    range: Option<(f64, f64)>,
    asked: Arc<AtomicUsize>,
    line: Arc<Line>,
}

#[derive(Debug, Default)]
struct Line {
    located: AtomicUsize,
}

impl Plane for Line {
    fn extent(&self, message: &Message) -> Option<Bounds> {
        self.located.fetch_add(1, Ordering::Relaxed);
        let at = message.content().json().as_f64()?;
        assert!(at != 0.0, "a panic on purpose");
        Some(Bounds { left: at, right: at, ..Bounds::EVERYTHING })
    }
}

impl<H: HandlerBase> CommandSet<H> for Between {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("BETWEEN low high", Self::between).command("ANY", Self::any);
    }

    fn screen(&self) -> Option<Screen> {
        let (left, right) = self.range?;
        let plane: Arc<dyn Plane> = self.line.clone();
        Some(Screen { plane, bounds: Bounds { left, right, ..Bounds::EVERYTHING } })
    }

    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match (self.range, message.json().as_f64()) {
            (Some((low, high)), Some(at)) if at < low || at > high => Verdict::Drop,
            _ => Verdict::Pass,
        }
    }
}

impl Between {
    async fn between<H>(&mut self, _: &mut Context<H>, range: (f64, f64)) -> Result<()> {
        self.range = Some(range);
        Ok(())
    }

    async fn any<H>(&mut self, _: &mut Context<H>, _: ()) -> Result<()> {
        self.range = None;
        Ok(())
    }
}

struct Scene {
    store: Store,
    gateway: Gateway,
    asked: Arc<AtomicUsize>,
    line: Arc<Line>,
}

impl Scene {
    async fn on(store: Store) -> Self {
        let between = Between::default();
        let (asked, line) = (Arc::clone(&between.asked), Arc::clone(&between.line));
        let protocol = Protocol::new().with(Subscriptions).with(Ping).with(between);
        let gateway = Gateway::serving(protocol, &store, Limits::default(), |api| api).await;
        Self { store, gateway, asked, line }
    }

    async fn viewer(&self, line: &str) -> Client {
        let mut viewer = self.gateway.client().await;
        viewer.send(line).await;
        viewer.subscribe("numbers").await;
        viewer
    }

    async fn publish(&self, number: &str) {
        self.store.publish("numbers", number).await;
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }
}

#[tokio::test]
async fn only_those_are_asked_whom_a_message_may_concern() {
    for store in Store::both().await {
        let scene = Scene::on(store).await;
        let mut low = Vec::new();
        for _ in 0..100 {
            low.push(scene.viewer("BETWEEN 0 10").await);
        }
        let mut high = scene.viewer("BETWEEN 20 30").await;
        let mut all = scene.viewer("ANY").await;

        scene.publish("25").await;
        high.expect("numbers", json!(25)).await;
        all.expect("numbers", json!(25)).await;
        for viewer in &mut low {
            viewer.expect_silence().await;
        }
        assert_eq!(scene.asked(), 2);
        assert_eq!(scene.gateway.metric("redwire_deliveries_filtered_total"), 100);
        let shards = scene.line.located.load(Ordering::Relaxed);
        assert!(shards <= 8, "located {shards} times, and not once per viewer");
    }
}

#[tokio::test]
async fn of_a_burst_everybody_gets_what_touches_their_screen() {
    for store in Store::both().await {
        let scene = Scene::on(store).await;
        let ranges = [(0, 10), (5, 120), (119, 119), (300, 400)];
        let mut viewers = Vec::new();
        for (low, high) in ranges {
            viewers.push((low, high, scene.viewer(&format!("BETWEEN {low} {high}")).await));
        }
        viewers.push((i32::MIN, i32::MAX, scene.viewer("ANY").await));
        // Every tenth lies nowhere.
        let burst = (1..200).map(|at| match at % 10 {
            0 => json!(at.to_string()),
            _ => json!(at),
        });
        scene.store.burst(burst.clone().map(|at| ("numbers", at.to_string()))).await;
        for (low, high, viewer) in &mut viewers {
            let sees = |at: &i64| i64::from(*low) <= *at && *at <= i64::from(*high);
            let seen: Vec<_> =
                burst.clone().filter(|at| at.as_i64().is_none_or(|at| sees(&at))).collect();
            for at in &seen {
                viewer.expect("numbers", at.clone()).await;
            }
            viewer.expect_silence().await;
        }
        let nowhere = burst.clone().filter(|at| at.is_string()).count();
        let touching = (1..=10).chain(5..=120).chain([119]).filter(|at| at % 10 != 0).count();
        assert_eq!(scene.asked(), touching + 4 * nowhere + burst.count());
    }
}

#[tokio::test]
async fn a_screen_that_moves_or_goes_takes_effect_with_the_command() {
    for store in Store::both().await {
        let scene = Scene::on(store).await;
        let mut viewer = scene.viewer("BETWEEN 0 10").await;
        for (line, seen) in [("BETWEEN 20 30", true), ("BETWEEN 5 6", false), ("ANY", true)] {
            viewer.send(line).await;
            viewer.expect_silence().await;
            scene.publish("25").await;
            // It lies nowhere, so it comes whatever the screen: then what came before has been judged.
            scene.publish(r#""after it""#).await;
            if seen {
                viewer.expect("numbers", json!(25)).await;
            }
            viewer.expect("numbers", json!("after it")).await;
        }
    }
}

#[tokio::test]
async fn what_lies_nowhere_in_particular_is_for_the_filters_of_all() {
    let scene = Scene::on(Store::memory()).await;
    let mut viewers = [scene.viewer("BETWEEN 0 1").await, scene.viewer("BETWEEN 5 6").await];
    scene.publish(r#""x""#).await;
    for viewer in &mut viewers {
        viewer.expect("numbers", json!("x")).await;
    }
}

#[tokio::test]
async fn a_plane_that_panics_costs_the_pass_and_nothing_else() {
    let scene = Scene::on(Store::memory()).await;
    let mut inside = scene.viewer("BETWEEN 0 1").await;
    let mut outside = scene.viewer("BETWEEN 5 6").await;
    scene.publish("0").await;
    inside.expect("numbers", json!(0)).await;
    outside.expect_silence().await;
    assert_eq!(scene.asked(), 2);
    scene.publish("1").await;
    inside.expect("numbers", json!(1)).await;
}
