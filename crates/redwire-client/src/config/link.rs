use std::time::Duration;

/// Deadlines and bounds of a [`Link`](crate::Link). The defaults suit a server on the same network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkConfig {
    /// For TCP, TLS handshake and login together, and then for each batch of subscriptions
    /// that is restored. 2 s: a Redis that accepts and does not answer must not hold us for long.
    pub connect_timeout: Duration,
    /// From the call of a command to its reply. 2 s: longer than a healthy Redis is ever busy, and
    /// short enough that a viewer is told. Waiting for one's turn may take as long again, if
    /// `commands_in_flight` others are before it.
    pub command_timeout: Duration,
    /// A link on which nothing was heard for this long asks with `PING`, and gives up after two
    /// unanswered ones: a frozen Redis is noticed after three times this, 3 s with the default of 1 s.
    /// At least 1 ms. Two, because one `PING` also goes unanswered when our own process was stopped.
    pub heartbeat: Duration,
    /// The longest first pause before reconnecting; each pause is random between half and all of it
    /// and doubles. 50 ms: a restarted Redis is back at once.
    pub backoff_min: Duration,
    /// The longest pause of all. 500 ms: back within a second after Redis is, and still only a few
    /// attempts a second while it is away.
    pub backoff_max: Duration,
    /// How many commands may wait for their replies; more wait for their turn, within their own
    /// deadline. 4,096: far above what one Redis answers in a round trip, and a bound for memory.
    pub commands_in_flight: usize,
    /// Whether a connection on which a reply is overdue is given up, so that what waits behind it fails
    /// now. Off: a slow command is only its caller's problem.
    pub replace_when_overdue: bool,
    /// Whether a lost connection is made again. On.
    pub reconnect: bool,
    /// How many events one [`Feed`](crate::Feed) holds before it drops messages. 65,536: half a second
    /// of a Redis that publishes as fast as it can.
    pub feed_messages: usize,
    /// How many bytes of payload one feed holds, in bytes. 64 MiB. A larger message is always dropped.
    pub feed_bytes: usize,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            command_timeout: Duration::from_secs(2),
            heartbeat: Duration::from_secs(1),
            backoff_min: Duration::from_millis(50),
            backoff_max: Duration::from_millis(500),
            commands_in_flight: 4_096,
            replace_when_overdue: false,
            reconnect: true,
            feed_messages: 65_536,
            feed_bytes: 64 << 20,
        }
    }
}
