//! What has to be known of a command before it is sent.

mod family;
mod refused;

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use redis::{Arg, Cmd, Value};

pub use family::Family;
pub(crate) use refused::instead_of;

use crate::lock::lock;

/// The flags of a command that matter here, as the server's own `COMMAND` shows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// It may wait for other clients.
    pub(crate) blocking: bool,
    /// It changes nothing, so sending it twice is harmless.
    pub(crate) read_only: bool,
    /// It takes constant or logarithmic time, so that others can wait for it.
    pub(crate) fast: bool,
    pub(crate) family: Family,
}

/// Redis 7.0 and Valkey 9.0 together; `tests/catalogue.rs` compares it with the servers' own words.
static COMMANDS: LazyLock<HashMap<&'static str, Flags>> = LazyLock::new(|| {
    let lines = include_str!("commands.txt").lines();
    lines.filter_map(|line| line.split_once(' ').or(Some((line, "")))).map(parse).collect()
});

fn parse<'a>((name, flags): (&'a str, &str)) -> (&'a str, Flags) {
    (name, flags_of(flags.split(' ')))
}

fn flags_of<'a>(words: impl Iterator<Item = &'a str>) -> Flags {
    let mut flags = Flags::default();
    for word in words {
        match word {
            "blocking" => flags.blocking = true,
            "readonly" => flags.read_only = true,
            "fast" => flags.fast = true,
            _ => {
                let family = word.strip_prefix('@').and_then(Family::named);
                flags.family = family.unwrap_or(flags.family);
            }
        }
    }
    flags
}

/// The flags of this very command: `XREAD` blocks only with `BLOCK`.
pub(crate) fn known(name: &str, command: &Cmd) -> Option<Flags> {
    let mut flags = *COMMANDS.get(name)?;
    if matches!(name, "XREAD" | "XREADGROUP") && !blocks(command) {
        flags.blocking = false;
    }
    Some(flags)
}

/// Names that a server was asked for, because no list here has them: modules, and newer servers.
#[derive(Debug, Default)]
pub(crate) struct Learned(Mutex<HashMap<String, Flags>>);

/// Names beyond this are asked for each time; a program that invents names must not fill memory.
const MOST_LEARNED: usize = 1024;

impl Learned {
    pub(crate) fn flags(&self, name: &str) -> Option<Flags> {
        lock(&self.0).get(name).copied()
    }

    /// Keeps what `COMMAND INFO name` answered. A name that the server does not know has no flags.
    pub(crate) fn keep(&self, name: String, info: &Value) -> Flags {
        let flags = flags_of(words(info).iter().map(String::as_str));
        let mut learned = lock(&self.0);
        if learned.len() < MOST_LEARNED {
            learned.insert(name, flags);
        }
        flags
    }
}

/// The third element of the only entry are the flags, the seventh the categories (redis.io, COMMAND).
fn words(info: &Value) -> Vec<String> {
    let Value::Array(entries) = info else { return Vec::new() };
    let Some(Value::Array(entry)) = entries.first() else { return Vec::new() };
    let lists = [entry.get(2), entry.get(6)].into_iter().flatten();
    let words = lists.filter_map(|list| match list {
        Value::Array(words) | Value::Set(words) => Some(words),
        _ => None,
    });
    words.flatten().filter_map(text).collect()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::SimpleString(text) => Some(text.clone()),
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        _ => None,
    }
}

/// The first word, in capitals; the only part of a command that errors may show.
pub(crate) fn name_of(command: &Cmd) -> String {
    match command.args_iter().next() {
        Some(Arg::Simple(name)) => String::from_utf8_lossy(name).to_ascii_uppercase(),
        _ => String::new(),
    }
}

/// Whether `BLOCK` is among the options of a read of streams; what follows `STREAMS` are names.
fn blocks(command: &Cmd) -> bool {
    let is = |arg: &Arg<&[u8]>, word: &[u8]| matches!(arg, Arg::Simple(arg) if arg.eq_ignore_ascii_case(word));
    let mut options = command.args_iter().take_while(|arg| !is(arg, b"STREAMS"));
    options.any(|arg| is(&arg, b"BLOCK"))
}

#[cfg(test)]
mod tests {
    use redis::cmd;

    use super::*;

    fn flags(command: &Cmd) -> Flags {
        known(&name_of(command), command).unwrap()
    }

    #[test]
    fn a_read_of_streams_blocks_only_when_it_says_so() {
        assert!(flags(cmd("XREAD").arg("block").arg(0)).blocking);
        assert!(!flags(cmd("XREAD").arg("COUNT").arg(1)).blocking);
        assert!(!flags(cmd("XREAD").arg("STREAMS").arg("block").arg(0)).blocking);
        assert!(flags(&cmd("BLPOP")).blocking);
        assert!(!flags(&cmd("LPOP")).blocking);
    }

    #[test]
    fn reads_are_told_from_writes_in_any_case() {
        let get = Flags { blocking: false, read_only: true, fast: true, family: Family::String };
        assert_eq!(flags(&cmd("get")), get);
        assert!(!flags(&cmd("Incr")).read_only);
        assert_eq!(known("NOSUCH", &cmd("NOSUCH")), None);
    }

    #[test]
    fn what_a_server_says_is_kept() {
        let info = Value::Array(vec![Value::Array(vec![
            Value::BulkString(b"x.wait".to_vec()),
            Value::Int(2),
            Value::Set(vec![Value::SimpleString("blocking".into())]),
        ])]);
        let learned = Learned::default();
        assert!(learned.keep("X.WAIT".into(), &info).blocking);
        assert!(learned.flags("X.WAIT").unwrap().blocking);
        assert_eq!(
            learned.keep("X.NONE".into(), &Value::Array(vec![Value::Nil])),
            Flags::default()
        );
    }
}
