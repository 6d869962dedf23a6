//! Subscribers whose topics follow the cluster as it changes.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::Cluster;
use crate::Error;
use crate::link::{Limits, Link};
use crate::lock::lock;
use crate::slot;
use crate::subscriber::{Carrier, Inbox, Subscriber};
use crate::topic::{Topic, TopicKind};

/// Who is to be moved.
#[derive(Debug, Default)]
pub(super) struct Roaming {
    state: Mutex<State>,
    /// A topic's node does not serve it any more.
    adrift: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    inboxes: Vec<Weak<Inbox>>,
    is_running: bool,
}

impl Cluster {
    /// A subscriber each of whose topics comes over the link of the node that serves it.
    pub(crate) async fn subscriber(self: &Arc<Self>) -> Result<Subscriber, Error> {
        self.link_for_channels().await?;
        let link = &self.config.link;
        let limits = Limits { messages: link.feed_messages, bytes: link.feed_bytes };
        let subscriber = Subscriber::new(Box::new(Carried(self.clone())), limits);
        let mut state = lock(&self.roaming.state);
        state.inboxes.push(Arc::downgrade(subscriber.inbox()));
        if !std::mem::replace(&mut state.is_running, true) {
            tokio::spawn(roam(Arc::downgrade(self), self.roaming.adrift.clone()));
        }
        drop(state);
        Ok(subscriber)
    }

    /// Attaches each topic to the node that serves it now, and finds out who does where that is unclear.
    /// False if there are no subscribers any more.
    fn settle_topics(&self) -> bool {
        let inboxes = self.inboxes();
        for inbox in &inboxes {
            for (topic, link, is_confirmed) in inbox.topics() {
                if !is_confirmed || !link.is_live() {
                    self.topology.refresh();
                }
                if topic.kind != TopicKind::Sharded && link.is_down() {
                    self.give_up_for_channels(&link);
                }
                if let Ok(Some(link)) = self.link_now(&topic) {
                    // Whoever waits for it hears of it; it fails only if it is closed.
                    let _ = inbox.attach(&topic, &link);
                }
            }
        }
        !inboxes.is_empty()
    }

    fn inboxes(&self) -> Vec<Arc<Inbox>> {
        let mut state = lock(&self.roaming.state);
        let inboxes: Vec<_> = state.inboxes.iter().filter_map(Weak::upgrade).collect();
        state.inboxes.retain(|inbox| inbox.strong_count() > 0);
        state.is_running = !inboxes.is_empty();
        inboxes
    }

    fn link_now(&self, topic: &Topic) -> Result<Option<Link>, Error> {
        let name = "SUBSCRIBE";
        let member = match topic.kind {
            TopicKind::Sharded => self.topology.owner(Some(slot(&*topic.name)), name)?,
            TopicKind::Channel | TopicKind::Pattern => self.topology.home(name)?,
        };
        member.map(|member| member.node.subscriptions_now()).transpose()
    }
}

/// Until there are no subscribers. Woken by every change, by topics whose node does not serve them, and
/// as often as links look after their servers.
async fn roam(cluster: Weak<Cluster>, adrift: Arc<Notify>) {
    let Some((mut changes, pause)) = cluster.upgrade().map(|cluster| {
        (cluster.topology.changes(), cluster.config.link.heartbeat.max(SHORTEST_PAUSE))
    }) else {
        return;
    };
    loop {
        tokio::select! {
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = adrift.notified() => {}
            () = sleep(pause) => {}
        }
        let goes_on = cluster.upgrade().is_some_and(|cluster| cluster.settle_topics());
        if !goes_on {
            return;
        }
    }
}

const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

/// The cluster as what carries a subscriber's topics.
#[derive(Debug)]
struct Carried(Arc<Cluster>);

impl Carrier for Carried {
    fn link<'a>(&'a self, topic: &'a Topic) -> BoxFuture<'a, Result<Link, Error>> {
        Box::pin(async move {
            match topic.kind {
                TopicKind::Sharded => self.0.link_for_slot(slot(&*topic.name)).await,
                TopicKind::Channel | TopicKind::Pattern => self.0.link_for_channels().await,
            }
        })
    }

    fn roams(&self) -> Option<Arc<Notify>> {
        Some(self.0.roaming.adrift.clone())
    }
}
