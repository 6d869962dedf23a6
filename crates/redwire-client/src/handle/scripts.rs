use std::collections::HashSet;
use std::sync::Mutex;

use redis::{Arg, Cmd, Script, Value};

use crate::lock::lock;

/// The hashes of scripts that some server has run, so that their texts need not be sent again.
#[derive(Debug, Default)]
pub(super) struct Scripts(Mutex<HashSet<String>>);

/// With more they are forgotten: a program that writes arguments into its scripts must not fill memory.
const MOST_KNOWN: usize = 1024;

impl Scripts {
    /// The hash of the script that an `EVAL` or `EVAL_RO` carries.
    pub(super) fn hash(name: &str, command: &Cmd) -> Option<String> {
        if !matches!(name, "EVAL" | "EVAL_RO") {
            return None;
        }
        let Some(Arg::Simple(text)) = command.args_iter().nth(1) else { return None };
        Some(Script::new(str::from_utf8(text).ok()?).get_hash().to_owned())
    }

    pub(super) fn knows(&self, hash: &str) -> bool {
        lock(&self.0).contains(hash)
    }

    pub(super) fn keep(&self, hash: String) {
        let mut known = lock(&self.0);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(hash);
    }
}

/// The same command with the hash for the text.
pub(super) fn by_hash(name: &str, hash: &str, command: &Cmd) -> (&'static str, Cmd) {
    let name = if name == "EVAL_RO" { "EVALSHA_RO" } else { "EVALSHA" };
    let mut short = redis::cmd(name);
    short.arg(hash);
    for arg in command.args_iter().skip(2) {
        if let Arg::Simple(arg) = arg {
            short.arg(arg);
        }
    }
    (name, short)
}

/// Whether the server has never seen the script, or has forgotten it. Then it was not run.
pub(super) fn is_unknown(reply: &Value) -> bool {
    matches!(reply, Value::ServerError(error) if error.code() == "NOSCRIPT")
}
