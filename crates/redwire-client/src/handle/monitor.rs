use std::fmt;
use std::io;
use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use redis::RedisError;
use tokio::time::timeout;

use super::Redis;
use crate::link::Link;
use crate::{Endpoint, Error};

/// Everything that a server is asked by anybody (`MONITOR`), on a connection of its own, which ends with
/// it. From [`Redis::monitor`].
///
/// It reads no further than it is asked to; a server whose lines nobody takes closes the connection.
pub struct Monitor {
    lines: Pin<Box<dyn Stream<Item = String> + Send>>,
    link: Link,
    endpoint: Endpoint,
}

impl Redis {
    /// Watches what the server is asked; in a cluster, one of its nodes. It slows the server down.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if there is no server, and [`Error::Refused`] if it does not let us.
    pub async fn monitor(&self) -> Result<Monitor, Error> {
        let command = redis::cmd("MONITOR");
        let lane = self.inner.servers.lane_of(self.scope, "MONITOR", &command).await?;
        let link = lane.link().clone();
        let (endpoint, client) = link.server("MONITOR").await?;
        let monitor = timeout(self.config().link.connect_timeout, client.get_async_monitor());
        let late = || RedisError::from(io::Error::from(io::ErrorKind::TimedOut));
        let monitor = monitor.await.unwrap_or_else(|_| Err(late())).map_err(|error| {
            let (label, database) = (endpoint.to_string().into(), self.scope.database);
            Error::down(&label, database, "MONITOR".to_owned(), &error)
        })?;
        Ok(Monitor { lines: Box::pin(monitor.into_on_message()), link, endpoint })
    }
}

impl Monitor {
    /// The next line, with the time, the database, the client's address and the command with its
    /// arguments: `1700000000.123456 [0 127.0.0.1:50000] "GET" "key"`. None after the server was lost.
    /// Cancel safe.
    pub async fn next(&mut self) -> Option<String> {
        tokio::select! {
            biased;
            line = self.lines.next() => line,
            () = self.link.until_gone(&self.endpoint) => None,
        }
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
