use redis::{ServerError, Value};

use super::slots::located;
use crate::{Endpoint, Error};

/// Why a command has to be sent once more. Wherever Redis says so, it has not carried the command out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The slot has another master.
    Moved { slot: u16, to: Endpoint },
    /// The slot is on its way, and the key has arrived there already.
    Ask { to: Endpoint },
    /// The slot is on its way, and so are some of the keys.
    Busy,
    /// The node has nothing to say about the slot, or cannot be reached: who can, is to be found out.
    Stale,
}

impl Trouble {
    /// From what became of a command that was sent to the node `asked`.
    pub(super) fn of(
        outcome: &Result<Value, Error>,
        asked: &Endpoint,
        repeatable: bool,
    ) -> Option<Self> {
        match outcome {
            Ok(reply) => Self::in_reply(reply, asked),
            Err(error) => Self::in_error(error, repeatable),
        }
    }

    pub(super) fn in_reply(reply: &Value, asked: &Endpoint) -> Option<Self> {
        let Value::ServerError(error) = reply else { return None };
        match error.code() {
            // A node that does not know where the other is says so by a question mark.
            "MOVED" => Some(moved(error, asked).unwrap_or(Self::Stale)),
            "ASK" => Some(ask(error, asked).unwrap_or(Self::Busy)),
            "TRYAGAIN" => Some(Self::Busy),
            // UNBLOCKED: it waited in a master that has become a replica.
            "CLUSTERDOWN" | "MASTERDOWN" | "READONLY" | "UNBLOCKED" => Some(Self::Stale),
            _ => None,
        }
    }

    pub(super) fn in_error(error: &Error, repeatable: bool) -> Option<Self> {
        match error {
            Error::Unavailable { .. } => Some(Self::Stale),
            Error::Lost { .. } | Error::Timeout { .. } if repeatable => Some(Self::Stale),
            _ => None,
        }
    }

    /// A transaction is as one command, if it was refused: then nothing of it was carried out.
    pub(super) fn in_transaction(replies: &[Value], asked: &Endpoint) -> Option<Self> {
        match replies.last() {
            Some(Value::ServerError(error)) if error.code() == "EXECABORT" => {
                replies.iter().find_map(|reply| Self::in_reply(reply, asked))
            }
            last => last.and_then(|reply| Self::in_reply(reply, asked)),
        }
    }
}

fn moved(error: &ServerError, asked: &Endpoint) -> Option<Trouble> {
    let (slot, to) = place(error, asked)?;
    Some(Trouble::Moved { slot, to })
}

fn ask(error: &ServerError, asked: &Endpoint) -> Option<Trouble> {
    let (_, to) = place(error, asked)?;
    Some(Trouble::Ask { to })
}

/// `3999 127.0.0.1:6381`; IPv6 has no brackets.
fn place(error: &ServerError, asked: &Endpoint) -> Option<(u16, Endpoint)> {
    let mut words = error.details()?.split_ascii_whitespace();
    let slot = words.next()?.parse().ok()?;
    let (host, port) = words.next()?.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Some((slot, located(host, port.parse().ok()?, asked)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As redis-rs reads it off the wire.
    fn error(line: &str) -> Value {
        redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap()
    }

    fn trouble(line: &str) -> Option<Trouble> {
        Trouble::in_reply(&error(line), &Endpoint::tcp("asked", 7000))
    }

    #[test]
    fn redirections_name_their_node() {
        for (line, to) in [
            ("MOVED 3999 127.0.0.1:6381", Endpoint::tcp("127.0.0.1", 6381)),
            ("MOVED 3999 ::1:6381", Endpoint::tcp("::1", 6381)),
            ("MOVED 3999 one.example:6381", Endpoint::tcp("one.example", 6381)),
            ("MOVED 3999 :6381", Endpoint::tcp("asked", 6381)),
        ] {
            assert_eq!(trouble(line), Some(Trouble::Moved { slot: 3999, to }), "{line}");
        }
        let to = Endpoint::tcp("one", 1);
        assert_eq!(trouble("ASK 0 one:1"), Some(Trouble::Ask { to }));
    }

    #[test]
    fn what_names_no_node_is_found_out() {
        for line in
            ["MOVED 3999 ?:0", "MOVED", "MOVED x y", "READONLY You can't write", "CLUSTERDOWN"]
        {
            assert_eq!(trouble(line), Some(Trouble::Stale), "{line}");
        }
        assert_eq!(trouble("TRYAGAIN later"), Some(Trouble::Busy));
        assert_eq!(trouble("CROSSSLOT no"), None);
        assert_eq!(trouble("ERR MOVED"), None);
    }

    #[test]
    fn a_transaction_is_in_trouble_only_as_a_whole() {
        let asked = Endpoint::tcp("asked", 7000);
        let moved = || error("MOVED 1 one:1");
        let of = |replies: &[Value]| Trouble::in_transaction(replies, &asked);
        assert!(of(&[Value::Okay, moved(), error("EXECABORT no")]).is_some());
        assert!(of(&[Value::Okay, moved()]).is_some());
        assert_eq!(of(&[Value::Okay, error("ERR no"), error("EXECABORT no")]), None);
        assert_eq!(of(&[Value::Okay, Value::Array(vec![moved()])]), None);
    }
}
