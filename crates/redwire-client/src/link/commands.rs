use bytes::Bytes;
use redis::{Cmd, Value};

use super::Link;
use crate::Error;
use crate::catalogue::{self, name_of};

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
        let flags = match catalogue::permitted(&name, command) {
            Ok(flags) => flags.unwrap_or_default(),
            Err(_) => return Err(Error::NotShareable { command: name.into_owned() }),
        };
        if flags.blocking {
            return Err(Error::NotShareable { command: name.into_owned() });
        }
        let reply = self.reply(&name, command, flags.fast).await?;
        self.accepted(&name, reply)
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

    /// A reply that is no error.
    pub(super) fn accepted(&self, name: &str, reply: Value) -> Result<Value, Error> {
        match reply {
            Value::ServerError(error) => {
                Err(Error::from_reply(self.endpoint(), name.to_owned(), &error.into()))
            }
            value => Ok(value),
        }
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

    pub(super) fn unexpected(&self, name: &str) -> Error {
        Error::Reply { endpoint: self.endpoint(), command: name.to_owned() }
    }
}
