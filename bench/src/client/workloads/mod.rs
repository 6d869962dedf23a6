mod awaiting;
mod blocking;
mod pipelining;
mod receiving;

use std::fmt;
use std::time::Duration;

use redwire_test::RedisServer;

use super::contender::Client;
use super::spent::Spent;
use crate::Result;

/// What clients are measured at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Workload {
    /// As many tasks, each of which awaits `GET` after `GET`, on one connection.
    Awaiting { tasks: usize },
    /// One task that sends pipelines of 64 `GET`s.
    Pipelining,
    /// 64 tasks that await `GET`s beside eight that wait in `BLPOP`.
    Blocking,
    /// One task that receives messages of 200 bytes on one channel.
    Receiving,
}

impl Workload {
    pub(crate) const ALL: [Self; 6] = [
        Self::Awaiting { tasks: 1 },
        Self::Awaiting { tasks: 64 },
        Self::Awaiting { tasks: 512 },
        Self::Pipelining,
        Self::Blocking,
        Self::Receiving,
    ];
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Awaiting { tasks: 1 } => write!(f, "`GET`, 1 task"),
            Self::Awaiting { tasks } => write!(f, "`GET`, {tasks} tasks"),
            Self::Pipelining => write!(f, "64 `GET`s a pipeline, 1 task"),
            Self::Blocking => write!(f, "`GET`, 64 tasks, beside 8 in `BLPOP`"),
            Self::Receiving => write!(f, "messages of 200 bytes"),
        }
    }
}

pub(crate) async fn run<C: Client>(
    workload: Workload,
    client: &C,
    redis: &RedisServer,
    length: Duration,
) -> Result<Spent> {
    match workload {
        Workload::Awaiting { tasks } => awaiting::run(client, tasks, length).await,
        Workload::Pipelining => pipelining::run(client, length).await,
        Workload::Blocking => blocking::run(client, redis, length).await,
        Workload::Receiving => receiving::run(client, redis, length).await,
    }
}
