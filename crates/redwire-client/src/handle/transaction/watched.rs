use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{Cmd, FromRedisValue, Pipeline, RedisFuture, ToRedisArgs, Value, cmd};
use tokio::time::sleep;

use super::{Redis, Transaction};
use crate::Error;
use crate::backoff::Backoff;
use crate::catalogue::name_of;
use crate::node::Dedicated;

/// A connection of one's own on which keys are watched: its [transaction](Self::multi) is carried out
/// only if nobody has changed them since. From [`Redis::watch`].
///
/// What is read on it, by [`command`](Self::command) or with any method of redis-rs, is read on the
/// connection that watches. Dropping it ends the watch and closes the connection.
#[derive(Debug)]
#[must_use = "dropping it ends the watch"]
pub struct Watched {
    redis: Redis,
    connection: Dedicated,
    /// Whether anything was read since.
    used: bool,
}

/// How often [`Redis::transaction`] tries.
const ATTEMPTS: u32 = 16;
/// Pauses between attempts: whoever was quicker is done after a few round trips.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

impl Redis {
    /// Watches keys (`WATCH`), on a connection from the pool. In a cluster the first key says which node
    /// has them.
    ///
    /// ```no_run
    /// use redwire_client::redis::{AsyncCommands, Cmd};
    /// use redwire_client::{Error, Redis};
    ///
    /// # async fn example(redis: Redis) -> Result<(), Error> {
    /// let mut watched = redis.watch("stock").await?;
    /// let stock: i64 = watched.get("stock").await?;
    /// let mut transaction = watched.multi()?;
    /// transaction.command(&Cmd::set("stock", stock - 1));
    /// match transaction.execute().await {
    ///     Err(Error::Conflict { .. }) => println!("somebody was quicker"),
    ///     other => drop(other?),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for no keys, [`Error::PoolTimeout`] if no connection became free within
    /// [`pool_wait`](crate::Config::pool_wait), which has no end unless it is set.
    pub async fn watch(&self, keys: impl ToRedisArgs) -> Result<Watched, Error> {
        self.watch_by(cmd("WATCH").arg(keys)).await
    }

    /// Watches keys, calls `attempt`, and calls it again if it fails with [`Error::Conflict`]: at most 16
    /// times, after a short random pause each. Returns what `attempt` returns.
    ///
    /// ```no_run
    /// use redwire_client::redis::{AsyncCommands, Cmd};
    ///
    /// # async fn example(redis: redwire_client::Redis) -> Result<(), redwire_client::Error> {
    /// let left = redis.transaction("stock", async |mut watched| {
    ///     let stock: i64 = watched.get("stock").await?;
    ///     let mut transaction = watched.multi()?;
    ///     transaction.command(&Cmd::set("stock", stock - 1));
    ///     transaction.execute().await?;
    ///     Ok(stock - 1)
    /// });
    /// println!("{}", left.await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`watch`](Self::watch), and what `attempt` fails with, at last also [`Error::Conflict`].
    pub async fn transaction<T>(
        &self,
        keys: impl ToRedisArgs,
        mut attempt: impl AsyncFnMut(Watched) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let watch = cmd("WATCH").arg(keys).to_owned();
        let mut backoff = Backoff::new(SHORTEST_PAUSE, LONGEST_PAUSE);
        for _ in 1..ATTEMPTS {
            match attempt(self.watch_by(&watch).await?).await {
                Err(Error::Conflict { .. }) => sleep(backoff.pause()).await,
                outcome => return outcome,
            }
        }
        attempt(self.watch_by(&watch).await?).await
    }

    async fn watch_by(&self, watch: &Cmd) -> Result<Watched, Error> {
        if watch.args_iter().nth(1).is_none() {
            return Err(invalid("WATCH", "No keys set to watch"));
        }
        let (connection, reply) = self.inner.servers.opened(self.scope, "WATCH", watch).await?;
        let watched = Watched { redis: self.clone(), connection, used: false };
        watched.refined("WATCH".to_owned(), reply)?;
        Ok(watched)
    }
}

impl Watched {
    /// Sends a command on this connection and returns its reply.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn command(&mut self, command: &Cmd) -> Result<Value, Error> {
        let name = name_of(command);
        let reply = self.reply(&name, command).await?;
        self.refined(name.into_owned(), reply)
    }

    /// The same, with the reply as a Rust type.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command), and [`Error::Reply`] if the reply is of another type.
    pub async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, Error> {
        let value = self.command(command).await?;
        redis::from_redis_value(value).map_err(|_| Error::Reply {
            endpoint: self.connection.endpoint().to_string().into(),
            command: name_of(command).into_owned(),
        })
    }

    /// A transaction on this connection, carried out only if no watched key was changed. However it
    /// ends, so does the watch.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if nothing was read: what does not depend on the keys need not watch them.
    pub fn multi(self) -> Result<Transaction, Error> {
        if !self.used {
            let problem = "Please run some commands between watch and multi phase";
            return Err(invalid("MULTI", problem));
        }
        Ok(Transaction::new(self.redis, Some(self.connection)))
    }

    /// Ends the watch, and gives the connection back to the pool.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command).
    pub async fn unwatch(self) -> Result<(), Error> {
        unwatch(self.connection, &self.redis).await
    }

    async fn reply(&mut self, name: &str, command: &Cmd) -> Result<Value, Error> {
        let blocking = self.redis.flags(name, command).await?.blocking;
        let patience = self.patience(blocking);
        self.used = true;
        self.connection.reply(name, command, patience).await
    }

    async fn replies(
        &mut self,
        pipeline: &Pipeline,
        skip: usize,
        count: usize,
    ) -> Result<Vec<Value>, Error> {
        let Some(first) = pipeline.cmd_iter().next() else { return Ok(Vec::new()) };
        if pipeline.is_transaction() {
            return Err(invalid("MULTI", "use `multi`: the watch would end unnoticed"));
        }
        let mut blocking = false;
        for command in pipeline.cmd_iter() {
            blocking |= self.redis.flags(&name_of(command), command).await?.blocking;
        }
        let patience = self.patience(blocking);
        self.used = true;
        self.connection.replies(&name_of(first), pipeline, skip, count, patience).await
    }

    fn patience(&self, blocking: bool) -> Option<Duration> {
        (!blocking).then_some(self.redis.config().link.command_timeout)
    }

    fn refined(&self, name: String, reply: Value) -> Result<Value, Error> {
        let endpoint = || self.connection.endpoint().to_string().into();
        match reply {
            Value::ServerError(error) => Err(Error::from_reply(endpoint(), name, &error.into())),
            value => Ok(value),
        }
    }
}

/// What makes every command of redis-rs work on it; errors are as on a [`Redis`].
impl ConnectionLike for Watched {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move { Ok(self.reply(&name_of(command), command).await?) })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move { Ok(self.replies(pipeline, offset, count).await?) })
    }

    fn get_db(&self) -> i64 {
        self.redis.get_db()
    }
}

/// Ends the watch now, although the pool would before it hands the connection out again.
pub(super) async fn unwatch(mut connection: Dedicated, redis: &Redis) -> Result<(), Error> {
    let patience = Some(redis.config().link.command_timeout);
    connection.reply("UNWATCH", &cmd("UNWATCH"), patience).await?;
    connection.give_back();
    Ok(())
}

fn invalid(command: &str, problem: &'static str) -> Error {
    Error::Invalid { command: command.to_owned(), problem: problem.into() }
}
