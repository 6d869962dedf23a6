use bytes::Bytes;
use redis::{Arg, Cmd, Value};
use tokio::time::timeout;

use super::Link;
use super::connection::Connection;
use crate::Error;

/// Commands on the link's own connection.
///
/// Redis answers them in order with what it publishes: whatever it published before the reply is in
/// every feed when the call returns. While the link is down they fail at once; they are never sent
/// twice. Dropping a call's future does not take back a command that was sent.
impl Link {
    /// Sends any command that doesn't need a connection of its own, within the command timeout.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] and [`Error::NotShareable`] if it was not sent; [`Error::Lost`] and
    /// [`Error::Timeout`] if it may have been carried out; [`Error::WrongType`] and [`Error::Server`]
    /// if Redis refused it.
    pub async fn command(&self, command: &Cmd) -> Result<Value, Error> {
        let name = name_of(command);
        if !is_shareable(&name, command) {
            return Err(Error::NotShareable { command: name });
        }
        let shared = self.shared();
        let endpoint = shared.endpoint.clone();
        let Some(connection) = shared.connection.borrow().clone() else {
            return Err(Error::Unavailable { endpoint, command: name });
        };
        let after = shared.config.command_timeout;
        match timeout(after, self.send(&connection, command)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Error::from_reply(endpoint, name, &error)),
            Err(_) => Err(Error::Timeout { endpoint, command: name, after }),
        }
    }

    /// `HGET`: one field of a hash, or None.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command).
    pub async fn hget(&self, key: &str, field: &str) -> Result<Option<Bytes>, Error> {
        match self.command(redis::cmd("HGET").arg(key).arg(field)).await? {
            Value::Nil => Ok(None),
            value => self.bytes("HGET", value).map(Some),
        }
    }

    /// `HVALS`: all values of a hash, in no order; none if there is no such key.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command).
    pub async fn hvals(&self, key: &str) -> Result<Vec<Bytes>, Error> {
        match self.command(redis::cmd("HVALS").arg(key)).await? {
            Value::Array(values) => {
                values.into_iter().map(|value| self.bytes("HVALS", value)).collect()
            }
            _ => Err(self.unexpected("HVALS")),
        }
    }

    /// `HSET` of one field. Whether the field is new.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command).
    pub async fn hset(
        &self,
        key: &str,
        field: &str,
        value: impl AsRef<[u8]>,
    ) -> Result<bool, Error> {
        let mut command = redis::cmd("HSET");
        command.arg(key).arg(field).arg(value.as_ref());
        Ok(self.integer("HSET", &command).await? > 0)
    }

    /// `PUBLISH`. How many connections to this Redis received it.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command).
    pub async fn publish(&self, channel: &str, payload: impl AsRef<[u8]>) -> Result<u64, Error> {
        let mut command = redis::cmd("PUBLISH");
        command.arg(channel).arg(payload.as_ref());
        self.integer("PUBLISH", &command).await
    }

    async fn send(&self, connection: &Connection, command: &Cmd) -> redis::RedisResult<Value> {
        // The semaphore is never closed, so there is always a permit in the end.
        let _permit = self.shared().permits.acquire().await.ok();
        connection.call(command).await
    }

    async fn integer(&self, name: &str, command: &Cmd) -> Result<u64, Error> {
        match self.command(command).await? {
            Value::Int(number) => u64::try_from(number).map_err(|_| self.unexpected(name)),
            _ => Err(self.unexpected(name)),
        }
    }

    fn bytes(&self, name: &str, value: Value) -> Result<Bytes, Error> {
        match value {
            Value::BulkString(bytes) => Ok(Bytes::from(bytes)),
            _ => Err(self.unexpected(name)),
        }
    }

    fn unexpected(&self, name: &str) -> Error {
        Error::Reply { endpoint: self.shared().endpoint.clone(), command: name.to_owned() }
    }
}

/// The first word, in capitals; the only part of a command that errors may show.
fn name_of(command: &Cmd) -> String {
    match command.args_iter().next() {
        Some(Arg::Simple(name)) => String::from_utf8_lossy(name).to_ascii_uppercase(),
        _ => String::new(),
    }
}

/// What makes everybody else on the connection wait.
const BLOCKING: [&str; 10] = [
    "BLMOVE",
    "BLMPOP",
    "BLPOP",
    "BRPOP",
    "BRPOPLPUSH",
    "BZMPOP",
    "BZPOPMAX",
    "BZPOPMIN",
    "WAIT",
    "WAITAOF",
];

/// What changes the connection for everybody, or which reply belongs to whom.
const PRIVATE: [&str; 22] = [
    "ASKING",
    "AUTH",
    "DISCARD",
    "EXEC",
    "HELLO",
    "MONITOR",
    "MULTI",
    "PSUBSCRIBE",
    "PSYNC",
    "PUNSUBSCRIBE",
    "QUIT",
    "READONLY",
    "READWRITE",
    "RESET",
    "SELECT",
    "SSUBSCRIBE",
    "SUBSCRIBE",
    "SUNSUBSCRIBE",
    "SYNC",
    "UNSUBSCRIBE",
    "UNWATCH",
    "WATCH",
];

fn is_shareable(name: &str, command: &Cmd) -> bool {
    match name {
        "" => false,
        "XREAD" | "XREADGROUP" => !has_word(command, b"BLOCK"),
        "CLIENT" => !has_word(command, b"REPLY"),
        _ => !BLOCKING.contains(&name) && !PRIVATE.contains(&name),
    }
}

fn has_word(command: &Cmd, word: &[u8]) -> bool {
    command.args_iter().any(|arg| matches!(arg, Arg::Simple(arg) if arg.eq_ignore_ascii_case(word)))
}
