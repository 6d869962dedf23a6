use std::fmt;
use std::time::Duration;

use deadpool_redis::Connection;
use redis::{Cmd, ErrorKind, Pipeline, RedisResult, ServerErrorKind, Value};
use tokio::time::timeout;

use crate::link::Link;
use crate::{Endpoint, Error};

/// A connection that one caller has for itself. Unless it is given back it is closed: Redis may still
/// be waiting on it, or hold a `WATCH`.
pub(crate) struct Dedicated {
    connection: Option<Connection>,
    link: Link,
    endpoint: Endpoint,
    /// Whether a command is on its way or got no reply.
    unfinished: bool,
}

impl Dedicated {
    pub(super) fn new(connection: Connection, link: Link, endpoint: Endpoint) -> Self {
        Self { connection: Some(connection), link, endpoint, unfinished: false }
    }

    /// The reply, which may be an error reply; without `patience` it may take as long as it does, while
    /// the server can be reached.
    pub(crate) async fn reply(
        &mut self,
        name: &str,
        command: &Cmd,
        patience: Option<Duration>,
    ) -> Result<Value, Error> {
        let Some(mut connection) = self.connection() else { return Err(self.lost(name)) };
        self.unfinished = true;
        let reply = self.within(name, patience, connection.send_packed_command(command)).await?;
        self.unfinished = false;
        reply.map_err(|_| self.gone(name))
    }

    /// So many replies after the first `skip`.
    pub(crate) async fn replies(
        &mut self,
        name: &str,
        pipeline: &Pipeline,
        skip: usize,
        count: usize,
        patience: Option<Duration>,
    ) -> Result<Vec<Value>, Error> {
        let Some(mut connection) = self.connection() else { return Err(self.lost(name)) };
        self.unfinished = true;
        let sending = connection.send_packed_commands(pipeline, skip, count);
        let replies = self.within(name, patience, sending).await?;
        self.unfinished = false;
        replies.map_err(|error| match error.kind() {
            ErrorKind::Server(ServerErrorKind::ExecAbort) => {
                Error::aborted(self.endpoint.to_string().into(), error)
            }
            _ => self.gone(name),
        })
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Lets others have it.
    pub(crate) fn give_back(mut self) {
        if !self.unfinished {
            // Dropping it is what returns it to its pool.
            drop(self.connection.take());
        }
    }

    fn connection(&self) -> Option<redis::aio::MultiplexedConnection> {
        self.connection.as_ref().map(|connection| (**connection).clone())
    }

    async fn within<T>(
        &self,
        name: &str,
        patience: Option<Duration>,
        reply: impl Future<Output = RedisResult<T>>,
    ) -> Result<RedisResult<T>, Error> {
        let late = timeout(patience.unwrap_or(Duration::MAX), reply);
        tokio::select! {
            reply = late => reply.map_err(|_| {
                let endpoint = self.endpoint.to_string().into();
                Error::Timeout { endpoint, command: name.to_owned(), after: patience.unwrap_or_default() }
            }),
            // Nothing else notices a server that froze while a command waits in it.
            () = self.link.until_gone(&self.endpoint) => Err(self.lost(name)),
        }
    }

    /// The connection broke.
    fn gone(&mut self, name: &str) -> Error {
        self.unfinished = true;
        self.lost(name)
    }

    fn lost(&self, name: &str) -> Error {
        Error::Lost { endpoint: self.endpoint.to_string().into(), command: name.to_owned() }
    }
}

impl Drop for Dedicated {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(Connection::take(connection));
        }
    }
}

impl fmt::Debug for Dedicated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dedicated").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
