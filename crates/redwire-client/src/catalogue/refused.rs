use redis::{Arg, Cmd};

/// A command that is never sent as it is.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) name: &'static str,
    /// None: whatever follows.
    word: Option<&'static str>,
    /// What to do in its place.
    pub(super) instead: &'static str,
}

/// What changes the connection for everybody, or which reply belongs to whom.
pub(super) static REFUSED: [Refused; 25] = [
    Refused::always("ASKING", "a cluster's redirections are followed by themselves"),
    Refused::always("AUTH", "give user and password in the url or the configuration"),
    Refused::always("DISCARD", "drop what `multi` returned"),
    Refused::always("EXEC", "use `multi` and `execute`"),
    Refused::always("HELLO", "give user and password in the url or the configuration"),
    Refused::always("MONITOR", "use `monitor`"),
    Refused::always("MULTI", "use `multi`"),
    Refused::always("PSUBSCRIBE", "use `subscriber`"),
    Refused::always("PSYNC", "this is no replica"),
    Refused::always("PUNSUBSCRIBE", "use the subscriber's `unsubscribe`"),
    Refused::always("QUIT", "use `close`"),
    Refused::always("READONLY", "use `replicas`"),
    Refused::always("READWRITE", "use a handle without `replicas`"),
    Refused::always("RESET", "there is no state to reset"),
    Refused::word("SCRIPT", "DEBUG", "debug a script with redis-cli"),
    Refused::always("SELECT", "use `database`"),
    Refused::always("SSUBSCRIBE", "use `subscriber`"),
    Refused::always("SUBSCRIBE", "use `subscriber`"),
    Refused::always("SUNSUBSCRIBE", "use the subscriber's `unsubscribe`"),
    Refused::always("SYNC", "this is no replica"),
    Refused::always("UNSUBSCRIBE", "use the subscriber's `unsubscribe`"),
    Refused::always("UNWATCH", "drop what `watch` returned"),
    Refused::always("WATCH", "use `watch`"),
    Refused::word("CLIENT", "REPLY", "replies tell callers apart"),
    Refused::word("CLIENT", "TRACKING", "nobody reads the invalidations"),
];

impl Refused {
    const fn always(name: &'static str, instead: &'static str) -> Self {
        Self { name, word: None, instead }
    }

    const fn word(name: &'static str, word: &'static str, instead: &'static str) -> Self {
        Self { name, word: Some(word), instead }
    }

    /// Whether it is this command, which has the same name.
    pub(super) fn is_meant(&self, command: &Cmd) -> bool {
        let Some(word) = self.word else { return true };
        let second = command.args_iter().nth(1);
        matches!(second, Some(Arg::Simple(second)) if second.eq_ignore_ascii_case(word.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use redis::{Cmd, cmd};

    use crate::catalogue::{name_of, permitted};

    #[test]
    fn subcommands_are_told_apart() {
        let refused = |command: &Cmd| permitted(&name_of(command), command).is_err();
        assert!(refused(cmd("client").arg("reply").arg("off")));
        assert!(!refused(cmd("CLIENT").arg("LIST")));
        assert!(!refused(cmd("CLIENT").arg("SETNAME").arg("reply")));
        assert!(refused(&cmd("select")));
        assert!(refused(&Cmd::new()));
        assert!(!refused(&cmd("GET")));
    }
}
