//! Who has which slot, asked of those who may know.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until, timeout};

use super::{Topology, is_definite};
use crate::catalogue::Flags;
use crate::cluster::slots::SlotMap;
use crate::lock::lock;
use crate::node::Call;
use crate::{Endpoint, Error};

/// From the end of one refresh to the start of the next: whatever happens, a client asks for the slots
/// ten times a second at most.
const REFRESH_PAUSE: Duration = Duration::from_millis(100);
/// How long a node that is asked for the slots has before the next one is asked, too.
const STAGGER: Duration = Duration::from_millis(300);
/// How many nodes are asked before the seeds.
const MOST_ASKED: usize = 8;

/// When the last refresh ended, and how.
#[derive(Debug)]
pub(super) struct Refreshed {
    pub(super) at: Option<Instant>,
    pub(super) outcome: Result<(), Error>,
}

impl Topology {
    /// Finds out who has which slot, in the background, unless somebody is at it.
    pub(in crate::cluster) fn refresh(self: &Arc<Self>) {
        if !self.refreshing.swap(true, Ordering::AcqRel) {
            let ending = Ending(self.clone());
            tokio::spawn(async move {
                let topology = ending.0.clone();
                let last = topology.refreshed.borrow().at;
                if let Some(last) = last {
                    sleep_until(last + REFRESH_PAUSE).await;
                }
                let outcome = topology.discover().await.map(|map| topology.adopt(map));
                if let Err(error) = &outcome {
                    tracing::debug!(%error, "cannot find out about the cluster");
                }
                // Who hears of this one may want another at once.
                drop(ending);
                topology.refreshed.send_replace(Refreshed { at: Some(Instant::now()), outcome });
            });
        }
    }

    /// The same, and returns when it is done.
    pub(in crate::cluster) async fn refreshed(self: &Arc<Self>) -> Result<(), Error> {
        let mut refreshed = self.refreshed.subscribe();
        self.refresh();
        // The sender is in `self`.
        let _ = refreshed.changed().await;
        refreshed.borrow().outcome.clone()
    }

    /// The first map that somebody has. Nobody is waited for alone: a node may be frozen.
    async fn discover(&self) -> Result<SlotMap, Error> {
        let mut candidates = self.candidates().into_iter();
        let mut asked = FuturesUnordered::new();
        let mut failure = None;
        loop {
            match candidates.next() {
                Some(candidate) => asked.push(self.ask(candidate)),
                None if asked.is_empty() => break,
                None => {}
            }
            match timeout(STAGGER, asked.next()).await {
                Ok(Some(Ok(map))) => return Ok(map),
                Ok(Some(Err(error))) if failure.is_none() || is_definite(&error) => {
                    failure = Some(error);
                }
                _ => {}
            }
        }
        Err(failure.unwrap_or_else(|| self.nobody("CLUSTER")))
    }

    /// Some of the nodes that are known, the seeds after them.
    fn candidates(&self) -> Vec<Endpoint> {
        let mut known: Vec<Endpoint> = lock(&self.state).map.nodes().cloned().collect();
        fastrand::shuffle(&mut known);
        known.truncate(MOST_ASKED);
        let seeds = self.config.endpoints.iter().filter(|seed| !known.contains(seed)).cloned();
        let seeds: Vec<Endpoint> = seeds.collect();
        known.extend(seeds);
        known
    }

    async fn ask(&self, endpoint: Endpoint) -> Result<SlotMap, Error> {
        let (name, command) = ("CLUSTER", redis::cmd("CLUSTER").arg("SLOTS").to_owned());
        let member = self.member(&endpoint, name)?;
        member.node.lane(0, name)?.once_tried().await?;
        let flags = Flags { fast: true, ..Flags::default() };
        let call = Call { name, command: &command, flags, repeatable: false };
        let reply = member.node.reply(0, call).await?;
        let label = endpoint.to_string().into();
        if let redis::Value::ServerError(error) = reply {
            return Err(Error::from_reply(label, name.to_owned(), &error.into()));
        }
        let map = SlotMap::parse(&reply, &endpoint);
        map.ok_or_else(|| Error::Server {
            endpoint: label,
            command: name.to_owned(),
            code: "CLUSTERDOWN".to_owned(),
            detail: "the node knows no master".to_owned(),
        })
    }

    /// Nodes that have left are let go; what still waits for their replies keeps them until then.
    fn adopt(&self, map: SlotMap) {
        let mut state = lock(&self.state);
        let left = state.retain(&map);
        let is_news = state.map != map;
        state.map = map;
        drop(state);
        drop(left);
        if is_news {
            self.changes.send_replace(());
        }
    }
}

/// However a refresh ends, another may follow.
struct Ending(Arc<Topology>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.refreshing.store(false, Ordering::Release);
    }
}
