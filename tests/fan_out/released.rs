//! What was handed out is let go of, however much else there is to hand out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redwire::prelude::*;
use redwire::protocol::Observed;
use redwire_suites::{Gateway, Store};
use serde_json::json;

/// Messages that were judged and still exist, or did when there were most of them.
#[derive(Clone, Default)]
struct Judged {
    alive: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

/// Goes along with a message; the judgement is counted until the message ends.
struct Judgement {
    of: Judged,
    has_begun: AtomicUsize,
}

impl<H: HandlerBase> CommandSet<H> for Judged {
    fn commands(_: &mut Commands<Self, H>) {}
    fn observe(&self, observed: Observed<'_>) {
        if let Observed::Message(message) = observed {
            message.note(Judgement { of: self.clone(), has_begun: AtomicUsize::new(0) });
        }
    }
    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
        let judgement = message.note::<Judgement>().expect("an observed message");
        judgement.has_begun.store(1, Ordering::Relaxed);
        let alive = self.alive.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(alive, Ordering::Relaxed);
        if *message.json() == "last" { Verdict::Pass } else { Verdict::Drop }
    }
}

impl Drop for Judgement {
    fn drop(&mut self) {
        self.of.alive.fetch_sub(self.has_begun.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

#[tokio::test]
async fn of_a_long_burst_little_is_kept_that_has_been_handed_out() {
    let (store, judged) = (Store::memory(), Judged::default());
    let protocol = Protocol::new().with(Subscriptions).with(Ping).with(judged.clone());
    let gateway = Gateway::serving(protocol, &store, Limits::default(), |api| api).await;
    let mut viewer = gateway.client().await;
    viewer.subscribe("trains").await;
    let burst = (0..20_000).map(|number| ("trains", number.to_string()));
    store.burst(burst.chain([("trains", json!("last").to_string())])).await;
    viewer.expect("trains", json!("last")).await;
    // Sixteen batches of 256 may wait for a shard.
    let most = judged.most.load(Ordering::Relaxed);
    assert!(most < 4 * 256, "{most} were kept");
}
