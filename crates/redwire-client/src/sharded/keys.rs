use std::borrow::Cow;

use redis::{Arg, Cmd};

use crate::Error;

/// The keys of a command: at least one.
///
/// # Errors
///
/// [`Error::Invalid`] for a command that has no keys, or whose keys do not say which node it belongs to.
pub(super) fn keys<'c>(name: &str, command: &'c Cmd) -> Result<Vec<&'c [u8]>, Error> {
    let invalid = |problem| Error::Invalid { command: name.to_owned(), problem };
    let positions = Positions::of(name);
    if let Positions::None = positions {
        return Err(invalid(cannot_be_sharded(name)));
    }
    let args = arguments(command);
    if matches!(name, "SORT" | "SORT_RO") && reads_other_keys(&args) {
        return Err(invalid("BY and GET read keys that may be on other nodes".into()));
    }
    let keys = positions.pick(&args);
    if keys.is_empty() {
        let method = name.to_ascii_lowercase();
        let problem = format!("Method '{method}' requires a key as the first argument");
        return Err(invalid(problem.into()));
    }
    Ok(keys)
}

/// In `txredisapi`'s words.
pub(super) fn cannot_be_sharded(name: &str) -> Cow<'static, str> {
    format!("Method '{}' cannot be sharded", name.to_ascii_lowercase()).into()
}

/// What follows the name.
pub(super) fn arguments(command: &Cmd) -> Vec<&[u8]> {
    let args = command.args_iter().skip(1);
    args.map(|arg| if let Arg::Simple(arg) = arg { arg } else { b"0" }).collect()
}

/// Where the keys stand among the arguments. In words, because `COMMAND`'s first, last and step do not
/// describe half of these.
#[derive(Clone, Copy)]
enum Positions {
    None,
    First,
    /// After the subcommand.
    Second,
    FirstTwo,
    All,
    /// A time-out follows them.
    AllButLast,
    /// After the operator.
    AllButFirst,
    /// A value follows each.
    EveryOther,
    /// Their number stands at this place, and they follow.
    Counted(usize),
    /// The same, after the key that is written to.
    FirstAndCounted,
    /// The first half of what follows `STREAMS`.
    Streams,
    /// The first one, and the one after `STORE` or `STOREDIST`.
    FirstAndStore,
}

impl Positions {
    /// A name that is not listed has its key first, as most have, and those of modules.
    fn of(name: &str) -> Self {
        match name {
            "DEL" | "EXISTS" | "MGET" | "PFCOUNT" | "PFMERGE" | "SDIFF" | "SDIFFSTORE"
            | "SINTER" | "SINTERSTORE" | "SUNION" | "SUNIONSTORE" | "TOUCH" | "UNLINK" => Self::All,
            "BLMOVE" | "BRPOPLPUSH" | "COPY" | "GEOSEARCHSTORE" | "LCS" | "LMOVE" | "RENAME"
            | "RENAMENX" | "RPOPLPUSH" | "SMOVE" | "ZRANGESTORE" => Self::FirstTwo,
            "BLPOP" | "BRPOP" | "BZPOPMAX" | "BZPOPMIN" => Self::AllButLast,
            "BITOP" => Self::AllButFirst,
            "MSET" | "MSETNX" => Self::EveryOther,
            "LMPOP" | "MSETEX" | "SINTERCARD" | "ZDIFF" | "ZINTER" | "ZINTERCARD" | "ZMPOP"
            | "ZUNION" => Self::Counted(0),
            "BLMPOP" | "BZMPOP" => Self::Counted(1),
            "ZDIFFSTORE" | "ZINTERSTORE" | "ZUNIONSTORE" => Self::FirstAndCounted,
            "XREAD" | "XREADGROUP" => Self::Streams,
            "GEORADIUS" | "GEORADIUSBYMEMBER" | "SORT" => Self::FirstAndStore,
            "OBJECT" | "XGROUP" | "XINFO" => Self::Second,
            // A script may use keys that it was not given; `node_of` is where to run it.
            "EVAL" | "EVALSHA" | "EVALSHA_RO" | "EVAL_RO" | "FCALL" | "FCALL_RO" | "SCRIPT"
            // Transactions and subscriptions have handles of their own, those of one node.
            | "DISCARD" | "EXEC" | "MULTI" | "PSUBSCRIBE" | "PUNSUBSCRIBE" | "SSUBSCRIBE"
            | "SUBSCRIBE" | "SUNSUBSCRIBE" | "UNSUBSCRIBE" | "UNWATCH" | "WATCH"
            // What concerns a server, or all of its keys.
            | "ACL" | "ASKING" | "AUTH" | "BGREWRITEAOF" | "BGSAVE" | "CLIENT" | "CLUSTER"
            | "CLUSTERSCAN" | "COMMAND" | "COMMANDLOG" | "CONFIG" | "DBSIZE" | "DEBUG" | "ECHO"
            | "FAILOVER" | "FLUSHALL" | "FLUSHDB" | "FUNCTION" | "HELLO" | "INFO" | "KEYS"
            | "LASTSAVE" | "LATENCY" | "LOLWUT" | "MEMORY" | "MIGRATE" | "MODULE" | "MONITOR"
            | "PFDEBUG" | "PFSELFTEST" | "PING" | "PSYNC" | "PUBSUB" | "QUIT" | "RANDOMKEY"
            | "READONLY" | "READWRITE" | "REPLCONF" | "REPLICAOF" | "RESET" | "ROLE" | "SAVE"
            | "SCAN" | "SELECT" | "SHUTDOWN" | "SLAVEOF" | "SLOWLOG" | "SWAPDB" | "SYNC" | "TIME"
            | "WAIT" | "WAITAOF" => Self::None,
            _ => Self::First,
        }
    }

    fn pick<'c>(self, args: &[&'c [u8]]) -> Vec<&'c [u8]> {
        let all = args.iter().copied();
        match self {
            Self::None => Vec::new(),
            Self::First => all.take(1).collect(),
            Self::Second => all.skip(1).take(1).collect(),
            Self::FirstTwo => all.take(2).collect(),
            Self::All => all.collect(),
            Self::AllButLast => all.take(args.len().saturating_sub(1)).collect(),
            Self::AllButFirst => all.skip(1).collect(),
            Self::EveryOther => all.step_by(2).collect(),
            Self::Counted(at) => counted(args, at).to_vec(),
            Self::FirstAndCounted => all.take(1).chain(counted(args, 1).iter().copied()).collect(),
            Self::Streams => {
                let after = args.iter().position(|arg| arg.eq_ignore_ascii_case(b"STREAMS"));
                let streams = after.and_then(|at| args.get(at + 1..)).unwrap_or_default();
                streams.iter().take(streams.len() / 2).copied().collect()
            }
            Self::FirstAndStore => {
                let to = args.windows(2).skip(1).filter_map(|pair| match pair {
                    [word, key] if is_store(word) => Some(*key),
                    _ => None,
                });
                all.take(1).chain(to).collect()
            }
        }
    }
}

/// None if the number makes no sense: then the command is refused.
fn counted<'a, 'c>(args: &'a [&'c [u8]], at: usize) -> &'a [&'c [u8]] {
    let number = args.get(at).and_then(|number| std::str::from_utf8(number).ok()?.parse().ok());
    let keys = number.and_then(|number: usize| args.get(at + 1..(at + 1).checked_add(number)?));
    keys.unwrap_or_default()
}

fn is_store(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"STORE") || word.eq_ignore_ascii_case(b"STOREDIST")
}

fn reads_other_keys(args: &[&[u8]]) -> bool {
    let other =
        |word: &&[u8]| word.eq_ignore_ascii_case(b"BY") || word.eq_ignore_ascii_case(b"GET");
    args.iter().skip(1).any(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<String, String> {
        let mut command = Cmd::new();
        text.split(' ').for_each(|word| {
            command.arg(word);
        });
        let keys = keys(&crate::catalogue::name_of(&command), &command);
        let keys = keys.map_err(|error| error.to_string())?;
        Ok(String::from_utf8(keys.join(&b' ')).unwrap())
    }

    #[test]
    fn keys_are_where_each_command_has_them() {
        for (command, keys) in [
            ("GET a", "a"),
            ("mget a b c", "a b c"),
            ("MSET a 1 b 2", "a b"),
            ("RENAME a b", "a b"),
            ("BLPOP a b 0", "a b"),
            ("BITOP AND to a b", "to a b"),
            ("OBJECT ENCODING a", "a"),
            ("ZUNION 2 a b WEIGHTS 1 2", "a b"),
            ("BLMPOP 0 2 a b LEFT", "a b"),
            ("ZUNIONSTORE to 2 a b", "to a b"),
            ("XREAD COUNT 1 STREAMS a b 0 0", "a b"),
            ("SORT a LIMIT 0 1 STORE b", "a b"),
            ("GEORADIUS a 0 0 1 km STOREDIST b", "a b"),
            ("PUBLISH channel text", "channel"),
            ("JSON.GET a $", "a"),
        ] {
            assert_eq!(of(command).unwrap(), keys, "{command}");
        }
    }

    #[test]
    fn what_has_no_keys_is_refused_in_the_words_of_txredisapi() {
        for (command, problem) in [
            ("KEYS *", "KEYS was not sent: Method 'keys' cannot be sharded"),
            ("EVAL x 1 a", "EVAL was not sent: Method 'eval' cannot be sharded"),
            ("SET", "SET was not sent: Method 'set' requires a key as the first argument"),
            (
                "LMPOP x a",
                "LMPOP was not sent: Method 'lmpop' requires a key as the first argument",
            ),
            (
                "LMPOP 9 a",
                "LMPOP was not sent: Method 'lmpop' requires a key as the first argument",
            ),
            ("SORT a BY w_*", "SORT was not sent: BY and GET read keys that may be on other nodes"),
        ] {
            assert_eq!(of(command).unwrap_err(), problem, "{command}");
        }
    }
}
