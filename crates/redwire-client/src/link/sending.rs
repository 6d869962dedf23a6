use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Link;
use super::connection::Connection;
use super::gather::{Alone, Failure, Load, Outcome, outcome};
use super::state::State;
use crate::Error;

/// How a command gets its reply; what may be sent is decided elsewhere.
impl Link {
    /// The reply, which may be an error reply. Errors are the connection's own.
    pub(crate) async fn reply(
        &self,
        name: &str,
        command: &Cmd,
        fast: bool,
    ) -> Result<Value, Error> {
        self.admitted(name).await?;
        match self.alone(name) {
            Some((connection, alone)) => {
                // Boxed, as whoever queues needs no room for it.
                let reply = connection.call(command);
                Box::pin(self.by_itself(name, &connection, alone, reply)).await
            }
            None => self.queued(name, Load::One { command: command.clone(), fast }).await,
        }
    }

    /// So many replies after the first `skip`; each may be an error reply.
    pub(crate) async fn replies(
        &self,
        name: &str,
        pipeline: &Pipeline,
        skip: usize,
        count: usize,
    ) -> Result<Vec<Value>, Error> {
        self.admitted(name).await?;
        let reply = match self.alone(name) {
            Some((connection, alone)) => {
                let replies = connection.call_all(pipeline, skip, count);
                let replies = async { replies.await.map(Value::Array) };
                self.by_itself(name, &connection, alone, replies).await?
            }
            None => {
                let load = Load::Many { pipeline: pipeline.clone(), skip, count };
                self.queued(name, load).await?
            }
        };
        match reply {
            Value::Array(replies) if replies.len() == count => Ok(replies),
            _ => Err(Error::Reply { endpoint: self.endpoint(), command: name.to_owned() }),
        }
    }

    /// Queues a command at once; it is sent even if nobody waits for the reply.
    pub(crate) fn send(&self, name: &str, command: Cmd, fast: bool) -> Result<Pending, Error> {
        self.worth_waiting(name)?;
        if !self.shared().gather.try_admit() {
            return Err(Error::Overloaded { endpoint: self.endpoint(), command: name.to_owned() });
        }
        let (number, outcome) = self.shared().gather.push(Load::One { command, fast }, true);
        Ok(Pending { link: self.clone(), name: name.to_owned(), number, outcome })
    }

    /// Waits for its turn; an error if there is no use in waiting.
    async fn admitted(&self, name: &str) -> Result<(), Error> {
        let shared = self.shared();
        if !shared.is_live() {
            self.worth_waiting(name)?;
        }
        if shared.gather.try_admit() {
            return Ok(());
        }
        let turn = timeout(shared.config.command_timeout, shared.gather.admit());
        Box::pin(turn).await.map_err(|_| {
            let (endpoint, command) = (self.endpoint(), name.to_owned());
            Error::Overloaded { endpoint, command }
        })
    }

    /// With a connection and a ticket the caller sends by itself; else it queues.
    fn alone(&self, name: &str) -> Option<(Connection, Alone<'_>)> {
        if !self.shared().gather.may_be_idle() {
            return None;
        }
        // Without a connection, whoever empties the queue says why.
        let connection = self.worth_waiting(name).ok()??;
        Some((connection, self.shared().gather.alone()?))
    }

    async fn by_itself(
        &self,
        name: &str,
        connection: &Connection,
        alone: Alone<'_>,
        reply: impl Future<Output = RedisResult<Value>>,
    ) -> Result<Value, Error> {
        if let Ok(reply) = timeout(self.shared().config.command_timeout, reply).await {
            alone.landed();
            return outcome(connection, reply).map_err(|failure| self.failed(name, failure));
        }
        connection.overdue();
        Err(self.failed(name, Failure::Timeout(connection.endpoint().clone())))
    }

    async fn queued(&self, name: &str, load: Load) -> Result<Value, Error> {
        let (number, outcome) = self.shared().gather.push(load, false);
        self.arrived(name, number, outcome).await
    }

    /// The connection, or None while the first attempt is under way; later ones are not waited for.
    pub(super) fn worth_waiting(&self, name: &str) -> Result<Option<Connection>, Error> {
        let command = || name.to_owned();
        match &*self.shared().state.borrow() {
            State::Live(connection) if !connection.is_dead() => Ok(Some(connection.clone())),
            State::Live(_) | State::Connecting => Ok(None),
            State::Down(error) => {
                let shared = self.shared();
                Err(Error::down(&shared.label, shared.setup.database, command(), error))
            }
            State::Closed => Err(Error::Closed { command: command() }),
        }
    }

    /// While there is no connection, no other deadline runs.
    async fn arrived(
        &self,
        name: &str,
        number: u64,
        outcome: oneshot::Receiver<Outcome>,
    ) -> Result<Value, Error> {
        if self.is_live() {
            return self.landed(name, outcome.await);
        }
        let after = self.shared().config.command_timeout;
        match Box::pin(timeout(after, outcome)).await {
            Ok(outcome) => self.landed(name, outcome),
            Err(_) if self.shared().gather.withdraw(number) => {
                Err(self.failed(name, Failure::NotSent))
            }
            Err(_) => Err(self.failed(name, Failure::Timeout(self.endpoint()))),
        }
    }

    fn landed(
        &self,
        name: &str,
        outcome: Result<Outcome, oneshot::error::RecvError>,
    ) -> Result<Value, Error> {
        // Whoever held the sender ended with the link.
        let outcome = outcome.unwrap_or_else(|_| Err(Failure::Lost(self.shared().label.clone())));
        outcome.map_err(|failure| self.failed(name, failure))
    }

    fn failed(&self, name: &str, failure: Failure) -> Error {
        let (command, after) = (name.to_owned(), self.shared().config.command_timeout);
        match failure {
            Failure::NotSent => match self.worth_waiting(name) {
                Err(error) => error,
                Ok(_) => Error::Unavailable { endpoint: self.endpoint(), command, source: None },
            },
            Failure::Lost(endpoint) => Error::Lost { endpoint, command },
            Failure::Timeout(endpoint) => Error::Timeout { endpoint, command, after },
            Failure::Aborted(endpoint, source) => Error::aborted(endpoint, source),
        }
    }
}

/// A command that was queued, and whose reply can be awaited.
#[derive(Debug)]
pub(crate) struct Pending {
    link: Link,
    name: String,
    number: u64,
    outcome: oneshot::Receiver<Outcome>,
}

impl Pending {
    /// The reply, which may be an error reply.
    pub(crate) async fn reply(self) -> Result<Value, Error> {
        self.link.arrived(&self.name, self.number, self.outcome).await
    }
}
