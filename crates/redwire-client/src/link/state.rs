use redis::RedisError;

use super::connection::Connection;

/// Where a link stands with its server.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// No attempt has failed since the start or since it was last live: worth waiting for.
    Connecting,
    Live(Connection),
    /// The last attempt failed; others follow.
    Down(RedisError),
    /// There will be no other attempt.
    Closed,
}

impl State {
    pub(super) fn is_live(&self) -> bool {
        matches!(self, Self::Live(_))
    }

    pub(super) fn connection(&self) -> Option<&Connection> {
        match self {
            Self::Live(connection) => Some(connection),
            Self::Connecting | Self::Down(_) | Self::Closed => None,
        }
    }
}
