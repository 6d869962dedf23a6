use redis::{Arg, Cmd};

use crate::slot::slot;

/// What names no key, or none that a node must have (`COMMAND` of Redis 7.0 and Valkey 9.0: first key 0).
/// All other names are taken to have their first key right behind them. A wrong guess costs one
/// redirection, because the node that is asked knows better.
const KEYLESS: [&str; 48] = [
    "ACL",
    "ASKING",
    "BGREWRITEAOF",
    "BGSAVE",
    "CLIENT",
    "CLUSTER",
    "CLUSTERSCAN",
    "COMMAND",
    "COMMANDLOG",
    "CONFIG",
    "DBSIZE",
    "DISCARD",
    "ECHO",
    "EXEC",
    "FAILOVER",
    "FLUSHALL",
    "FLUSHDB",
    "FUNCTION",
    "HELLO",
    "INFO",
    "KEYS",
    "LASTSAVE",
    "LATENCY",
    "LOLWUT",
    "MODULE",
    "MONITOR",
    "MULTI",
    "PFSELFTEST",
    "PING",
    "PSUBSCRIBE",
    "PUBLISH",
    "PUBSUB",
    "RANDOMKEY",
    "REPLICAOF",
    "ROLE",
    "SAVE",
    "SCAN",
    "SCRIPT",
    "SHUTDOWN",
    "SLAVEOF",
    "SLOWLOG",
    "SUBSCRIBE",
    "SWAPDB",
    "SYNC",
    "TIME",
    "UNWATCH",
    "WAIT",
    "WAITAOF",
];

/// The slot that a command is about; None if any node will do.
pub(super) fn slot_of(name: &str, command: &Cmd) -> Option<u16> {
    first_key(name, command).map(slot)
}

fn first_key<'a>(name: &str, command: &'a Cmd) -> Option<&'a [u8]> {
    match name {
        "EVAL" | "EVALSHA" | "EVAL_RO" | "EVALSHA_RO" | "FCALL" | "FCALL_RO" | "BLMPOP"
        | "BZMPOP" => counted(command, 2),
        "LMPOP" | "ZMPOP" | "SINTERCARD" | "ZINTERCARD" | "ZDIFF" | "ZINTER" | "ZUNION" => {
            counted(command, 1)
        }
        "BITOP" | "OBJECT" | "PFDEBUG" | "XGROUP" | "XINFO" => arg(command, 2),
        "MEMORY" => under(command, b"USAGE"),
        "DEBUG" => under(command, b"OBJECT"),
        "MIGRATE" => arg(command, 3).filter(|key| !key.is_empty()).or(behind(command, b"KEYS")),
        "XREAD" | "XREADGROUP" => behind(command, b"STREAMS"),
        name if KEYLESS.contains(&name) => None,
        _ => arg(command, 1),
    }
}

/// The key behind the number of keys, unless that is 0.
fn counted(command: &Cmd, place: usize) -> Option<&[u8]> {
    arg(command, place).filter(|count| *count != b"0")?;
    arg(command, place + 1)
}

fn under<'a>(command: &'a Cmd, subcommand: &[u8]) -> Option<&'a [u8]> {
    arg(command, 1).filter(|word| word.eq_ignore_ascii_case(subcommand))?;
    arg(command, 2)
}

fn behind<'a>(command: &'a Cmd, word: &[u8]) -> Option<&'a [u8]> {
    args(command).skip_while(|arg| !arg.eq_ignore_ascii_case(word)).nth(1)
}

fn arg(command: &Cmd, place: usize) -> Option<&[u8]> {
    args(command).nth(place)
}

fn args(command: &Cmd) -> impl Iterator<Item = &[u8]> {
    command.args_iter().map(|arg| match arg {
        Arg::Simple(arg) => arg,
        // The cursor of a scan within a key, which stands behind the key.
        _ => b"",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::name_of;

    fn key(line: &str) -> Option<String> {
        let mut command = Cmd::new();
        for word in line.split(' ') {
            command.arg(word);
        }
        let key = first_key(&name_of(&command), &command)?;
        Some(String::from_utf8(key.to_vec()).unwrap())
    }

    #[test]
    fn the_first_key_is_found_where_the_command_has_it() {
        for (line, expected) in [
            ("get k", Some("k")),
            ("EVAL return 2 k l", Some("k")),
            ("EVAL return 0 k", None),
            ("ZINTERCARD 2 k l", Some("k")),
            ("BLMPOP 0 1 k LEFT", Some("k")),
            ("BITOP AND k l", Some("k")),
            ("OBJECT encoding k", Some("k")),
            ("OBJECT HELP", None),
            ("MEMORY usage k", Some("k")),
            ("MEMORY DOCTOR x", None),
            ("XREAD COUNT 1 streams k 0", Some("k")),
            ("XREADGROUP GROUP g c STREAMS k >", Some("k")),
            ("MIGRATE host 1 k 0 10", Some("k")),
            ("MIGRATE host 1  0 10 KEYS k l", Some("k")),
            ("SPUBLISH k message", Some("k")),
            ("PUBLISH channel message", None),
            ("SCAN 0", None),
            ("JSON.GET k", Some("k")),
            ("PING", None),
        ] {
            assert_eq!(key(line).as_deref(), expected, "{line}");
        }
    }
}
