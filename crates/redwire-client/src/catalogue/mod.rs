//! What has to be known of a command before it is sent.

mod family;
mod refused;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use redis::{Arg, Cmd, Value};

pub use family::Family;
use refused::{REFUSED, Refused};

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

/// A command of the list.
#[derive(Debug, Default)]
struct Entry {
    flags: Flags,
    refused: Vec<&'static Refused>,
}

/// Redis 7.0 and Valkey 9.0 together; `tests/catalogue.rs` compares it with the servers' own words.
static COMMANDS: LazyLock<HashMap<&'static str, Entry>> = LazyLock::new(|| {
    let lines = include_str!("commands.txt").lines();
    let words = lines.filter_map(|line| line.split_once(' ').or(Some((line, ""))));
    let mut commands: HashMap<_, _> = words.map(parse).collect();
    for refused in &REFUSED {
        let entry: &mut Entry = commands.entry(refused.name).or_default();
        entry.refused.push(refused);
    }
    commands
});

fn parse((name, flags): (&'static str, &str)) -> (&'static str, Entry) {
    (name, Entry { flags: flags_of(flags.split(' ')), refused: Vec::new() })
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
    COMMANDS.get(name).map(|entry| entry.flags_of(name, command))
}

/// The same, or why it is never sent as it is, and what to do.
pub(crate) fn permitted(name: &str, command: &Cmd) -> Result<Option<Flags>, &'static str> {
    if name.is_empty() {
        return Err("a command needs a name");
    }
    let Some(entry) = COMMANDS.get(name) else { return Ok(None) };
    match entry.refused.iter().find(|refused| refused.is_meant(command)) {
        Some(refused) => Err(refused.instead),
        None => Ok(Some(entry.flags_of(name, command))),
    }
}

impl Entry {
    fn flags_of(&self, name: &str, command: &Cmd) -> Flags {
        let mut flags = self.flags;
        if flags.blocking && matches!(name, "XREAD" | "XREADGROUP") && !blocks(command) {
            flags.blocking = false;
        }
        flags
    }
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
pub(crate) fn name_of(command: &Cmd) -> Cow<'static, str> {
    let Some(Arg::Simple(name)) = command.args_iter().next() else { return Cow::Borrowed("") };
    // Every command asks, so a known name costs no memory.
    let mut capitals = [0; LONGEST_KNOWN];
    if let Some(capitals) = capitals.get_mut(..name.len()) {
        capitals.copy_from_slice(name);
        capitals.make_ascii_uppercase();
        let known = str::from_utf8(capitals).ok().and_then(|name| COMMANDS.get_key_value(name));
        if let Some((name, _)) = known {
            return Cow::Borrowed(name);
        }
    }
    Cow::Owned(String::from_utf8_lossy(name).to_ascii_uppercase())
}

/// Bytes; a longer name is not in the list.
const LONGEST_KNOWN: usize = 24;

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
    fn names_are_the_same_known_or_not() {
        assert_eq!(name_of(&cmd("hget")), "HGET");
        assert_eq!(name_of(&cmd("x.wait")), "X.WAIT");
        assert_eq!(name_of(&cmd(&"long".repeat(10))), "LONG".repeat(10));
        assert_eq!(name_of(&Cmd::new()), "");
        assert!(COMMANDS.keys().all(|name| name.len() <= LONGEST_KNOWN));
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
