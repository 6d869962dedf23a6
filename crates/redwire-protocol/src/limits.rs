use std::time::Duration;

/// Every bound that a connection has, with its default. Plain data: build it with
/// `Limits { subscriptions: 10, ..Limits::default() }`.
///
/// What happens at each bound is part of the protocol; `docs/protocol.md` has the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Largest incoming WebSocket message, in bytes. Beyond it: close 1009.
    pub message_bytes: usize,
    /// Longest channel name, key or field, in bytes. Beyond it: an error frame.
    pub name_bytes: usize,
    /// Subscriptions that one connection may hold. Beyond it: an error frame.
    pub subscriptions: usize,
    /// Commands a second, on average, that one connection may send; also the size of a burst.
    /// Beyond it: close 1008.
    pub commands_per_second: u32,
    /// Bytes that may wait for a client that reads slowly, behind a first frame of any size.
    /// Beyond it: close 1013. Replies take only half of it, and then wait to be read.
    pub outbox_bytes: usize,
    /// Frames that may wait for a client that reads slowly. Beyond it: close 1013.
    pub outbox_messages: usize,
    /// Subjects, as features on a live map, whose newest state may wait for a client that reads
    /// slowly. Beyond it: close 1013.
    pub outbox_subjects: usize,
    /// Bytes of pushes that are gathered in one frame, unless a single one has more.
    pub buffer_bytes: usize,
    /// The least time between two replays to one connection. Before: put off, and the last one
    /// counts.
    pub replay_interval: Duration,
    /// Bytes of stored values that one reply may hold. Beyond it: an error frame.
    pub reply_bytes: usize,
    /// Connections at a time. Beyond it: HTTP 503 before the upgrade.
    pub connections: usize,
    /// Time for a complete HTTP request head to arrive. Beyond it: the socket is closed.
    pub handshake: Duration,
    /// Silence after which the server sends a WebSocket ping.
    pub ping: Duration,
    /// Time for any sign of life after that ping. Beyond it: close 1001.
    pub pong: Duration,
    /// Age at which a connection is closed whatever it does, with 1001. `None`: never.
    pub max_age: Option<Duration>,
    /// Time for a closing handshake, what still waits included. Beyond it: the socket is dropped.
    pub close: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 64 * 1024,
            name_bytes: 255,
            subscriptions: 128,
            commands_per_second: 1_000,
            outbox_bytes: 1024 * 1024,
            outbox_messages: 8_192,
            outbox_subjects: 65_536,
            buffer_bytes: 256 * 1024,
            replay_interval: Duration::from_millis(100),
            reply_bytes: 16 * 1024 * 1024,
            connections: 50_000,
            handshake: Duration::from_secs(10),
            ping: Duration::from_secs(25),
            pong: Duration::from_secs(8),
            max_age: None,
            close: Duration::from_secs(3),
        }
    }
}
