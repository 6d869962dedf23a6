use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use redwire_protocol::{Backend, HandlerBase, Limits, Protocol};

use crate::connection::Connection;
use crate::connections::Connections;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::origin::Origins;
use crate::websocket::Upgrade;

/// A protocol served over WebSocket: mount it in an axum app through one of its three doors.
///
/// * [`route`](Self::route): every connection gets a clone of one handler.
/// * [`route_from_request`](Self::route_from_request): the handler is an extractor; it sees the
///   request and the app's state, and may refuse the upgrade.
/// * [`upgrade`](Self::upgrade): inside a route of your own.
///
/// Cloning it copies a pointer; configure it before the first clone is mounted.
pub struct WebsocketApi<H: HandlerBase> {
    shared: Arc<Shared<H>>,
}

/// What all connections of an API have in common.
pub(crate) struct Shared<H: HandlerBase> {
    pub(crate) protocol: Protocol<H>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) compat: bool,
    compression: bool,
    pub(crate) metrics: Arc<Metrics>,
    origins: Origins,
    connections: Arc<Connections>,
}

impl<H: HandlerBase> WebsocketApi<H> {
    /// Serves `protocol` on the keys and channels of `backend`, within the default [`Limits`].
    pub fn new(protocol: Protocol<H>, backend: impl Backend) -> Self {
        let sets = protocol.filters().clone();
        let (limits, metrics) = (Arc::<Limits>::default(), Arc::new(Metrics::new(sets.clone())));
        let hub = Arc::new(Hub::new(Arc::new(backend), sets, Arc::clone(&metrics)));
        let connections = Arc::new(Connections::new(limits.connections));
        let origins = Origins::default();
        let (compat, compression) = (false, false);
        Self {
            shared: Arc::new(Shared {
                protocol,
                hub,
                limits,
                compat,
                compression,
                metrics,
                origins,
                connections,
            }),
        }
    }

    /// Sets the limits of every connection.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        let connections = Arc::new(Connections::new(limits.connections));
        self.configure(|shared| Shared { limits: Arc::new(limits), connections, ..shared })
    }

    /// Lets only these web pages connect: `https://map.example`, compared with the handshake's
    /// `Origin`; `*` is any. Others get 403 before the upgrade.
    ///
    /// Without a list any page may connect, unless the handshake carries cookies: then it must come
    /// from the server's own host. Programs that are not browsers send no origin and always pass.
    #[must_use]
    pub fn origins<S: AsRef<str>>(self, origins: impl IntoIterator<Item = S>) -> Self {
        let origins = Origins::listed(origins);
        self.configure(|shared| Shared { origins, ..shared })
    }

    /// Answers as redis-websocket-api 0.4.4 did: malformed commands close the connection with 1011,
    /// unknown commands and denied channels are met with silence.
    #[must_use]
    pub fn compat(self) -> Self {
        self.configure(|shared| Shared { compat: true, ..shared })
    }

    /// Compresses what is sent to clients that offer permessage-deflate (all browsers do), and takes
    /// compressed messages from them.
    ///
    /// A message is compressed once for all its viewers; replies and gathered messages, which one
    /// client alone gets, each for themselves. No connection keeps memory for it. What it costs and
    /// gains is in the [protocol's description](https://github.com/redwire/redwire/blob/main/docs/protocol.md#compression).
    #[must_use]
    pub fn compression(self) -> Self {
        self.configure(|shared| Shared { compression: true, ..shared })
    }

    #[expect(clippy::expect_used, reason = "a mistake in the user's program, found at start-up")]
    fn configure(self, change: impl FnOnce(Shared<H>) -> Shared<H>) -> Self {
        let shared = Arc::into_inner(self.shared).expect("configure the API before cloning it");
        Self { shared: Arc::new(change(shared)) }
    }

    /// A route on which every connection gets a clone of `handler`.
    pub fn route<S>(&self, handler: H) -> MethodRouter<S>
    where
        H: Clone,
        S: Clone + Send + Sync + 'static,
    {
        let api = self.clone();
        any(move |upgrade: Upgrade| async move { api.upgrade(upgrade, handler) })
    }

    /// A route on which the handler is extracted from each request: its rejection refuses the
    /// upgrade.
    pub fn route_from_request<S>(&self) -> MethodRouter<S>
    where
        H: FromRequestParts<S>,
        S: Clone + Send + Sync + 'static,
    {
        let api = self.clone();
        any(async move |State(state): State<S>, request: Request| {
            let (mut parts, _) = request.into_parts();
            // The origin is looked at first: a foreign page must not even learn whether the
            // visitor's cookies are good.
            let upgrade = match Upgrade::from_request_parts(&mut parts, &state).await {
                Ok(upgrade) if api.shared.origins.allow(upgrade.headers()) => upgrade,
                Ok(_) => return api.forbidden(),
                Err(rejection) => return rejection.into_response(),
            };
            match H::from_request_parts(&mut parts, &state).await {
                Ok(handler) => api.upgrade(upgrade, handler),
                Err(rejection) => rejection.into_response(),
            }
        })
    }

    /// Upgrades a request inside a route of your own and serves the connection with `handler`.
    ///
    /// Answers 403 to a page that may not connect, and 503 when all places are taken or the server
    /// drains.
    pub fn upgrade(&self, upgrade: Upgrade, handler: H) -> Response {
        let shared = &self.shared;
        if !shared.origins.allow(upgrade.headers()) {
            return self.forbidden();
        }
        let Some(place) = shared.connections.admit() else {
            shared.metrics.turned_away.inc();
            return (StatusCode::SERVICE_UNAVAILABLE, "no place for another connection\n")
                .into_response();
        };
        shared.hub.start();
        let shared = Arc::clone(shared);
        upgrade.accept(&self.shared.limits, self.shared.compression, async move |socket| {
            shared.metrics.opened.inc();
            Connection::open(socket, handler, shared, place).serve().await;
        })
    }

    fn forbidden(&self) -> Response {
        self.shared.metrics.turned_away.inc();
        (StatusCode::FORBIDDEN, "this origin may not connect\n").into_response()
    }

    /// Whether commands are likely to succeed: the backend is connected and the server not draining.
    pub fn is_ready(&self) -> bool {
        self.shared.hub.backend().is_live() && !self.shared.connections.is_draining()
    }

    /// All counters in the OpenMetrics text format, for a `/metrics` route.
    pub fn metrics(&self) -> String {
        let Shared { hub, metrics, connections, .. } = &*self.shared;
        metrics.backend_live.set(i64::from(hub.backend().is_live()));
        metrics.connections.set(i64::try_from(connections.count()).unwrap_or(i64::MAX));
        metrics.render()
    }

    /// Turns new connections away and closes the open ones with 1012, in batches spread evenly over
    /// `spread` so that their clients do not come back all at once. Returns when the last one has
    /// gone.
    pub async fn drain(&self, spread: Duration) {
        self.shared.connections.drain(spread).await;
    }
}

impl<H: HandlerBase> Clone for WebsocketApi<H> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<H: HandlerBase> fmt::Debug for WebsocketApi<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebsocketApi")
            .field("protocol", &self.shared.protocol)
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}
