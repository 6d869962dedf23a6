//! Bookkeeping: what was published, what arrived, and what was declared missing.

use redwire_test::{Client, eventually};

use crate::publisher::Publisher;
use crate::scene::{CHANNEL, Scene, number};

const OUTAGES: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_missing_lies_in_a_gap_however_often_redis_dies() {
    let mut scene = Scene::with_subscribers(20).await;
    let subscribers: Vec<_> = scene.subscribers.drain(..).map(read).map(tokio::spawn).collect();
    let publisher = Publisher::start(&scene.redis, CHANNEL);
    for _ in 0..OUTAGES {
        until_flowing(&scene).await;
        scene.redis.kill().await;
        scene.until_noticed().await;
        scene.redis.restart().await;
        eventually("the link to be live", async || scene.gateway.api.is_ready()).await;
    }
    until_flowing(&scene).await;
    let last = publisher.stop().await;
    scene.redis.publish(CHANNEL, r#""end""#).await;

    for subscriber in subscribers {
        let mut ledger = subscriber.await.expect("a ledger");
        // As if one more had come: whatever is missing at the end is entered, too.
        ledger.enter(last + 1);
        assert_eq!(ledger.out_of_order, Vec::<u64>::new(), "twice, or late");
        assert_eq!(ledger.lost_in_silence, Vec::<u64>::new(), "of {last}");
        assert_eq!(ledger.gaps, OUTAGES);
        // Otherwise the books would be about nothing.
        assert!(ledger.missing >= OUTAGES as u64, "{} of {last} missing", ledger.missing);
        assert!(ledger.received >= 20 * OUTAGES as u64, "{} of {last}", ledger.received);
    }
}

async fn until_flowing(scene: &Scene) {
    let delivered = || scene.gateway.metric("redwire_messages_total");
    let before = delivered();
    eventually("twenty messages to flow", async || delivered() >= before + 20).await;
}

#[derive(Default)]
struct Ledger {
    received: u64,
    missing: u64,
    gaps: usize,
    lost_in_silence: Vec<u64>,
    out_of_order: Vec<u64>,
    /// The last number received, and whether a gap came since.
    last: u64,
    in_gap: bool,
}

impl Ledger {
    fn enter(&mut self, number: u64) {
        if number <= self.last {
            self.out_of_order.push(number);
            return;
        }
        let missing = self.last + 1..number;
        self.missing += missing.end - missing.start;
        if !self.in_gap {
            self.lost_in_silence.extend(missing);
        }
        self.received += 1;
        (self.last, self.in_gap) = (number, false);
    }
}

/// Reads to the word `end`.
async fn read(mut client: Client) -> Ledger {
    let mut ledger = Ledger::default();
    loop {
        let envelope = client.next().await;
        if envelope.pointer("/content/status").is_some_and(|status| status == "gap") {
            (ledger.gaps, ledger.in_gap) = (ledger.gaps + 1, true);
            continue;
        }
        match number(&envelope) {
            Some(number) => ledger.enter(number),
            None => return ledger,
        }
    }
}
