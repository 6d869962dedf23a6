use std::sync::Arc;

use redwire::prelude::HandlerBase;

use crate::glob::Glob;
use crate::options::Options;

/// Names that Redis itself publishes under: keyspace events, Sentinel. A visitor sees them only if a
/// pattern names them.
const RESERVED: &str = "__";

/// Policy of the program: what the patterns allow and do not deny.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    allow: Arc<[Glob]>,
    deny: Arc<[Glob]>,
    compat: bool,
}

impl Gateway {
    pub(crate) fn new(options: &Options) -> Self {
        let globs = |patterns: &[String]| patterns.iter().map(|p| Glob::new(p)).collect();
        Self { allow: globs(&options.channels), deny: globs(&options.deny), compat: options.compat }
    }

    fn is_denied(&self, name: &str) -> bool {
        let names = |glob: &Glob| glob.as_str().starts_with(RESERVED) && glob.matches(name);
        let reserved = name.starts_with(RESERVED) && !self.allow.iter().any(names);
        reserved || self.deny.iter().any(|glob| glob.matches(name))
    }
}

impl HandlerBase for Gateway {
    fn channel_is_allowed(&self, channel: &str) -> bool {
        self.allow.iter().any(|glob| glob.matches(channel)) && !self.is_denied(channel)
    }

    /// The original's patterns said what is delivered, not what can be read.
    fn key_is_allowed(&self, key: &str) -> bool {
        if self.compat { !self.is_denied(key) } else { self.channel_is_allowed(key) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway(allow: &[&str]) -> Gateway {
        let allow = allow.iter().map(|pattern| Glob::new(pattern)).collect();
        Gateway { allow, deny: Arc::new([Glob::new("*.secret")]), compat: false }
    }

    #[test]
    fn denied_names_are_denied_whatever_is_allowed() {
        assert!(gateway(&["*"]).channel_is_allowed("a.public"));
        assert!(!gateway(&["*"]).channel_is_allowed("a.secret"));
        assert!(!gateway(&["a.secret"]).key_is_allowed("a.secret"));
    }

    #[test]
    fn a_reserved_name_is_allowed_only_by_a_pattern_that_names_it() {
        let gateway = gateway(&["*", "__sentinel__:*"]);
        assert!(gateway.channel_is_allowed("__sentinel__:hello"));
        assert!(!gateway.channel_is_allowed("__keyspace@0__:x"));
        assert!(!Gateway { compat: true, ..gateway }.key_is_allowed("__keyspace@0__:x"));
    }
}
