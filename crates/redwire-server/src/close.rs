/// Why the server closes a connection: every close code it sends, and whether a client should come
/// back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Close {
    /// The connection reached [`Limits::max_age`](redwire_protocol::Limits::max_age).
    TooOld,
    /// No sign of life after a ping.
    NoPong,
    /// The frames break RFC 6455.
    BrokenFrames,
    /// A text message is not UTF-8.
    NotUtf8,
    /// A compressed message does not decompress.
    NotDeflated,
    /// More commands a second than
    /// [`Limits::commands_per_second`](redwire_protocol::Limits::commands_per_second).
    Flood,
    /// A message larger than [`Limits::message_bytes`](redwire_protocol::Limits::message_bytes).
    TooLarge,
    /// A malformed command under `compat`; or a command set's filter panicked.
    Failed,
    /// The server is shutting down, another one takes over.
    Restart,
    /// The client reads more slowly than its channels speak, and its outbox is full.
    TooSlow,
}

impl Close {
    /// All of them, by code.
    pub const ALL: [Self; 10] = [
        Self::TooOld,
        Self::NoPong,
        Self::BrokenFrames,
        Self::NotUtf8,
        Self::NotDeflated,
        Self::Flood,
        Self::TooLarge,
        Self::Failed,
        Self::Restart,
        Self::TooSlow,
    ];

    /// The close code on the wire.
    pub fn code(self) -> u16 {
        match self {
            Self::TooOld | Self::NoPong => 1001,
            Self::BrokenFrames => 1002,
            Self::NotUtf8 | Self::NotDeflated => 1007,
            Self::Flood => 1008,
            Self::TooLarge => 1009,
            Self::Failed => 1011,
            Self::Restart => 1012,
            Self::TooSlow => 1013,
        }
    }

    /// The close reason on the wire.
    pub fn reason(self) -> &'static str {
        match self {
            Self::TooOld => "connection reached its maximum age",
            Self::NoPong => "no answer to ping",
            Self::BrokenFrames => "broken frames",
            Self::NotUtf8 => "text is not UTF-8",
            Self::NotDeflated => "compressed data is broken",
            Self::Flood => "too many commands a second",
            Self::TooLarge => "message too large",
            Self::Failed => "command failed",
            Self::Restart => "server restarts, come back soon",
            Self::TooSlow => "reading too slowly",
        }
    }

    /// Whether the same client, behaving the same way, can expect to be served again. Those that
    /// can should wait for a random part of a second first, so as not to come all at once.
    pub fn may_come_back(self) -> bool {
        matches!(self, Self::TooOld | Self::NoPong | Self::Restart | Self::TooSlow | Self::Failed)
    }
}
