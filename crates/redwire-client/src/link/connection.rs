use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Cmd, Pipeline, PushInfo, PushKind, RedisError, RedisResult, Value,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::route::{Server, Setup};
use crate::LinkConfig;

/// One connection to Redis, until it dies. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    redis: MultiplexedConnection,
    server: Arc<Server>,
    endpoint: Arc<str>,
    replace_when_overdue: bool,
    pulse: Arc<Pulse>,
    /// Cancelled when it ends or is given up, so that nobody waits for a reply that will not come.
    dead: CancellationToken,
}

impl Connection {
    /// Connects and logs in. `on_message` gets channel and payload; it must not block.
    ///
    /// Has no deadline for replies: callers set theirs, and the heartbeat ends what hangs.
    pub(super) async fn open(
        (endpoint, client): &Server,
        setup: &Setup,
        link: &LinkConfig,
        on_message: impl Fn(Value, Value) + Send + Sync + 'static,
    ) -> RedisResult<Self> {
        let (pulse, dead) = (Arc::new(Pulse::default()), CancellationToken::new());
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(link.connect_timeout))
            .set_response_timeout(None)
            // Room for whatever may be on its way, and for a ping: so a write never waits there, and
            // the order of writes is the order of calls.
            .set_pipeline_buffer_size(link.commands_in_flight.saturating_add(2))
            .set_push_sender(push_sender(pulse.clone(), dead.clone(), on_message));
        let client = setup.client(client)?;
        let redis = client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Self {
            redis,
            endpoint: endpoint.to_string().into(),
            server: Arc::new((endpoint.clone(), client)),
            replace_when_overdue: link.replace_when_overdue,
            pulse,
            dead,
        })
    }

    /// Which Redis.
    pub(super) fn endpoint(&self) -> &Arc<str> {
        &self.endpoint
    }

    /// The same, and what leads to it and into the same database.
    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// A handle on the connection under it.
    pub(super) fn raw(&self) -> MultiplexedConnection {
        self.redis.clone()
    }

    /// Some reply did not come in time.
    pub(super) fn overdue(&self) {
        if self.replace_when_overdue {
            self.kill();
        }
    }

    /// The reply, which may be an error reply. Errors are the connection's own.
    pub(super) async fn call(&self, command: &Cmd) -> RedisResult<Value> {
        let mut redis = self.redis.clone();
        let reply = self.unless_dead(redis.send_packed_command(command)).await?;
        self.pulse.beat();
        Ok(reply)
    }

    /// So many replies after the first `skip`, of what goes out in one write.
    pub(super) async fn call_all(
        &self,
        pipeline: &Pipeline,
        skip: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let mut redis = self.redis.clone();
        let replies = redis.send_packed_commands(pipeline, skip, count);
        let replies = self.unless_dead(replies).await?;
        self.pulse.beat();
        Ok(replies)
    }

    /// Returns when Redis has confirmed all of them. They must not be none.
    pub(super) async fn subscribe(&self, channels: &[Arc<str>]) -> RedisResult<()> {
        let names: Vec<&str> = channels.iter().map(AsRef::as_ref).collect();
        let mut redis = self.redis.clone();
        self.unless_dead(redis.subscribe(names)).await
    }

    /// As [`subscribe`](Self::subscribe).
    pub(super) async fn unsubscribe(&self, channels: &[Arc<str>]) -> RedisResult<()> {
        let names: Vec<&str> = channels.iter().map(AsRef::as_ref).collect();
        let mut redis = self.redis.clone();
        self.unless_dead(redis.unsubscribe(names)).await
    }

    pub(super) fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Gives it up; all who wait for a reply get an error at once.
    pub(super) fn kill(&self) {
        self.dead.cancel();
    }

    pub(super) async fn closed(&self) {
        self.dead.cancelled().await;
    }

    async fn unless_dead<T>(&self, reply: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
        tokio::select! {
            biased;
            reply = reply => reply,
            () = self.dead.cancelled() => Err(broken()),
        }
    }
}

fn broken() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::ConnectionAborted).into()
}

fn push_sender(
    pulse: Arc<Pulse>,
    dead: CancellationToken,
    on_message: impl Fn(Value, Value) + Send + Sync + 'static,
) -> impl Fn(PushInfo) -> Result<(), Infallible> + Send + Sync + 'static {
    move |push: PushInfo| {
        if push.kind == PushKind::Disconnection {
            dead.cancel();
            return Ok(());
        }
        pulse.beat();
        if push.kind == PushKind::Message
            && let Ok([channel, payload]) = <[Value; 2]>::try_from(push.data)
        {
            on_message(channel, payload);
        }
        Ok(())
    }
}

/// When Redis was last heard.
#[derive(Debug)]
pub(super) struct Pulse {
    origin: Instant,
    /// Microseconds after the origin.
    last: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { origin: Instant::now(), last: AtomicU64::new(0) }
    }
}

impl Pulse {
    fn beat(&self) {
        let now = u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last.fetch_max(now, Ordering::Relaxed);
    }

    /// How long nothing was heard.
    pub(super) fn silence(&self) -> Duration {
        let last = Duration::from_micros(self.last.load(Ordering::Relaxed));
        self.origin.elapsed().saturating_sub(last)
    }

    /// The wall clock's time when it was last heard.
    pub(super) fn last_heard(&self) -> SystemTime {
        let now = SystemTime::now();
        now.checked_sub(self.silence()).unwrap_or(now)
    }
}
