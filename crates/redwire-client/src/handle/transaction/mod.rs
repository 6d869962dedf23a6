//! Commands that are carried out together.

mod queued;
mod verdict;
mod watched;

use std::fmt;
use std::sync::Arc;

use redis::{Cmd, Pipeline, Value};
use tokio::sync::watch;

use queued::Phase;
pub use queued::Queued;
pub use watched::Watched;

use super::Redis;
use crate::Error;
use crate::catalogue::{name_of, permitted};
use crate::node::Dedicated;

/// Commands that Redis will carry out together, with no other client's in between (`MULTI` and `EXEC`).
/// From [`Redis::multi`] or [`Watched::multi`].
///
/// They are collected, and go out in one write when the transaction is executed. Dropped before, it sends
/// nothing.
///
/// ```no_run
/// use redwire_client::Redis;
/// use redwire_client::redis::{Cmd, pipe};
///
/// # async fn example(redis: Redis) -> Result<(), redwire_client::Error> {
/// let mut transaction = redis.multi();
/// transaction.pipeline(pipe().set("visitors", 1).expire("visitors", 60));
/// let visitors = transaction.command(&Cmd::incr("visitors", 1));
/// transaction.execute().await?;
/// println!("{:?}", visitors.await?);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent until it is executed"]
pub struct Transaction {
    redis: Redis,
    /// The connection that has watched for it. Without one, that which everybody shares.
    watched: Option<Dedicated>,
    commands: Pipeline,
    phase: watch::Sender<Phase>,
}

/// What became of a transaction: the reply to each command in order, or what fails them all.
type Verdict = Result<Vec<Result<Value, Error>>, Error>;

impl Redis {
    /// A transaction without any commands yet. In a cluster all its keys must be of one slot.
    pub fn multi(&self) -> Transaction {
        Transaction::new(self.clone(), None)
    }

    /// Carries them out in one write on the shared connection, whether the pipeline is atomic or not.
    pub(super) async fn transact(&self, commands: &Pipeline) -> Verdict {
        if check(commands)?.is_none() {
            return Ok(Vec::new());
        }
        let (endpoint, replies) = self.together(commands).await?;
        verdict::of(&endpoint, commands, replies)
    }

    /// The reply to `EXEC`, as redis-rs expects it of an atomic pipeline.
    pub(super) async fn exec(&self, commands: &Pipeline) -> Result<Value, Error> {
        if check(commands)?.is_none() {
            return Ok(Value::Array(Vec::new()));
        }
        let (endpoint, replies) = self.together(commands).await?;
        Ok(verdict::exec(&endpoint, replies)?.map_or(Value::Nil, Value::Array))
    }

    async fn together(&self, commands: &Pipeline) -> Result<(Arc<str>, Vec<Value>), Error> {
        let (enclosed, _) = verdict::enclosed(commands);
        self.inner.servers.together(self.scope, "EXEC", &enclosed).await
    }
}

impl Transaction {
    fn new(redis: Redis, watched: Option<Dedicated>) -> Self {
        let phase = watch::Sender::new(Phase::Collecting);
        Self { redis, watched, commands: Pipeline::new(), phase }
    }

    /// Adds a command. Its reply is in what it returns once the transaction was executed.
    ///
    /// Any that may be sent by itself. What would block does not: Redis answers at once, as if it had
    /// timed out.
    pub fn command(&mut self, command: &Cmd) -> Queued {
        let place = self.commands.len();
        self.commands.add_command(command.clone());
        Queued::new(name_of(command).into_owned(), place, self.phase.subscribe())
    }

    /// Adds all commands of a pipeline, which has a method for each of redis-rs. What it was told to
    /// ignore is not ignored.
    pub fn pipeline(&mut self, commands: &Pipeline) {
        for command in commands.cmd_iter() {
            self.commands.add_command(command.clone());
        }
    }

    /// Sends it in one write, and returns the reply to each command. An error among them is that
    /// command's only: all others were carried out. Without any commands nothing is sent.
    ///
    /// Dropping this future does not take back what was sent.
    ///
    /// # Errors
    ///
    /// What fails them all: [`Error::Aborted`] if Redis refused one of them before it ran any,
    /// [`Error::Conflict`] if a watched key was changed; and [`Error::Invalid`] for a command that is
    /// never sent as it is.
    pub async fn execute(mut self) -> Result<Vec<Result<Value, Error>>, Error> {
        self.phase.send_replace(Phase::Sent);
        let verdict = self.carry_out().await;
        if self.phase.receiver_count() > 0 {
            self.phase.send_replace(Phase::Done(verdict.clone()));
        }
        verdict
    }

    async fn carry_out(&mut self) -> Verdict {
        match self.watched.take() {
            Some(connection) => carry_out_on(connection, &self.redis, &self.commands).await,
            None => self.redis.transact(&self.commands).await,
        }
    }
}

/// Unless it returns by itself, the connection is closed, and the watch ends with it.
async fn carry_out_on(mut connection: Dedicated, redis: &Redis, commands: &Pipeline) -> Verdict {
    if check(commands)?.is_none() {
        return watched::unwatch(connection, redis).await.map(|()| Vec::new());
    }
    let (enclosed, count) = verdict::enclosed(commands);
    let patience = Some(redis.config().link.command_timeout);
    let replies = connection.replies("EXEC", &enclosed, 0, count, patience).await?;
    let endpoint = connection.endpoint().to_string().into();
    connection.give_back();
    verdict::of(&endpoint, commands, replies)
}

/// The first command, if there are any and all may be sent.
fn check(commands: &Pipeline) -> Result<Option<&Cmd>, Error> {
    for command in commands.cmd_iter() {
        let name = name_of(command);
        if let Err(instead) = permitted(&name, command) {
            return Err(Error::Invalid { command: name.into_owned(), problem: instead.into() });
        }
    }
    Ok(commands.cmd_iter().next())
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let endpoint: Arc<str> = self.redis.endpoint();
        self.phase.send_modify(|phase| phase.end(endpoint));
    }
}

/// Without the commands: they carry arguments.
impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("redis", &self.redis)
            .field("watched", &self.watched)
            .field("commands", &self.commands.len())
            .finish()
    }
}
