//! Independent servers as one, by a ring.

mod keys;
mod like;
mod split;

use std::sync::Arc;

use futures_util::future::try_join_all;
use redis::{Cmd, FromRedisValue, Pipeline, Value};

use crate::catalogue::name_of;
use crate::ring::Ring;
use crate::{Config, Endpoint, Error, Redis};
use keys::keys;
use split::Merge;

/// Independent servers, each with a share of the keys: a [ring](crate::ring) says which.
///
/// A command goes to the node that holds its key. `MGET`, `MSET`, `DEL`, `UNLINK`, `EXISTS` and `TOUCH` may
/// have keys on several: they are split, and the replies merged in the order of the keys. What has other
/// keys on several nodes, or no key at all, is refused before anything is sent; [`node_of`](Self::node_of)
/// is the handle for transactions, scripts and subscriptions. Every command of redis-rs works on it, through
/// [`AsyncCommands`](redis::AsyncCommands).
///
/// * A split command is not atomic. If some nodes failed their part of a write,
///   [the outcome](Error::outcome) is [`Unknown`](crate::Outcome::Unknown); a read has all values or none.
/// * `PUBLISH` goes by the name of its channel. Who subscribes has to do so at that channel's node, and who
///   subscribes to a pattern at all nodes.
///
/// ```no_run
/// use redwire_client::redis::AsyncCommands;
/// use redwire_client::ring::CompatRing;
/// use redwire_client::{Config, Sharded};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let ring = CompatRing::new(["server1:6379", "server2:6379", "server3:6379"]);
/// let mut sharded = Sharded::connect(ring, Config::default()).await?;
/// let () = sharded.mset(&[("foo", 1), ("bar", 2)]).await?; // on server1 and server2
/// let values: Vec<i64> = sharded.mget(&["bar", "foo"]).await?;
/// assert_eq!(values, [2, 1]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Sharded {
    shards: Arc<Shards>,
}

#[derive(Clone, Debug)]
struct Shards {
    ring: Ring,
    nodes: Vec<(Box<str>, Redis)>,
}

impl Sharded {
    /// Connects to the nodes of the ring, whose names are `host:port` or paths of sockets. `config` says
    /// all else: login, database, deadlines. Its endpoints are not used. A node that is down is no
    /// error, as in [`Redis::connect_with`].
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if a name is no endpoint, and what [`Redis::connect_with`] fails with.
    pub async fn connect(ring: impl Into<Ring>, config: Config) -> Result<Self, Error> {
        let ring = ring.into();
        let connect = async |name: &str| {
            let config = config.clone().endpoints([endpoint(name)?]);
            Ok::<_, Error>((name.to_owned(), Redis::connect_with(config).await?))
        };
        let nodes = try_join_all(ring.nodes().into_iter().map(connect)).await?;
        Self::new(ring, nodes)
    }

    /// Puts handles behind a ring, by the names that it has for them.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the ring has no nodes, or one that is not here.
    pub fn new<S: Into<Box<str>>>(
        ring: impl Into<Ring>,
        nodes: impl IntoIterator<Item = (S, Redis)>,
    ) -> Result<Self, Error> {
        let nodes = nodes.into_iter().map(|(name, node)| (name.into(), node)).collect();
        let shards = Shards { ring: ring.into(), nodes };
        let names = shards.ring.nodes();
        if names.is_empty() {
            return Err(bad_nodes("are none".to_owned()));
        }
        if let Some(name) = names.iter().find(|name| shards.node(name).is_none()) {
            return Err(bad_nodes(format!("lack `{}` of the ring", name.escape_debug())));
        }
        Ok(Self { shards: Arc::new(shards) })
    }

    /// Sends a command to the node, or the nodes, of its keys and returns the reply.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; [`Error::Invalid`] for what cannot be sharded; [`Error::InPart`] if some
    /// nodes carried out their part of a split command and others did not.
    pub async fn command(&self, command: &Cmd) -> Result<Value, Error> {
        match self.route(command)? {
            Route::Whole(node) => node.command(command).await,
            Route::Split(name, merge) => {
                split::reply(&name, command, merge, |key| self.owner(&name, key)).await
            }
        }
    }

    /// The same, with the reply as a Rust type.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command), and [`Error::Reply`] if the reply is of another type.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Error> {
        let value = self.command(command).await?;
        redis::from_redis_value(value).map_err(|_| Error::Reply {
            endpoint: self
                .endpoints()
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(",")
                .into(),
            command: name_of(command).into_owned(),
        })
    }

    /// Sends many commands in one write, if all their keys are on one node: a common tag makes sure of it.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if they are not, and what [`Redis::pipeline`] fails with.
    pub async fn pipeline(&self, pipeline: &Pipeline) -> Result<Vec<Result<Value, Error>>, Error> {
        match self.owner_of_all(pipeline)? {
            Some(node) => node.pipeline(pipeline).await,
            None => Ok(Vec::new()),
        }
    }

    /// The node that holds a key: for transactions, scripts, and subscriptions to what is published here.
    pub fn node_of(&self, key: impl AsRef<[u8]>) -> Option<&Redis> {
        self.shards.ring.node(key).and_then(|name| self.shards.node(name))
    }

    /// All nodes, with their names.
    pub fn nodes(&self) -> impl Iterator<Item = (&str, &Redis)> {
        self.shards.nodes.iter().map(|(name, node)| (&**name, node))
    }

    /// Where commands go.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.nodes().flat_map(|(_, node)| node.endpoints()).collect()
    }

    /// Takes a node out of this handle and of its later clones, but not out of others. Its keys belong to
    /// other nodes now, which do not have their values. To add a node, make a new ring.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if there is no such node, or no other one.
    pub fn remove_node(&mut self, name: &str) -> Result<Redis, Error> {
        let Some(at) = self.nodes().position(|(node, _)| node == name) else {
            return Err(bad_nodes(format!("have no `{}`", name.escape_debug())));
        };
        if self.shards.nodes.len() == 1 {
            return Err(bad_nodes("would be none".to_owned()));
        }
        let shards = Arc::make_mut(&mut self.shards);
        shards.ring.remove(name);
        Ok(shards.nodes.remove(at).1)
    }

    /// Closes every connection of every node, for all who hold a handle.
    pub fn close(&self) {
        self.nodes().for_each(|(_, node)| node.close());
    }

    fn route(&self, command: &Cmd) -> Result<Route<'_>, Error> {
        let name = name_of(command);
        let keys = keys(&name, command)?;
        match (self.owner_of(&name, &keys)?, Merge::of(&name)) {
            (Some(node), _) => Ok(Route::Whole(node)),
            (None, Some(merge)) => Ok(Route::Split(name.into_owned(), merge)),
            (None, None) => {
                let problem = "its keys are on different nodes".into();
                Err(Error::Invalid { command: name.into_owned(), problem })
            }
        }
    }

    /// The node of all these commands; None if there are none.
    fn owner_of_all(&self, pipeline: &Pipeline) -> Result<Option<&Redis>, Error> {
        let mut all = Vec::new();
        let mut first = String::new();
        for command in pipeline.cmd_iter() {
            let name = name_of(command);
            all.extend(keys(&name, command)?);
            if first.is_empty() {
                first = name.into_owned();
            }
        }
        if all.is_empty() {
            return Ok(None);
        }
        match self.owner_of(&first, &all)? {
            Some(node) => Ok(Some(node)),
            None => Err(Error::Invalid { command: first, problem: NO_PIPELINES.into() }),
        }
    }

    /// The node of all these keys; None if they are on several.
    fn owner_of(&self, command: &str, keys: &[&[u8]]) -> Result<Option<&Redis>, Error> {
        let mut owner: Option<&Redis> = None;
        for key in keys {
            let node = self.owner(command, key)?;
            if owner.is_some_and(|owner| !std::ptr::eq(owner, node)) {
                return Ok(None);
            }
            owner = Some(node);
        }
        Ok(owner)
    }

    fn owner(&self, command: &str, key: &[u8]) -> Result<&Redis, Error> {
        self.node_of(key).ok_or_else(|| Error::Invalid {
            command: command.to_owned(),
            problem: "no node of the ring has a weight".into(),
        })
    }
}

/// In `txredisapi`'s words.
const NO_PIPELINES: &str = "Pipelining is not supported across shards";

enum Route<'n> {
    Whole(&'n Redis),
    Split(String, Merge),
}

impl Shards {
    fn node(&self, name: &str) -> Option<&Redis> {
        self.nodes.iter().find(|(node, _)| **node == *name).map(|(_, node)| node)
    }
}

fn endpoint(name: &str) -> Result<Endpoint, Error> {
    let is_whole = name.contains([':', '/']);
    let endpoint = is_whole.then(|| name.parse().ok()).flatten();
    endpoint.ok_or_else(|| {
        let name = name.escape_debug();
        bad_nodes(format!(
            "must be a list of host:port for sharded connections, and `{name}` is none"
        ))
    })
}

fn bad_nodes(problem: String) -> Error {
    Error::Config { option: "nodes", problem }
}
