use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use redwire_test::{RedisServer, Reply};
use tokio::runtime::Runtime;

use super::contenders::{Contender, Load};
use super::load::clients::{Clients, FEW};
use super::load::flow::Flow;
use super::load::ledger::{Ledger, Tally};
use super::load::payload::Payload;
use super::load::publisher::Publisher;
use super::load::script::Script;
use super::server::{Server, Site};
use crate::Result;
use crate::table::count;

/// A contender with a Redis of its own, both fresh.
pub(crate) struct Bout<'a> {
    pub(crate) contender: &'a Contender,
    pub(crate) server: Server,
    runtime: &'a Runtime,
    redis: RedisServer,
}

/// How long the parts of a bout are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) rounds: usize,
    pub(crate) warm_up: Duration,
    /// What is measured.
    pub(crate) turn: Duration,
}

/// One number of a bout.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) measure: String,
    pub(crate) kind: Kind,
    pub(crate) value: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The less, the better; compared with the floor.
    Cost,
    /// The more, the better; compared with the floor.
    Rate,
    /// There is no floor to compare it with.
    Plain,
    /// CPU µs a delivery, where the thing on this axis is as large as that.
    Point(Axis, u64),
    /// Added up over all bouts.
    Fault,
}

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    Clients,
    Channels,
    Size,
}

impl Axis {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Channels => "channels",
            Self::Size => "bytes",
        }
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Clients => "clients of one channel",
            Self::Channels => "channels of 10,000 clients",
            Self::Size => "bytes of a message to 1,000 clients",
        }
    }
}

impl Figure {
    pub(crate) fn cost(measure: impl Into<String>, value: f64) -> Self {
        Self { measure: measure.into(), kind: Kind::Cost, value }
    }

    pub(crate) fn rate(measure: impl Into<String>, value: f64) -> Self {
        Self { measure: measure.into(), kind: Kind::Rate, value }
    }

    pub(crate) fn plain(measure: impl Into<String>, value: f64) -> Self {
        Self { measure: measure.into(), kind: Kind::Plain, value }
    }

    pub(crate) fn point(axis: Axis, at: u64, value: f64) -> Self {
        let measure = format!("CPU µs a delivery, {}: {}", axis.name(), count(at));
        Self { measure, kind: Kind::Point(axis, at), value }
    }

    /// What is wrong with what has arrived.
    pub(crate) fn faults(tally: Tally) -> [Self; 4] {
        let of = |measure: &str, value: u64| Self {
            measure: format!("deliveries {measure}, all modes together"),
            kind: Kind::Fault,
            value: value as f64,
        };
        [
            of("lost", tally.lost()),
            of("doubled", tally.doubled),
            of("reordered", tally.reordered),
            of("to the wrong client", tally.foreign),
        ]
    }
}

impl<'a> Bout<'a> {
    pub(crate) fn start(
        runtime: &'a Runtime,
        contender: &'a Contender,
        load: Load,
    ) -> Result<Self> {
        let redis = runtime.block_on(RedisServer::start_with(&["--maxclients", "15000"]));
        let site = Site::new(redis.port())?;
        let server = site.start(contender.name, contender.command(&site, load)?)?;
        Ok(Self { contender, server, runtime, redis })
    }

    /// So many clients, of whom the one with the number `n` says the script of `n`.
    pub(crate) fn open(&self, count: u32, script: impl Fn(u32) -> Script) -> Result<Clients> {
        let mut clients = Clients::none()?;
        clients.open(self.server.address, (0..count).map(script), FEW, |_, _| ())?;
        Ok(clients)
    }

    pub(crate) fn publisher(&self) -> Result<Publisher> {
        let redis = SocketAddr::from((Ipv4Addr::LOCALHOST, self.redis.port()));
        Publisher::connect(self.contender.way, redis, self.server.address)
    }

    pub(crate) fn redis(&self, words: &[&[u8]]) -> Reply {
        self.runtime.block_on(self.redis.command(words))
    }

    pub(crate) async fn publish(&self, channel: &[u8], payload: &[u8]) {
        self.redis.publish(channel, payload).await;
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        self.runtime
    }

    /// How often anything was read from Redis.
    pub(crate) fn reads(&self) -> u64 {
        const READING: [&str; 7] = ["get", "mget", "hget", "hmget", "hvals", "hgetall", "hscan"];
        let statistics = self.redis(&[b"INFO", b"commandstats"]);
        let statistics = String::from_utf8_lossy(statistics.as_bytes().unwrap_or_default());
        let calls = statistics.lines().filter_map(|line| {
            let (command, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let calls = rest.split(',').next()?.parse::<u64>().ok()?;
            READING.contains(&command).then_some(calls)
        });
        calls.sum()
    }

    /// Lets messages flow to so many clients, each of whom has subscribed to one of the
    /// channels, once that is in effect.
    pub(crate) fn flow<T>(
        &self,
        clients: u32,
        channels: u32,
        payload: Payload,
        work: impl FnOnce(&mut Flow<'_>) -> Result<T>,
    ) -> Result<T> {
        let dialect = self.contender.dialect;
        let mut clients = self.open(clients, |client| dialect.subscribe([client % channels]))?;
        self.flow_to(&mut clients, channels, payload, work)
    }

    /// The same to these clients.
    pub(crate) fn flow_to<T>(
        &self,
        clients: &mut Clients,
        channels: u32,
        payload: Payload,
        work: impl FnOnce(&mut Flow<'_>) -> Result<T>,
    ) -> Result<T> {
        let count = clients.len() as u32;
        let mut publisher = self.publisher()?;
        let ledger = |from| {
            let subscriptions = (0..count).map(|client| client % channels);
            Ledger::new(subscriptions.map(|channel| channel..channel + 1), from)
        };
        let mut flow = Flow { clients, publisher: &mut publisher, ledger: ledger(0), payload };
        flow.warm_up(ledger)?;
        work(&mut flow)
    }

    pub(crate) fn cpu(&self) -> Result<Duration> {
        self.server.accounts.cpu()
    }
}

/// Microseconds for each of so many.
pub(crate) fn micros(spent: Duration, count: u64) -> f64 {
    spent.as_secs_f64() * 1e6 / count as f64
}
