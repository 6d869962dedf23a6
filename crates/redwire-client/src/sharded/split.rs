use futures_util::future::join_all;
use redis::{Cmd, Value};

use super::keys::arguments;
use crate::catalogue;
use crate::{Error, Outcome, Redis};

/// How the replies to the parts of a command become its reply.
#[derive(Clone, Copy, Debug)]
pub(super) enum Merge {
    /// One value for each key, in the order of the keys.
    Values,
    Sum,
    Okay,
}

impl Merge {
    /// None for a command that cannot be split.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "MGET" => Some(Self::Values),
            "DEL" | "EXISTS" | "TOUCH" | "UNLINK" => Some(Self::Sum),
            "MSET" => Some(Self::Okay),
            _ => None,
        }
    }

    /// How many arguments belong together: a key, or a key and its value.
    fn unit(self) -> usize {
        match self {
            Self::Values | Self::Sum => 1,
            Self::Okay => 2,
        }
    }
}

/// What one node has to do of a command.
struct Part<'n> {
    node: &'n Redis,
    command: Cmd,
    /// Which of the command's keys these are.
    places: Vec<usize>,
}

/// Sends each node its part, all at once, and merges the replies.
pub(super) async fn reply<'n>(
    name: &str,
    command: &Cmd,
    merge: Merge,
    node_of: impl Fn(&[u8]) -> Result<&'n Redis, Error>,
) -> Result<Value, Error> {
    let parts = parts(name, command, merge, node_of)?;
    let count = parts.iter().map(|part| part.places.len()).sum();
    let replies = join_all(parts.iter().map(|part| part.node.command(&part.command))).await;
    let read_only = catalogue::known(name, command).is_some_and(|flags| flags.read_only);
    let replies = all(name, read_only, replies)?;
    let mut merged = Merged { values: vec![Value::Nil; count], sum: 0 };
    for (part, reply) in parts.iter().zip(replies) {
        merged.add(merge, part, reply).ok_or_else(|| part.node.unexpected(name.to_owned()))?;
    }
    Ok(match merge {
        Merge::Values => Value::Array(merged.values),
        Merge::Sum => Value::Int(merged.sum),
        Merge::Okay => Value::Okay,
    })
}

fn parts<'n>(
    name: &str,
    command: &Cmd,
    merge: Merge,
    node_of: impl Fn(&[u8]) -> Result<&'n Redis, Error>,
) -> Result<Vec<Part<'n>>, Error> {
    let args = arguments(command);
    if !args.len().is_multiple_of(merge.unit()) {
        let problem = "a key has no value".into();
        return Err(Error::Invalid { command: name.to_owned(), problem });
    }
    let mut parts: Vec<Part<'n>> = Vec::new();
    for (place, unit) in args.chunks(merge.unit()).enumerate() {
        let node = node_of(unit.first().copied().unwrap_or_default())?;
        let index = parts.iter().position(|part| std::ptr::eq(part.node, node));
        let index = index.unwrap_or_else(|| {
            parts.push(Part { node, command: redis::cmd(name), places: Vec::new() });
            parts.len() - 1
        });
        if let Some(part) = parts.get_mut(index) {
            part.command.arg(unit);
            part.places.push(place);
        }
    }
    Ok(parts)
}

/// The replies, or the first error. If a part was carried out, or may have been, the error says so.
fn all(
    name: &str,
    read_only: bool,
    replies: Vec<Result<Value, Error>>,
) -> Result<Vec<Value>, Error> {
    let was_carried_out = |reply: &Result<Value, Error>| match reply {
        Ok(_) => true,
        Err(error) => error.outcome() == Outcome::Unknown,
    };
    let in_part = !read_only && replies.iter().any(was_carried_out);
    let replies: Result<Vec<Value>, Error> = replies.into_iter().collect();
    replies.map_err(|error| match error.outcome() {
        Outcome::NotSent | Outcome::Answered if in_part => {
            Error::InPart { command: name.to_owned(), source: Box::new(error) }
        }
        _ => error,
    })
}

struct Merged {
    values: Vec<Value>,
    sum: i64,
}

impl Merged {
    /// None if the reply does not fit the part.
    fn add(&mut self, merge: Merge, part: &Part<'_>, reply: Value) -> Option<()> {
        match (merge, reply) {
            (Merge::Values, Value::Array(values)) if values.len() == part.places.len() => {
                for (place, value) in part.places.iter().zip(values) {
                    *self.values.get_mut(*place)? = value;
                }
                Some(())
            }
            (Merge::Sum, Value::Int(count)) => {
                self.sum = self.sum.checked_add(count)?;
                Some(())
            }
            (Merge::Okay, Value::Okay) => Some(()),
            _ => None,
        }
    }
}
