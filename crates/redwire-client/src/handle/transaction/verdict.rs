//! What Redis' replies say of a transaction.
//!
//! Its commands go out as plain ones between `MULTI` and `EXEC`. Redis-rs' own atomic mode loses the error
//! if `MULTI` itself is refused, and takes it for a transaction that was discarded (redis 1.8.1).

use std::sync::Arc;

use redis::{Pipeline, ServerError, Value, cmd};

use super::Verdict;
use crate::Error;
use crate::catalogue::name_of;

/// The commands between `MULTI` and `EXEC`, and how many replies they have.
pub(super) fn enclosed(commands: &Pipeline) -> (Pipeline, usize) {
    let count = commands.len() + 2;
    let mut enclosed = Pipeline::with_capacity(count);
    enclosed.add_command(cmd("MULTI"));
    for command in commands.cmd_iter() {
        enclosed.add_command(command.clone());
    }
    enclosed.add_command(cmd("EXEC"));
    (enclosed, count)
}

/// What Redis said to each command, or nothing if a watched key was changed; from the replies to all that
/// was [`enclosed`].
pub(super) fn exec(endpoint: &Arc<str>, replies: Vec<Value>) -> Result<Option<Vec<Value>>, Error> {
    let refused = |command: &str, error: ServerError| {
        Error::from_reply(endpoint.clone(), command.to_owned(), &error.into())
    };
    let mut replies = replies.into_iter();
    // Without it the others were carried out, one by one.
    if let Some(Value::ServerError(error)) = replies.next() {
        let source = Box::new(refused("MULTI", error));
        return Err(Error::InPart { command: "MULTI".to_owned(), source });
    }
    match replies.next_back() {
        Some(Value::Array(values)) => Ok(Some(values)),
        Some(Value::Nil) => Ok(None),
        Some(Value::ServerError(error)) if error.code() == "EXECABORT" => {
            let places = replies.enumerate().filter_map(|(place, reply)| match reply {
                Value::ServerError(error) => Some((place, error)),
                _ => None,
            });
            Err(Error::discarded(endpoint.clone(), places, error.into()))
        }
        Some(Value::ServerError(error)) => Err(refused("EXEC", error)),
        _ => Err(Error::Reply { endpoint: endpoint.clone(), command: "EXEC".to_owned() }),
    }
}

/// The same for each command by itself.
pub(super) fn of(endpoint: &Arc<str>, commands: &Pipeline, replies: Vec<Value>) -> Verdict {
    match exec(endpoint, replies)? {
        Some(values) if values.len() == commands.len() => {
            let names = commands.cmd_iter().map(|command| name_of(command).into_owned());
            let reply = |(name, value)| match value {
                Value::ServerError(error) => {
                    Err(Error::from_reply(endpoint.clone(), name, &ServerError::into(error)))
                }
                value => Ok(value),
            };
            Ok(names.zip(values).map(reply).collect())
        }
        Some(_) => Err(Error::Reply { endpoint: endpoint.clone(), command: "EXEC".to_owned() }),
        None => Err(Error::Conflict { endpoint: endpoint.clone() }),
    }
}
