use std::error::Error;
use std::io;
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
use crate::options::{Options, StoredCrs};
use crate::pages::{Site, router};

type Outcome = Result<(), Box<dyn Error>>;

/// `redwire serve`.
pub(crate) async fn serve(options: Options) -> Outcome {
    let door = Door::open(&options).await?;
    let redis = RedisBackend::connect(&options.redis).await?.cached(options.cache);
    if !redis.is_live() {
        tracing::warn!("redis is not there yet; serving, and trying again until it is");
    }
    let api = api(&options, protocol(&options), redis);
    door.serve(&options, api, None).await
}

/// `redwire demo`.
pub(crate) async fn demo(options: Options, vehicles: u32) -> Outcome {
    let options = Options { live: false, stored_crs: None, ..options };
    let door = Door::open(&options).await?;
    tracing::info!("in-memory: this process only, nothing persists, not Redis");
    tracing::info!("open http://{}/", door.listener.local_addr()?);
    let memory = MemoryBackend::new();
    let fleet = demo::fill(&memory, vehicles)?;
    tokio::spawn(demo::run(memory.clone(), fleet));
    let live = Live::over(geo(&options)).layer(Layer::new(demo::CHANNEL));
    let protocol = Protocol::new().with(Keys).with(live).with(Ping);
    let api = api(&options, protocol, memory);
    door.serve(&options, api, Some(Arc::new(Assets::new()))).await
}

/// The original's commands, and on request its geo commands or the live-map dialect.
fn protocol(options: &Options) -> Protocol<Gateway> {
    let protocol = Protocol::new().with(Keys).with(Ping);
    if options.live {
        return protocol.with(Live::mobility(geo(options)));
    }
    let protocol = protocol.with(Subscriptions);
    if options.geo || options.strict_axis_order || options.stored_crs.is_some() {
        protocol.with(geo(options))
    } else {
        protocol
    }
}

fn geo(options: &Options) -> Geo {
    // What the npm package publishes and looks at without a word about it.
    let usual = if options.live { StoredCrs::WebMercator } else { StoredCrs::LongitudeLatitude };
    let geo = Geo::default().stored_in(options.stored_crs.unwrap_or(usual).code());
    let geo = if options.strict_axis_order { geo.strict_axis_order() } else { geo };
    if options.compat { geo.compat() } else { geo }
}

fn api(
    options: &Options,
    protocol: Protocol<Gateway>,
    backend: impl Backend,
) -> WebsocketApi<Gateway> {
    let defaults = Limits::default();
    let limits = Limits {
        max_age: options.max_age,
        connections: options.max_connections.unwrap_or(defaults.connections),
        commands_per_second: options.max_commands.unwrap_or(defaults.commands_per_second),
        ..defaults
    };
    let api = WebsocketApi::new(protocol, backend).limits(limits);
    let api = if options.compat { api.compat() } else { api };
    let api = if options.compression { api.compression() } else { api };
    match &options.origin {
        Some(origins) => api.origins(origins),
        None => api,
    }
}

/// Where visitors come in, and the signals that close it. Opened before anything else, so that a port
/// in use is the first thing to be said, and no signal is missed once the port is open.
struct Door {
    signals: Signals,
    listener: TcpListener,
}

/// SIGTERM and SIGINT.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn open() -> io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for either.
    async fn next(&mut self) {
        tokio::select! { _ = self.terminate.recv() => {}, _ = self.interrupt.recv() => {} }
    }
}

impl Door {
    async fn open(options: &Options) -> Result<Self, Box<dyn Error>> {
        let signals = Signals::open()?;
        // An IPv6 address may be in brackets, as in a URL.
        let (host, port) = (options.host.as_str(), options.port);
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let listener = TcpListener::bind((bare, port))
            .await
            .map_err(|error| format!("cannot listen on {host}:{port}: {error}"))?;
        Ok(Self { signals, listener })
    }

    /// Serves until SIGTERM or SIGINT, then drains; who comes while it drains gets 503. A second signal
    /// ends it at once.
    async fn serve(
        self,
        options: &Options,
        api: WebsocketApi<Gateway>,
        assets: Option<Arc<Assets>>,
    ) -> Outcome {
        let site = Site { api: api.clone(), gateway: Gateway::new(options), assets };
        let Self { mut signals, listener } = self;
        let drained = async {
            signals.next().await;
            tokio::select! {
                () = drain(&api, options.shutdown) => {}
                () = signals.next() => tracing::warn!("asked again: ending at once"),
            }
        };
        serve_until(listener, router(site), &Limits::default(), drained).await?;
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
