use std::error::Error;
use std::time::Duration;

use redwire::prelude::*;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use crate::demo;
use crate::gateway::Gateway;
use crate::options::Options;
use crate::pages::{Site, router};

type Outcome = Result<(), Box<dyn Error>>;

/// `redwire serve`.
pub(crate) async fn serve(options: Options) -> Outcome {
    let redis = RedisBackend::connect(&options.redis).await?;
    if !redis.is_live() {
        tracing::warn!("redis is not there yet; serving, and trying again until it is");
    }
    run(&options, api(&options, redis), None).await
}

/// `redwire demo`.
pub(crate) async fn demo(options: Options) -> Outcome {
    tracing::info!("in-memory: this process only, nothing persists, not Redis");
    let memory = MemoryBackend::new();
    tokio::spawn(demo::run(memory.clone()));
    run(&options, api(&options, memory), Some(demo::PAGE)).await
}

fn api(options: &Options, backend: impl Backend) -> WebsocketApi<Gateway> {
    let defaults = Limits::default();
    let limits = Limits {
        max_age: options.max_age,
        connections: options.max_connections.unwrap_or(defaults.connections),
        commands_per_second: options.max_commands.unwrap_or(defaults.commands_per_second),
        ..defaults
    };
    let protocol = Protocol::new().with(Keys).with(Subscriptions).with(Ping);
    let api = WebsocketApi::new(protocol, backend).limits(limits);
    let api = if options.compat { api.compat() } else { api };
    match &options.origin {
        Some(origins) => api.origins(origins),
        None => api,
    }
}

/// Serves until SIGTERM or SIGINT, then drains.
async fn run(options: &Options, api: WebsocketApi<Gateway>, page: Option<&'static str>) -> Outcome {
    let (host, port) = (options.host.as_str(), options.port);
    let listener = TcpListener::bind((host, port))
        .await
        .map_err(|error| format!("cannot listen on {host}:{port}: {error}"))?;
    if page.is_some() {
        tracing::info!("open http://{}/", listener.local_addr()?);
    }
    let site = Site { api: api.clone(), gateway: Gateway::new(options), page };
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = async {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    };
    redwire::prelude::serve(listener, router(site), &Limits::default(), shutdown).await?;
    drain(&api, options.shutdown).await;
    Ok(())
}

/// Half of the time is for spreading the closes, half for clients that are slow to answer.
async fn drain(api: &WebsocketApi<Gateway>, limit: Duration) {
    tracing::info!(seconds = limit.as_secs(), "draining");
    if timeout(limit, api.drain(limit / 2)).await.is_err() {
        tracing::warn!("some clients did not answer the close in time");
    }
}
