use std::io;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult, Value};

/// What a server says that it is: `master`, `slave` or `sentinel`.
pub(super) async fn role(connection: &mut MultiplexedConnection) -> RedisResult<String> {
    let reply: Value = redis::cmd("ROLE").query_async(connection).await?;
    let first = reply.into_sequence().ok().and_then(|role| role.into_iter().next());
    Ok(first.and_then(|role| redis::from_redis_value(role).ok()).unwrap_or_default())
}

pub(super) fn unexpected(problem: String) -> RedisError {
    io::Error::other(problem).into()
}
