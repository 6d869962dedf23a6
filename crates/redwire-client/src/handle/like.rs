use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisFuture, Value};

use super::Redis;
use crate::catalogue::name_of;

/// What makes every command of redis-rs work on a handle. Errors are redis-rs' own; those of this crate
/// are in their source, and come back by [`Error::from`](crate::Error#impl-From<RedisError>-for-Error).
impl ConnectionLike for Redis {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move { Ok(self.reply(&name_of(command), command).await?) })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move { Ok(self.replies(pipeline, offset, count).await?) })
    }

    fn get_db(&self) -> i64 {
        self.scope.database.into()
    }
}
