use std::collections::BTreeMap;
use std::time::Instant;

use redis::{Cmd, FromRedisValue, Pipeline, Value};
use tracing::Instrument as _;

use super::scripts::{Scripts, by_hash, is_unknown};
use super::{Pending, Redis};
use crate::catalogue::{self, Flags, name_of};
use crate::node::{Batch, Call};
use crate::{Endpoint, Error};

/// Commands of any kind.
impl Redis {
    /// Sends a command and returns its reply.
    ///
    /// One that blocks waits on a connection of its own, without a deadline; all others have
    /// [`command_timeout`](crate::LinkConfig::command_timeout). One that only reads is sent again if its
    /// connection breaks. The text of a script (`EVAL`) is sent the first time only, and after that where
    /// it is not known: its hash is shorter.
    ///
    /// # Errors
    ///
    /// [`Error::outcome`] says whether it may have been carried out.
    pub async fn command(&self, command: &Cmd) -> Result<Value, Error> {
        let name = name_of(command);
        // Boxed, because it holds all layers down to the socket: callers' futures stay small.
        let reply = Box::pin(self.reply(&name, command)).await?;
        self.refined(&name, reply)
    }

    /// The same, with the reply as a Rust type.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command), and [`Error::Reply`] if the reply is of another type.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Error> {
        let value = self.command(command).await?;
        redis::from_redis_value(value).map_err(|_| self.unexpected(name_of(command).into_owned()))
    }

    /// Sends a command at once, and does not wait for the reply: that can be awaited later, in any
    /// order, or never. Commands are carried out in the order of these calls; in a cluster, those of one
    /// node are, unless their slot is about to move.
    ///
    /// It does not wait for its turn: beyond [`commands_in_flight`](crate::LinkConfig::commands_in_flight)
    /// the reply is [`Error::Overloaded`], and nothing is sent. It is not sent again when its connection
    /// breaks, except in a cluster.
    pub fn send(&self, command: Cmd) -> Pending {
        Pending::new(self, command)
    }

    /// Sends many commands in one write, on one connection; in a cluster each node gets its commands in
    /// one write. Each has its own reply or error. A pipeline that is [atomic](Pipeline::atomic) is a
    /// [transaction](Self::multi).
    ///
    /// # Errors
    ///
    /// What fails them all.
    pub async fn pipeline(&self, pipeline: &Pipeline) -> Result<Vec<Result<Value, Error>>, Error> {
        if pipeline.is_transaction() {
            return self.transact(pipeline).await;
        }
        let replies = self.replies(pipeline, 0, pipeline.len()).await?;
        let named = pipeline.cmd_iter().map(name_of).zip(replies);
        Ok(named.map(|(name, reply)| self.refined(&name, reply)).collect())
    }

    /// The reply, which may be an error reply.
    pub(super) async fn reply(&self, name: &str, command: &Cmd) -> Result<Value, Error> {
        match Scripts::hash(name, command) {
            Some(hash) => Box::pin(self.reply_of_script(name, hash, command)).await,
            None => self.reply_as_it_is(name, command).await,
        }
    }

    async fn reply_of_script(
        &self,
        name: &str,
        hash: String,
        command: &Cmd,
    ) -> Result<Value, Error> {
        if self.inner.scripts.knows(&hash) {
            let (name, short) = by_hash(name, &hash, command);
            let reply = self.reply_as_it_is(name, &short).await?;
            if !is_unknown(&reply) {
                return Ok(reply);
            }
        }
        let reply = self.reply_as_it_is(name, command).await?;
        if !matches!(reply, Value::ServerError(_)) {
            self.inner.scripts.keep(hash);
        }
        Ok(reply)
    }

    async fn reply_as_it_is(&self, name: &str, command: &Cmd) -> Result<Value, Error> {
        let flags = self.flags(name, command).await?;
        let repeatable = self.is_repeatable(flags);
        let call = Call { name, command, flags, repeatable };
        let since = Instant::now();
        let span = tracing::debug_span!("redis", command = name, family = flags.family.name());
        let reply = self.inner.servers.reply(self.scope, call);
        let reply = match span.is_disabled() {
            true => reply.await,
            false => Box::pin(reply.instrument(span)).await,
        };
        self.inner.observed.done(flags.family, since, &reply);
        reply
    }

    /// So many replies after the first `skip`. On a connection of its own if a command of it blocks.
    pub(super) async fn replies(
        &self,
        pipeline: &Pipeline,
        skip: usize,
        count: usize,
    ) -> Result<Vec<Value>, Error> {
        if pipeline.is_transaction() {
            return Ok(vec![self.exec(pipeline).await?]);
        }
        let Some(first) = pipeline.cmd_iter().next() else { return Ok(Vec::new()) };
        let (mut blocking, mut repeatable) = (false, true);
        for command in pipeline.cmd_iter() {
            let flags = self.flags(&name_of(command), command).await?;
            blocking |= flags.blocking;
            repeatable &= self.is_repeatable(flags);
        }
        let name = name_of(first);
        let batch = Batch { name: &name, pipeline, skip, count, blocking, repeatable };
        self.inner.servers.replies(self.scope, batch).await
    }

    /// Sends a command to each master of a cluster, and returns what each of them said.
    ///
    /// A command with a key is answered by the key's master in all of them. For what a cluster has no
    /// one place for, such as `KEYS` or `FLUSHALL`: [`command`](Self::command) sends these to any one
    /// master.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if this is no cluster, and [`Error::Unavailable`] if no master is known.
    pub async fn on_all_masters(
        &self,
        command: &Cmd,
    ) -> Result<BTreeMap<Endpoint, Result<Value, Error>>, Error> {
        let name = name_of(command);
        let flags = self.flags(&name, command).await?;
        let call = Call { name: &name, command, flags, repeatable: self.is_repeatable(flags) };
        let replies = self.inner.servers.on_all_masters(self.scope, call).await?;
        let refined = |(master, reply): (Endpoint, Result<Value, Error>)| {
            let reply = reply.and_then(|reply| match reply {
                Value::ServerError(error) => {
                    let endpoint = master.to_string().into();
                    Err(Error::from_reply(endpoint, name.clone().into_owned(), &error.into()))
                }
                value => Ok(value),
            });
            (master, reply)
        };
        Ok(replies.into_iter().map(refined).collect())
    }

    /// Whether it may be sent again although it may have been carried out.
    pub(super) fn is_repeatable(&self, flags: Flags) -> bool {
        flags.read_only || self.scope.idempotent
    }

    /// Queues it; None if the server for it is not known at once.
    pub(super) fn send_now(
        &self,
        name: &str,
        command: &Cmd,
        fast: bool,
    ) -> Option<Result<crate::link::Pending, Error>> {
        let lane = self.inner.servers.lane_now(self.scope, name, command)?;
        Some(lane.and_then(|lane| lane.send(name, command.clone(), fast)))
    }

    /// What is known of a command; the server is asked once for a name that is in no list.
    pub(super) async fn flags(&self, name: &str, command: &Cmd) -> Result<Flags, Error> {
        if let Some(flags) = self.known_flags(name, command)? {
            return Ok(flags);
        }
        Box::pin(self.learned_flags(name)).await
    }

    async fn learned_flags(&self, name: &str) -> Result<Flags, Error> {
        let mut question = redis::cmd("COMMAND");
        question.arg("INFO").arg(name);
        let call = Call {
            name: "COMMAND",
            command: &question,
            flags: Flags { read_only: true, ..Flags::default() },
            repeatable: true,
        };
        let info = self.inner.servers.reply(self.scope, call).await?;
        Ok(self.inner.learned.keep(name.to_owned(), &info))
    }

    /// Without asking anybody; an error for what is never sent as it is.
    pub(super) fn known_flags(&self, name: &str, command: &Cmd) -> Result<Option<Flags>, Error> {
        match catalogue::permitted(name, command) {
            Ok(flags) => Ok(flags.or_else(|| self.inner.learned.flags(name))),
            Err(instead) => {
                Err(Error::Invalid { command: name.to_owned(), problem: instead.into() })
            }
        }
    }

    /// An error reply as an error.
    pub(super) fn refined(&self, name: &str, reply: Value) -> Result<Value, Error> {
        match reply {
            Value::ServerError(error) => {
                Err(Error::from_reply(self.endpoint(), name.to_owned(), &error.into()))
            }
            value => Ok(value),
        }
    }

    pub(crate) fn unexpected(&self, command: String) -> Error {
        Error::Reply { endpoint: self.endpoint(), command }
    }

    pub(super) fn endpoint(&self) -> std::sync::Arc<str> {
        let endpoints = self.endpoints();
        let endpoints: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
        endpoints.join(",").into()
    }
}
