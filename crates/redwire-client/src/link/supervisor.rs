use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use redis::{ErrorKind, RedisError, RedisResult};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::connection::Connection;
use super::listener::Listener;
use super::shared::Shared;
use super::{heartbeat, subscriptions};
use crate::Error;
use crate::backoff::Backoff;
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
        if let Some(connection) = self.0.connection.send_replace(None) {
            connection.kill();
        }
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
            sleep(self.backoff.pause()).await;
        }
    }

    /// A connection with everything subscribed that is wanted.
    async fn establish(&mut self) -> RedisResult<Connection> {
        let listener = Listener::new(self.shared.clone(), self.attempt);
        let deadline = self.shared.config.connect_timeout;
        let connection = Connection::open(&self.shared.client, deadline, listener).await?;
        lock(&self.shared.table).start(self.attempt);
        let restored = subscriptions::restore(self.shared, &connection, deadline).await?;
        if restored > 0 {
            self.down_since.get_or_insert(self.started);
        }
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
            self.shared.connection.send_replace(Some(connection.clone()));
        });
        if mem::replace(&mut self.was_live, true) {
            self.shared.counters.reconnects.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(first) = self.first.take() {
            // Nobody reads it if the caller has stopped waiting.
            let _ = first.send(Ok(()));
        }
        tracing::info!(endpoint = %self.shared.endpoint, after_gap = gap.is_some(), "redis link is live");
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
        self.shared.connection.send_replace(None);
        connection.kill();
        lock(&self.shared.table).forget_connection();
        self.shared.fan.lose(since);
        tracing::warn!(endpoint = %self.shared.endpoint, cause, "redis link is lost");
    }

    fn failed(&mut self, error: &RedisError) {
        self.down_since.get_or_insert(self.started);
        tracing::debug!(endpoint = %self.shared.endpoint, %error, "cannot connect to redis");
        let Some(first) = self.first.take() else { return };
        tracing::warn!(endpoint = %self.shared.endpoint, %error, "redis is not there yet");
        let refused = is_refusal(error).then(|| Error::Refused {
            endpoint: self.shared.endpoint.clone(),
            source: error.clone(),
        });
        let _ = first.send(refused.map_or(Ok(()), Err));
    }
}

/// Whether it is a mistake in the configuration rather than a Redis that is away or busy.
fn is_refusal(error: &RedisError) -> bool {
    let kinds = [ErrorKind::AuthenticationFailed, ErrorKind::RESP3NotSupported];
    kinds.contains(&error.kind())
        || matches!(error.code(), Some("WRONGPASS" | "NOAUTH" | "NOPERM"))
        // Redis-rs has no kind for it (redis 1.8.1, `check_db_select`).
        || error.to_string().contains("refused to switch database")
}
