use std::sync::Arc;
use std::time::Duration;

/// What connecting or a command can fail with.
///
/// `endpoint` is `host:port` or the path of a socket, `command` the name of a Redis command. No variant
/// carries a password or a command's arguments.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL cannot be used. `part` is the bad part: scheme, user, password, host, port, path,
    /// database or query.
    #[error("bad redis url: the {part} {problem}")]
    Url {
        /// The bad part's name.
        part: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Redis is there and does not let us in: wrong password, no such database, no RESP3.
    #[error("redis at {endpoint} refused the connection")]
    Refused {
        /// Which Redis.
        endpoint: Arc<str>,
        /// What it said.
        source: redis::RedisError,
    },
    /// The link is down. The command was not sent.
    #[error("redis at {endpoint} is unavailable, {command} was not sent")]
    Unavailable {
        /// Which Redis.
        endpoint: Arc<str>,
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
    /// The reply is of another type than the command promises.
    #[error("redis at {endpoint} answered {command} with an unexpected type")]
    Reply {
        /// Which Redis.
        endpoint: Arc<str>,
        /// Which command.
        command: String,
    },
    /// The command would block or change the connection that everybody shares. It was not sent.
    #[error("{command} needs a connection of its own")]
    NotShareable {
        /// Which command.
        command: String,
    },
    /// It was closed, and brings nothing any more.
    #[error("this is closed")]
    Closed,
    /// A [`Subscriber`](crate::Subscriber) without topics has nothing to wait for.
    #[error("not subscribed to any topic, so there is nothing to wait for")]
    NotSubscribed,
}

impl Error {
    /// From what redis-rs reports for a command that was sent.
    pub(crate) fn from_reply(
        endpoint: Arc<str>,
        command: String,
        error: &redis::RedisError,
    ) -> Self {
        match error.code() {
            Some("WRONGTYPE") => Self::WrongType { endpoint, command },
            Some(code) => {
                let detail = without_arguments(error.detail().unwrap_or_default()).to_owned();
                Self::Server { endpoint, code: code.to_owned(), detail, command }
            }
            None => Self::Lost { endpoint, command },
        }
    }
}

/// Redis quotes what was sent in one place: `unknown command 'x', with args beginning with: …`.
fn without_arguments(detail: &str) -> &str {
    detail.split(", with args").next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_redis_quotes_are_left_out() {
        let detail = "unknown command 'FOO', with args beginning with: 'secret' ";
        assert_eq!(without_arguments(detail), "unknown command 'FOO'");
        assert_eq!(without_arguments("value is not an integer"), "value is not an integer");
    }
}
