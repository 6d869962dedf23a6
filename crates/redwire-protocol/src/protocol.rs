use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::filters::Filters;
use crate::session::Session;
use crate::set::Commands;
use crate::slot::{Stacked, StackedSet};
use crate::usage::Usage;
use crate::{Backend, CommandSet, HandlerBase, Limits};

/// A stack of command sets: generic where sets are added, not in its type.
///
/// ```
/// use redwire_protocol::{HandlerBase, Keys, Ping, Protocol, Subscriptions};
/// # struct Public;
/// # impl HandlerBase for Public {
/// #     fn channel_is_allowed(&self, _: &str) -> bool { true }
/// # }
///
/// let protocol = Protocol::<Public>::new().with(Keys).with(Subscriptions).with(Ping);
/// assert!(protocol.usage_lines().any(|line| line == "SUB channel_name"));
/// ```
pub struct Protocol<H> {
    sets: Vec<Arc<dyn Stacked<H>>>,
    filters: Filters,
    index: Arc<Index>,
}

/// Where each command is: its usage, its set, and its place in the set.
#[derive(Default)]
pub(crate) struct Index {
    pub(crate) commands: HashMap<&'static str, Entry>,
}

pub(crate) struct Entry {
    pub(crate) usage: Arc<Usage>,
    pub(crate) set: usize,
    pub(crate) command: usize,
}

impl<H: HandlerBase> Protocol<H> {
    /// A protocol without commands.
    pub fn new() -> Self {
        Self { sets: Vec::new(), filters: Filters(Arc::from([])), index: Arc::default() }
    }

    /// Stacks a set on top. Filters run in the order of stacking.
    ///
    /// # Panics
    ///
    /// If a command of the set is already in the stack.
    #[must_use]
    #[track_caller]
    pub fn with<C: CommandSet<H>>(self, set: C) -> Self {
        let mut commands = Commands::new();
        C::commands(&mut commands);
        let mut index = HashMap::new();
        let (place, mut erased) = (self.sets.len(), Vec::new());
        for (command, (usage, function)) in commands.entries.into_iter().enumerate() {
            let taken =
                self.index.commands.contains_key(usage.name) || index.contains_key(usage.name);
            assert!(!taken, "command `{}` is stacked twice", usage.name);
            index.insert(usage.name, Entry { usage: Arc::new(usage), set: place, command });
            erased.push(function);
        }
        index.extend(self.index.commands.iter().map(|(name, entry)| {
            let usage = Arc::clone(&entry.usage);
            (*name, Entry { usage, set: entry.set, command: entry.command })
        }));
        let stacked = Arc::new(StackedSet { set, commands: erased.into() });
        let filter = stacked.slot().filter();
        let (mut sets, mut filters) = (self.sets, self.filters.0.to_vec());
        sets.push(stacked);
        filters.push(filter);
        Self { sets, filters: Filters(filters.into()), index: Arc::new(Index { commands: index }) }
    }

    /// The usage lines of all commands, in no particular order.
    pub fn usage_lines(&self) -> impl Iterator<Item = &'static str> {
        self.index.commands.values().map(|entry| entry.usage.line)
    }

    /// The filters of a new session, before its first command.
    pub fn filters(&self) -> &Filters {
        &self.filters
    }

    /// One connection without a socket, with the default [`Limits`].
    pub fn session(&self, handler: H, backend: impl Backend) -> Session<H> {
        self.session_within(handler, backend, &Limits::default())
    }

    /// One connection without a socket, within `limits`.
    pub fn session_within(&self, handler: H, backend: impl Backend, limits: &Limits) -> Session<H> {
        let slots = self.sets.iter().map(|set| set.slot()).collect();
        let (filters, index) = (self.filters.clone(), Arc::clone(&self.index));
        Session::new(slots, filters, index, handler, Arc::new(backend), limits)
    }
}

impl<H: HandlerBase> Default for Protocol<H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H> Clone for Protocol<H> {
    fn clone(&self) -> Self {
        Self {
            sets: self.sets.clone(),
            filters: self.filters.clone(),
            index: Arc::clone(&self.index),
        }
    }
}

impl<H> fmt::Debug for Protocol<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.index.commands.values().map(|entry| entry.usage.line);
        f.debug_tuple("Protocol").field(&lines.collect::<Vec<_>>()).finish()
    }
}
