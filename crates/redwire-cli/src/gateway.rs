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
        let reserved = name.starts_with(RESERVED)
            && !self.allow.iter().any(|glob| glob.as_str().starts_with(RESERVED));
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
