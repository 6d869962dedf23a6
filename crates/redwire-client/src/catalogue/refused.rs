use redis::{Arg, Cmd};

/// What changes the connection for everybody, or which reply belongs to whom, with what to use in its
/// place.
const REFUSED: [(&str, &str); 25] = [
    ("ASKING", "a cluster's redirections are followed by themselves"),
    ("AUTH", "give user and password in the url or the configuration"),
    ("DISCARD", "drop what `multi` returned"),
    ("EXEC", "use `multi` and `execute`"),
    ("HELLO", "give user and password in the url or the configuration"),
    ("MONITOR", "use `monitor`"),
    ("MULTI", "use `multi`"),
    ("PSUBSCRIBE", "use `subscriber`"),
    ("PSYNC", "this is no replica"),
    ("PUNSUBSCRIBE", "use the subscriber's `unsubscribe`"),
    ("QUIT", "use `close`"),
    ("READONLY", "use `replicas`"),
    ("READWRITE", "use a handle without `replicas`"),
    ("RESET", "there is no state to reset"),
    ("SCRIPT DEBUG", "debug a script with redis-cli"),
    ("SELECT", "use `database`"),
    ("SSUBSCRIBE", "use `subscriber`"),
    ("SUBSCRIBE", "use `subscriber`"),
    ("SUNSUBSCRIBE", "use the subscriber's `unsubscribe`"),
    ("SYNC", "this is no replica"),
    ("UNSUBSCRIBE", "use the subscriber's `unsubscribe`"),
    ("UNWATCH", "drop what `watch` returned"),
    ("WATCH", "use `watch`"),
    ("CLIENT REPLY", "replies tell callers apart"),
    ("CLIENT TRACKING", "nobody reads the invalidations"),
];

/// Why a command is never sent as it is, and what to do; None if it may be sent.
pub(crate) fn instead_of(name: &str, command: &Cmd) -> Option<&'static str> {
    if name.is_empty() {
        return Some("a command needs a name");
    }
    let is_meant = |(refused, _): &&(&str, &str)| match refused.split_once(' ') {
        Some((container, word)) => name == container && is_subcommand(command, word.as_bytes()),
        None => name == *refused,
    };
    REFUSED.iter().find(is_meant).map(|(_, instead)| *instead)
}

fn is_subcommand(command: &Cmd, word: &[u8]) -> bool {
    let second = command.args_iter().nth(1);
    matches!(second, Some(Arg::Simple(second)) if second.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use redis::cmd;

    use super::*;
    use crate::catalogue::name_of;

    #[test]
    fn subcommands_are_told_apart() {
        let refused = |command: &Cmd| instead_of(&name_of(command), command).is_some();
        assert!(refused(cmd("client").arg("reply").arg("off")));
        assert!(!refused(cmd("CLIENT").arg("LIST")));
        assert!(!refused(cmd("CLIENT").arg("SETNAME").arg("reply")));
        assert!(refused(&cmd("select")));
        assert!(refused(&Cmd::new()));
        assert!(!refused(&cmd("GET")));
    }
}
