//! The handle that programs hold.

mod commands;
mod like;
mod monitor;
mod pending;
mod scripts;
mod servers;
mod transaction;

use std::fmt;
use std::sync::Arc;

pub use monitor::Monitor;
pub use pending::Pending;
use scripts::Scripts;
use servers::Servers;
pub use transaction::{Queued, Transaction, Watched};

use crate::catalogue::Learned;
use crate::observe::Observed;
use crate::{Config, Endpoint, Error, Family, FamilyStats, Subscriber};

/// A Redis: one server, with stand-ins and replicas or without, or a cluster.
///
/// A handle is cheap to clone, and all clones share their connections. Commands of all tasks go over one
/// connection to each server and database, written together and answered in order; what blocks gets a
/// connection of its own from a pool. Lost connections are made again. Every command of redis-rs works
/// on it, through [`AsyncCommands`](redis::AsyncCommands):
///
/// ```no_run
/// use redwire_client::Redis;
/// use redwire_client::redis::AsyncCommands;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut redis = Redis::connect("redis://127.0.0.1").await?;
/// let () = redis.set("greeting", "hello").await?;
/// let greeting: String = redis.get("greeting").await?;
/// let served: Option<(String, String)> = redis.blpop("queue", 5.0).await?; // holds up nobody else
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Redis {
    inner: Arc<Inner>,
    scope: Scope,
}

/// What distinguishes one handle from another.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) database: u32,
    pub(crate) idempotent: bool,
    pub(crate) replicas: bool,
}

#[derive(Debug)]
struct Inner {
    config: Arc<Config>,
    servers: Servers,
    learned: Learned,
    observed: Observed,
    scripts: Scripts,
}

impl Redis {
    /// Connects to a [URL](Config#urls). See [`connect_with`](Self::connect_with).
    ///
    /// # Errors
    ///
    /// As [`connect_with`](Self::connect_with).
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::connect_with(Config::from_url(url)?).await
    }

    /// Makes the first attempt to connect.
    ///
    /// A Redis that is down is no error, if the client may [reconnect](Config::reconnect): commands fail
    /// until it is up. An [eager](Config::eager) client waits until its pool is full, too. Needs a tokio
    /// runtime.
    ///
    /// # Errors
    ///
    /// [`Error::Url`] and [`Error::Config`] for what cannot be used, [`Error::Refused`] if Redis does
    /// not let us in, and [`Error::Unreachable`] if it is away and may not be tried again.
    pub async fn connect_with(config: Config) -> Result<Self, Error> {
        let redis = Self::lazy(config)?;
        redis.inner.servers.once_tried(redis.scope.database).await?;
        Ok(redis)
    }

    /// Connects when the first command comes. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for what cannot be used.
    pub fn lazy(config: Config) -> Result<Self, Error> {
        let scope = Scope { database: config.database, ..Scope::default() };
        let config = Arc::new(config);
        let servers = Servers::new(&config)?;
        let (learned, observed) = (Learned::default(), Observed::default());
        let scripts = Scripts::default();
        Ok(Self { inner: Arc::new(Inner { config, servers, learned, observed, scripts }), scope })
    }

    /// A handle on another database of the same server. It has connections of its own, made at its first
    /// command and kept until the client ends; a number that Redis does not have is refused then.
    #[must_use]
    pub fn database(&self, number: u32) -> Self {
        let mut other = self.clone();
        other.scope.database = number;
        other
    }

    /// A handle whose commands may be sent twice: after a lost connection they are tried again, as reads
    /// always are, alone and in pipelines. For what is the same done once or twice, such as `SET` or `DEL`.
    #[must_use]
    pub fn idempotent(&self) -> Self {
        let mut other = self.clone();
        other.scope.idempotent = true;
        other
    }

    /// A handle whose commands go to a replica, which may lag behind the master and refuses writes
    /// (`READONLY`). Each connection takes the next of the replicas that the sentinels name; without any,
    /// the master serves. Where no sentinels watch, commands go where they always go.
    #[must_use]
    pub fn replicas(&self) -> Self {
        let mut other = self.clone();
        other.scope.replicas = true;
        other
    }

    /// A new reader of channels. All of them share one connection to each server.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`].
    pub async fn subscriber(&self) -> Result<Subscriber, Error> {
        self.inner.servers.subscriber().await
    }

    /// Where commands go: the servers that were configured, or the masters of the cluster as far as they
    /// are known.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.inner.servers.endpoints()
    }

    /// What single commands of one family did so far, for metrics, over all handles. Those of pipelines
    /// and transactions are not counted. Each is also a span of `tracing` at the level debug, named
    /// `redis`, with the fields `command` and `family`.
    pub fn stats(&self, family: Family) -> FamilyStats {
        self.inner.observed.stats(family)
    }

    /// Closes every connection, for all clones. What waits for a reply fails, and so does every command
    /// from now on. A second time does nothing.
    pub fn close(&self) {
        self.inner.servers.close();
    }

    pub(crate) fn config(&self) -> &Arc<Config> {
        &self.inner.config
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (servers, scope) = (&self.inner.config.endpoints, &self.scope);
        f.debug_struct("Redis").field("servers", servers).field("scope", scope).finish()
    }
}
