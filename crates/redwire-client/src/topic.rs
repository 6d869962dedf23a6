use std::sync::Arc;

/// What one can subscribe to. A plain string is a channel.
///
/// ```
/// use redwire_client::Topic;
///
/// assert_eq!(Topic::from("trains"), Topic::channel("trains"));
/// assert_ne!(Topic::pattern("trains"), Topic::channel("trains"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic {
    pub(crate) kind: TopicKind,
    pub(crate) name: Arc<str>,
}

/// The three kinds of [`Topic`]; the same name in two kinds is two topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TopicKind {
    /// One channel: `SUBSCRIBE`, fed by `PUBLISH`.
    Channel,
    /// All channels that match a glob: `PSUBSCRIBE`, fed by `PUBLISH`.
    Pattern,
    /// One channel of the node that holds its slot: `SSUBSCRIBE`, fed by `SPUBLISH`. Redis 7.
    Sharded,
}

impl Topic {
    /// A channel.
    pub fn channel(name: impl Into<Arc<str>>) -> Self {
        Self { kind: TopicKind::Channel, name: name.into() }
    }

    /// A glob such as `trains.*`, with `*`, `?`, `[abc]` and `\` as Redis reads them.
    pub fn pattern(glob: impl Into<Arc<str>>) -> Self {
        Self { kind: TopicKind::Pattern, name: glob.into() }
    }

    /// A sharded channel.
    pub fn sharded(name: impl Into<Arc<str>>) -> Self {
        Self { kind: TopicKind::Sharded, name: name.into() }
    }

    /// Which kind.
    pub fn kind(&self) -> TopicKind {
        self.kind
    }

    /// The channel's name, or the glob.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl From<&str> for Topic {
    fn from(channel: &str) -> Self {
        Self::channel(channel)
    }
}

impl From<String> for Topic {
    fn from(channel: String) -> Self {
        Self::channel(channel)
    }
}

impl From<&String> for Topic {
    fn from(channel: &String) -> Self {
        Self::channel(channel.as_str())
    }
}

impl From<&Self> for Topic {
    fn from(topic: &Self) -> Self {
        topic.clone()
    }
}

/// One value for each kind, so that names can be looked up without making a topic of them.
#[derive(Debug, Default)]
pub(crate) struct ByKind<T> {
    channels: T,
    patterns: T,
    sharded: T,
}

impl<T> ByKind<T> {
    pub(crate) fn of(&self, kind: TopicKind) -> &T {
        match kind {
            TopicKind::Channel => &self.channels,
            TopicKind::Pattern => &self.patterns,
            TopicKind::Sharded => &self.sharded,
        }
    }

    pub(crate) fn of_mut(&mut self, kind: TopicKind) -> &mut T {
        match kind {
            TopicKind::Channel => &mut self.channels,
            TopicKind::Pattern => &mut self.patterns,
            TopicKind::Sharded => &mut self.sharded,
        }
    }

    pub(crate) fn each(&self) -> [&T; 3] {
        [&self.channels, &self.patterns, &self.sharded]
    }

    pub(crate) fn each_mut(&mut self) -> [(TopicKind, &mut T); 3] {
        [
            (TopicKind::Channel, &mut self.channels),
            (TopicKind::Pattern, &mut self.patterns),
            (TopicKind::Sharded, &mut self.sharded),
        ]
    }
}
