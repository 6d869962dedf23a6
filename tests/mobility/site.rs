use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::stage::{bundle, root};

/// The example's pages with their scripts, as `npm start` serves them; it ends with the test.
pub(crate) struct Site(SocketAddr);

impl Site {
    pub(crate) async fn open() -> Self {
        let built = Arc::new(tempfile::tempdir().expect("a temporary directory"));
        let pages = root().join("examples/mobility/web");
        let scripts =
            ["openlayers", "maplibre"].map(|name| format!("examples/mobility/web/{name}.js"));
        bundle(&scripts.each_ref().map(String::as_str), built.path(), &["--minify"]);
        let router = Router::new()
            .route("/{page}", get(async move |Path(page): Path<String>| file(pages.join(page))))
            .route(
                "/built/{script}",
                get(async move |Path(script): Path<String>| file(built.path().join(script))),
            );
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self(address)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0)
    }
}

fn file(path: PathBuf) -> Response {
    let kind = match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html",
        Some("css") => "text/css",
        _ => "text/javascript",
    };
    match std::fs::read(path) {
        Ok(bytes) => ([(CONTENT_TYPE, kind)], bytes).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
