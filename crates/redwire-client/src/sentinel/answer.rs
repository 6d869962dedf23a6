use std::collections::HashMap;

use redis::Value;

use crate::Endpoint;

/// What a sentinel says of one server (redis.io, `SENTINEL MASTERS` and `SENTINEL REPLICAS`).
#[derive(Debug)]
pub(super) struct Entry(HashMap<String, String>);

impl Entry {
    /// Those of a reply; none if it is something else.
    pub(super) fn list(reply: Value) -> Vec<Self> {
        let entries: Vec<HashMap<String, String>> =
            redis::from_redis_value(reply).unwrap_or_default();
        entries.into_iter().map(Self).collect()
    }

    pub(super) fn is_master(&self, name: &str) -> bool {
        self.field("name") == name && self.has_flag("master")
    }

    /// Whether the sentinel reaches it.
    pub(super) fn is_up(&self) -> bool {
        !["s_down", "o_down", "disconnected"].iter().any(|flag| self.has_flag(flag))
    }

    pub(super) fn other_sentinels(&self) -> usize {
        self.field("num-other-sentinels").parse().unwrap_or(0)
    }

    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        endpoint(self.field("ip"), self.field("port"))
    }

    fn has_flag(&self, flag: &str) -> bool {
        self.field("flags").split(',').any(|other| other == flag)
    }

    fn field(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// A message of `+switch-master`: the master's name, and where it was and is.
pub(super) fn switch(message: &[u8]) -> Option<(&str, Endpoint, Endpoint)> {
    let mut words = str::from_utf8(message).ok()?.split(' ');
    let mut word = || words.next();
    let name = word()?;
    Some((name, endpoint(word()?, word()?)?, endpoint(word()?, word()?)?))
}

fn endpoint(host: &str, port: &str) -> Option<Endpoint> {
    let port = port.parse().ok().filter(|port| *port > 0)?;
    (!host.is_empty()).then(|| Endpoint::tcp(host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_has_five_words() {
        let (old, new) = (Endpoint::tcp("10.0.0.1", 1), Endpoint::tcp("::1", 2));
        assert_eq!(switch(b"mymaster 10.0.0.1 1 ::1 2"), Some(("mymaster", old, new)));
        for bad in ["", "mymaster", "mymaster 10.0.0.1 1 10.0.0.2", "m 10.0.0.1 1 10.0.0.2 0"] {
            assert_eq!(switch(bad.as_bytes()), None, "{bad}");
        }
    }
}
