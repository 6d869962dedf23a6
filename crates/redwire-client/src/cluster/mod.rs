//! A Redis Cluster: which node a command goes to, and what to do when that has changed.

mod keys;
mod pipelines;
mod roaming;
mod slots;
mod topology;
mod transactions;
mod trip;
mod trouble;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use redis::{Pipeline, Value};
use tokio::time::Instant;

use crate::link::Link;
use crate::node::{Batch, Call, Lane};
use crate::{Config, Endpoint, Error, Outcome};
use roaming::Roaming;
use topology::{Member, Topology};
use trip::{Stop, Trip};
use trouble::Trouble;

/// Its nodes, and the map of its slots.
///
/// Not redis-rs' own `ClusterConnection`: it sends again what may have been carried out, waits without end
/// while nobody has a slot, and does not know which commands block (redis 1.8.1).
///
/// A command goes to the master of its first key's slot. What Redis refuses because that has changed is
/// sent where it says; what was not sent is sent to whoever has the slot now. Both within the time that a
/// command has, so a failover that is quicker is not noticed. Whatever may have been carried out is sent
/// again only if that is harmless.
#[derive(Debug)]
pub(crate) struct Cluster {
    topology: Arc<Topology>,
    config: Arc<Config>,
    roaming: Roaming,
}

/// A cluster has no other.
const DATABASE: u32 = 0;

impl Cluster {
    pub(crate) fn new(config: &Arc<Config>) -> Result<Self, Error> {
        config.clients()?;
        let problem = "is not 0, and a cluster has no other";
        if config.database != DATABASE {
            return Err(Error::Config { option: "database", problem: problem.into() });
        }
        let (topology, roaming) = (Topology::new(config), Roaming::default());
        Ok(Self { topology, config: config.clone(), roaming })
    }

    /// Finds the nodes. With an error if there is no use in trying again; an eager client's pools are full.
    pub(crate) async fn once_tried(&self) -> Result<(), Error> {
        match self.topology.refreshed().await {
            Err(error) if is_final(&error) || !self.config.link.reconnect => return Err(error),
            _ => {}
        }
        if self.config.eager {
            for master in self.topology.masters() {
                self.topology.member(&master, "HELLO")?.node.once_tried(DATABASE).await?;
            }
        }
        Ok(())
    }

    /// The reply, which may be an error reply.
    pub(crate) async fn reply(&self, call: Call<'_>) -> Result<Value, Error> {
        if call.name == "SCAN" {
            return Err(cursor_of_one_node());
        }
        let slot = keys::slot_of(call.name, call.command);
        let (mut trip, mut stop) = (self.trip(call.name), Stop::default());
        loop {
            let since = Instant::now();
            let member = match trip.member(&stop, slot).await {
                Ok(member) => member,
                Err(error) => return Err(trip.verdict(error)),
            };
            let outcome = match call.flags.blocking {
                true => attempt(&member, call, stop.asking).await,
                false => trip.within(&member, attempt(&member, call, stop.asking)).await,
            };
            self.watch_out(&outcome);
            let Some(trouble) = Trouble::of(&outcome, &member.endpoint, call.repeatable) else {
                return outcome.map_err(|error| trip.verdict(error));
            };
            if let Err(error) = &outcome {
                trip.failed(error);
            }
            if call.flags.blocking && since.elapsed() > self.window() {
                trip.start_again();
            }
            stop = trip.heed(trouble);
            if !trip.go_on().await {
                return outcome.map_err(|error| trip.verdict(error));
            }
        }
    }

    /// The same from each master. A command with a key is answered by the key's master in all of them.
    pub(crate) async fn on_all_masters(
        &self,
        call: Call<'_>,
    ) -> Result<BTreeMap<Endpoint, Result<Value, Error>>, Error> {
        if self.topology.masters().is_empty() {
            self.topology.refreshed().await?;
        }
        let replies = self.topology.masters().into_iter().map(async |master| {
            let reply = self.at(&master, call).await;
            (master, reply)
        });
        Ok(join_all(replies).await.into_iter().collect())
    }

    async fn at(&self, master: &Endpoint, call: Call<'_>) -> Result<Value, Error> {
        let member = self.topology.member(master, call.name)?;
        let outcome = attempt(&member, call, false).await;
        self.watch_out(&outcome);
        match &outcome {
            Ok(reply) if Trouble::in_reply(reply, master).is_some() => self.reply(call).await,
            _ => outcome,
        }
    }

    /// Where commands with the keys of this one go.
    pub(crate) async fn lane_of(
        &self,
        name: &str,
        command: &redis::Cmd,
    ) -> Result<Arc<Lane>, Error> {
        let slot = keys::slot_of(name, command);
        let member = self.trip(name).member(&Stop::default(), slot).await?;
        Ok(member.node.lane(DATABASE, name)?.into_owned())
    }

    /// The same if it is known at once.
    pub(crate) fn lane_now(
        &self,
        name: &str,
        command: &redis::Cmd,
    ) -> Option<Result<Arc<Lane>, Error>> {
        let owner = self.topology.owner(keys::slot_of(name, command), name).transpose()?;
        Some(owner.and_then(|member| Ok(member.node.lane(DATABASE, name)?.into_owned())))
    }

    /// Whether a command that was sent by way of [`lane_now`](Self::lane_now) has to be sent once more.
    pub(crate) fn is_elsewhere(&self, outcome: &Result<Value, Error>, repeatable: bool) -> bool {
        self.watch_out(outcome);
        // Who the node was matters only for where to go from there.
        let somewhere = Endpoint::tcp("localhost", 1);
        Trouble::of(outcome, &somewhere, repeatable).is_some()
    }

    /// The masters, as far as they are known.
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        let masters = self.topology.masters();
        if masters.is_empty() { self.config.endpoints.clone() } else { masters }
    }

    pub(crate) fn close(&self) {
        self.topology.close();
    }

    fn label(&self) -> Arc<str> {
        let endpoints: Vec<String> = self.endpoints().iter().map(ToString::to_string).collect();
        endpoints.join(",").into()
    }

    fn trip<'a>(&'a self, name: &'a str) -> Trip<'a> {
        Trip::new(&self.topology, name, self.window())
    }

    fn window(&self) -> Duration {
        self.config.link.command_timeout
    }

    /// A connection that broke may be a master that is gone.
    fn watch_out<T>(&self, outcome: &Result<T, Error>) {
        if let Err(error) = outcome
            && (error.outcome() == Outcome::Unknown || matches!(error, Error::Unavailable { .. }))
        {
            self.topology.refresh();
        }
    }
}

/// Which node brings a topic. Sharded channels have slots; all others are told to every node.
impl Cluster {
    /// The link of the one master that serves channels and patterns.
    async fn link_for_channels(&self) -> Result<Link, Error> {
        let name = "SUBSCRIBE";
        if self.topology.home(name)?.is_none() {
            self.topology.refreshed().await?;
        }
        match self.topology.home(name)? {
            Some(home) => home.node.subscriptions().await,
            None => Err(self.topology.nobody(name)),
        }
    }

    /// Lets another master serve channels and patterns, because this link is down.
    fn give_up_for_channels(&self, link: &Link) {
        if let Ok(endpoint) = link.endpoint().parse() {
            self.topology.leave_home(&endpoint);
            self.topology.refresh();
        }
    }

    /// The link of the slot's master.
    async fn link_for_slot(&self, slot: u16) -> Result<Link, Error> {
        let trip = self.trip("SSUBSCRIBE");
        trip.member(&Stop::default(), Some(slot)).await?.node.subscriptions().await
    }
}

/// `ASKING` holds for the next command only, so nothing may come between.
async fn attempt(member: &Member, call: Call<'_>, asking: bool) -> Result<Value, Error> {
    if !asking {
        return member.node.reply(DATABASE, call).await;
    }
    let mut asked = Pipeline::with_capacity(2);
    asked.cmd("ASKING").add_command(call.command.clone());
    let lane = member.node.lane(DATABASE, call.name)?;
    let batch = Batch {
        name: call.name,
        pipeline: &asked,
        skip: 1,
        count: 1,
        blocking: call.flags.blocking,
        repeatable: call.repeatable,
    };
    let reply = lane.batch(batch).await?.pop();
    reply.ok_or_else(|| Error::Reply {
        endpoint: lane.link().endpoint(),
        command: call.name.to_owned(),
    })
}

/// Whether another attempt would fail in the same way.
fn is_final(error: &Error) -> bool {
    match error {
        Error::Server { code, .. } => code != "CLUSTERDOWN" && code != "LOADING",
        error => topology::is_definite(error),
    }
}

fn cursor_of_one_node() -> Error {
    let problem = "a cursor belongs to one node of a cluster; use `on_all_masters` with KEYS, or \
                   connect to each of `endpoints`";
    Error::Invalid { command: "SCAN".to_owned(), problem: problem.into() }
}
