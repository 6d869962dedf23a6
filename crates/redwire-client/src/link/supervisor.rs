use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use redis::{RedisError, RedisResult};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::connection::Connection;
use super::listener::Listener;
use super::route::Server;
use super::shared::Shared;
use super::state::State;
use super::{heartbeat, subscriptions};
use crate::Error;
use crate::backoff::Backoff;
use crate::error::is_refusal;
use crate::lock::lock;

/// Answered after the first attempt: an error only if Redis refused us.
pub(super) type FirstAttempt = oneshot::Sender<Result<(), Error>>;

/// Keeps the link alive until its last handle is gone.
pub(super) async fn supervise(shared: Arc<Shared>, first: FirstAttempt) {
    let ending = Ending(shared);
    let supervisor = Supervisor::new(&ending.0, first);
    ending.0.closing.run_until_cancelled(supervisor.run()).await;
}

/// Ends the feeds however the supervisor ends, and frees the connection, whose task holds `Shared`.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
        // Why it was refused is for whoever comes next.
        self.0.state.send_if_modified(|state| match state {
            State::Down(error) if is_refusal(error) => false,
            state => {
                if let Some(connection) = mem::replace(state, State::Closed).connection() {
                    connection.kill();
                }
                true
            }
        });
        lock(&self.0.table).forget_connection();
        self.0.fan.close();
    }
}

struct Supervisor<'a> {
    shared: &'a Arc<Shared>,
    backoff: Backoff,
    /// Counts attempts; tells messages of one connection from those of the next.
    attempt: u64,
    /// Since when messages may be missing.
    down_since: Option<SystemTime>,
    started: SystemTime,
    was_live: bool,
    first: Option<FirstAttempt>,
}

impl<'a> Supervisor<'a> {
    fn new(shared: &'a Arc<Shared>, first: FirstAttempt) -> Self {
        Self {
            shared,
            backoff: Backoff::new(shared.config.backoff_min, shared.config.backoff_max),
            attempt: 0,
            down_since: None,
            started: SystemTime::now(),
            was_live: false,
            first: Some(first),
        }
    }

    async fn run(mut self) {
        loop {
            self.attempt += 1;
            match self.establish().await {
                Ok(connection) => self.live_and_die(&connection).await,
                Err(error) => self.failed(&error),
            }
            if !self.shared.config.reconnect || self.is_refused_for_good() {
                return;
            }
            sleep(self.backoff.pause()).await;
        }
    }

    fn is_refused_for_good(&self) -> bool {
        self.shared.setup.ends_when_refused && self.shared.is_refused()
    }

    /// A connection with everything subscribed that is wanted.
    async fn establish(&mut self) -> RedisResult<Connection> {
        let connection = self.connect().await?;
        let deadline = self.shared.config.connect_timeout;
        lock(&self.shared.table).start(self.attempt);
        let restored = subscriptions::restore(self.shared, &connection, deadline).await?;
        if restored > 0 {
            self.down_since.get_or_insert(self.started);
        }
        Ok(connection)
    }

    /// The first candidate that lets us in and is what the route meant.
    async fn connect(&self) -> RedisResult<Connection> {
        let mut failure = nowhere();
        for server in self.shared.route.candidates().await? {
            match self.open(&server).await {
                Ok(connection) => return Ok(connection),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn open(&self, server: &Server) -> RedisResult<Connection> {
        let listener = Listener::new(self.shared.clone(), self.attempt);
        let (setup, config) = (&self.shared.setup, &self.shared.config);
        let connection = Connection::open(server, setup, config, listener).await?;
        let (mut raw, route) = (connection.raw(), &*self.shared.route);
        let greeting = setup.greet(&mut raw, route, server);
        timeout(config.connect_timeout, greeting).await.map_err(|_| late())??;
        Ok(connection)
    }

    async fn live_and_die(&mut self, connection: &Connection) {
        self.go_live(connection);
        let born = Instant::now();
        let cause = self.until_dead(connection).await;
        self.lose(connection, &cause);
        // A connection that dies young does not count as a success, or a Redis that drops us at once
        // would be asked twenty times a second.
        if born.elapsed() > self.shared.config.backoff_max {
            self.backoff.reset();
        }
    }

    fn go_live(&mut self, connection: &Connection) {
        let gap = self.down_since.take();
        self.shared.open(self.attempt, gap, || {
            lock(&self.shared.table).set_live();
            self.shared.turn(State::Live(connection.clone()));
        });
        if mem::replace(&mut self.was_live, true) {
            self.shared.counters.reconnects.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(first) = self.first.take() {
            // Nobody reads it if the caller has stopped waiting.
            let _ = first.send(Ok(()));
        }
        tracing::info!(endpoint = %connection.endpoint(), after_gap = gap.is_some(), "redis link is live");
    }

    async fn until_dead(&self, connection: &Connection) -> String {
        let interval = self.shared.config.heartbeat;
        tokio::select! {
            () = connection.closed() => "connection closed".to_owned(),
            () = heartbeat::until_silent(connection, interval) => "no answer to ping".to_owned(),
            error = subscriptions::keep(self.shared, connection) => error.to_string(),
        }
    }

    fn lose(&mut self, connection: &Connection, cause: &str) {
        let since = connection.pulse().last_heard();
        self.down_since = Some(since);
        self.shared.turn(State::Connecting);
        connection.kill();
        lock(&self.shared.table).forget_connection();
        self.shared.fan.lose(since);
        tracing::warn!(endpoint = %connection.endpoint(), cause, "redis link is lost");
    }

    fn failed(&mut self, error: &RedisError) {
        self.down_since.get_or_insert(self.started);
        self.shared.turn(State::Down(error.clone()));
        tracing::debug!(endpoint = %self.shared.label, %error, "cannot connect to redis");
        let Some(first) = self.first.take() else { return };
        tracing::warn!(endpoint = %self.shared.label, %error, "redis is not there yet");
        let refused = is_refusal(error) || !self.shared.config.reconnect;
        let outcome = if refused {
            Err(Error::connecting(&self.shared.label, self.shared.setup.database, error.clone()))
        } else {
            Ok(())
        };
        let _ = first.send(outcome);
    }
}

fn late() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}

fn nowhere() -> RedisError {
    io::Error::new(io::ErrorKind::AddrNotAvailable, "there is no server to connect to").into()
}
