use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use redis::{Cmd, Pipeline, Value};

use super::Scope;
use crate::cluster::Cluster;
use crate::link::Fixed;
use crate::node::{Batch, Call, Dedicated, Lane, Node};
use crate::sentinel::Watched;
use crate::{Config, Endpoint, Error, Subscriber, Topology};

/// Which server a command goes to.
#[derive(Debug)]
pub(super) enum Servers {
    Single(Node),
    Sentinel(Watched),
    Cluster(Arc<Cluster>),
}

impl Servers {
    pub(super) fn new(config: &Arc<Config>) -> Result<Self, Error> {
        match &config.topology {
            Topology::Single => {
                let servers = Fixed(config.clients()?);
                Ok(Self::Single(Node::new(Arc::new(servers), config.clone())))
            }
            Topology::Sentinel { master } => {
                let sentinels = config.clients()?;
                Ok(Self::Sentinel(Watched::new(sentinels, master, config)))
            }
            Topology::Cluster => Ok(Self::Cluster(Arc::new(Cluster::new(config)?))),
        }
    }

    pub(super) async fn once_tried(&self, database: u32) -> Result<(), Error> {
        match self {
            Self::Single(node) => node.once_tried(database).await,
            Self::Sentinel(watched) => watched.master().once_tried(database).await,
            Self::Cluster(cluster) => cluster.once_tried().await,
        }
    }

    /// The reply, which may be an error reply.
    pub(super) async fn reply(&self, scope: Scope, call: Call<'_>) -> Result<Value, Error> {
        match self {
            Self::Single(node) => node.reply(scope.database, call).await,
            Self::Sentinel(watched) => watched.node(scope).reply(scope.database, call).await,
            Self::Cluster(cluster) => {
                check(scope, call.name)?;
                Box::pin(cluster.reply(call)).await
            }
        }
    }

    /// Each reply may be an error reply.
    pub(super) async fn replies(
        &self,
        scope: Scope,
        batch: Batch<'_>,
    ) -> Result<Vec<Value>, Error> {
        match self {
            Self::Single(node) => node.lane(scope.database, batch.name)?.batch(batch).await,
            Self::Sentinel(watched) => {
                watched.node(scope).lane(scope.database, batch.name)?.batch(batch).await
            }
            Self::Cluster(cluster) => {
                check(scope, batch.name)?;
                cluster.replies(batch).await
            }
        }
    }

    /// All replies to a transaction, from `MULTI` to `EXEC`, and the endpoint of who has sent them.
    pub(super) async fn together(
        &self,
        scope: Scope,
        name: &str,
        enclosed: &Pipeline,
    ) -> Result<(Arc<str>, Vec<Value>), Error> {
        match self {
            Self::Single(node) => node.together(scope.database, name, enclosed).await,
            Self::Sentinel(watched) => {
                watched.node(scope).together(scope.database, name, enclosed).await
            }
            Self::Cluster(cluster) => {
                check(scope, name)?;
                cluster.together(name, enclosed).await
            }
        }
    }

    /// A connection of one's own on which this command was the first, and its reply.
    pub(super) async fn opened(
        &self,
        scope: Scope,
        name: &str,
        command: &Cmd,
    ) -> Result<(Dedicated, Value), Error> {
        match self {
            Self::Single(node) => node.lane(scope.database, name)?.opened(name, command).await,
            Self::Sentinel(watched) => {
                watched.node(scope).lane(scope.database, name)?.opened(name, command).await
            }
            Self::Cluster(cluster) => {
                check(scope, name)?;
                cluster.opened(name, command).await
            }
        }
    }

    /// The reply of each master of a cluster.
    pub(super) async fn on_all_masters(
        &self,
        scope: Scope,
        call: Call<'_>,
    ) -> Result<BTreeMap<Endpoint, Result<Value, Error>>, Error> {
        match self {
            Self::Single(_) | Self::Sentinel(_) => {
                let problem = "this is no cluster, so it has no masters".into();
                Err(Error::Invalid { command: call.name.to_owned(), problem })
            }
            Self::Cluster(cluster) => {
                check(scope, call.name)?;
                cluster.on_all_masters(call).await
            }
        }
    }

    /// Whether a command that was sent over [`lane_now`](Self::lane_now) has to be sent once more.
    pub(super) fn is_elsewhere(&self, outcome: &Result<Value, Error>, repeatable: bool) -> bool {
        match self {
            Self::Single(_) | Self::Sentinel(_) => false,
            Self::Cluster(cluster) => cluster.is_elsewhere(outcome, repeatable),
        }
    }

    /// Whether that can be.
    pub(super) fn redirects(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// Where commands with the keys of this one go.
    pub(super) async fn lane_of(
        &self,
        scope: Scope,
        name: &str,
        command: &Cmd,
    ) -> Result<Arc<Lane>, Error> {
        match self {
            Self::Single(node) => Ok(node.lane(scope.database, name)?.into_owned()),
            Self::Sentinel(watched) => {
                Ok(watched.node(scope).lane(scope.database, name)?.into_owned())
            }
            Self::Cluster(cluster) => {
                check(scope, name)?;
                cluster.lane_of(name, command).await
            }
        }
    }

    /// The same if it is known at once.
    pub(super) fn lane_now(
        &self,
        scope: Scope,
        name: &str,
        command: &Cmd,
    ) -> Option<Result<Arc<Lane>, Error>> {
        match self {
            Self::Single(node) => Some(node.lane(scope.database, name).map(Cow::into_owned)),
            Self::Sentinel(watched) => {
                Some(watched.node(scope).lane(scope.database, name).map(Cow::into_owned))
            }
            Self::Cluster(cluster) => match check(scope, name) {
                Ok(()) => cluster.lane_now(name, command),
                Err(error) => Some(Err(error)),
            },
        }
    }

    pub(super) async fn subscriber(&self) -> Result<Subscriber, Error> {
        match self {
            Self::Single(node) => Ok(node.subscriptions().await?.subscriber()),
            Self::Sentinel(watched) => Ok(watched.master().subscriptions().await?.subscriber()),
            Self::Cluster(cluster) => cluster.subscriber().await,
        }
    }

    pub(super) fn endpoints(&self) -> Vec<Endpoint> {
        match self {
            Self::Single(node) => node.endpoints(),
            Self::Sentinel(watched) => watched.endpoints(),
            Self::Cluster(cluster) => cluster.endpoints(),
        }
    }

    pub(super) fn close(&self) {
        match self {
            Self::Single(node) => node.close(),
            Self::Sentinel(watched) => watched.close(),
            Self::Cluster(cluster) => cluster.close(),
        }
    }
}

fn check(scope: Scope, name: &str) -> Result<(), Error> {
    if scope.database == 0 {
        return Ok(());
    }
    let problem = format!("a cluster has only database 0, and not {}", scope.database);
    Err(Error::Invalid { command: name.to_owned(), problem: problem.into() })
}
