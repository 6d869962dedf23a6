//! What goes wrong, and what is known of it then.

mod connecting;
mod conversion;
mod reply;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use connecting::is_refusal;
use reply::reasons;

/// What connecting or a command can fail with.
///
/// `endpoint` is `host:port` or the path of a socket, `command` the name of a Redis command. No variant
/// carries a password or a command's arguments.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL cannot be used. `part` is the bad part: scheme, user, password, host, port, path,
    /// database or option; or url, if a character that must be encoded leaves the parts unclear.
    #[error("bad redis url: the {part} {problem}")]
    Url {
        /// The bad part's name.
        part: &'static str,
        /// What is wrong with it. Names the option; quotes nothing that may be a login.
        problem: String,
    },
    /// A [`Config`](crate::Config) cannot be used.
    #[error("bad redis configuration: {option} {problem}")]
    Config {
        /// The name of the setter.
        option: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Redis is there and does not let us in: wrong password, no such database, no RESP3.
    #[error("redis at {endpoint} refused the connection: {problem}")]
    Refused {
        /// Which Redis.
        endpoint: Arc<str>,
        /// What it refused, and its words for it.
        problem: String,
        /// The same as redis-rs tells it.
        source: redis::RedisError,
    },
    /// No TLS with Redis: one side does not trust the other's certificate. (A Redis without TLS does not
    /// answer at all.)
    #[error("no tls with redis at {endpoint}")]
    Tls {
        /// Which Redis.
        endpoint: Arc<str>,
        /// Why not.
        source: redis::RedisError,
    },
    /// Redis cannot be reached, and is not tried again.
    #[error("redis at {endpoint} cannot be reached")]
    Unreachable {
        /// Which Redis.
        endpoint: Arc<str>,
        /// Why.
        source: redis::RedisError,
    },
    /// There is no connection. The command was not sent.
    #[error("redis at {endpoint} is not connected, {command} was not sent")]
    Unavailable {
        /// Which Redis.
        endpoint: Arc<str>,
        /// Which command.
        command: String,
        /// Why the last attempt to connect failed, if one did.
        source: Option<redis::RedisError>,
    },
    /// Too many commands wait for their replies. This one was not sent.
    #[error("too many commands wait for redis at {endpoint}, {command} was not sent")]
    Overloaded {
        /// Which Redis.
        endpoint: Arc<str>,
        /// Which command.
        command: String,
    },
    /// The client, or the subscriber, was closed. The command was not sent.
    #[error("it is closed, {command} was not sent")]
    Closed {
        /// Which command.
        command: String,
    },
    /// The link broke before the reply came. The command may or may not have been carried out.
    #[error("the connection to redis at {endpoint} broke before the reply to {command}")]
    Lost {
        /// Which Redis.
        endpoint: Arc<str>,
        /// Which command.
        command: String,
    },
    /// No reply in time. The command may or may not have been carried out, or still be.
    #[error("redis at {endpoint} did not answer {command} within {after:?}")]
    Timeout {
        /// Which Redis.
        endpoint: Arc<str>,
        /// Which command.
        command: String,
        /// The deadline.
        after: Duration,
    },
    /// The key holds another type of value.
    #[error("redis at {endpoint} refused {command}: the key holds another type of value")]
    WrongType {
        /// Which Redis.
        endpoint: Arc<str>,
        /// Which command.
        command: String,
    },
    /// Any other error reply.
    #[error("redis at {endpoint} refused {command}: {code} {detail}")]
    Server {
        /// Which Redis.
        endpoint: Arc<str>,
        /// Which command.
        command: String,
        /// Redis' word for it, such as `NOPERM`, `LOADING`, `ERR`.
        code: String,
        /// The rest of Redis' text, without any quoted arguments.
        detail: String,
    },
    /// A transaction of which Redis refused a command before it ran any. Nothing was carried out.
    #[error(
        "redis at {endpoint} discarded the transaction (EXECABORT): {}",
        reasons(refused, source)
    )]
    Aborted {
        /// Which Redis.
        endpoint: Arc<str>,
        /// The places of the refused commands, from 0, and Redis' words for each, without arguments.
        refused: Vec<(usize, String)>,
        /// `EXECABORT Transaction discarded because of previous errors.`
        source: redis::RedisError,
    },
    /// Somebody changed a watched key. Nothing of the transaction was carried out, so it may be tried
    /// again from the watch on.
    #[error("redis at {endpoint} did not carry out the transaction: a watched key was changed")]
    Conflict {
        /// Which Redis.
        endpoint: Arc<str>,
    },
    /// A command that was split over several nodes failed on this one. On others it was carried out, or
    /// may have been.
    #[error("{command} was carried out in part at most: {source}")]
    InPart {
        /// Which command.
        command: String,
        /// What the first part that failed did so with. Names its node.
        source: Box<Self>,
    },
    /// No connection of the pool became free in time. The command was not sent.
    #[error("no connection to redis at {endpoint} became free for {command} within {after:?}")]
    PoolTimeout {
        /// Which Redis.
        endpoint: Arc<str>,
        /// Which command.
        command: String,
        /// The deadline.
        after: Duration,
    },
    /// The reply is of another type than the command promises.
    #[error("redis at {endpoint} answered {command} with an unexpected type")]
    Reply {
        /// Which Redis.
        endpoint: Arc<str>,
        /// Which command.
        command: String,
    },
    /// The command, or how it is used, makes no sense. Nothing was sent.
    #[error("{command} was not sent: {problem}")]
    Invalid {
        /// Which command.
        command: String,
        /// What is wrong with it, and what to do in its place.
        problem: Cow<'static, str>,
    },
    /// The command would block or change the connection that everybody shares. It was not sent.
    #[error("{command} needs a connection of its own")]
    NotShareable {
        /// Which command.
        command: String,
    },
    /// A [`Subscriber`](crate::Subscriber) without topics has nothing to wait for.
    #[error("not subscribed to any topic, so there is nothing to wait for")]
    NotSubscribed,
}

/// What is known of a command that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Redis never saw it, or did nothing about it. Sending it again is safe.
    NotSent,
    /// It may have been carried out, or still be. Only what is idempotent may be sent again.
    Unknown,
    /// Redis answered it.
    Answered,
}

impl Error {
    /// Whether the command that failed may have been carried out.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Lost { .. } | Self::Timeout { .. } | Self::InPart { .. } => Outcome::Unknown,
            Self::WrongType { .. }
            | Self::Server { .. }
            | Self::Aborted { .. }
            | Self::Reply { .. } => Outcome::Answered,
            Self::Url { .. }
            | Self::Config { .. }
            | Self::Refused { .. }
            | Self::Tls { .. }
            | Self::Unreachable { .. }
            | Self::Unavailable { .. }
            | Self::Overloaded { .. }
            | Self::PoolTimeout { .. }
            | Self::Closed { .. }
            | Self::NotSubscribed
            | Self::Conflict { .. }
            | Self::Invalid { .. }
            | Self::NotShareable { .. } => Outcome::NotSent,
        }
    }
}
