use std::fmt;

use futures_util::future::BoxFuture;
use redis::RedisResult;
use redis::aio::MultiplexedConnection;

/// Where a link connects to.
pub(crate) trait Route: fmt::Debug + Send + Sync {
    /// Servers in the order in which they are tried, asked before every attempt.
    fn candidates(&self) -> BoxFuture<'_, RedisResult<Vec<redis::Client>>>;

    /// Whether a new connection leads to what was meant: a Sentinel's word may be out of date.
    fn accept<'a>(
        &'a self,
        _connection: &'a mut MultiplexedConnection,
    ) -> BoxFuture<'a, RedisResult<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// What errors call it while there is no connection.
    fn label(&self) -> String;
}

/// Servers that are known from the start; the first that can be reached is used.
#[derive(Debug)]
pub(crate) struct Fixed(pub(crate) Vec<redis::Client>);

impl Route for Fixed {
    fn candidates(&self) -> BoxFuture<'_, RedisResult<Vec<redis::Client>>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }

    fn label(&self) -> String {
        let addresses = self.0.iter().map(|client| client.get_connection_info().addr().to_string());
        addresses.collect::<Vec<_>>().join(",")
    }
}
