use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use redwire::prelude::serve as serve_until;
use redwire::prelude::*;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;

use crate::demo;
use crate::demo::assets::Assets;
use crate::gateway::Gateway;
use crate::options::Options;
use crate::pages::{Site, router};

type Outcome = Result<(), Box<dyn Error>>;

/// `redwire serve`.
pub(crate) async fn serve(options: Options) -> Outcome {
    let door = Door::open(&options).await?;
    let redis = RedisBackend::connect(&options.redis).await?;
    if !redis.is_live() {
        tracing::warn!("redis is not there yet; serving, and trying again until it is");
    }
    let api = api(&options, protocol(&options, options.geo), redis, limits(&options));
    door.serve(&options, api, None).await
}

/// `redwire demo`.
pub(crate) async fn demo(options: Options, vehicles: u32) -> Outcome {
    let door = Door::open(&options).await?;
    tracing::info!("in-memory: this process only, nothing persists, not Redis");
    tracing::info!("open http://{}/", door.listener.local_addr()?);
    let memory = MemoryBackend::new();
    let fleet = demo::fill(&memory, vehicles)?;
    tokio::spawn(demo::run(memory.clone(), fleet));
    // A page that shows every vehicle gets megabytes a second, and may be busy drawing for a while.
    let limits = Limits { outbox_bytes: 16 << 20, outbox_messages: 1 << 16, ..limits(&options) };
    let api = api(&options, protocol(&options, true), memory, limits);
    door.serve(&options, api, Some(Arc::new(Assets::new()))).await
}

/// The original's commands, and on request its geo commands.
fn protocol(options: &Options, geo: bool) -> Protocol<Gateway> {
    let protocol = Protocol::new().with(Keys).with(Subscriptions).with(Ping);
    if !geo && !options.strict_axis_order {
        return protocol;
    }
    let geo = Geo::default();
    let geo = if options.strict_axis_order { geo.strict_axis_order() } else { geo };
    protocol.with(if options.compat { geo.compat() } else { geo })
}

fn limits(options: &Options) -> Limits {
    let defaults = Limits::default();
    Limits {
        max_age: options.max_age,
        connections: options.max_connections.unwrap_or(defaults.connections),
        commands_per_second: options.max_commands.unwrap_or(defaults.commands_per_second),
        ..defaults
    }
}

fn api(
    options: &Options,
    protocol: Protocol<Gateway>,
    backend: impl Backend,
    limits: Limits,
) -> WebsocketApi<Gateway> {
    let api = WebsocketApi::new(protocol, backend).limits(limits);
    let api = if options.compat { api.compat() } else { api };
    match &options.origin {
        Some(origins) => api.origins(origins),
        None => api,
    }
}

/// Where visitors come in, and the signals that close it. Opened before anything else, so that a port
/// in use is the first thing to be said, and no signal is missed once the port is open.
struct Door {
    terminate: Signal,
    interrupt: Signal,
    listener: TcpListener,
}

impl Door {
    async fn open(options: &Options) -> Result<Self, Box<dyn Error>> {
        let (host, port) = (options.host.as_str(), options.port);
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        let listener = TcpListener::bind((host, port))
            .await
            .map_err(|error| format!("cannot listen on {host}:{port}: {error}"))?;
        Ok(Self { terminate, interrupt, listener })
    }

    /// Serves until SIGTERM or SIGINT, then drains; who comes while it drains gets 503.
    async fn serve(
        mut self,
        options: &Options,
        api: WebsocketApi<Gateway>,
        assets: Option<Arc<Assets>>,
    ) -> Outcome {
        let site = Site { api: api.clone(), gateway: Gateway::new(options), assets };
        let drained = async {
            tokio::select! { _ = self.terminate.recv() => {}, _ = self.interrupt.recv() => {} }
            drain(&api, options.shutdown).await;
        };
        serve_until(self.listener, router(site), &Limits::default(), drained).await?;
        Ok(())
    }
}

/// Half of the time is for spreading the closes, half for clients that are slow to answer.
async fn drain(api: &WebsocketApi<Gateway>, limit: Duration) {
    tracing::info!(seconds = limit.as_secs(), "draining");
    if timeout(limit, api.drain(limit / 2)).await.is_err() {
        tracing::warn!("some clients did not answer the close in time");
    }
}
