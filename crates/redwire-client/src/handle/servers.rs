use std::sync::Arc;

use redis::{Cmd, Value};

use super::Scope;
use crate::link::{Fixed, Link};
use crate::node::{Call, Lane, Node};
use crate::sentinel::Watched;
use crate::{Config, Endpoint, Error, Topology};

/// Which server a command goes to.
#[derive(Debug)]
pub(super) enum Servers {
    Single(Node),
    Sentinel(Watched),
}

impl Servers {
    pub(super) fn new(config: &Arc<Config>) -> Result<Self, Error> {
        let servers = config.clients()?;
        match &config.topology {
            Topology::Single => {
                Ok(Self::Single(Node::new(Arc::new(Fixed(servers)), config.clone())))
            }
            Topology::Sentinel { master } => {
                Ok(Self::Sentinel(Watched::new(servers, master, config)))
            }
            Topology::Cluster => {
                Err(Error::Config { option: "topology", problem: "is not built yet".into() })
            }
        }
    }

    pub(super) async fn once_tried(&self, database: u32) -> Result<(), Error> {
        match self {
            Self::Single(node) => node.once_tried(database).await,
            Self::Sentinel(watched) => watched.master().once_tried(database).await,
        }
    }

    /// The reply, which may be an error reply.
    pub(super) async fn reply(&self, scope: Scope, call: Call<'_>) -> Result<Value, Error> {
        match self {
            Self::Single(node) => node.reply(scope.database, call).await,
            Self::Sentinel(watched) => watched.node(scope).reply(scope.database, call).await,
        }
    }

    /// Where commands with the keys of this one go.
    pub(super) async fn lane_of(
        &self,
        scope: Scope,
        name: &str,
        _command: &Cmd,
    ) -> Result<Arc<Lane>, Error> {
        match self {
            Self::Single(node) => node.lane(scope.database, name),
            Self::Sentinel(watched) => watched.node(scope).lane(scope.database, name),
        }
    }

    /// The same if it is known at once.
    pub(super) fn lane_now(
        &self,
        scope: Scope,
        name: &str,
        _command: &Cmd,
    ) -> Option<Result<Arc<Lane>, Error>> {
        match self {
            Self::Single(node) => Some(node.lane(scope.database, name)),
            Self::Sentinel(watched) => Some(watched.node(scope).lane(scope.database, name)),
        }
    }

    /// The link that all subscribers share.
    pub(super) async fn subscriptions(&self) -> Result<Link, Error> {
        match self {
            Self::Single(node) => node.subscriptions().await,
            Self::Sentinel(watched) => watched.master().subscriptions().await,
        }
    }

    pub(super) fn endpoints(&self) -> Vec<Endpoint> {
        match self {
            Self::Single(node) => node.endpoints(),
            Self::Sentinel(watched) => watched.endpoints(),
        }
    }

    pub(super) fn close(&self) {
        match self {
            Self::Single(node) => node.close(),
            Self::Sentinel(watched) => watched.close(),
        }
    }
}
