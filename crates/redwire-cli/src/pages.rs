use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use redwire::prelude::{Upgrade, WebsocketApi};

use crate::demo::assets::Assets;
use crate::gateway::Gateway;

/// What the handlers share: the API, who may see what, and the pages that a browser gets.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) api: WebsocketApi<Gateway>,
    pub(crate) gateway: Gateway,
    pub(crate) assets: Option<Arc<Assets>>,
}

type MaybeUpgrade = Result<Upgrade, WebSocketUpgradeRejection>;

/// The program's own pages; WebSocket is answered everywhere else, as the original answers it on
/// every path.
pub(crate) fn router(site: Site) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .fallback(connect)
        .with_state(site)
}

async fn ready(State(site): State<Site>) -> (StatusCode, &'static str) {
    if site.api.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

async fn metrics(State(site): State<Site>) -> impl IntoResponse {
    let open_metrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, open_metrics)], site.api.metrics())
}

/// WebSocket first: no file of the demo takes a path away from it.
async fn connect(
    State(site): State<Site>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: MaybeUpgrade,
) -> Response {
    if let Ok(upgrade) = upgrade {
        return site.api.upgrade(upgrade, site.gateway);
    }
    let file = site.assets.and_then(|assets| assets.serve(uri.path(), &headers));
    file.unwrap_or_else(|| {
        let headers = [(header::UPGRADE, "websocket"), (header::SEC_WEBSOCKET_VERSION, "13")];
        (StatusCode::UPGRADE_REQUIRED, headers, "connect with WebSocket\n").into_response()
    })
}
