use std::fmt;

/// What a command works on: Redis' own categories for access lists (`ACL CAT`), each command in one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Family {
    /// Bits of strings.
    Bitmap,
    /// The connection itself.
    Connection,
    /// Positions.
    Geo,
    /// Hashes.
    Hash,
    /// HyperLogLogs.
    HyperLogLog,
    /// Keys of any type.
    Keyspace,
    /// Lists.
    List,
    /// Channels.
    PubSub,
    /// Scripts and functions.
    Scripting,
    /// The server, and what is in no other family.
    #[default]
    Server,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// Streams.
    Stream,
    /// Strings.
    String,
    /// Transactions.
    Transaction,
}

impl Family {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 15] = [
        Self::Bitmap,
        Self::Connection,
        Self::Geo,
        Self::Hash,
        Self::HyperLogLog,
        Self::Keyspace,
        Self::List,
        Self::PubSub,
        Self::Scripting,
        Self::Server,
        Self::Set,
        Self::SortedSet,
        Self::Stream,
        Self::String,
        Self::Transaction,
    ];

    /// The category's name, such as `sortedset`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bitmap => "bitmap",
            Self::Connection => "connection",
            Self::Geo => "geo",
            Self::Hash => "hash",
            Self::HyperLogLog => "hyperloglog",
            Self::Keyspace => "keyspace",
            Self::List => "list",
            Self::PubSub => "pubsub",
            Self::Scripting => "scripting",
            Self::Server => "server",
            Self::Set => "set",
            Self::SortedSet => "sortedset",
            Self::Stream => "stream",
            Self::String => "string",
            Self::Transaction => "transaction",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
