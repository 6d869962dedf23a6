use std::fmt;

use futures_util::future::BoxFuture;
use redis::RedisResult;
use redis::aio::MultiplexedConnection;

use crate::{Config, Endpoint};

/// A server, and what redis-rs needs to reach it; the database is not in it.
pub(crate) type Server = (Endpoint, redis::Client);

/// Where a link connects to.
pub(crate) trait Route: fmt::Debug + Send + Sync {
    /// Servers in the order in which they are tried, asked before every attempt. Who has to ask others
    /// for them does so within the time for connecting.
    fn candidates(&self) -> BoxFuture<'_, RedisResult<Vec<Server>>>;

    /// Whether a new connection leads to what was meant: a Sentinel's word may be out of date.
    fn accept<'a>(
        &'a self,
        _server: &'a Server,
        _connection: &'a mut MultiplexedConnection,
    ) -> BoxFuture<'a, RedisResult<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// A connection outside of the link had to be made anew: maybe the server has changed its part.
    fn doubt(&self) {}

    /// What errors call it while there is no connection.
    fn label(&self) -> String;
}

/// Servers that are known from the start; the first that can be reached is used.
#[derive(Debug)]
pub(crate) struct Fixed(pub(crate) Vec<Server>);

impl Route for Fixed {
    fn candidates(&self) -> BoxFuture<'_, RedisResult<Vec<Server>>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }

    fn label(&self) -> String {
        let endpoints = self.0.iter().map(|(endpoint, _)| endpoint.to_string());
        endpoints.collect::<Vec<_>>().join(",")
    }
}

/// What is said on each new connection before it is used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    pub(crate) database: u32,
    pub(crate) client_name: Option<String>,
    /// Whether a refused login or database is the end: what was not asked for again is not tried again.
    pub(crate) ends_when_refused: bool,
}

impl Setup {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            database: config.database,
            client_name: config.client_name.clone(),
            ends_when_refused: false,
        }
    }

    /// Says what a new connection begins with, and asks the route whether it leads where it should.
    pub(crate) async fn greet(
        &self,
        connection: &mut MultiplexedConnection,
        route: &dyn Route,
        server: &Server,
    ) -> RedisResult<()> {
        if let Some(name) = &self.client_name {
            redis::cmd("CLIENT").arg("SETNAME").arg(name).exec_async(connection).await?;
        }
        route.accept(server, connection).await
    }

    /// The client for this database.
    pub(crate) fn client(&self, client: &redis::Client) -> RedisResult<redis::Client> {
        let info = client.get_connection_info().clone();
        let settings = info.redis_settings().clone().set_db(self.database.into());
        redis::Client::open(info.set_redis_settings(settings))
    }
}
