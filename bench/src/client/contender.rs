use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use redwire_test::RedisServer;
use tokio::time::timeout;

use super::data::Inbox;
use super::spent::Spent;
use super::workloads::{self, Workload};
use crate::Result;

/// A client library, used as its documentation says. Clones share a connection, or a pool of them.
pub(crate) trait Client: Clone + Send + Sync + 'static {
    /// What `GET` answers: the bytes in the type that is the library's own.
    type Value: Deref<Target = [u8]> + Send;
    /// What one task needs for commands that block.
    type Waiter: Send + 'static;
    type Subscription: Send + 'static;

    fn connect(url: &str) -> impl Future<Output = Result<Self>> + Send;

    fn get(&mut self, key: &str) -> impl Future<Output = Result<Self::Value>> + Send;

    /// `GET` of all of them in one pipeline.
    fn pipeline<'a>(
        &mut self,
        keys: impl Iterator<Item = &'a str> + Send,
    ) -> impl Future<Output = Result<Vec<Self::Value>>> + Send;

    fn waiter(&self) -> impl Future<Output = Result<Self::Waiter>> + Send;

    /// `BLPOP` without a deadline: the element.
    fn pop(
        waiter: &mut Self::Waiter,
        list: &str,
    ) -> impl Future<Output = Result<Self::Value>> + Send;

    /// May return before Redis has confirmed it.
    fn subscribe(&self, channel: &str) -> impl Future<Output = Result<Self::Subscription>> + Send;

    /// Waits for at least one message, and puts all that it got into the inbox.
    fn receive(
        subscription: &mut Self::Subscription,
        inbox: &mut Inbox,
    ) -> impl Future<Output = Result<()>> + Send;
}

type Turn = Pin<Box<dyn Future<Output = Result<Spent>> + Send>>;

/// A [`Client`] without its type.
#[derive(Clone, Copy)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    /// Whether all are compared with this one.
    pub(crate) is_the_measure: bool,
    turn: fn(Workload, Arc<RedisServer>, Duration) -> Turn,
}

impl Contender {
    pub(crate) const fn of<C: Client>(name: &'static str) -> Self {
        let turn = |workload, redis, length| Box::pin(turn::<C>(workload, redis, length)) as _;
        Self { name, is_the_measure: false, turn }
    }

    pub(crate) const fn as_the_measure(self) -> Self {
        Self { is_the_measure: true, ..self }
    }

    pub(crate) async fn turn(
        &self,
        workload: Workload,
        redis: Arc<RedisServer>,
        length: Duration,
    ) -> Result<Spent> {
        let turn = timeout(length + PATIENCE, (self.turn)(workload, redis, length));
        let result = turn.await.unwrap_or_else(|_| Err("it never ended".into()));
        result.map_err(|error| format!("{}, {workload}: {error}", self.name).into())
    }
}

/// Until a command fails. Defaults, of half a second and more, are too short for a machine that does
/// something else as well.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// Nothing here takes so long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Connects and warms up, then measures.
async fn turn<C: Client>(
    workload: Workload,
    redis: Arc<RedisServer>,
    length: Duration,
) -> Result<Spent> {
    let client = C::connect(&redis.url()).await?;
    workloads::run(workload, &client, &redis, length / 10).await?;
    workloads::run(workload, &client, &redis, length).await
}
