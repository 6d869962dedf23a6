//! To and from what redis-rs calls an error.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use super::Error;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_comes_back_out_of_redis_rs_own() {
        let closed = Error::Closed { command: "GET".into() };
        let back = Error::from(redis::RedisError::from(closed));
        assert!(matches!(back, Error::Closed { command } if command == "GET"));
    }
}
