mod discovery;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::slots::{MOST_NODES, SlotMap};
use crate::link::Fixed;
use crate::lock::lock;
use crate::node::Node;
use crate::{Config, Endpoint, Error};
use discovery::Refreshed;

/// A node of the cluster.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) endpoint: Endpoint,
    pub(crate) node: Node,
}

/// Which nodes there are, and who has which slot, as far as it is known.
#[derive(Debug)]
pub(super) struct Topology {
    config: Arc<Config>,
    state: Mutex<State>,
    /// Whether somebody is finding out.
    refreshing: AtomicBool,
    refreshed: watch::Sender<Refreshed>,
    /// Sent to whenever a slot or a node changes.
    changes: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    map: SlotMap,
    /// Those of the map that were used. Others are let go at the next refresh.
    members: HashMap<Endpoint, Arc<Member>>,
    /// Counts commands that any master can carry out.
    turn: usize,
    /// The master that serves channels and patterns.
    home: Option<Endpoint>,
    closed: bool,
}

impl Topology {
    pub(super) fn new(config: &Arc<Config>) -> Arc<Self> {
        Arc::new(Self {
            config: config.clone(),
            state: Mutex::default(),
            refreshing: AtomicBool::new(false),
            refreshed: watch::Sender::new(Refreshed { at: None, outcome: Ok(()) }),
            changes: watch::Sender::new(()),
        })
    }

    /// The master of a slot; any in turn for no slot, and for one that nobody has: Redis has words for
    /// that. None while no master is known.
    pub(super) fn owner(
        &self,
        slot: Option<u16>,
        name: &str,
    ) -> Result<Option<Arc<Member>>, Error> {
        let mut state = lock(&self.state);
        let owner = slot.and_then(|slot| state.map.owner(slot)).cloned();
        let owner = owner.or_else(|| state.next_master());
        owner.map(|owner| self.member_in(&mut state, &owner, name)).transpose()
    }

    /// The same. Waits for the first map.
    pub(super) async fn owner_in_time(
        self: &Arc<Self>,
        slot: Option<u16>,
        name: &str,
        until: Instant,
    ) -> Result<Arc<Member>, Error> {
        while Instant::now() < until {
            if let Some(owner) = self.owner(slot, name)? {
                return Ok(owner);
            }
            match timeout_at(until, self.refreshed()).await {
                Ok(Err(error)) if is_definite(&error) => return Err(error),
                _ => {}
            }
        }
        Err(self.nobody(name))
    }

    pub(super) fn member(&self, endpoint: &Endpoint, name: &str) -> Result<Arc<Member>, Error> {
        self.member_in(&mut lock(&self.state), endpoint, name)
    }

    /// The master that serves channels and patterns: the same for as long as it is one.
    pub(super) fn home(&self, name: &str) -> Result<Option<Arc<Member>>, Error> {
        let mut state = lock(&self.state);
        let home = state.home.take().filter(|home| state.map.masters().any(|known| known == home));
        state.home = home.or_else(|| state.next_master());
        let home = state.home.clone();
        home.map(|home| self.member_in(&mut state, &home, name)).transpose()
    }

    /// The master that serves channels cannot be reached; another is to.
    pub(super) fn leave_home(&self, home: &Endpoint) {
        let mut state = lock(&self.state);
        if state.home.as_ref() == Some(home) && state.map.masters().len() > 1 {
            while state.home.as_ref() == Some(home) {
                state.home = state.next_master();
            }
            drop(state);
            self.changes.send_replace(());
        }
    }

    pub(super) fn masters(&self) -> Vec<Endpoint> {
        lock(&self.state).map.masters().cloned().collect()
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// A node says that this one has the slot.
    pub(super) fn moved(&self, slot: u16, to: &Endpoint) {
        if lock(&self.state).map.assign(slot, to) {
            self.changes.send_replace(());
        }
    }

    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        state.members.drain().for_each(|(_, member)| member.node.close());
        drop(state);
        self.changes.send_replace(());
    }

    /// None of the seeds, nor who was known since, has told who the masters are.
    pub(super) fn nobody(&self, name: &str) -> Error {
        let seeds: Vec<String> = self.config.endpoints.iter().map(ToString::to_string).collect();
        let (endpoint, command) = (seeds.join(",").into(), name.to_owned());
        Error::Unavailable { endpoint, command, source: None }
    }

    fn member_in(
        &self,
        state: &mut State,
        endpoint: &Endpoint,
        name: &str,
    ) -> Result<Arc<Member>, Error> {
        if state.closed {
            return Err(Error::Closed { command: name.to_owned() });
        }
        if let Some(member) = state.members.get(endpoint) {
            return Ok(member.clone());
        }
        if state.members.len() >= MOST_NODES {
            let (endpoint, command) = (endpoint.to_string().into(), name.to_owned());
            return Err(Error::Unavailable { endpoint, command, source: None });
        }
        let route = Fixed(vec![(endpoint.clone(), self.config.client(endpoint)?)]);
        let node = Node::new(Arc::new(route), self.config.clone());
        let member = Arc::new(Member { endpoint: endpoint.clone(), node });
        state.members.insert(endpoint.clone(), member.clone());
        Ok(member)
    }
}

impl State {
    fn next_master(&mut self) -> Option<Endpoint> {
        let masters = self.map.masters();
        self.turn = self.turn.wrapping_add(1);
        let place = self.turn.checked_rem(masters.len())?;
        self.map.masters().nth(place).cloned()
    }

    /// Takes out whoever is not in the map.
    fn retain(&mut self, map: &SlotMap) -> Vec<Arc<Member>> {
        let left: Vec<Endpoint> = self
            .members
            .keys()
            .filter(|known| !map.nodes().any(|node| node == *known))
            .cloned()
            .collect();
        left.iter().filter_map(|endpoint| self.members.remove(endpoint)).collect()
    }
}

/// Whether it says more than that a node is away.
pub(super) fn is_definite(error: &Error) -> bool {
    !matches!(error, Error::Unavailable { .. } | Error::Lost { .. } | Error::Timeout { .. })
}
