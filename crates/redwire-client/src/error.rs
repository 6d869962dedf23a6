use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::ErrorKind;

use crate::config::is_disagreement;

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

    /// For a first attempt to connect that failed, and is the last.
    pub(crate) fn connecting(
        endpoint: &Arc<str>,
        database: u32,
        source: redis::RedisError,
    ) -> Self {
        let endpoint = endpoint.clone();
        match is_refusal(&source) {
            true => Self::refused(endpoint, database, source),
            false => Self::Unreachable { endpoint, source },
        }
    }

    /// For a command while the last attempt to connect has failed.
    pub(crate) fn down(
        endpoint: &Arc<str>,
        database: u32,
        command: String,
        source: &redis::RedisError,
    ) -> Self {
        let (endpoint, source) = (endpoint.clone(), source.clone());
        match is_refusal(&source) {
            true => Self::refused(endpoint, database, source),
            false => Self::Unavailable { endpoint, command, source: Some(source) },
        }
    }

    fn refused(endpoint: Arc<str>, database: u32, source: redis::RedisError) -> Self {
        match is_disagreement(&source) {
            true => Self::Tls { endpoint, source },
            false => Self::Refused { endpoint, problem: refusal(database, &source), source },
        }
    }

    /// From what redis-rs reports for a command that was sent.
    pub(crate) fn from_reply(
        endpoint: Arc<str>,
        command: String,
        error: &redis::RedisError,
    ) -> Self {
        match error.code() {
            Some("WRONGTYPE") => Self::WrongType { endpoint, command },
            Some(code) => {
                let detail = without_arguments(error.detail().unwrap_or_default());
                Self::Server { endpoint, code: code.to_owned(), detail, command }
            }
            None => Self::Lost { endpoint, command },
        }
    }

    /// From what redis-rs reports for a transaction that Redis discarded.
    pub(crate) fn aborted(endpoint: Arc<str>, source: redis::RedisError) -> Self {
        let refused = source.clone().into_server_errors().unwrap_or_default();
        Self::discarded(endpoint, refused.iter().cloned(), source)
    }

    /// For a transaction of which these commands were refused.
    pub(crate) fn discarded(
        endpoint: Arc<str>,
        refused: impl Iterator<Item = (usize, redis::ServerError)>,
        source: redis::RedisError,
    ) -> Self {
        let words = |(place, error): (usize, redis::ServerError)| {
            let detail = without_arguments(error.details().unwrap_or_default());
            (place, format!("{} {detail}", error.code()))
        };
        Self::Aborted { endpoint, refused: refused.map(words).collect(), source }
    }
}

/// Redis-rs' own errors cannot hold others but as the cause of an i/o error.
impl From<Error> for redis::RedisError {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Aborted { source, .. } => return source.clone(),
            Error::Server { code, detail, .. } => {
                return redis::make_extension_error(code.clone(), Some(detail.clone()));
            }
            Error::Timeout { .. } | Error::PoolTimeout { .. } => io::ErrorKind::TimedOut,
            Error::Lost { .. } => io::ErrorKind::ConnectionAborted,
            Error::Unavailable { .. } | Error::Closed { .. } => io::ErrorKind::NotConnected,
            Error::Invalid { .. } | Error::NotShareable { .. } => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error).into()
    }
}

/// Redis-rs' errors name neither.
const SOMEWHERE: &str = "the server";
const SOMETHING: &str = "a command";

/// What a command of redis-rs on a [`Redis`](crate::Redis) failed with. The name of a command that Redis
/// refused is not in it.
impl From<redis::RedisError> for Error {
    fn from(error: redis::RedisError) -> Self {
        match own(&error) {
            Some(own) => own.clone(),
            None if error.code().is_some() => {
                Self::from_reply(SOMEWHERE.into(), SOMETHING.into(), &error)
            }
            None => Self::Reply { endpoint: SOMEWHERE.into(), command: SOMETHING.into() },
        }
    }
}

/// The error of this crate that redis-rs' one was made of.
fn own(error: &redis::RedisError) -> Option<&Error> {
    // Redis-rs hands out the `Arc` around its cause as the cause (redis 1.8.1, `redis_error.rs`).
    let cause = error.source()?.downcast_ref::<Arc<dyn StdError + Send + Sync>>()?;
    cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref()
}

/// Whether it is a mistake in the configuration rather than a Redis that is away or busy.
pub(crate) fn is_refusal(error: &redis::RedisError) -> bool {
    let kinds = [ErrorKind::AuthenticationFailed, ErrorKind::RESP3NotSupported];
    kinds.contains(&error.kind())
        || matches!(error.code(), Some("WRONGPASS" | "NOAUTH" | "NOPERM"))
        || is_about_database(error)
        || is_disagreement(error)
}

/// Redis-rs has no kind for it (redis 1.8.1, `check_db_select`).
fn is_about_database(error: &redis::RedisError) -> bool {
    error.to_string().contains("refused to switch database")
}

fn refusal(database: u32, error: &redis::RedisError) -> String {
    let code = error.code().map(|code| format!("{code} ")).unwrap_or_default();
    let detail = error.detail().map_or_else(|| error.to_string(), str::to_owned);
    match is_about_database(error) {
        true => format!("could not set dbid={database}: {detail}"),
        false => format!("could not auth: {code}{detail}"),
    }
}

/// The words for the commands that were refused, by their place in the transaction.
fn reasons(refused: &[(usize, String)], source: &redis::RedisError) -> String {
    if refused.is_empty() {
        return source.detail().unwrap_or_default().to_owned();
    }
    let reason =
        |(place, words): &(usize, String)| format!("command {}: {words}", place.saturating_add(1));
    refused.iter().map(reason).collect::<Vec<_>>().join("; ")
}

/// Redis quotes what was sent: `unknown command 'x', with args beginning with: …`, `Error in ACL SETUSER
/// modifier '…'`. Only the name of a command stays.
fn without_arguments(detail: &str) -> String {
    let detail = detail.split(", with args").next().unwrap_or_default();
    let parts: Vec<&str> = detail.split('\'').collect();
    let is_argument = |place: usize| {
        let before = place.checked_sub(1).and_then(|before| parts.get(before));
        let after = parts.get(place + 1);
        place % 2 == 1
            && !before.is_some_and(|before| before.ends_with("unknown command "))
            && !after.is_some_and(|after| after.starts_with(" command"))
    };
    let parts = parts.iter().enumerate();
    let shown = parts.map(|(place, part)| if is_argument(place) { "…" } else { part });
    shown.collect::<Vec<_>>().join("'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_comes_back_out_of_redis_rs_own() {
        let closed = Error::Closed { command: "GET".into() };
        let back = Error::from(redis::RedisError::from(closed));
        assert!(matches!(back, Error::Closed { command } if command == "GET"));
    }

    #[test]
    fn arguments_that_redis_quotes_are_left_out() {
        let detail = "unknown command 'FOO', with args beginning with: 'secret' ";
        assert_eq!(without_arguments(detail), "unknown command 'FOO'");
        assert_eq!(without_arguments("value is not an integer"), "value is not an integer");
        let detail = "Error in ACL SETUSER modifier 'secret': Syntax error";
        assert_eq!(without_arguments(detail), "Error in ACL SETUSER modifier '…': Syntax error");
    }
}
