use std::convert::Infallible;
use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Cmd, Pipeline, PushInfo, PushKind, RedisError, RedisResult, Value,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::gather::MOST_IN_FLIGHT;
use super::listener::Listener;
use super::route::{Server, Setup};
use super::step::Step;
use crate::LinkConfig;
use crate::topic::TopicKind;

/// What Redis sends back when all replies before it are in step.
const IN_STEP: &str = "in step";

/// One connection to Redis, until it dies. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Connection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    redis: MultiplexedConnection,
    /// Among those of the link.
    number: u64,
    server: Server,
    endpoint: Arc<str>,
    replace_when_overdue: bool,
    pulse: Arc<Pulse>,
    step: Arc<Step>,
    /// Cancelled when it ends or is given up, so that nobody waits for a reply that will not come.
    dead: CancellationToken,
}

impl Connection {
    /// Connects and logs in.
    ///
    /// Has no deadline for replies: callers set theirs, and the heartbeat ends what hangs.
    pub(super) async fn open(
        (endpoint, client): &Server,
        setup: &Setup,
        link: &LinkConfig,
        listener: Listener,
    ) -> RedisResult<Self> {
        let (pulse, dead) = (Arc::new(Pulse::default()), CancellationToken::new());
        let (step, number) = (Arc::new(Step::default()), listener.connection);
        let ear = Ear { listener, pulse: pulse.clone(), step: step.clone(), dead: dead.clone() };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(link.connect_timeout))
            .set_response_timeout(None)
            // Room for whatever may be on its way, and for a ping: so a write never waits there, and
            // the order of writes is the order of calls.
            .set_pipeline_buffer_size(link.commands_in_flight.clamp(1, MOST_IN_FLIGHT) + 2)
            .set_push_sender(move |push| {
                ear.hear(push);
                Ok::<(), Infallible>(())
            });
        let client = setup.client(client)?;
        let redis = client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Self(Arc::new(Inner {
            redis,
            number,
            endpoint: endpoint.to_string().into(),
            server: (endpoint.clone(), client),
            replace_when_overdue: link.replace_when_overdue,
            pulse,
            step,
            dead,
        })))
    }

    /// Which one of the link's, counted from 1.
    pub(super) fn number(&self) -> u64 {
        self.0.number
    }

    /// Which Redis.
    pub(super) fn endpoint(&self) -> &Arc<str> {
        &self.0.endpoint
    }

    /// The same, and what leads to it and into the same database.
    pub(super) fn server(&self) -> &Server {
        &self.0.server
    }

    /// A handle on the connection under it.
    pub(super) fn raw(&self) -> MultiplexedConnection {
        self.0.redis.clone()
    }

    /// Some reply did not come in time.
    pub(super) fn overdue(&self) {
        if self.0.replace_when_overdue {
            self.kill();
        }
    }

    /// The reply, which may be an error reply. Errors are the connection's own.
    pub(super) async fn call(&self, command: &Cmd) -> RedisResult<Value> {
        let mut redis = self.0.redis.clone();
        let reply = self.unless_dead(redis.send_packed_command(command)).await?;
        self.0.pulse.beat();
        Ok(reply)
    }

    /// So many replies after the first `skip`, of what goes out in one write.
    pub(super) async fn call_all(
        &self,
        pipeline: &Pipeline,
        skip: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let mut redis = self.0.redis.clone();
        let replies = redis.send_packed_commands(pipeline, skip, count);
        let replies = self.unless_dead(replies).await?;
        self.0.pulse.beat();
        Ok(replies)
    }

    /// Subscribes to channels or patterns; returns when Redis has confirmed all. They must not be none.
    pub(super) async fn subscribe(&self, kind: TopicKind, names: &[Arc<str>]) -> RedisResult<()> {
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let mut redis = self.0.redis.clone();
        match kind {
            TopicKind::Pattern => self.unless_dead(redis.psubscribe(names)).await,
            _ => self.unless_dead(redis.subscribe(names)).await,
        }
    }

    /// As [`subscribe`](Self::subscribe).
    pub(super) async fn unsubscribe(&self, kind: TopicKind, names: &[Arc<str>]) -> RedisResult<()> {
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let mut redis = self.0.redis.clone();
        match kind {
            TopicKind::Pattern => self.unless_dead(redis.punsubscribe(names)).await,
            _ => self.unless_dead(redis.unsubscribe(names)).await,
        }
    }

    /// Subscribes to sharded channels, each by a command of its own: those of one command would need
    /// to have one slot. Returns one reply for each, which may be an error.
    pub(super) async fn subscribe_sharded(&self, names: &[Arc<str>]) -> RedisResult<Vec<Value>> {
        let commands = each("SSUBSCRIBE", names);
        let mut redis = self.0.redis.clone();
        self.unless_dead(redis.send_packed_commands(&commands, 0, names.len())).await
    }

    /// Leaves sharded channels, wherever their slots are by now. An error if replies are out of step.
    pub(super) async fn unsubscribe_sharded(&self, names: &[Arc<str>]) -> RedisResult<()> {
        let mut commands = each("SUNSUBSCRIBE", names);
        commands.cmd("PING").arg(IN_STEP);
        let mut redis = self.0.redis.clone();
        self.0.step.hold();
        let replies = self.reply(redis.send_packed_commands(&commands, 0, names.len() + 1)).await?;
        let is_farewell =
            |reply: &&Value| matches!(reply, Value::Push { kind: PushKind::SUnsubscribe, .. });
        let farewells = replies.iter().filter(is_farewell).count();
        // The last reply is another one if one too many came after this was sent; if it came before,
        // somebody else has taken it.
        if !is_last_in_step(replies.last()) || farewells != self.0.step.farewells() {
            return Err(io::Error::from(io::ErrorKind::InvalidData).into());
        }
        self.0.step.release();
        Ok(())
    }

    pub(super) fn pulse(&self) -> &Pulse {
        &self.0.pulse
    }

    /// Gives it up; all who wait for a reply get an error at once.
    pub(super) fn kill(&self) {
        self.0.dead.cancel();
    }

    /// Whether it is given up, although the supervisor may not know it yet.
    pub(super) fn is_dead(&self) -> bool {
        self.0.dead.is_cancelled()
    }

    pub(super) async fn closed(&self) {
        self.0.dead.cancelled().await;
    }

    async fn unless_dead<T>(&self, reply: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
        let reply = self.reply(reply).await?;
        tokio::select! {
            biased;
            () = self.0.step.verified() => Ok(reply),
            () = self.0.dead.cancelled() => Err(broken()),
        }
    }

    async fn reply<T>(&self, reply: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
        self.0.step.sent();
        tokio::select! {
            biased;
            reply = reply => {
                self.0.step.answered();
                reply
            }
            () = self.0.dead.cancelled() => Err(broken()),
        }
    }
}

fn each(command: &str, names: &[Arc<str>]) -> Pipeline {
    let mut commands = redis::pipe();
    for name in names {
        commands.cmd(command).arg(name.as_bytes());
    }
    commands
}

fn is_last_in_step(reply: Option<&Value>) -> bool {
    match reply {
        Some(Value::BulkString(text)) => text == IN_STEP.as_bytes(),
        Some(Value::ServerError(error)) => error.code() == "NOPERM",
        _ => false,
    }
}

fn broken() -> RedisError {
    io::Error::from(io::ErrorKind::ConnectionAborted).into()
}

/// Sorts what Redis pushes.
struct Ear {
    listener: Listener,
    pulse: Arc<Pulse>,
    step: Arc<Step>,
    dead: CancellationToken,
}

impl Ear {
    fn hear(&self, PushInfo { kind, mut data }: PushInfo) {
        use TopicKind::{Channel, Pattern, Sharded};
        use Value::BulkString;
        if kind == PushKind::Disconnection {
            self.dead.cancel();
            return;
        }
        let last_heard = (kind == PushKind::SUnsubscribe).then(|| self.pulse.last_heard());
        self.pulse.beat();
        let listener = &self.listener;
        match (kind, data.as_mut_slice()) {
            (PushKind::Message, [BulkString(name), BulkString(payload)]) => {
                listener.published(Channel, name, None, mem::take(payload));
            }
            (PushKind::SMessage, [BulkString(name), BulkString(payload)]) => {
                listener.published(Sharded, name, None, mem::take(payload));
            }
            (PushKind::PMessage, [BulkString(name), BulkString(channel), BulkString(payload)]) => {
                listener.published(Pattern, name, Some(channel), mem::take(payload));
            }
            (PushKind::Subscribe, [BulkString(name), ..]) => listener.joined(Channel, name),
            (PushKind::PSubscribe, [BulkString(name), ..]) => listener.joined(Pattern, name),
            (PushKind::SSubscribe, [BulkString(name), ..]) => listener.joined(Sharded, name),
            (PushKind::SUnsubscribe, [BulkString(name), ..]) => self.departed(name, last_heard),
            (PushKind::Invalidate, [Value::Array(keys)]) => listener.invalidated(keys),
            (PushKind::Invalidate, _) => listener.invalidated_all(),
            _ => {}
        }
    }

    fn departed(&self, name: &[u8], last_heard: Option<SystemTime>) {
        let since = last_heard.unwrap_or_else(SystemTime::now);
        let is_requested = self.listener.departed(name, self.step.is_held(), since);
        if is_requested {
            self.step.said_farewell();
        } else if self.step.intruded() {
            self.dead.cancel();
        }
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
