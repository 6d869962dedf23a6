use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisFuture, Value};

use super::{Route, Sharded, split};

/// What makes every command of redis-rs work on it, as on a [`Redis`](crate::Redis).
impl ConnectionLike for Sharded {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            match self.route(command)? {
                Route::Whole(node) => node.clone().req_packed_command(command).await,
                Route::Split(name, merge) => {
                    let reply = split::reply(&name, command, merge, |key| self.owner(&name, key));
                    Ok(reply.await?)
                }
            }
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            match self.owner_of_all(pipeline)? {
                Some(node) => node.clone().req_packed_commands(pipeline, offset, count).await,
                None => Ok(Vec::new()),
            }
        })
    }

    fn get_db(&self) -> i64 {
        self.nodes().next().map_or(0, |(_, node)| node.get_db())
    }
}
