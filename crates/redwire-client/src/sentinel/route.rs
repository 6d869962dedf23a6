use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use tokio::join;

use super::Sentinels;
use super::role::{role, unexpected};
use crate::Endpoint;
use crate::link::{Route, Server};
use crate::lock::lock;

/// To the master, wherever it is.
#[derive(Debug)]
pub(super) struct ToMaster(pub(super) Arc<Sentinels>);

impl Route for ToMaster {
    fn candidates(&self) -> BoxFuture<'_, RedisResult<Vec<Server>>> {
        Box::pin(async { Ok(vec![self.0.master().await?]) })
    }

    fn accept<'a>(
        &'a self,
        (place, _): &'a Server,
        connection: &'a mut MultiplexedConnection,
    ) -> BoxFuture<'a, RedisResult<()>> {
        Box::pin(async move {
            match role(connection).await?.as_str() {
                "master" if self.0.settle(place) => Ok(()),
                "master" => Err(unexpected(format!("{place} is no longer the master"))),
                role => Err(unexpected(format!("{place} is a {role}, not the master"))),
            }
        })
    }

    fn doubt(&self) {
        self.0.doubt();
    }

    fn label(&self) -> String {
        self.0.label()
    }
}

/// To one replica after the other; to the master if there is none.
#[derive(Debug)]
pub(super) struct ToReplica {
    sentinels: Arc<Sentinels>,
    turn: AtomicUsize,
    /// The master that was the last candidate, in place of a replica.
    stand_in: Mutex<Option<Endpoint>>,
}

impl ToReplica {
    pub(super) fn new(sentinels: Arc<Sentinels>) -> Self {
        Self { sentinels, turn: AtomicUsize::new(0), stand_in: Mutex::default() }
    }
}

impl Route for ToReplica {
    fn candidates(&self) -> BoxFuture<'_, RedisResult<Vec<Server>>> {
        Box::pin(async {
            let (replicas, master) = join!(self.sentinels.replicas(), self.sentinels.master());
            let mut candidates = replicas?;
            if candidates.is_empty() {
                candidates.push(master.clone()?);
            } else {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed) % candidates.len();
                candidates.rotate_left(turn);
                candidates.extend(master.clone());
            }
            *lock(&self.stand_in) = master.ok().map(|(place, _)| place);
            Ok(candidates)
        })
    }

    fn accept<'a>(
        &'a self,
        (place, _): &'a Server,
        connection: &'a mut MultiplexedConnection,
    ) -> BoxFuture<'a, RedisResult<()>> {
        Box::pin(async move {
            match role(connection).await?.as_str() {
                "slave" => Ok(()),
                "master" if lock(&self.stand_in).as_ref() == Some(place) => Ok(()),
                role => Err(unexpected(format!("{place} is a {role}, not a replica"))),
            }
        })
    }

    fn label(&self) -> String {
        format!("a replica of {}", self.sentinels.label())
    }
}
