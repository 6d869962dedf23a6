use std::sync::{Arc, Mutex};
use std::time::Duration;

use deadpool_redis::{Hook, HookError, Manager, Pool, PoolError, Runtime, TimeoutType};
use redis::{AsyncConnectionConfig, Cmd, Pipeline, Value};
use tokio::sync::Mutex as AsyncMutex;

use super::dedicated::Dedicated;
use crate::catalogue::Flags;
use crate::link::{FirstAttempt, Link, Pending, Route, Server, Setup};
use crate::lock::lock;
use crate::{Config, Endpoint, Error, Outcome};

/// A command, with what is known of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) name: &'a str,
    pub(crate) command: &'a Cmd,
    pub(crate) flags: Flags,
    /// Whether it may be sent again although it may have been carried out.
    pub(crate) repeatable: bool,
}

/// Commands that are sent together, and so many of their replies after the first `skip`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) name: &'a str,
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) skip: usize,
    pub(crate) count: usize,
    /// Whether one of them may wait for other clients.
    pub(crate) blocking: bool,
    /// Whether all of them may be sent again although they may have been carried out.
    pub(crate) repeatable: bool,
}

/// The connections to one database of one server: a shared one, and a pool for what needs its own.
#[derive(Debug)]
pub(crate) struct Lane {
    link: Link,
    first: AsyncMutex<Option<FirstAttempt>>,
    route: Arc<dyn Route>,
    setup: Setup,
    config: Arc<Config>,
    /// For the server that the link is connected to.
    pool: Mutex<Option<(Endpoint, Pool)>>,
}

impl Lane {
    pub(crate) fn new(route: &Arc<dyn Route>, setup: Setup, config: &Arc<Config>) -> Self {
        let mut shared = config.link.clone();
        // Replies come in order, so what waits behind an overdue one has no better prospects.
        shared.replace_when_overdue = true;
        let (link, first) = Link::start(route.clone(), setup.clone(), shared);
        let first = AsyncMutex::new(Some(first));
        Self {
            link,
            first,
            route: route.clone(),
            setup,
            config: config.clone(),
            pool: Mutex::default(),
        }
    }

    pub(crate) fn database(&self) -> u32 {
        self.setup.database
    }

    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// Returns when the first attempt to connect was made; with an error if there is no use in others.
    pub(crate) async fn once_tried(&self) -> Result<(), Error> {
        match self.first.lock().await.take() {
            Some(first) => self.link.clone().once_tried(first).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// Opens every connection that the pool may hold.
    pub(crate) async fn fill_pool(&self) -> Result<(), Error> {
        let mut connections = Vec::new();
        for _ in 0..self.config.pool_size {
            connections.push(self.dedicated("HELLO").await?);
        }
        connections.into_iter().for_each(Dedicated::give_back);
        Ok(())
    }

    /// The reply, which may be an error reply.
    pub(crate) async fn reply(&self, call: Call<'_>) -> Result<Value, Error> {
        if call.flags.blocking {
            return Box::pin(self.blocking(call)).await;
        }
        let mut attempts = if call.repeatable { self.config.retries } else { 0 };
        let mut lost = None;
        loop {
            match self.link.reply(call.name, call.command, call.flags.fast).await {
                Err(error @ Error::Lost { .. }) if attempts > 0 => {
                    attempts -= 1;
                    lost = Some(error);
                }
                // An attempt before may have been carried out, though this one was not sent.
                Err(error) if error.outcome() == Outcome::NotSent => {
                    return Err(lost.unwrap_or(error));
                }
                reply => return reply,
            }
        }
    }

    async fn blocking(&self, call: Call<'_>) -> Result<Value, Error> {
        let mut connection = self.dedicated(call.name).await?;
        let reply = connection.reply(call.name, call.command, None).await;
        connection.give_back();
        reply
    }

    /// So many replies after the first `skip`.
    pub(crate) async fn replies(
        &self,
        name: &str,
        pipeline: &Pipeline,
        skip: usize,
        count: usize,
    ) -> Result<Vec<Value>, Error> {
        self.link.replies(name, pipeline, skip, count).await
    }

    /// Each reply may be an error reply. On a connection of its own if a command of it blocks.
    pub(crate) async fn batch(&self, batch: Batch<'_>) -> Result<Vec<Value>, Error> {
        let Batch { name, pipeline, skip, count, blocking, repeatable } = batch;
        if !blocking {
            let first = self.replies(name, pipeline, skip, count).await;
            return match first {
                Err(lost @ Error::Lost { .. }) if repeatable && self.config.retries > 0 => {
                    let again = self.replies(name, pipeline, skip, count).await;
                    again.map_err(|error| match error.outcome() {
                        Outcome::NotSent => lost,
                        _ => error,
                    })
                }
                outcome => outcome,
            };
        }
        let mut connection = self.dedicated(name).await?;
        let replies = connection.replies(name, pipeline, skip, count, None).await;
        connection.give_back();
        replies
    }

    pub(crate) fn send(&self, name: &str, command: Cmd, fast: bool) -> Result<Pending, Error> {
        self.link.send(name, command, fast)
    }

    /// A connection that nobody else uses, for `command`.
    pub(crate) async fn dedicated(&self, command: &str) -> Result<Dedicated, Error> {
        let server = self.link.server(command).await?;
        let pool = self.pool(&server)?;
        match pool.get().await {
            Ok(connection) => Ok(Dedicated::new(connection, self.link.clone(), server.0)),
            Err(error) => Err(self.no_connection(command, &server, error)),
        }
    }

    /// Gives up every connection to another server than this.
    pub(crate) fn move_to(&self, endpoint: &Endpoint) {
        self.link.move_to(endpoint);
        if let Some((_, pool)) = lock(&self.pool).take_if(|(place, _)| place != endpoint) {
            pool.close();
        }
    }

    /// The same, with the reply to the first command on it.
    pub(crate) async fn opened(
        &self,
        name: &str,
        command: &Cmd,
    ) -> Result<(Dedicated, Value), Error> {
        let mut connection = self.dedicated(name).await?;
        let patience = Some(self.config.link.command_timeout);
        let reply = connection.reply(name, command, patience).await?;
        Ok((connection, reply))
    }

    pub(crate) fn close(&self) {
        self.link.close();
        if let Some((_, pool)) = lock(&self.pool).take() {
            pool.close();
        }
    }

    /// The pool for this server; one for another is let go.
    fn pool(&self, server: &Server) -> Result<Pool, Error> {
        let mut pool = lock(&self.pool);
        if let Some((endpoint, pool)) = &*pool
            && *endpoint == server.0
        {
            return Ok(pool.clone());
        }
        let new = self.new_pool(server)?;
        if let Some((_, old)) = pool.replace((server.0.clone(), new.clone())) {
            old.close();
        }
        Ok(new)
    }

    fn new_pool(&self, server: &Server) -> Result<Pool, Error> {
        let bad = |error: String| Error::Config { option: "pool_size", problem: error };
        let link = &self.config.link;
        // What blocks has no deadline; others set their own.
        let connection = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(link.connect_timeout))
            .set_response_timeout(None);
        let info = server.1.get_connection_info().clone();
        let manager = Manager::new_with_config(info, connection);
        let pool = Pool::builder(manager.map_err(|error| bad(error.to_string()))?)
            .max_size(self.config.pool_size)
            .wait_timeout(self.config.pool_wait)
            .create_timeout(Some(link.connect_timeout))
            .recycle_timeout(Some(link.command_timeout))
            .runtime(Runtime::Tokio1);
        let (route, setup, server) = (self.route.clone(), self.setup.clone(), server.clone());
        let pool = pool.post_create(Hook::async_fn(move |connection, _| {
            let (route, setup, server) = (route.clone(), setup.clone(), server.clone());
            Box::pin(async move {
                let greeted = setup.greet(connection, &*route, &server).await;
                route.doubt();
                greeted.map_err(HookError::Backend)
            })
        }));
        pool.build().map_err(|error| bad(error.to_string()))
    }

    fn no_connection(&self, command: &str, server: &Server, error: PoolError) -> Error {
        let (endpoint, command) = (server.0.to_string().into(), command.to_owned());
        let after = |kind| match kind {
            TimeoutType::Wait => self.config.pool_wait.unwrap_or(Duration::MAX),
            TimeoutType::Create => self.config.link.connect_timeout,
            TimeoutType::Recycle => self.config.link.command_timeout,
        };
        match error {
            PoolError::Timeout(kind) => {
                Error::PoolTimeout { endpoint, command, after: after(kind) }
            }
            PoolError::Closed => Error::Closed { command },
            PoolError::Backend(source) | PoolError::PostCreateHook(HookError::Backend(source)) => {
                Error::down(&endpoint, self.setup.database, command, &source)
            }
            _ => Error::Unavailable { endpoint, command, source: None },
        }
    }
}
